/*
 * tree: nodes, and the row of roots of a growing Merkle tree
 * (data-formats 3.1, 3.2). Pure: nodes are handed to the caller, who stores
 * them. Invariant of struct tree: `root` holds exactly flat_roots(length).
 *
 *	tree_init(&t);
 *	n = tree_append(&t, size, &leaf_hash, made);   // nodes to store
 *	tree_hash(&t, &hash);
 */
#ifndef MERKLE_TREE_H
#define MERKLE_TREE_H

#include "base/err.h"
#include "base/view.h"
#include "merkle/flat.h"

struct node {
	uint64_t index; /* flat */
	uint64_t size;	/* bytes below */
	struct b32 hash;
};

struct tree {
	uint64_t length; /* blocks */
	uint64_t byte_length;
	size_t nroots;
	struct node root[FLAT_ROOTS_MAX];
};

void tree_init(struct tree *t); /* the empty tree */
/* From the roots in order; ERR_FORMAT if they are not the roots of length. */
NODISCARD enum err_code tree_from_roots(struct tree *t, uint64_t length,
    const struct node *roots, size_t n, struct err *e);
/* Add one leaf. made[] gets the leaf and every parent that became complete,
 * in the order they were made; returns how many (<= 64). */
size_t tree_append(struct tree *t, uint64_t size, const struct b32 *leaf,
    struct node made[static FLAT_ROOTS_MAX]);
void tree_hash(const struct tree *t, struct b32 *out);
void node_parent(
    struct node *out, const struct node *left, const struct node *right);
bool node_eq(const struct node *a, const struct node *b);

/* The indices of the upgrade node set from length a to b (3.3), left to
 * right; returns how many (<= 128). */
#define TREE_UPGRADE_MAX 128
size_t tree_upgrade_set(
    uint64_t a, uint64_t b, uint64_t out[static TREE_UPGRADE_MAX]);

#endif
