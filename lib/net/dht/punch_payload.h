/*
 * punch_payload: what the two ends of a hole punch tell each other through
 * the relays (network.md 3.8; hyperdht@6.34.0 lib/secure-payload.js): a
 * secretbox under the hole punch secret of their handshake.
 *
 *	nonce 24 | mac 16 | flags error firewall round [addresses] [remote
 *	address] [token] [remote token], encrypted
 *
 * Pure. Lists of addresses are cut to PUNCH_ADDRS_MAX, because every one of
 * them is an address that the other side makes us send to.
 */
#ifndef NET_DHT_PUNCH_PAYLOAD_H
#define NET_DHT_PUNCH_PAYLOAD_H

#include "base/buf.h"
#include "crypto/secret.h"
#include "net/dht/message.h"

#define PUNCH_ADDRS_MAX 4
#define PUNCH_BOX_MAX 256 /* of our own */

struct punch_payload {
	bool connected, punching;
	uint64_t error;	   /* enum dht_error, or newer */
	uint64_t firewall; /* enum dht_firewall, or newer */
	uint64_t round;
	bool has_addresses; /* even none of them may be told */
	struct addr address[PUNCH_ADDRS_MAX];
	size_t naddresses;
	struct addr remote; /* family 0: none */
	bool has_token, has_remote_token;
	struct b32 token, remote_token;
};

void punch_payload_encode(struct buf *b, const struct punch_payload *p);
NODISCARD bool punch_payload_decode(struct punch_payload *out, struct view v);

/* The secret of a handshake, from its hash. */
NODISCARD enum err_code punch_payload_secret(
    struct secret *out, const uint8_t hash[static 64], struct err *e);
/* Append the box of p. */
void punch_payload_seal(
    struct buf *b, const struct punch_payload *p, const struct secret *secret);
/* False: not from the other end of this handshake, or broken. */
NODISCARD bool punch_payload_open(
    struct punch_payload *out, struct view box, const struct secret *secret);

#endif
