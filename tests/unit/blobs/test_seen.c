#include "tests/unit/blobs/blobfix.h"

#include "blobs/seen.h"
#include "crypto/hash.h"

static void
leaf_of(struct b32 *leaf, uint64_t i)
{
	hash_data(leaf, view_of(&i, sizeof(i)));
}

static void
test_many(void **state)
{
	struct seen s = {NULL, 0, 0, NULL, 0};
	struct err e = ERR_INIT;
	struct b32 leaf;
	uint64_t at;

	(void)state;
	leaf_of(&leaf, 0);
	check(!seen_find(&s, &leaf, &at));
	for (uint64_t i = 0; i < 10000; i++) {
		leaf_of(&leaf, i);
		check(!seen_find(&s, &leaf, &at));
		check_ok(seen_put(&s, &leaf, i * 3, &e), &e);
	}
	check(s.n == 10000 && s.nslots >= 2 * s.n);
	for (uint64_t i = 0; i < 10000; i++) {
		leaf_of(&leaf, i);
		check(seen_find(&s, &leaf, &at) && at == i * 3);
	}
	seen_clear(&s);
	check(!seen_find(&s, &leaf, &at) && s.n == 0);
	check_ok(seen_put(&s, &leaf, 7, &e), &e);
	check(seen_find(&s, &leaf, &at) && at == 7);
	seen_deinit(&s);
}

/* Leaves that begin alike are told apart; a leaf put again moves. */
static void
test_collisions(void **state)
{
	struct seen s = {NULL, 0, 0, NULL, 0};
	struct err e = ERR_INIT;
	struct b32 leaf;
	uint64_t at;

	(void)state;
	memset(&leaf, 0, sizeof(leaf));
	for (int round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 200; i++) {
			leaf.b[31] = (uint8_t)i;
			check_ok(seen_put(&s, &leaf,
				     i + 1000u * (unsigned)round, &e),
			    &e);
		}
	}
	check(s.n == 200);
	for (unsigned i = 0; i < 200; i++) {
		leaf.b[31] = (uint8_t)i;
		check(seen_find(&s, &leaf, &at) && at == i + 1000);
	}
	leaf.b[31] = 200;
	check(!seen_find(&s, &leaf, &at));
	seen_deinit(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_collisions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
