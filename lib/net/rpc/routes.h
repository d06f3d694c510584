/*
 * routes: the routing table (network.md 2.7): 256 rows of up to RPC_K nodes,
 * a node's row being the first bit in which its id differs from the own one;
 * and all nodes in the order in which they were heard of.
 *
 * Owns its nodes: pointers are good until routes_remove() or routes_rekey().
 */
#ifndef NET_RPC_ROUTES_H
#define NET_RPC_ROUTES_H

#include "base/addr.h"

#define ROUTES_ROWS 256
#define ROUTES_K 20

struct route {
	struct b32 id;
	struct addr addr;
	/* in ticks of the owner; 0: never */
	uint64_t sampled, added, pinged, seen;
	bool hinted;		     /* somebody said that it is down */
	struct route *older, *newer; /* by when they were heard of */
};

struct routes_row {
	size_t n;
	struct route *node[ROUTES_K]; /* by id */
};

struct routes {
	struct b32 id;
	size_t n;
	struct route *oldest, *latest;
	struct routes_row row[ROUTES_ROWS];
};

void routes_init(struct routes *t, const struct b32 *id);
void routes_deinit(struct routes *t);
struct route *routes_get(const struct routes *t, const struct b32 *id);
/* The row an id belongs to. */
const struct routes_row *routes_row(
    const struct routes *t, const struct b32 *id);
/* A new node, the latest of all; NULL if it is there already, is the own id,
 * its row is full, or there is no memory. */
struct route *routes_add(
    struct routes *t, const struct b32 *id, const struct addr *addr);
void routes_remove(struct routes *t, struct route *n);
void routes_touch(struct routes *t, struct route *n); /* the latest now */
/* The k nodes nearest to a target, nearest first. Returns how many. */
size_t routes_closest(const struct routes *t, const struct b32 *target,
    struct route **out, size_t k);
/* The i-th in the order of the rows; i < n. */
struct route *routes_at(const struct routes *t, size_t i);
/* Another own id; what does not fit under it is dropped. */
void routes_rekey(struct routes *t, const struct b32 *id);

/* Distances to target: <0 if a is nearer than b, 0 if they are the same. */
int routes_cmp(
    const struct b32 *target, const struct b32 *a, const struct b32 *b);

#endif
