/*
 * Moving the targets (commands.md 9.6 rows 12, 13; 9.8). The journal says
 * what is about to happen before the first byte is written, and is part of
 * the step that moves both heads. After an error nothing has moved, and the
 * journal is taken back; after a kill it tells the next run.
 */
#include <string.h>

#include "multisig/release_impl.h"

struct mover {
	struct release *run;
	struct journal *journal;
	const struct release_line *line[REQUEST_CORES_MAX];
	struct core *core[REQUEST_CORES_MAX]; /* writing handles */
	struct core_batch *batch[REQUEST_CORES_MAX];
	struct view signature[REQUEST_CORES_MAX];
	size_t n;
	bool moved;
};

/* Under the writer lock: is the target still what was judged? */
static enum err_code
check_unmoved(
    const struct release_line *l, const struct core *now, struct err *e)
{
	static const struct core_head empty;
	const struct core_head *was =
	    l->target == NULL ? &empty : core_head(l->target);
	const struct core_head *is = core_head(now);

	if (was->length == is->length && was->fork == is->fork &&
	    (was->length == 0 || b32_eq(&was->tree_hash, &is->tree_hash)))
		return ERR_OK;
	return err_set(e, ERR_CHANGED,
	    "target moved from length %llu to %llu meanwhile; nothing written",
	    (unsigned long long)was->length, (unsigned long long)is->length);
}

static enum err_code
open_line(struct mover *m, const struct release_line *l, struct core **out,
    struct err *e)
{
	struct store *s = m->run->o->store;
	enum err_code rc;

	/* who looked for it has left its key only */
	rc = core_add(s, &l->manifest, &l->key, NULL, e);
	if (rc == ERR_OK)
		rc = core_open(out, s, &l->key, CORE_REPLICA, e);
	if (rc == ERR_OK)
		rc = check_unmoved(l, *out, e);
	return rc;
}

static enum err_code
copy_line(struct mover *m, const struct release_line *l, struct core_batch *b,
    struct err *e)
{
	const struct release_opts *o = m->run->o;
	struct release_event ev = {
	    .kind = RELEASE_PROGRESS, .total = l->tree.byte_length};
	uint64_t at = core_batch_length(b);
	struct want w = {.kind = WANT_BLOCK};
	enum err_code rc = ERR_OK;

	while (rc == ERR_OK && at < l->length) {
		at = at + 256 < l->length ? at + 256 : l->length;
		do
			rc = core_batch_copy(b, l->source, at, &w, e);
		while (release_again(m->run, l->source, &rc, &w, e));
		ev.done = core_batch_byte_length(b);
		release_tell(o, &ev);
		if (rc == ERR_OK && o->stop != NULL && o->stop(o->ctx))
			rc = err_set(e, ERR_INTERRUPTED,
			    "interrupted; the target is unchanged");
	}
	return rc;
}

static enum err_code
rehearse_line(struct release *run, const struct release_line *l, struct err *e)
{
	struct core_batch *b;
	struct b32 hash;
	struct want w = {.kind = WANT_BLOCK};
	enum err_code rc;

	rc = l->target == NULL
		 ? core_batch_new_empty(&b, e)
		 : core_batch_new(&b, l->target, CORE_BATCH_DRY, e);
	if (rc != ERR_OK)
		return rc;
	do
		rc = core_batch_copy(b, l->source, l->length, &w, e);
	while (release_again(run, l->source, &rc, &w, e));
	core_batch_tree_hash(b, &hash);
	core_batch_free(b);
	if (rc != ERR_OK || b32_eq(&hash, &l->tree_hash))
		return rc;
	return release_code(e, ERR_CONFLICT, "COMMIT_FAILED", NULL,
	    "Failed to commit the batch: the target would not become what the "
	    "request says");
}

enum err_code
release_rehearse(struct release *run, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = run->n; rc == ERR_OK && i-- > 0;)
		if (!run->line[i].done)
			rc = rehearse_line(run, &run->line[i], e);
	return rc;
}

/* Writing handles, contents first: the batches stand in the order they are
 * written. The locks are held from here on. */
static enum err_code
open_lines(struct mover *m, struct release_report *r, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = m->run->n; rc == ERR_OK && i-- > 0;) {
		if (m->run->line[i].done)
			continue;
		m->line[m->n] = &m->run->line[i];
		m->signature[m->n] = buf_view(&r->part[i].signature);
		rc = open_line(m, m->line[m->n], &m->core[m->n], e);
		m->n++;
	}
	return rc;
}

static enum err_code
copy_lines(struct mover *m, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t k = 0; rc == ERR_OK && k < m->n; k++) {
		rc = core_batch_new(
		    &m->batch[k], m->core[k], CORE_BATCH_REAL, e);
		if (rc == ERR_OK)
			rc = copy_line(m, m->line[k], m->batch[k], e);
	}
	return rc;
}

static enum err_code
also(void *ctx, struct store_txn *txn, struct err *e)
{
	struct mover *m = ctx;

	if (m->run->o->min_full == 0 || m->run->o->force_dangerous)
		return journal_erase(
		    m->run->o->store, txn, &m->journal->key, e);
	m->journal->phase = JOURNAL_COMMITTED;
	return journal_write(m->journal, m->run->o->store, txn, e);
}

static enum err_code
move(struct mover *m, struct release_report *r, struct err *e)
{
	struct core_commit commit = {.batch = m->batch,
	    .nbatch = m->n,
	    .also = also,
	    .ctx = m,
	    .signature = m->signature};
	enum err_code rc = core_commit(&commit, e);

	/* "committed, but": the heads have moved */
	m->moved =
	    rc == ERR_OK || (e != NULL && strncmp(e->msg, "committed", 9) == 0);
	r->committed = m->moved;
	return rc;
}

enum err_code
release_commit(struct release *run, struct journal *journal,
    struct release_report *r, struct err *e)
{
	struct mover m = {.run = run, .journal = journal};
	struct store *s = run->o->store;
	bool written = false;
	enum err_code rc;

	journal->phase = JOURNAL_VERIFIED;
	rc = open_lines(&m, r, e);
	if (rc == ERR_OK &&
	    (rc = journal_write(journal, s, NULL, e)) == ERR_OK) {
		written = true;
		if ((rc = copy_lines(&m, e)) == ERR_OK)
			rc = move(&m, r, e);
	}
	for (size_t i = 0; i < m.n; i++) {
		core_batch_free(m.batch[i]);
		core_close(m.core[i]);
	}
	/* An undone plan must not stand in the way of the next one. */
	if (written && !m.moved &&
	    journal_erase(s, NULL, &journal->key, NULL) != ERR_OK)
		return err_wrap(e, "the journal of this commit is left behind");
	return rc;
}
