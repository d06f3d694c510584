/*
 * relay_message: what is said on the channel of a blind relay (network.md
 * 3.9; blind-relay@1.6.1). Pure. The decoder is total; bytes behind a whole
 * message and unknown flags are ignored, as the original does.
 *
 *	u8 flags (1 initiator) | token 32 | uint stream id | uint seq
 */
#ifndef NET_RELAY_RELAY_MESSAGE_H
#define NET_RELAY_RELAY_MESSAGE_H

#include "base/buf.h"
#include "codec/dec.h"

#define RELAY_PROTOCOL "blind-relay"
#define RELAY_PAIR 0 /* type of the message */

/* From a peer: its stream. From the relay: the stream of the relay's own that
 * is for this peer. */
struct relay_pair {
	bool initiator; /* of the two, the one that proposed the relay */
	struct b32 token;
	uint32_t id;
	uint64_t seq;
};

NODISCARD bool relay_message_pair_decode(struct relay_pair *out, struct view v);
void relay_message_pair_encode(struct buf *b, const struct relay_pair *p);

#endif
