#include <string.h>

#include "bee/write.h"

#define KEYS_MIN 4 /* fewer: borrow or merge */

static struct bee_key
take_key(struct bee_node *n, size_t pos)
{
	struct bee_key k = n->key[pos];

	n->nkeys--;
	memmove(
	    &n->key[pos], &n->key[pos + 1], (n->nkeys - pos) * sizeof(*n->key));
	return k;
}

static struct bee_child *
take_child(struct bee_node *n, size_t pos)
{
	struct bee_child *c = n->child[pos];

	n->nchildren--;
	memmove(&n->child[pos], &n->child[pos + 1],
	    (n->nchildren - pos) * sizeof(struct bee_child *));
	return c;
}

/* Follow first (or last) children from `node` to the leaf; each step goes
 * on the path from `depth` on. The leaf is the last one. */
static enum err_code
extend_path(struct bee_batch *b, struct bee_node *node, bool to_first,
    struct want *w, struct err *e)
{
	enum err_code rc;

	while (node->nchildren > 0) {
		size_t pos = to_first ? 0 : node->nchildren - 1;

		if ((rc = bee_path_push(b, node, pos, e)) != ERR_OK)
			return rc;
		rc = bee_tree_child(&b->tree, node, pos, &node, w, e);
		if (rc != ERR_OK)
			return rc;
	}
	return bee_path_push(b, node, to_first ? 0 : node->nkeys - 1, e);
}

/* The path ends at an inner node with the key at `pos`: extend it to the
 * leaf that gives the replacement, the left one unless it is smaller. */
static enum err_code
extend_to_leaf(struct bee_batch *b, size_t pos, struct want *w, struct err *e)
{
	size_t depth = b->depth, left_keys, right_keys;
	struct bee_step *at = &b->path[depth - 1];
	struct bee_node *left, *right;
	enum err_code rc;

	if ((rc = bee_tree_child(&b->tree, at->node, pos, &left, w, e)) !=
		ERR_OK ||
	    (rc = bee_tree_child(&b->tree, at->node, pos + 1, &right, w, e)) !=
		ERR_OK ||
	    (rc = extend_path(b, left, false, w, e)) != ERR_OK)
		return rc;
	left_keys = b->path[b->depth - 1].node->nkeys;
	b->depth = depth;
	if ((rc = extend_path(b, right, true, w, e)) != ERR_OK)
		return rc;
	right_keys = b->path[b->depth - 1].node->nkeys;
	if (left_keys < right_keys) {
		at->pos = pos + 1;
		return ERR_OK;
	}
	b->depth = depth;
	at->pos = pos;
	return extend_path(b, left, false, w, e);
}

struct siblings {
	struct bee_node *left, *right; /* NULL at the edge */
};

static enum err_code
load_siblings(struct bee_batch *b, const struct bee_step *parent,
    struct siblings *s, struct want *w, struct err *e)
{
	struct bee_node *n = parent->node;
	enum err_code rc = ERR_OK;

	s->left = s->right = NULL;
	if (parent->pos > 0)
		rc = bee_tree_child(
		    &b->tree, n, parent->pos - 1, &s->left, w, e);
	if (rc == ERR_OK && parent->pos + 1 < n->nchildren)
		rc = bee_tree_child(
		    &b->tree, n, parent->pos + 1, &s->right, w, e);
	return rc;
}

static bool
can_lend(const struct bee_node *n)
{
	return n != NULL && n->nkeys > KEYS_MIN;
}

/* Load what rebalancing will look at, by going through its motions. A
 * sibling must be of the same kind, else keys would go astray. */
static enum err_code
foresee(struct bee_batch *b, struct want *w, struct err *e)
{
	size_t keys = b->path[b->depth - 1].node->nkeys - 1;

	for (size_t i = b->depth - 1; i > 0 && keys < KEYS_MIN; i--) {
		const struct bee_node *n = b->path[i].node;
		struct siblings s;
		enum err_code rc;

		rc = load_siblings(b, &b->path[i - 1], &s, w, e);
		if (rc != ERR_OK)
			return rc;
		if ((s.left != NULL &&
			(s.left->nchildren == 0) != (n->nchildren == 0)) ||
		    (s.right != NULL &&
			(s.right->nchildren == 0) != (n->nchildren == 0)))
			return bee_tree_fault(
			    &b->tree, n->seq, e, "leaves differ in depth");
		if (can_lend(s.left) || can_lend(s.right))
			break;
		keys = b->path[i - 1].node->nkeys - 1;
	}
	return ERR_OK;
}

static void
borrow_left(struct bee_node *parent, size_t i, struct bee_node *node,
    struct bee_node *left)
{
	left->changed = true;
	memmove(&node->key[1], &node->key[0], node->nkeys * sizeof(*node->key));
	node->key[0] = parent->key[i - 1];
	node->nkeys++;
	if (left->nchildren > 0) {
		memmove(&node->child[1], &node->child[0],
		    node->nchildren * sizeof(struct bee_child *));
		node->child[0] = take_child(left, left->nchildren - 1);
		node->nchildren++;
	}
	parent->key[i - 1] = take_key(left, left->nkeys - 1);
}

static void
borrow_right(struct bee_node *parent, size_t i, struct bee_node *node,
    struct bee_node *right)
{
	right->changed = true;
	node->key[node->nkeys++] = parent->key[i];
	if (right->nchildren > 0)
		node->child[node->nchildren++] = take_child(right, 0);
	parent->key[i] = take_key(right, 0);
}

/* Child i takes in child i + 1 and the key between them. */
static void
merge(struct bee_node *parent, size_t i, struct bee_node *left,
    struct bee_node *right)
{
	left->changed = true;
	left->key[left->nkeys++] = take_key(parent, i);
	memcpy(&left->key[left->nkeys], right->key,
	    right->nkeys * sizeof(*right->key));
	left->nkeys += right->nkeys;
	memcpy(&left->child[left->nchildren], right->child,
	    right->nchildren * sizeof(struct bee_child *));
	left->nchildren += right->nchildren;
	/* 0 tells the flush that no block has this level any more (4.5) */
	take_child(parent, i + 1)->seq = 0;
	parent->changed = true;
}

/* Everything is loaded (foresee): only memory moves from here on. */
static void
rebalance(struct bee_batch *b)
{
	for (size_t d = b->depth - 1; d > 0; d--) {
		struct bee_node *parent = b->path[d - 1].node;
		struct bee_node *node = b->path[d].node;
		size_t i = b->path[d - 1].pos;
		struct bee_node *left, *right;

		if (node->nkeys >= KEYS_MIN)
			return;
		left = i > 0 ? parent->child[i - 1]->node : NULL;
		right = i + 1 < parent->nchildren ? parent->child[i + 1]->node
						  : NULL;
		if (can_lend(left)) {
			borrow_left(parent, i, node, left);
			return;
		}
		if (can_lend(right)) {
			borrow_right(parent, i, node, right);
			return;
		}
		if (left != NULL)
			merge(parent, i - 1, left, node);
		else
			merge(parent, i, node, right);
	}
	if (b->tree.root->nkeys == 0 && b->tree.root->nchildren > 0)
		b->tree.root = b->tree.root->child[0]->node;
}

enum err_code
bee_del_key(struct bee_batch *b, struct view key, bool *found, struct want *w,
    struct err *e)
{
	struct bee_node *n = b->tree.root;
	struct bee_step *leaf;
	size_t pos, hit_depth;
	enum err_code rc;
	bool hit;

	*found = false;
	b->depth = 0;
	for (;;) {
		rc = bee_tree_search(&b->tree, n, key, &hit, &pos, w, e);
		if (rc != ERR_OK ||
		    (rc = bee_path_push(b, n, pos, e)) != ERR_OK)
			return rc;
		if (hit || n->nchildren == 0)
			break;
		if ((rc = bee_tree_child(&b->tree, n, pos, &n, w, e)) != ERR_OK)
			return rc;
	}
	if (!hit)
		return ERR_OK;
	hit_depth = b->depth;
	if (n->nchildren > 0 && (rc = extend_to_leaf(b, pos, w, e)) != ERR_OK)
		return rc;
	if ((rc = foresee(b, w, e)) != ERR_OK)
		return rc;
	*found = true;
	leaf = &b->path[b->depth - 1];
	if (b->depth > hit_depth)
		n->key[pos] = take_key(leaf->node, leaf->pos);
	else
		(void)take_key(n, pos);
	for (size_t i = 0; i < b->depth; i++)
		b->path[i].node->changed = true;
	rebalance(b);
	return ERR_OK;
}
