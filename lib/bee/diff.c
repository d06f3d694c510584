#include <stdlib.h>

#include "bee/iter.h"

/*
 * Two walks of one core, side by side. Whatever both have next and refer to
 * by the same place in the core is the same, and is passed unread: a key
 * with the same block, a child with the same block and level. Taking equal
 * pieces from the front of both never changes the difference, so this holds
 * wherever the two walks stand.
 */
struct bee_diff {
	struct bee_iter *left, *right;
	ptrdiff_t left_height, right_height;
	bool measured;
};

enum err_code
bee_diff_open(struct bee_diff **out, struct bee *left, struct bee *right,
    const struct bee_range *range, struct err *e)
{
	struct bee_diff *d;
	enum err_code rc;

	if (!b32_eq(core_key(left->tree.core), core_key(right->tree.core)))
		return err_set(
		    e, ERR_INVALID, "only versions of one core compare");
	if ((d = calloc(1, sizeof(*d))) == NULL)
		return err_nomem(e);
	if ((rc = bee_iter_open(&d->left, left, range, e)) != ERR_OK ||
	    (rc = bee_iter_open(&d->right, right, range, e)) != ERR_OK) {
		bee_iter_close(d->left);
		free(d);
		return rc;
	}
	/* passed pieces leave no key behind to seek from */
	left->tree.pins++;
	right->tree.pins++;
	*out = d;
	return ERR_OK;
}

void
bee_diff_close(struct bee_diff *d)
{
	if (d == NULL)
		return;
	d->left->bee->tree.pins--;
	d->right->bee->tree.pins--;
	bee_iter_close(d->left);
	bee_iter_close(d->right);
	free(d);
}

static bool
same_child(const struct bee_diff *d)
{
	const struct bee_child *l = bee_iter_child(d->left);
	const struct bee_child *r = bee_iter_child(d->right);

	return l->seq == r->seq && l->offset == r->offset;
}

/* Levels below a root. All leaves of a sound tree lie equally deep; in any
 * other tree this is only a guess, and then more is read. */
static enum err_code
measure(struct bee *b, ptrdiff_t *height, struct want *w, struct err *e)
{
	struct bee_tree *t = &b->tree;
	struct bee_node *n;
	enum err_code rc;

	*height = 0;
	if (b->version < 2)
		return ERR_OK;
	if ((rc = bee_tree_load_root(t, b->version, w, e)) != ERR_OK)
		return rc;
	for (n = t->root; n->nchildren > 0; ++*height) {
		if (*height == BEE_DEPTH_MAX)
			return bee_tree_fault(t, n->seq, e, "tree too deep");
		if ((rc = bee_tree_child(t, n, 0, &n, w, e)) != ERR_OK)
			return rc;
	}
	return ERR_OK;
}

struct ends {
	enum bee_at left, right;
};

/* At least one side stands before a child: pass or enter. */
static enum err_code
descend(struct bee_diff *d, struct ends at, struct want *w, struct err *e)
{
	ptrdiff_t left, right;

	if (at.left != BEE_AT_CHILD)
		return bee_iter_enter(d->right, w, e);
	if (at.right != BEE_AT_CHILD)
		return bee_iter_enter(d->left, w, e);
	if (same_child(d)) {
		bee_iter_skip(d->left);
		bee_iter_skip(d->right);
		return ERR_OK;
	}
	/* the taller piece: equal pieces then meet at equal height */
	left = d->left_height - (ptrdiff_t)d->left->depth;
	right = d->right_height - (ptrdiff_t)d->right->depth;
	return bee_iter_enter(left >= right ? d->left : d->right, w, e);
}

/* Both sides stand before a key or the end; *found if they differ. Sides
 * that are part of the answer are passed. */
static enum err_code
compare(struct bee_diff *d, struct ends at, struct bee_entry *left,
    struct bee_entry *right, bool *found, struct want *w, struct err *e)
{
	bool l = at.left == BEE_AT_KEY, r = at.right == BEE_AT_KEY;
	enum err_code rc;
	int c;

	if (l && r && bee_iter_seq(d->left) == bee_iter_seq(d->right)) {
		bee_iter_skip(d->left);
		bee_iter_skip(d->right);
		return ERR_OK;
	}
	if (l && (rc = bee_iter_load(d->left, &l, w, e)) != ERR_OK)
		return rc;
	if (r && (rc = bee_iter_load(d->right, &r, w, e)) != ERR_OK)
		return rc;
	if (l && r) {
		c = view_cmp(d->left->entry.key, d->right->entry.key);
		if (d->left->order == BEE_DESCENDING)
			c = -c;
		l = c <= 0;
		r = c >= 0;
	}
	*found = l || r;
	*left = l ? d->left->entry : (struct bee_entry){.seq = 0};
	*right = r ? d->right->entry : (struct bee_entry){.seq = 0};
	if (l && (rc = bee_iter_pass(d->left, e)) != ERR_OK)
		return rc;
	return r ? bee_iter_pass(d->right, e) : ERR_OK;
}

enum err_code
bee_diff_next(struct bee_diff *d, bool *more, struct bee_entry *left,
    struct bee_entry *right, struct want *w, struct err *e)
{
	enum err_code rc;

	*more = false;
	if (!d->measured) {
		if ((rc = measure(d->left->bee, &d->left_height, w, e)) !=
			ERR_OK ||
		    (rc = measure(d->right->bee, &d->right_height, w, e)) !=
			ERR_OK)
			return rc;
		d->measured = true;
	}
	while (!*more) {
		struct ends at;

		if ((rc = bee_iter_at(d->left, &at.left, w, e)) != ERR_OK ||
		    (rc = bee_iter_at(d->right, &at.right, w, e)) != ERR_OK)
			return rc;
		if (at.left == BEE_AT_END && at.right == BEE_AT_END)
			return ERR_OK;
		if (at.left == BEE_AT_CHILD || at.right == BEE_AT_CHILD)
			rc = descend(d, at, w, e);
		else
			rc = compare(d, at, left, right, more, w, e);
		if (rc != ERR_OK)
			return rc;
	}
	return ERR_OK;
}
