/* Unordered messages: one of the originals, and ours both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "pair.h"

static void
test_vector(void **state)
{
	json_t *doc = vec_load("net/hyperdht");
	const json_t *noise = vec_at(doc, "noise");
	const json_t *v = vec_at(vec_at(doc, "secretStream"), "unordered");
	struct secret_stream *to = pair_side(noise, false, 0);
	struct secret_stream *from = pair_side(noise, true, 0);
	struct view message = vec_hex_at(v, "message");
	uint8_t bad[64];
	struct buf plain;

	(void)state;
	buf_init(&plain, 1000);
	check(secret_stream_open_message(to, message, &plain));
	check_same(buf_view(&plain), view_str(vec_str(v, "plaintext")));
	/* not by the side that sent it; not cut; not changed */
	check(!secret_stream_open_message(from, message, &plain));
	memcpy(bad, message.ptr, message.len);
	for (size_t i = 0; i < message.len; i++) {
		check(!secret_stream_open_message(to, view_of(bad, i), &plain));
		bad[i] ^= 1;
		check(!secret_stream_open_message(
		    to, view_of(bad, message.len), &plain));
		bad[i] ^= 1;
	}
	check_same(buf_view(&plain), view_str(vec_str(v, "plaintext")));
	secret_stream_free(to);
	secret_stream_free(from);
	buf_deinit(&plain);
	json_decref(doc);
}

/* Any order, each counter once. */
static void
test_both_ways(void **state)
{
	json_t *doc = vec_load("net/hyperdht");
	const json_t *noise = vec_at(doc, "noise");
	struct secret_stream *s[2] = {
	    pair_side(noise, true, 0), pair_side(noise, false, 0)};
	struct buf m[300], plain;
	struct err e = ERR_INIT;

	(void)state;
	buf_init(&plain, 1000);
	for (size_t from = 0; from < 2; from++) {
		for (size_t i = 0; i < 300; i++) {
			buf_init(&m[i], 1000);
			check_ok(secret_stream_seal_message(
				     s[from], view_of(&i, i % 9), &m[i], &e),
			    &e);
			check(m[i].len == 24 + i % 9);
		}
		for (size_t i = 300; i-- > 0;) {
			buf_reset(&plain);
			check(secret_stream_open_message(
			    s[1 - from], buf_view(&m[i]), &plain));
			check_same(buf_view(&plain), view_of(&i, i % 9));
			if (i > 0)
				check(memcmp(m[i].data, m[i - 1].data, 8) != 0);
		}
		for (size_t i = 0; i < 300; i++)
			buf_deinit(&m[i]);
	}
	buf_deinit(&plain);
	secret_stream_free(s[0]);
	secret_stream_free(s[1]);
	json_decref(doc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vector),
	    cmocka_unit_test(test_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
