/*
 * message: what HyperDHT nodes say (network.md 3.2, 3.3, 3.8;
 * hyperdht@6.34.0 lib/messages.js): the values of PEER_HANDSHAKE and
 * PEER_HOLEPUNCH packets, the payload of the two Noise messages in the former,
 * and the records that persistent nodes keep.
 *
 * Decoding copies nothing: views point into the input. Bytes behind a whole
 * message and unknown flags are ignored, as the original does. Lists of
 * addresses are views of RPC_ADDR_LEN bytes each (see rpc_addr_at), unless
 * they say otherwise.
 */
#ifndef NET_DHT_MESSAGE_H
#define NET_DHT_MESSAGE_H

#include "net/rpc/message.h"

enum dht_command { /* values of rpc_message.command, and of namespaces */
	DHT_PEER_HANDSHAKE,
	DHT_PEER_HOLEPUNCH,
	DHT_FIND_PEER,
	DHT_LOOKUP,
	DHT_ANNOUNCE,
	DHT_UNANNOUNCE,
	DHT_MUTABLE_PUT,
	DHT_MUTABLE_GET,
	DHT_IMMUTABLE_PUT,
	DHT_IMMUTABLE_GET,
	DHT_PLUGIN
};

enum dht_mode {
	DHT_FROM_CLIENT,
	DHT_FROM_SERVER,
	DHT_FROM_RELAY,
	DHT_FROM_SECOND_RELAY,
	DHT_REPLY
};

enum dht_firewall {
	DHT_FIREWALL_UNKNOWN,
	DHT_FIREWALL_OPEN,
	DHT_FIREWALL_CONSISTENT,
	DHT_FIREWALL_RANDOM
};

enum dht_error {
	DHT_ERROR_NONE,
	DHT_ERROR_ABORTED,
	DHT_ERROR_VERSION_MISMATCH,
	DHT_ERROR_TRY_LATER
};

/* The namespace of a command: what its signatures and secrets begin with. */
void dht_namespace(struct b32 *out, enum dht_command c);

struct dht_handshake {
	uint64_t mode;		 /* enum dht_mode, or newer */
	struct view noise;	 /* empty: none */
	struct addr peer, relay; /* family 0: none */
};

NODISCARD bool dht_handshake_decode(struct dht_handshake *out, struct view v);
void dht_handshake_encode(struct buf *b, const struct dht_handshake *h);

#define DHT_VERSION 1
#define DHT_RELAY_INFO_LEN (2 * RPC_ADDR_LEN) /* relay, then peer */
#define DHT_ADDR6_LEN 18

struct dht_payload {
	uint64_t version; /* another one: nothing else is set */
	uint64_t error;	  /* enum dht_error, or newer */
	uint64_t firewall;
	bool has_holepunch, has_udx, has_secret_stream, has_relay_through;
	bool has_relay_addresses;
	struct {
		uint64_t id;
		struct view relays; /* DHT_RELAY_INFO_LEN each */
	} holepunch;
	struct view addresses4;
	struct view addresses6; /* DHT_ADDR6_LEN each */
	struct {
		uint64_t version;
		bool reusable;
		uint32_t id;
		uint64_t seq;
	} udx;
	uint64_t secret_stream; /* version */
	struct {
		uint64_t version;
		struct b32 key, token;
	} relay_through;
	struct view relay_addresses;
};

NODISCARD bool dht_payload_decode(struct dht_payload *out, struct view v);
/* version is DHT_VERSION, as are those of the parts. */
void dht_payload_encode(struct buf *b, const struct dht_payload *p);

struct dht_holepunch {
	uint64_t mode; /* enum dht_mode, or newer */
	uint64_t id;   /* of the handshake, at the server */
	struct view payload;
	struct addr peer; /* family 0: none */
};

NODISCARD bool dht_holepunch_decode(struct dht_holepunch *out, struct view v);
void dht_holepunch_encode(struct buf *b, const struct dht_holepunch *h);

/* Errors of replies (rpc_message.error), beside enum rpc_error. */
enum dht_store_error { DHT_SEQ_REUSED = 16, DHT_SEQ_TOO_LOW = 17 };

/* -- records (message_record.c) ------------------------------------------- */

#define DHT_SIGNATURE_LEN 64
#define DHT_SIGNABLE_LEN 64
/* more than a packet holds */
#define DHT_LOOKUP_MAX (RPC_PACKET_MAX / 33)

struct dht_peer_record {
	struct b32 key;
	struct view relays; /* RPC_ADDR_LEN each */
};

NODISCARD bool dht_peer_record_decode(
    struct dht_peer_record *out, struct view v);
void dht_peer_record_encode(struct buf *b, const struct dht_peer_record *p);

struct dht_announce { /* of ANNOUNCE and UNANNOUNCE */
	bool has_peer, has_refresh, has_signature;
	struct dht_peer_record peer;
	struct b32 refresh;
	struct view signature;
	uint64_t bump; /* milliseconds of the wall clock; 0: none */
};

NODISCARD bool dht_announce_decode(struct dht_announce *out, struct view v);
void dht_announce_encode(struct buf *b, const struct dht_announce *a);
/* What its signature is over; c: DHT_ANNOUNCE or DHT_UNANNOUNCE, id and token
 * those of the node that will store it. */
void dht_announce_signable(uint8_t out[static DHT_SIGNABLE_LEN],
    enum dht_command c, const struct b32 *target, const struct b32 *id,
    const struct b32 *token, const struct dht_announce *a);

struct dht_lookup {
	size_t n;
	struct dht_peer_record peer[DHT_LOOKUP_MAX];
	uint64_t bump;
};

NODISCARD bool dht_lookup_decode(struct dht_lookup *out, struct view v);
/* n records as dht_peer_record_encode() made them, one behind the other. */
void dht_lookup_encode(
    struct buf *b, size_t n, struct view records, uint64_t bump);

struct dht_mutable { /* key: in MUTABLE_PUT only */
	struct b32 key;
	uint64_t seq;
	struct view value, signature;
};

NODISCARD bool dht_mutable_put_decode(struct dht_mutable *out, struct view v);
void dht_mutable_put_encode(struct buf *b, const struct dht_mutable *m);
NODISCARD bool dht_mutable_decode(struct dht_mutable *out, struct view v);
void dht_mutable_encode(struct buf *b, const struct dht_mutable *m);
void dht_mutable_signable(
    uint8_t out[static DHT_SIGNABLE_LEN], uint64_t seq, struct view value);

#endif
