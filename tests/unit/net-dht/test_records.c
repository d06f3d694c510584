/* What is kept for others stays bounded, whoever sends how much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "net/dht/records.h"
#include "support/vec.h"

static struct b32
number(uint32_t n)
{
	struct b32 k = {{0}};

	memcpy(k.b, &n, sizeof(n));
	k.b[31] = 1;
	return k;
}

static struct addr
host(unsigned a, unsigned b, unsigned c)
{
	return (struct addr){4, 1000, {(uint8_t)a, 1, (uint8_t)b, (uint8_t)c}};
}

/* Thousands of announcements of one host: it keeps its share, others theirs. */
static void
test_flood(void **state)
{
	const struct addr evil = host(80, 0, 1), good = host(80, 0, 2);
	const struct b32 topic = number(1);
	struct view pick[RECORDS_PICK], v;
	struct err e = ERR_INIT;
	struct records *r;
	struct b32 k;

	(void)state;
	check_ok(records_new(&r, 0, &e), &e);
	for (uint32_t i = 0; i < 30; i++) {
		k = number(i);
		records_put(r, RECORDS_PEER, &topic, &k, &good,
		    view_of(&i, sizeof(i)), 1);
	}
	for (uint32_t i = 100; i < 20100; i++) {
		k = number(i);
		records_put(r, RECORDS_PEER, &topic, &k, &evil,
		    view_of(&i, sizeof(i)), 2);
		records_put(r, RECORDS_PEER, &k, &k, &evil, VIEW_EMPTY, 2);
		records_put(r, RECORDS_ROUTE, &k, NULL, &evil, VIEW_EMPTY, 2);
		records_put(r, RECORDS_MUTABLE, &k, NULL, &evil,
		    view_of(&i, sizeof(i)), 2);
	}
	check(records_count(r, RECORDS_PEER) == 30 + 1024);
	check(records_count(r, RECORDS_ROUTE) == 1024);
	check(records_count(r, RECORDS_MUTABLE) == 512);
	/* the topic's other peers are all there, and are told */
	check(records_pick(r, &topic, 3, pick, RECORDS_PICK) == RECORDS_PICK);
	for (uint32_t i = 0; i < 30; i++) {
		k = number(i);
		records_remove(r, RECORDS_PEER, &topic, &k);
	}
	check(records_count(r, RECORDS_PEER) == 1024);
	/* the newest of a host stay */
	k = number(20099);
	check(records_get(r, RECORDS_MUTABLE, &k, 3, &v, NULL) && v.len == 4);
	k = number(100);
	check(!records_get(r, RECORDS_MUTABLE, &k, 3, &v, NULL));
	records_free(r);
}

/* Many hosts fill it, and the oldest goes. */
static void
test_full(void **state)
{
	struct err e = ERR_INIT;
	struct records *r;
	struct addr from, got;
	struct view v;
	struct b32 k;

	(void)state;
	check_ok(records_new(&r, 1000, &e), &e);
	for (uint32_t i = 0; i < 5000; i++) {
		k = number(i);
		from = host(80, i / 200, i % 200);
		records_put(r, RECORDS_ROUTE, &k, NULL, &from, VIEW_EMPTY, i);
		records_put(
		    r, RECORDS_IMMUTABLE, &k, NULL, &from, VIEW_EMPTY, i);
		check(records_count(r, RECORDS_ROUTE) <= 1000);
		check(records_count(r, RECORDS_IMMUTABLE) <= 500);
	}
	check(records_get(r, RECORDS_ROUTE, &k, 5000, &v, &got));
	check(addr_eq(&got, &from));
	k = number(4000);
	check(records_get(r, RECORDS_ROUTE, &k, 5000, &v, NULL));
	check(!records_get(r, RECORDS_IMMUTABLE, &k, 5000, &v, NULL));
	k = number(3999);
	check(!records_get(r, RECORDS_ROUTE, &k, 5000, &v, NULL));
	/* life times: the first of the two that is due */
	check(records_turn(r, 5000) == 4000 + RECORDS_LIFE_US);
	check(records_turn(r, 5000 + RECORDS_LIFE_US) ==
	      4500 + RECORDS_VALUE_LIFE_US);
	check(records_count(r, RECORDS_ROUTE) == 0);
	check(records_turn(r, 5000 + RECORDS_VALUE_LIFE_US) == UINT64_MAX);
	check(records_count(r, RECORDS_IMMUTABLE) == 0);
	records_free(r);
}

/* Hosts of the own network, such as the nodes of a test, have more. */
static void
test_neighbour(void **state)
{
	const struct addr near = host(127, 0, 1);
	const struct b32 topic = number(1);
	struct err e = ERR_INIT;
	struct records *r;
	struct b32 k;

	(void)state;
	check_ok(records_new(&r, 0, &e), &e);
	for (uint32_t i = 0; i < 20000; i++) {
		k = number(i);
		records_put(r, RECORDS_PEER, &k, &k, &near, VIEW_EMPTY, 1);
	}
	check(records_count(r, RECORDS_PEER) == 16385);
	for (uint32_t i = 0; i < 5000; i++) {
		k = number(i);
		records_put(r, RECORDS_PEER, &topic, &k, &near, VIEW_EMPTY, 2);
	}
	check(records_count(r, RECORDS_PEER) == 16385);
	records_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_flood),
	    cmocka_unit_test(test_full),
	    cmocka_unit_test(test_neighbour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
