/* BLAKE2b-512, HMAC and HKDF: RFC 7693, and the steps of the handshake in
 * net/hyperdht.json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/hash512.h"
#include "support/vec.h"

static void
test_blake2b(void **state)
{
	static const struct {
		const char *a, *b, *hash;
	} rows[] = {
	    {"", "",
		"786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f"
		"5419d25e1031afee585313896444934eb04b903a685b1448b755d56f701a"
		"fe9be2ce"},
	    {"a", "bc",
		"ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbff"
		"a2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386ed"
		"d4009923"},
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint8_t out[HASH512_LEN];
		const struct view v[2] = {
		    view_str(rows[i].a), view_str(rows[i].b)};

		hash512_batch(out, v, 2);
		check_view_hex(view_of(out, sizeof(out)), rows[i].hash);
	}
}

/* Every mixKey of the transcript: ck' and k out of ck and the DH; every
 * mixHash: h' = H(h || input). */
static void
test_transcript(void **state)
{
	json_t *v = vec_load("net/hyperdht");
	const json_t *noise = vec_at(v, "noise"), *step;
	const json_t *initial = vec_at(noise, "initial");
	uint8_t ck[64], h[64], out[128];
	size_t i, keys = 0, hashes = 0;

	(void)state;
	memcpy(ck, vec_hex_at(initial, "ck").ptr, 64);
	memcpy(h, vec_hex_at(initial, "hAfterInitialise").ptr, 64);
	json_array_foreach(vec_at(noise, "steps"), i, step)
	{
		if (i == 5) /* the same message, as the responder sees it */
			break;
		if (strcmp(vec_str(step, "op"), "mixKey") == 0) {
			hash512_hkdf(out, ck, vec_hex_at(step, "dh"));
			check_view_hex(view_of(out, 64), vec_str(step, "ck"));
			check_view_hex(
			    view_of(out + 64, 32), vec_str(step, "k"));
			memcpy(ck, out, 64);
			keys++;
		} else {
			const char *in =
			    strcmp(vec_str(step, "op"), "mixHash") == 0
				? "input"
				: "ciphertext";
			const struct view parts[2] = {
			    {h, 64}, vec_hex_at(step, in)};

			hash512_batch(h, parts, 2); /* in place */
			check_view_hex(view_of(h, 64), vec_str(step, "h"));
			hashes++;
		}
	}
	check(keys == 2 && hashes == 3);
	json_decref(v);
}

/* The keyed form with a key of 64 bytes, and HMAC's key length is kept. */
static void
test_keyed(void **state)
{
	json_t *v = vec_load("net/hyperdht");
	const json_t *noise = vec_at(v, "noise");
	struct view hash = vec_hex_at(noise, "handshakeHash");
	struct view ns = vec_hex_at(
	    vec_at(vec_at(v, "namespaces"), "hyperswarmDht"), "PEER_HOLEPUNCH");
	uint8_t a[64], b[64], pad[HASH512_BLOCK] = {1, 2};
	const struct view cut[2] = {view_sub(ns, 0, 5), view_sub(ns, 5, 27)};
	struct b32 out;

	(void)state;
	hash_keyed64_batch(&out, hash.ptr, cut, 2);
	check_same(view_b32(&out), vec_hex_at(noise, "holepunchSecret"));
	/* zeros behind a short key change nothing, another byte does */
	hash512_hmac(a, view_of(pad, 2), &ns, 1);
	hash512_hmac(b, view_of(pad, HASH512_BLOCK), cut, 2);
	check(memcmp(a, b, 64) == 0);
	pad[HASH512_BLOCK - 1] = 1;
	hash512_hmac(b, view_of(pad, HASH512_BLOCK), &ns, 1);
	check(memcmp(a, b, 64) != 0);
	hash512_hmac(b, VIEW_EMPTY, NULL, 0);
	check(memcmp(a, b, 64) != 0);
	json_decref(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_blake2b),
	    cmocka_unit_test(test_transcript),
	    cmocka_unit_test(test_keyed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
