#include <stdlib.h>

#include "base/arr.h"
#include "bee/write.h"

/* Of a block, what key and value leave for the levels. */
#define LEVELS_ROOM ((size_t)1 << 20)
#define INDEX_MAX ((size_t)1 << 20)

enum err_code
bee_batch_new(struct bee_batch **out, struct core *c, struct core_batch *cb,
    const struct bee_header *header, struct err *e)
{
	struct bee_batch *b = calloc(1, sizeof(*b));
	enum err_code rc;

	if (b == NULL)
		return err_nomem(e);
	bee_tree_init(&b->tree, BEE_TREE_WRITE, c, cb);
	bee_arena_init(&b->arena);
	b->cb = cb;
	buf_init(&b->header, CORE_BLOCK_MAX);
	buf_init(&b->index, INDEX_MAX);
	buf_init(&b->block, CORE_BLOCK_MAX);
	buf_init(&b->read, CORE_BLOCK_MAX);
	bee_header_encode(&b->header, header);
	if ((rc = buf_check(&b->header, e)) != ERR_OK) {
		bee_batch_free(b);
		return rc;
	}
	*out = b;
	return ERR_OK;
}

void
bee_batch_free(struct bee_batch *b)
{
	if (b == NULL)
		return;
	bee_tree_deinit(&b->tree);
	bee_arena_deinit(&b->arena);
	buf_deinit(&b->header);
	buf_deinit(&b->index);
	buf_deinit(&b->block);
	buf_deinit(&b->read);
	free(b->op);
	free(b->list);
	free(b);
}

uint64_t
bee_batch_seq(const struct bee_batch *b)
{
	return core_batch_length(b->cb) + b->nop;
}

static enum err_code
check_usable(const struct bee_batch *b, struct err *e)
{
	if (b->broken == ERR_OK)
		return ERR_OK;
	return err_set(e, b->broken, "a write into this bee failed half-way");
}

/* The tree of the last flush; none at length 0 and 1. */
static enum err_code
load_root(struct bee_batch *b, struct want *w, struct err *e)
{
	uint64_t length = core_batch_length(b->cb);

	if (b->tree.root != NULL || length < 2)
		return ERR_OK;
	return bee_tree_load_root(&b->tree, length, w, e);
}

/* What every operation needs first: the header block, the tree, a place to
 * note it. */
static enum err_code
begin(struct bee_batch *b, struct want *w, struct err *e)
{
	enum err_code rc;

	if ((rc = check_usable(b, e)) != ERR_OK)
		return rc;
	if (core_batch_length(b->cb) == 0) {
		rc = core_batch_append(b->cb, buf_view(&b->header), NULL, e);
		if (rc != ERR_OK)
			return rc;
	}
	if ((rc = load_root(b, w, e)) != ERR_OK)
		return rc;
	if (!ARR_RESERVE(b->op, b->nop + 1, b->opcap))
		return err_nomem(e);
	return ERR_OK;
}

/* The tree has changed: note the operation that did it. */
static enum err_code
finish(struct bee_batch *b, const struct bee_op *op, struct err *e)
{
	struct bee_op *o = &b->op[b->nop];

	*o = *op;
	if ((b->broken = bee_emit_index(b, o, e)) != ERR_OK)
		return b->broken;
	b->nop++;
	return ERR_OK;
}

enum err_code
bee_batch_put(struct bee_batch *b, struct view key, struct view value,
    struct want *w, struct err *e)
{
	struct bee_op op = {.has_value = true};
	struct bee_key k;
	enum err_code rc;

	if (key.len > CORE_BLOCK_MAX - LEVELS_ROOM ||
	    value.len > CORE_BLOCK_MAX - LEVELS_ROOM - key.len)
		return err_set(
		    e, ERR_LIMIT, "key and value are too large for a block");
	if ((rc = begin(b, w, e)) != ERR_OK)
		return rc;
	if (b->tree.root == NULL &&
	    (b->tree.root = bee_tree_new_node(&b->tree)) == NULL)
		return err_nomem(e);
	if (!bee_arena_copy(&b->tree.arena, key, &op.key) ||
	    !bee_arena_copy(&b->arena, value, &op.value))
		return err_nomem(e);
	k = (struct bee_key){bee_batch_seq(b), op.key};
	if ((rc = bee_put_key(b, k, w, e)) != ERR_OK)
		return rc;
	return finish(b, &op, e);
}

enum err_code
bee_batch_del(
    struct bee_batch *b, struct view key, struct want *w, struct err *e)
{
	struct bee_op op = {.has_value = false};
	enum err_code rc;
	bool found;

	if ((rc = begin(b, w, e)) != ERR_OK || b->tree.root == NULL)
		return rc;
	if (!bee_arena_copy(&b->arena, key, &op.key))
		return err_nomem(e);
	rc = bee_del_key(b, op.key, &found, w, e);
	if (rc != ERR_OK || !found)
		return rc;
	return finish(b, &op, e);
}

enum err_code
bee_batch_get(struct bee_batch *b, struct view key, struct bee_entry *out,
    struct want *w, struct err *e)
{
	uint64_t length = core_batch_length(b->cb), seq;
	struct bee_node *node;
	struct bee_block block;
	enum err_code rc;
	size_t pos;

	if ((rc = check_usable(b, e)) != ERR_OK ||
	    (rc = load_root(b, w, e)) != ERR_OK ||
	    (rc = bee_tree_find(&b->tree, key, &node, &pos, w, e)) != ERR_OK)
		return rc;
	if (node == NULL)
		return err_set(e, ERR_NOT_FOUND, "no such key");
	seq = node->key[pos].seq;
	if (seq >= length) {
		const struct bee_op *op = &b->op[seq - length];

		*out = (struct bee_entry){seq, op->key, op->value};
		return ERR_OK;
	}
	rc = bee_tree_block(&b->tree, seq, &b->read, &block, w, e);
	if (rc != ERR_OK)
		return rc;
	*out = (struct bee_entry){seq, block.key, block.value};
	return ERR_OK;
}

enum err_code
bee_batch_flush(struct bee_batch *b, struct err *e)
{
	enum err_code rc;

	if ((rc = check_usable(b, e)) != ERR_OK || b->nop == 0)
		return rc;
	if ((rc = bee_emit_blocks(b, e)) != ERR_OK) {
		b->broken = rc;
		return rc;
	}
	b->nop = 0;
	bee_arena_reset(&b->arena);
	return ERR_OK;
}
