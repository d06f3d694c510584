/*
 * blobs: file contents in a core (data-formats 5.1 to 5.3;
 * hyperblobs@2.12.1): plain runs of blocks, and block maps for contents
 * whose blocks lie scattered because some are shared.
 */
#ifndef BLOBS_BLOBS_H
#define BLOBS_BLOBS_H

#include "core/batch.h"

#define BLOBS_BLOCK 65536u	 /* plain block size of the reference */
#define BLOBS_MAP_ENTRIES 8192u	 /* per map block */
#define BLOBS_MAP_BLOCKS_MAX 64u /* larger maps are refused */

struct blobs_id {
	uint64_t block_offset, byte_offset, block_length, byte_length;
	bool block_map;
};

struct blobs_ref { /* one block of a content */
	uint64_t index;
	uint64_t size;
};

/* The blocks of a content, in order. */
struct blobs_list {
	struct blobs_ref *ref;
	size_t n, cap;
	uint64_t bytes;
};
void blobs_list_deinit(struct blobs_list *l);

/* Block map bytes (one block). Decoding appends to the list. */
void blobs_map_encode(struct buf *b, const struct blobs_ref *ref, size_t n);
NODISCARD enum err_code blobs_map_decode(
    struct blobs_list *l, struct view block, struct err *e);

/* The blocks of `id` in core c: from its map, or the run with the sizes the
 * Merkle leaves give. Checks id against the core's length. A map with
 * block_length 0 is an empty content (reference bug, 5.3). */
NODISCARD enum err_code blobs_resolve(struct core *c, const struct blobs_id *id,
    struct blobs_list *out, struct want *w, struct err *e);
/* Size of the content without listing plain runs. */
NODISCARD enum err_code blobs_size(struct core *c, const struct blobs_id *id,
    uint64_t *bytes, struct want *w, struct err *e);

/* Read content block by block: *block is valid until the next call; *more is
 * false at the end. */
struct blobs_reader;
NODISCARD enum err_code blobs_reader_open(struct blobs_reader **out,
    struct core *c, const struct blobs_id *id, struct want *w, struct err *e);
NODISCARD enum err_code blobs_reader_next(struct blobs_reader *r, bool *more,
    struct view *block, struct want *w, struct err *e);
void blobs_reader_close(struct blobs_reader *r);

/*
 * Writing one content at a time on a core_batch. The caller cuts chunks.
 *
 *	PLAIN    every chunk is stored, no sharing
 *	SHARED   one index for the whole history: a chunk any block of the core
 *	         holds (committed or pending) is referenced. Blocks in one run, new
 *	         or not, give a plain id; otherwise a block map, itself shared if
 *	         it is there already. Only a run may have more than 524288 chunks:
 *	         ERR_LIMIT from blobs_writer_chunk, roll back then.
 *	PEAR     as the reference's dedup stage: shared with the previous version
 *	         of the same path only (blobs_writer_previous), always a map;
 *	         empty content without a map unless EXACT
 *	PEAR_EXACT  as PEAR, with the reference's map for empty contents
 *
 * SHARED is a pure function of the core's blocks: the lowest block with the
 * chunk's leaf hash wins, so two stores with the same history agree. The
 * chunk index (STORE_CHUNKS) is only a way to find it, is checked against the
 * leaf at each use, and is rebuilt from the leaves when it lags behind.
 */
enum blobs_share { BLOBS_PLAIN, BLOBS_SHARED, BLOBS_PEAR, BLOBS_PEAR_EXACT };

struct blobs_writer;
/* c may be NULL for a batch of core_batch_new_empty. A batch that truncates
 * must have done so, and appended nothing since. */
NODISCARD enum err_code blobs_writer_new(struct blobs_writer **out,
    struct core *c, struct core_batch *cb, enum blobs_share share,
    struct err *e);
void blobs_writer_free(struct blobs_writer *wr);
/* PEAR: the blocks of the previous version, before the first chunk. */
NODISCARD enum err_code blobs_writer_previous(
    struct blobs_writer *wr, const struct blobs_list *l, struct err *e);
NODISCARD enum err_code blobs_writer_chunk(
    struct blobs_writer *wr, struct view chunk, struct err *e);
/* The same in two steps for a chunk whose leaf hash is known and right, so
 * that it is hashed once, and read only if it must be stored: if the writer
 * does not take it as known, the next call adds its bytes (for a dry batch
 * its length is enough). */
NODISCARD enum err_code blobs_writer_known(struct blobs_writer *wr,
    const struct b32 *leaf, uint64_t size, bool *known, struct err *e);
NODISCARD enum err_code blobs_writer_add(struct blobs_writer *wr,
    struct view chunk, const struct b32 *leaf, struct err *e);
/* End the content. stored = bytes newly appended for it (maps included). */
NODISCARD enum err_code blobs_writer_end(struct blobs_writer *wr,
    struct blobs_id *id, uint64_t *stored, struct err *e);
/* Index entries for what the batch appended; call from core_commit's `also`
 * hook. */
NODISCARD enum err_code blobs_writer_index(
    struct blobs_writer *wr, struct store_txn *txn, struct err *e);

#endif
