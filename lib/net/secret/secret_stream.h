/*
 * secret_stream: encrypted frames over a byte stream, as a pure machine
 * (network.md section 4; @hyperswarm/secret-stream@6.9.2).
 *
 * Either the keys come from a handshake made elsewhere (HyperDHT), or the
 * stream runs Noise XX itself in its first frames (raw streams).
 *
 *	secret_stream_new(&s, &opts, e);
 *	bytes to write: secret_stream_pending() whenever it may have changed
 *	bytes that came: secret_stream_recv(s, v, e), then
 *	while (secret_stream_next(s, &frame)) ...	// whole plaintexts
 *
 * Frames own their memory and are made to be passed on without a copy: a
 * plaintext to seal has SECRET_HEAD free bytes before it and is encrypted in
 * place; a frame that was received is decrypted in place. No plaintext is
 * handed out before its tag was checked. Any wrong byte ends the stream:
 * ERR_VERIFY (does not authenticate), ERR_FORMAT (header, lengths).
 */
#ifndef NET_SECRET_SECRET_STREAM_H
#define NET_SECRET_SECRET_STREAM_H

#include "net/noise/noise.h"

#define SECRET_HEAD 4  /* u24 length and the tag byte */
#define SECRET_TAIL 16 /* mac */
#define SECRET_PLAIN_MAX ((1u << 24) - 1 - 17)

/* A malloc'ed buffer: bytes [head, head + len) of data are the content. */
struct secret_frame {
	uint8_t *data;
	size_t head, len;
};
void secret_stream_frame_free(struct secret_frame *f);

struct secret_stream;

struct secret_stream_opts {
	bool initiator;
	const struct noise_keys *keys; /* NULL: Noise XX on the stream */
	const struct sign_pair *pair;  /* XX: own static key pair */
	const struct b32 *expect;      /* XX: refuse any other; NULL: any */
	/* largest plaintext taken from the other side; 0: SECRET_PLAIN_MAX.
	 * Memory for a frame grows with the bytes that came, not with the
	 * length it claims. */
	uint32_t plain_max;
};

NODISCARD enum err_code secret_stream_new(struct secret_stream **out,
    const struct secret_stream_opts *o, struct err *e);
void secret_stream_free(struct secret_stream *s); /* NULL is fine; wipes */

/* Handshake and header bytes to write before anything else, appended to out
 * (empty most of the time). */
NODISCARD enum err_code secret_stream_pending(
    struct secret_stream *s, struct buf *out, struct err *e);
NODISCARD enum err_code secret_stream_recv(
    struct secret_stream *s, struct view bytes, struct err *e);
/* The next whole plaintext; the caller frees it. Empty ones (keepalive) are
 * not handed out. */
bool secret_stream_next(struct secret_stream *s, struct secret_frame *out);
/* Handshake finished: sealing is possible. */
bool secret_stream_ready(const struct secret_stream *s);
/* The other side's header came and was right. */
bool secret_stream_open(const struct secret_stream *s);
const struct b32 *secret_stream_remote(const struct secret_stream *s);
/* 64 bytes; NULL before it is ready. */
const uint8_t *secret_stream_hash(const struct secret_stream *s);

/* Encrypt in place: the plaintext is [SECRET_HEAD, SECRET_HEAD + plain) of
 * data, with SECRET_TAIL free bytes behind it. Returns how many bytes from
 * data on go on the wire: SECRET_HEAD + plain + SECRET_TAIL. */
size_t secret_stream_seal(struct secret_stream *s, uint8_t *data, size_t plain);
/* The frame of a keepalive (empty plaintext): SECRET_HEAD + SECRET_TAIL. */
#define SECRET_EMPTY (SECRET_HEAD + SECRET_TAIL)

/* Unordered messages (network.md 4.3): counter || secretbox, each under its
 * direction's key. out gets 8 + 16 more bytes; open: false if it is not one. */
NODISCARD enum err_code secret_stream_seal_message(
    struct secret_stream *s, struct view plain, struct buf *out, struct err *e);
bool secret_stream_open_message(
    struct secret_stream *s, struct view message, struct buf *plain);

#endif
