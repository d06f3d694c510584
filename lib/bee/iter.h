/*
 * bee_iter, seen by the diff: one step of a walk at a time. Private to
 * lib/bee; the public face is bee_iter_next().
 *
 * The walk stands before a slot of the innermost open node: a child to enter
 * or to skip, or a key to load. Slots of a node with n keys are numbered
 * 0 .. 2n: even = child slot/2 (inner nodes only), odd = key slot/2.
 */
#ifndef BEE_ITER_H
#define BEE_ITER_H

#include "bee/bee.h"
#include "bee/tree.h"

struct bee {
	struct bee_tree tree;
	uint64_t version;
	struct buf block; /* behind the entry of bee_get() */
};

enum bee_at { BEE_AT_END, BEE_AT_CHILD, BEE_AT_KEY };

struct bee_frame {
	struct bee_node *node;
	ptrdiff_t slot; /* outside 0 .. 2n: this node is done */
};

struct bee_iter {
	struct bee *bee;
	enum bee_order order;
	struct buf bounds;	 /* bytes of the two bounds */
	struct view first, last; /* in walking order; ptr NULL: open */
	bool first_in, last_in;	 /* the bound itself belongs to the range */
	bool seeked, ended;
	uint64_t generation; /* of the tree the frames point into */
	struct buf previous; /* key handed out last */
	bool has_previous;
	struct buf block;	/* behind `entry` */
	struct bee_entry entry; /* of the key slot; valid if loaded */
	bool loaded;
	size_t depth;
	struct bee_frame frame[BEE_DEPTH_MAX];
};

/* Where the walk stands; seeks first if it has to. */
NODISCARD enum err_code bee_iter_at(
    struct bee_iter *it, enum bee_at *at, struct want *w, struct err *e);
/* BEE_AT_CHILD: the reference, and going into the child. */
const struct bee_child *bee_iter_child(const struct bee_iter *it);
NODISCARD enum err_code bee_iter_enter(
    struct bee_iter *it, struct want *w, struct err *e);
/* BEE_AT_KEY: the key's block; and it->entry, checked for order. Behind the
 * range's end *in is false and the walk has ended. */
uint64_t bee_iter_seq(const struct bee_iter *it);
NODISCARD enum err_code bee_iter_load(
    struct bee_iter *it, bool *in, struct want *w, struct err *e);
/* Pass the slot without looking; after a load, as handed out. */
void bee_iter_skip(struct bee_iter *it);
NODISCARD enum err_code bee_iter_pass(struct bee_iter *it, struct err *e);

#endif
