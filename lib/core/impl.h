/*
 * impl: what the files of lib/core share about an open core. Private.
 *
 * Index pages: STORE_NODES holds 100 slots of 40 bytes a page (slot = flat
 * index % 100: LE64 size, hash; all zero = absent), which with LMDB's header
 * fills one 4 KiB page. STORE_BITS holds 8192 blocks a page, LSB first.
 * Invariants: a slot that is not zero is a node under a root of the head, or
 * such a root; its sibling and its parent up to the root are there as well.
 * A node's size is always proven, so that a block's place is.
 */
#ifndef CORE_IMPL_H
#define CORE_IMPL_H

#include "codec/z32.h"
#include "core/core.h"
#include "core/pages.h"
#include "core/record.h"
#include "store/blockfile.h"

#define NODES_PER_PAGE 100u
#define NODE_SLOT 40u
#define NODES_PAGE (NODES_PER_PAGE * NODE_SLOT)
#define BITS_PER_PAGE 8192u
#define BITS_PAGE (BITS_PER_PAGE / 8)
#define CACHE_PAGES 16u	    /* node pages kept by a handle */
#define CACHE_HIGH 1024u    /* and nodes high above the leaves, */
#define CACHE_HIGH_DEPTH 6u /* of which every path has some */
#define WINDOW_MIN 4096u
#define WINDOW_MAX (512u << 10) /* bytes read ahead */

struct page_cache {
	bool here[CACHE_PAGES];
	uint64_t no[CACHE_PAGES];
	uint8_t data[CACHE_PAGES][NODES_PAGE];
	struct node high[CACHE_HIGH]; /* index 0 (a leaf): none */
};

struct core {
	struct store *store;
	enum core_mode mode;
	struct b32 key, dkey;
	char name[Z32_KEY_LEN + 1]; /* of the key, for messages */
	uint64_t number;
	bool has_manifest;
	struct manifest manifest;
	struct sign_pair pair;
	struct core_head head;
	struct tree tree; /* roots of the head */
	struct buf signature;
	struct record_redo redo;
	struct blockfile *file;
	bool busy; /* a batch or an intake is open */

	/* Everything below is cache. Its pages are of snapshot `generation`;
	 * core_catch_up() before one of a later snapshot is read. */
	uint64_t generation;
	struct page_cache *cache;
	bool bits_here;
	uint64_t bits_no;
	uint8_t bits[BITS_PAGE];
	struct pages checked;		  /* blocks compared with their leaf */
	uint64_t next_index, next_offset; /* after the last block read */
	uint8_t *window;
	uint64_t window_at;
	size_t window_len, window_grow;
};

/* core.c */
void core_forget_pages(struct core *c);
void core_forget_blocks(struct core *c);
/* Has the store's snapshot moved since pages were read? Then they are
 * dropped, and what the index knows about the same head is taken over
 * (contiguous, redo). ERR_CHANGED: the head is gone, a truncation came. */
NODISCARD enum err_code core_catch_up(
    struct core *c, bool *moved, struct err *e);
/* The stored record of c, decoded to r (views into the index), in txn. */
NODISCARD enum err_code core_record(
    struct core *c, struct store_txn *txn, struct record *r, struct err *e);
NODISCARD enum err_code core_put_record(struct store_txn *txn,
    const struct b32 *dkey, const struct record *r, struct err *e);
/* ERR_READONLY unless c was opened to change it; names the core. */
NODISCARD enum err_code core_changeable(const struct core *c, struct err *e);
/* Write the mark of c's head, if c is writable. */
NODISCARD enum err_code core_write_mark(struct core *c, struct err *e);
/* Move the bytes of a redo to their place. Needs the writer lock. */
NODISCARD enum err_code core_finish_redo(struct core *c, struct err *e);

/* cut.c: take what lies behind `length` blocks from changed pages. */
NODISCARD enum err_code core_cut_nodes(
    struct pages *nodes, uint64_t length, uint64_t old_length, struct err *e);
NODISCARD enum err_code core_cut_bits(
    struct pages *bits, uint64_t length, struct err *e);

/* bits.c: is block `index` of a bitfield page set; is block `index` here? */
bool core_bit(const uint8_t *page, uint64_t index);
NODISCARD enum err_code core_block_here(
    struct core *c, uint64_t index, bool *here, struct err *e);
/* The first block >= from that is not here, at most head.length. */
NODISCARD enum err_code core_first_gap(
    struct core *c, uint64_t from, uint64_t *gap, struct err *e);

/* read.c */
bool slot_node(const uint8_t *page, uint64_t flat, struct node *out);
void slot_put_node(uint8_t *page, const struct node *n);
void slot_clear(uint8_t *page, uint64_t flat);
/* false: the node is not here; an error only if the index fails. */
NODISCARD enum err_code core_find_node(struct core *c, uint64_t flat,
    bool *found, struct node *out, struct err *e);
/* Byte offset of block `index` in `tree`, whose nodes are in `over` (may be
 * NULL) or in the store. */
NODISCARD enum err_code core_offset_in(struct core *c, struct pages *over,
    const struct tree *tree, uint64_t index, uint64_t *offset, struct want *w,
    struct err *e);
/* Bytes of the log from the block file, without any check. */
NODISCARD enum err_code core_read_log(
    struct core *c, void *p, size_t n, uint64_t offset, struct err *e);
/* One block's bytes against its leaf. ERR_CORRUPT names core, block, file
 * and place. */
NODISCARD enum err_code core_check_block(struct core *c, uint64_t index,
    const struct node *leaf, struct view bytes, uint64_t offset, struct err *e);
/* Where block `index` lies, and its leaf. */
NODISCARD enum err_code core_locate(struct core *c, uint64_t index,
    struct node *leaf, uint64_t *offset, struct want *w, struct err *e);

#endif
