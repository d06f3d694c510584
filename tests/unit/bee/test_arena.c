/* bee/arena.c: alignment, zeroes, copies, sizes, reset. */
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "bee/arena.h"
#include "tests/unit/support/vec.h"

static void
test_objects_and_bytes(void **state)
{
	static const size_t sizes[] = {1, 8, 304, 16383, 16384, 70000, 3};
	uint8_t *object[7][20];
	struct bee_arena a;
	struct view copy;

	(void)state;
	bee_arena_init(&a);
	for (size_t round = 0; round < 20; round++) {
		for (size_t i = 0; i < 7; i++) {
			uint8_t *p = bee_arena_alloc(&a, sizes[i]);

			check(p != NULL);
			check((uintptr_t)p % alignof(max_align_t) == 0);
			for (size_t k = 0; k < sizes[i]; k++)
				check(p[k] == 0);
			memset(p, (int)(i + 1), sizes[i]);
			object[i][round] = p;
			check(bee_arena_copy(&a, view_str("odd"), &copy));
			check_same(copy, view_str("odd"));
		}
	}
	/* nothing was handed out twice */
	for (size_t round = 0; round < 20; round++)
		for (size_t i = 0; i < 7; i++)
			for (size_t k = 0; k < sizes[i]; k++)
				check(object[i][round][k] == i + 1);
	bee_arena_deinit(&a);
	check(a.total == 0 && a.head == NULL);
}

static void
test_empty_copy_has_a_place(void **state)
{
	struct bee_arena a;
	struct view copy;

	(void)state;
	bee_arena_init(&a);
	check(bee_arena_copy(&a, VIEW_EMPTY, &copy));
	check(copy.ptr != NULL && copy.len == 0);
	check(bee_arena_alloc(&a, SIZE_MAX - 8) == NULL);
	bee_arena_deinit(&a);
}

static void
test_reset_keeps_one_chunk(void **state)
{
	struct bee_arena a;
	size_t one;

	(void)state;
	bee_arena_init(&a);
	bee_arena_reset(&a);
	check(bee_arena_alloc(&a, 100) != NULL);
	one = a.total;
	for (size_t i = 0; i < 5000; i++)
		check(bee_arena_alloc(&a, 100) != NULL);
	check(bee_arena_alloc(&a, 1 << 20) != NULL);
	check(a.total > 10 * one);
	bee_arena_reset(&a);
	check(a.total == one);
	check(bee_arena_alloc(&a, 100) != NULL);
	check(a.total == one);
	bee_arena_deinit(&a);

	/* a first object that is larger than a chunk */
	check(bee_arena_alloc(&a, 1 << 20) != NULL);
	check(bee_arena_alloc(&a, 100) != NULL);
	bee_arena_reset(&a);
	check(a.total <= one);
	bee_arena_deinit(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_objects_and_bytes),
	    cmocka_unit_test(test_empty_copy_has_a_place),
	    cmocka_unit_test(test_reset_keeps_one_chunk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
