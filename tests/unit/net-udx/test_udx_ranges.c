#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "net/udx/udx_ranges.h"
#include "vec.h"

#define SPAN 200

/* The set as a plain array, from `base` on. */
struct model {
	uint32_t base;
	bool has[SPAN];
};

static uint32_t
next_random(uint32_t *s)
{
	*s = *s * 1664525u + 1013904223u;
	return *s >> 8;
}

static void
compare(const struct udx_ranges *s, const struct model *m)
{
	uint32_t runs = 0;

	for (uint32_t i = 0; i < SPAN; i++) {
		check(udx_ranges_has(s, m->base + i) == m->has[i]);
		runs += m->has[i] && (i == 0 || !m->has[i - 1]);
	}
	check(s->n == runs);
	for (uint32_t i = 0; i < s->n; i++) {
		check(udx_seq_before(s->r[i].start, s->r[i].end));
		check(i == 0 || udx_seq_before(s->r[i - 1].end, s->r[i].start));
	}
}

/* Random additions and trims, beginning left of the wrap and at it. */
static void
test_model(void **state)
{
	static const uint32_t bases[] = {0, 1000, UINT32_MAX - 50, UINT32_MAX};
	uint32_t seed = 1;

	(void)state;
	for (size_t b = 0; b < 4; b++) {
		struct udx_ranges s = {NULL, 0, 0};
		struct model m = {.base = bases[b]};

		for (int op = 0; op < 400; op++) {
			uint32_t at = next_random(&seed) % SPAN;
			uint32_t end = at + 1 + next_random(&seed) % 6;

			if (next_random(&seed) % 40 == 0) {
				udx_ranges_trim(&s, m.base + at);
				memset(m.has, 0, at);
				compare(&s, &m);
				continue;
			}
			end = end < SPAN ? end : SPAN;
			if (at == end)
				continue;
			check(udx_ranges_add(&s, m.base + at, m.base + end));
			memset(m.has + at, 1, end - at);
			compare(&s, &m);
		}
		udx_ranges_deinit(&s);
		check(s.n == 0 && s.r == NULL);
	}
}

static void
test_find(void **state)
{
	struct udx_ranges s = {NULL, 0, 0};

	(void)state;
	check(udx_ranges_find(&s, 5) == 0 && !udx_ranges_has(&s, 5));
	check(udx_ranges_add(&s, 10, 20));
	check(udx_ranges_add(&s, 30, 31));
	check(udx_ranges_find(&s, 9) == 0);
	check(udx_ranges_find(&s, 19) == 0);
	check(udx_ranges_find(&s, 20) == 1);
	check(udx_ranges_find(&s, 31) == 2);
	udx_ranges_trim(&s, 31);
	check(s.n == 0 && s.r == NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_model),
	    cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
