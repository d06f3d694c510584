#include "drive/stage_merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/arr.h"

void
stage_rows_deinit(struct stage_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++) {
		struct stage_row *r = &rows->row[i];

		free(r->linkname);
		if (r->disk == NULL)
			free((void *)(uintptr_t)r->path);
	}
	free(rows->row);
	*rows = (struct stage_rows){NULL, 0, 0, 0};
}

static enum err_code
take_entry(struct stage_row *r, struct entry *en)
{
	r->executable = en->executable;
	r->has_blob = en->has_blob;
	r->blob = en->blob;
	r->linkname = en->linkname;
	en->linkname = NULL;
	r->decoded = true;
	return ERR_OK;
}

enum err_code
stage_row_decode(struct stage_row *r, struct bee *at, struct err *e)
{
	enum err_code rc;
	struct entry en;
	struct want w = {.kind = WANT_BLOCK};

	if (r->decoded || r->seq == 0)
		return ERR_OK;
	entry_init(&en);
	rc = hyperdrive_entry(at, view_str(r->path), &en, NULL, &w, e);
	if (rc == ERR_OK)
		rc = take_entry(r, &en);
	entry_deinit(&en);
	return rc;
}

static enum err_code
decode_value(struct stage_row *r, struct view value, struct err *e)
{
	enum err_code rc;
	struct entry en;

	entry_init(&en);
	rc = entry_decode(&en, value, e);
	if (rc == ERR_OK)
		rc = take_entry(r, &en);
	entry_deinit(&en);
	return rc;
}

static enum err_code
add_row(struct stage_rows *rows, struct stage_row **out, struct err *e)
{
	if (!ARR_RESERVE(rows->row, rows->n + 1, rows->cap))
		return err_nomem(e);
	*out = &rows->row[rows->n++];
	memset(*out, 0, sizeof(**out));
	return ERR_OK;
}

static enum err_code
add_disk(struct stage_rows *rows, const struct scan_entry *disk, struct err *e)
{
	enum err_code rc;
	struct stage_row *r;

	if ((rc = add_row(rows, &r, e)) != ERR_OK)
		return rc;
	r->path = disk->path;
	r->disk = disk;
	return ERR_OK;
}

/* One entry of the drive; disk is the same path on disk, or NULL. */
static enum err_code
add_both(struct stage_rows *rows, const struct scan_entry *disk,
    struct view path, const struct bee_entry *be, struct statcache *sc,
    struct err *e)
{
	struct stage_row *r;
	enum err_code rc;
	char name[512];
	struct stat st;

	if (memchr(path.ptr, 0, path.len) != NULL)
		return err_set(e, ERR_FORMAT, "drive entry %s: NUL in a name",
		    err_quote(name, sizeof(name), path.ptr, path.len));
	if ((rc = add_row(rows, &r, e)) != ERR_OK)
		return rc;
	r->seq = be->seq;
	rows->in_drive++;
	if (disk != NULL) {
		r->disk = disk;
		r->path = disk->path;
		scan_stat(disk, &st);
		r->cached = disk->kind == SCAN_FILE && sc != NULL &&
			    statcache_hit(sc, path, &st, be->seq);
	} else {
		r->path = strndup((const char *)path.ptr, path.len);
		if (r->path == NULL)
			return err_nomem(e);
	}
	if (r->cached)
		return ERR_OK;
	rc = decode_value(r, be->value, e);
	return rc == ERR_OK
		   ? rc
		   : err_wrap(e, "drive entry %s",
			 err_quote(name, sizeof(name), path.ptr, path.len));
}

enum err_code
stage_merge(struct stage_rows *rows, const struct scan *scan, struct bee *at,
    struct statcache *sc, struct err *e)
{
	static const char first[] = "files", end[] = "files\1";
	struct bee_range range = BEE_RANGE_ALL;
	struct bee_iter *it;
	struct bee_entry be;
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};
	bool more = true;
	size_t i = 0;

	range.gte = view_of(first, 6); /* with its NUL */
	range.lt = view_of(end, 6);
	if ((rc = bee_iter_open(&it, at, &range, e)) != ERR_OK)
		return rc;
	for (;;) {
		rc = bee_iter_next(it, &more, &be, &w, e);
		if (rc != ERR_OK || !more)
			break;
		struct view path = view_sub(be.key, 6, be.key.len);
		int c = 1;

		while (rc == ERR_OK && i < scan->n &&
		       (c = view_cmp(view_str(scan->entry[i].path), path)) < 0)
			rc = add_disk(rows, &scan->entry[i++], e);
		if (rc == ERR_OK)
			rc = add_both(rows,
			    i < scan->n && c == 0 ? &scan->entry[i++] : NULL,
			    path, &be, sc, e);
		if (rc != ERR_OK)
			break;
	}
	bee_iter_close(it);
	while (rc == ERR_OK && i < scan->n)
		rc = add_disk(rows, &scan->entry[i++], e);
	return rc;
}
