/* review: what a request would change. */
#include "cmd/common/review.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/stop.h"
#include "cmd/common/report.h"
#include "review/render.h"

static enum err_code
read_statement(struct provenance *out, const char *path, struct err *e)
{
	struct buf b;
	enum err_code rc;

	buf_init(&b, PROVENANCE_SIZE_MAX);
	rc = file_read(AT_FDCWD, path, PROVENANCE_SIZE_MAX, &b, e);
	if (rc == ERR_OK)
		rc = provenance_parse(out, buf_view(&b), e);
	buf_deinit(&b);
	return rc == ERR_OK ? rc : err_wrap(e, "%s", path);
}

/* The statement that is named, or the one beside the build. */
static enum err_code
find_statement(struct provenance *out, bool *found,
    const struct common_review *o, struct err *e)
{
	struct buf path;
	size_t n;
	enum err_code rc = ERR_OK;

	*found = false;
	if (o->provenance != NULL) {
		*found = true;
		return read_statement(out, o->provenance, e);
	}
	if (o->rebuild == NULL)
		return ERR_OK;
	n = strlen(o->rebuild);
	while (n > 1 && o->rebuild[n - 1] == '/')
		n--;
	buf_init(&path, 8192);
	buf_append(&path, view_of(o->rebuild, n));
	buf_str(&path, PROVENANCE_SUFFIX);
	if (buf_cstr(&path) == NULL) {
		rc = err_nomem(e);
	} else if (access(buf_cstr(&path), F_OK) == 0) {
		*found = true;
		rc = read_statement(out, buf_cstr(&path), e);
	}
	buf_deinit(&path);
	return rc;
}

static enum err_code
show(struct cli *c, const struct common_review *o, const struct review *r,
    struct err *e)
{
	struct buf b;
	enum err_code rc;

	buf_init(&b, RENDER_MAX);
	rc = render_text(&b, r,
	    cli_style(c, CLI_BOLD)[0] != '\0' ? RENDER_ANSI : RENDER_PLAIN, e);
	if (rc == ERR_OK && o->talk != NULL)
		rc = cli_talk_show(o->talk, buf_view(&b), e);
	else if (rc == ERR_OK)
		cli_line(c, "%s", buf_cstr(&b));
	buf_deinit(&b);
	return rc;
}

static void
tell(struct cli *c, const struct review *r)
{
	static const char *const marks[] = {[REVIEW_GOOD] = "good",
	    [REVIEW_NOTE] = "note",
	    [REVIEW_WARN] = "warning",
	    [REVIEW_BAD] = "bad"};

	for (size_t i = 0; i < r->nfindings; i++)
		cli_event(c, "finding",
		    json_pack("{s:s, s:o}", "mark", marks[r->finding[i].mark],
			"text", cli_json_text(view_str(r->finding[i].text))));
	for (size_t i = 0; i < r->nfiles; i++) {
		const struct review_file *f = &r->file[i];
		json_t *data =
		    json_pack("{s:i, s:o, s:I, s:I, s:b, s:b}", "type",
			(int)f->op, "path", cli_json_text(view_str(f->path)),
			"bytesRemoved", (json_int_t)f->old_size, "bytesAdded",
			(json_int_t)f->new_size, "outside", f->outside,
			"program", f->program);

		common_report_fields(data, f);
		cli_event(c, "review-file", data);
	}
}

static enum err_code
finish(struct cli *c, const struct common_review *o, const struct review *r,
    bool ok, struct err *e)
{
	struct b32 sum;
	enum err_code rc = show(c, o, r, e);

	tell(c, r);
	if (rc == ERR_OK && o->report != NULL &&
	    (rc = render_file(r, o->report, &sum, e)) == ERR_OK)
		common_report_done(c, o->report, &sum);
	if (rc == ERR_OK && !ok)
		rc = err_set(e, ERR_VERIFY,
		    "the review found what must not be released");
	return rc;
}

enum err_code
common_review(struct cli *c, const struct common_review *o,
    struct drives_request *q, struct err *e)
{
	struct provenance p;
	struct review r;
	bool ok = false, stated;
	enum err_code rc;

	q->lines =
	    o->diff || o->report != NULL ? REVIEW_LINES : REVIEW_NO_LINES;
	q->rebuild = o->rebuild;
	q->chunking = STAGE_CHUNKING_CDC;
	q->sharing = o->plain ? PROVISION_PLAIN : PROVISION_SHARED;
	q->stop = cli_stop_poll;
	if (o->chunking != NULL &&
	    !stage_chunking_parse(o->chunking, &q->chunking))
		return err_set(e, ERR_USAGE,
		    "--chunking takes cdc, fixed, pear or pear-exact");
	if (o->report != NULL &&
	    (rc = render_check_name(o->report, e)) != ERR_OK)
		return rc;
	memset(&p, 0, sizeof(p));
	review_init(&r);
	if ((rc = find_statement(&p, &stated, o, e)) == ERR_OK) {
		q->provenance = stated ? &p : NULL;
		rc = drives_review(&r, q, &ok, e);
	}
	if (rc == ERR_OK)
		rc = finish(c, o, &r, ok, e);
	q->provenance = NULL;
	review_deinit(&r);
	provenance_deinit(&p);
	return rc;
}
