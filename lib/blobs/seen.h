/*
 * seen: leaf hash -> block, in memory: an open hash table over an array in
 * the order of insertion. Private to lib/blobs. 48 to 56 bytes an entry.
 */
#ifndef BLOBS_SEEN_H
#define BLOBS_SEEN_H

#include "base/err.h"
#include "base/view.h"

struct seen_entry {
	struct b32 leaf;
	uint64_t index;
};

/* Invariant: every entry is reached from the slot its hash names by walking
 * up; slot values are positions plus one, 0 is empty; at least half of the
 * slots are. A zeroed struct is an empty table. */
struct seen {
	struct seen_entry *entry;
	size_t n, cap;
	uint32_t *slot;
	size_t nslots; /* a power of two, or 0 */
};

void seen_deinit(struct seen *s);
void seen_clear(struct seen *s); /* keeps the memory */
bool seen_find(const struct seen *s, const struct b32 *leaf, uint64_t *index);
/* Add, or give the leaf another block. */
NODISCARD enum err_code seen_put(
    struct seen *s, const struct b32 *leaf, uint64_t index, struct err *e);

#endif
