/* A folder as the source: what a plain stage of it would hold. */
#include <stdlib.h>
#include <string.h>

#include "drive/content.h"
#include "drive/provision_impl.h"
#include "drive/scan.h"
#include "pear/appcfg.h"

struct provision_from_dir {
	struct provision_source s;
	struct appcfg cfg;
	struct ignore *ignore;
	struct scan *scan;
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
	const struct scan_entry *en = &d->scan->entry[it->index];
	struct content_file f = {.dirfd = scan_root(d->scan),
	    .path = en->target != NULL ? en->target : en->path + 1,
	    .name = en->path,
	    .follow = en->target != NULL ? CONTENT_FOLLOW : CONTENT_NOFOLLOW};

	scan_stat(en, &f.st);
	return f;
}

static enum err_code
next(struct provision_source *s, bool *more, struct provision_item *out,
    struct err *e)
{
	struct provision_from_dir *d = self(s);
	const struct scan_entry *en;
	struct stat st;

	if ((*more = d->i < d->scan->n) == false)
		return ERR_OK;
	out->index = d->i++;
	en = &d->scan->entry[out->index];
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
	struct want w;
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

static void
no_warning(void *ctx, const char *message)
{
	(void)ctx, (void)message;
}

static struct ignore_texts
texts_of(const struct appcfg_list *l)
{
	return (struct ignore_texts){
	    (const char *const *)(void *)l->item, l->n};
}

/* What a stage without options would take. */
static enum err_code
scan(struct provision_from_dir *d, const struct provision_rebuild *o,
    struct err *e)
{
	enum err_code rc = appcfg_read(&d->cfg, o->dir, e);
	const struct ignore_opts io = {.dir = o->dir,
	    .ignore = {{NULL, 0}, texts_of(&d->cfg.ignore)},
	    .includes = texts_of(&d->cfg.includes),
	    .only = {{NULL, 0}, texts_of(&d->cfg.only)}};
	struct scan_opts so = {.dir = o->dir,
	    .warn = no_warning,
	    .stop = o->stop,
	    .stop_ctx = o->ctx};

	if (rc == ERR_OK)
		rc = ignore_new(&d->ignore, &io, e);
	so.ignore = d->ignore;
	if (rc == ERR_OK)
		rc = scan_dir(&d->scan, &so, e);
	if (rc == ERR_OK && d->scan->n == 0)
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
	scan_free(d->scan);
	ignore_free(d->ignore);
	appcfg_deinit(&d->cfg);
	content_deinit(&d->content);
	free(d);
}

struct provision_source *
provision_from_dir_source(struct provision_from_dir *d)
{
	return &d->s;
}
