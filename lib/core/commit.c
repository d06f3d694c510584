/* Committing batches: the one place where heads move by our own hand. */
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "core/change.h"
#include "crypto/hash.h"

#define COPY_MAX (1u << 20)

/* What one batch brings to the transaction. */
struct part {
	struct core_batch *b;
	struct core_head head;
	struct buf signature;
	struct pages bits;
	struct record_redo redo;
};

/* -- prepare: signatures -------------------------------------------------- */

static enum err_code
check_prologue(const struct part *p, struct err *e)
{
	const struct manifest *m = &p->b->core->manifest;

	if (!m->has_prologue || p->head.length > m->prologue_length)
		return ERR_OK;
	if (p->head.length == m->prologue_length &&
	    b32_eq(&p->head.tree_hash, &m->prologue_hash))
		return ERR_OK;
	return err_set(e, ERR_INVALID,
	    "core %s has a prologue of %llu blocks, which cannot be changed",
	    p->b->core->name, (unsigned long long)m->prologue_length);
}

/* A signature says that the blocks can be had: from us, who else? */
static enum err_code
check_whole(const struct part *p, struct err *e)
{
	if (p->head.contiguous == p->head.length)
		return ERR_OK;
	return err_set(e, ERR_NOT_FOUND,
	    "core %s: block %llu is not here, or was damaged: nothing is "
	    "signed until it was fetched from a peer",
	    p->b->core->name, (unsigned long long)p->head.contiguous);
}

static enum err_code
sign_part(struct part *p, const struct view *given, struct err *e)
{
	struct core *c = p->b->core;
	enum err_code rc;

	if (!c->has_manifest)
		return err_set(e, ERR_INVALID,
		    "core %s: the manifest is not known", c->name);
	if (given != NULL) {
		buf_append(&p->signature, *given);
		rc = manifest_verify(&c->manifest, &c->key, &p->b->tree,
		    p->head.fork, *given, e);
	} else if (c->mode != CORE_WRITE) {
		return err_set(e, ERR_READONLY,
		    "core %s is not open for signing", c->name);
	} else {
		if ((rc = check_prologue(p, e)) != ERR_OK ||
		    (rc = check_whole(p, e)) != ERR_OK)
			return rc;
		rc = manifest_sign(&p->signature, &c->manifest, &c->key,
		    &c->pair, &p->head.tree_hash, p->head.length, p->head.fork,
		    e);
	}
	if (rc != ERR_OK)
		return err_wrap(e, "core %s", c->name);
	return buf_check(&p->signature, e);
}

/* -- prepare: bits -------------------------------------------------------- */

static enum err_code
set_bits(struct part *p, struct err *e)
{
	uint64_t i = p->b->base;
	uint8_t *page;
	enum err_code rc;

	if (p->b->truncated && (rc = core_cut_bits(&p->bits, i, e)) != ERR_OK)
		return rc;
	while (i < p->head.length) {
		rc = pages_get(&p->bits, i / BITS_PER_PAGE, &page, e);
		if (rc != ERR_OK)
			return rc;
		do {
			page[i % BITS_PER_PAGE / 8] |= (uint8_t)(1u << (i % 8));
			i++;
		} while (i < p->head.length && i % BITS_PER_PAGE != 0);
	}
	return ERR_OK;
}

/* -- prepare: bytes ------------------------------------------------------- */

/* Bytes in the place of old blocks wait behind both ends until the head has
 * moved: a kill before leaves the old head whole. */
static enum err_code
put_overlap(struct part *p, struct err *e)
{
	struct core_batch *b = p->b;
	uint64_t old = b->core->head.byte_length, now = p->head.byte_length;
	uint64_t src = old > now ? old : now;

	if (b->overlap.len == 0)
		return ERR_OK;
	p->redo = (struct record_redo){b->base_bytes, src, b->overlap.len};
	b->wrote = true;
	return blockfile_write(
	    b->core->file, b->overlap.data, b->overlap.len, src, e);
}

static void
part_head(struct part *p)
{
	const struct core_batch *b = p->b;
	const struct core_head *old = &b->core->head;

	p->head.fork = b->fork;
	p->head.length = b->tree.length;
	p->head.byte_length = b->tree.byte_length;
	tree_hash(&b->tree, &p->head.tree_hash);
	/* New blocks join the prefix only if it reached them. */
	p->head.contiguous =
	    old->contiguous >= b->base ? b->tree.length : old->contiguous;
}

static enum err_code
prepare(struct part *p, const struct view *given, struct err *e)
{
	enum err_code rc;

	part_head(p);
	if (p->b->failed != ERR_OK)
		return err_set(e, p->b->failed,
		    "an earlier append to a batch of core %s failed",
		    p->b->core->name);
	if ((rc = sign_part(p, given, e)) != ERR_OK ||
	    (rc = set_bits(p, e)) != ERR_OK ||
	    (rc = batch_flush(p->b, e)) != ERR_OK ||
	    (rc = put_overlap(p, e)) != ERR_OK)
		return rc;
	return p->b->wrote ? blockfile_sync(p->b->core->file, e) : ERR_OK;
}

/* -- the transaction ------------------------------------------------------ */

static enum err_code
put_part(struct part *p, struct store_txn *txn, struct err *e)
{
	struct core *c = p->b->core;
	struct record r;
	enum err_code rc;

	if ((rc = core_record(c, txn, &r, e)) != ERR_OK)
		return rc;
	/* The lock should make this impossible. */
	if (r.head.fork != c->head.fork || r.head.length != c->head.length)
		return err_set(e, ERR_CONFLICT,
		    "core %s has moved under its writer", c->name);
	r.head = p->head;
	r.signature = buf_view(&p->signature);
	r.redo = p->redo;
	if ((rc = core_put_record(txn, &c->dkey, &r, e)) != ERR_OK ||
	    (rc = pages_put(&p->b->nodes, txn, e)) != ERR_OK ||
	    (rc = pages_put(&p->bits, txn, e)) != ERR_OK)
		return err_wrap(e, "core %s", c->name);
	return ERR_OK;
}

static enum err_code
transact(
    struct part *p, size_t n, const struct core_commit *commit, struct err *e)
{
	struct store_txn *txn;
	enum err_code rc;

	if ((rc = store_begin(&txn, p[0].b->core->store, e)) != ERR_OK)
		return rc;
	for (size_t i = 0; i < n && rc == ERR_OK; i++)
		rc = put_part(&p[i], txn, e);
	if (rc == ERR_OK && commit->also != NULL)
		rc = commit->also(commit->ctx, txn, e);
	if (rc != ERR_OK) {
		store_abort(txn);
		return rc;
	}
	return store_commit(txn, e);
}

/* -- after ---------------------------------------------------------------- */

static void
move_memory(struct part *p)
{
	struct core_batch *b = p->b;
	struct core *c = b->core;

	if (b->truncated)
		core_forget_blocks(c);
	core_forget_pages(c);
	c->head = p->head;
	c->tree = b->tree;
	c->redo = p->redo;
	buf_deinit(&c->signature);
	c->signature = p->signature;
	buf_init(&p->signature, MANIFEST_PROOF_MAX);
}

static enum err_code
tidy(struct part *p, uint64_t old_end, struct err *e)
{
	struct core *c = p->b->core;
	enum err_code rc;

	if ((rc = core_write_mark(c, e)) != ERR_OK ||
	    (rc = core_finish_redo(c, e)) != ERR_OK)
		return rc;
	if (c->head.byte_length < old_end)
		return blockfile_truncate(c->file, c->head.byte_length, e);
	return ERR_OK;
}

static enum err_code
after(struct part *p, size_t n, struct err *e)
{
	struct err *to = e;
	uint64_t old_end;
	enum err_code rc = ERR_OK, one;

	for (size_t i = 0; i < n; i++) {
		old_end = p[i].b->core->head.byte_length;
		move_memory(&p[i]);
		if ((one = tidy(&p[i], old_end, to)) != ERR_OK &&
		    rc == ERR_OK) {
			rc = one;
			to = NULL; /* the first error wins */
		}
		batch_restart(p[i].b);
	}
	return rc == ERR_OK ? rc : err_wrap(e, "committed, but");
}

static enum err_code
run_parts(struct part *p, size_t n, const struct core_commit *commit,
    const size_t *which, struct err *e)
{
	const struct view *given;
	enum err_code rc;

	for (size_t i = 0; i < n; i++) {
		given = commit->signature == NULL
			    ? NULL
			    : &commit->signature[which[i]];
		if ((rc = prepare(&p[i], given, e)) != ERR_OK)
			return rc;
	}
	if ((rc = transact(p, n, commit, e)) != ERR_OK)
		return rc;
	return after(p, n, e);
}

enum err_code
core_commit(const struct core_commit *commit, struct err *e)
{
	struct part *p = calloc(commit->nbatch + 1, sizeof(*p));
	size_t *which = calloc(commit->nbatch + 1, sizeof(*which)), n = 0;
	struct core_batch *b;
	enum err_code rc = ERR_OK;

	if (p == NULL || which == NULL) {
		free(p);
		free(which);
		return err_nomem(e);
	}
	for (size_t i = 0; i < commit->nbatch; i++) {
		b = commit->batch[i];
		bug_if(b->mode != CORE_BATCH_REAL);
		bug_if(b->core->store != commit->batch[0]->core->store);
		if (batch_empty(b))
			continue;
		p[n].b = b;
		buf_init(&p[n].signature, MANIFEST_PROOF_MAX);
		pages_init(&p[n].bits, b->core->store, STORE_BITS,
		    b->core->number, BITS_PAGE);
		which[n++] = i;
	}
	if (n != 0)
		rc = run_parts(p, n, commit, which, e);
	for (size_t i = 0; i < n; i++) {
		buf_deinit(&p[i].signature);
		pages_deinit(&p[i].bits);
	}
	free(p);
	free(which);
	return rc;
}

/* -- redo ----------------------------------------------------------------- */

static enum err_code
copy_redo(struct core *c, struct err *e)
{
	const struct record_redo *r = &c->redo;
	uint8_t *p = malloc(COPY_MAX);
	size_t n;
	enum err_code rc = ERR_OK;

	if (p == NULL)
		return err_nomem(e);
	for (uint64_t at = 0; at < r->len && rc == ERR_OK; at += n) {
		n = r->len - at < COPY_MAX ? (size_t)(r->len - at) : COPY_MAX;
		rc = blockfile_read(c->file, p, n, r->src + at, e);
		if (rc == ERR_OK)
			rc = blockfile_write(c->file, p, n, r->dst + at, e);
	}
	free(p);
	return rc == ERR_OK ? blockfile_sync(c->file, e) : rc;
}

enum err_code
core_finish_redo(struct core *c, struct err *e)
{
	struct store_txn *txn;
	struct record r;
	enum err_code rc;

	if (c->redo.len == 0)
		return ERR_OK;
	if ((rc = copy_redo(c, e)) != ERR_OK ||
	    (rc = store_begin(&txn, c->store, e)) != ERR_OK)
		return rc;
	if ((rc = core_record(c, txn, &r, e)) == ERR_OK) {
		r.redo.len = 0;
		rc = core_put_record(txn, &c->dkey, &r, e);
	}
	if (rc != ERR_OK) {
		store_abort(txn);
		return rc;
	}
	if ((rc = store_commit(txn, e)) != ERR_OK)
		return rc;
	c->redo.len = 0;
	return blockfile_truncate(c->file, c->head.byte_length, e);
}
