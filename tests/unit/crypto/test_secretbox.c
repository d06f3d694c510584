/* Secretbox: the hole punch box and the message of net/hyperdht.json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "crypto/secretbox.h"
#include "support/vec.h"

static void
test_boxes(void **state)
{
	json_t *doc = vec_load("net/hyperdht");
	const json_t *v = vec_at(doc, "holepunchBox");
	struct view key = vec_hex_at(v, "secret");
	struct view nonce = vec_hex_at(v, "nonce");
	struct view plain = vec_hex_at(v, "plain");
	struct view all = vec_hex_at(v, "box");
	struct view box = view_sub(all, SECRETBOX_NONCE, all.len);
	uint8_t out[128], bad[128];

	(void)state;
	check_same(view_sub(all, 0, SECRETBOX_NONCE), nonce);
	secretbox_seal(out, plain, nonce.ptr, key.ptr);
	check_same(view_of(out, plain.len + SECRETBOX_MAC), box);
	memcpy(bad, box.ptr, box.len);
	check(secretbox_open(out, box, nonce.ptr, key.ptr));
	check_same(view_of(out, plain.len), plain);
	for (size_t i = 0; i < box.len; i++) {
		bad[i] ^= 1;
		check(!secretbox_open(
		    out, view_of(bad, box.len), nonce.ptr, key.ptr));
		bad[i] ^= 1;
		check(
		    !secretbox_open(out, view_of(bad, i), nonce.ptr, key.ptr));
	}
	check(!secretbox_open(out, box, nonce.ptr, nonce.ptr));
	json_decref(doc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_boxes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
