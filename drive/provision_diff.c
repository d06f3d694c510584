/* Source and destination side by side: what has to change. Reads leaves of
 * the Merkle trees, and bytes only where the two are cut differently. */
#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "drive/provision_impl.h"

/* The destination's entry under way. */
struct dst_walk {
	struct hyperdrive_list *list; /* NULL: an empty destination */
	bool more;
	struct view path;
	struct entry en;
};

void
provision_rows_deinit(struct provision_rows *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->row[i].path);
		entry_deinit(&r->row[i].en);
	}
	free(r->row);
	*r = (struct provision_rows){NULL, 0, 0, 0};
}

static enum err_code
add_row(struct provision_run *p, struct view path, struct provision_row **out,
    struct err *e)
{
	struct provision_rows *rows = &p->rows;
	struct provision_row *r;

	if (!ARR_RESERVE(rows->row, rows->n + 1, rows->cap))
		return err_nomem(e);
	r = &rows->row[rows->n];
	memset(r, 0, sizeof(*r));
	entry_init(&r->en);
	if ((r->path = strndup((const char *)path.ptr, path.len)) == NULL)
		return err_nomem(e);
	rows->n++;
	*out = r;
	return ERR_OK;
}

static enum err_code
dst_next(struct provision_run *p, struct dst_walk *d, struct err *e)
{
	char name[256];
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	entry_deinit(&d->en);
	if (d->list == NULL)
		return ERR_OK;
	do
		rc = hyperdrive_list_next(
		    d->list, &d->more, &d->path, &d->en, NULL, &w, e);
	while (need_again(p->fetch, &rc, &w, e));
	if (rc == ERR_OK && d->more &&
	    memchr(d->path.ptr, 0, d->path.len) != NULL)
		rc = err_set(e, ERR_FORMAT, "target entry %s: NUL in a name",
		    err_quote(name, sizeof(name), d->path.ptr, d->path.len));
	return rc;
}

/* Bytes of the destination's content. */
static enum err_code
dst_size(struct provision_run *p, const struct entry *en, uint64_t *out,
    struct err *e)
{
	*out = 0;
	if (!en->has_blob)
		return ERR_OK;
	return need_size(p->dst_blobs, &en->blob, out, p->fetch, e);
}

static enum err_code
note_removed(struct provision_run *p, struct dst_walk *d, struct err *e)
{
	struct provision_row *r;
	enum err_code rc = add_row(p, d->path, &r, e);

	if (rc != ERR_OK)
		return rc;
	r->op = PROVISION_REMOVE;
	return dst_size(p, &d->en, &r->removed, e);
}

/* What JavaScript takes for no metadata. */
static bool
no_metadata(const json_t *m)
{
	return m == NULL || json_is_null(m) || json_is_false(m) ||
	       (json_is_number(m) && json_number_value(m) == 0) ||
	       (json_is_string(m) && json_string_length(m) == 0);
}

static bool
same_attributes(const struct entry *a, const struct entry *b)
{
	if (a->executable != b->executable)
		return false;
	if (no_metadata(a->metadata) || no_metadata(b->metadata))
		return no_metadata(a->metadata) == no_metadata(b->metadata);
	return json_equal(a->metadata, b->metadata) == 1;
}

enum verdict { SAME, ATTRIBUTES_DIFFER, CONTENT_DIFFERS };

static enum err_code
judge(struct provision_run *p, const struct provision_item *it,
    const struct entry *dst, uint64_t removed, enum verdict *out, struct err *e)
{
	const char *a = it->en.linkname, *b = dst->linkname;
	bool same = true;
	enum err_code rc = ERR_OK;

	*out = CONTENT_DIFFERS;
	if (a != NULL || b != NULL) {
		if (a != NULL && b != NULL && strcmp(a, b) == 0)
			*out = SAME;
		return ERR_OK;
	}
	if (!dst->has_blob || it->size != removed)
		return ERR_OK;
	if (it->size > 0)
		rc = p->source->same(
		    p->source, it, p->dst_blobs, &dst->blob, &same, e);
	if (rc == ERR_OK && same)
		*out = same_attributes(&it->en, dst) ? SAME : ATTRIBUTES_DIFFER;
	return rc;
}

static void
keep_blob(struct entry *en, const struct entry *dst)
{
	json_decref(en->blob_json);
	en->has_blob = dst->has_blob;
	en->blob = dst->blob;
	en->blob_json = json_incref(dst->blob_json);
}

/* Take the item's entry as what the target will hold. */
static void
fill_row(struct provision_rows *rows, struct provision_row *r,
    struct provision_item *it)
{
	r->en = it->en;
	entry_init(&it->en);
	/* the source's blob is read, and never printed */
	json_decref(r->en.blob_json);
	r->en.blob_json = NULL;
	r->index = it->index;
	r->content = r->en.linkname == NULL;
	r->added = r->content ? it->size : 0;
	rows->bytes += r->added;
}

static enum err_code
note_added(struct provision_run *p, struct provision_item *it, struct err *e)
{
	struct provision_row *r;
	enum err_code rc = add_row(p, it->path, &r, e);

	if (rc != ERR_OK)
		return rc;
	r->op = PROVISION_ADD;
	fill_row(&p->rows, r, it);
	return ERR_OK;
}

static enum err_code
note_both(struct provision_run *p, struct provision_item *it,
    struct dst_walk *d, struct err *e)
{
	enum verdict v = SAME;
	struct provision_row *r;
	uint64_t removed;
	enum err_code rc;

	if ((rc = dst_size(p, &d->en, &removed, e)) != ERR_OK ||
	    (rc = judge(p, it, &d->en, removed, &v, e)) != ERR_OK ||
	    v == SAME || (rc = add_row(p, it->path, &r, e)) != ERR_OK)
		return rc;
	r->op = PROVISION_CHANGE;
	if (v == CONTENT_DIFFERS) {
		r->removed = removed;
		fill_row(&p->rows, r, it);
		return ERR_OK;
	}
	r->en = it->en;
	entry_init(&it->en);
	keep_blob(&r->en, &d->en);
	return ERR_OK;
}

/* One item of the source, after every destination entry before it. */
static enum err_code
merge_item(struct provision_run *p, struct provision_item *it,
    struct dst_walk *d, struct err *e)
{
	enum err_code rc = provision_stopping(p, e);
	int c = 1;

	while (
	    rc == ERR_OK && d->more && (c = view_cmp(d->path, it->path)) < 0) {
		if ((rc = note_removed(p, d, e)) == ERR_OK)
			rc = dst_next(p, d, e);
	}
	if (rc != ERR_OK)
		return rc;
	if (!d->more || c > 0)
		return note_added(p, it, e);
	if ((rc = note_both(p, it, d, e)) == ERR_OK)
		rc = dst_next(p, d, e);
	return rc;
}

static enum err_code
merge(struct provision_run *p, struct dst_walk *d, struct err *e)
{
	struct provision_item it;
	bool more = true;
	enum err_code rc = dst_next(p, d, e);

	while (rc == ERR_OK) {
		entry_init(&it.en);
		rc = p->source->next(p->source, &more, &it, e);
		if (rc != ERR_OK || !more)
			break;
		rc = merge_item(p, &it, d, e);
		entry_deinit(&it.en);
	}
	while (rc == ERR_OK && d->more) {
		if ((rc = note_removed(p, d, e)) == ERR_OK)
			rc = dst_next(p, d, e);
	}
	return rc;
}

enum err_code
provision_diff(struct provision_run *p, struct err *e)
{
	struct dst_walk d = {.more = false};
	enum err_code rc = ERR_OK;

	entry_init(&d.en);
	if (p->dst != NULL)
		rc = hyperdrive_list_open(&d.list, p->dst, VIEW_EMPTY, e);
	if (rc == ERR_OK)
		rc = merge(p, &d, e);
	entry_deinit(&d.en);
	hyperdrive_list_close(d.list);
	return rc;
}
