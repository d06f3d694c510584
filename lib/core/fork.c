#include "core/fork.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "core/impl.h"

/*
 * The search goes down the new tree. Everything left of node `at` is the same
 * in both trees, byte for byte; `at` itself is not, and its hash and size are
 * proven. pair[] are the children on the way from a root to `at`.
 *
 * A question is the whole path from a leaf up to `at`: then every node of the
 * answer that is no leaf has a proven size (core/proof.h), and a leaf needs
 * none but where its sibling's is known.
 */
struct search {
	struct node at;
	bool done;
	uint64_t same; /* blocks left of `at` */
	uint64_t same_bytes;
	struct node pair[2 * FLAT_ROOTS_MAX];
	size_t npair; /* nodes in it */
};

struct core_fork {
	struct core *core;
	struct core_head old; /* the head that is compared */
	struct core_head head;
	struct tree tree;
	struct buf signature;
	bool new_manifest;
	struct manifest manifest;
	struct search s;
	struct core_verified v; /* of the answer at hand */
	struct pages nodes, bits;
};

/* -- search --------------------------------------------------------------- */

static enum err_code
find_same(struct core_fork *f, const struct node *n, bool *same, struct err *e)
{
	struct node mine;
	bool found;
	enum err_code rc;

	*same = false;
	rc = core_find_node(f->core, n->index, &found, &mine, e);
	if (rc != ERR_OK || !found || !b32_eq(&mine.hash, &n->hash))
		return rc;
	*same = true;
	if (mine.size == n->size)
		return ERR_OK;
	return err_set(e, ERR_VERIFY,
	    "core %s: proof: node %llu has another size than its hash says",
	    f->core->name, (unsigned long long)n->index);
}

/* Can there be more in common below s->at? Not behind the old end, and not
 * where nothing is stored. */
static enum err_code
look_below(struct core_fork *f, struct search *s, struct err *e)
{
	uint64_t at = s->at.index, length = f->old.length;
	struct node n;
	bool found = true;
	enum err_code rc = ERR_OK;

	s->done = s->same >= length || (at & 1) == 0;
	if (s->done || flat_right_span(at) / 2 >= length)
		return ERR_OK;
	rc = core_find_node(f->core, flat_left_child(at), &found, &n, e);
	s->done = !found;
	return rc;
}

static enum err_code
search_roots(struct core_fork *f, struct err *e)
{
	struct search *s = &f->s;
	bool same;
	enum err_code rc;

	for (size_t i = 0; i < f->tree.nroots; i++) {
		s->at = f->tree.root[i];
		if ((rc = find_same(f, &s->at, &same, e)) != ERR_OK)
			return rc;
		if (!same)
			return look_below(f, s, e);
		s->same = flat_right_span(s->at.index) / 2 + 1;
		s->same_bytes += s->at.size;
	}
	s->done = true;
	return ERR_OK;
}

/* A node of the answer. */
static bool
answered(const struct core_fork *f, const struct core_proof *p, uint64_t flat,
    struct node *out)
{
	const struct core_nodes *list = &p->hash_nodes;

	for (size_t i = 0; i < list->n; i++)
		if (list->node[i].index == flat) {
			*out = list->node[i];
			return true;
		}
	for (size_t i = 0; i < f->v.n; i++)
		if (f->v.node[i].index == flat) {
			*out = f->v.node[i];
			return true;
		}
	return false;
}

/* One level down, to the first child that differs. */
static enum err_code
step_down(struct core_fork *f, struct search *s, const struct node *left,
    struct node *right, struct err *e)
{
	bool same;
	enum err_code rc = find_same(f, left, &same, e);

	if (rc != ERR_OK)
		return rc;
	bug_if(s->npair + 2 > 2 * FLAT_ROOTS_MAX);
	s->pair[s->npair++] = *left;
	s->pair[s->npair++] = *right;
	s->at = *left;
	if (same) {
		s->same = flat_right_span(left->index) / 2 + 1;
		s->same_bytes += left->size;
		s->at = *right;
	}
	return look_below(f, s, e);
}

static enum err_code
walk(struct core_fork *f, struct search *s, const struct core_proof *p,
    struct err *e)
{
	struct node left, right;
	enum err_code rc = ERR_OK;

	while (rc == ERR_OK && !s->done &&
	       answered(f, p, flat_left_child(s->at.index), &left) &&
	       answered(f, p, flat_right_child(s->at.index), &right))
		rc = step_down(f, s, &left, &right, e);
	return rc;
}

/* -- questions and answers ------------------------------------------------ */

bool
core_fork_ask(struct core_fork *f, struct core_request *q)
{
	uint64_t at = f->s.at.index, end = flat_right_span(at) / 2 + 1;

	if (f->s.done)
		return false;
	if (end > f->old.length)
		end = f->old.length;
	memset(q, 0, sizeof(*q));
	q->has_hash = true;
	q->hash_index = 2 * (end - 1);
	q->hash_nodes = flat_depth(at);
	return true;
}

void
core_fork_settle(struct core_fork *f)
{
	f->s.done = true;
}

static enum err_code
wrong(const struct core_fork *f, const char *why, struct err *e)
{
	return err_set(e, ERR_VERIFY, "core %s: proof: %s", f->core->name, why);
}

static enum err_code
check_answer(struct core_fork *f, const struct core_proof *p,
    const struct core_request *q, struct err *e)
{
	struct core_trust t = {&f->core->key, NULL, f->head.fork, &f->tree};
	enum err_code rc;

	if (p->fork != f->head.fork)
		return wrong(f, "it is of another fork", e);
	if (!p->has_hash || p->has_block || p->has_seek || p->has_upgrade ||
	    p->hash_index != q->hash_index ||
	    p->hash_nodes.n != q->hash_nodes + 1)
		return wrong(f, "it is no answer to the question", e);
	if ((rc = core_proof_verify(&f->v, p, &t, e)) != ERR_OK)
		return err_wrap(e, "core %s", f->core->name);
	if (!f->v.has_anchor || !node_eq(&f->v.anchor, &f->s.at))
		return wrong(f, "checksum mismatch in a differing subtree", e);
	return ERR_OK;
}

enum err_code
core_fork_answer(struct core_fork *f, const struct core_proof *p, struct err *e)
{
	struct search next = f->s;
	struct core_request q;
	enum err_code rc;

	bug_if(!core_fork_ask(f, &q));
	if ((rc = check_answer(f, p, &q, e)) != ERR_OK ||
	    (rc = walk(f, &next, p, e)) != ERR_OK)
		return rc;
	f->s = next;
	return ERR_OK;
}

/* -- begin ---------------------------------------------------------------- */

static enum err_code
may_follow(const struct core *c, struct err *e)
{
	if (c->mode == CORE_READ)
		return err_set(e, ERR_CONFLICT,
		    "core %s is open for reading only, it cannot follow a "
		    "fork",
		    c->name);
	if (core_writable(c))
		return err_set(e, ERR_CONFLICT,
		    "core %s is written here, it does not follow the fork of "
		    "a peer",
		    c->name);
	return ERR_OK;
}

static enum err_code
check_head(struct core_fork *f, const struct core_proof *p, struct err *e)
{
	const struct core *c = f->core;
	struct tree empty;
	struct core_trust t = {&c->key, core_manifest(c), c->head.fork, &empty};
	enum err_code rc;

	tree_init(&empty);
	if (!p->has_upgrade || p->upgrade_start != 0 || p->has_block ||
	    p->has_hash || p->has_seek)
		return wrong(f, "it is no upgrade from nothing", e);
	if (p->fork <= c->head.fork)
		return wrong(f, "its fork is not higher", e);
	if ((rc = core_proof_verify(&f->v, p, &t, e)) != ERR_OK)
		return err_wrap(e, "core %s", c->name);
	f->tree = f->v.tree;
	f->head.fork = f->v.fork;
	f->head.length = f->tree.length;
	f->head.byte_length = f->tree.byte_length;
	tree_hash(&f->tree, &f->head.tree_hash);
	f->new_manifest = f->v.new_manifest;
	f->manifest = f->v.manifest;
	buf_append(&f->signature, p->signature);
	return buf_check(&f->signature, e);
}

enum err_code
core_fork_new(struct core_fork **out, struct core *c,
    const struct core_proof *p, struct err *e)
{
	struct core_fork *f;
	enum err_code rc = may_follow(c, e);

	if (rc != ERR_OK)
		return rc;
	if ((f = calloc(1, sizeof(*f))) == NULL)
		return err_nomem(e);
	f->core = c;
	f->old = c->head;
	buf_init(&f->signature, MANIFEST_PROOF_MAX);
	pages_init(&f->nodes, c->store, STORE_NODES, c->number, NODES_PAGE);
	pages_init(&f->bits, c->store, STORE_BITS, c->number, BITS_PAGE);
	if ((rc = check_head(f, p, e)) != ERR_OK ||
	    (rc = search_roots(f, e)) != ERR_OK) {
		core_fork_free(f);
		return rc;
	}
	*out = f;
	return ERR_OK;
}

void
core_fork_free(struct core_fork *f)
{
	if (f == NULL)
		return;
	buf_deinit(&f->signature);
	pages_deinit(&f->nodes);
	pages_deinit(&f->bits);
	free(f);
}

uint64_t
core_fork_number(const struct core_fork *f)
{
	return f->head.fork;
}

uint64_t
core_fork_length(const struct core_fork *f)
{
	return f->head.length;
}

uint64_t
core_fork_common(const struct core_fork *f)
{
	return f->s.same;
}

/* -- commit --------------------------------------------------------------- */

static enum err_code
put_node(struct core_fork *f, const struct node *n, struct err *e)
{
	uint8_t *page;
	enum err_code rc;

	rc = pages_get(&f->nodes, n->index / NODES_PER_PAGE, &page, e);
	if (rc == ERR_OK)
		slot_put_node(page, n);
	return rc;
}

/* The new roots, and below them the children of every node that holds both
 * common and other blocks: what stays hangs under the new roots again. */
static enum err_code
cut_and_join(struct core_fork *f, struct err *e)
{
	const struct search *s = &f->s;
	uint64_t parent;
	enum err_code rc;

	rc = core_cut_nodes(&f->nodes, s->same, f->old.length, e);
	for (size_t i = 0; i < f->tree.nroots && rc == ERR_OK; i++)
		rc = put_node(f, &f->tree.root[i], e);
	for (size_t i = 0; i < s->npair && rc == ERR_OK; i++) {
		parent = flat_parent(s->pair[i].index);
		if (flat_left_span(parent) < 2 * s->same)
			rc = put_node(f, &s->pair[i], e);
	}
	return rc == ERR_OK ? core_cut_bits(&f->bits, s->same, e) : rc;
}

static enum err_code
put_record(struct core_fork *f, struct store_txn *txn, struct err *e)
{
	struct core *c = f->core;
	struct record r;
	enum err_code rc;

	if ((rc = core_record(c, txn, &r, e)) != ERR_OK)
		return rc;
	if (r.head.fork != f->old.fork || r.head.length != f->old.length)
		return err_set(e, ERR_CONFLICT,
		    "core %s has moved under its writer", c->name);
	f->head.contiguous =
	    r.head.contiguous < f->s.same ? r.head.contiguous : f->s.same;
	r.head = f->head;
	r.signature = buf_view(&f->signature);
	if (f->new_manifest && !r.has_manifest) {
		r.has_manifest = true;
		r.manifest = f->manifest;
	}
	return core_put_record(txn, &c->dkey, &r, e);
}

static enum err_code
transact(struct core_fork *f, struct err *e)
{
	struct store_txn *txn;
	enum err_code rc = store_begin(&txn, f->core->store, e);

	if (rc != ERR_OK)
		return rc;
	if ((rc = put_record(f, txn, e)) != ERR_OK ||
	    (rc = pages_put(&f->nodes, txn, e)) != ERR_OK ||
	    (rc = pages_put(&f->bits, txn, e)) != ERR_OK) {
		store_abort(txn);
		return err_wrap(e, "core %s", f->core->name);
	}
	return store_commit(txn, e);
}

static void
move_memory(struct core_fork *f)
{
	struct core *c = f->core;

	core_forget_pages(c);
	core_forget_blocks(c);
	c->head = f->head;
	c->tree = f->tree;
	buf_deinit(&c->signature);
	c->signature = f->signature;
	buf_init(&f->signature, MANIFEST_PROOF_MAX);
	if (f->new_manifest && !c->has_manifest) {
		c->has_manifest = true;
		c->manifest = f->manifest;
	}
}

/* Until the head has moved the old blocks stay whole; after it their bytes
 * are garbage, and go. */
enum err_code
core_fork_commit(struct core_fork *f, struct err *e)
{
	struct core *c = f->core;
	enum err_code rc;

	bug_if(!f->s.done || c->busy);
	if (c->head.fork != f->old.fork || c->head.length != f->old.length)
		return err_set(e, ERR_CHANGED,
		    "core %s has moved while a fork was looked into", c->name);
	if ((rc = core_finish_redo(c, e)) != ERR_OK ||
	    (rc = cut_and_join(f, e)) != ERR_OK ||
	    (rc = transact(f, e)) != ERR_OK)
		return rc;
	move_memory(f);
	rc = blockfile_truncate(c->file, f->s.same_bytes, e);
	return rc == ERR_OK ? rc : err_wrap(e, "committed, but");
}
