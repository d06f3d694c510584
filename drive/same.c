#include "drive/same.h"

#include "drive/need.h"

/* One content being walked: between two blocks, or `at` bytes into one. */
struct side {
	struct core *core;
	struct blobs_list list;
	size_t i;
	struct buf block;
	size_t at;
	bool inside;
};

/* Step over the block at hand if both sides begin one of equal leaf. */
static enum err_code
skip_equal(const struct same_opts *o, struct side *a, struct side *b,
    bool *skipped, bool *same, struct err *e)
{
	struct node left, right;
	enum err_code rc;

	*skipped = false;
	if (a->inside || b->inside || a->i == a->list.n || b->i == b->list.n ||
	    a->list.ref[a->i].size != b->list.ref[b->i].size)
		return ERR_OK;
	rc = need_leaf(a->core, &a->list.ref[a->i], &left, o->fetch, e);
	if (rc == ERR_OK)
		rc =
		    need_leaf(b->core, &b->list.ref[b->i], &right, o->fetch, e);
	if (rc != ERR_OK)
		return rc;
	*skipped = true;
	*same = b32_eq(&left.hash, &right.hash);
	a->i++;
	b->i++;
	return ERR_OK;
}

/* Have bytes at hand; *end if there are none. Blocks may be empty. */
static enum err_code
enter(const struct same_opts *o, struct side *s, bool *end, struct err *e)
{
	enum err_code rc;

	while (!s->inside) {
		if ((*end = s->i == s->list.n))
			return ERR_OK;
		rc = need_get(
		    s->core, s->list.ref[s->i++].index, &s->block, o->fetch, e);
		if (rc != ERR_OK)
			return rc;
		s->at = 0;
		s->inside = s->block.len > 0;
	}
	*end = false;
	return ERR_OK;
}

static void
step(struct side *s, size_t n)
{
	s->at += n;
	s->inside = s->at < s->block.len;
}

static enum err_code
compare_bytes(const struct same_opts *o, struct side *a, struct side *b,
    bool *end, bool *same, struct err *e)
{
	bool enda, endb;
	size_t n, m;
	enum err_code rc;

	if ((rc = enter(o, a, &enda, e)) != ERR_OK ||
	    (rc = enter(o, b, &endb, e)) != ERR_OK)
		return rc;
	*end = enda || endb;
	*same = enda == endb;
	if (*end)
		return ERR_OK;
	n = a->block.len - a->at;
	m = b->block.len - b->at;
	n = n < m ? n : m;
	*same = view_eq(view_sub(buf_view(&a->block), a->at, n),
	    view_sub(buf_view(&b->block), b->at, n));
	step(a, n);
	step(b, n);
	return ERR_OK;
}

static enum err_code
walk(const struct same_opts *o, struct side *a, struct side *b, bool *same,
    struct err *e)
{
	bool end = false, skipped;
	enum err_code rc = ERR_OK;

	*same = true;
	while (rc == ERR_OK && *same && !end) {
		if (o->stop != NULL && o->stop(o->ctx))
			return err_set(e, ERR_INTERRUPTED, "interrupted");
		rc = skip_equal(o, a, b, &skipped, same, e);
		if (rc == ERR_OK && !skipped)
			rc = compare_bytes(o, a, b, &end, same, e);
	}
	return rc;
}

enum err_code
same_content(const struct same_opts *o, const struct same_side *left,
    const struct same_side *right, bool *same, struct err *e)
{
	struct side a = {.core = left->core}, b = {.core = right->core};
	enum err_code rc;

	buf_init(&a.block, CORE_BLOCK_MAX);
	buf_init(&b.block, CORE_BLOCK_MAX);
	rc = need_list(a.core, left->id, &a.list, o->fetch, e);
	if (rc == ERR_OK)
		rc = need_list(b.core, right->id, &b.list, o->fetch, e);
	if (rc == ERR_OK)
		rc = walk(o, &a, &b, same, e);
	blobs_list_deinit(&a.list);
	blobs_list_deinit(&b.list);
	buf_deinit(&a.block);
	buf_deinit(&b.block);
	return rc;
}
