/* Tokens: the original's, how long they are good, and for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "net/rpc/tokens.h"
#include "support/vec.h"

static const struct addr host = {4, 1000, {10, 1, 2, 3}};

static void
tokens_new(struct tokens *t, uint64_t now)
{
	json_t *doc = vec_load("net/dht-rpc");
	const json_t *s = vec_at(vec_at(doc, "encodings"), "tokenSecrets");
	struct b32 secret[2];

	for (size_t i = 0; i < 2; i++) {
		const char *hex = json_string_value(json_array_get(s, i));
		struct view v = vec_hex(hex);

		check(v.len == 32);
		for (size_t j = 0; j < 32; j++)
			secret[i].b[j] = v.ptr[j];
	}
	tokens_init(t, &secret[0], &secret[1], now);
	json_decref(doc);
}

static void
test_original(void **state)
{
	json_t *doc = vec_load("net/dht-rpc");
	const json_t *v = vec_at(vec_at(doc, "encodings"), "token");
	struct addr other_port = host;
	struct tokens t;
	struct b32 got;

	(void)state;
	tokens_new(&t, 0);
	tokens_make(&t, &host, 0, &got);
	check_same(view_b32(&got), vec_hex_at(v, "token"));
	other_port.port = 1; /* of a host, not of a port */
	check(tokens_right(&t, &other_port, &got, 0));
	tokens_deinit(&t);
	json_decref(doc);
}

/* Made and shown at these times, in periods of 7.5 s. */
static void
test_life(void **state)
{
	static const struct {
		double made, shown;
		bool right;
	} rows[] = {
	    {0, 0, true},
	    {0, 0.99, true},
	    {0, 1, true},
	    {0, 1.99, true},
	    {0, 2, false},
	    {0.99, 1.99, true},
	    {0.99, 2, false},
	    {1, 2.99, true},
	    {1, 3, false},
	    {0, 3, false},
	    {0, 1000, false}, /* a long sleep */
	    {999.9, 1000, true},
	    {5, 7, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t made = (uint64_t)(rows[i].made * TOKENS_PERIOD_US);
		uint64_t shown = (uint64_t)(rows[i].shown * TOKENS_PERIOD_US);
		struct tokens t;
		struct b32 x;

		tokens_new(&t, 0);
		tokens_make(&t, &host, made, &x);
		check(tokens_right(&t, &host, &x, shown) == rows[i].right);
		tokens_deinit(&t);
	}
}

static void
test_wrong(void **state)
{
	struct addr other = {4, 1000, {10, 1, 2, 4}};
	struct b32 x, y;
	struct tokens t;

	(void)state;
	tokens_new(&t, 0);
	tokens_make(&t, &host, 0, &x);
	tokens_make(&t, &other, 0, &y);
	check(!b32_eq(&x, &y) && !tokens_right(&t, &other, &x, 0));
	for (size_t i = 0; i < 32; i++) {
		x.b[i] ^= 1;
		check(!tokens_right(&t, &host, &x, 0));
		x.b[i] ^= 1;
	}
	check(tokens_right(&t, &host, &x, 0));
	tokens_deinit(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_original),
	    cmocka_unit_test(test_life),
	    cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
