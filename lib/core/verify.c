/* Checking a whole core, and forgetting blocks of it. */
#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "base/bug.h"
#include "core/impl.h"

#define BLOCK_READ_MAX (256u << 20) /* of a replica: larger is no block */

/* -- verify --------------------------------------------------------------- */

static enum err_code
fault(struct core *c, uint64_t flat, const char *what, struct err *e)
{
	return err_set(e, ERR_CORRUPT, "core %s: tree node %llu %s", c->name,
	    (unsigned long long)flat, what);
}

static bool
is_root(const struct core *c, uint64_t flat)
{
	for (size_t i = 0; i < c->tree.nroots; i++)
		if (c->tree.root[i].index == flat)
			return true;
	return false;
}

static enum err_code
verify_parent(struct core *c, const struct node *n, struct err *e)
{
	struct node left, right, sum;
	bool has_left, has_right;
	enum err_code rc;

	rc = core_find_node(c, flat_left_child(n->index), &has_left, &left, e);
	if (rc != ERR_OK)
		return rc;
	rc = core_find_node(
	    c, flat_right_child(n->index), &has_right, &right, e);
	if (rc != ERR_OK)
		return rc;
	if (has_left != has_right)
		return fault(c, n->index, "has one child only", e);
	if (!has_left)
		return ERR_OK;
	node_parent(&sum, &left, &right);
	if (!node_eq(&sum, n))
		return fault(c, n->index, "does not match its children", e);
	return ERR_OK;
}

/* Every node that is here hangs under a root, and parents match. */
static enum err_code
verify_nodes(struct core *c, struct err *e)
{
	struct node n, up;
	bool found;
	enum err_code rc;

	for (uint64_t i = 0; i / 2 < c->head.length; i++) {
		if ((rc = core_find_node(c, i, &found, &n, e)) != ERR_OK)
			return rc;
		if (!found)
			continue;
		if (flat_right_span(i) / 2 >= c->head.length)
			return fault(c, i, "is beyond the head", e);
		if ((i & 1) != 0 && (rc = verify_parent(c, &n, e)) != ERR_OK)
			return rc;
		if (is_root(c, i))
			continue;
		rc = core_find_node(c, flat_parent(i), &found, &up, e);
		if (rc != ERR_OK)
			return rc;
		if (!found)
			return fault(c, i, "has no parent", e);
	}
	return ERR_OK;
}

static enum err_code
verify_blocks(struct core *c, struct err *e)
{
	struct buf b;
	struct want w;
	enum err_code rc = ERR_OK;

	buf_init(&b, BLOCK_READ_MAX);
	for (uint64_t i = 0; i < c->head.length && rc == ERR_OK; i++) {
		if (!core_has(c, i))
			continue;
		buf_reset(&b);
		rc = core_get(c, i, &b, &w, e);
		if (rc == ERR_NEED_BLOCK)
			rc = err_set(e, ERR_CORRUPT,
			    "core %s: block %llu is here without its tree",
			    c->name, (unsigned long long)i);
	}
	buf_deinit(&b);
	return rc;
}

/* The contiguous length is kept beside the bits: they must agree. */
static enum err_code
verify_contiguous(struct core *c, struct err *e)
{
	uint64_t hint = c->head.contiguous, gap;
	enum err_code rc;

	c->head.contiguous = 0;
	rc = core_first_gap(c, 0, &gap, e);
	c->head.contiguous = hint;
	if (rc != ERR_OK || gap == hint)
		return rc;
	return err_set(e, ERR_CORRUPT,
	    "core %s: contiguous length is %llu but the first gap is %llu",
	    c->name, (unsigned long long)hint, (unsigned long long)gap);
}

static enum err_code
verify_signature(struct core *c, struct err *e)
{
	enum err_code rc;

	if (c->head.length == 0)
		return ERR_OK;
	if (!c->has_manifest)
		return err_set(e, ERR_CORRUPT,
		    "core %s: has blocks but no manifest", c->name);
	rc = manifest_verify(&c->manifest, &c->key, &c->tree, c->head.fork,
	    buf_view(&c->signature), e);
	return rc == ERR_OK ? rc : err_wrap(e, "core %s", c->name);
}

enum err_code
core_verify(struct core *c, struct err *e)
{
	bool moved;
	enum err_code rc;

	core_forget_blocks(c);
	if ((rc = core_catch_up(c, &moved, e)) != ERR_OK ||
	    (rc = verify_signature(c, e)) != ERR_OK ||
	    (rc = verify_contiguous(c, e)) != ERR_OK ||
	    (rc = verify_nodes(c, e)) != ERR_OK)
		return rc;
	return verify_blocks(c, e);
}

/* -- clear ---------------------------------------------------------------- */

struct range {
	uint64_t from, to; /* bytes of the log */
};

struct clearing {
	struct pages bits;
	struct range *range;
	size_t n, cap;
};

static enum err_code
clear_one(struct core *c, struct clearing *k, uint64_t i, struct err *e)
{
	struct node leaf;
	struct want w;
	uint64_t at;
	uint8_t *page;
	enum err_code rc;

	if ((rc = core_locate(c, i, &leaf, &at, &w, e)) != ERR_OK ||
	    (rc = pages_get(&k->bits, i / BITS_PER_PAGE, &page, e)) != ERR_OK)
		return rc;
	page[i % BITS_PER_PAGE / 8] &= (uint8_t) ~(1u << (i % 8));
	if (k->n > 0 && k->range[k->n - 1].to == at) {
		k->range[k->n - 1].to += leaf.size;
		return ERR_OK;
	}
	if (!ARR_RESERVE(k->range, k->n + 1, k->cap))
		return err_nomem(e);
	k->range[k->n++] = (struct range){at, at + leaf.size};
	return ERR_OK;
}

static enum err_code
clear_index(
    struct core *c, struct clearing *k, uint64_t contiguous, struct err *e)
{
	struct store_txn *txn;
	struct record r;
	enum err_code rc;

	if ((rc = store_begin(&txn, c->store, e)) != ERR_OK)
		return rc;
	if ((rc = core_record(c, txn, &r, e)) == ERR_OK) {
		r.head.contiguous = contiguous;
		rc = core_put_record(txn, &c->dkey, &r, e);
	}
	if (rc == ERR_OK)
		rc = pages_put(&k->bits, txn, e);
	if (rc != ERR_OK) {
		store_abort(txn);
		return rc;
	}
	if ((rc = store_commit(txn, e)) != ERR_OK)
		return rc;
	c->head.contiguous = contiguous;
	core_forget_pages(c);
	core_forget_blocks(c);
	return ERR_OK;
}

/* Blocks of [start, end) are not here any more; k says where they were. */
static enum err_code
forget_range(struct core *c, struct clearing *k, uint64_t start, uint64_t end,
    struct err *e)
{
	uint64_t contiguous = c->head.contiguous;
	enum err_code rc;

	for (uint64_t i = start; i < end; i++)
		if (core_has(c, i) && (rc = clear_one(c, k, i, e)) != ERR_OK)
			return rc;
	if (k->bits.n == 0)
		return ERR_OK;
	if (contiguous > start)
		contiguous = start;
	return clear_index(c, k, contiguous, e);
}

static enum err_code
clear_range(struct core *c, struct clearing *k, uint64_t start, uint64_t end,
    struct err *e)
{
	enum err_code rc;

	/* First the index forgets, then the bytes go. */
	if ((rc = forget_range(c, k, start, end, e)) != ERR_OK)
		return rc;
	for (size_t i = 0; i < k->n; i++) {
		rc = blockfile_punch(c->file, k->range[i].from,
		    k->range[i].to - k->range[i].from, e);
		if (rc != ERR_OK)
			return rc;
	}
	return ERR_OK;
}

static void
clearing_init(struct clearing *k, struct core *c)
{
	*k = (struct clearing){.range = NULL};
	pages_init(&k->bits, c->store, STORE_BITS, c->number, BITS_PAGE);
}

static void
clearing_deinit(struct clearing *k)
{
	pages_deinit(&k->bits);
	free(k->range);
}

enum err_code
core_clear(struct core *c, uint64_t start, uint64_t end, struct err *e)
{
	struct clearing k;
	enum err_code rc;

	if ((rc = core_changeable(c, e)) != ERR_OK)
		return rc;
	bug_if(c->busy);
	if (end > c->head.length)
		end = c->head.length;
	clearing_init(&k, c);
	rc = clear_range(c, &k, start, end, e);
	clearing_deinit(&k);
	return rc;
}

static enum err_code
is_damaged(struct core *c, uint64_t index, bool *damaged, struct err *e)
{
	static const struct err none = ERR_INIT;
	struct want w = {.kind = WANT_BLOCK};
	struct buf b;
	enum err_code rc;

	*damaged = false;
	if (!core_has(c, index))
		return ERR_OK;
	core_forget_blocks(c);
	buf_init(&b, BLOCK_READ_MAX);
	rc = core_get(c, index, &b, &w, e);
	buf_deinit(&b);
	if (rc != ERR_CORRUPT || w.kind != WANT_REPAIR)
		return rc;
	*damaged = true;
	if (e != NULL)
		*e = none;
	return ERR_OK;
}

enum err_code
core_drop_damaged(struct core *c, uint64_t index, bool *dropped, struct err *e)
{
	struct clearing k;
	bool damaged;
	enum err_code rc;

	*dropped = false;
	if ((rc = core_changeable(c, e)) != ERR_OK)
		return rc;
	bug_if(c->busy);
	if ((rc = is_damaged(c, index, &damaged, e)) != ERR_OK || !damaged)
		return rc;
	clearing_init(&k, c);
	rc = forget_range(c, &k, index, index + 1, e);
	clearing_deinit(&k);
	*dropped = rc == ERR_OK;
	return rc;
}
