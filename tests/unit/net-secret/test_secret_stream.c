/* The encrypted stream: frames of the originals, arbitrary splits, wrong
 * bytes, and the handshake in the stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "pair.h"

#define OUT_MAX (40u << 20)

static json_t *
load(json_t **noise)
{
	json_t *doc = vec_load("net/hyperdht");

	*noise = vec_at(doc, "noise");
	return doc;
}

/* What the original's initiator wrote is read here, in pieces of every
 * size. */
static void
test_vectors(void **state)
{
	json_t *noise, *doc = load(&noise);
	const json_t *v = vec_at(doc, "secretStream"), *row;
	struct err e = ERR_INIT;
	struct secret_stream *s;
	struct buf wire;
	size_t i;

	(void)state;
	buf_init(&wire, OUT_MAX);
	buf_append(&wire, vec_hex_at(v, "headerFrame"));
	json_array_foreach(vec_at(v, "frames"), i, row)
	    buf_append(&wire, vec_hex_at(row, "frame"));
	for (size_t step = 1; step <= wire.len; step++) {
		s = pair_side(noise, false, 0);
		for (size_t at = 0; at < wire.len; at += step)
			check_ok(secret_stream_recv(s,
				     view_sub(buf_view(&wire), at, step), &e),
			    &e);
		check(secret_stream_open(s));
		json_array_foreach(vec_at(v, "frames"), i,
		    row) if (vec_hex_at(row, "plaintext").len > 0)
		    pair_expect(s, vec_hex_at(row, "plaintext"));
		pair_expect_none(s);
		secret_stream_free(s);
	}
	buf_deinit(&wire);
	json_decref(doc);
}

/* Our header: length, the id that belongs to our side, 24 random bytes. */
static void
test_header(void **state)
{
	json_t *noise, *doc = load(&noise);
	struct buf out[3];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct secret_stream *s = pair_side(noise, i != 1, 0);

		buf_init(&out[i], OUT_MAX);
		pair_pending(s, &out[i]);
		pair_pending(s, &out[i]); /* once */
		check(out[i].len == 59);
		check_view_hex(view_sub(buf_view(&out[i]), 0, 3), "380000");
		check_same(view_sub(buf_view(&out[i]), 3, 32),
		    vec_hex_at(noise, i != 1 ? "streamIdSentByInitiator"
					     : "streamIdSentByResponder"));
		check(memcmp(secret_stream_hash(s),
			  vec_hex_at(noise, "handshakeHash").ptr, 64) == 0);
		check_same(view_b32(secret_stream_remote(s)),
		    vec_hex_at(
			noise, i != 1 ? "serverPublic" : "clientPublic"));
		secret_stream_free(s);
	}
	check(memcmp(out[0].data + 35, out[2].data + 35, 24) != 0);
	for (size_t i = 0; i < 3; i++)
		buf_deinit(&out[i]);
	json_decref(doc);
}

/* Both directions, sizes around everything that has a border, one byte at a
 * time for the small ones. */
static void
test_both_ways(void **state)
{
	static const size_t sizes[] = {1, 2, 17, 1000, 65535, 65536, 131072,
	    (256u << 10) - 17, (256u << 10) - 16, 600000, 0, 3u << 20};
	json_t *noise, *doc = load(&noise);
	struct secret_stream *s[2] = {
	    pair_side(noise, true, 0), pair_side(noise, false, 0)};
	struct err e = ERR_INIT;
	struct buf wire, plain;

	(void)state;
	buf_init(&wire, OUT_MAX);
	buf_init(&plain, OUT_MAX);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t from = 0; from < 2; from++) {
			struct secret_stream *to = s[1 - from];
			size_t step = i < 4 ? 1 : 9973 + i;

			buf_reset(&wire);
			buf_reset(&plain);
			buf_fill(&plain, (uint8_t)(7 * i + from), sizes[i]);
			pair_pending(s[from], &wire);
			pair_seal(s[from], buf_view(&plain), &wire);
			for (size_t at = 0; at < wire.len; at += step)
				check_ok(
				    secret_stream_recv(to,
					view_sub(buf_view(&wire), at, step),
					&e),
				    &e);
			if (sizes[i] > 0)
				pair_expect(to, buf_view(&plain));
			pair_expect_none(to);
		}
	}
	for (size_t i = 0; i < 2; i++)
		secret_stream_free(s[i]);
	buf_deinit(&wire);
	buf_deinit(&plain);
	json_decref(doc);
}

/* Many frames in one piece wait in order; nobody has to fetch them. */
static void
test_many_frames(void **state)
{
	json_t *noise, *doc = load(&noise);
	struct secret_stream *a = pair_side(noise, true, 0);
	struct secret_stream *b = pair_side(noise, false, 0);
	struct err e = ERR_INIT;
	struct buf wire;

	(void)state;
	buf_init(&wire, OUT_MAX);
	pair_pending(a, &wire);
	for (size_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < 1000; i++)
			pair_seal(a, view_of(&i, sizeof(i)), &wire);
		check_ok(secret_stream_recv(b, buf_view(&wire), &e), &e);
		for (uint32_t i = 0; i < 1000 && round < 2; i++)
			pair_expect(b, view_of(&i, sizeof(i)));
		if (round < 2)
			pair_expect_none(b);
		buf_reset(&wire);
	}
	secret_stream_free(a);
	secret_stream_free(b);
	buf_deinit(&wire);
	json_decref(doc);
}

/* Every byte of header and frames wrong in turn: an error where it is, what
 * came before stays, and nothing is taken afterwards. */
static void
test_wrong_bytes(void **state)
{
	json_t *noise, *doc = load(&noise);
	struct secret_stream *a = pair_side(noise, true, 0), *b;
	const struct view one = view_str("first"), two = view_str("second");
	struct err e = ERR_INIT;
	enum err_code rc;
	struct buf wire;

	(void)state;
	buf_init(&wire, OUT_MAX);
	pair_pending(a, &wire);
	pair_seal(a, one, &wire);
	pair_seal(a, two, &wire);
	for (size_t i = 0; i < wire.len; i++) {
		bool first = i >= 59 + SECRET_HEAD + one.len + SECRET_TAIL;
		bool length =
		    i < 35 || i - 59 < 3 || (first && i - 59 - 25 < 3);

		b = pair_side(noise, false, 1000);
		wire.data[i] ^= 0x80; /* lengths become too large */
		rc = secret_stream_recv(b, buf_view(&wire), &e);
		wire.data[i] ^= 0x80;
		if (length &&
		    rc == ERR_OK) /* a longer frame: not all is here */
			check(i == 59 || i == 59 + 25);
		else
			check(rc == (length ? ERR_FORMAT : ERR_VERIFY));
		if (first)
			pair_expect(b, one);
		pair_expect_none(b);
		if (rc != ERR_OK) {
			check(!secret_stream_open(b));
			check_code(secret_stream_recv(b, one, &e), ERR_VERIFY);
		}
		secret_stream_free(b);
	}
	secret_stream_free(a);
	buf_deinit(&wire);
	json_decref(doc);
}

/* The header must be first, of the other side, and 56 bytes long; frames
 * hold a tag and a mac and no more than agreed. */
static void
test_wrong_lengths(void **state)
{
	static const struct {
		const char *bytes;
		bool opened;
	} rows[] = {
	    {"000000", false},
	    {"370000", false},
	    {"390000", false},
	    {"380001", false},
	    {"000000", true},
	    {"100000", true},
	    {"fa0300", true}, /* 1001 + 17 */
	    {"ffffff", true},
	};
	json_t *noise, *doc = load(&noise);
	struct secret_stream *a = pair_side(noise, true, 0), *b;
	struct err e = ERR_INIT;
	struct buf header;

	(void)state;
	buf_init(&header, OUT_MAX);
	pair_pending(a, &header);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		b = pair_side(noise, false, 1000);
		if (rows[i].opened)
			check_ok(
			    secret_stream_recv(b, buf_view(&header), &e), &e);
		check_code(secret_stream_recv(b, vec_hex(rows[i].bytes), &e),
		    ERR_FORMAT);
		secret_stream_free(b);
	}
	/* our own header, sent back */
	check_code(secret_stream_recv(a, buf_view(&header), &e), ERR_FORMAT);
	secret_stream_free(a);
	buf_deinit(&header);
	json_decref(doc);
}

/* -- the handshake in the stream ------------------------------------------ */

struct raw {
	struct sign_pair key[2];
	struct secret_stream *s[2];
};

static void
raw_open(struct raw *r, const struct b32 *expect0, const struct b32 *expect1)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < 2; i++) {
		const struct b32 seed = {{(uint8_t)(i + 1)}};
		struct secret_stream_opts o = {.initiator = i == 0,
		    .pair = &r->key[i],
		    .expect = i == 0 ? expect0 : expect1};

		check_ok(sign_pair_seed(&r->key[i], &seed, &e), &e);
		check_ok(secret_stream_new(&r->s[i], &o, &e), &e);
		check(!secret_stream_ready(r->s[i]));
		check(secret_stream_hash(r->s[i]) == NULL);
	}
}

static void
raw_close(struct raw *r)
{
	for (size_t i = 0; i < 2; i++) {
		secret_stream_free(r->s[i]);
		sign_pair_free(&r->key[i]);
	}
}

/* Back and forth until nobody has anything to say, or one gives up. */
static enum err_code
raw_talk(struct raw *r, size_t step, struct err *e)
{
	enum err_code rc = ERR_OK;
	struct buf out;
	size_t quiet = 0;

	buf_init(&out, OUT_MAX);
	for (size_t from = 0; rc == ERR_OK && quiet < 2; from = 1 - from) {
		buf_reset(&out);
		pair_pending(r->s[from], &out);
		quiet = out.len == 0 ? quiet + 1 : 0;
		for (size_t at = 0; rc == ERR_OK && at < out.len; at += step)
			rc = secret_stream_recv(r->s[1 - from],
			    view_sub(buf_view(&out), at, step), e);
	}
	buf_deinit(&out);
	return rc;
}

static void
test_handshake(void **state)
{
	struct err e = ERR_INIT;
	struct buf wire;
	struct raw r;

	(void)state;
	for (size_t step = 1; step < 200; step += 11) {
		raw_open(&r, NULL, NULL);
		check_ok(raw_talk(&r, step, &e), &e);
		for (size_t i = 0; i < 2; i++) {
			check(secret_stream_open(r.s[i]));
			check(b32_eq(
			    secret_stream_remote(r.s[i]), &r.key[1 - i].pub));
		}
		check(memcmp(secret_stream_hash(r.s[0]),
			  secret_stream_hash(r.s[1]), 64) == 0);
		buf_init(&wire, OUT_MAX);
		pair_seal(r.s[0], view_str("hello"), &wire);
		check_ok(secret_stream_recv(r.s[1], buf_view(&wire), &e), &e);
		pair_expect(r.s[1], view_str("hello"));
		buf_deinit(&wire);
		raw_close(&r);
	}
}

static void
test_expected_key(void **state)
{
	struct err e = ERR_INIT;
	struct sign_pair key[2];
	struct raw r;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct b32 seed = {{(uint8_t)(i + 1)}};

		check_ok(sign_pair_seed(&key[i], &seed, &e), &e);
	}
	raw_open(&r, &key[1].pub, &key[0].pub);
	check_ok(raw_talk(&r, 50, &e), &e);
	check(secret_stream_open(r.s[0]) && secret_stream_open(r.s[1]));
	raw_close(&r);
	/* each side in turn meets somebody it did not ask for; the initiator
	 * says nothing more, the responder does not begin */
	for (size_t i = 0; i < 2; i++) {
		raw_open(&r, i == 0 ? &key[0].pub : NULL,
		    i == 1 ? &key[1].pub : NULL);
		check_code(raw_talk(&r, 50, &e), ERR_VERIFY);
		check(!secret_stream_ready(r.s[1]));
		check(secret_stream_ready(r.s[0]) == (i == 1));
		raw_close(&r);
	}
	for (size_t i = 0; i < 2; i++)
		sign_pair_free(&key[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_header),
	    cmocka_unit_test(test_both_ways),
	    cmocka_unit_test(test_many_frames),
	    cmocka_unit_test(test_wrong_bytes),
	    cmocka_unit_test(test_wrong_lengths),
	    cmocka_unit_test(test_handshake),
	    cmocka_unit_test(test_expected_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
