/*
 * record: what the index keeps about one core, under its discovery key in
 * STORE_CORES. Private to lib/core. Pure.
 *
 *	u8 version 1  key 32  uint number
 *	u8 flags (1 manifest, 2 public key, 4 secret key, 8 redo)
 *	[frame manifest] [public 32] [secret 64] [redo: uint dst, src, len]
 *	uint fork, length, byte length  root hash 32  frame signature
 *	uint contiguous
 *
 * redo: bytes of the log [dst, dst+len) still lie at src in the block file,
 * which is beyond the head. A truncation that was followed by appends in one
 * commit leaves it; the next one who holds the writer lock moves the bytes.
 */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include "core/core.h"

#define RECORD_VERSION 1
#define RECORD_MAX (MANIFEST_PROOF_MAX + MANIFEST_ENCODED_MAX + 512)
#define RECORD_SECRET 64

struct record_redo {
	uint64_t dst, src, len; /* len 0: none */
};

struct record {
	struct b32 key;
	uint64_t number;
	bool has_manifest;
	struct manifest manifest;
	bool has_pub;
	struct b32 pub;
	struct view secret; /* empty, or 64 borrowed bytes */
	struct record_redo redo;
	struct core_head head;
	struct view signature; /* borrowed */
};

/* b must be empty with a maximum of at least RECORD_MAX; it holds the secret
 * key afterwards, without copies elsewhere: record_wipe() it. */
NODISCARD enum err_code record_encode(
    struct buf *b, const struct record *r, struct err *e);
void record_wipe(struct buf *b);
/* ERR_CORRUPT: our own bytes do not decode; ERR_VERSION. */
NODISCARD enum err_code record_decode(
    struct record *r, struct view v, struct err *e);

#endif
