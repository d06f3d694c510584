/* Source and target of a release, in the store. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "multisig/release_impl.h"

enum err_code
release_code(struct err *e, enum err_code rc, const char *code, const char *id,
    const char *fmt, ...)
{
	char text[800];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	rc = err_set(e, rc, "%s: %s%s%s", code, id != NULL ? id : "",
	    id != NULL && id[0] != '\0' ? " " : "", text);
	return e == NULL ? rc : err_tag(e, code);
}

void
release_tell(const struct release_opts *o, const struct release_event *ev)
{
	if (o->event != NULL)
		o->event(o->ctx, ev);
}

/* Blocks come through another handle: this one must look again. */
static enum err_code
look_again(struct release *run, struct core *c, struct err *e)
{
	enum err_code rc = store_refresh(run->o->store, e);

	return rc == ERR_OK ? core_refresh(c, e) : rc;
}

bool
release_again(struct release *run, struct core *c, enum err_code *rc,
    const struct want *w, struct err *e)
{
	if (!want_helps(*rc, w))
		return false;
	*rc = fetch_block(run->o->fetch, w, e);
	if (*rc == ERR_OK)
		*rc = look_again(run, c, e);
	return *rc == ERR_OK;
}

/* A replica that is too short may be so only here. */
static enum err_code
update(
    struct release *run, const struct b32 *key, uint64_t length, struct err *e)
{
	const struct peers *p = run->o->peers;
	enum err_code rc;

	if (p == NULL || p->update == NULL)
		return ERR_OK;
	rc = p->update(p->ctx, key, length, run->o->timeout_ms, e);
	return rc == ERR_OK ? store_refresh(run->o->store, e) : rc;
}

static enum err_code
lengthen(struct release *run, struct core *c, uint64_t length, struct err *e)
{
	enum err_code rc;

	if (c == NULL || core_head(c)->length >= length)
		return ERR_OK;
	rc = update(run, core_key(c), length, e);
	return rc == ERR_OK ? core_refresh(c, e) : rc;
}

/* -- source ------------------------------------------------------------------ */

static enum err_code
open_drive(struct release *run, uint64_t length, struct err *e)
{
	const struct release_opts *o = run->o;
	struct core *db;
	struct want w = {.kind = WANT_BLOCK};
	enum err_code rc;

	rc = hyperdrive_open(&run->drive, o->store, &o->source, CORE_READ, e);
	if (rc != ERR_OK)
		return rc;
	run->line[0].source = db = hyperdrive_db(run->drive);
	if ((rc = lengthen(run, db, length, e)) != ERR_OK ||
	    core_head(db)->length == 0)
		return rc;
	do
		rc = hyperdrive_find_blobs(run->drive, &w, e);
	while (release_again(run, db, &rc, &w, e));
	run->line[1].source = hyperdrive_blobs(run->drive);
	return rc;
}

static enum err_code
open_either(struct release *run, uint64_t length, struct err *e)
{
	const struct release_opts *o = run->o;
	enum err_code rc;

	if (o->kind == REQUEST_DRIVE)
		return open_drive(run, length, e);
	rc = core_open(&run->core, o->store, &o->source, CORE_READ, e);
	run->line[0].source = run->core;
	return rc == ERR_OK ? lengthen(run, run->core, length, e) : rc;
}

enum err_code
release_open_source(struct release *run, uint64_t length, struct err *e)
{
	const struct release_opts *o = run->o;
	enum err_code rc;

	run->n = o->kind == REQUEST_DRIVE ? 2 : 1;
	run->line[0].id = o->kind == REQUEST_DRIVE ? "db" : "";
	run->line[1].id = "blobs";
	rc = open_either(run, length, e);
	if (rc == ERR_NOT_FOUND && run->line[0].source == NULL &&
	    (rc = update(run, &o->source, length, e)) == ERR_OK)
		rc = open_either(run, length, e);
	if (rc == ERR_NOT_FOUND)
		return release_code(e, ERR_PEERS, "SOURCE_CORE_TOO_SMALL",
		    run->line[0].id,
		    "Source core is smaller than the requested length of "
		    "%llu: the source is not in this store",
		    (unsigned long long)length);
	return rc;
}

/* -- target ------------------------------------------------------------------ */

static enum err_code
open_target(struct release *run, struct release_line *l, struct err *e)
{
	enum err_code rc;

	rc = core_open(&l->target, run->o->store, &l->key, CORE_READ, e);
	return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

enum err_code
release_open_targets(struct release *run, const struct config *c, struct err *e)
{
	enum err_code rc;

	run->line[0].manifest = c->manifest;
	run->line[0].key = c->key;
	rc = open_target(run, &run->line[0], e);
	if (rc != ERR_OK || run->n == 1)
		return rc;
	rc = manifest_blobs(&run->line[1].manifest, &c->manifest, &c->key, e);
	if (rc != ERR_OK)
		return rc;
	run->line[1].key = c->blobs_key;
	return open_target(run, &run->line[1], e);
}

enum err_code
release_update_target(
    struct release *run, struct release_line *l, uint64_t length, struct err *e)
{
	enum err_code rc = update(run, &l->key, length, e);

	if (rc != ERR_OK)
		return rc;
	core_close(l->target);
	l->target = NULL;
	return open_target(run, l, e);
}

void
release_close(struct release *run)
{
	for (size_t i = 0; i < run->n; i++)
		core_close(run->line[i].target);
	core_close(run->core);
	hyperdrive_close(run->drive);
}

uint64_t
release_target_length(const struct release_line *l)
{
	return l->target == NULL ? 0 : core_head(l->target)->length;
}

uint64_t
release_target_fork(const struct release_line *l)
{
	return l->target == NULL ? 0 : core_head(l->target)->fork;
}

/* -- what they hold ---------------------------------------------------------- */

enum err_code
release_tree_at(struct release *run, struct core *c, uint64_t length,
    struct tree *out, struct err *e)
{
	struct want w = {.kind = WANT_BLOCK};
	enum err_code rc;

	tree_init(out);
	if (length == 0)
		return ERR_OK;
	do
		rc = core_tree_at(c, length, out, &w, e);
	while (release_again(run, c, &rc, &w, e));
	return rc;
}

/* The source's own head needs no proof that it is one. */
static enum err_code
check_version(struct release *run, uint64_t length, struct err *e)
{
	struct core *db = run->line[0].source;
	struct want w = {.kind = WANT_BLOCK};
	enum err_code rc;

	if (length == core_head(db)->length)
		return ERR_OK;
	do
		rc = bee_check_version(db, length, &w, e);
	while (release_again(run, db, &rc, &w, e));
	return rc;
}

enum err_code
release_blobs_length(
    struct release *run, uint64_t length, uint64_t *out, struct err *e)
{
	struct bee *b = NULL;
	struct want w = {.kind = WANT_BLOCK};
	enum err_code rc;

	if ((rc = check_version(run, length, e)) != ERR_OK ||
	    (rc = hyperdrive_at(run->drive, length, &b, e)) != ERR_OK)
		return rc;
	do
		rc = hyperdrive_blobs_length(b, out, &w, e);
	while (release_again(run, run->line[0].source, &rc, &w, e));
	bee_close(b);
	if (rc == ERR_OK)
		rc = lengthen(run, run->line[1].source, *out, e);
	return rc;
}
