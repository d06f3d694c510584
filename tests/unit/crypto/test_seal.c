/* Sealed secrets: round trip, layout, every byte matters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "crypto/seal.h"
#include "support/vec.h"

#define HEAD 65
#define TAG 16

static struct secret password, other;

static int
setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	check_ok(secret_copy(&password, view_str("correct horse"), &e), &e);
	check_ok(secret_copy(&other, view_str("correct horsf"), &e), &e);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	secret_free(&password);
	secret_free(&other);
	return 0;
}

static void
make(struct buf *b, struct view plain)
{
	struct err e = ERR_INIT;

	buf_init(b, 2u << 20);
	check_ok(seal_make(b, plain, view_str("key v1"), &password,
		     SEAL_COST_TEST, &e),
	    &e);
}

static void
test_round_trip(void **state)
{
	static uint8_t big[1u << 20];
	const struct view plains[] = {view_str("x"), view_str("a primary key"),
	    view_of(big, sizeof(big))};
	struct err e = ERR_INIT;
	struct secret got;
	struct buf b;

	(void)state;
	memset(big, 0x5a, sizeof(big));
	for (size_t i = 0; i < 3; i++) {
		make(&b, plains[i]);
		check(b.len == HEAD + plains[i].len + TAG);
		check_ok(seal_open(&got, buf_view(&b), view_str("key v1"),
			     &password, &e),
		    &e);
		check_same(secret_view(&got), plains[i]);
		secret_free(&got);
		buf_deinit(&b);
	}
}

/* The byte table of the header, and fresh salt and nonce every time. */
static void
test_layout(void **state)
{
	struct buf a, b;

	(void)state;
	make(&a, view_str("secret"));
	make(&b, view_str("secret"));
	check_view_hex(view_sub(buf_view(&a), 0, 25), "504541525345414c01"
						      "0100000000000000"
						      "0000010000000000");
	check_same(
	    view_sub(buf_view(&a), 0, 25), view_sub(buf_view(&b), 0, 25));
	check(memcmp(a.data + 25, b.data + 25, 16) != 0);
	check(memcmp(a.data + 41, b.data + 41, 24) != 0);
	check(memcmp(a.data + HEAD, b.data + HEAD, 6) != 0);
	buf_deinit(&a);
	buf_deinit(&b);
}

static void
test_wrong_password_or_context(void **state)
{
	struct secret got = {NULL, 0};
	struct err e = ERR_INIT;
	struct buf b;

	(void)state;
	make(&b, view_str("secret"));
	check_code(
	    seal_open(&got, buf_view(&b), view_str("key v1"), &other, &e),
	    ERR_VERIFY);
	check_code(
	    seal_open(&got, buf_view(&b), view_str("key v2"), &password, &e),
	    ERR_VERIFY);
	check_code(seal_open(&got, buf_view(&b), VIEW_EMPTY, &password, &e),
	    ERR_VERIFY);
	check(got.ptr == NULL);
	buf_deinit(&b);
}

static void
test_any_changed_byte(void **state)
{
	struct secret got = {NULL, 0};
	struct err e = ERR_INIT;
	struct buf b;

	(void)state;
	make(&b, view_str("secret"));
	for (size_t i = 0; i < b.len; i++) {
		enum err_code want =
		    i == 8 ? ERR_VERSION
		    : i < 8 || (i >= 10 && i < 17) || (i >= 20 && i < 25)
			? ERR_FORMAT
			: ERR_VERIFY;

		b.data[i] ^= i == 9 ? 2 : 0x80;
		check_code(seal_open(&got, buf_view(&b), view_str("key v1"),
			       &password, &e),
		    want);
		b.data[i] ^= i == 9 ? 2 : 0x80;
	}
	check(got.ptr == NULL);
	buf_deinit(&b);
}

static void
test_cut_short(void **state)
{
	struct secret got = {NULL, 0};
	struct err e = ERR_INIT;
	struct buf b;

	(void)state;
	make(&b, view_str("secret"));
	for (size_t n = 0; n < b.len; n++)
		check_code(seal_open(&got, view_of(b.data, n),
			       view_str("key v1"), &password, &e),
		    n <= HEAD + TAG ? ERR_FORMAT : ERR_VERIFY);
	check(got.ptr == NULL);
	buf_deinit(&b);
}

/* A file must not be able to ask for hours or for all memory. */
static void
test_absurd_costs(void **state)
{
	static const struct {
		size_t at;
		const char *bytes;
	} table[] = {
	    {9, "0000000000000000"},
	    {9, "1100000000000000"},
	    {9, "ffffffffffffffff"},
	    {17, "0000000000000000"},
	    {17, "ff1f000000000000"},
	    {17, "0100004000000000"},
	    {17, "0000000001000000"},
	    {17, "ffffffffffffffff"},
	};
	struct secret got = {NULL, 0};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct buf b;

		make(&b, view_str("secret"));
		memcpy(b.data + table[i].at, vec_hex(table[i].bytes).ptr, 8);
		check_code(seal_open(&got, buf_view(&b), view_str("key v1"),
			       &password, &e),
		    ERR_FORMAT);
		check(strstr(e.msg, "absurd costs") != NULL);
		buf_deinit(&b);
	}
}

static void
test_limits_when_making(void **state)
{
	static uint8_t big[(1u << 20) + 1];
	struct err e = ERR_INIT;
	struct buf b;

	(void)state;
	buf_init(&b, 2u << 20);
	check_code(seal_make(&b, VIEW_EMPTY, VIEW_EMPTY, &password,
		       SEAL_COST_TEST, &e),
	    ERR_LIMIT);
	check_code(seal_make(&b, view_of(big, sizeof(big)), VIEW_EMPTY,
		       &password, SEAL_COST_TEST, &e),
	    ERR_LIMIT);
	check_code(seal_make(&b, view_str("x"), view_of(big, 4097), &password,
		       SEAL_COST_TEST, &e),
	    ERR_LIMIT);
	check(b.len == 0);
	buf_deinit(&b);
	buf_init(&b, HEAD + TAG); /* no room for the plain byte */
	check_code(seal_make(&b, view_str("x"), VIEW_EMPTY, &password,
		       SEAL_COST_TEST, &e),
	    ERR_LIMIT);
	buf_deinit(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_layout),
	    cmocka_unit_test(test_wrong_password_or_context),
	    cmocka_unit_test(test_any_changed_byte),
	    cmocka_unit_test(test_cut_short),
	    cmocka_unit_test(test_absurd_costs),
	    cmocka_unit_test(test_limits_when_making),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
