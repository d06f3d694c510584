#include "bee/tree.h"

#include <inttypes.h>

#include "codec/z32.h"

/* A reader starts over from the root when its nodes take more than this:
 * room for some 100,000 levels, so an ordinary drive never meets it. */
#define TRIM_AT ((size_t)32 << 20)

void
bee_tree_init(struct bee_tree *t, enum bee_tree_use use, struct core *c,
    struct core_batch *cb)
{
	*t = (struct bee_tree){.use = use, .core = c, .batch = cb};
	bee_arena_init(&t->arena);
	buf_init(&t->block, CORE_BLOCK_MAX);
}

void
bee_tree_deinit(struct bee_tree *t)
{
	bee_arena_deinit(&t->arena);
	buf_deinit(&t->block);
	t->root = NULL;
}

void
bee_tree_trim(struct bee_tree *t)
{
	if (t->pins > 0 || t->arena.total < TRIM_AT)
		return;
	bee_arena_reset(&t->arena);
	t->root = NULL;
	t->generation++;
}

enum err_code
bee_tree_wrap(const struct bee_tree *t, uint64_t seq, struct err *e)
{
	char name[Z32_KEY_LEN + 1];

	if (e == NULL)
		return ERR_FORMAT;
	if (t->core == NULL)
		return err_wrap(e, "new core: block %" PRIu64, seq);
	return err_wrap(e, "core %s: block %" PRIu64,
	    z32_key(name, core_key(t->core)), seq);
}

enum err_code
bee_tree_fault(
    const struct bee_tree *t, uint64_t seq, struct err *e, const char *why)
{
	enum err_code rc = err_set(e, ERR_FORMAT, "bee level: %s", why);

	return rc == ERR_OK ? rc : bee_tree_wrap(t, seq, e);
}

enum err_code
bee_tree_block(struct bee_tree *t, uint64_t seq, struct buf *mem,
    struct bee_block *out, struct want *w, struct err *e)
{
	enum err_code rc;

	buf_reset(mem);
	if (t->batch != NULL)
		rc = core_batch_get(t->batch, seq, mem, w, e);
	else
		rc = core_get(t->core, seq, mem, w, e);
	if (rc != ERR_OK)
		return rc;
	if (bee_block_decode(out, buf_view(mem), e) != ERR_OK)
		return bee_tree_wrap(t, seq, e);
	return ERR_OK;
}

/* The rules of tree.h; NULL if the level keeps them all. */
static const char *
level_fault(const struct bee_level *l, uint64_t seq, uint64_t offset)
{
	if (l->nchildren != 0 && l->nchildren != l->nkeys + 1)
		return "wrong number of children";
	if (l->nkeys == 0 && l->nchildren != 0)
		return "children without keys";
	for (size_t i = 0; i < l->nkeys; i++)
		if (l->key[i] == 0 || l->key[i] > seq)
			return "key outside the tree's blocks";
	for (size_t i = 0; i < l->nchildren; i++) {
		if (l->child[i].seq == 0 || l->child[i].seq > seq)
			return "child outside the tree's blocks";
		if (l->child[i].seq == seq && l->child[i].offset == offset)
			return "a node is its own child";
	}
	return NULL;
}

static struct bee_node *
new_node(struct bee_tree *t, size_t nkeys, size_t nchildren)
{
	struct bee_node *n = bee_arena_alloc(&t->arena, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->key = bee_arena_alloc(&t->arena, nkeys * sizeof(*n->key));
	n->child = bee_arena_alloc(&t->arena, nchildren * sizeof(*n->child));
	return n->key == NULL || n->child == NULL ? NULL : n;
}

struct bee_node *
bee_tree_new_node(struct bee_tree *t)
{
	struct bee_node *n = new_node(t, BEE_FULL, BEE_FULL + 1);

	if (n != NULL)
		n->changed = true;
	return n;
}

static struct bee_node *
node_of_level(struct bee_tree *t, const struct bee_level *l, uint64_t seq)
{
	bool write = t->use == BEE_TREE_WRITE;
	struct bee_child *child;
	struct bee_node *n;

	n = new_node(t, write ? BEE_FULL : l->nkeys,
	    write ? BEE_FULL + 1 : l->nchildren);
	child =
	    bee_arena_alloc(&t->arena, l->nchildren * sizeof(struct bee_child));
	if (n == NULL || child == NULL)
		return NULL;
	n->seq = seq;
	n->nkeys = l->nkeys;
	n->nchildren = l->nchildren;
	for (size_t i = 0; i < l->nkeys; i++)
		n->key[i].seq = l->key[i];
	for (size_t i = 0; i < l->nchildren; i++) {
		child[i].seq = l->child[i].seq;
		child[i].offset = l->child[i].offset;
		n->child[i] = &child[i];
	}
	return n;
}

static enum err_code
load(struct bee_tree *t, uint64_t seq, uint64_t offset, struct bee_node **out,
    struct want *w, struct err *e)
{
	struct bee_level level;
	struct bee_block block;
	struct bee_node *n;
	const char *why;
	enum err_code rc;

	rc = bee_tree_block(t, seq, &t->block, &block, w, e);
	if (rc != ERR_OK)
		return rc;
	if (offset >= block.nlevels)
		return bee_tree_fault(t, seq, e, "it is not there");
	if (bee_block_level(&block, (size_t)offset, &level, e) != ERR_OK)
		return bee_tree_wrap(t, seq, e);
	if ((why = level_fault(&level, seq, offset)) != NULL)
		return bee_tree_fault(t, seq, e, why);
	if (t->use == BEE_TREE_WRITE && level.nkeys >= BEE_FULL)
		return bee_tree_fault(t, seq, e, "too many keys to change it");
	if ((n = node_of_level(t, &level, seq)) == NULL)
		return err_nomem(e);
	*out = n;
	return ERR_OK;
}

enum err_code
bee_tree_load_root(
    struct bee_tree *t, uint64_t version, struct want *w, struct err *e)
{
	if (t->root != NULL)
		return ERR_OK;
	return load(t, version - 1, 0, &t->root, w, e);
}

enum err_code
bee_tree_child(struct bee_tree *t, struct bee_node *node, size_t i,
    struct bee_node **out, struct want *w, struct err *e)
{
	struct bee_child *c = node->child[i];
	struct bee_node *n;
	enum err_code rc;

	if (c->node == NULL) {
		if ((rc = load(t, c->seq, c->offset, &n, w, e)) != ERR_OK)
			return rc;
		if (n->nkeys == 0)
			return bee_tree_fault(t, c->seq, e, "child is empty");
		c->node = n;
	}
	*out = c->node;
	return ERR_OK;
}

static enum err_code
load_key(struct bee_tree *t, struct bee_key *k, struct want *w, struct err *e)
{
	struct bee_block block;
	enum err_code rc;

	if (k->bytes.ptr != NULL)
		return ERR_OK;
	rc = bee_tree_block(t, k->seq, &t->block, &block, w, e);
	if (rc != ERR_OK)
		return rc;
	return bee_arena_copy(&t->arena, block.key, &k->bytes) ? ERR_OK
							       : err_nomem(e);
}

enum err_code
bee_tree_search(struct bee_tree *t, struct bee_node *node, struct view key,
    bool *hit, size_t *pos, struct want *w, struct err *e)
{
	size_t lo = 0, hi = node->nkeys;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		enum err_code rc = load_key(t, &node->key[mid], w, e);
		int c;

		if (rc != ERR_OK)
			return rc;
		c = view_cmp(key, node->key[mid].bytes);
		if (c == 0) {
			*hit = true;
			*pos = mid;
			return ERR_OK;
		}
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	*hit = false;
	*pos = lo;
	return ERR_OK;
}

enum err_code
bee_tree_find(struct bee_tree *t, struct view key, struct bee_node **node,
    size_t *pos, struct want *w, struct err *e)
{
	struct bee_node *n = t->root;

	for (unsigned depth = 0; n != NULL; depth++) {
		enum err_code rc;
		bool hit;

		rc = bee_tree_search(t, n, key, &hit, pos, w, e);
		if (rc != ERR_OK)
			return rc;
		if (hit || n->nchildren == 0) {
			*node = hit ? n : NULL;
			return ERR_OK;
		}
		if (depth == BEE_DEPTH_MAX)
			return bee_tree_fault(t, n->seq, e, "tree too deep");
		if ((rc = bee_tree_child(t, n, *pos, &n, w, e)) != ERR_OK)
			return rc;
	}
	*node = NULL;
	return ERR_OK;
}
