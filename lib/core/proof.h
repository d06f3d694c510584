/*
 * proof: how one peer proves blocks, nodes and a longer head to another
 * (network.md 6.1 to 6.4; hypercore@11.37.1 lib/merkle-tree, lib/core). The
 * structs hold what the wire messages hold, node order included; their
 * encoding belongs to whoever speaks the protocol.
 *
 * Maker: core_proof_make() from a local core. Taker: a core opened
 * CORE_REPLICA and a struct core_intake that collects verified proofs and
 * stores them in one durable step. Nothing is stored before it is verified.
 *
 *	core_intake_new(&in, c, e);
 *	while (next(&proof))
 *		core_intake_proof(in, &proof, &outcome, e);
 *	core_intake_commit(in, e);	// bytes, sync, one transaction
 *	core_intake_free(in);		// without commit: forgotten
 *
 * Sizes: a parent's hash binds the sum of its children's sizes, not each of
 * them. Where a chain of hashes starts at a claimed node and not at a block,
 * the first two nodes could therefore be lied about; they are checked but
 * never stored, because the place of a block in the block file follows from
 * sizes. Whoever needs them asks for a block below.
 */
#ifndef CORE_PROOF_H
#define CORE_PROOF_H

#include "core/core.h"

#define CORE_PROOF_NODES_MAX 128 /* nodes in one list; more: refuse */

/* Parts that are absent have has_... false; their fields mean nothing. */
struct core_request {
	bool has_block, has_hash, has_seek, has_upgrade;
	bool manifest; /* send it along, if there is one */
	uint64_t block_index;
	uint64_t block_nodes; /* levels to climb from the leaf */
	uint64_t hash_index;  /* flat */
	uint64_t hash_nodes;
	uint64_t seek_bytes;
	uint64_t seek_padding;	 /* bytes of each block that do not count */
	uint64_t upgrade_start;	 /* blocks the asker has */
	uint64_t upgrade_length; /* blocks more */
};

struct core_nodes {
	size_t n;
	struct node node[CORE_PROOF_NODES_MAX];
};

/* About 25 KB: keep one, on the heap. Views and the manifest are borrowed. */
struct core_proof {
	uint64_t fork;
	bool has_block, has_hash, has_seek, has_upgrade;
	uint64_t block_index;
	struct view block;
	struct core_nodes block_nodes;
	uint64_t hash_index;
	struct core_nodes hash_nodes;
	uint64_t seek_bytes;
	struct core_nodes seek_nodes;
	uint64_t upgrade_start, upgrade_length;
	struct core_nodes upgrade_nodes, additional_nodes;
	struct view signature;
	const struct manifest *manifest; /* NULL: none */
};

/* Answer a request from what c has. value (reset here) owns the block bytes;
 * the signature and manifest belong to c, until its next change.
 * ERR_INVALID: nonsense, or beyond the head (noData 2); ERR_NEED_BLOCK:
 * something is not here (noData 1). An empty core gives an empty proof. */
NODISCARD enum err_code core_proof_make(struct core_proof *out,
    struct buf *value, struct core *c, const struct core_request *q,
    struct want *w, struct err *e);

/* What a verifier knows before a proof arrives. */
struct core_trust {
	const struct b32 *key;
	const struct manifest *manifest; /* NULL: not known yet */
	uint64_t fork;
	const struct tree *tree;
};

/* A chain of up to 64 levels gives two nodes a level; there are at most two
 * chains, and an upgrade gives each received node and as many parents. */
#define CORE_VERIFIED_MAX 1024

/* What a proof says, once it holds. */
struct core_verified {
	enum core_verdict {
		CORE_PROOF_GOOD,
		/* Made for another length or fork than ours, and so not
		 * judged: drop it and ask again. */
		CORE_PROOF_STALE
	} verdict;
	bool upgraded; /* tree, fork are those of a new, signed head */
	uint64_t fork;
	struct tree tree;
	size_t n; /* new nodes with proven sizes */
	struct node node[CORE_VERIFIED_MAX];
	/* All of it holds only if this node equals the trusted one of the
	 * same index; without anchor it holds as it is. */
	bool has_anchor;
	struct node anchor;
	bool new_manifest; /* upgraded, and it was not known before */
	struct manifest manifest;
};

/* Pure: no core, no store. ERR_VERIFY with the reason if it cannot hold;
 * ERR_CONFLICT for a higher fork than ours (unless we have nothing). */
NODISCARD enum err_code core_proof_verify(struct core_verified *out,
    const struct core_proof *p, const struct core_trust *t, struct err *e);
/* The same; `leaf` is what hash_leaves() gave the caller for the very bytes
 * of p->block, or NULL. It never comes from anywhere else. */
NODISCARD enum err_code core_proof_verify_leaf(struct core_verified *out,
    const struct core_proof *p, const struct core_trust *t,
    const struct b32 *leaf, struct err *e);

/* Collects proofs for one core opened CORE_REPLICA or CORE_WRITE; one at a
 * time, and no batch of the same core beside it. */
struct core_intake;

enum core_outcome {
	CORE_TAKEN,  /* verified; stored by commit */
	CORE_IGNORED /* stale, or all of it is here already */
};

NODISCARD enum err_code core_intake_new(
    struct core_intake **out, struct core *c, struct err *e);
void core_intake_free(struct core_intake *in); /* NULL is fine */
/* ERR_VERIFY: the proof is wrong, nothing of it is kept, and the intake goes
 * on. ERR_CONFLICT: a higher fork. Anything else is local and final. */
NODISCARD enum err_code core_intake_proof(struct core_intake *in,
    const struct core_proof *p, enum core_outcome *outcome, struct err *e);
/* The same, with a leaf as for core_proof_verify_leaf(). */
NODISCARD enum err_code core_intake_leaf(struct core_intake *in,
    const struct core_proof *p, const struct b32 *leaf,
    enum core_outcome *outcome, struct err *e);
/* Levels to climb from the node to the first one that is here or collected,
 * 0 if that is itself or it lies beyond the head: the block_nodes or
 * hash_nodes of a request whose answer can be judged. */
NODISCARD enum err_code core_intake_climb(
    struct core_intake *in, uint64_t flat, uint64_t *levels, struct err *e);
/* The head as it will be after commit (contiguous: as before). */
const struct core_head *core_intake_head(const struct core_intake *in);
/* Empty after; may be filled again. Nothing collected: does nothing. */
NODISCARD enum err_code core_intake_commit(
    struct core_intake *in, struct err *e);

/* One proof, one transaction. */
NODISCARD enum err_code core_proof_apply(struct core *c,
    const struct core_proof *p, enum core_outcome *outcome, struct err *e);

#endif
