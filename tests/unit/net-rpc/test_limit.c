/* Buckets of hosts, and of all together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "net/rpc/limit.h"
#include "support/vec.h"

#define SECOND UINT64_C(1000000)
#define RATE 8
#define BURST 64
#define ALL 500

static const struct limit_rate each = {RATE, BURST}, all = {ALL, ALL};

static struct addr
addr_at(const char *text)
{
	struct err e = ERR_INIT;
	struct addr a;

	check_ok(addr_parse(&a, view_str(text), &e), &e);
	return a;
}

static size_t
take(struct limit *l, const struct addr *a, uint64_t now, size_t tries)
{
	size_t got = 0;

	while (tries-- > 0)
		got += limit_take(l, a, &each, &all, now);
	return got;
}

static void
test_host(void **state)
{
	struct addr a = addr_at("10.0.0.1:1"), b = addr_at("10.0.0.2:1");
	struct addr x = addr_at("[fd00::1]:1"), y = addr_at("[fd00::2:1]:1");
	struct addr z = addr_at("[fd00:0:0:1::1]:1");
	struct limit l;

	(void)state;
	limit_init(&l);
	check(take(&l, &a, 50, 100) == BURST);
	check(take(&l, &b, 50, 100) == BURST);
	/* it fills at its rate, to the brim and no further */
	check(take(&l, &a, 50 + SECOND, 100) == RATE);
	check(take(&l, &a, 50 + SECOND + SECOND / RATE, 100) == 1);
	check(take(&l, &a, 1000 * SECOND, 100) == BURST);
	/* a /64 is one host */
	check(take(&l, &x, 2000 * SECOND, 100) == BURST);
	check(take(&l, &y, 2000 * SECOND, 100) == 0);
	check(take(&l, &z, 2000 * SECOND, 100) == BURST);
}

/* Forged addresses: all together get no more than the whole rate. */
static void
test_all(void **state)
{
	struct addr a = addr_at("10.0.0.1:1"), b = addr_at("9.9.9.9:1");
	struct limit l;
	size_t got = 0;

	(void)state;
	limit_init(&l);
	for (uint32_t i = 0; i < 10000; i++) {
		a.ip[2] = (uint8_t)(i >> 8);
		a.ip[3] = (uint8_t)i;
		got += limit_take(&l, &a, &each, &all, 0);
	}
	check(got == ALL);
	check(take(&l, &a, SECOND / 2, 10) == 10);
	/* unless nobody counts them together */
	check(!limit_take(&l, &b, &each, &all, 0));
	check(limit_take(&l, &b, &each, NULL, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_host),
	    cmocka_unit_test(test_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
