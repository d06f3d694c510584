/*
 * message: the packets of dht-rpc (network.md 2.1; dht-rpc@6.27.0).
 *
 *	request  03 | flags | tid u16 | to | [id 32] | [token 32] |
 *		 uint command | [target 32] | [value]
 *	reply    13 | flags | tid u16 | to | [id 32] | [token 32] |
 *		 [closer nodes] | [uint error] | [value]
 *
 * Decoding copies nothing: views point into the packet. Bytes behind a whole
 * message and unknown flags are ignored, as the original does.
 */
#ifndef NET_RPC_MESSAGE_H
#define NET_RPC_MESSAGE_H

#include "base/addr.h"
#include "base/buf.h"
#include "codec/dec.h"

#define RPC_PACKET_MAX 1472
#define RPC_ADDR_LEN 6 /* four bytes of IPv4, port u16 */

enum rpc_internal { /* commands with the internal flag */
	RPC_PING,
	RPC_PING_NAT,
	RPC_FIND_NODE,
	RPC_DOWN_HINT,
	RPC_DELAYED_PING
};

enum rpc_error { RPC_OK, RPC_UNKNOWN_COMMAND, RPC_INVALID_TOKEN };

struct rpc_message {
	bool reply;
	uint16_t tid;
	struct addr to; /* where the sender sends it */
	bool has_id, has_token;
	struct b32 id, token;
	/* a request's */
	bool internal, has_target;
	uint64_t command;
	struct b32 target;
	/* a reply's */
	struct view closer; /* RPC_ADDR_LEN bytes each */
	uint64_t error;
	/* empty: none (the two cannot be told apart) */
	struct view value;
};

/* Is it a packet of this protocol version, by its first byte? */
bool rpc_peek(struct view packet);
/* False: drop the packet. out borrows from it. */
NODISCARD bool rpc_decode(struct rpc_message *out, struct view packet);
/* Appends; failures are the buffer's. */
void rpc_encode(struct buf *b, const struct rpc_message *m);

/* An IPv4 address and a port; what is no IPv4 address becomes zeros. */
void rpc_addr_put(struct buf *b, const struct addr *a);
void rpc_addr_get(struct dec *d, struct addr *out);
/* The i-th of a view of addresses, such as closer; i < len / RPC_ADDR_LEN. */
void rpc_addr_at(struct view list, size_t i, struct addr *out);

/* The id of the node at an address. */
void rpc_node_id(struct b32 *out, const struct addr *a);
/* Has m an id, and is it that of its source? Others count as none. */
bool rpc_id_valid(const struct rpc_message *m, const struct addr *from);

#endif
