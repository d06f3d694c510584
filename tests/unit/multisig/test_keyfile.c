/* Key files against signing.json, and files of strangers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "multisig/keyfile.h"
#include "support/vec.h"

#define PASSWORD "correct horse battery"

static json_t *vectors;
static struct secret password, wrong;

static int
setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	vectors = vec_load("signing");
	check_ok(secret_copy(&password, view_str(PASSWORD), &e), &e);
	check_ok(secret_copy(&wrong, view_str(PASSWORD "!"), &e), &e);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	secret_free(&password);
	secret_free(&wrong);
	json_decref(vectors);
	return 0;
}

static json_t *
row_of(size_t i)
{
	json_t *row = json_array_get(vec_at(vectors, "keyFiles"), i);

	check(row != NULL);
	return row;
}

static void
load(struct keyfile *k, size_t i)
{
	struct err e = ERR_INIT;

	check_ok(keyfile_decode(k, vec_hex_at(row_of(i), "file"), &e), &e);
}

/* Both forms decode to the same, and encode to the same bytes again. */
static void
test_both_forms(void **state)
{
	struct err e = ERR_INIT;
	struct keyfile a, b;
	struct buf out;
	json_t *row;
	size_t i;

	(void)state;
	json_array_foreach(vec_at(vectors, "keyFiles"), i, row)
	{
		load(&a, i);
		check_ok(
		    keyfile_decode(&b, view_str(vec_str(row, "fileZ32")), &e),
		    &e);
		check(a.version == vec_num(row, "version"));
		check(a.ops == vec_num(row, "ops"));
		check(a.mem == vec_num(row, "mem"));
		check(a.has_pub == (a.version == 1));
		if (a.has_pub)
			check_same(
			    view_b32(&a.pub), vec_hex_at(row, "publicKey"));
		buf_init(&out, 256);
		keyfile_encode(&out, &a);
		check_same(buf_view(&out), vec_hex_at(row, "file"));
		buf_reset(&out);
		keyfile_encode(&out, &b);
		check_same(buf_view(&out), vec_hex_at(row, "file"));
		buf_deinit(&out);
	}
	check(i == 5);
}

static void
open_row(size_t i)
{
	json_t *row = row_of(i);
	struct err e = ERR_INIT;
	struct sign_pair pair;
	uint8_t id[8];
	struct keyfile k;

	load(&k, i);
	check_ok(keyfile_open(&pair, id, &k, &password, &e), &e);
	check_same(view_of(id, 8), vec_hex_at(row, "id"));
	check_same(view_b32(&pair.pub), vec_hex_at(row, "publicKey"));
	check_same(secret_view(&pair.sec), vec_hex_at(row, "secretKey"));
	sign_pair_free(&pair);
}

static void
test_open(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++)
		open_row(i);
}

/* What people really have: a gigabyte and some seconds. */
static void
test_open_at_full_cost(void **state)
{
	(void)state;
	check(vec_num(row_of(4), "ops") == KEYFILE_OPS_MAX);
	check(vec_num(row_of(4), "mem") == KEYFILE_MEM_MAX);
	open_row(4);
}

static void
test_wrong_password(void **state)
{
	struct sign_pair pair = {.sec = {NULL, 0}};
	const struct secret none = {NULL, 0};
	struct err e = ERR_INIT;
	struct keyfile k;

	(void)state;
	load(&k, 0);
	check_code(keyfile_open(&pair, NULL, &k, &wrong, &e), ERR_VERIFY);
	assert_string_equal(e.msg, "Key decryption failed");
	check_code(keyfile_open(&pair, NULL, &k, &none, &e), ERR_VERIFY);
	check(pair.sec.ptr == NULL);
}

/* Any changed byte of salt and payload is seen, and the public key's. */
static void
test_changed_bytes(void **state)
{
	static const size_t at[] = {
	    17, 48, 50, 57, 58, 121, 122, 153, 154, 185};
	struct sign_pair pair = {.sec = {NULL, 0}};
	struct err e = ERR_INIT;
	struct keyfile k;
	uint8_t file[186];

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		memcpy(file, vec_hex_at(row_of(0), "file").ptr, sizeof(file));
		file[at[i]] ^= 1;
		check_ok(
		    keyfile_decode(&k, view_of(file, sizeof(file)), &e), &e);
		check_code(keyfile_open(&pair, NULL, &k, &password, &e),
		    at[i] < 154 ? ERR_VERIFY : ERR_CORRUPT);
	}
	check(pair.sec.ptr == NULL);
}

/* A right password over halves that are no pair: made by XOR, since the
 * checksum is over what is inside. */
static void
test_halves_of_two_pairs(void **state)
{
	struct sign_pair pair, other;
	struct err e = ERR_INIT;
	const uint8_t id[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct keyfile k;
	struct b32 seed;

	(void)state;
	memset(&seed, 1, sizeof(seed));
	check_ok(sign_pair_seed(&pair, &seed, &e), &e);
	memset(&seed, 2, sizeof(seed));
	check_ok(sign_pair_seed(&other, &seed, &e), &e);
	memcpy(pair.sec.ptr + 32, other.pub.b, 32);
	check_ok(
	    keyfile_make(&k, &pair, id, &password, KEYFILE_COST_TEST, &e), &e);
	sign_pair_free(&pair);
	check_code(keyfile_open(&pair, NULL, &k, &password, &e), ERR_CORRUPT);
	sign_pair_free(&other);
}

static void
test_make(void **state)
{
	const uint8_t id[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct sign_pair pair, got;
	struct err e = ERR_INIT;
	struct keyfile k, again;
	uint8_t got_id[8];
	struct b32 seed;
	struct buf b;

	(void)state;
	memset(&seed, 9, sizeof(seed));
	check_ok(sign_pair_seed(&pair, &seed, &e), &e);
	check_ok(
	    keyfile_make(&k, &pair, id, &password, KEYFILE_COST_TEST, &e), &e);
	check_ok(
	    keyfile_make(&again, &pair, id, &password, KEYFILE_COST_TEST, &e),
	    &e);
	check(k.version == 1 && k.has_pub && b32_eq(&k.pub, &pair.pub));
	check(!b32_eq(&k.salt, &again.salt));
	check(memcmp(k.payload, again.payload, sizeof(k.payload)) != 0);
	buf_init(&b, 256);
	keyfile_encode(&b, &k);
	check(b.len == 186);
	check_ok(keyfile_decode(&again, buf_view(&b), &e), &e);
	check_ok(keyfile_open(&got, got_id, &again, &password, &e), &e);
	check_same(view_of(got_id, 8), view_of(id, 8));
	check_same(secret_view(&got.sec), secret_view(&pair.sec));
	sign_pair_free(&got);
	sign_pair_free(&pair);
	buf_deinit(&b);
}

/* -- files of strangers ----------------------------------------------------- */

static void
refuse(struct view file, enum err_code code, const char *text)
{
	struct err e = ERR_INIT;
	struct keyfile k;

	check_code(keyfile_decode(&k, file, &e), code);
	check(strncmp(e.msg, text, strlen(text)) == 0);
}

static void
test_text_around(void **state)
{
	static const struct {
		const char *before, *after;
		bool ok;
	} table[] = {
	    {"", "", true},
	    {"", "\n", true},
	    {"", "\r\n", true},
	    {"", "\n\n", false},
	    {"", " ", false},
	    {" ", "", false},
	    {"", "y", false},
	    {"", "=", false},
	};
	const char *text = vec_str(row_of(0), "fileZ32");
	struct err e = ERR_INIT;
	struct keyfile k;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct buf b;

		buf_init(&b, 512);
		buf_printf(&b, "%s%s%s", table[i].before, text, table[i].after);
		if (table[i].ok)
			check_ok(keyfile_decode(&k, buf_view(&b), &e), &e);
		else
			refuse(buf_view(&b), ERR_FORMAT, "Invalid key");
		buf_deinit(&b);
	}
}

static void
test_every_length(void **state)
{
	uint8_t file[KEYFILE_TEXT_MAX + 1] = {0};
	struct view whole = vec_hex_at(row_of(0), "file");

	(void)state;
	memcpy(file, whole.ptr, whole.len);
	for (size_t n = 0; n <= KEYFILE_TEXT_MAX; n++)
		if (n != whole.len)
			refuse(view_of(file, n), ERR_FORMAT, "Invalid key");
	refuse(view_of(file, sizeof(file)), ERR_LIMIT, "Invalid key: longer");
}

/* The checks of a header: versions, costs above the cap, payload lengths. */
static void
test_header(void **state)
{
	static const struct {
		size_t at;
		const char *bytes;
		enum err_code code;
		const char *text;
	} table[] = {
	    {0, "00", ERR_FORMAT, "Invalid key"},
	    {0, "02", ERR_VERSION, "Key version not supported, please update"},
	    {0, "1f", ERR_VERSION, "Key version not supported, please update"},
	    {0, "79", ERR_FORMAT, "Invalid key"}, /* a text of one letter */
	    {1, "0000000200000000", ERR_OK, ""},
	    {1, "0100000200000000", ERR_FORMAT, "Invalid key: its password"},
	    {1, "0000000000000010", ERR_FORMAT, "Invalid key: its password"},
	    {9, "0000004000000000", ERR_OK, ""},
	    {9, "0100004000000000", ERR_FORMAT, "Invalid key: its password"},
	    {9, "0000000000000010", ERR_FORMAT, "Invalid key: its password"},
	    {9, "ffffffffffffffff", ERR_FORMAT, "Invalid key: its password"},
	    {49, "67", ERR_FORMAT, "Invalid key"},
	    {49, "69", ERR_FORMAT, "Invalid key"},
	    {49, "fd6800", ERR_FORMAT, "Invalid key"},
	    {49, "ff", ERR_FORMAT, "Invalid key"},
	};
	struct err e = ERR_INIT;
	struct keyfile k;
	uint8_t file[186];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct view with = vec_hex(table[i].bytes);
		struct view v = view_of(file, sizeof(file));

		memcpy(file, vec_hex_at(row_of(0), "file").ptr, sizeof(file));
		memcpy(file + table[i].at, with.ptr, with.len);
		if (table[i].code == ERR_OK)
			check_ok(keyfile_decode(&k, v, &e), &e);
		else
			refuse(v, table[i].code, table[i].text);
	}
}

/* Costs are checked again before hashing, whoever filled in the struct. */
static void
test_costs_before_hashing(void **state)
{
	struct sign_pair pair = {.sec = {NULL, 0}};
	struct err e = ERR_INIT;
	struct keyfile k;

	(void)state;
	load(&k, 0);
	k.mem = UINT64_C(1) << 60;
	check_code(keyfile_open(&pair, NULL, &k, &password, &e), ERR_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_both_forms),
	    cmocka_unit_test(test_open),
	    cmocka_unit_test(test_open_at_full_cost),
	    cmocka_unit_test(test_wrong_password),
	    cmocka_unit_test(test_changed_bytes),
	    cmocka_unit_test(test_halves_of_two_pairs),
	    cmocka_unit_test(test_make),
	    cmocka_unit_test(test_text_around),
	    cmocka_unit_test(test_every_length),
	    cmocka_unit_test(test_header),
	    cmocka_unit_test(test_costs_before_hashing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
