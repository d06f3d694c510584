/*
 * pages: changed pages of one core in STORE_NODES or STORE_BITS, in memory
 * until a transaction takes them. Private to lib/core.
 *
 * A page is loaded from the handle's snapshot the first time it is asked
 * for, so commit only writes. That is sound because the holder of the writer
 * lock is the only one who changes pages of its core. Key: core number BE64,
 * page BE64.
 */
#ifndef CORE_PAGES_H
#define CORE_PAGES_H

#include "store/store.h"

struct page {
	uint64_t no;
	uint8_t *data;
};

struct pages {
	struct store *store; /* NULL: nothing below, and never committed */
	enum store_table table;
	uint64_t number; /* of the core */
	size_t size;	 /* bytes of a page */
	uint64_t cut;	 /* stored pages from here on are gone */
	struct page *page;
	size_t n, cap;
	uint32_t *slot; /* hash table: position + 1, 0 = free */
	size_t nslot;	/* power of two */
	size_t last;	/* position of the page asked for last */
};

void pages_init(struct pages *p, struct store *s, enum store_table t,
    uint64_t number, size_t size);
void pages_reset(struct pages *p);  /* forget all changes */
void pages_deinit(struct pages *p); /* a zeroed struct is fine */
/* The changed page, or NULL: look in the store unless no >= p->cut. */
uint8_t *pages_peek(struct pages *p, uint64_t no);
/* The page to change it; zeros if it is nowhere. Valid until reset. */
NODISCARD enum err_code pages_get(
    struct pages *p, uint64_t no, uint8_t **data, struct err *e);
/* Forget every page >= no, in memory and, with the commit, in the store. */
void pages_cut(struct pages *p, uint64_t no);
/* Write all changes, ascending. */
NODISCARD enum err_code pages_put(
    struct pages *p, struct store_txn *txn, struct err *e);

#define PAGES_KEY_LEN 16
void pages_key(uint8_t out[static PAGES_KEY_LEN], uint64_t number, uint64_t no);
uint64_t pages_key_no(struct view key);
/* Copy the stored page to out, zeros if there is none. */
NODISCARD enum err_code pages_read(struct store *s, enum store_table t,
    uint64_t number, uint64_t no, uint8_t *out, size_t size, struct err *e);

#endif
