/* How much may pass: the long run is exact, whatever the rate and however
 * often it is looked at. In virtual time. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "peer/wire_impl.h"
#include "support/vec.h"

#define START (UINT64_C(1) << 40)
#define BURST_MOST(rate) ((rate) / 10 > 65536 ? (rate) / 10 : 65536)

static const uint64_t rates[] = {
    1, 1000, 1001, 9973, 65536, 1000003, 12500000, 1000000007, WIRE_RATE_MAX};

static uint32_t
next_random(uint32_t *x)
{
	*x = *x * 1664525u + 1013904223u;
	return *x >> 8;
}

/* Whatever was saved up at first. */
static void
spend(struct wire_rate *r, uint64_t now)
{
	size_t n;

	while ((n = wire_rate_room(r, now)) > 0)
		wire_rate_take(r, n);
}

static void
no_limit(void **state)
{
	struct wire_rate r = {0};

	(void)state;
	for (uint64_t now = 0; now < 5; now++) {
		check(wire_rate_room(&r, now) == SIZE_MAX);
		wire_rate_take(&r, SIZE_MAX);
	}
}

/* Datagrams are sent whole while there is any room, at times that suit
 * nobody. */
static void
long_run(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct wire_rate r = {.rate = rates[i]};
		uint64_t now = START, sent = 0, due, span;
		uint32_t x = 7;

		spend(&r, now);
		span = (UINT64_C(200000) * UDX_DATAGRAM_MAX * SECOND) / r.rate;
		span = span < SECOND ? SECOND : span;
		for (int k = 0; k < 100000; k++) {
			now += next_random(&x) % (span / 100000) + 1;
			/* more than can be sent in one look is left lying */
			for (int d = 0; d < 64 && wire_rate_room(&r, now) > 0;
			     d++) {
				wire_rate_take(&r, UDX_DATAGRAM_MAX);
				sent += UDX_DATAGRAM_MAX;
			}
		}
		due = (uint64_t)((double)(now - START) * (double)r.rate / 1e6);
		check(sent <= due + UDX_DATAGRAM_MAX + due / 1000000000);
		/* what it may send it does, where looks suffice for it */
		if (due < UINT64_C(1) << 32)
			check(sent + UDX_DATAGRAM_MAX + 65536 >= due);
	}
}

/* Looking often must neither win nor lose a byte. */
static void
looks_cost_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct wire_rate often = {.rate = rates[i]}, seldom;
		uint64_t now = START;

		spend(&often, now);
		seldom = often;
		for (int k = 0; k < 1000; k++)
			(void)wire_rate_room(&often, ++now);
		check(wire_rate_room(&often, now) ==
		      wire_rate_room(&seldom, now));
		check(often.credit == seldom.credit);
	}
}

static void
bursts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct wire_rate r = {.rate = rates[i]};
		size_t first = wire_rate_room(&r, START), later;

		/* some at once, but not hours of it */
		check(first >= UDX_DATAGRAM_MAX);
		check(first <= BURST_MOST(r.rate));
		later = wire_rate_room(&r, START + 86400 * SECOND);
		check(later == first);
		wire_rate_take(&r, first);
		check(wire_rate_room(&r, START + 86400 * SECOND) == 0);
		/* a clock that stands, or seems to go back */
		check(wire_rate_room(&r, START) == 0);
		check(
		    wire_rate_room(&r, START + 200000 * (uint64_t)SECOND) > 0);
	}
}

/* Who waits until then may send a datagram, and not much was waited for
 * nothing. */
static void
waits(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct wire_rate r = {.rate = rates[i]};
		uint64_t now = START, next;

		spend(&r, now);
		wire_rate_take(&r, UDX_DATAGRAM_MAX); /* owed */
		check(wire_rate_room(&r, now) == 0);
		next = wire_rate_next(&r, now);
		check(next > now);
		check(
		    (next - now) <= 2 * UDX_DATAGRAM_MAX * SECOND / r.rate + 2);
		check(wire_rate_room(&r, next) >= UDX_DATAGRAM_MAX);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_limit),
	    cmocka_unit_test(long_run),
	    cmocka_unit_test(looks_cost_nothing),
	    cmocka_unit_test(bursts),
	    cmocka_unit_test(waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
