#include <string.h>

#include "bee/write.h"

enum err_code
bee_path_push(
    struct bee_batch *b, struct bee_node *node, size_t pos, struct err *e)
{
	if (b->depth == BEE_DEPTH_MAX)
		return bee_tree_fault(&b->tree, node->seq, e, "tree too deep");
	b->path[b->depth++] = (struct bee_step){node, pos};
	return ERR_OK;
}

/* Down to the key or to the leaf it belongs into. */
static enum err_code
descend(struct bee_batch *b, struct view key, bool *hit, struct want *w,
    struct err *e)
{
	struct bee_node *n = b->tree.root;

	b->depth = 0;
	for (;;) {
		enum err_code rc;
		size_t pos;

		rc = bee_tree_search(&b->tree, n, key, hit, &pos, w, e);
		if (rc != ERR_OK ||
		    (rc = bee_path_push(b, n, pos, e)) != ERR_OK)
			return rc;
		if (*hit || n->nchildren == 0)
			return ERR_OK;
		if ((rc = bee_tree_child(&b->tree, n, pos, &n, w, e)) != ERR_OK)
			return rc;
	}
}

static void
insert_key(struct bee_node *n, size_t pos, struct bee_key key)
{
	memmove(
	    &n->key[pos + 1], &n->key[pos], (n->nkeys - pos) * sizeof(*n->key));
	n->key[pos] = key;
	n->nkeys++;
	n->changed = true;
}

static void
insert_child(struct bee_node *n, size_t pos, struct bee_child *child)
{
	memmove(&n->child[pos + 1], &n->child[pos],
	    (n->nchildren - pos) * sizeof(*n->child));
	n->child[pos] = child;
	n->nchildren++;
}

/* Cut a full node: it keeps the lower half, `right` gets the upper one, the
 * key between them goes up. */
static struct bee_key
split(struct bee_node *left, struct bee_node *right)
{
	size_t half = left->nkeys / 2;
	size_t keep = left->nkeys - half;

	memcpy(right->key, &left->key[keep], half * sizeof(*left->key));
	right->nkeys = half;
	left->nkeys = keep - 1;
	if (left->nchildren > 0) {
		memcpy(right->child, &left->child[keep],
		    (half + 1) * sizeof(struct bee_child *));
		right->nchildren = half + 1;
		left->nchildren = keep;
	}
	left->changed = true;
	return left->key[keep - 1];
}

static struct bee_child *
new_child(struct bee_batch *b, struct bee_node *node)
{
	struct bee_child *c = bee_arena_alloc(&b->tree.arena, sizeof(*c));

	if (c != NULL)
		c->node = node;
	return c;
}

/* A root above two halves. */
static enum err_code
grow(struct bee_batch *b, struct bee_node *left, struct bee_key median,
    struct bee_child *right, struct err *e)
{
	struct bee_node *root = bee_tree_new_node(&b->tree);
	struct bee_child *child = new_child(b, left);

	if (root == NULL || child == NULL)
		return err_nomem(e);
	insert_key(root, 0, median);
	insert_child(root, 0, child);
	insert_child(root, 1, right);
	b->tree.root = root;
	return ERR_OK;
}

static enum err_code
split_up(struct bee_batch *b, struct err *e)
{
	size_t i = b->depth - 1;

	while (b->path[i].node->nkeys == BEE_FULL) {
		struct bee_node *left = b->path[i].node;
		struct bee_node *right = bee_tree_new_node(&b->tree);
		struct bee_child *child = new_child(b, right);
		struct bee_key median;

		if (right == NULL || child == NULL)
			return err_nomem(e);
		median = split(left, right);
		if (i == 0)
			return grow(b, left, median, child, e);
		i--;
		insert_key(b->path[i].node, b->path[i].pos, median);
		insert_child(b->path[i].node, b->path[i].pos + 1, child);
	}
	return ERR_OK;
}

enum err_code
bee_put_key(
    struct bee_batch *b, struct bee_key key, struct want *w, struct err *e)
{
	struct bee_step *end;
	enum err_code rc;
	bool hit;

	if ((rc = descend(b, key.bytes, &hit, w, e)) != ERR_OK)
		return rc;
	for (size_t i = 0; i < b->depth; i++)
		b->path[i].node->changed = true;
	end = &b->path[b->depth - 1];
	if (hit) {
		end->node->key[end->pos] = key;
		return ERR_OK;
	}
	insert_key(end->node, end->pos, key);
	if ((rc = split_up(b, e)) != ERR_OK)
		b->broken = rc;
	return rc;
}
