/* What a dry run keeps for --diff and --report. */
#include <string.h>

#include "cmd/common/report.h"
#include "codec/hex.h"
#include "pear/link.h"
#include "review/render.h"
#include "stage_cmd.h"

void
stage_review_init(struct stage_review *v, const struct stage_args *a)
{
	*v = (struct stage_review){
	    .diff = a->diff, .report = a->report, .rc = ERR_OK, .e = ERR_INIT};
	review_init(&v->review);
}

void
stage_review_deinit(struct stage_review *v)
{
	folder_close(v->folder);
	review_deinit(&v->review);
}

bool
stage_review_wanted(const struct stage_review *v)
{
	return v->diff || v->report != NULL;
}

void
stage_review_opened(struct stage_review *v, const struct stage_opts *o,
    const struct stage_report *r)
{
	uint64_t version = o->has_truncate && o->truncate < r->before.length
			       ? o->truncate
			       : r->before.length;

	if (stage_review_wanted(v))
		v->rc = folder_open(&v->folder, &v->review, o->store, &o->key,
		    version, REVIEW_LINES, &v->e);
}

const struct review_file *
stage_review_change(struct stage_review *v, const struct stage_event *ev)
{
	size_t n = v->review.nfiles;

	if (v->folder == NULL || v->rc != ERR_OK)
		return NULL;
	v->rc = folder_change(v->folder, ev, &v->e);
	return v->review.nfiles > n ? &v->review.file[n] : NULL;
}

static enum err_code
fact(struct review *r, const char *name, const char *value, struct err *e)
{
	return review_fact(r, name, view_str(value), e);
}

static enum err_code
fact_hash(
    struct review *r, const char *name, const struct b32 *sum, struct err *e)
{
	char text[65];

	return fact(r, name, hex_b32(text, sum), e);
}

/* One version of the drive: its link and its tree hash. */
static enum err_code
fact_version(struct review *r, const char *const name[2], const struct b32 *key,
    const struct stage_cores *c, struct err *e)
{
	char link[PEAR_LINK_TEXT_MAX];
	enum err_code rc;

	pear_link_verlink(link, c->fork, c->length, key);
	rc = fact(r, name[0], link, e);
	return rc == ERR_OK ? fact_hash(r, name[1], &c->tree_hash, e) : rc;
}

static enum err_code
facts(struct stage_review *v, const struct stage_opts *o,
    const struct stage_report *r, struct err *e)
{
	static const char *const before[] = {"Before", "Tree hash before"};
	static const char *const after[] = {"After", "Tree hash after"};
	struct review *doc = &v->review;
	const char *version = r->version != NULL ? r->version : "";
	enum err_code rc;

	if (r->name == NULL || r->name[0] == '\0')
		rc = review_title(doc, e, "What staging would change");
	else
		rc = review_title(doc, e, "%s%s%s: what staging would change",
		    r->name, version[0] != '\0' ? " " : "", version);
	if (rc == ERR_OK && version[0] != '\0')
		rc = fact(doc, "Version", version, e);
	if (rc == ERR_OK)
		rc = fact_version(doc, before, &r->key, &r->before, e);
	if (rc == ERR_OK)
		rc = fact_version(doc, after, &r->key, &r->after, e);
	if (rc == ERR_OK)
		rc = fact_hash(doc, "Tree hash of contents after",
		    &r->blobs_after.tree_hash, e);
	if (rc == ERR_OK && o->plan_out != NULL)
		rc = fact_hash(doc, "Plan", &r->plan_sum, e);
	return rc;
}

enum err_code
stage_review_end(struct stage_review *v, const struct stage_opts *o,
    const struct stage_report *r, struct err *e)
{
	enum err_code rc;

	if (v->folder == NULL || v->report == NULL)
		return ERR_OK;
	if ((rc = facts(v, o, r, e)) != ERR_OK ||
	    (rc = folder_end(v->folder, e)) != ERR_OK)
		return rc;
	return render_file(&v->review, v->report, &v->sum, e);
}
