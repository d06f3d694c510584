#include "core/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "base/bug.h"
#include "core/change.h"
#include "crypto/hash.h"

#define TAIL_MAX (1u << 20)

/* Bytes of the log from here on may be written before commit. */
static uint64_t
old_end(const struct core_batch *b)
{
	return b->core == NULL ? 0 : b->core->head.byte_length;
}

void
batch_restart(struct core_batch *b)
{
	if (b->core == NULL) {
		tree_init(&b->tree);
		b->fork = 0;
	} else {
		b->tree = b->core->tree;
		b->fork = b->core->head.fork;
	}
	b->base = b->tree.length;
	b->base_bytes = b->tree.byte_length;
	b->truncated = b->wrote = false;
	b->lender = NULL;
	b->lent_from = b->lent_to = 0;
	b->failed = ERR_OK;
	b->noffset = 0;
	pages_reset(&b->nodes);
	buf_reset(&b->overlap);
	buf_reset(&b->tail);
	b->tail_at = old_end(b);
}

bool
batch_empty(const struct core_batch *b)
{
	return b->noffset == 0 && !b->truncated;
}

static enum err_code
batch_make(struct core_batch **out, struct core *c, enum core_batch_mode mode,
    struct err *e)
{
	struct core_batch *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return err_nomem(e);
	b->core = c;
	b->mode = mode;
	pages_init(&b->nodes, c == NULL ? NULL : c->store, STORE_NODES,
	    c == NULL ? 0 : c->number, NODES_PAGE);
	buf_init(&b->overlap, CORE_OVERLAP_MAX);
	buf_init(&b->tail, TAIL_MAX);
	batch_restart(b);
	*out = b;
	return ERR_OK;
}

enum err_code
core_batch_new(struct core_batch **out, struct core *c,
    enum core_batch_mode mode, struct err *e)
{
	enum err_code rc;

	if (mode == CORE_BATCH_DRY)
		return batch_make(out, c, mode, e);
	if ((rc = core_changeable(c, e)) != ERR_OK)
		return rc;
	bug_if(c->busy);
	if ((rc = batch_make(out, c, mode, e)) == ERR_OK)
		c->busy = true;
	return rc;
}

enum err_code
core_batch_new_empty(struct core_batch **out, struct err *e)
{
	return batch_make(out, NULL, CORE_BATCH_DRY, e);
}

void
core_batch_free(struct core_batch *b)
{
	if (b == NULL)
		return;
	/* Rollback. If this fails the bytes stay as garbage, which the next
	 * append overwrites. */
	if (b->wrote && b->core->redo.len == 0)
		(void)!blockfile_truncate(
		    b->core->file, b->core->head.byte_length, NULL);
	if (b->mode == CORE_BATCH_REAL)
		b->core->busy = false;
	pages_deinit(&b->nodes);
	buf_deinit(&b->overlap);
	buf_deinit(&b->tail);
	free(b->offset);
	free(b);
}

/* -- append --------------------------------------------------------------- */

enum err_code
batch_flush(struct core_batch *b, struct err *e)
{
	enum err_code rc;

	if (b->tail.len == 0)
		return ERR_OK;
	b->wrote = true;
	rc = blockfile_write(
	    b->core->file, b->tail.data, b->tail.len, b->tail_at, e);
	if (rc != ERR_OK)
		return rc;
	b->tail_at += b->tail.len;
	buf_reset(&b->tail);
	return ERR_OK;
}

static enum err_code
put_tail(struct core_batch *b, struct view v, struct err *e)
{
	enum err_code rc;

	if (v.len > TAIL_MAX - b->tail.len &&
	    (rc = batch_flush(b, e)) != ERR_OK)
		return rc;
	if (v.len < TAIL_MAX) {
		buf_append(&b->tail, v);
		return buf_check(&b->tail, e);
	}
	b->wrote = true;
	rc = blockfile_write(b->core->file, v.ptr, v.len, b->tail_at, e);
	if (rc == ERR_OK)
		b->tail_at += v.len;
	return rc;
}

/* The block goes to the end of the log, which is at tree.byte_length. */
static enum err_code
put_bytes(struct core_batch *b, struct view v, struct err *e)
{
	uint64_t at = b->tree.byte_length, end = old_end(b);
	struct view over = VIEW_EMPTY;

	if (at < end) {
		over = view_sub(
		    v, 0, v.len < end - at ? v.len : (size_t)(end - at));
		buf_append(&b->overlap, over);
		if (b->overlap.failed == ERR_LIMIT)
			return err_set(e, ERR_LIMIT,
			    "core %s: more than %u bytes in the place of "
			    "truncated ones; commit the truncation first",
			    b->core->name, CORE_OVERLAP_MAX);
		if (b->overlap.failed != ERR_OK)
			return err_nomem(e);
	}
	v = view_sub(v, over.len, v.len - over.len);
	return v.len == 0 ? ERR_OK : put_tail(b, v, e);
}

static enum err_code
put_nodes(
    struct core_batch *b, const struct node *n, size_t count, struct err *e)
{
	uint8_t *page;
	enum err_code rc;

	for (size_t i = 0; i < count; i++) {
		rc =
		    pages_get(&b->nodes, n[i].index / NODES_PER_PAGE, &page, e);
		if (rc != ERR_OK)
			return rc;
		slot_put_node(page, &n[i]);
	}
	return ERR_OK;
}

static enum err_code
broken(const struct core_batch *b, struct err *e)
{
	return err_set(e, b->failed, "an earlier append to this batch failed");
}

enum err_code
core_batch_append_hashed(struct core_batch *b, struct view block,
    const struct b32 *leaf, uint64_t *index, struct err *e)
{
	struct node made[FLAT_ROOTS_MAX];
	uint64_t at = b->tree.byte_length;
	size_t n;
	enum err_code rc;

	if (b->failed != ERR_OK)
		return broken(b, e);
	if (block.len > CORE_BLOCK_MAX)
		return err_set(e, ERR_LIMIT,
		    "Appended block exceeds the maximum suggested block size");
	if (!ARR_RESERVE(b->offset, b->noffset + 1, b->cap))
		return err_nomem(e);
	rc = b->mode == CORE_BATCH_REAL ? put_bytes(b, block, e) : ERR_OK;
	if (rc == ERR_OK) {
		n = tree_append(&b->tree, block.len, leaf, made);
		rc = put_nodes(b, made, n, e);
	}
	if (rc != ERR_OK) {
		b->failed = rc;
		return rc;
	}
	b->offset[b->noffset++] = at;
	if (index != NULL)
		*index = b->tree.length - 1;
	return ERR_OK;
}

enum err_code
core_batch_append(
    struct core_batch *b, struct view block, uint64_t *index, struct err *e)
{
	struct b32 leaf;

	if (block.len <= CORE_BLOCK_MAX)
		hash_leaf(&leaf, block);
	else
		memset(&leaf, 0, sizeof(leaf));
	return core_batch_append_hashed(b, block, &leaf, index, e);
}

/* -- truncate ------------------------------------------------------------- */

enum err_code
core_batch_truncate(struct core_batch *b, uint64_t length, struct err *e)
{
	struct tree tree;
	struct want w;
	enum err_code rc;

	if (b->failed != ERR_OK)
		return broken(b, e);
	if (length > b->tree.length)
		return err_set(e, ERR_LIMIT, "Bad truncation length");
	if (b->noffset != 0 || b->truncated)
		return err_set(e, ERR_INVALID,
		    "a batch is truncated once, and before it is appended to");
	tree_init(&tree);
	if (b->core != NULL) {
		rc = core_tree_at(b->core, length, &tree, &w, e);
		if (rc != ERR_OK)
			return rc;
		rc = core_cut_nodes(&b->nodes, length, b->core->head.length, e);
		if (rc != ERR_OK) {
			pages_reset(&b->nodes);
			return rc;
		}
	}
	b->tree = tree;
	b->base = tree.length;
	b->base_bytes = tree.byte_length;
	b->truncated = true;
	b->fork++;
	return ERR_OK;
}

/* -- questions ------------------------------------------------------------ */

uint64_t
core_batch_length(const struct core_batch *b)
{
	return b->tree.length;
}

uint64_t
core_batch_byte_length(const struct core_batch *b)
{
	return b->tree.byte_length;
}

uint64_t
core_batch_fork(const struct core_batch *b)
{
	return b->fork;
}

void
core_batch_tree_hash(const struct core_batch *b, struct b32 *out)
{
	tree_hash(&b->tree, out);
}

static enum err_code
beyond(const struct core_batch *b, uint64_t index, struct err *e)
{
	return err_set(e, ERR_LIMIT,
	    "block %llu is beyond the batch's length %llu",
	    (unsigned long long)index, (unsigned long long)b->tree.length);
}

enum err_code
core_batch_offset(struct core_batch *b, uint64_t index, uint64_t *offset,
    struct want *w, struct err *e)
{
	if (index > b->tree.length)
		return beyond(b, index, e);
	if (index == b->tree.length)
		*offset = b->tree.byte_length;
	else if (index >= b->base)
		*offset = b->offset[index - b->base];
	else
		return core_offset(b->core, index, offset, w, e);
	return ERR_OK;
}

enum err_code
core_batch_leaf(struct core_batch *b, uint64_t index, struct node *out,
    struct want *w, struct err *e)
{
	const uint8_t *page;

	if (index >= b->tree.length)
		return beyond(b, index, e);
	if (index < b->base)
		return core_node(b->core, 2 * index, out, w, e);
	page = pages_peek(&b->nodes, 2 * index / NODES_PER_PAGE);
	if (page == NULL || !slot_node(page, 2 * index, out))
		bug("a pending block has no leaf");
	return ERR_OK;
}

/* Pending bytes [at, at + n) of the log to p. */
static enum err_code
read_pending(
    struct core_batch *b, uint8_t *p, size_t n, uint64_t at, struct err *e)
{
	uint64_t end = b->base_bytes + b->overlap.len;
	size_t part = 0;
	enum err_code rc;

	if (at < end) {
		part = n < end - at ? n : (size_t)(end - at);
		memcpy(p, b->overlap.data + (at - b->base_bytes), part);
		p += part, n -= part, at += part;
	}
	if (n > 0 && at < b->tail_at) {
		part = n < b->tail_at - at ? n : (size_t)(b->tail_at - at);
		rc = blockfile_read(b->core->file, p, part, at, e);
		if (rc != ERR_OK)
			return rc;
		p += part, n -= part, at += part;
	}
	if (n > 0)
		memcpy(p, b->tail.data + (at - b->tail_at), n);
	return ERR_OK;
}

enum err_code
core_batch_get(struct core_batch *b, uint64_t index, struct buf *out,
    struct want *w, struct err *e)
{
	uint64_t at, end;
	size_t before = out->len;
	uint8_t *p;
	enum err_code rc;

	if (index >= b->tree.length)
		return beyond(b, index, e);
	if (index < b->base)
		return core_get(b->core, index, out, w, e);
	if (index >= b->lent_from && index < b->lent_to)
		return core_get(b->lender, index, out, w, e);
	if (b->mode == CORE_BATCH_DRY)
		return err_set(e, ERR_UNSUPPORTED,
		    "a dry batch does not keep bytes (block %llu)",
		    (unsigned long long)index);
	at = b->offset[index - b->base];
	end = index + 1 == b->tree.length ? b->tree.byte_length
					  : b->offset[index - b->base + 1];
	if (end == at)
		return ERR_OK;
	p = buf_extend(out, (size_t)(end - at));
	if (p == NULL)
		return buf_check(out, e);
	if ((rc = read_pending(b, p, (size_t)(end - at), at, e)) != ERR_OK)
		out->len = before;
	return rc;
}
