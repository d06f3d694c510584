/* The clocks count what they say, between two looks at those of the system. */
#include <setjmp.h>
#include <stdarg.h>
#include <time.h>
#include <cmocka.h>

#include "net/io/io.h"
#include "vec.h"

static uint64_t
micros(clockid_t id)
{
	struct timespec t;

	check(clock_gettime(id, &t) == 0);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void
now(void **state)
{
	uint64_t before = micros(CLOCK_MONOTONIC), got = io_now();

	(void)state;
	check(before <= got && got <= micros(CLOCK_MONOTONIC));
}

static void
wall(void **state)
{
	uint64_t before = micros(CLOCK_REALTIME) / 1000, got = io_wall_ms();

	(void)state;
	check(before <= got && got <= micros(CLOCK_REALTIME) / 1000);
}

/* Both differences of clocks are off by what passes between two looks. */
static void
asleep(void **state)
{
#ifdef CLOCK_BOOTTIME
	uint64_t awake = micros(CLOCK_MONOTONIC);
	uint64_t boot = micros(CLOCK_BOOTTIME), got = io_asleep();
	uint64_t past = micros(CLOCK_MONOTONIC) - awake;

	check(got + past >= boot - awake);
	check(got <= micros(CLOCK_BOOTTIME) - awake);
#else
	check(io_asleep() == 0);
#endif
	(void)state;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(now),
	    cmocka_unit_test(wall),
	    cmocka_unit_test(asleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
