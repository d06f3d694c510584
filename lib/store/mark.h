/*
 * mark: the high-water mark of a writable core, marks/<discovery key hex>,
 * outside the index on purpose: an index put back from a backup is found
 * because the mark knows a longer head (architecture 2; failures R2).
 * One file a core, so that two writers never rewrite one file. Written by
 * rename and synced; only by the holder of the core's writer lock.
 *
 *	"pear-mark 1\n" key, fork, length, root hash and a checksum, as text
 */
#ifndef STORE_MARK_H
#define STORE_MARK_H

#include "store/store.h"

struct mark {
	struct b32 key;
	uint64_t fork;
	uint64_t length;
	struct b32 root_hash;
};

/* ERR_NOT_FOUND: none was ever written; ERR_CORRUPT names the file. */
NODISCARD enum err_code mark_read(struct mark *out, struct store *s,
    const struct b32 *discovery_key, struct err *e);
NODISCARD enum err_code mark_write(struct store *s,
    const struct b32 *discovery_key, const struct mark *m, struct err *e);

#endif
