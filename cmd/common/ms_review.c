/* review: what a request would change (commands.md 9.9 row 8). */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/stop.h"
#include "cmd/common/common.h"
#include "cmd/common/ms.h"
#include "cmd/common/report.h"
#include "review/drives.h"
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
find_statement(
    struct provenance *out, bool *found, const struct ms_opts *o, struct err *e)
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
show(struct cli *c, const struct review *r, struct err *e)
{
	struct buf b;
	enum err_code rc;

	buf_init(&b, RENDER_MAX);
	rc = render_text(&b, r,
	    cli_style(c, CLI_BOLD)[0] != '\0' ? RENDER_ANSI : RENDER_PLAIN, e);
	if (rc == ERR_OK)
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
finish(struct cli *c, const struct ms_opts *o, const struct review *r, bool ok,
    struct err *e)
{
	struct b32 sum;
	enum err_code rc = show(c, r, e);

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
ms_review_request(struct cli *c, const struct ms_opts *o,
    const struct release_opts *ro, const struct request *req,
    const struct keybook *book, struct err *e)
{
	struct drives_request q = {.store = ro->store,
	    .request = req,
	    .source = ro->source,
	    .config = ro->config,
	    .book = book,
	    .lines =
		o->diff || o->report != NULL ? REVIEW_LINES : REVIEW_NO_LINES,
	    .rebuild = o->rebuild,
	    .sharing = o->plain ? PROVISION_PLAIN : PROVISION_SHARED,
	    .fetch = ro->fetch,
	    .stop = cli_stop_poll};
	struct provenance p;
	struct review r;
	bool ok = false, stated;
	enum err_code rc;

	if (o->chunking != NULL &&
	    !stage_chunking_parse(o->chunking, &q.chunking))
		return err_set(e, ERR_USAGE,
		    "--chunking takes cdc, fixed, pear or pear-exact");
	memset(&p, 0, sizeof(p));
	review_init(&r);
	if ((rc = find_statement(&p, &stated, o, e)) == ERR_OK) {
		q.provenance = stated ? &p : NULL;
		rc = drives_review(&r, &q, &ok, e);
	}
	if (rc == ERR_OK)
		rc = finish(c, o, &r, ok, e);
	review_deinit(&r);
	provenance_deinit(&p);
	return rc;
}

enum err_code
ms_review(struct cli *c, const struct ms_opts *o, struct err *e)
{
	struct keybook *book = NULL;
	struct store *s = NULL;
	struct release_opts r;
	struct config cfg;
	struct ms_args a;
	enum err_code rc;

	ms_args_init(&a);
	if ((rc = ms_args_read(&a, &o->rest, e)) != ERR_OK)
		goto out;
	if (!a.has_request) {
		rc = err_set(e, ERR_USAGE, "review takes a request");
		goto out;
	}
	if ((rc = ms_config(&cfg, c, o, e)) != ERR_OK)
		goto out;
	if ((rc = common_store(&s, c, STORE_READ, e)) == ERR_OK &&
	    (rc = ms_book(&book, c, o, e)) == ERR_OK &&
	    (rc = ms_release_opts(&r, o, &cfg, &a, s, e)) == ERR_OK)
		rc = ms_review_request(c, o, &r, &a.request, book, e);
	keybook_close(book);
	store_close(s);
	config_deinit(&cfg);
out:
	ms_args_deinit(&a);
	return rc;
}
