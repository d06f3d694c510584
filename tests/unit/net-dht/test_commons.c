/* What all connections of a node share, and its bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "duo.h"
#include "net/dht/commons.h"

static void
test_keys(void **state)
{
	struct commons *r = commons_new();
	struct addr a[5], out[DHT_RELAYS_MAX];
	struct b32 key = {{0}}, first = {{0}};

	(void)state;
	check(r != NULL);
	for (size_t i = 0; i < 5; i++)
		a[i] = duo_addr("1.2.3.4:5");
	check(commons_recall(r, &first, out) == 0);
	commons_remember(r, &first, a, 5);
	check(commons_recall(r, &first, out) == DHT_RELAYS_MAX);
	commons_remember(r, &first, a, 1);
	check(commons_recall(r, &first, out) == 1);
	check(addr_eq(&out[0], &a[0]));
	/* the one not used for longest goes */
	for (unsigned i = 1; i < COMMONS_KEYS; i++) {
		key.b[0] = (uint8_t)i;
		commons_remember(r, &key, a, 2);
	}
	check(commons_recall(r, &first, out) == 1);
	key.b[1] = 1;
	commons_remember(r, &key, a, 3);
	check(commons_recall(r, &first, out) == 1);
	key = (struct b32){{1}};
	check(commons_recall(r, &key, out) == 0);
	key.b[0] = 2;
	check(commons_recall(r, &key, out) == 2);
	commons_free(r);
}

static size_t opened;

static uint32_t
on_open(void *ctx)
{
	(void)ctx;
	return (uint32_t)(10 + opened++);
}

static void
on_close(void *ctx, uint32_t sock)
{
	(void)ctx, (void)sock;
	opened--;
}

static void
test_sockets(void **state)
{
	const struct dht_env none = {0};
	const struct dht_env env = {
	    .socket_open = on_open, .socket_close = on_close};
	struct commons *r = commons_new();

	(void)state;
	check(commons_open(r, &none) == DHT_NO_SOCK);
	for (size_t i = 0; i < COMMONS_SOCKETS; i++)
		check(commons_open(r, &env) == 10 + i);
	check(commons_open(r, &env) == DHT_NO_SOCK);
	check(opened == COMMONS_SOCKETS);
	commons_close(r, &env, 10);
	check(opened == COMMONS_SOCKETS - 1);
	check(commons_open(r, &env) != DHT_NO_SOCK);
	/* one that a stream has is not one of ours */
	commons_let_go(r);
	check(commons_open(r, &env) != DHT_NO_SOCK);
	check(opened == COMMONS_SOCKETS + 1);
	commons_free(r);
}

static void
test_random(void **state)
{
	struct commons *r = commons_new();

	(void)state;
	check(commons_random_take(r, 5));
	check(!commons_random_take(r, 5 + 100 * SECOND));
	commons_random_give(r, 7);
	check(!commons_random_take(r, 6 + COMMONS_RANDOM_REST_US));
	check(commons_random_take(r, 7 + COMMONS_RANDOM_REST_US));
	commons_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_keys),
	    cmocka_unit_test(test_sockets),
	    cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
