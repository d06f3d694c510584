/* Flat tree arithmetic: a table, crypto.json, and a slow twin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "merkle/flat.h"
#include "support/vec.h"

static void
test_table(void **state)
{
	static const struct {
		uint64_t index, parent, sibling, left, right;
		unsigned depth;
		uint64_t offset, count;
	} table[] = {
	    {0, 1, 2, 0, 0, 0, 0, 1},
	    {2, 1, 0, 2, 2, 0, 1, 1},
	    {1, 3, 5, 0, 2, 1, 0, 2},
	    {3, 7, 11, 0, 6, 2, 0, 4},
	    {5, 3, 1, 4, 6, 1, 1, 2},
	    {11, 7, 3, 8, 14, 2, 1, 4},
	    {23, 15, 7, 16, 30, 3, 1, 8},
	    {UINT64_C(1) << 53, (UINT64_C(1) << 53) + 1,
		(UINT64_C(1) << 53) + 2, UINT64_C(1) << 53, UINT64_C(1) << 53,
		0, UINT64_C(1) << 52, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint64_t at = table[i].index;

		check(flat_depth(at) == table[i].depth);
		check(flat_offset(at) == table[i].offset);
		check(flat_parent(at) == table[i].parent);
		check(flat_sibling(at) == table[i].sibling);
		check(flat_left_span(at) == table[i].left);
		check(flat_right_span(at) == table[i].right);
		check(flat_count(at) == table[i].count);
	}
}

static void
test_laws(void **state)
{
	(void)state;
	for (uint64_t at = 0; at < 5000; at++) {
		uint64_t up = flat_parent(at), beside = flat_sibling(at);

		check(flat_index(flat_depth(at), flat_offset(at)) == at);
		check(flat_sibling(beside) == at);
		check(flat_parent(beside) == up);
		check(flat_depth(up) == flat_depth(at) + 1);
		check(flat_left_child(up) == (at < beside ? at : beside));
		check(flat_right_child(up) == (at < beside ? beside : at));
		check(flat_right_span(at) - flat_left_span(at) ==
		      2 * (flat_count(at) - 1));
		check(flat_left_span(at) <= at && at <= flat_right_span(at));
	}
}

static void
test_roots_of_the_vectors(void **state)
{
	json_t *vectors = vec_load("crypto"), *row;
	uint64_t got[FLAT_ROOTS_MAX];
	size_t i;

	(void)state;
	json_array_foreach(vec_at(vectors, "fullRoots"), i, row)
	{
		json_t *want = vec_at(row, "roots");
		size_t n = flat_roots(vec_num(row, "length"), got);

		check(n == json_array_size(want));
		for (size_t k = 0; k < n; k++)
			check(got[k] == (uint64_t)json_integer_value(
					    json_array_get(want, k)));
	}
	check(i == 13);
	json_decref(vectors);
}

/* Roots stand side by side, cover all blocks, and shrink. */
static void
test_roots_cover(void **state)
{
	static const uint64_t far[] = {(UINT64_C(1) << 53) - 1,
	    UINT64_C(1) << 53, (UINT64_C(1) << 52) + 12345};
	uint64_t got[FLAT_ROOTS_MAX];

	(void)state;
	for (uint64_t length = 1; length < 2000; length++) {
		uint64_t real = length < 4 ? far[length - 1] : length;
		size_t n = flat_roots(real, got);
		uint64_t next = 0, blocks = 0;

		for (size_t k = 0; k < n; k++) {
			check(flat_left_span(got[k]) == next);
			check(k == 0 ||
			      flat_count(got[k]) < flat_count(got[k - 1]));
			next = flat_right_span(got[k]) + 2;
			blocks += flat_count(got[k]);
		}
		check(blocks == real);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_laws),
	    cmocka_unit_test(test_roots_of_the_vectors),
	    cmocka_unit_test(test_roots_cover),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
