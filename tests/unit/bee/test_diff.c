/* bee/diff.c: versions of one core against each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/bee/fake_core.h"
#include "tests/unit/bee/model.h"

#define ROUNDS 40

static struct model at[ROUNDS];
static uint64_t version[ROUNDS];
static struct core core;

/* Version 0 has every second key, later ones change about `ops` keys. */
static void
build(size_t keys, uint32_t ops)
{
	struct bee_header h = {.has_metadata = true};
	struct core_batch cb = {&core};
	struct err e = ERR_INIT;
	struct bee_batch *b;
	struct model m = {.keys = keys};
	uint64_t seq = 1;
	uint32_t s = 5;

	check_ok(bee_batch_new(&b, &core, &cb, &h, &e), &e);
	for (size_t i = 0; i < keys; i += 2)
		model_put(&m, b, i, 0, &seq);
	for (size_t r = 0; r < ROUNDS; r++) {
		for (size_t i = 0; r > 0 && i < ops; i++) {
			uint32_t k = model_random(&s, (uint32_t)keys);

			if (model_random(&s, 2) == 0)
				model_put(&m, b, k, model_random(&s, 9), &seq);
			else
				model_del(&m, b, k, &seq);
		}
		check_ok(bee_batch_flush(b, &e), &e);
		fake_commit(&core);
		at[r] = m;
		version[r] = core.n;
	}
	bee_batch_free(b);
}

static void
check_side(const struct model *m, size_t i, const struct bee_entry *entry)
{
	check(entry->seq == m->seq[i]);
	if (m->seq[i] != 0)
		model_check_entry(m, i, entry);
}

/* Rounds l and r, keys from `from` on (before it when descending). */
static void
check_diff(size_t l, size_t r, size_t from, enum bee_order order)
{
	struct bee_range range = BEE_RANGE_ALL;
	bool up = order == BEE_ASCENDING, more;
	struct bee_entry left, right;
	struct err e = ERR_INIT;
	struct bee *bl, *br;
	struct bee_diff *d;
	enum err_code rc;
	struct want w;
	char key[8];

	range.order = order;
	if (up)
		range.gte = model_key(key, from);
	else
		range.lt = model_key(key, from);
	check_ok(bee_open(&bl, &core, version[l], &e), &e);
	check_ok(bee_open(&br, &core, version[r], &e), &e);
	check_ok(bee_diff_open(&d, bl, br, &range, &e), &e);
	for (size_t n = 0; n < at[l].keys; n++) {
		size_t i = up ? n : at[l].keys - 1 - n;

		if (at[l].seq[i] == at[r].seq[i] || (i >= from) != up)
			continue;
		until_here(rc, bee_diff_next(d, &more, &left, &right, &w, &e));
		check_ok(rc, &e);
		check(more);
		check_side(&at[l], i, &left);
		check_side(&at[r], i, &right);
	}
	until_here(rc, bee_diff_next(d, &more, &left, &right, &w, &e));
	check_ok(rc, &e);
	check(!more);
	bee_diff_close(d);
	bee_close(bl);
	bee_close(br);
}

static void
test_pairs(void **state)
{
	uint32_t s = 3;

	(void)state;
	build(400, 25);
	for (size_t i = 0; i < 300; i++) {
		size_t l = model_random(&s, ROUNDS);
		size_t r = model_random(&s, ROUNDS);

		if (i % 4 == 0)
			fake_forget(&core);
		check_diff(l, r, i % 3 == 0 ? 0 : model_random(&s, 400),
		    i % 3 != 0 && i % 2 == 0 ? BEE_DESCENDING : BEE_ASCENDING);
	}
	fake_free(&core);
}

/* What two versions share is not read. */
static void
test_shared_is_skipped(void **state)
{
	uint64_t before;

	(void)state;
	build(4000, 2);
	before = core.reads;
	check_diff(5, 6, 0, BEE_ASCENDING);
	/* a handful of levels and keys per change, of 2000 entries */
	check(core.reads - before < 120);
	before = core.reads;
	check_diff(7, 7, 0, BEE_ASCENDING);
	/* only the way to the first key, on both sides */
	check(core.reads - before < 60);
	fake_free(&core);
}

static void
test_against_empty_and_stranger(void **state)
{
	struct bee_range all = BEE_RANGE_ALL;
	struct bee_entry left, right;
	struct core other = {.n = 0};
	struct err e = ERR_INIT;
	struct bee *a, *b, *c;
	struct bee_diff *d;
	struct want w;
	size_t n = 0;
	bool more;

	(void)state;
	build(60, 1);
	other.key.b[0] = 1;
	check_ok(bee_open(&a, &core, 1, &e), &e);
	check_ok(bee_open(&b, &core, version[0], &e), &e);
	check_ok(bee_open(&c, &other, 0, &e), &e);
	check_code(bee_diff_open(&d, a, c, &all, &e), ERR_INVALID);
	check_ok(bee_diff_open(&d, a, b, &all, &e), &e);
	for (;; n++) {
		check_ok(bee_diff_next(d, &more, &left, &right, &w, &e), &e);
		if (!more)
			break;
		check(left.seq == 0 && right.seq == n + 1);
	}
	check(n == 30);
	bee_diff_close(d);
	bee_close(a);
	bee_close(b);
	bee_close(c);
	fake_free(&core);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pairs),
	    cmocka_unit_test(test_shared_is_skipped),
	    cmocka_unit_test(test_against_empty_and_stranger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
