/* A folder as the source: what a plain stage of it would hold. */
#include <stdlib.h>
#include <string.h>

#include "drive/provision_impl.h"
#include "drive/staged.h"

struct provision_from_dir {
	struct provision_source s;
	struct staged dir;
	struct content content;
	size_t i; /* next entry */
};

static struct provision_from_dir *
self(struct provision_source *s)
{
	return (struct provision_from_dir *)s;
}

static struct content_file
file_of(const struct provision_from_dir *d, const struct provision_item *it)
{
	return staged_file(d->dir.scan, &d->dir.scan->entry[it->index]);
}

static enum err_code
next(struct provision_source *s, bool *more, struct provision_item *out,
    struct err *e)
{
	struct provision_from_dir *d = self(s);
	const struct scan_entry *en;
	struct stat st;

	if ((*more = d->i < d->dir.scan->n) == false)
		return ERR_OK;
	out->index = d->i++;
	en = &d->dir.scan->entry[out->index];
	out->path = view_str(en->path);
	out->size = 0;
	if (en->kind == SCAN_LINK) {
		out->en.linkname = strdup(en->linkname);
		return out->en.linkname == NULL ? err_nomem(e) : ERR_OK;
	}
	scan_stat(en, &st);
	out->size = scan_size(en);
	out->en.executable = (st.st_mode & S_IXUSR) != 0;
	out->en.has_blob = true;
	return ERR_OK;
}

static enum err_code
same(struct provision_source *s, const struct provision_item *it,
    struct core *blobs, const struct blobs_id *id, bool *out, struct err *e)
{
	struct provision_from_dir *d = self(s);
	const struct content_file f = file_of(d, it);
	struct want w = {.kind = WANT_BLOCK};
	struct b32 sum;
	enum err_code rc;

	do
		rc = content_same(&d->content, &f, blobs, id, out, &sum, &w, e);
	while (need_again(NULL, &rc, &w, e));
	return rc;
}

static enum err_code
store(struct provision_source *s, const struct provision_item *it,
    struct blobs_writer *wr, enum core_batch_mode mode, struct blobs_id *id,
    uint64_t *stored, struct err *e)
{
	struct provision_from_dir *d = self(s);
	const struct content_file f = file_of(d, it);
	struct content_stored c;
	enum err_code rc;

	(void)mode; /* a folder's chunks are known only by reading them */
	rc = content_store(&d->content, &f, wr, &c, e);
	if (rc != ERR_OK)
		return rc;
	*id = c.id;
	*stored = c.stored;
	return ERR_OK;
}

/* A staged folder brings none. */
static enum err_code
field(struct provision_source *s, const char *name, json_t **out, struct err *e)
{
	(void)s, (void)name, (void)e;
	*out = NULL;
	return ERR_OK;
}

static enum err_code
scan(struct provision_from_dir *d, const struct provision_rebuild *o,
    struct err *e)
{
	enum err_code rc = staged_open(&d->dir, o->dir, o->stop, o->ctx, e);

	if (rc == ERR_OK && d->dir.scan->n == 0)
		rc = err_set(
		    e, ERR_INVALID, "there is nothing to stage in %s", o->dir);
	return rc;
}

enum err_code
provision_from_dir_new(struct provision_from_dir **out,
    const struct provision_rebuild *o, struct err *e)
{
	struct provision_from_dir *d = calloc(1, sizeof(*d));
	enum err_code rc;

	if (d == NULL)
		return err_nomem(e);
	d->s = (struct provision_source){next, same, store, field};
	rc = content_init(&d->content, stage_chunker(o->chunking), e);
	d->content.stop = o->stop;
	d->content.stop_ctx = o->ctx;
	if (rc == ERR_OK)
		rc = scan(d, o, e);
	if (rc != ERR_OK) {
		provision_from_dir_free(d);
		return rc;
	}
	*out = d;
	return ERR_OK;
}

void
provision_from_dir_free(struct provision_from_dir *d)
{
	if (d == NULL)
		return;
	staged_close(&d->dir);
	content_deinit(&d->content);
	free(d);
}

struct provision_source *
provision_from_dir_source(struct provision_from_dir *d)
{
	return &d->s;
}
