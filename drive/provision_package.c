/* What version a source says it is. */
#include <string.h>

#include "drive/provision_impl.h"
#include "pear/appcfg.h"

static enum err_code
read_content(struct core *blobs, const struct blobs_id *id, struct buf *out,
    const struct fetch *f, struct err *e)
{
	struct blobs_reader *r = NULL;
	bool more = true;
	struct view block;
	struct want w = {.kind = WANT_BLOCK};
	enum err_code rc;

	do
		rc = blobs_reader_open(&r, blobs, id, &w, e);
	while (need_again(f, &rc, &w, e));
	while (rc == ERR_OK && more) {
		do
			rc = blobs_reader_next(r, &more, &block, &w, e);
		while (need_again(f, &rc, &w, e));
		if (rc == ERR_OK && more)
			buf_append(out, block);
	}
	blobs_reader_close(r);
	return rc == ERR_OK ? buf_check(out, e) : rc;
}

static enum err_code
invalid_manifest(struct err *e)
{
	return e == NULL ? ERR_INVALID : err_tag(e, "ERR_INVALID_MANIFEST");
}

static enum err_code
read_package(struct provision_side *s, struct buf *out, const struct fetch *f,
    struct err *e)
{
	const struct view path = view_str("/package.json");
	struct entry en;
	struct want w = {.kind = WANT_BLOCK};
	enum err_code rc;

	entry_init(&en);
	do
		rc = hyperdrive_entry(s->at, path, &en, NULL, &w, e);
	while (need_again(f, &rc, &w, e));
	if (rc == ERR_NOT_FOUND || (rc == ERR_OK && !en.has_blob)) {
		rc = err_set(e, ERR_INVALID, "the source has no package.json");
		if (rc != ERR_OK)
			rc = invalid_manifest(e);
	} else if (rc == ERR_OK) {
		rc = read_content(
		    hyperdrive_blobs(s->drive), &en.blob, out, f, e);
	}
	entry_deinit(&en);
	return rc;
}

static enum err_code
check_semver(
    const struct appcfg *cfg, const struct provision_opts *o, struct err *e)
{
	const char *version = cfg->version == NULL ? "" : cfg->version;
	char quoted[128];
	enum err_code rc;

	if (cfg->has_semver &&
	    (o->allow_prerelease || semver_is_plain(&cfg->semver)))
		return ERR_OK;
	rc = err_set(e, ERR_INVALID, "Source has non-production SemVer: \"%s\"",
	    err_quote(quoted, sizeof(quoted), version, strlen(version)));
	return rc == ERR_OK ? rc : invalid_manifest(e);
}

enum err_code
provision_semver(struct provision_side *source, const struct provision_opts *o,
    char **version, struct err *e)
{
	struct appcfg cfg = {.json = NULL};
	struct buf text;
	enum err_code rc;

	buf_init(&text, APPCFG_MAX);
	if ((rc = read_package(source, &text, o->fetch, e)) == ERR_OK &&
	    (rc = appcfg_parse(&cfg, buf_view(&text), e)) == ERR_OK &&
	    (rc = check_semver(&cfg, o, e)) == ERR_OK &&
	    (*version = strdup(cfg.version)) == NULL)
		rc = err_nomem(e);
	appcfg_deinit(&cfg);
	buf_deinit(&text);
	return rc;
}
