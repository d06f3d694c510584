#include "bee/iter.h"

#include <stdlib.h>

#define KEY_BYTES_MAX CORE_BLOCK_MAX

/* The bounds of the range in walking order, copied. */
static enum err_code
copy_bounds(struct bee_iter *it, const struct bee_range *r, struct err *e)
{
	bool low_in = r->gt.ptr == NULL, high_in = r->lt.ptr == NULL;
	struct view low = low_in ? r->gte : r->gt;
	struct view high = high_in ? r->lte : r->lt;
	bool up = it->order == BEE_ASCENDING;
	struct view first = up ? low : high, last = up ? high : low;
	struct view all;
	enum err_code rc;

	/* a byte in front keeps the pointer of an empty bound not NULL */
	buf_byte(&it->bounds, 0);
	buf_append(&it->bounds, first);
	buf_append(&it->bounds, last);
	if ((rc = buf_check(&it->bounds, e)) != ERR_OK)
		return rc;
	all = buf_view(&it->bounds);
	if (first.ptr != NULL)
		it->first = view_sub(all, 1, first.len);
	if (last.ptr != NULL)
		it->last = view_sub(all, 1 + first.len, last.len);
	it->first_in = up ? low_in : high_in;
	it->last_in = up ? high_in : low_in;
	return ERR_OK;
}

enum err_code
bee_iter_open(struct bee_iter **out, struct bee *b,
    const struct bee_range *range, struct err *e)
{
	struct bee_iter *it = calloc(1, sizeof(*it));
	enum err_code rc;

	if (it == NULL)
		return err_nomem(e);
	it->bee = b;
	it->order = range->order;
	buf_init(&it->bounds, 2 * (size_t)KEY_BYTES_MAX + 1);
	buf_init(&it->previous, KEY_BYTES_MAX);
	buf_init(&it->block, CORE_BLOCK_MAX);
	if ((rc = copy_bounds(it, range, e)) != ERR_OK) {
		bee_iter_close(it);
		return rc;
	}
	*out = it;
	return ERR_OK;
}

void
bee_iter_close(struct bee_iter *it)
{
	if (it == NULL)
		return;
	buf_deinit(&it->bounds);
	buf_deinit(&it->previous);
	buf_deinit(&it->block);
	free(it);
}

/* cmp(a, b) in walking order. */
static int
compare(const struct bee_iter *it, struct view a, struct view b)
{
	int c = view_cmp(a, b);

	return it->order == BEE_ASCENDING ? c : -c;
}

static ptrdiff_t
last_slot(const struct bee_node *n)
{
	return (ptrdiff_t)n->nkeys * 2;
}

/* To the next slot that exists in this kind of node. */
static void
step(const struct bee_iter *it, struct bee_frame *f)
{
	ptrdiff_t by = it->order == BEE_ASCENDING ? 1 : -1;

	f->slot += f->node->nchildren == 0 ? 2 * by : by;
}

static enum err_code
push(struct bee_iter *it, struct bee_node *n, ptrdiff_t slot, struct err *e)
{
	if (it->depth == BEE_DEPTH_MAX)
		return bee_tree_fault(
		    &it->bee->tree, n->seq, e, "tree too deep");
	it->frame[it->depth++] = (struct bee_frame){n, slot};
	return ERR_OK;
}

static ptrdiff_t
first_slot(const struct bee_iter *it, const struct bee_node *n)
{
	ptrdiff_t leaf = n->nchildren == 0;

	return it->order == BEE_ASCENDING ? leaf : last_slot(n) - leaf;
}

/* Open the path to the first key on the far side of `bound`. */
static enum err_code
seek_bound(struct bee_iter *it, struct view bound, bool inclusive,
    struct want *w, struct err *e)
{
	struct bee_tree *t = &it->bee->tree;
	struct bee_node *n = t->root;
	bool hit;

	for (;;) {
		struct bee_frame *f;
		enum err_code rc;
		size_t pos;

		rc = bee_tree_search(t, n, bound, &hit, &pos, w, e);
		if (rc != ERR_OK || (rc = push(it, n, 0, e)) != ERR_OK)
			return rc;
		f = &it->frame[it->depth - 1];
		f->slot = (ptrdiff_t)pos * 2 + (hit ? 1 : 0);
		if (hit && inclusive)
			return ERR_OK;
		if (n->nchildren == 0 && !hit) {
			/* the gap before key pos */
			f->slot += it->order == BEE_ASCENDING ? 1 : -1;
			return ERR_OK;
		}
		step(it, f);
		if (hit)
			return ERR_OK;
		if ((rc = bee_tree_child(t, n, pos, &n, w, e)) != ERR_OK)
			return rc;
	}
}

static enum err_code
seek(struct bee_iter *it, struct want *w, struct err *e)
{
	struct bee_tree *t = &it->bee->tree;
	enum err_code rc;

	it->depth = 0;
	it->seeked = false;
	it->generation = t->generation;
	if (it->bee->version >= 2) {
		rc = bee_tree_load_root(t, it->bee->version, w, e);
		if (rc != ERR_OK)
			return rc;
		if (it->has_previous)
			rc = seek_bound(
			    it, buf_view(&it->previous), false, w, e);
		else if (it->first.ptr != NULL)
			rc = seek_bound(it, it->first, it->first_in, w, e);
		else
			rc = push(it, t->root, first_slot(it, t->root), e);
		if (rc != ERR_OK)
			return rc;
	}
	it->seeked = true;
	return ERR_OK;
}

static struct bee_frame *
top(struct bee_iter *it)
{
	return &it->frame[it->depth - 1];
}

enum err_code
bee_iter_at(struct bee_iter *it, enum bee_at *at, struct want *w, struct err *e)
{
	enum err_code rc;

	*at = BEE_AT_END;
	if (it->ended)
		return ERR_OK;
	if (!it->seeked || it->generation != it->bee->tree.generation) {
		it->loaded = false;
		if ((rc = seek(it, w, e)) != ERR_OK)
			return rc;
	}
	while (it->depth > 0 &&
	       (top(it)->slot < 0 || top(it)->slot > last_slot(top(it)->node)))
		it->depth--;
	if (it->depth > 0)
		*at = top(it)->slot % 2 != 0 ? BEE_AT_KEY : BEE_AT_CHILD;
	return ERR_OK;
}

const struct bee_child *
bee_iter_child(const struct bee_iter *it)
{
	const struct bee_frame *f = &it->frame[it->depth - 1];

	return f->node->child[f->slot / 2];
}

uint64_t
bee_iter_seq(const struct bee_iter *it)
{
	const struct bee_frame *f = &it->frame[it->depth - 1];

	return f->node->key[f->slot / 2].seq;
}

enum err_code
bee_iter_enter(struct bee_iter *it, struct want *w, struct err *e)
{
	struct bee_frame *f = top(it);
	struct bee_node *child;
	enum err_code rc;

	rc = bee_tree_child(
	    &it->bee->tree, f->node, (size_t)f->slot / 2, &child, w, e);
	if (rc != ERR_OK)
		return rc;
	if ((rc = push(it, child, first_slot(it, child), e)) != ERR_OK)
		return rc;
	step(it, f);
	return ERR_OK;
}

/* Keys ascend strictly (or descend): that also bounds the work a cycle of
 * references can cause, since no key comes twice. */
static enum err_code
check_order(const struct bee_iter *it, struct view key, struct err *e)
{
	bool ok = true;
	int c;

	if (it->has_previous) {
		ok = compare(it, buf_view(&it->previous), key) < 0;
	} else if (it->first.ptr != NULL) {
		c = compare(it, it->first, key);
		ok = c < 0 || (c == 0 && it->first_in);
	}
	if (ok)
		return ERR_OK;
	return bee_tree_fault(
	    &it->bee->tree, bee_iter_seq(it), e, "keys are not in order");
}

enum err_code
bee_iter_load(struct bee_iter *it, bool *in, struct want *w, struct err *e)
{
	uint64_t seq = bee_iter_seq(it);
	struct bee_block block;
	enum err_code rc;
	int c;

	*in = true;
	if (it->loaded)
		return ERR_OK;
	rc = bee_tree_block(&it->bee->tree, seq, &it->block, &block, w, e);
	if (rc != ERR_OK || (rc = check_order(it, block.key, e)) != ERR_OK)
		return rc;
	c = it->last.ptr == NULL ? -1 : compare(it, block.key, it->last);
	if (c > 0 || (c == 0 && !it->last_in)) {
		it->ended = true;
		*in = false;
		return ERR_OK;
	}
	it->entry = (struct bee_entry){seq, block.key, block.value};
	it->loaded = true;
	return ERR_OK;
}

void
bee_iter_skip(struct bee_iter *it)
{
	it->loaded = false;
	step(it, top(it));
}

enum err_code
bee_iter_pass(struct bee_iter *it, struct err *e)
{
	buf_reset(&it->previous);
	buf_append(&it->previous, it->entry.key);
	it->has_previous = true;
	bee_iter_skip(it);
	return buf_check(&it->previous, e);
}

enum err_code
bee_iter_next(struct bee_iter *it, bool *more, struct bee_entry *out,
    struct want *w, struct err *e)
{
	bee_tree_trim(&it->bee->tree);
	for (;;) {
		enum err_code rc;
		enum bee_at at;

		if ((rc = bee_iter_at(it, &at, w, e)) != ERR_OK)
			return rc;
		*more = at != BEE_AT_END;
		if (at == BEE_AT_END)
			return ERR_OK;
		if (at == BEE_AT_CHILD) {
			if ((rc = bee_iter_enter(it, w, e)) != ERR_OK)
				return rc;
			continue;
		}
		rc = bee_iter_load(it, more, w, e);
		if (rc != ERR_OK || !*more)
			return rc;
		*out = it->entry;
		return bee_iter_pass(it, e);
	}
}
