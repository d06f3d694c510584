#include <string.h>

#include "base/arr.h"
#include "base/bug.h"
#include "bee/write.h"

/*
 * Number the changed nodes below `node` in pre-order from b->nlist on and
 * write their places into the children that refer to them (4.6). The
 * recursion is as deep as the tree.
 */
static bool
number_changes(struct bee_batch *b, struct bee_node *node, uint64_t seq)
{
	b->nlist++;
	node->changed = false;
	for (size_t i = 0; i < node->nchildren; i++) {
		struct bee_child *c = node->child[i];

		if (c->node == NULL || !c->node->changed)
			continue;
		if (!ARR_RESERVE(b->list, b->nlist + 1, b->listcap))
			return false;
		c->seq = seq;
		c->offset = b->nlist;
		b->list[b->nlist] = c;
		if (!number_changes(b, c->node, seq))
			return false;
	}
	return true;
}

enum err_code
bee_emit_index(struct bee_batch *b, struct bee_op *op, struct err *e)
{
	size_t size;

	b->nlist = 0;
	if (!ARR_RESERVE(b->list, 1, b->listcap))
		return err_nomem(e);
	b->list[0] = NULL;
	if (!number_changes(b, b->tree.root, bee_batch_seq(b)))
		return err_nomem(e);
	size = b->nlist * sizeof(struct bee_child *);
	if ((op->index = bee_arena_alloc(&b->arena, size)) == NULL)
		return err_nomem(e);
	memcpy(op->index, b->list, size);
	op->nindex = b->nlist;
	return ERR_OK;
}

/* Drop what a later operation of the batch has rewritten, or what is in no
 * tree any more. The last element fills each hole: the order this gives is
 * part of the bytes (4.7). */
static void
compact(struct bee_op *op, uint64_t seq)
{
	size_t j = 0;

	while (j < op->nindex) {
		struct bee_child *c = op->index[j];

		if (c != NULL && c->seq == seq)
			c->offset = j++;
		else
			op->index[j] = op->index[--op->nindex];
	}
}

static void
encode_node(struct buf *index, const struct bee_node *n)
{
	struct bee_level l;

	l.nkeys = n->nkeys;
	l.nchildren = n->nchildren;
	for (size_t i = 0; i < n->nkeys; i++)
		l.key[i] = n->key[i].seq;
	for (size_t i = 0; i < n->nchildren; i++)
		l.child[i] =
		    (struct bee_ref){n->child[i]->seq, n->child[i]->offset};
	bee_level_encode(index, &l);
}

static enum err_code
append(struct bee_batch *b, const struct bee_op *op, struct err *e)
{
	enum err_code rc;

	buf_reset(&b->index);
	buf_reset(&b->block);
	for (size_t i = 0; i < op->nindex; i++)
		encode_node(&b->index,
		    op->index[i] == NULL ? b->tree.root : op->index[i]->node);
	if ((rc = buf_check(&b->index, e)) != ERR_OK)
		return rc;
	bee_block_encode(&b->block, buf_view(&b->index), op->key,
	    op->has_value ? &op->value : NULL);
	if ((rc = buf_check(&b->block, e)) != ERR_OK)
		return rc;
	return core_batch_append(b->cb, buf_view(&b->block), NULL, e);
}

enum err_code
bee_emit_blocks(struct bee_batch *b, struct err *e)
{
	uint64_t seq = core_batch_length(b->cb);
	enum err_code rc;

	for (size_t i = 0; i < b->nop; i++, seq++) {
		if (i + 1 < b->nop)
			compact(&b->op[i], seq);
		if ((rc = append(b, &b->op[i], e)) != ERR_OK)
			return rc;
	}
	return ERR_OK;
}
