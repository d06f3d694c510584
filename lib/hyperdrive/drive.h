/*
 * hyperdrive: a file system on a metadata core (bee) and a blobs core
 * (data-formats 2.7, 4.8, 5; hyperdrive@13.3.4). Prefix hyperdrive_.
 *
 * A struct hyperdrive has both cores open. hyperdrive_at() gives checkouts.
 */
#ifndef HYPERDRIVE_DRIVE_H
#define HYPERDRIVE_DRIVE_H

#include "bee/bee.h"
#include "hyperdrive/entry.h"

struct hyperdrive;

/* Open a drive of the store by its key. CORE_WRITE opens both cores for
 * writing (errors as core_open); the blobs core is added to the store when a
 * writable drive has none yet. */
NODISCARD enum err_code hyperdrive_open(struct hyperdrive **out,
    struct store *s, const struct b32 *key, enum core_mode mode, struct err *e);
void hyperdrive_close(struct hyperdrive *d);
struct core *hyperdrive_db(struct hyperdrive *d);
/* NULL while unknown (no header yet and not derivable), see 2.7, and for an
 * empty drive whose blobs core is not in the store. */
struct core *hyperdrive_blobs(struct hyperdrive *d);
/* Try again to find the blobs core after blocks arrived; w says which block
 * would tell. Adds it to a store that can be written. ERR_NOT_FOUND: known,
 * but not in a store that cannot. */
NODISCARD enum err_code hyperdrive_find_blobs(
    struct hyperdrive *d, struct want *w, struct err *e);
/* Key of the blobs core, if known. */
bool hyperdrive_blobs_key(struct hyperdrive *d, struct b32 *out);

/* A checkout at a version; owned by the caller (bee_close). */
NODISCARD enum err_code hyperdrive_at(
    struct hyperdrive *d, uint64_t version, struct bee **out, struct err *e);

/* ERR_NOT_FOUND. `out` is the caller's (entry_deinit). seq may be NULL. */
NODISCARD enum err_code hyperdrive_entry(struct bee *b, struct view path,
    struct entry *out, uint64_t *seq, struct want *w, struct err *e);

/* List entries below a folder ("" or "/" = all), sorted by path bytes. */
struct hyperdrive_list;
NODISCARD enum err_code hyperdrive_list_open(struct hyperdrive_list **out,
    struct bee *b, struct view folder, struct err *e);
/* path is valid until the next call; entry belongs to the caller. */
NODISCARD enum err_code hyperdrive_list_next(struct hyperdrive_list *l,
    bool *more, struct view *path, struct entry *entry, uint64_t *seq,
    struct want *w, struct err *e);
void hyperdrive_list_close(struct hyperdrive_list *l);

/* Blocks the blobs core needs for a version: max(blockOffset+blockLength)
 * over all values (5.7). */
NODISCARD enum err_code hyperdrive_blobs_length(
    struct bee *b, uint64_t *out, struct want *w, struct err *e);

/* Writing: one struct for both cores, one durable step. A dry batch with d
 * NULL is a drive in memory, empty at first, of no store and no key; it is
 * not truncated. */
struct hyperdrive_batch;
NODISCARD enum err_code hyperdrive_batch_new(struct hyperdrive_batch **out,
    struct hyperdrive *d, enum core_batch_mode mode, enum blobs_share share,
    struct err *e);
/* Before anything else: cut to a version (5.7; both forks rise by one). */
NODISCARD enum err_code hyperdrive_batch_truncate(
    struct hyperdrive_batch *hb, uint64_t version, struct err *e);
struct blobs_writer *hyperdrive_batch_blobs(struct hyperdrive_batch *hb);
struct core_batch *hyperdrive_batch_cores(
    struct hyperdrive_batch *hb, struct core_batch **blobs); /* returns db's */
NODISCARD enum err_code hyperdrive_batch_put(struct hyperdrive_batch *hb,
    struct view path, const struct entry *en, struct want *w, struct err *e);
NODISCARD enum err_code hyperdrive_batch_symlink(struct hyperdrive_batch *hb,
    struct view path, const char *target, struct want *w, struct err *e);
NODISCARD enum err_code hyperdrive_batch_del(struct hyperdrive_batch *hb,
    struct view path, struct want *w, struct err *e);
/* A raw key of the drive's metadata (manifest, platformVersion, ...): put,
 * or delete with value NULL. */
NODISCARD enum err_code hyperdrive_batch_field(struct hyperdrive_batch *hb,
    struct view key, const json_t *value, struct want *w, struct err *e);
/* Flush the bee into the core batch: lengths and tree hashes are final. */
NODISCARD enum err_code hyperdrive_batch_flush(
    struct hyperdrive_batch *hb, struct err *e);
/* Flush if not yet done, and commit both cores, the chunk index and `also`
 * in one step. REAL only. */
NODISCARD enum err_code hyperdrive_batch_commit(struct hyperdrive_batch *hb,
    enum err_code (*also)(void *ctx, struct store_txn *txn, struct err *e),
    void *ctx, struct err *e);
void hyperdrive_batch_free(struct hyperdrive_batch *hb);

#endif
