/* The bounded store: shares of hosts and keys, ages, and a naive twin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "net/dht/shelf.h"
#include "support/vec.h"

#define LIFE 1000

static struct b32
key_of(unsigned n)
{
	struct b32 k = {{0}};

	k.b[0] = (uint8_t)n;
	k.b[1] = (uint8_t)(n >> 8);
	k.b[31] = 1; /* none is all zeros */
	return k;
}

static struct addr
host(unsigned n)
{
	return (struct addr){4, 1000, {8, 8, (uint8_t)(n >> 8), (uint8_t)n}};
}

static bool
put(struct shelf *s, unsigned key, unsigned sub, unsigned from, uint64_t now)
{
	struct b32 k = key_of(key), u = key_of(sub);
	struct addr a = host(from);

	return shelf_put(
	    s, &k, &u, &a, SHELF_STRANGER, view_of(&sub, sizeof(sub)), now);
}

static bool
there(const struct shelf *s, unsigned key, unsigned sub, uint64_t now)
{
	struct b32 k = key_of(key), u = key_of(sub);
	struct shelf_item *it = shelf_find(s, &k, &u, now);

	check(it == NULL || (it->len == sizeof(sub) &&
				memcmp(it->value, &sub, sizeof(sub)) == 0));
	return it != NULL;
}

static size_t
count(const struct shelf *s, unsigned key, uint64_t now)
{
	struct b32 k = key_of(key);
	struct shelf_item *it = NULL;
	size_t n = 0;

	while ((it = shelf_each(s, &k, it, now)) != NULL)
		n++;
	return n;
}

static void
test_shares(void **state)
{
	const struct shelf_limits max = {100, 1 << 20, 20, 30, 5, LIFE};
	struct shelf s;

	(void)state;
	shelf_init(&s, &max);
	/* a host under one key: five, the newest */
	for (unsigned i = 0; i < 50; i++)
		check(put(&s, 1, i, 1, i));
	check(s.n == 5 && count(&s, 1, 50) == 5);
	check(there(&s, 1, 49, 50) && there(&s, 1, 45, 50));
	check(!there(&s, 1, 44, 50));
	/* under many keys: thirty */
	for (unsigned i = 0; i < 200; i++)
		check(put(&s, 100 + i, 0, 1, 50));
	check(s.n == 30 && there(&s, 299, 0, 50) && !there(&s, 1, 49, 50));
	/* a key of many hosts: twenty */
	for (unsigned i = 0; i < 40; i++)
		check(put(&s, 2, i, 10 + i, 60));
	check(count(&s, 2, 60) == 20 && there(&s, 2, 39, 60));
	check(!there(&s, 2, 19, 60));
	/* one host cannot push the others of a key out */
	for (unsigned i = 100; i < 200; i++)
		check(put(&s, 2, i, 99, 61));
	check(count(&s, 2, 61) == 20 && there(&s, 2, 39, 61));
	/* all together */
	for (unsigned i = 0; i < 1000; i++)
		check(put(&s, 1000 + i, 0, 1000 + i, 70));
	check(s.n == 100 && there(&s, 1999, 0, 70) && !there(&s, 1899, 0, 70));
	shelf_deinit(&s);
}

/* A neighbour may have a quarter of everything. */
static void
test_neighbour(void **state)
{
	const struct shelf_limits max = {100, 1 << 20, 20, 5, 2, LIFE};
	const struct addr a = {4, 1, {127, 0, 0, 1}};
	struct shelf s;
	struct b32 k;

	(void)state;
	shelf_init(&s, &max);
	for (unsigned i = 0; i < 60; i++) {
		k = key_of(i);
		check(shelf_put(
		    &s, &k, NULL, &a, SHELF_NEIGHBOUR, VIEW_EMPTY, 1));
	}
	check(s.n == 26);
	shelf_deinit(&s);
}

static void
test_bytes(void **state)
{
	const struct shelf_limits max = {
	    100, 10 * (sizeof(struct shelf_item) + 1000), 1, 100, 1, LIFE};
	static uint8_t value[1000];
	struct addr a = host(1);
	struct shelf s;
	struct b32 k;

	(void)state;
	shelf_init(&s, &max);
	for (unsigned i = 0; i < 50; i++) {
		k = key_of(i);
		check(shelf_put(&s, &k, NULL, &a, SHELF_STRANGER,
		    view_of(value, sizeof(value)), 1));
		check(s.bytes <= max.bytes);
	}
	check(s.n == 10);
	/* what is there may be its own replacement's source */
	check(shelf_put(&s, &k, NULL, &a, SHELF_STRANGER,
	    view_of(shelf_find(&s, &k, NULL, 1)->value, 500), 2));
	check(s.n == 10 && shelf_find(&s, &k, NULL, 2)->len == 500);
	shelf_deinit(&s);
}

static void
test_age(void **state)
{
	const struct shelf_limits max = {100, 1 << 20, 20, 100, 20, LIFE};
	struct shelf s;

	(void)state;
	shelf_init(&s, &max);
	check(shelf_expire(&s, 5) == UINT64_MAX);
	check(put(&s, 1, 1, 1, 10) && put(&s, 2, 2, 1, 500));
	check(there(&s, 1, 1, 1009) && !there(&s, 1, 1, 1010));
	check(shelf_expire(&s, 900) == 1010 && s.n == 2);
	check(put(&s, 1, 1, 1, 901)); /* lives on */
	check(shelf_expire(&s, 1010) == 1500 && s.n == 2);
	check(shelf_expire(&s, 1500) == 1901 && s.n == 1);
	check(shelf_expire(&s, 1901) == UINT64_MAX && s.n == 0);
	shelf_deinit(&s);
}

/* -- a naive twin: what was put last for a key, without limits ------------- */

#define TWIN_KEYS 40
#define TWIN_SUBS 10

static void
test_twin(void **state)
{
	const struct shelf_limits max = {
	    100000, 1 << 30, 1000, 100000, 1000, LIFE};
	static uint64_t expires[TWIN_KEYS][TWIN_SUBS];
	unsigned seed = 12345, k, u;
	struct shelf_item *it;
	struct b32 key, sub;
	struct shelf s;

	(void)state;
	shelf_init(&s, &max);
	for (uint64_t now = 1; now < 20000; now++) {
		seed = seed * 1103515245u + 12345u;
		k = (seed >> 8) % TWIN_KEYS;
		u = (seed >> 16) % TWIN_SUBS;
		key = key_of(k);
		sub = key_of(u);
		if (seed >> 28 < 3) {
			if ((it = shelf_find(&s, &key, &sub, now)) != NULL)
				shelf_remove(&s, it);
			expires[k][u] = 0;
		} else {
			check(put(&s, k, u, (seed >> 20) % 7, now));
			expires[k][u] = now + LIFE;
		}
		k = (seed >> 12) % TWIN_KEYS;
		for (u = 0; u < TWIN_SUBS; u++)
			check(there(&s, k, u, now) == (expires[k][u] > now));
	}
	shelf_deinit(&s);
	check(s.n == 0 && s.bytes == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_shares),
	    cmocka_unit_test(test_neighbour),
	    cmocka_unit_test(test_bytes),
	    cmocka_unit_test(test_age),
	    cmocka_unit_test(test_twin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
