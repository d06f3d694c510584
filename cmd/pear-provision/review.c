/* What a dry run keeps for --diff and --report. */
#include <stdlib.h>
#include <string.h>

#include "cmd/common/report.h"
#include "codec/hex.h"
#include "provision_cmd.h"
#include "review/drives.h"
#include "review/render.h"

void
provision_review_init(
    struct provision_review *v, const struct provision_args *a)
{
	*v = (struct provision_review){
	    .diff = a->diff, .report = a->report, .rc = ERR_OK, .e = ERR_INIT};
	review_init(&v->review);
}

void
provision_review_deinit(struct provision_review *v)
{
	review_deinit(&v->review);
}

bool
provision_review_wanted(const struct provision_review *v)
{
	return v->diff || v->report != NULL;
}

static enum err_code
open_side(struct drives_side *out, struct store *s,
    const struct provision_drive *d, struct err *e)
{
	enum err_code rc;

	if (d->length <= 1)
		return ERR_OK;
	rc = hyperdrive_open(&out->drive, s, &d->key, CORE_READ, e);
	return rc == ERR_OK ? hyperdrive_at(out->drive, d->length, &out->bee, e)
			    : rc;
}

static void
close_side(struct drives_side *s)
{
	bee_close(s->bee);
	hyperdrive_close(s->drive);
}

/* The diff is against the target, or production where the target is only a
 * beginning of it. */
static const struct provision_drive *
destination(const struct provision_report *r)
{
	return !r->production_is_target &&
		       r->before.length < r->production.length
		   ? &r->production
		   : &r->before;
}

void
provision_review_compare(struct provision_review *v,
    const struct provision_opts *o, const struct provision_report *r)
{
	struct drives_side old = {NULL, NULL}, new = {NULL, NULL};

	if (!provision_review_wanted(v) || v->rc != ERR_OK)
		return;
	if ((v->rc = open_side(&old, o->store, destination(r), &v->e)) ==
		ERR_OK &&
	    (v->rc = open_side(&new, o->store, &r->source, &v->e)) == ERR_OK)
		v->rc = drives_compare(
		    &v->review, &old, &new, REVIEW_LINES, o->fetch, &v->e);
	if (v->rc == ERR_OK && v->report != NULL)
		v->rc = drives_package(&v->review, &old, &new,
		    &o->production.key, o->fetch, &v->e);
	close_side(&old);
	close_side(&new);
}

static int
by_path(const void *key, const void *file)
{
	const struct review_file *f = file;

	return strcmp(key, f->path);
}

const struct review_file *
provision_review_file(const struct provision_review *v, const char *path)
{
	if (!v->diff || v->review.nfiles == 0)
		return NULL;
	return bsearch(path, v->review.file, v->review.nfiles,
	    sizeof(*v->review.file), by_path);
}

static enum err_code
fact_hash(
    struct review *doc, const char *name, const struct b32 *sum, struct err *e)
{
	char text[65];

	return review_fact(doc, name, view_str(hex_b32(text, sum)), e);
}

/* A drive's version: its link, and the hash of its contents. */
static enum err_code
fact_drive(struct review *doc, const char *const name[2],
    const struct provision_drive *d, struct err *e)
{
	char link[PEAR_LINK_TEXT_MAX];
	enum err_code rc;

	if (d->length == 0)
		return review_fact(doc, name[0], view_str("nothing yet"), e);
	pear_link_hashlink(link, d->fork, d->length, &d->key, &d->tree_hash);
	if ((rc = review_fact(doc, name[0], view_str(link), e)) != ERR_OK ||
	    (rc = fact_hash(doc, "Its tree hash", &d->tree_hash, e)) != ERR_OK)
		return rc;
	return d->has_blobs ? fact_hash(doc, name[1], &d->blobs_hash, e)
			    : ERR_OK;
}

static enum err_code
facts(struct review *doc, const struct provision_report *r, struct err *e)
{
	static const char contents[] = "Tree hash of its contents";
	static const char *const source[] = {"Source", contents};
	static const char *const production[] = {"Production", contents};
	static const char *const before[] = {"Target before", contents};
	static const char *const after[] = {"Target after", contents};
	enum err_code rc;

	if ((rc = review_title(doc, e, "%s: what provisioning would change",
		 r->version)) != ERR_OK ||
	    (rc = fact_drive(doc, source, &r->source, e)) != ERR_OK ||
	    (rc = fact_drive(doc, production, &r->production, e)) != ERR_OK ||
	    (rc = fact_drive(doc, before, &r->before, e)) != ERR_OK)
		return rc;
	return fact_drive(doc, after, &r->after, e);
}

enum err_code
provision_review_end(
    struct provision_review *v, const struct provision_report *r, struct err *e)
{
	enum err_code rc;

	if (v->rc != ERR_OK) {
		*e = v->e;
		return v->rc;
	}
	if (v->report == NULL)
		return ERR_OK;
	rc = facts(&v->review, r, e);
	return rc == ERR_OK ? render_file(&v->review, v->report, &v->sum, e)
			    : rc;
}
