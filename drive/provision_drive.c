/* A version of a drive as the source. Its blocks are known by their leaves:
 * equal leaves are equal bytes, so that a block is read only to be stored, or
 * where the two sides are cut differently. */
#include <stdlib.h>
#include <string.h>

#include "drive/need.h"
#include "drive/provision_impl.h"
#include "drive/same.h"

static struct provision_from_drive *
self(struct provision_source *s)
{
	return (struct provision_from_drive *)s;
}

/* -- next ----------------------------------------------------------------- */

/* A name that is no normal path would be written under another one. */
static enum err_code
check_path(struct view path, struct err *e)
{
	char quoted[256];
	struct buf normal;
	enum err_code rc;
	bool same;

	buf_init(&normal, CORE_BLOCK_MAX);
	rc = entry_path(&normal, path, e);
	same = rc == ERR_OK && buf_check(&normal, e) == ERR_OK &&
	       view_eq(buf_view(&normal), path) &&
	       memchr(path.ptr, 0, path.len) == NULL;
	buf_deinit(&normal);
	if (same)
		return ERR_OK;
	return err_set(e, ERR_FORMAT, "source entry \"%s\" is no normal path",
	    err_quote(quoted, sizeof(quoted), path.ptr, path.len));
}

static enum err_code
measure(
    struct provision_from_drive *d, struct provision_item *it, struct err *e)
{
	it->size = 0;
	if (it->en.linkname != NULL || !it->en.has_blob)
		return ERR_OK;
	return need_size(d->blobs, &it->en.blob, &it->size, d->run->fetch, e);
}

static enum err_code
next(struct provision_source *s, bool *more, struct provision_item *out,
    struct err *e)
{
	struct provision_from_drive *d = self(s);
	enum err_code rc = ERR_OK;
	struct want w = {.kind = WANT_BLOCK};

	if (d->list == NULL)
		rc = hyperdrive_list_open(&d->list, d->at, VIEW_EMPTY, e);
	if (rc != ERR_OK)
		return rc;
	do
		rc = hyperdrive_list_next(
		    d->list, more, &out->path, &out->en, NULL, &w, e);
	while (need_again(d->run->fetch, &rc, &w, e));
	if (rc != ERR_OK || !*more)
		return rc;
	/* JavaScript takes the empty text for no link */
	if (out->en.linkname != NULL && out->en.linkname[0] == '\0') {
		free(out->en.linkname);
		out->en.linkname = NULL;
	}
	out->index = 0;
	if ((rc = check_path(out->path, e)) == ERR_OK)
		rc = measure(d, out, e);
	if (rc != ERR_OK)
		entry_deinit(&out->en);
	return rc;
}

/* -- same ----------------------------------------------------------------- */

static enum err_code
same(struct provision_source *s, const struct provision_item *it,
    struct core *blobs, const struct blobs_id *id, bool *out, struct err *e)
{
	struct provision_from_drive *d = self(s);
	const struct same_opts o = {d->run->fetch, d->run->stop, d->run->ctx};
	const struct same_side left = {d->blobs, &it->en.blob};
	const struct same_side right = {blobs, id};

	return same_content(&o, &left, &right, out, e);
}

/* -- store ---------------------------------------------------------------- */

/* Not read, but it must be here: the real run will ask for it. */
static enum err_code
be_here(struct provision_from_drive *d, uint64_t index, struct err *e)
{
	const struct want w = {*core_key(d->blobs), WANT_BLOCK, index};
	enum err_code rc;

	do
		rc = core_has(d->blobs, index) ? ERR_OK : ERR_NEED_BLOCK;
	while (need_again(d->run->fetch, &rc, &w, e));
	return rc;
}

static enum err_code
store_block(struct provision_from_drive *d, const struct blobs_ref *ref,
    struct blobs_writer *wr, enum core_batch_mode mode, struct err *e)
{
	struct view bytes = view_of(NULL, (size_t)ref->size);
	struct node leaf;
	enum err_code rc;
	bool known;

	if ((rc = provision_stopping(d->run, e)) != ERR_OK ||
	    (rc = need_leaf(d->blobs, ref, &leaf, d->run->fetch, e)) !=
		ERR_OK ||
	    (rc = blobs_writer_known(wr, &leaf.hash, leaf.size, &known, e)) !=
		ERR_OK)
		return rc;
	if (!known) {
		if (mode == CORE_BATCH_DRY)
			rc = be_here(d, ref->index, e);
		else if ((rc = need_get(d->blobs, ref->index, &d->block,
			      d->run->fetch, e)) == ERR_OK)
			bytes = buf_view(&d->block);
		if (rc == ERR_OK)
			rc = blobs_writer_add(wr, bytes, &leaf.hash, e);
	}
	if (rc == ERR_OK && mode == CORE_BATCH_REAL)
		provision_progress(d->run, ref->size);
	return rc;
}

static enum err_code
store(struct provision_source *s, const struct provision_item *it,
    struct blobs_writer *wr, enum core_batch_mode mode, struct blobs_id *id,
    uint64_t *stored, struct err *e)
{
	struct provision_from_drive *d = self(s);
	struct blobs_list l = {NULL, 0, 0, 0};
	enum err_code rc = ERR_OK;

	if (it->en.has_blob)
		rc = need_list(d->blobs, &it->en.blob, &l, d->run->fetch, e);
	for (size_t i = 0; rc == ERR_OK && i < l.n; i++)
		rc = store_block(d, &l.ref[i], wr, mode, e);
	blobs_list_deinit(&l);
	return rc == ERR_OK ? blobs_writer_end(wr, id, stored, e) : rc;
}

static enum err_code
field(struct provision_source *s, const char *name, json_t **out, struct err *e)
{
	struct provision_from_drive *d = self(s);

	return provision_field_of(d->at, name, out, d->run->fetch, e);
}

void
provision_from_drive_init(struct provision_from_drive *d,
    struct provision_run *p, const struct provision_side *side)
{
	*d = (struct provision_from_drive){
	    .s = {.next = next, .same = same, .store = store, .field = field},
	    .run = p,
	    .at = side->at,
	    .blobs = hyperdrive_blobs(side->drive)};
	buf_init(&d->block, CORE_BLOCK_MAX);
	p->source = &d->s;
}

void
provision_from_drive_deinit(struct provision_from_drive *d)
{
	hyperdrive_list_close(d->list);
	buf_deinit(&d->block);
}
