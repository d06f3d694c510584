#include "build-tool/build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/beneath.h"
#include "base/file.h"
#include "build-tool/place.h"
#include "build-tool/statement.h"
#include "build-tool/tree.h"
#include "pear/appcfg.h"
#include "pear/link.h"

struct build {
	const struct build_opts *opts;
	struct buf package; /* bytes of package.json */
	struct appcfg cfg;
	const char *app; /* productName or name */
	struct place place;
	struct tree_opts tree;
	struct revision source; /* with opts->provenance */
};

static void
emit(const struct build *b, const struct build_event *ev)
{
	if (b->opts->event != NULL)
		b->opts->event(b->opts->ctx, ev);
}

static void
warn(void *ctx, const char *message)
{
	const struct build_event ev = {
	    .kind = BUILD_WARNING, .message = message};

	emit(ctx, &ev);
}

static bool
stopping(void *ctx)
{
	const struct build *b = ctx;

	return b->opts->stop != NULL && b->opts->stop(b->opts->ctx);
}

static void
check_version(struct build *b)
{
	struct pear_link link;
	const char *v = b->cfg.version;

	if (v == NULL || !b->cfg.has_semver ||
	    strspn(v, "0123456789.") != strlen(v))
		warn(b, "version is not x.y.z: provision will refuse it");
	if (b->cfg.upgrade == NULL ||
	    pear_link_parse(&link, view_str(b->cfg.upgrade), PEAR_LINK_DRIVES,
		"/", NULL) != ERR_OK)
		warn(b, "upgrade is missing or no pear link: installed apps "
			"will find no updates");
}

static enum err_code
read_package(struct build *b, struct err *e)
{
	enum err_code rc;

	rc = file_read(AT_FDCWD, b->opts->package, APPCFG_MAX, &b->package, e);
	if (rc == ERR_OK)
		rc = appcfg_parse(&b->cfg, buf_view(&b->package), e);
	if (rc != ERR_OK)
		return err_wrap(e, "--package");
	b->app = appcfg_product(&b->cfg);
	if (b->app == NULL || b->app[0] == '\0' || strchr(b->app, '/'))
		return err_set(e, ERR_INVALID,
		    "%s has no usable name or productName", b->opts->package);
	return ERR_OK;
}

static enum err_code
check_sources(const struct build *b, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < ARCH_COUNT; i++)
		if (b->opts->source[i] != NULL)
			rc = arch_check(
			    &arch_table[i], b->opts->source[i], b->app, e);
	return rc;
}

static enum err_code
find_place(struct build *b, struct err *e)
{
	const char *sources[ARCH_COUNT + 1];
	char name[512];
	size_t n = 0;
	enum err_code rc;

	if (b->opts->target == NULL) {
		if (b->cfg.name == NULL || b->cfg.version == NULL ||
		    strchr(b->cfg.name, '/') != NULL ||
		    strchr(b->cfg.version, '/') != NULL)
			return err_set(e, ERR_INVALID,
			    "%s names no target: name or version is missing "
			    "or has a slash; use --target",
			    b->opts->package);
		(void)snprintf(
		    name, sizeof(name), "%s-%s", b->cfg.name, b->cfg.version);
	}
	rc = place_init(
	    &b->place, b->opts->target != NULL ? b->opts->target : name, e);
	if (rc != ERR_OK || b->opts->allow_nested)
		return rc;
	for (size_t i = 0; i < ARCH_COUNT; i++)
		if (b->opts->source[i] != NULL)
			sources[n++] = b->opts->source[i];
	return place_check_nested(&b->place, b->opts->package, sources, n, e);
}

/* What the target has and this build does not replace. */
static enum err_code
keep_old(struct build *b, struct err *e)
{
	char path[ARCH_COUNT][1200];
	const char *skip[ARCH_COUNT + 1] = {"package.json"};
	struct tree_opts t = b->tree;
	size_t n = 1;

	for (size_t i = 0; i < ARCH_COUNT; i++) {
		struct view name;

		if (b->opts->source[i] == NULL)
			continue;
		name = arch_basename(b->opts->source[i]);
		(void)snprintf(path[i], sizeof(path[i]), "by-arch/%s/app/%.*s",
		    arch_table[i].folder, (int)name.len,
		    (const char *)name.ptr);
		skip[n++] = path[i];
	}
	t.skip = skip;
	t.nskip = n;
	return tree_copy(b->place.temp_fd, "", b->place.target, &t, e);
}

static enum err_code
put_package(struct build *b, struct err *e)
{
	struct beneath_file f = BENEATH_FILE_INIT;
	enum err_code rc;

	rc = beneath_create(&f, b->place.temp_fd, "package.json", e);
	if (rc == ERR_OK)
		rc = file_pwrite_all(f.fd, "package.json", b->package.data,
		    b->package.len, 0, e);
	if (rc == ERR_OK)
		rc = beneath_commit(&f, BENEATH_PLAIN, e);
	beneath_abort(&f);
	return rc;
}

static enum err_code
put_arch(struct build *b, size_t i, struct err *e)
{
	struct build_event ev = {.kind = BUILD_MIRRORING};
	struct view name = arch_basename(b->opts->source[i]);
	char to[1200], shown[6000];
	enum err_code rc;
	char *from;

	if ((from = realpath(b->opts->source[i], NULL)) == NULL)
		return err_os(e, errno, "%s", b->opts->source[i]);
	(void)snprintf(to, sizeof(to), "by-arch/%s/app/%.*s",
	    arch_table[i].folder, (int)name.len, (const char *)name.ptr);
	(void)snprintf(shown, sizeof(shown), "%s/by-arch/%s/app",
	    b->place.target, arch_table[i].folder);
	ev.from = from;
	ev.to = shown;
	emit(b, &ev);
	rc = tree_copy(b->place.temp_fd, to, from, &b->tree, e);
	if (rc == ERR_OK) {
		ev.kind = BUILD_MIRRORED;
		emit(b, &ev);
	}
	free(from);
	return rc;
}

static enum err_code
fill(struct build *b, struct err *e)
{
	enum err_code rc = ERR_OK;

	if (b->place.exists && b->opts->force)
		rc = keep_old(b, e);
	if (rc == ERR_OK)
		rc = put_package(b, e);
	for (size_t i = 0; rc == ERR_OK && i < ARCH_COUNT; i++)
		if (b->opts->source[i] != NULL)
			rc = put_arch(b, i, e);
	return rc;
}

/* Put the finished folder in place, unless it is there already. */
static enum err_code
settle(struct build *b, struct build_report *r, struct err *e)
{
	enum err_code rc;

	if (b->place.exists) {
		rc =
		    tree_same(b->place.temp, b->place.target, &r->unchanged, e);
		if (rc != ERR_OK || r->unchanged)
			return rc;
		if (!b->opts->force)
			return err_set(e, ERR_EXISTS,
			    "%s holds another build; --force replaces it",
			    b->place.target);
	}
	if (stopping(b))
		return err_set(e, ERR_INTERRUPTED, "interrupted");
	return place_commit(&b->place, e);
}

/* Before anything is built: what cannot be said truthfully is refused. */
static enum err_code
read_source(struct build *b, struct err *e)
{
	const char *slash = strrchr(b->opts->package, '/');
	char folder[4096];

	if (!b->opts->provenance)
		return ERR_OK;
	(void)snprintf(folder, sizeof(folder), "%.*s",
	    slash != NULL ? (int)(slash + 1 - b->opts->package) : 1,
	    slash != NULL ? b->opts->package : ".");
	return statement_source(&b->source,
	    b->opts->repository != NULL ? b->opts->repository : folder,
	    b->opts->allow_dirty ? STATEMENT_DIRTY : STATEMENT_CLEAN, e);
}

static enum err_code
write_statement(struct build *b, struct build_report *r, struct err *e)
{
	if (!b->opts->provenance)
		return ERR_OK;
	return statement_write(
	    &r->statement, r->target, &b->source, &b->cfg, e);
}

static enum err_code
build_all(struct build *b, struct build_report *r, struct err *e)
{
	enum err_code rc;

	if ((rc = read_package(b, e)) != ERR_OK ||
	    (rc = check_sources(b, e)) != ERR_OK ||
	    (rc = read_source(b, e)) != ERR_OK ||
	    (rc = find_place(b, e)) != ERR_OK)
		return rc;
	check_version(b);
	if ((rc = place_begin(&b->place, e)) != ERR_OK ||
	    (rc = fill(b, e)) != ERR_OK || (rc = settle(b, r, e)) != ERR_OK)
		return rc;
	r->target = strdup(b->place.target);
	return r->target == NULL ? err_nomem(e) : write_statement(b, r, e);
}

enum err_code
build_run(const struct build_opts *opts, struct build_report *r, struct err *e)
{
	struct build b = {.opts = opts};
	enum err_code rc;

	*r = (struct build_report){NULL, false, NULL};
	buf_init(&b.package, APPCFG_MAX);
	b.tree = (struct tree_opts){.warn = warn, .stop = stopping, .ctx = &b};
	rc = build_all(&b, r, e);
	place_deinit(&b.place);
	revision_deinit(&b.source);
	appcfg_deinit(&b.cfg);
	buf_deinit(&b.package);
	return rc;
}

void
build_report_deinit(struct build_report *r)
{
	free(r->target);
	free(r->statement);
	*r = (struct build_report){NULL, false, NULL};
}
