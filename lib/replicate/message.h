/*
 * message: the ten messages of a replication channel, and the handshake it
 * opens with (network.md 6.1; hypercore@11.37.1 lib/messages.js). Pure.
 *
 * Decoders are total and bounded. Bytes behind the known fields are ignored,
 * as the reference ignores them, so that newer peers may append. Views
 * borrow from the input. Encoders append to a buffer, whose failure is
 * sticky.
 */
#ifndef REPLICATE_MESSAGE_H
#define REPLICATE_MESSAGE_H

#include "codec/dec.h"
#include "codec/enc.h"
#include "core/proof.h"

#define MESSAGE_BLOCK_MAX (16u << 20)
#define MESSAGE_NAME_MAX 256 /* of an extension */

enum message_type {
	MESSAGE_SYNC,
	MESSAGE_REQUEST,
	MESSAGE_CANCEL,
	MESSAGE_DATA,
	MESSAGE_NO_DATA,
	MESSAGE_WANT,
	MESSAGE_UNWANT,
	MESSAGE_BITFIELD,
	MESSAGE_RANGE,
	MESSAGE_EXTENSION,
	MESSAGE_TYPES
};

struct message_handshake {
	bool seeks;
	struct b32 capability;
};

struct message_sync {
	bool can_upgrade, uploading, downloading, has_manifest, allow_push;
	uint64_t fork, length, remote_length;
};

struct message_request {
	uint64_t id, fork, priority;
	struct core_request part;
};

/* reason 0: none given */
enum { MESSAGE_NOT_AVAILABLE = 1, MESSAGE_NOT_VALID = 2 };
struct message_no_data {
	uint64_t id, reason;
};

struct message_want { /* and unwant */
	uint64_t start, length;
	bool any;
};

struct message_bitfield {
	uint64_t start;	   /* blocks */
	struct view words; /* 32 bits each, little endian */
};

struct message_range {
	bool drop;
	uint64_t start, length;
};

struct message_extension {
	struct view name, body;
};

/* True: all fields were there and in bounds; else dec_error() says why. */
bool message_dec_handshake(struct dec *d, struct message_handshake *m);
bool message_dec_sync(struct dec *d, struct message_sync *m);
bool message_dec_request(struct dec *d, struct message_request *m);
bool message_dec_cancel(struct dec *d, uint64_t *id);
/* p->manifest is NULL or m, which is filled. Not large: see core/proof.h. */
bool message_dec_data(
    struct dec *d, uint64_t *id, struct core_proof *p, struct manifest *m);
bool message_dec_no_data(struct dec *d, struct message_no_data *m);
bool message_dec_want(struct dec *d, struct message_want *m);
bool message_dec_bitfield(struct dec *d, struct message_bitfield *m);
bool message_dec_range(struct dec *d, struct message_range *m);
bool message_dec_extension(struct dec *d, struct message_extension *m);

void message_put_handshake(struct buf *b, const struct message_handshake *m);
void message_put_sync(struct buf *b, const struct message_sync *m);
void message_put_request(struct buf *b, const struct message_request *m);
void message_put_cancel(struct buf *b, uint64_t id);
void message_put_data(struct buf *b, uint64_t id, const struct core_proof *p);
void message_put_no_data(struct buf *b, const struct message_no_data *m);
void message_put_want(struct buf *b, const struct message_want *m);
void message_put_bitfield(struct buf *b, const struct message_bitfield *m);
void message_put_range(struct buf *b, const struct message_range *m);
void message_put_extension(struct buf *b, const struct message_extension *m);

/* At least as many bytes as message_put_data appends. */
size_t message_data_size(const struct core_proof *p);

#endif
