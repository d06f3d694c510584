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

/* -- source ------------------------------------------------------------------ */

static enum err_code
open_drive(struct release *run, struct err *e)
{
	const struct release_opts *o = run->o;
	struct want w;
	enum err_code rc;

	rc = hyperdrive_open(&run->drive, o->store, &o->source, CORE_READ, e);
	if (rc != ERR_OK)
		return rc;
	run->line[0].source = hyperdrive_db(run->drive);
	if (core_head(run->line[0].source)->length == 0)
		return ERR_OK;
	do
		rc = hyperdrive_find_blobs(run->drive, &w, e);
	while (rc == ERR_NEED_BLOCK &&
	       (rc = fetch_block(o->fetch, &w, e)) == ERR_OK);
	run->line[1].source = hyperdrive_blobs(run->drive);
	return rc;
}

enum err_code
release_open_source(struct release *run, uint64_t length, struct err *e)
{
	const struct release_opts *o = run->o;
	enum err_code rc;

	run->n = o->kind == REQUEST_DRIVE ? 2 : 1;
	run->line[0].id = o->kind == REQUEST_DRIVE ? "db" : "";
	run->line[1].id = "blobs";
	if (o->kind == REQUEST_DRIVE) {
		rc = open_drive(run, e);
	} else {
		rc = core_open(&run->core, o->store, &o->source, CORE_READ, e);
		run->line[0].source = run->core;
	}
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
release_tree_at(const struct release_opts *o, struct core *c, uint64_t length,
    struct tree *out, struct err *e)
{
	struct want w;
	enum err_code rc;

	tree_init(out);
	if (length == 0)
		return ERR_OK;
	do
		rc = core_tree_at(c, length, out, &w, e);
	while (rc == ERR_NEED_BLOCK &&
	       (rc = fetch_block(o->fetch, &w, e)) == ERR_OK);
	return rc;
}

static enum err_code
check_version(struct release *run, uint64_t length, struct err *e)
{
	struct want w;
	enum err_code rc;

	do
		rc = bee_check_version(run->line[0].source, length, &w, e);
	while (rc == ERR_NEED_BLOCK &&
	       (rc = fetch_block(run->o->fetch, &w, e)) == ERR_OK);
	return rc;
}

enum err_code
release_blobs_length(
    struct release *run, uint64_t length, uint64_t *out, struct err *e)
{
	struct bee *b = NULL;
	struct want w;
	enum err_code rc;

	if ((rc = check_version(run, length, e)) != ERR_OK ||
	    (rc = hyperdrive_at(run->drive, length, &b, e)) != ERR_OK)
		return rc;
	do
		rc = hyperdrive_blobs_length(b, out, &w, e);
	while (rc == ERR_NEED_BLOCK &&
	       (rc = fetch_block(run->o->fetch, &w, e)) == ERR_OK);
	bee_close(b);
	return rc;
}
