/*
 * bitmap: a sparse set of block numbers, in pages of BITMAP_PAGE blocks that
 * are kept in order. Never larger than `max` pages: a change that would need
 * one more has no effect, so whoever sets bits on the word of a stranger
 * gives a maximum, and reads what was beyond it as unknown. A page with all
 * bits set needs no memory but its entry. Pure; bitmap_init() is enough.
 */
#ifndef REPLICATE_BITMAP_H
#define REPLICATE_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BITMAP_PAGE 32768u
#define BITMAP_WORDS (BITMAP_PAGE / 64)

struct bitmap_page {
	uint64_t no;
	uint64_t *word; /* NULL: all bits are set */
	uint32_t ones;
};

struct bitmap {
	struct bitmap_page *page; /* ascending */
	size_t n, cap, max;
	size_t last; /* position of the page asked for last */
};

void bitmap_init(struct bitmap *b, size_t max);
void bitmap_deinit(struct bitmap *b);
void bitmap_clear_all(struct bitmap *b);

bool bitmap_get(struct bitmap *b, uint64_t i);
/* False: no memory, or beyond max. */
bool bitmap_set(struct bitmap *b, uint64_t i);
bool bitmap_set_range(struct bitmap *b, uint64_t start, uint64_t end);
void bitmap_clear_range(struct bitmap *b, uint64_t start, uint64_t end);
/* The page of this number, or NULL; and the first one of at least `no`. */
const struct bitmap_page *bitmap_find(struct bitmap *b, uint64_t no);
const struct bitmap_page *bitmap_from(struct bitmap *b, uint64_t no);
/* Put a page; word[] is copied. */
bool bitmap_put(
    struct bitmap *b, uint64_t no, const uint64_t word[static BITMAP_WORDS]);
/* Bits [64 * w, 64 * w + 64). */
uint64_t bitmap_word(struct bitmap *b, uint64_t w);
/* n words of 32 bits from block `start` (a multiple of 32) on. */
bool bitmap_put_words(
    struct bitmap *b, uint64_t start, const uint8_t *bytes, size_t n);
/* The first block >= from that is not set. */
uint64_t bitmap_first_unset(struct bitmap *b, uint64_t from);

#endif
