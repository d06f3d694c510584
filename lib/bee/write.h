/*
 * bee_batch, inside: the in-memory tree, the operations since the last
 * flush, and the path of the operation at hand. Private to lib/bee.
 *
 * An operation first loads everything it will touch (that may end in
 * ERR_NEED_BLOCK and be repeated), then takes what memory it can foresee,
 * and only then changes nodes. Should a change fail half-way for want of
 * memory, the batch is broken and answers only with that.
 */
#ifndef BEE_WRITE_H
#define BEE_WRITE_H

#include "bee/bee.h"
#include "bee/tree.h"

/* One put or del. `index` is the list of 4.6: the children rewritten by it
 * in pre-order; index[0], the root, is left NULL. */
struct bee_op {
	struct view key;   /* of a put: in the tree's arena */
	struct view value; /* in the batch's */
	bool has_value;
	size_t nindex;
	struct bee_child **index;
};

struct bee_step {
	struct bee_node *node;
	size_t pos; /* child that was taken, or place of the key */
};

struct bee_batch {
	struct bee_tree tree;
	struct core_batch *cb;
	struct buf header;	/* encoded header block */
	struct bee_arena arena; /* values and index lists of `op` */
	struct bee_op *op;
	size_t nop, opcap;
	struct bee_child **list; /* index under construction */
	size_t nlist, listcap;
	enum err_code broken;
	struct buf index, block; /* encoding, reused */
	struct buf read;	 /* behind bee_batch_get() */
	size_t depth;
	struct bee_step path[BEE_DEPTH_MAX];
};

/* The block that the next operation will be. */
uint64_t bee_batch_seq(const struct bee_batch *b);

/* put.c, del.c: change the tree. *found false: nothing was changed. */
NODISCARD enum err_code bee_put_key(
    struct bee_batch *b, struct bee_key key, struct want *w, struct err *e);
NODISCARD enum err_code bee_del_key(struct bee_batch *b, struct view key,
    bool *found, struct want *w, struct err *e);
/* One more step of b->path, ERR_FORMAT when it is too deep. */
NODISCARD enum err_code bee_path_push(
    struct bee_batch *b, struct bee_node *node, size_t pos, struct err *e);

/* emit.c: list the changed nodes of the operation just done as `op`; and
 * append all operations to the core's batch. */
NODISCARD enum err_code bee_emit_index(
    struct bee_batch *b, struct bee_op *op, struct err *e);
NODISCARD enum err_code bee_emit_blocks(struct bee_batch *b, struct err *e);

#endif
