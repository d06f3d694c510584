/* bits: which blocks are here, by page and in numbers; finding a core. */
#include "fix_proof.h"

#define MANY 20000 /* more than two pages */

static struct fix big;
static struct core *all;

static int
big_setup(void **state)
{
	fix_open(&big, 9, true);
	all = fix_core(&big, CORE_WRITE);
	fix_append(all, MANY);
	return setup(state);
}

static int
big_teardown(void **state)
{
	core_close(all);
	fix_close(&big);
	return teardown(state);
}

/* Pages and counts of c against core_has, at every border. */
static void
compare(struct core *c)
{
	static const uint64_t at[] = {0, 1, 7, 8, 9, 8191, 8192, 8193, 16383,
	    16384, 16391, 19999, 20000, 20001, 40000};
	static uint8_t page[CORE_BITS_BLOCKS / 8];
	struct err e = ERR_INIT;
	uint64_t sum[MANY + 1] = {0}, n, end;

	for (uint64_t i = 0; i < MANY; i++) {
		if (i % CORE_BITS_BLOCKS == 0)
			check_ok(
			    core_bits(c, i / CORE_BITS_BLOCKS, page, &e), &e);
		check((page[i % CORE_BITS_BLOCKS / 8] >> (i % 8) & 1) ==
		      core_has(c, i));
		sum[i + 1] = sum[i] + core_has(c, i);
	}
	check_ok(core_bits(c, 1000, page, &e), &e);
	for (size_t i = 0; i < sizeof(page); i++)
		check(page[i] == 0);
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++)
		for (size_t k = i; k < sizeof(at) / sizeof(*at); k++) {
			end = at[k] < MANY ? at[k] : MANY;
			check_ok(core_count(c, at[i], at[k], &n, &e), &e);
			check(n == (at[i] < end ? sum[end] - sum[at[i]] : 0));
		}
}

static void
test_bits(void **state)
{
	struct core_intake *in;
	struct err e = ERR_INIT;
	enum core_outcome o;
	struct pair r;

	(void)state;
	compare(all);
	replica_open(&r);
	upgrade_to(r.c, all);
	compare(r.c);
	check_ok(core_intake_new(&in, r.c, &e), &e);
	for (uint64_t i = 0; i < MANY; i += 1 + (i * i) % 97) {
		struct core_request q = {.has_block = true, .block_index = i};

		check_ok(core_intake_climb(in, 2 * i, &q.block_nodes, &e), &e);
		make(all, &q);
		check_ok(core_intake_proof(in, proof, &o, &e), &e);
		check(o == CORE_TAKEN);
	}
	check_ok(core_intake_commit(in, &e), &e);
	core_intake_free(in);
	compare(r.c);
	replica_close(&r);
}

/* Climbing sees what is committed and what is collected. */
static void
test_climb(void **state)
{
	struct core_request q = {.has_block = true, .block_index = 4};
	struct core_intake *in;
	struct err e = ERR_INIT;
	enum core_outcome o;
	struct pair r;
	uint64_t n;

	(void)state;
	replica_open(&r);
	check_ok(core_intake_new(&in, r.c, &e), &e);
	check_ok(core_intake_climb(in, 8, &n, &e), &e);
	check(n == 0);
	core_intake_free(in);
	upgrade_to(r.c, writer[16]);
	check_ok(core_intake_new(&in, r.c, &e), &e);
	check_ok(core_intake_climb(in, 8, &q.block_nodes, &e), &e);
	check(q.block_nodes == 4 && levels(r.c, 8) == 4);
	make(writer[16], &q);
	check_ok(core_intake_proof(in, proof, &o, &e), &e);
	check_ok(core_intake_climb(in, 8, &n, &e), &e);
	check(n == 0 && levels(r.c, 8) == 4);
	check_ok(core_intake_climb(in, 10, &n, &e), &e);
	check(n == 0);
	check_ok(core_intake_climb(in, 12, &n, &e), &e);
	check(n == 1);
	check_ok(core_intake_climb(in, 40, &n, &e), &e);
	check(n == 0);
	core_intake_free(in);
	replica_close(&r);
}

static void
test_find(void **state)
{
	struct err e = ERR_INIT;
	struct b32 key, other = {{1}};

	(void)state;
	check_ok(core_find(big.s, core_discovery_key(all), &key, &e), &e);
	check(b32_eq(&key, core_key(all)));
	check_code(core_find(big.s, &other, &key, &e), ERR_NOT_FOUND);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bits),
	    cmocka_unit_test(test_climb),
	    cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, big_setup, big_teardown);
}
