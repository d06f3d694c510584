/* Answering requests (network.md 6.3). */
#include <string.h>

#include "core/impl.h"
#include "core/proof.h"

struct maker {
	struct core *c;
	const struct core_request *q;
	struct core_proof *out;
	struct want *w;
	struct err *e;
	bool has_target;	 /* a block or a hash is asked for */
	uint64_t target;	 /* its flat index */
	uint64_t last_block;	 /* the last block below the target */
	struct core_nodes *path; /* of the target */
	bool path_made, seek_made;
};

static bool
covers(uint64_t flat, uint64_t index)
{
	return flat_left_span(flat) <= index && index <= flat_right_span(flat);
}

static enum err_code
refuse(struct maker *m, const char *why)
{
	return err_set(
	    m->e, ERR_INVALID, "request for core %s: %s", m->c->name, why);
}

static enum err_code
push(struct maker *m, struct core_nodes *list, uint64_t flat)
{
	enum err_code rc;

	if (flat_right_span(flat) / 2 >= m->c->head.length)
		return refuse(m, "beyond the head");
	if (list->n == CORE_PROOF_NODES_MAX)
		return refuse(m, "too many nodes");
	rc = core_node(m->c, flat, &list->node[list->n], m->w, m->e);
	if (rc == ERR_OK)
		list->n++;
	return rc;
}

/* -- seeks ---------------------------------------------------------------- */

/* Bytes of a node that count, `padding` less for each block below. */
static uint64_t
unpadded(const struct node *n, uint64_t padding)
{
	uint64_t blocks =
	    flat_right_span(n->index) / 2 - flat_left_span(n->index) / 2 + 1;

	if (padding == 0)
		return n->size;
	return blocks > n->size / padding ? 0 : n->size - blocks * padding;
}

/* The highest node that begins at byte `bytes` of root, or as near as the
 * nodes that are here lead. */
static enum err_code
seek_down(struct maker *m, uint64_t root, uint64_t bytes, uint64_t *found)
{
	uint64_t at = root, size;
	struct node left;
	bool here;
	enum err_code rc;

	while (bytes != 0 && (at & 1) != 0) {
		rc = core_find_node(
		    m->c, flat_left_child(at), &here, &left, m->e);
		if (rc != ERR_OK)
			return rc;
		if (!here)
			break;
		size = unpadded(&left, m->q->seek_padding);
		at = size >= bytes ? left.index : flat_right_child(at);
		if (size == bytes)
			break;
		if (size < bytes)
			bytes -= size;
	}
	*found = at;
	return ERR_OK;
}

/* Over the roots of length; 2 * length if the byte is behind them. */
static enum err_code
seek_roots(struct maker *m, uint64_t length, uint64_t *found)
{
	uint64_t root[FLAT_ROOTS_MAX], bytes = m->q->seek_bytes, size;
	size_t n = flat_roots(length, root);
	struct node node;
	enum err_code rc;

	*found = 2 * length;
	for (size_t i = 0; i < n; i++) {
		rc = core_node(m->c, root[i], &node, m->w, m->e);
		if (rc != ERR_OK)
			return rc;
		size = unpadded(&node, m->q->seek_padding);
		if (bytes == size) {
			*found = root[i];
			return ERR_OK;
		}
		if (bytes < size)
			return seek_down(m, root[i], bytes, found);
		bytes -= size;
	}
	return ERR_OK;
}

/* Inside one subtree; ERR_INVALID if the byte is elsewhere. */
static enum err_code
seek_subtree(struct maker *m, uint64_t root, uint64_t *found)
{
	uint64_t bytes = m->q->seek_bytes, offset, before;
	struct node node;
	enum err_code rc;

	if (flat_right_span(root) / 2 >= m->c->head.length)
		return refuse(m, "beyond the head");
	/* hypercore@11.37.1 knows byte offsets below the first root only;
	 * elsewhere it answers as if nothing was sought. So do we: both
	 * sides ask again with what they learned. */
	*found = root;
	if (!covers(m->c->tree.root[0].index, root))
		return ERR_OK;
	before = flat_left_span(root) / 2;
	rc = core_offset(m->c, before, &offset, m->w, m->e);
	if (rc != ERR_OK)
		return rc;
	if (m->q->seek_padding != 0)
		offset = before > offset / m->q->seek_padding
			     ? 0
			     : offset - before * m->q->seek_padding;
	if (offset > bytes)
		return refuse(m, "the seek is left of its subtree");
	if (offset == bytes)
		return ERR_OK;
	if ((rc = core_node(m->c, root, &node, m->w, m->e)) != ERR_OK)
		return rc;
	if (unpadded(&node, m->q->seek_padding) <= bytes - offset)
		return refuse(m, "the seek is right of its subtree");
	return seek_down(m, root, bytes - offset, found);
}

/* -- paths ---------------------------------------------------------------- */

static enum err_code
seek_path(struct maker *m, uint64_t from, uint64_t root)
{
	enum err_code rc;

	m->seek_made = true;
	rc = push(m, &m->out->seek_nodes, from);
	for (; rc == ERR_OK && from != root; from = flat_parent(from))
		rc = push(m, &m->out->seek_nodes, flat_sibling(from));
	return rc;
}

/* From the target up to root. The sibling that holds the seek's node is not
 * sent: the seek's own path ends there. */
static enum err_code
target_path(struct maker *m, bool seek, uint64_t seek_root, uint64_t root)
{
	uint64_t at = m->target, sibling;
	enum err_code rc = ERR_OK;

	if (!covers(root, at))
		return refuse(m, "the node is not in the upgrade");
	m->path_made = true;
	if (m->q->has_hash && !m->q->has_block)
		rc = push(m, m->path, at);
	for (; rc == ERR_OK && at != root; at = flat_parent(at)) {
		sibling = flat_sibling(at);
		if (seek && covers(sibling, seek_root) && sibling != seek_root)
			rc = seek_path(m, seek_root, sibling);
		else
			rc = push(m, m->path, sibling);
	}
	return rc;
}

/* `nodes` levels up from the target, not reaching 2 * length = to. */
static enum err_code
sub_root(struct maker *m, uint64_t nodes, uint64_t to, uint64_t *root)
{
	uint64_t at = m->target;

	if (m->last_block >= m->c->head.length)
		return refuse(m, "beyond the head");
	for (; nodes > 0; nodes--) {
		at = flat_parent(at);
		if (covers(at, to))
			return refuse(m, "nodes is out of bounds");
	}
	*root = at;
	return ERR_OK;
}

/* -- upgrades ------------------------------------------------------------- */

/* One node of an upgrade; where it holds the subtree that is asked for, the
 * path to that takes its place. */
static enum err_code
upgrade_node(struct maker *m, struct core_nodes *list, uint64_t flat,
    const uint64_t *sub)
{
	if (sub == NULL || m->path_made || m->seek_made || !covers(flat, *sub))
		return push(m, list, flat);
	if (m->has_target)
		return target_path(m, false, 0, flat);
	return seek_path(m, *sub, flat);
}

/* What leads from length a to b (lengths in blocks): data-formats 3.3. */
static enum err_code
upgrade_nodes(struct maker *m, struct core_nodes *list, uint64_t a, uint64_t b,
    const uint64_t *sub)
{
	uint64_t set[TREE_UPGRADE_MAX];
	size_t n = tree_upgrade_set(a, b, set);
	enum err_code rc = ERR_OK;

	for (size_t i = 0; i < n && rc == ERR_OK; i++)
		rc = upgrade_node(m, list, set[i], sub);
	return rc;
}

static enum err_code
put_upgrade(struct maker *m, uint64_t start, uint64_t end, const uint64_t *sub)
{
	struct core_proof *p = m->out;
	enum err_code rc;

	p->has_upgrade = true;
	p->upgrade_start = start;
	p->upgrade_length = end - start;
	rc = upgrade_nodes(m, &p->upgrade_nodes, start, end, sub);
	if (rc == ERR_OK && end < m->c->head.length)
		rc = upgrade_nodes(
		    m, &p->additional_nodes, end, m->c->head.length, NULL);
	p->signature = core_signature(m->c);
	return rc;
}

/* -- the whole ------------------------------------------------------------ */

static enum err_code
read_request(struct maker *m, uint64_t *start, uint64_t *end)
{
	const struct core_request *q = m->q;
	const uint64_t max = UINT64_C(1) << 53;
	uint64_t prologue = m->c->has_manifest && m->c->manifest.has_prologue
				? m->c->manifest.prologue_length
				: 0;

	*start = 0;
	*end = m->c->head.length;
	if (q->has_block && q->has_hash)
		return refuse(m, "block and hash together");
	if (q->block_index >= max || q->hash_index >= 2 * max ||
	    q->upgrade_start >= max || q->upgrade_length >= max)
		return refuse(m, "a number is too large");
	m->has_target = q->has_block || q->has_hash;
	m->target = q->has_block ? 2 * q->block_index : q->hash_index;
	m->last_block = flat_right_span(m->target) / 2;
	m->path = q->has_block ? &m->out->block_nodes : &m->out->hash_nodes;
	if (q->has_upgrade) {
		*start = q->upgrade_start;
		*end = q->upgrade_start + q->upgrade_length;
		/* A prologue is proven in one piece. */
		if (*start < prologue) {
			*start = 0;
			*end = prologue;
		}
	}
	if (*start >= *end || *end > m->c->head.length)
		return refuse(m, "no such upgrade");
	if (q->has_seek && q->has_upgrade && m->has_target &&
	    m->target >= 2 * *start)
		return refuse(m, "seek and new block in one upgrade");
	if (!m->has_target && !q->has_upgrade && q->has_seek)
		return refuse(m, "a seek needs a hash, a block or an upgrade");
	return ERR_OK;
}

/* The target lies in what the asker has already. */
static enum err_code
old_target(struct maker *m, uint64_t end)
{
	uint64_t nodes = m->q->has_block ? m->q->block_nodes : m->q->hash_nodes;
	uint64_t root = 0, seek = 0;
	enum err_code rc;

	rc = sub_root(m, nodes, 2 * end, &root);
	if (rc == ERR_OK && m->q->has_seek)
		rc = seek_subtree(m, root, &seek);
	return rc == ERR_OK ? target_path(m, m->q->has_seek, seek, root) : rc;
}

static enum err_code
put_parts(struct maker *m, uint64_t start, uint64_t end)
{
	const struct core_request *q = m->q;
	struct core_proof *p = m->out;
	uint64_t sub = m->target;
	bool old = m->has_target && (!q->has_upgrade || m->last_block < start);
	enum err_code rc = ERR_OK;

	if (old)
		rc = old_target(m, end);
	else if (q->has_seek)
		rc = seek_roots(m, end, &sub);
	if (rc == ERR_OK && q->has_upgrade)
		rc = put_upgrade(m, start, end,
		    !old && (m->has_target || q->has_seek) ? &sub : NULL);
	if (rc != ERR_OK)
		return rc;
	if (m->has_target && !m->path_made)
		return refuse(m, "the node is not in the upgrade");
	p->has_block = q->has_block;
	p->block_index = q->block_index;
	p->has_hash = q->has_hash;
	p->hash_index = q->hash_index;
	p->has_seek = m->seek_made;
	p->seek_bytes = q->seek_bytes;
	return ERR_OK;
}

static void
clear_proof(struct core_proof *p)
{
	p->has_block = p->has_hash = p->has_seek = p->has_upgrade = false;
	p->block = p->signature = VIEW_EMPTY;
	p->block_nodes.n = p->hash_nodes.n = p->seek_nodes.n = 0;
	p->upgrade_nodes.n = p->additional_nodes.n = 0;
	p->manifest = NULL;
}

enum err_code
core_proof_make(struct core_proof *out, struct buf *value, struct core *c,
    const struct core_request *q, struct want *w, struct err *e)
{
	struct maker m = {.c = c, .q = q, .out = out, .w = w, .e = e};
	uint64_t start, end;
	enum err_code rc;

	clear_proof(out);
	buf_reset(value);
	out->fork = c->head.fork;
	if (q->manifest && c->has_manifest &&
	    !manifest_compat(&c->manifest, &c->key))
		out->manifest = &c->manifest;
	if (c->head.length == 0 ||
	    (!q->has_block && !q->has_hash && !q->has_seek && !q->has_upgrade))
		return ERR_OK;
	if ((rc = read_request(&m, &start, &end)) != ERR_OK ||
	    (rc = put_parts(&m, start, end)) != ERR_OK)
		return rc;
	if (!q->has_block)
		return ERR_OK;
	rc = core_get(c, q->block_index, value, w, e);
	out->block = buf_view(value);
	return rc;
}
