/* Collecting verified proofs and storing them in one step. */
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "core/impl.h"
#include "core/proof.h"

struct core_intake {
	struct core *core;
	struct core_head head; /* with what is collected */
	struct tree tree;
	bool dirty, upgraded, wrote;
	bool new_manifest;
	struct manifest manifest;
	struct buf signature;
	struct pages nodes, bits;
	struct core_verified v; /* of the proof at hand */
};

static void
intake_restart(struct core_intake *in)
{
	in->head = in->core->head;
	in->tree = in->core->tree;
	in->dirty = in->upgraded = in->wrote = in->new_manifest = false;
	buf_reset(&in->signature);
	pages_reset(&in->nodes);
	pages_reset(&in->bits);
}

enum err_code
core_intake_new(struct core_intake **out, struct core *c, struct err *e)
{
	struct core_intake *in;
	enum err_code rc;

	if ((rc = core_changeable(c, e)) != ERR_OK)
		return rc;
	bug_if(c->busy);
	if ((in = calloc(1, sizeof(*in))) == NULL)
		return err_nomem(e);
	in->core = c;
	buf_init(&in->signature, MANIFEST_PROOF_MAX);
	pages_init(&in->nodes, c->store, STORE_NODES, c->number, NODES_PAGE);
	pages_init(&in->bits, c->store, STORE_BITS, c->number, BITS_PAGE);
	intake_restart(in);
	c->busy = true;
	*out = in;
	return ERR_OK;
}

/* Bytes that were written for blocks of this intake stay behind as garbage
 * in places that hold nothing. */
void
core_intake_free(struct core_intake *in)
{
	if (in == NULL)
		return;
	in->core->busy = false;
	buf_deinit(&in->signature);
	pages_deinit(&in->nodes);
	pages_deinit(&in->bits);
	free(in);
}

const struct core_head *
core_intake_head(const struct core_intake *in)
{
	return &in->head;
}

/* -- one proof ------------------------------------------------------------ */

static bool
find_node(struct core_intake *in, uint64_t flat, struct node *out,
    enum err_code *rc, struct err *e)
{
	const uint8_t *page = pages_peek(&in->nodes, flat / NODES_PER_PAGE);
	bool found = false;

	*rc = ERR_OK;
	if (page != NULL)
		return slot_node(page, flat, out);
	*rc = core_find_node(in->core, flat, &found, out, e);
	return found;
}

enum err_code
core_intake_climb(
    struct core_intake *in, uint64_t flat, uint64_t *levels, struct err *e)
{
	uint64_t head = 2 * in->head.length, n = 0;
	struct node node;
	enum err_code rc = ERR_OK;

	while (flat_right_span(flat) < head &&
	       !find_node(in, flat, &node, &rc, e) && rc == ERR_OK) {
		flat = flat_parent(flat);
		n++;
	}
	*levels = n;
	return rc;
}

static enum err_code
check_anchor(struct core_intake *in, struct err *e)
{
	const struct node *a = &in->v.anchor;
	struct node mine;
	enum err_code rc;

	if (!in->v.has_anchor)
		return ERR_OK;
	if (!find_node(in, a->index, &mine, &rc, e)) {
		if (rc != ERR_OK)
			return rc;
		return err_set(e, ERR_VERIFY,
		    "core %s: proof: it ends at node %llu, which is not known",
		    in->core->name, (unsigned long long)a->index);
	}
	if (node_eq(a, &mine))
		return ERR_OK;
	return err_set(e, ERR_VERIFY,
	    "core %s: proof: checksum mismatch at node %llu", in->core->name,
	    (unsigned long long)a->index);
}

static enum err_code
take_nodes(struct core_intake *in, bool *news, struct err *e)
{
	const struct node *n;
	struct node mine;
	uint8_t *page;
	enum err_code rc;

	for (size_t i = 0; i < in->v.n; i++) {
		n = &in->v.node[i];
		if (find_node(in, n->index, &mine, &rc, e))
			continue;
		if (rc != ERR_OK)
			return rc;
		rc = pages_get(&in->nodes, n->index / NODES_PER_PAGE, &page, e);
		if (rc != ERR_OK)
			return rc;
		slot_put_node(page, n);
		*news = true;
	}
	return ERR_OK;
}

static void
take_head(struct core_intake *in, const struct core_proof *p)
{
	const struct core_verified *v = &in->v;

	in->tree = v->tree;
	in->head.fork = v->fork;
	in->head.length = v->tree.length;
	in->head.byte_length = v->tree.byte_length;
	tree_hash(&v->tree, &in->head.tree_hash);
	buf_reset(&in->signature);
	buf_append(&in->signature, p->signature);
	if (v->new_manifest && !in->new_manifest) {
		in->new_manifest = true;
		in->manifest = v->manifest;
	}
	in->upgraded = true;
}

static bool
bit_here(struct core_intake *in, uint64_t index)
{
	const uint8_t *page = pages_peek(&in->bits, index / BITS_PER_PAGE);
	uint64_t i = index % BITS_PER_PAGE;

	if (page != NULL)
		return (page[i / 8] >> (i % 8) & 1) != 0;
	return core_has(in->core, index);
}

static enum err_code
take_block(struct core_intake *in, const struct core_proof *p, bool *news,
    struct err *e)
{
	uint64_t i = p->block_index, offset;
	struct want w;
	uint8_t *page;
	enum err_code rc;

	if (!p->has_block || bit_here(in, i))
		return ERR_OK;
	rc = core_offset_in(in->core, &in->nodes, &in->tree, i, &offset, &w, e);
	if (rc == ERR_NEED_BLOCK)
		return err_set(e, ERR_CORRUPT,
		    "core %s: the tree above block %llu is not whole",
		    in->core->name, (unsigned long long)i);
	if (rc == ERR_OK)
		rc = pages_get(&in->bits, i / BITS_PER_PAGE, &page, e);
	if (rc != ERR_OK)
		return rc;
	if (p->block.len != 0) {
		in->wrote = true;
		rc = blockfile_write(
		    in->core->file, p->block.ptr, p->block.len, offset, e);
		if (rc != ERR_OK)
			return rc;
	}
	page[i % BITS_PER_PAGE / 8] |= (uint8_t)(1u << (i % 8));
	*news = true;
	return ERR_OK;
}

enum err_code
core_intake_proof(struct core_intake *in, const struct core_proof *p,
    enum core_outcome *outcome, struct err *e)
{
	return core_intake_leaf(in, p, NULL, outcome, e);
}

enum err_code
core_intake_leaf(struct core_intake *in, const struct core_proof *p,
    const struct b32 *leaf, enum core_outcome *outcome, struct err *e)
{
	struct core *c = in->core;
	struct core_trust t = {&c->key,
	    c->has_manifest    ? &c->manifest
	    : in->new_manifest ? &in->manifest
			       : NULL,
	    in->head.fork, &in->tree};
	bool news = in->v.upgraded = false;
	enum err_code rc;

	if ((rc = core_proof_verify_leaf(&in->v, p, &t, leaf, e)) != ERR_OK)
		return err_wrap(e, "core %s", c->name);
	*outcome = CORE_IGNORED;
	if (in->v.verdict == CORE_PROOF_STALE)
		return ERR_OK;
	if ((rc = check_anchor(in, e)) != ERR_OK)
		return rc;
	if (in->v.upgraded) {
		take_head(in, p);
		news = true;
	}
	if ((rc = take_nodes(in, &news, e)) != ERR_OK ||
	    (rc = take_block(in, p, &news, e)) != ERR_OK)
		return rc;
	in->dirty = in->dirty || news;
	*outcome = news ? CORE_TAKEN : CORE_IGNORED;
	return ERR_OK;
}

/* -- commit --------------------------------------------------------------- */

static void
count_contiguous(struct core_intake *in)
{
	uint64_t i = in->head.contiguous;

	while (i < in->head.length && bit_here(in, i))
		i++;
	in->head.contiguous = i;
}

static enum err_code
put_all(struct core_intake *in, struct store_txn *txn, struct err *e)
{
	struct core *c = in->core;
	struct record r;
	enum err_code rc;

	if ((rc = core_record(c, txn, &r, e)) != ERR_OK)
		return rc;
	if (r.head.fork != c->head.fork || r.head.length != c->head.length)
		return err_set(e, ERR_CONFLICT,
		    "core %s has moved under its writer", c->name);
	r.head = in->head;
	if (in->upgraded)
		r.signature = buf_view(&in->signature);
	if (in->new_manifest && !r.has_manifest) {
		r.has_manifest = true;
		r.manifest = in->manifest;
	}
	if ((rc = core_put_record(txn, &c->dkey, &r, e)) != ERR_OK ||
	    (rc = pages_put(&in->nodes, txn, e)) != ERR_OK)
		return rc;
	return pages_put(&in->bits, txn, e);
}

static void
move_memory(struct core_intake *in)
{
	struct core *c = in->core;

	core_forget_pages(c);
	c->next_index = c->next_offset = 0;
	c->window_len = 0;
	c->head = in->head;
	c->tree = in->tree;
	if (in->upgraded) {
		buf_deinit(&c->signature);
		c->signature = in->signature;
		buf_init(&in->signature, MANIFEST_PROOF_MAX);
	}
	if (in->new_manifest && !c->has_manifest) {
		c->has_manifest = true;
		c->manifest = in->manifest;
	}
}

enum err_code
core_intake_commit(struct core_intake *in, struct err *e)
{
	struct core *c = in->core;
	struct store_txn *txn;
	bool upgraded = in->upgraded;
	enum err_code rc;

	if (!in->dirty)
		return ERR_OK;
	if ((rc = buf_check(&in->signature, e)) != ERR_OK)
		return err_wrap(e, "core %s: signature", c->name);
	count_contiguous(in);
	if (in->wrote && (rc = blockfile_sync(c->file, e)) != ERR_OK)
		return rc;
	if ((rc = store_begin(&txn, c->store, e)) != ERR_OK)
		return rc;
	if ((rc = put_all(in, txn, e)) != ERR_OK) {
		store_abort(txn);
		return rc;
	}
	if ((rc = store_commit(txn, e)) != ERR_OK)
		return rc;
	move_memory(in);
	intake_restart(in);
	if (upgraded && (rc = core_write_mark(c, e)) != ERR_OK)
		return err_wrap(e, "committed, but");
	return ERR_OK;
}

enum err_code
core_proof_apply(struct core *c, const struct core_proof *p,
    enum core_outcome *outcome, struct err *e)
{
	struct core_intake *in;
	enum err_code rc;

	if ((rc = core_intake_new(&in, c, e)) != ERR_OK)
		return rc;
	if ((rc = core_intake_proof(in, p, outcome, e)) == ERR_OK)
		rc = core_intake_commit(in, e);
	core_intake_free(in);
	return rc;
}
