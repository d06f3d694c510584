/* ChaCha20-Poly1305 with a counter: the boxes of net/hyperdht.json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "crypto/aead.h"
#include "support/vec.h"

/* Each encryptAndHash comes after the mixKey that made its key; its
 * additional data is the h of the step before. */
static void
test_transcript(void **state)
{
	json_t *v = vec_load("net/hyperdht");
	const json_t *noise = vec_at(v, "noise"), *step;
	const char *key = NULL, *h = NULL;
	uint8_t out[128], back[128];
	size_t i, boxes = 0;

	(void)state;
	json_array_foreach(vec_at(noise, "steps"), i, step)
	{
		struct view plain, box;

		if (strcmp(vec_str(step, "op"), "mixKey") == 0)
			key = vec_str(step, "k");
		if (strcmp(vec_str(step, "op"), "encryptAndHash") == 0) {
			plain = vec_hex_at(step, "plaintext");
			box = vec_hex_at(step, "ciphertext");
			aead_seal(out, vec_hex(key).ptr, 0, vec_hex(h), plain);
			check_same(view_of(out, plain.len + AEAD_MAC), box);
			check(aead_open(
			    back, vec_hex(key).ptr, 0, vec_hex(h), box));
			check_same(view_of(back, plain.len), plain);
			boxes++;
		}
		if (json_object_get(step, "h") != NULL)
			h = vec_str(step, "h");
	}
	check(boxes == 3);
	json_decref(v);
}

/* RFC 8439 2.8.2 has another constant in its nonce; the counter is what
 * matters here: each gives another box, and only its own opens it. */
static void
test_counter_and_damage(void **state)
{
	const uint8_t key[AEAD_KEY] = {1}, other[AEAD_KEY] = {2};
	const uint64_t counters[] = {
	    0, 1, 255, 256, UINT64_C(1) << 32, UINT64_MAX};
	const struct view ad = view_str("ad"), plain = view_str("text");
	uint8_t box[6][4 + AEAD_MAC], back[4];

	(void)state;
	for (size_t i = 0; i < 6; i++)
		aead_seal(box[i], key, counters[i], ad, plain);
	for (size_t i = 0; i < 6; i++)
		for (size_t j = 0; j < 6; j++)
			check(aead_open(back, key, counters[j], ad,
				  view_of(box[i], sizeof(box[i]))) == (i == j));
	check(!aead_open(back, other, 0, ad, view_of(box[0], 20)));
	check(!aead_open(back, key, 0, plain, view_of(box[0], 20)));
	for (size_t i = 0; i < 20; i++) {
		check(!aead_open(back, key, 0, ad, view_of(box[0], i)));
		box[0][i] ^= 0x40;
		check(!aead_open(back, key, 0, ad, view_of(box[0], 20)));
		box[0][i] ^= 0x40;
	}
	/* in place, and nothing at all */
	memcpy(box[1], "text", 4);
	aead_seal(box[1], key, 0, ad, view_of(box[1], 4));
	check(memcmp(box[0], box[1], 20) == 0);
	aead_seal(box[2], key, 9, ad, VIEW_EMPTY);
	check(aead_open(back, key, 9, ad, view_of(box[2], AEAD_MAC)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_transcript),
	    cmocka_unit_test(test_counter_and_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
