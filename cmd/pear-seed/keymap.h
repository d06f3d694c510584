/*
 * keymap: values by key of a core. Keys are hashes, so their bytes are the
 * hash.
 */
#ifndef CMD_PEAR_SEED_KEYMAP_H
#define CMD_PEAR_SEED_KEYMAP_H

#include "base/err.h"
#include "base/view.h"

struct keymap_slot {
	struct b32 key;
	bool used;
	union {
		void *ptr;
		uint64_t n;
	} value;
};

/* A zeroed one is empty. */
struct keymap {
	struct keymap_slot *slot;
	size_t n, cap; /* cap: a power of two, more than n */
};

void keymap_deinit(struct keymap *m);
/* NULL: not there. Valid until the next put or delete. */
struct keymap_slot *keymap_get(const struct keymap *m, const struct b32 *key);
/* The slot of the key, new (value zeroed) or old; NULL: no memory. */
struct keymap_slot *keymap_put(struct keymap *m, const struct b32 *key);
void keymap_delete(struct keymap *m, const struct b32 *key);

#endif
