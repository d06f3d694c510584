/* scrypt against the key files of signing.json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "crypto/scrypt.h"
#include "support/vec.h"

#define CHEAP 32768

static void
test_vectors(void **state)
{
	json_t *vectors = vec_load("signing");
	struct err e = ERR_INIT;
	struct secret got;
	struct b32 salt;
	size_t n = 0;
	json_t *row;
	size_t i;

	(void)state;
	json_array_foreach(vec_at(vectors, "keyFiles"), i, row)
	{
		if (vec_num(row, "ops") != CHEAP)
			continue; /* a gigabyte: test_keyfile does one */
		vec_b32_at(row, "salt", &salt);
		check_ok(
		    scrypt_derive(&got, 104, view_str(vec_str(row, "password")),
			&salt, vec_num(row, "ops"), vec_num(row, "mem"), &e),
		    &e);
		check_same(secret_view(&got), vec_hex_at(row, "kdf"));
		secret_free(&got);
		n++;
	}
	check(n == 4);
	json_decref(vectors);
}

/* Every input matters, also that there is none, or a NUL in it. */
static void
test_inputs(void **state)
{
	static const struct {
		const char *password;
		size_t len;
		uint8_t salt;
		uint64_t ops, mem;
	} table[] = {
	    {"", 0, 0, CHEAP, 1 << 20},
	    {NULL, 0, 1, CHEAP, 1 << 20},
	    {"a", 1, 0, CHEAP, 1 << 20},
	    {"a\0b", 3, 0, CHEAP, 1 << 20},
	    {"a\0c", 3, 0, CHEAP, 1 << 20},
	    {"a", 1, 0, CHEAP * 4, 4 << 20},
	    {"a", 1, 0, CHEAP * 4, 1 << 20},
	};
	const size_t rows = sizeof(table) / sizeof(table[0]);
	struct secret got[sizeof(table) / sizeof(table[0])];
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < rows; i++) {
		struct b32 salt;

		memset(&salt, table[i].salt, sizeof(salt));
		check_ok(scrypt_derive(&got[i], 32,
			     view_of(table[i].password, table[i].len), &salt,
			     table[i].ops, table[i].mem, &e),
		    &e);
		check(got[i].len == 32);
		for (size_t k = 0; k < i; k++)
			check(!view_eq(
			    secret_view(&got[i]), secret_view(&got[k])));
	}
	for (size_t i = 0; i < rows; i++)
		secret_free(&got[i]);
}

/* A longer key begins with the shorter one; costs below the least are it. */
static void
test_lengths(void **state)
{
	struct secret a, b;
	struct err e = ERR_INIT;
	struct b32 salt;

	(void)state;
	memset(&salt, 7, sizeof(salt));
	check_ok(scrypt_derive(&a, 16, view_str("x"), &salt, CHEAP, 0, &e), &e);
	check_ok(scrypt_derive(&b, 104, view_str("x"), &salt, 0, 0, &e), &e);
	check_same(secret_view(&a), view_sub(secret_view(&b), 0, 16));
	secret_free(&a);
	secret_free(&b);
}

static void
test_no_memory(void **state)
{
	struct secret got = {NULL, 0};
	struct err e = ERR_INIT;
	struct b32 salt;

	(void)state;
	memset(&salt, 7, sizeof(salt));
	check_code(scrypt_derive(&got, 32, view_str("x"), &salt,
		       UINT64_C(1) << 62, (uint64_t)SIZE_MAX / 2, &e),
	    ERR_NOMEM);
	check(got.ptr == NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_inputs),
	    cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
