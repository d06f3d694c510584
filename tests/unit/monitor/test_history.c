/* Rings of fixed size: gaps, minutes, and time that jumps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "codec/jtext.h"
#include "monitor/history.h"
#include "vec.h"

struct shown {
	struct history *h;
	json_t *json;
};

static void
setup(struct shown *s)
{
	s->h = malloc(sizeof(*s->h));
	assert_non_null(s->h);
	history_init(s->h);
	s->json = NULL;
}

static void
teardown(struct shown *s)
{
	json_decref(s->json);
	free(s->h);
}

static void
show(struct shown *s)
{
	struct err e = ERR_INIT;
	struct buf b;

	buf_init(&b, 1 << 20);
	history_json(&b, s->h);
	assert_int_equal(buf_check(&b, &e), ERR_OK);
	json_decref(s->json);
	s->json = NULL;
	assert_int_equal(
	    jtext_parse(buf_view(&b), 1 << 20, &s->json, &e), ERR_OK);
	buf_deinit(&b);
}

/* The i-th value before the newest; -1: null. */
static double
back(struct shown *s, const char *ring, const char *field, size_t i)
{
	json_t *a = json_object_get(json_object_get(s->json, ring), field);
	json_t *v;

	assert_true(json_is_array(a));
	v = json_array_get(a, json_array_size(a) - 1 - i);
	assert_non_null(v);
	return json_is_null(v) ? -1 : json_number_value(v);
}

static void
add(struct shown *s, uint64_t second, float down)
{
	struct history_point p = {.down = down,
	    .up = 2 * down,
	    .connections = (uint32_t)down,
	    .rss_bytes = 1000};

	history_add(s->h, second, &p);
}

static void
empty(void **state)
{
	struct shown s;
	json_t *a;

	(void)state;
	setup(&s);
	show(&s);
	a = json_object_get(json_object_get(s.json, "seconds"), "down");
	assert_int_equal(json_array_size(a), HISTORY_SECONDS);
	for (size_t i = 0; i < HISTORY_SECONDS; i++)
		assert_true(json_is_null(json_array_get(a, i)));
	a = json_object_get(json_object_get(s.json, "minutes"), "memory");
	assert_int_equal(json_array_size(a), HISTORY_MINUTES);
	teardown(&s);
}

static void
seconds(void **state)
{
	struct shown s;

	(void)state;
	setup(&s);
	add(&s, 100, 1);
	add(&s, 101, 2);
	add(&s, 104, 5); /* 102 and 103 were slept through */
	add(&s, 104, 6); /* told again: the later counts */
	add(&s, 90, 9);	 /* cannot be */
	show(&s);
	assert_true(back(&s, "seconds", "down", 0) == 6);
	assert_true(back(&s, "seconds", "up", 0) == 12);
	assert_true(back(&s, "seconds", "down", 1) == -1);
	assert_true(back(&s, "seconds", "down", 2) == -1);
	assert_true(back(&s, "seconds", "down", 3) == 2);
	assert_true(back(&s, "seconds", "down", 4) == 1);
	assert_true(back(&s, "seconds", "down", 5) == -1);
	teardown(&s);
}

static void
minutes(void **state)
{
	struct shown s;

	(void)state;
	setup(&s);
	for (uint64_t i = 600; i < 660; i++)
		add(&s, i, i < 630 ? 10 : 20);
	add(&s, 660, 7);
	show(&s);
	/* means, but the most connections */
	assert_true(back(&s, "minutes", "down", 1) == 15);
	assert_true(back(&s, "minutes", "connections", 1) == 20);
	assert_true(back(&s, "minutes", "memory", 1) == 1000);
	assert_true(back(&s, "minutes", "down", 0) == 7);
	assert_true(back(&s, "minutes", "down", 2) == -1);
	teardown(&s);
}

/* Two days: the rings are full of the last of them. */
static void
around(void **state)
{
	struct shown s;

	(void)state;
	setup(&s);
	for (uint64_t i = 0; i < 2 * 86400; i++)
		add(&s, i, (float)(i / 60));
	show(&s);
	for (size_t i = 0; i < HISTORY_SECONDS; i++)
		assert_true(back(&s, "seconds", "down", i) ==
			    (double)((2 * 86400 - 1 - i) / 60));
	for (size_t i = 0; i < HISTORY_MINUTES; i++)
		assert_true(
		    back(&s, "minutes", "down", i) == (double)(2879 - i));
	teardown(&s);
}

/* A machine that sleeps for a month has no history but of now, and a jump
 * takes no longer than the rings are long. */
static void
jumps(void **state)
{
	static const uint64_t to[] = {2592000, 1u << 30, (uint64_t)1 << 40};
	struct shown s;

	(void)state;
	setup(&s);
	add(&s, 5, 5);
	for (size_t i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		add(&s, to[i], 3);
		show(&s);
		assert_true(back(&s, "seconds", "down", 0) == 3);
		assert_true(back(&s, "minutes", "down", 0) == 3);
		for (size_t k = 1; k < HISTORY_SECONDS; k++)
			assert_true(back(&s, "seconds", "down", k) == -1);
		for (size_t k = 1; k < HISTORY_MINUTES; k++)
			assert_true(back(&s, "minutes", "down", k) == -1);
	}
	teardown(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(empty),
	    cmocka_unit_test(seconds),
	    cmocka_unit_test(minutes),
	    cmocka_unit_test(around),
	    cmocka_unit_test(jumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
