/*
 * core: one append-only signed log in the store (data-formats 2, 3).
 *
 * A struct core is a handle on a committed head; it belongs to the thread of
 * its store. Reads are local and restartable: what is not here gives
 * ERR_NEED_BLOCK and a filled want. A block is checked against its Merkle
 * leaf the first time a handle reads it; a block that does not match is
 * ERR_CORRUPT with core and index, want says WANT_REPAIR, and its bytes are
 * never handed out.
 *
 * Changes are collected in a struct core_batch (core/batch.h) and become
 * durable in one step. A core opened CORE_WRITE holds the writer lock.
 */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include "core/manifest.h"
#include "core/want.h"
#include "store/store.h"

#define CORE_BLOCK_MAX (15u << 20) /* bytes of an appended block */

enum core_mode {
	CORE_READ,
	CORE_WRITE,  /* append with our own key */
	CORE_REPLICA /* take what others signed: proofs, stored signatures */
};

struct core;

struct core_head {
	uint64_t fork;
	uint64_t length; /* blocks */
	uint64_t byte_length;
	uint64_t contiguous; /* all blocks below are here */
	struct b32 tree_hash;
};

/* Open by key. CORE_READ of an unknown key: ERR_NOT_FOUND.
 * CORE_WRITE needs the secret key of one signer in the store, else
 * ERR_READONLY "Destination must be writable"; takes the writer lock
 * (ERR_LOCKED names the holder) and compares the head with the high-water
 * mark (ERR_CONFLICT if the store is older than what was announced).
 * CORE_REPLICA takes the writer lock and needs no key; no mark is compared,
 * so that a store that is behind its mark can catch up from peers. */
NODISCARD enum err_code core_open(struct core **out, struct store *s,
    const struct b32 *key, enum core_mode mode, struct err *e);
void core_close(struct core *c); /* NULL is fine */
/* Nothing will be read for a while: what is kept only to read faster is given
 * back, and a reader's descriptor as well. It comes again with the next
 * read. */
void core_rest(struct core *c);

/* Add a core to the store: with manifest (NULL: known by key only) and, if
 * writable here, key pair (else NULL). Existing with the same key: completes
 * missing manifest or pair. Durable. */
NODISCARD enum err_code core_add(struct store *s, const struct manifest *m,
    const struct b32 *key, const struct sign_pair *pair, struct err *e);

const struct b32 *core_key(const struct core *c);
const struct b32 *core_discovery_key(const struct core *c);
/* NULL while the manifest is not known (a replica not yet upgraded). */
const struct manifest *core_manifest(const struct core *c);
bool core_writable(const struct core *c); /* secret key present */
const struct core_head *core_head(const struct core *c);
uint64_t core_number(const struct core *c); /* prefix of its index keys */
struct store *core_store(const struct core *c);
/* The stored signature of the head; empty for length 0. */
struct view core_signature(const struct core *c);
/* The signing pair; sec empty if not writable. Borrowed. */
const struct sign_pair *core_pair(const struct core *c);

/* See commits of other processes (store_refresh first). Blocks and nodes of
 * the head that another handle of the store brings are found without it; the
 * head moves only here. Until then ERR_CHANGED: the head was truncated. */
NODISCARD enum err_code core_refresh(struct core *c, struct err *e);

/* Is block i here? (no check of its bytes) */
bool core_has(struct core *c, uint64_t index);
/* The same for CORE_BITS_BLOCKS blocks from page * CORE_BITS_BLOCKS on, the
 * lowest bit of the first byte first. */
#define CORE_BITS_BLOCKS 8192
NODISCARD enum err_code core_bits(struct core *c, uint64_t page,
    uint8_t out[static CORE_BITS_BLOCKS / 8], struct err *e);
/* How many of blocks [start, end) are here. */
NODISCARD enum err_code core_count(
    struct core *c, uint64_t start, uint64_t end, uint64_t *n, struct err *e);
/* Block bytes, appended to out (reset it yourself). i >= length: ERR_LIMIT. */
NODISCARD enum err_code core_get(struct core *c, uint64_t index,
    struct buf *out, struct want *w, struct err *e);
/* A Merkle node by flat index. */
NODISCARD enum err_code core_node(struct core *c, uint64_t flat,
    struct node *out, struct want *w, struct err *e);
/* Byte offset of block i in the log (i <= length). */
NODISCARD enum err_code core_offset(struct core *c, uint64_t index,
    uint64_t *offset, struct want *w, struct err *e);
/* The block that holds byte `offset`, and the place in it. */
NODISCARD enum err_code core_seek(struct core *c, uint64_t offset,
    uint64_t *index, uint64_t *within, struct want *w, struct err *e);
/* Roots and hash at any length <= head. */
NODISCARD enum err_code core_tree_at(struct core *c, uint64_t length,
    struct tree *out, struct want *w, struct err *e);

/* Check everything that is here: every block against its leaf, the nodes up
 * to the roots, the signature. Names the first fault. */
NODISCARD enum err_code core_verify(struct core *c, struct err *e);

/* Forget the bytes of blocks [start, end); length and head stay. Durable. */
NODISCARD enum err_code core_clear(
    struct core *c, uint64_t start, uint64_t end, struct err *e);

/* Block `index` is read again; if its bytes are not what they were, it is not
 * here any more: durable, and nothing is signed until it came back (see
 * core_commit). The bytes stay where they are until then. */
NODISCARD enum err_code core_drop_damaged(
    struct core *c, uint64_t index, bool *dropped, struct err *e);

/* The key of the stored core that has this discovery key. ERR_NOT_FOUND. */
NODISCARD enum err_code core_find(
    struct store *s, const struct b32 *dkey, struct b32 *key, struct err *e);

/* The store's cores, for listing. Return false from `each` to stop. */
struct core_info {
	struct b32 key;
	bool writable;
	bool has_manifest;
	struct core_head head;
	size_t nsigners;
};
NODISCARD enum err_code core_list(struct store *s,
    bool (*each)(void *ctx, const struct core_info *i), void *ctx,
    struct err *e);

#endif
