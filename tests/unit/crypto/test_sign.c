/* Ed25519 pairs and the corestore derivation: crypto.json, keys.json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "crypto/sign.h"
#include "support/vec.h"

static void
pair_of(struct sign_pair *p, const json_t *row)
{
	struct err e = ERR_INIT;
	struct b32 seed;

	vec_b32_at(row, "seed", &seed);
	check_ok(sign_pair_seed(p, &seed, &e), &e);
}

static void
test_pairs_from_seeds(void **state)
{
	json_t *vectors = vec_load("crypto"), *row;
	struct sign_pair p;
	size_t i;

	(void)state;
	json_array_foreach(vec_at(vectors, "keyPairs"), i, row)
	{
		pair_of(&p, row);
		check_same(view_b32(&p.pub), vec_hex_at(row, "publicKey"));
		check_same(secret_view(&p.sec), vec_hex_at(row, "secretKey"));
		check(sign_pair_valid(&p));
		sign_pair_free(&p);
	}
	check(i == 4);
	json_decref(vectors);
}

/* Each half of a pair, damaged in each byte, is noticed. */
static void
test_damaged_pairs(void **state)
{
	json_t *vectors = vec_load("crypto");
	json_t *row = json_array_get(vec_at(vectors, "keyPairs"), 0);
	struct err e = ERR_INIT;
	struct sign_pair p, q;

	(void)state;
	pair_of(&p, row);
	for (size_t i = 0; i < 64; i++) {
		p.sec.ptr[i] ^= 0x10;
		check(!sign_pair_valid(&p));
		p.sec.ptr[i] ^= 0x10;
	}
	p.pub.b[31] ^= 1;
	check(!sign_pair_valid(&p));
	p.pub.b[31] ^= 1;
	check_ok(sign_pair_copy(&q, &p, &e), &e);
	check(q.sec.ptr != p.sec.ptr && sign_pair_valid(&q));
	sign_pair_free(&q);
	sign_pair_free(&p);
	check(!sign_pair_valid(&p)); /* the public part alone */
	check_ok(sign_pair_copy(&q, &p, &e), &e);
	check(q.sec.ptr == NULL && b32_eq(&q.pub, &p.pub));
	sign_pair_free(&q);
	json_decref(vectors);
}

static void
test_sign_and_verify(void **state)
{
	json_t *vectors = vec_load("crypto");
	json_t *pairs = vec_at(vectors, "keyPairs");
	struct view msg = view_str("release 1.2.3");
	uint8_t sig[SIGN_LEN], again[SIGN_LEN];
	struct sign_pair p, other;

	(void)state;
	pair_of(&p, json_array_get(pairs, 0));
	pair_of(&other, json_array_get(pairs, 1));
	sign_make(sig, msg, &p);
	sign_make(again, msg, &p);
	check(memcmp(sig, again, SIGN_LEN) == 0);
	check(sign_verify(view_of(sig, SIGN_LEN), msg, &p.pub));
	check(!sign_verify(view_of(sig, SIGN_LEN), msg, &other.pub));
	check(!sign_verify(
	    view_of(sig, SIGN_LEN), view_str("release 1.2.4"), &p.pub));
	for (size_t len = 0; len < SIGN_LEN; len++)
		check(!sign_verify(view_of(sig, len), msg, &p.pub));
	for (size_t i = 0; i < SIGN_LEN; i++) {
		sig[i] ^= 4;
		check(!sign_verify(view_of(sig, SIGN_LEN), msg, &p.pub));
		sig[i] ^= 4;
	}
	sign_pair_free(&p);
	sign_pair_free(&other);
	json_decref(vectors);
}

static void
test_derived_names(void **state)
{
	json_t *keys = vec_load("keys"), *row;
	struct err e = ERR_INIT;
	struct secret primary;
	size_t i;

	(void)state;
	check_ok(secret_copy(&primary, vec_hex_at(keys, "primaryKey"), &e), &e);
	json_array_foreach(vec_at(keys, "names"), i, row)
	{
		struct sign_pair p;
		struct b32 ns;

		vec_b32_at(row, "namespace", &ns);
		check_ok(sign_pair_derive(&p, &primary, &ns,
			     view_str(vec_str(row, "name")), &e),
		    &e);
		check_same(view_b32(&p.pub), vec_hex_at(row, "publicKey"));
		check_same(secret_view(&p.sec), vec_hex_at(row, "secretKey"));
		sign_pair_free(&p);
	}
	check(i == 16);
	secret_free(&primary);
	json_decref(keys);
}

static void
test_namespace_of_a_name(void **state)
{
	json_t *keys = vec_load("keys"), *row;
	const struct b32 root = {{0}};
	struct b32 ns, want;
	size_t i, found = 0;

	(void)state;
	sign_namespace(&ns, &root, view_str("a"));
	json_array_foreach(vec_at(keys, "names"), i, row)
	{
		vec_b32_at(row, "namespace", &want);
		found += b32_eq(&ns, &want);
	}
	check(found > 0);
	json_decref(keys);
}

/* Keys that people type: not every 32 bytes are a point to trust. */
static void
test_public_keys(void **state)
{
	static const struct {
		const char *hex;
		bool valid;
	} table[] = {
	    {"8a88e3dd7409f195fd52db2d3cba5d72"
	     "ca6709bf1d94121bf3748801b40f6f5c",
		true},
	    {"00000000000000000000000000000000" /* small order */
	     "00000000000000000000000000000000",
		false},
	    {"01000000000000000000000000000000" /* the neutral element */
	     "00000000000000000000000000000000",
		false},
	    {"02000000000000000000000000000000" /* not on the curve */
	     "00000000000000000000000000000000",
		false},
	    {"ffffffffffffffffffffffffffffffff" /* not canonical */
	     "ffffffffffffffffffffffffffffff7f",
		false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct b32 pub;

		memcpy(pub.b, vec_hex(table[i].hex).ptr, 32);
		check(sign_public_valid(&pub) == table[i].valid);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pairs_from_seeds),
	    cmocka_unit_test(test_damaged_pairs),
	    cmocka_unit_test(test_sign_and_verify),
	    cmocka_unit_test(test_derived_names),
	    cmocka_unit_test(test_namespace_of_a_name),
	    cmocka_unit_test(test_public_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
