/*
 * bee_arena: memory that is given back all at once. Nodes, keys and pending
 * values of a bee point at each other freely and live exactly as long as
 * their tree, so nothing in it is ever freed alone. Private to lib/bee.
 */
#ifndef BEE_ARENA_H
#define BEE_ARENA_H

#include "base/view.h"

struct bee_chunk;

struct bee_arena {
	struct bee_chunk *head; /* the chunk being filled, then older ones */
	size_t total;		/* bytes taken from the system */
};

void bee_arena_init(struct bee_arena *a);
void bee_arena_deinit(struct bee_arena *a);
/* Forget everything; one ordinary chunk is kept for the next round. */
void bee_arena_reset(struct bee_arena *a);
/* Zeroed, aligned for any object; NULL without memory. */
void *bee_arena_alloc(struct bee_arena *a, size_t n);
/* A copy of v, its ptr never NULL even if empty; false without memory. */
bool bee_arena_copy(struct bee_arena *a, struct view v, struct view *out);

#endif
