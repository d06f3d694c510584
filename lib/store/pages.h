/*
 * pages: the structure of an LMDB file, looked at before LMDB trusts it.
 *
 * LMDB keeps no check sums and follows page numbers and offsets as it finds
 * them: a short or flipped file can end the process with a signal. The heads
 * of the file are therefore checked before it is opened, and the trees where
 * the file is small, shorter than its head says, or somebody asks. Reads
 * with pread, so that a broken file can only give an error.
 *
 * Knows the layout of LMDB 0.9 on 64-bit little-endian machines; elsewhere
 * nothing is looked at.
 */
#ifndef STORE_PAGES_H
#define STORE_PAGES_H

#include "base/err.h"
#include "base/view.h"
#include "codec/dec.h"

#define PAGES_INTEGER_KEYS 0x08 /* flag of a tree */
#define PAGES_NONE UINT64_MAX	/* root of an empty tree */
#define PAGES_TREE_SIZE 48
/* An index of at most this many pages (1 MiB) is walked at every open. */
#define PAGES_AT_OPEN 256

struct pages_tree {
	uint32_t pad;
	unsigned flags, depth;
	uint64_t branches, leaves, longs, entries, root;
};

struct pages_head {
	uint64_t number, address;
	unsigned page_flags;
	uint32_t magic, version;
	struct pages_tree free_tree, main_tree;
	uint64_t last, txnid;
};

bool pages_known_layout(void);
void pages_dec_tree(struct dec *d, struct pages_tree *t);
/* ERR_CORRUPT names the file. */
NODISCARD enum err_code pages_read_heads(
    int fd, const char *file, struct pages_head h[static 2], struct err *e);

/* Do both heads make sense? *shorter: the file ends before the last page of
 * the newer head. That is lawful when those pages are free (LMDB does not
 * write them), so only a walk can tell. */
NODISCARD enum err_code pages_check_heads(
    const char *file, bool *shorter, struct err *e);

/* Walk every tree of snapshot txnid if at most `most` pages are in use:
 * structure, order of keys, totals, sums of records, no page used twice.
 * tables: the names of the tables by number. The caller holds the snapshot
 * with a read transaction. ERR_CHANGED: the snapshot is not the newest or
 * the one before any more; take a new one. ERR_CORRUPT says what. */
NODISCARD enum err_code pages_walk(const char *file, uint64_t txnid,
    const char *const *tables, uint64_t most, struct err *e);

#endif
