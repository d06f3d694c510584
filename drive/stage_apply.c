#include "drive/stage_apply.h"

#include "drive/staged.h"

#include <string.h>

/* What became of one path, for the event, the plan and the counters. */
struct outcome {
	enum plan_op op;
	uint64_t removed, added, stored;
	const char *from;
	bool renamed;
	bool has_sum;
	struct b32 sum;
	const char *linkname;
	bool executable;
};

static enum err_code
report(struct stage_run *s, const struct stage_row *row,
    const struct outcome *o, struct err *e)
{
	const struct stage_event ev = {.kind = STAGE_EVENT_DIFF,
	    .type = o->op == PLAN_ADD	   ? 1
		    : o->op == PLAN_CHANGE ? 0
					   : -1,
	    .path = row->path,
	    .removed = o->removed,
	    .added = o->added,
	    .stored = o->stored,
	    .from = o->from,
	    .renamed = o->renamed,
	    .disk = row->disk,
	    .root = scan_root(s->scan)};
	const struct plan_change change = {.op = o->op,
	    .path = row->path,
	    .size = o->op == PLAN_REMOVE ? o->removed : o->added,
	    .executable = o->executable,
	    .linkname = o->linkname,
	    .sum = o->has_sum ? &o->sum : NULL,
	    .from = o->from};

	s->next_seq++;
	s->r->bytes_added += o->added;
	s->r->bytes_removed += o->removed;
	s->r->bytes_stored += o->stored;
	s->opts->event(s->opts->ctx, &ev);
	return plan_add(&s->plan, &change, e);
}

/* Bytes of a drive entry's content, 0 for links. */
static enum err_code
old_size(
    struct stage_run *s, struct stage_row *row, uint64_t *out, struct err *e)
{
	enum err_code rc = stage_row_decode(row, s->at, e);
	struct want w = {.kind = WANT_BLOCK};

	*out = 0;
	if (rc != ERR_OK || !row->has_blob)
		return rc;
	if (!row->blob.block_map) {
		*out = row->blob.byte_length;
		return ERR_OK;
	}
	return blobs_size(hyperdrive_blobs(s->drive), &row->blob, out, &w, e);
}

/* By its key as it is: names that a path cannot have are deleted, not what
 * they would be normalised to. */
static enum err_code
del_key(struct stage_run *s, const struct stage_row *row, struct err *e)
{
	enum err_code rc;
	struct buf key;
	struct want w = {.kind = WANT_BLOCK};

	buf_init(&key, CORE_BLOCK_MAX);
	entry_key(&key, view_str(row->path));
	if ((rc = buf_check(&key, e)) == ERR_OK)
		rc = hyperdrive_batch_field(
		    s->batch, buf_view(&key), NULL, &w, e);
	buf_deinit(&key);
	return rc;
}

enum err_code
stage_apply_remove(struct stage_run *s, struct stage_row *row, struct err *e)
{
	struct outcome o = {.op = PLAN_REMOVE};
	enum err_code rc = old_size(s, row, &o.removed, e);

	if (rc == ERR_OK)
		rc = del_key(s, row, e);
	if (rc == ERR_OK && s->cache != NULL)
		rc = statcache_forget(s->cache, view_str(row->path), e);
	return rc == ERR_OK ? report(s, row, &o, e) : rc;
}

/* Every content the drive has now, by blob id. Read only when a content
 * turns up that needed no new bytes. */
static enum err_code
know_origins(struct stage_run *s, struct err *e)
{
	enum err_code rc = ERR_OK;

	s->origins_known = true;
	for (size_t i = 0; rc == ERR_OK && i < s->rows.n; i++) {
		struct stage_row *row = &s->rows.row[i];

		if (row->seq == 0)
			continue;
		rc = stage_row_decode(row, s->at, e);
		if (rc == ERR_OK && row->has_blob)
			rc = origin_add(
			    &s->origin, &row->blob, row->path, row->removed, e);
	}
	return rc;
}

static enum err_code
find_origin(struct stage_run *s, const struct stage_row *row,
    const struct content_stored *c, struct outcome *o, struct err *e)
{
	struct origin_slot *slot;
	enum err_code rc = ERR_OK;

	if (c->stored > 0 || c->id.block_length == 0 ||
	    s->opts->chunking != STAGE_CHUNKING_CDC)
		return ERR_OK;
	if (!s->origins_known && (rc = know_origins(s, e)) != ERR_OK)
		return rc;
	slot = origin_find(&s->origin, &c->id);
	if (slot == NULL || strcmp(slot->path, row->path) == 0)
		return ERR_OK;
	o->from = slot->path;
	o->renamed = slot->removed;
	slot->removed = false; /* a second one is a copy */
	return ERR_OK;
}

static struct content_file
file_of(const struct stage_run *s, const struct stage_row *row)
{
	return staged_file(s->scan, row->disk);
}

static enum err_code
learn(struct stage_run *s, const struct stage_row *row, uint64_t seq,
    struct err *e)
{
	struct stat st;

	if (s->cache == NULL || row->disk->kind != SCAN_FILE)
		return ERR_OK;
	scan_stat(row->disk, &st);
	return statcache_learn(s->cache, view_str(row->path), &st, seq, e);
}

static enum err_code
old_blocks(struct stage_run *s, struct stage_row *row, struct err *e)
{
	struct blobs_list l = {NULL, 0, 0, 0};
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	if ((s->opts->chunking != STAGE_CHUNKING_PEAR &&
		s->opts->chunking != STAGE_CHUNKING_PEAR_EXACT) ||
	    !row->has_blob)
		return ERR_OK;
	rc = blobs_resolve(hyperdrive_blobs(s->drive), &row->blob, &l, &w, e);
	if (rc == ERR_OK)
		rc = blobs_writer_previous(
		    hyperdrive_batch_blobs(s->batch), &l, e);
	blobs_list_deinit(&l);
	return rc;
}

static enum err_code
put_content(struct stage_run *s, struct stage_row *row, struct outcome *o,
    struct err *e)
{
	struct content_file f = file_of(s, row);
	struct content_stored c;
	struct entry en;
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	if ((rc = old_blocks(s, row, e)) == ERR_OK)
		rc = content_store(
		    &s->content, &f, hyperdrive_batch_blobs(s->batch), &c, e);
	if (rc == ERR_OK)
		rc = find_origin(s, row, &c, o, e);
	if (rc != ERR_OK)
		return rc;
	o->added = (uint64_t)f.st.st_size;
	o->stored = c.stored;
	o->executable = (f.st.st_mode & S_IXUSR) != 0;
	o->has_sum = s->content.sum == CONTENT_SUM;
	if (o->has_sum)
		o->sum = c.sum;
	entry_init(&en);
	en.executable = o->executable;
	en.has_blob = true;
	en.blob = c.id;
	rc = hyperdrive_batch_put(s->batch, view_str(row->path), &en, &w, e);
	entry_deinit(&en);
	if (rc == ERR_OK)
		rc = learn(s, row, s->next_seq, e);
	return rc == ERR_OK ? report(s, row, o, e) : rc;
}

static enum err_code
put_link(struct stage_run *s, struct stage_row *row, struct outcome *o,
    struct err *e)
{
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	o->linkname = row->disk->linkname;
	rc = hyperdrive_batch_symlink(
	    s->batch, view_str(row->path), row->disk->linkname, &w, e);
	return rc == ERR_OK ? report(s, row, o, e) : rc;
}

/* Content equal, executable bit not: the entry keeps its blob. */
static enum err_code
put_mode(struct stage_run *s, struct stage_row *row, struct err *e)
{
	struct outcome o = {.op = PLAN_CHANGE};
	struct entry en;
	enum err_code rc;
	struct stat st;
	struct want w = {.kind = WANT_BLOCK};

	scan_stat(row->disk, &st);
	entry_init(&en);
	rc = hyperdrive_entry(s->at, view_str(row->path), &en, NULL, &w, e);
	if (rc == ERR_OK) {
		json_decref(en.metadata);
		en.metadata = NULL;
		en.executable = o.executable = (st.st_mode & S_IXUSR) != 0;
		rc = hyperdrive_batch_put(
		    s->batch, view_str(row->path), &en, &w, e);
	}
	entry_deinit(&en);
	if (rc == ERR_OK)
		rc = learn(s, row, s->next_seq, e);
	return rc == ERR_OK ? report(s, row, &o, e) : rc;
}

enum verdict { SAME, MODE_DIFFERS, CONTENT_DIFFERS };

static enum err_code
compare_file(struct stage_run *s, struct stage_row *row, uint64_t size,
    enum verdict *out, struct err *e)
{
	struct content_file f = file_of(s, row);
	enum err_code rc;
	struct b32 sum;
	struct want w = {.kind = WANT_BLOCK};
	bool same;

	*out = CONTENT_DIFFERS;
	if (!row->has_blob || row->linkname != NULL ||
	    size != (uint64_t)f.st.st_size)
		return ERR_OK;
	rc = content_same(&s->content, &f, hyperdrive_blobs(s->drive),
	    &row->blob, &same, &sum, &w, e);
	if (rc != ERR_OK || !same)
		return rc;
	*out = ((f.st.st_mode & S_IXUSR) != 0) == row->executable
		   ? SAME
		   : MODE_DIFFERS;
	return ERR_OK;
}

static enum err_code
change_row(struct stage_run *s, struct stage_row *row, struct err *e)
{
	struct outcome o = {.op = PLAN_CHANGE};
	enum verdict v = CONTENT_DIFFERS;
	enum err_code rc = old_size(s, row, &o.removed, e);

	if (rc != ERR_OK)
		return rc;
	if (row->disk->kind == SCAN_LINK) {
		if (row->linkname != NULL &&
		    strcmp(row->linkname, row->disk->linkname) == 0)
			return ERR_OK;
		s->r->change++;
		return put_link(s, row, &o, e);
	}
	if ((rc = compare_file(s, row, o.removed, &v, e)) != ERR_OK)
		return rc;
	if (v == SAME)
		return learn(s, row, row->seq, e);
	s->r->change++;
	return v == MODE_DIFFERS ? put_mode(s, row, e)
				 : put_content(s, row, &o, e);
}

enum err_code
stage_apply_row(struct stage_run *s, struct stage_row *row, struct err *e)
{
	struct outcome o = {.op = PLAN_ADD};

	s->r->files++;
	if (row->cached)
		return ERR_OK;
	if (row->seq != 0)
		return change_row(s, row, e);
	s->r->add++;
	return row->disk->kind == SCAN_LINK ? put_link(s, row, &o, e)
					    : put_content(s, row, &o, e);
}
