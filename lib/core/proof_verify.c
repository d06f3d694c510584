/* Judging proofs (network.md 6.4). Pure. */
#include <string.h>

#include "core/proof.h"
#include "crypto/hash.h"

#define DEPTH_MAX 53u /* flat indices stay below 2^54 */
#define SIZE_MAX_BYTES ((UINT64_C(1) << 53) - 1)
#define LENGTH_MAX (UINT64_C(1) << 53)

struct judge {
	struct core_verified *out;
	const struct core_proof *p;
	const struct core_trust *t;
	const struct b32 *leaf; /* of p's block; NULL: not known yet */
	struct err *e;
};

/* A row of received nodes, and one computed node that may stand in for the
 * next one that is expected. */
struct queue {
	const struct core_nodes *list;
	size_t i;
	bool has_extra, extra_sized;
	struct node extra;
};

/* The upper end of a chain. sized: its size is proven once the chain is. */
struct tip {
	struct node node;
	bool sized;
};

static enum err_code
wrong(struct judge *j, const char *why)
{
	return err_set(j->e, ERR_VERIFY, "proof: %s", why);
}

static enum err_code
keep(struct judge *j, const struct node *n)
{
	if (j->out->n == CORE_VERIFIED_MAX)
		return wrong(j, "too many nodes");
	j->out->node[j->out->n++] = *n;
	return ERR_OK;
}

static bool
left_over(const struct queue *q)
{
	return q->has_extra || q->i < q->list->n;
}

/* The node of this index, which must be next. */
static enum err_code
shift(struct judge *j, struct queue *q, uint64_t flat, struct tip *out)
{
	if (q->has_extra && q->extra.index == flat) {
		q->has_extra = false;
		out->node = q->extra;
		out->sized = q->extra_sized;
		return ERR_OK;
	}
	if (q->i == q->list->n)
		return err_set(j->e, ERR_VERIFY, "proof: node %llu is missing",
		    (unsigned long long)flat);
	if (q->list->node[q->i].index != flat)
		return err_set(j->e, ERR_VERIFY,
		    "proof: node %llu stands where %llu is expected",
		    (unsigned long long)q->list->node[q->i].index,
		    (unsigned long long)flat);
	out->node = q->list->node[q->i++];
	out->sized = false;
	if (out->node.size > SIZE_MAX_BYTES)
		return wrong(j, "a node is too large");
	return ERR_OK;
}

static enum err_code
combine(struct judge *j, struct node *out, const struct node *a,
    const struct node *b)
{
	if (a->size > SIZE_MAX_BYTES - b->size)
		return wrong(j, "a node is too large");
	if (a->index < b->index)
		node_parent(out, a, b);
	else
		node_parent(out, b, a);
	return ERR_OK;
}

/* Climb with every node of the queue. Two claimed nodes that meet leave only
 * their sum proven: they are not kept. */
static enum err_code
climb(struct judge *j, struct queue *q, struct tip *tip)
{
	struct tip sibling;
	struct node parent;
	enum err_code rc;

	while (left_over(q)) {
		if (flat_depth(tip->node.index) >= DEPTH_MAX)
			return wrong(j, "a chain is too long");
		rc = shift(j, q, flat_sibling(tip->node.index), &sibling);
		if (rc != ERR_OK)
			return rc;
		if (tip->sized || sibling.sized) {
			if ((rc = keep(j, &tip->node)) != ERR_OK ||
			    (rc = keep(j, &sibling.node)) != ERR_OK)
				return rc;
		}
		rc = combine(j, &parent, &tip->node, &sibling.node);
		if (rc != ERR_OK)
			return rc;
		tip->node = parent;
		tip->sized = true;
	}
	return tip->sized ? keep(j, &tip->node) : ERR_OK;
}

static enum err_code
seek_chain(struct judge *j, struct tip *tip, bool *has_tip)
{
	const struct core_nodes *list = &j->p->seek_nodes;
	struct queue q = {.list = list};
	enum err_code rc;

	*has_tip = j->p->has_seek && list->n > 0;
	if (!*has_tip)
		return ERR_OK;
	if (list->node[0].index >= 2 * LENGTH_MAX)
		return wrong(j, "an index is too large");
	rc = shift(j, &q, list->node[0].index, tip);
	return rc == ERR_OK ? climb(j, &q, tip) : rc;
}

/* The blocks or hash part, on top of the seek part; one tip at most. */
static enum err_code
chains(struct judge *j, struct tip *tip, bool *has_tip)
{
	const struct core_proof *p = j->p;
	struct tip seek = {.sized = false};
	struct queue q = {.list = &p->block_nodes};
	bool has_seek;
	enum err_code rc;

	if ((rc = seek_chain(j, &seek, &has_seek)) != ERR_OK)
		return rc;
	if (has_seek) {
		q.has_extra = true;
		q.extra = seek.node;
		q.extra_sized = seek.sized;
	}
	*tip = seek;
	*has_tip = has_seek || p->has_block || p->has_hash;
	if (p->has_block) {
		tip->node.index = 2 * p->block_index;
		tip->node.size = p->block.len;
		if (j->leaf != NULL)
			tip->node.hash = *j->leaf;
		else
			hash_leaf(&tip->node.hash, p->block);
		tip->sized = true;
		return climb(j, &q, tip);
	}
	if (!p->has_hash)
		return ERR_OK;
	q.list = &p->hash_nodes;
	rc = shift(j, &q, p->hash_index, tip);
	return rc == ERR_OK ? climb(j, &q, tip) : rc;
}

/* -- upgrades ------------------------------------------------------------- */

/* Put one node right of the tree, and merge. */
static enum err_code
append_root(struct judge *j, const struct node *n)
{
	struct tree *t = &j->out->tree;
	struct node *last;
	enum err_code rc;

	if (t->nroots == FLAT_ROOTS_MAX ||
	    flat_left_span(n->index) != 2 * t->length)
		return wrong(j, "a root is out of place");
	if (n->size > SIZE_MAX_BYTES - t->byte_length)
		return wrong(j, "a node is too large");
	t->root[t->nroots++] = *n;
	t->length = flat_right_span(n->index) / 2 + 1;
	t->byte_length += n->size;
	rc = keep(j, n);
	while (rc == ERR_OK && t->nroots > 1) {
		last = &t->root[t->nroots - 1];
		if (flat_sibling(last->index) != last[-1].index)
			break;
		if ((rc = combine(j, &last[-1], &last[-1], last)) != ERR_OK)
			break;
		t->nroots--;
		rc = keep(j, &last[-1]);
	}
	return rc;
}

static enum err_code
append_next(struct judge *j, struct queue *q, uint64_t flat)
{
	struct tip next;
	enum err_code rc = shift(j, q, flat, &next);

	return rc == ERR_OK ? append_root(j, &next.node) : rc;
}

/* From the roots we have to those of `length`. The first new root may grow
 * out of our last one. */
static enum err_code
grow(struct judge *j, struct queue *q, uint64_t length)
{
	struct tree *t = &j->out->tree;
	uint64_t root[FLAT_ROOTS_MAX];
	size_t n = flat_roots(length, root), i = 0;
	enum err_code rc = ERR_OK;

	while (i < t->nroots && i < n && t->root[i].index == root[i])
		i++;
	if (i < t->nroots) {
		while (rc == ERR_OK && t->root[t->nroots - 1].index != root[i])
			rc = append_next(
			    j, q, flat_sibling(t->root[t->nroots - 1].index));
		i++;
	}
	for (; rc == ERR_OK && i < n; i++)
		rc = append_next(j, q, root[i]);
	return rc;
}

/* Up to the length that was signed: siblings and roots, left to right. */
static enum err_code
grow_more(struct judge *j)
{
	const struct core_nodes *more = &j->p->additional_nodes;
	const struct tree *t = &j->out->tree;
	const struct node *n;
	enum err_code rc = ERR_OK;

	for (size_t i = 0; i < more->n && rc == ERR_OK; i++) {
		n = &more->node[i];
		if (n->index >= 2 * LENGTH_MAX || n->size > SIZE_MAX_BYTES ||
		    flat_depth(n->index) >
			flat_depth(t->root[t->nroots - 1].index))
			return wrong(j, "an additional node is out of place");
		rc = append_root(j, n);
	}
	return rc;
}

static enum err_code
check_prologue(struct judge *j, bool before)
{
	const struct manifest *m = j->t->manifest;
	const struct core_proof *p = j->p;
	struct b32 hash;

	if (m == NULL || !m->has_prologue)
		return ERR_OK;
	if (before) {
		if (p->upgrade_start >= m->prologue_length ||
		    (p->upgrade_start == 0 &&
			p->upgrade_length >= m->prologue_length))
			return ERR_OK;
		return wrong(j, "the upgrade splits the prologue");
	}
	if (j->out->tree.length != m->prologue_length)
		return ERR_OK;
	tree_hash(&j->out->tree, &hash);
	if (b32_eq(&hash, &m->prologue_hash))
		return ERR_OK;
	return wrong(j, "the prologue has another hash");
}

/* The manifest that judges, and is learned if it was not known. */
static enum err_code
choose_manifest(struct judge *j)
{
	struct core_verified *out = j->out;
	struct b32 key;

	if (j->t->manifest != NULL)
		return ERR_OK;
	out->new_manifest = true;
	if (j->p->manifest == NULL) {
		manifest_single(&out->manifest, j->t->key);
		return ERR_OK;
	}
	out->manifest = *j->p->manifest;
	if (manifest_check(&out->manifest, j->e) != ERR_OK)
		return wrong(j, "the manifest is not valid");
	manifest_key(&key, &out->manifest);
	if (!b32_eq(&key, j->t->key) &&
	    !manifest_compat(&out->manifest, j->t->key))
		return wrong(j, "the manifest does not belong to the key");
	return ERR_OK;
}

static enum err_code
check_signature(struct judge *j)
{
	struct core_verified *out = j->out;
	const struct manifest *m = j->t->manifest;
	enum err_code rc;

	if ((rc = choose_manifest(j)) != ERR_OK)
		return rc;
	rc = manifest_verify(m != NULL ? m : &out->manifest, j->t->key,
	    &out->tree, out->fork, j->p->signature, j->e);
	if (rc == ERR_OK || rc == ERR_NOMEM)
		return rc;
	if (j->e != NULL)
		j->e->code = ERR_VERIFY;
	(void)!err_wrap(j->e, "proof");
	return ERR_VERIFY;
}

static enum err_code
upgrade(struct judge *j, const struct tip *tip, bool *has_tip)
{
	const struct core_proof *p = j->p;
	struct queue q = {.list = &p->upgrade_nodes};
	enum err_code rc;

	if (*has_tip) {
		q.has_extra = true;
		q.extra = tip->node;
		q.extra_sized = tip->sized;
	}
	if ((rc = check_prologue(j, true)) != ERR_OK ||
	    (rc = grow(j, &q, p->upgrade_start + p->upgrade_length)) !=
		ERR_OK ||
	    (rc = check_prologue(j, false)) != ERR_OK)
		return rc;
	if (q.i < q.list->n)
		return wrong(j, "nodes are left over");
	*has_tip = q.has_extra;
	if ((rc = grow_more(j)) != ERR_OK)
		return rc;
	j->out->upgraded = true;
	j->out->fork = p->fork;
	return check_signature(j);
}

/* -- the whole ------------------------------------------------------------ */

static enum err_code
check_shape(struct judge *j)
{
	const struct core_proof *p = j->p;
	const size_t max = CORE_PROOF_NODES_MAX;

	if (p->has_block && p->has_hash)
		return wrong(j, "block and hash together");
	if (p->block_nodes.n > max || p->hash_nodes.n > max ||
	    p->seek_nodes.n > max || p->upgrade_nodes.n > max ||
	    p->additional_nodes.n > max)
		return wrong(j, "too many nodes");
	if ((p->has_block && p->block_index >= LENGTH_MAX) ||
	    (p->has_hash && p->hash_index >= 2 * LENGTH_MAX))
		return wrong(j, "an index is too large");
	if (!p->has_upgrade)
		return ERR_OK;
	if (p->upgrade_length == 0 || p->upgrade_start >= LENGTH_MAX ||
	    p->upgrade_length >= LENGTH_MAX - p->upgrade_start)
		return wrong(j, "the upgrade has an impossible length");
	return ERR_OK;
}

/* Does the proof speak about the tree we have? */
static enum err_code
check_state(struct judge *j)
{
	const struct core_proof *p = j->p;
	const struct core_trust *t = j->t;
	bool from_nothing =
	    t->tree->length == 0 && p->has_upgrade && p->upgrade_start == 0;

	if (p->fork > t->fork && !from_nothing)
		return err_set(j->e, ERR_CONFLICT,
		    "proof: the peer has fork %llu of the core, this store "
		    "has fork %llu; a core that was truncated by its writer "
		    "has to be fetched anew",
		    (unsigned long long)p->fork, (unsigned long long)t->fork);
	if (p->fork < t->fork ||
	    (p->has_upgrade && p->upgrade_start != t->tree->length))
		j->out->verdict = CORE_PROOF_STALE;
	return ERR_OK;
}

enum err_code
core_proof_verify(struct core_verified *out, const struct core_proof *p,
    const struct core_trust *t, struct err *e)
{
	return core_proof_verify_leaf(out, p, t, NULL, e);
}

enum err_code
core_proof_verify_leaf(struct core_verified *out, const struct core_proof *p,
    const struct core_trust *t, const struct b32 *leaf, struct err *e)
{
	struct judge j = {out, p, t, leaf, e};
	struct tip tip = {.sized = false};
	bool has_tip = false;
	enum err_code rc;

	out->verdict = CORE_PROOF_GOOD;
	out->upgraded = out->has_anchor = out->new_manifest = false;
	out->fork = t->fork;
	out->tree = *t->tree;
	out->n = 0;
	if ((rc = check_shape(&j)) != ERR_OK ||
	    (rc = check_state(&j)) != ERR_OK ||
	    out->verdict == CORE_PROOF_STALE)
		return rc;
	if ((rc = chains(&j, &tip, &has_tip)) != ERR_OK)
		return rc;
	if (p->has_upgrade && (rc = upgrade(&j, &tip, &has_tip)) != ERR_OK)
		return rc;
	out->has_anchor = has_tip;
	out->anchor = tip.node;
	return ERR_OK;
}
