/*
 * message: what HyperDHT nodes say to connect (network.md 3.3;
 * hyperdht@6.34.0 lib/messages.js): the value of PEER_HANDSHAKE packets, and
 * the payload of the two Noise messages in them.
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

#endif
