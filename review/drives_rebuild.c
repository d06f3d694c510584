/* The signer's own build beside the release. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "drive/staged.h"
#include "review/drives_impl.h"

#define NAMED_MAX 20 /* files that differ, one finding each */

/* The folder as a stage without options takes it, and the release. */
struct rebuild {
	struct drives_run *run;
	struct staged dir;
	size_t i; /* next entry of the folder */
	struct content content;
	struct core *blobs; /* of the release; NULL while not needed */
	struct hyperdrive_list *list;
	bool more;
	struct view path;
	struct entry en;
	uint64_t n; /* differences */
};

static enum err_code
list_next(struct rebuild *b, struct err *e)
{
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	entry_deinit(&b->en);
	entry_init(&b->en);
	do
		rc = hyperdrive_list_next(
		    b->list, &b->more, &b->path, &b->en, NULL, &w, e);
	while (need_again(b->run->fetch, &rc, &w, e));
	return rc;
}

/* -- one file ------------------------------------------------------------------ */

static enum err_code
differs(struct rebuild *b, struct view path, const char *how, struct err *e)
{
	if (b->n++ >= NAMED_MAX)
		return ERR_OK;
	return review_find(b->run->r, REVIEW_BAD, e, "your build: %.*s %s",
	    (int)(path.len < ENTRY_PATH_MAX ? path.len : ENTRY_PATH_MAX),
	    (const char *)path.ptr, how);
}

static enum err_code
same_bytes(
    struct rebuild *b, const struct scan_entry *s, bool *same, struct err *e)
{
	struct content_file f = staged_file(b->dir.scan, s);
	struct b32 sum;
	struct want w = {.kind = WANT_BLOCK};
	enum err_code rc;

	if (!b->en.has_blob) {
		*same = scan_size(s) == 0;
		return ERR_OK;
	}
	if ((rc = drives_blobs(b->run, &b->run->new, &b->blobs, e)) != ERR_OK)
		return rc;
	do
		rc = content_same(
		    &b->content, &f, b->blobs, &b->en.blob, same, &sum, &w, e);
	while (need_again(b->run->fetch, &rc, &w, e));
	return rc;
}

static enum err_code
both(struct rebuild *b, const struct scan_entry *s, struct err *e)
{
	const bool link = drives_is_link(&b->en);
	struct stat st;
	bool same = false;
	enum err_code rc;

	if ((s->kind == SCAN_LINK) != link)
		return differs(b, b->path,
		    link ? "is a file, the release has a link"
			 : "is a link, the release has a file",
		    e);
	if (link)
		return strcmp(s->linkname, b->en.linkname) == 0
			   ? ERR_OK
			   : differs(b, b->path, "leads elsewhere", e);
	if ((rc = same_bytes(b, s, &same, e)) != ERR_OK)
		return rc;
	if (!same)
		return differs(b, b->path, "has other contents", e);
	scan_stat(s, &st);
	if (((st.st_mode & S_IXUSR) != 0) == b->en.executable)
		return ERR_OK;
	return differs(b, b->path,
	    b->en.executable ? "is no program, in the release it is"
			     : "is a program, in the release it is none",
	    e);
}

static enum err_code
step(struct rebuild *b, struct err *e)
{
	const struct scan_entry *s =
	    b->i < b->dir.scan->n ? &b->dir.scan->entry[b->i] : NULL;
	int c = s == NULL ? 1 : -1;
	enum err_code rc = drives_stopping(b->run, e);

	if (rc != ERR_OK)
		return rc;
	if (s != NULL && b->more)
		c = view_cmp(view_str(s->path), b->path);
	if (c < 0)
		rc = differs(b, view_str(s->path), "is not in the release", e);
	else if (c > 0)
		rc = differs(b, b->path, "is missing", e);
	else
		rc = both(b, s, e);
	if (c <= 0)
		b->i++;
	return rc == ERR_OK && c >= 0 ? list_next(b, e) : rc;
}

static enum err_code
compare(struct rebuild *b, struct err *e)
{
	struct review *r = b->run->r;
	enum err_code rc = staged_open(
	    &b->dir, b->run->q->rebuild, b->run->q->stop, b->run->q->ctx, e);

	if (rc == ERR_OK)
		rc = hyperdrive_list_open(
		    &b->list, b->run->new.bee, VIEW_EMPTY, e);
	if (rc == ERR_OK)
		rc = list_next(b, e);
	while (rc == ERR_OK && (b->more || b->i < b->dir.scan->n))
		rc = step(b, e);
	if (rc != ERR_OK)
		return rc;
	if (b->n > NAMED_MAX)
		return review_find(r, REVIEW_BAD, e,
		    "your build: %" PRIu64 " more files differ",
		    b->n - NAMED_MAX);
	if (b->n > 0)
		return ERR_OK;
	return review_find(r, REVIEW_GOOD, e,
	    "your build has the same %zu files as the release", b->dir.scan->n);
}

/* -- the whole ----------------------------------------------------------------- */

static bool
same_drive(const struct request *q, const struct provision_drive *d)
{
	return d->length == q->length && b32_eq(&d->tree_hash, &q->tree_hash) &&
	       d->blobs_length == q->blobs_length &&
	       b32_eq(&d->blobs_hash, &q->blobs_tree_hash);
}

/* As pear-provision would lay it onto what is released. */
static enum err_code
provision(struct drives_run *run, struct err *e)
{
	const struct drives_request *q = run->q;
	const struct provision_rebuild o = {.store = q->store,
	    .production = run->extends ? q->source : q->request->key,
	    .length = run->length,
	    .dir = q->rebuild,
	    .chunking = q->chunking,
	    .sharing = q->sharing,
	    .stop = q->stop,
	    .ctx = q->ctx};
	struct provision_drive d;
	enum err_code rc;

	if ((rc = drive_provision_rebuild(&o, &d, e)) != ERR_OK)
		return rc;
	if (same_drive(q->request, &d))
		return review_find(run->r, REVIEW_GOOD, e,
		    "your build gives exactly this release: both tree hashes "
		    "are those of the request");
	return review_find(run->r, REVIEW_WARN, e,
	    "your build, provisioned in one step, gives other tree hashes "
	    "(lengths %" PRIu64 " and %" PRIu64 "): the release may have been "
	    "provisioned in several steps, be cut into other chunks, or carry "
	    "fields that no folder brings%s",
	    d.length, d.blobs_length,
	    run->length > 0 ? ""
			    : "; or this store lacks what is released "
			      "already");
}

enum err_code
drives_rebuild(struct drives_run *run, struct err *e)
{
	struct rebuild b = {.run = run};
	enum err_code rc;

	entry_init(&b.en);
	rc = content_init(&b.content, stage_chunker(run->q->chunking), e);
	b.content.stop = run->stop;
	b.content.stop_ctx = run->ctx;
	if (rc == ERR_OK)
		rc = compare(&b, e);
	hyperdrive_list_close(b.list);
	entry_deinit(&b.en);
	staged_close(&b.dir);
	content_deinit(&b.content);
	if (rc == ERR_OK && b.n == 0)
		rc = provision(run, e);
	return rc == ERR_OK ? rc : err_wrap(e, "rebuild %s", run->q->rebuild);
}
