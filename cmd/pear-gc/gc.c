#include "cmd/pear-gc/gc.h"

#include <string.h>

#include "cmd/common/common.h"
#include "hyperdrive/drive.h"
#include "store/blockfile.h"

static enum err_code
check_args(const struct gc_opts *opts, struct pear_link *link, struct err *e)
{
	char quoted[256];
	enum err_code rc;

	if (strcmp(opts->resource, "cores") != 0) {
		err_quote(quoted, sizeof(quoted), opts->resource,
		    strlen(opts->resource));
		rc = err_set(
		    e, ERR_INVALID, "Invalid resource to gc: \"%s\"", quoted);
		return e == NULL ? rc : err_tag(e, "ERR_INVALID_GC_RESOURCE");
	}
	if (opts->link == NULL)
		return err_set(e, ERR_INVALID, "A link must be specified");
	if (common_link(link, opts->link, e) == ERR_OK)
		return ERR_OK;
	err_quote(quoted, sizeof(quoted), opts->link, strlen(opts->link));
	return err_set(
	    e, ERR_INVALID, "Link \"%s\" is not a valid key", quoted);
}

static enum err_code
usage(struct store *s, const struct core *c, uint64_t *bytes, struct err *e)
{
	struct blockfile *f;
	enum err_code rc;

	*bytes = 0;
	rc = blockfile_open(&f, s, core_discovery_key(c), BLOCKFILE_READ, e);
	if (rc == ERR_OK) {
		rc = blockfile_usage(f, bytes, e);
		blockfile_close(f);
	}
	return rc;
}

/* Open as one who takes others' blocks: a seeder in another process holds
 * the same lock, and what it serves is not pulled from under it. */
static enum err_code
clear_core(struct store *s, const struct b32 *key, bool dry,
    struct gc_report *r, struct err *e)
{
	struct core *c;
	uint64_t before;
	uint64_t after = 0;
	enum err_code rc;

	rc = core_open(&c, s, key, dry ? CORE_READ : CORE_REPLICA, e);
	if (rc != ERR_OK)
		return rc;
	rc = usage(s, c, &before, e);
	if (rc == ERR_OK && !dry &&
	    (rc = core_clear(c, 0, core_head(c)->length, e)) == ERR_OK)
		rc = usage(s, c, &after, e);
	if (rc == ERR_OK && before > after)
		r->bytes += before - after;
	core_close(c);
	return rc;
}

/* Writable cores hold the only copy of what was not seeded yet. The content
 * core is found before the header block is cleared; a core that is no drive
 * has none. */
static enum err_code
look(struct store *s, struct gc_report *r, struct err *e)
{
	struct core *c;
	struct hyperdrive *d;
	enum err_code rc = core_open(&c, s, &r->key, CORE_READ, e);

	if (rc == ERR_NOT_FOUND) {
		r->skipped = true;
		return ERR_OK;
	}
	if (rc != ERR_OK)
		return rc;
	r->skipped = core_writable(c);
	core_close(c);
	rc = hyperdrive_open(&d, s, &r->key, CORE_READ, e);
	if (rc == ERR_NOT_FOUND || rc == ERR_FORMAT || rc == ERR_UNSUPPORTED)
		return ERR_OK;
	if (rc != ERR_OK)
		return rc;
	r->has_content = hyperdrive_blobs(d) != NULL;
	if (r->has_content)
		r->content = *core_key(hyperdrive_blobs(d));
	hyperdrive_close(d);
	return ERR_OK;
}

enum err_code
gc_run(const struct cli *c, const struct gc_opts *opts, struct gc_report *out,
    struct err *e)
{
	struct pear_link link;
	struct gc_report r;
	struct store *s = NULL;
	enum err_code rc;

	memset(&r, 0, sizeof(r));
	if ((rc = check_args(opts, &link, e)) != ERR_OK)
		return rc;
	r.key = link.key;
	rc = common_store(&s, c, opts->dry_run ? STORE_READ : STORE_WRITE, e);
	if (rc == ERR_NOT_FOUND) {
		r.skipped = true;
		*out = r;
		return ERR_OK;
	}
	if (rc == ERR_OK)
		rc = look(s, &r, e);
	/* contents first: without the header nothing leads to them */
	if (rc == ERR_OK && !r.skipped && r.has_content)
		rc = clear_core(s, &r.content, opts->dry_run, &r, e);
	if (rc == ERR_OK && !r.skipped)
		rc = clear_core(s, &r.key, opts->dry_run, &r, e);
	store_close(s);
	if (rc == ERR_OK)
		*out = r;
	return rc;
}
