/*
 * noise: the two Noise handshakes of this ecosystem, as a pure machine
 * (network.md 3.3 and 4.1; noise-handshake@4.2.0, noise-curve-ed@2.1.0):
 * Noise_{IK,XX}_Ed25519_ChaChaPoly_BLAKE2b, DH on Ed25519 keys.
 *
 *	noise_new(&n, &opts, e);
 *	initiator: noise_send(n, payload, &msg, e), then noise_recv(...)
 *	responder: noise_recv(...), then noise_send(...)	(XX: one more)
 *	when noise_done(n): noise_result(n, &keys)
 *
 * A message that is wrong is ERR_VERIFY with one text, whatever was wrong, and
 * changes nothing: who reads a stream gives up, who takes datagrams from
 * anybody may wait for a better one. The whole machine lives in guarded
 * memory; keep it no longer than the handshake.
 */
#ifndef NET_NOISE_NOISE_H
#define NET_NOISE_NOISE_H

#include "base/buf.h"
#include "crypto/sign.h"

#define NOISE_PAYLOAD_MAX 1024
#define NOISE_MESSAGE_MAX (32 + 48 + NOISE_PAYLOAD_MAX + 16)

enum noise_pattern { NOISE_IK, NOISE_XX };

struct noise;

struct noise_opts {
	enum noise_pattern pattern;
	bool initiator;
	const struct sign_pair *pair;	   /* own static key pair, copied */
	const struct b32 *remote;	   /* IK initiator: the server's key */
	struct view prologue;		   /* VIEW_EMPTY: none */
	const struct sign_pair *ephemeral; /* tests only; NULL: random */
};

struct noise_keys {
	struct secret tx, rx; /* 32 bytes each */
	uint8_t hash[64];     /* handshake hash */
	struct b32 remote;    /* the other side's static key, proven */
};

NODISCARD enum err_code noise_new(
    struct noise **out, const struct noise_opts *o, struct err *e);
void noise_free(struct noise *n); /* NULL is fine; wipes */

/* The next message of ours, appended to out: at most NOISE_MESSAGE_MAX bytes.
 * ERR_VERIFY: a key of theirs cannot be used. */
NODISCARD enum err_code noise_send(
    struct noise *n, struct view payload, struct buf *out, struct err *e);
/* The next message of theirs; its payload is appended to payload. ERR_VERIFY
 * also if it is not their turn. */
NODISCARD enum err_code noise_recv(
    struct noise *n, struct view message, struct buf *payload, struct err *e);
/* Whose turn: true if the next call must be noise_send. */
bool noise_sends(const struct noise *n);
bool noise_done(const struct noise *n);
/* The other side's static key, once a message proved it; else NULL. */
const struct b32 *noise_remote(const struct noise *n);
/* Only when done. The caller frees the keys. */
NODISCARD enum err_code noise_result(
    const struct noise *n, struct noise_keys *out, struct err *e);
void noise_keys_free(struct noise_keys *k);

#endif
