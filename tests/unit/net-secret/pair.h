/* Two ends of a connection whose handshake was made elsewhere, and a pump
 * that moves bytes between them in pieces. */
#ifndef TESTS_SECRET_PAIR_H
#define TESTS_SECRET_PAIR_H

#include <stdlib.h>
#include <string.h>

#include "net/secret/secret_stream.h"
#include "support/vec.h"

/* The keys of net/hyperdht.json, for one of the two sides. */
static inline void
pair_keys(struct noise_keys *k, const json_t *noise, bool initiator)
{
	const char *tx = initiator ? "initiatorTx" : "initiatorRx";
	const char *rx = initiator ? "initiatorRx" : "initiatorTx";
	struct err e = ERR_INIT;

	check_ok(secret_copy(&k->tx, vec_hex_at(noise, tx), &e), &e);
	check_ok(secret_copy(&k->rx, vec_hex_at(noise, rx), &e), &e);
	memcpy(k->hash, vec_hex_at(noise, "handshakeHash").ptr, 64);
	vec_b32_at(
	    noise, initiator ? "serverPublic" : "clientPublic", &k->remote);
}

static inline struct secret_stream *
pair_side(const json_t *noise, bool initiator, uint32_t plain_max)
{
	struct secret_stream_opts o = {
	    .initiator = initiator, .plain_max = plain_max};
	struct secret_stream *s;
	struct noise_keys k;
	struct err e = ERR_INIT;

	pair_keys(&k, noise, initiator);
	o.keys = &k;
	check_ok(secret_stream_new(&s, &o, &e), &e);
	noise_keys_free(&k);
	check(secret_stream_ready(s) && !secret_stream_open(s));
	return s;
}

static inline void
pair_pending(struct secret_stream *s, struct buf *out)
{
	struct err e = ERR_INIT;

	check_ok(secret_stream_pending(s, out, &e), &e);
}

static inline void
pair_seal(struct secret_stream *s, struct view plain, struct buf *out)
{
	uint8_t *p = buf_extend(out, SECRET_HEAD + plain.len + SECRET_TAIL);

	check(p != NULL);
	if (plain.len > 0)
		memcpy(p + SECRET_HEAD, plain.ptr, plain.len);
	check(secret_stream_seal(s, p, plain.len) ==
	      SECRET_HEAD + plain.len + SECRET_TAIL);
}

/* The next frame must be this one. */
static inline void
pair_expect(struct secret_stream *s, struct view plain)
{
	struct secret_frame f;

	check(secret_stream_next(s, &f));
	check_same(view_of(f.data + f.head, f.len), plain);
	secret_stream_frame_free(&f);
}

static inline void
pair_expect_none(struct secret_stream *s)
{
	struct secret_frame f;

	check(!secret_stream_next(s, &f));
}

#endif
