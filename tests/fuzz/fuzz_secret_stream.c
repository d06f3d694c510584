/*
 * An encrypted stream in pieces, with one wrong place. Input: flags, four
 * bytes of where and what is wrong, a step, then two bytes for each frame's
 * length. Frames that ended before the wrong byte arrive, exactly; nothing
 * else ever does. With flag 1 the input is what a stranger sends instead.
 */
#include <string.h>

#include "codec/dec.h"
#include "net/secret/secret_stream.h"
#include "support/vec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FRAMES 64
#define WIRE_MAX (1u << 20)
#define WIRE_ENOUGH (150u << 10)
#define HEADER 59

enum { STRANGER = 1, SPEAKS_NOISE = 2, BIG = 4, SMALL_MAX = 8 };

static struct secret_stream *
stream_of(bool initiator, uint8_t flags)
{
	struct secret_stream_opts o = {
	    .initiator = initiator, .plain_max = flags & SMALL_MAX ? 300 : 0};
	const struct b32 seed = {{initiator}};
	uint8_t key[2][32] = {{1}, {2}};
	struct secret_stream *s;
	struct sign_pair pair;
	struct noise_keys k = {0};
	struct err e = ERR_INIT;

	check_ok(sign_pair_seed(&pair, &seed, &e), &e);
	check_ok(secret_copy(&k.tx, view_of(key[initiator], 32), &e), &e);
	check_ok(secret_copy(&k.rx, view_of(key[!initiator], 32), &e), &e);
	k.remote = pair.pub;
	o.pair = &pair;
	o.keys = flags & SPEAKS_NOISE ? NULL : &k;
	check_ok(secret_stream_new(&s, &o, &e), &e);
	noise_keys_free(&k);
	sign_pair_free(&pair);
	return s;
}

/* Whatever a stranger says: no frame, and a reason to end it. */
static void
stranger(struct view bytes, uint8_t flags, size_t step)
{
	struct secret_stream *s = stream_of(flags & BIG, flags);
	struct err e = ERR_INIT;
	struct secret_frame f;
	enum err_code rc = ERR_OK;
	struct buf out;

	buf_init(&out, 100000);
	for (size_t at = 0; rc == ERR_OK && at < bytes.len; at += step)
		rc = secret_stream_recv(s, view_sub(bytes, at, step), &e);
	check(rc == ERR_OK || rc == ERR_VERIFY || rc == ERR_FORMAT);
	check(!secret_stream_next(s, &f));
	check_ok(secret_stream_pending(s, &out, &e), &e);
	if (rc != ERR_OK) {
		check(e.msg[0] != '\0' && !secret_stream_open(s));
		check_code(
		    secret_stream_recv(s, view_str("x"), &e), ERR_VERIFY);
	}
	buf_deinit(&out);
	secret_stream_free(s);
}

/* Frames of the lengths that d says; where each one ends. */
static size_t
write_frames(struct secret_stream *s, struct dec *d, uint8_t flags,
    struct buf *wire, size_t len[FRAMES], size_t end[FRAMES])
{
	struct err e = ERR_INIT;
	size_t n = 0;

	check_ok(secret_stream_pending(s, wire, &e), &e);
	check(wire->len == HEADER);
	while (n < FRAMES && dec_left(d) >= 2 && wire->len < WIRE_ENOUGH) {
		size_t plain = dec_u16le(d);
		uint8_t *p;

		if ((flags & BIG) != 0 && n == 0)
			plain *= 5;
		p = buf_extend(wire, SECRET_HEAD + plain + SECRET_TAIL);
		check(p != NULL);
		memset(p + SECRET_HEAD, (int)n, plain);
		check(secret_stream_seal(s, p, plain) ==
		      SECRET_HEAD + plain + SECRET_TAIL);
		len[n] = plain;
		end[n++] = wire->len;
	}
	return n;
}

/* Everything that comes out is the next frame, byte for byte. */
static size_t
read_frames(
    struct secret_stream *s, const size_t len[FRAMES], size_t n, size_t at)
{
	struct secret_frame f;

	while (secret_stream_next(s, &f)) {
		while (at < n && len[at] == 0)
			at++; /* keepalives are not handed out */
		check(at < n && f.len == len[at]);
		for (size_t i = 0; i < f.len; i++)
			check(f.data[f.head + i] == at);
		secret_stream_frame_free(&f);
		at++;
	}
	return at;
}

static void
conversation(struct dec *d, uint8_t flags, size_t where, uint8_t x, size_t step)
{
	struct secret_stream *a = stream_of(true, 0);
	struct secret_stream *b = stream_of(false, flags & SMALL_MAX);
	size_t len[FRAMES], end[FRAMES], n, got = 0, whole = 0;
	struct err e = ERR_INIT;
	enum err_code rc = ERR_OK;
	struct buf wire;

	buf_init(&wire, WIRE_MAX);
	n = write_frames(a, d, flags, &wire, len, end);
	where %= wire.len + 1; /* the last one: nothing is wrong */
	if (where == wire.len || x == 0)
		where = wire.len;
	else
		wire.data[where] ^= x;
	for (size_t at = 0; rc == ERR_OK && at < wire.len; at += step) {
		rc = secret_stream_recv(
		    b, view_sub(buf_view(&wire), at, step), &e);
		got = read_frames(b, len, n, got);
	}
	while (whole < n && end[whole] <= where &&
	       ((flags & SMALL_MAX) == 0 || len[whole] <= 300))
		whole++;
	while (whole > 0 && got < whole && len[whole - 1] == 0)
		whole--;
	check(got == whole);
	check(rc == ERR_OK || rc == ERR_VERIFY || rc == ERR_FORMAT);
	if (where == wire.len && (flags & SMALL_MAX) == 0)
		check(rc == ERR_OK && secret_stream_open(b));
	buf_deinit(&wire);
	secret_stream_free(a);
	secret_stream_free(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dec d;
	uint8_t flags, x;
	size_t where, step;

	dec_init(&d, view_of(data, size));
	flags = dec_u8(&d);
	where = dec_u8(&d);
	where |= (size_t)dec_u16le(&d) << 8;
	x = dec_u8(&d);
	step = 1 + (size_t)dec_u16le(&d);
	if (!dec_ok(&d))
		return 0;
	if ((flags & STRANGER) != 0)
		stranger(dec_rest(&d), flags, step);
	else
		conversation(&d, flags, where, x, step < 16 ? 16 : step);
	return 0;
}
