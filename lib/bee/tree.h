/*
 * bee_tree: the B-tree of one version in memory, loaded level by level as
 * it is walked (data-formats 4.2, 4.3). Private to lib/bee.
 *
 * A reader reads from a core and may forget everything when the tree grows
 * large (bee_tree_trim); a writer reads through its batch, changes nodes in
 * place and never forgets. Loads are restartable: ERR_NEED_BLOCK leaves the
 * tree as it was. Every reference that comes from a block is checked here:
 *
 *	keys and children point at 1 .. own block, never at a later one;
 *	a level with n keys has no children or n + 1;
 *	only a root may be without keys, and then it has no children.
 *
 * Levels of one block may point at each other in any order, so a cycle is
 * possible on paper; who descends counts to BEE_DEPTH_MAX.
 */
#ifndef BEE_TREE_H
#define BEE_TREE_H

#include "bee/arena.h"
#include "bee/node.h"
#include "core/batch.h"

#define BEE_DEPTH_MAX 64
#define BEE_FULL 9 /* keys at which a node splits */

struct bee_key {
	uint64_t seq;
	struct view bytes; /* ptr NULL: not loaded */
};

struct bee_node;

/* Identity matters: the pending blocks of a batch hold these too (4.7). */
struct bee_child {
	uint64_t seq;
	uint64_t offset;
	struct bee_node *node; /* NULL: not loaded */
};

struct bee_node {
	size_t nkeys, nchildren; /* nchildren 0 is a leaf */
	uint64_t seq;		 /* block it was loaded from, for errors */
	bool changed;
	struct bee_key *key;
	struct bee_child **child;
};

enum bee_tree_use { BEE_TREE_READ, BEE_TREE_WRITE };

struct bee_tree {
	enum bee_tree_use use;
	struct core *core;	  /* may be NULL with a batch */
	struct core_batch *batch; /* the source of blocks, or NULL */
	struct bee_arena arena;	  /* nodes, children, key bytes */
	struct bee_node *root;	  /* NULL: not loaded, or no tree */
	struct buf block;	  /* the block read last */
	uint64_t generation;	  /* counts bee_tree_trim()s that cut */
	unsigned pins;		  /* no trim while above 0 */
};

void bee_tree_init(struct bee_tree *t, enum bee_tree_use use, struct core *c,
    struct core_batch *cb);
void bee_tree_deinit(struct bee_tree *t);
/* Forget all nodes if they take much memory. Node pointers held outside are
 * dead if `generation` moved. */
void bee_tree_trim(struct bee_tree *t);

/* ERR_FORMAT that names core and block. */
NODISCARD enum err_code bee_tree_fault(
    const struct bee_tree *t, uint64_t seq, struct err *e, const char *why);
/* Name core and block in front of a decoder's ERR_FORMAT. */
NODISCARD enum err_code bee_tree_wrap(
    const struct bee_tree *t, uint64_t seq, struct err *e);

/* Block `seq` into `mem` (reset first) and decoded; out borrows from mem. */
NODISCARD enum err_code bee_tree_block(struct bee_tree *t, uint64_t seq,
    struct buf *mem, struct bee_block *out, struct want *w, struct err *e);
/* Load t->root from level 0 of the last block of `version` (>= 2). */
NODISCARD enum err_code bee_tree_load_root(
    struct bee_tree *t, uint64_t version, struct want *w, struct err *e);
NODISCARD enum err_code bee_tree_child(struct bee_tree *t,
    struct bee_node *node, size_t i, struct bee_node **out, struct want *w,
    struct err *e);

/* Binary search as the reference does it (4.3): *hit with the key's place,
 * or the place of the child (or gap) to go on with. */
NODISCARD enum err_code bee_tree_search(struct bee_tree *t,
    struct bee_node *node, struct view key, bool *hit, size_t *pos,
    struct want *w, struct err *e);
/* From the root down to the key: *node NULL if it is not there. */
NODISCARD enum err_code bee_tree_find(struct bee_tree *t, struct view key,
    struct bee_node **node, size_t *pos, struct want *w, struct err *e);

/* A fresh node for a writer, changed, with room for BEE_FULL keys. */
struct bee_node *bee_tree_new_node(struct bee_tree *t);

#endif
