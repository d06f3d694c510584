/* Rows onto a batch: production's blocks, removals, entries, fields. */
#include <stdio.h>
#include <string.h>

#include "codec/jtext.h"
#include "drive/provision_impl.h"

#define COPY_STEP 256u /* blocks between looks at the user */

void
provision_emit(const struct provision_run *p, const struct provision_event *ev)
{
	if (p->event != NULL)
		p->event(p->ctx, ev);
}

void
provision_progress(struct provision_run *p, uint64_t bytes)
{
	struct provision_event ev = {.kind = PROVISION_EVENT_PROGRESS};

	p->done += bytes;
	ev.done = p->done;
	ev.total = p->rows.bytes;
	provision_emit(p, &ev);
}

enum err_code
provision_stopping(const struct provision_run *p, struct err *e)
{
	if (p->stop == NULL || !p->stop(p->ctx))
		return ERR_OK;
	return err_set(
	    e, ERR_INTERRUPTED, "interrupted; the target is unchanged");
}

/* -- production's blocks -------------------------------------------------- */

static enum err_code
copy_step(struct provision_run *p, struct core_batch *b, struct core *from,
    uint64_t to, struct err *e)
{
	enum err_code rc = provision_stopping(p, e);
	struct want w = {.kind = WANT_BLOCK};

	if (rc != ERR_OK)
		return rc;
	do
		rc = core_batch_copy(b, from, to, &w, e);
	while (need_again(p->fetch, &rc, &w, e));
	return rc;
}

static enum err_code
copy_core(struct provision_run *p, struct core_batch *b, struct core *from,
    uint64_t length, const char *what, enum provision_talk talk,
    struct provision_report *r, struct err *e)
{
	struct provision_event ev = {.what = what, .total = length};
	uint64_t first = core_batch_length(b), bytes = 0;
	enum err_code rc = ERR_OK;

	if (core_batch_length(b) < length)
		bytes = core_batch_byte_length(b);
	ev.kind = PROVISION_EVENT_SYNCING;
	if (talk == PROVISION_TELL)
		provision_emit(p, &ev);
	ev.kind = PROVISION_EVENT_BLOCKS;
	while (rc == ERR_OK && core_batch_length(b) < length) {
		uint64_t left = length - core_batch_length(b);

		left = left < COPY_STEP ? left : COPY_STEP;
		rc = copy_step(p, b, from, core_batch_length(b) + left, e);
		ev.done = core_batch_length(b);
		if (rc == ERR_OK && talk == PROVISION_TELL)
			provision_emit(p, &ev);
	}
	if (rc != ERR_OK)
		return err_wrap(e, "production's %s", what);
	ev.kind = PROVISION_EVENT_SYNCED;
	ev.done = core_batch_length(b);
	if (talk == PROVISION_TELL)
		provision_emit(p, &ev);
	if (first < length) {
		r->copied_blocks += length - first;
		r->copied_bytes += core_batch_byte_length(b) - bytes;
	}
	return ERR_OK;
}

enum err_code
provision_copy(struct provision_run *p, struct hyperdrive_batch *hb,
    enum provision_talk talk, struct provision_report *r, struct err *e)
{
	struct core_batch *db, *blobs;
	enum err_code rc;

	if (p->production == NULL)
		return ERR_OK;
	db = hyperdrive_batch_cores(hb, &blobs);
	rc = copy_core(p, db, hyperdrive_db(p->production), p->db_length,
	    "metadata", talk, r, e);
	if (rc != ERR_OK || hyperdrive_blobs(p->production) == NULL)
		return rc;
	return copy_core(p, blobs, hyperdrive_blobs(p->production),
	    p->blobs_length, "blobs", talk, r, e);
}

/* -- rows ----------------------------------------------------------------- */

/* Deleted by its key as it is: a name that no path can have must not take
 * away what it would be normalised to. */
static enum err_code
put_field(struct provision_run *p, struct hyperdrive_batch *hb, struct view key,
    const json_t *value, struct err *e)
{
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	do
		rc = hyperdrive_batch_field(hb, key, value, &w, e);
	while (need_again(p->fetch, &rc, &w, e));
	return rc;
}

static enum err_code
remove_row(struct provision_run *p, struct hyperdrive_batch *hb,
    const struct provision_row *row, struct err *e)
{
	enum err_code rc;
	struct buf key;

	buf_init(&key, CORE_BLOCK_MAX);
	entry_key(&key, view_str(row->path));
	if ((rc = buf_check(&key, e)) == ERR_OK)
		rc = put_field(p, hb, buf_view(&key), NULL, e);
	buf_deinit(&key);
	return rc;
}

static enum err_code
put_entry(struct provision_run *p, struct hyperdrive_batch *hb,
    const char *path, const struct entry *en, struct err *e)
{
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	do
		rc = hyperdrive_batch_put(hb, view_str(path), en, &w, e);
	while (need_again(p->fetch, &rc, &w, e));
	return rc;
}

/* A row may be written twice, dry and real: it stays as it is. */
static enum err_code
write_row(struct provision_run *p, struct hyperdrive_batch *hb,
    const struct provision_row *row, enum core_batch_mode mode,
    uint64_t *stored, struct err *e)
{
	const struct provision_item it = {.path = view_str(row->path),
	    .en = row->en,
	    .size = row->added,
	    .index = row->index};
	struct entry en = row->en;
	enum err_code rc;

	if (row->op == PROVISION_REMOVE)
		return remove_row(p, hb, row, e);
	if (en.linkname != NULL) {
		entry_init(&en);
		en.linkname = row->en.linkname;
		return put_entry(p, hb, row->path, &en, e);
	}
	if (!row->content)
		return put_entry(p, hb, row->path, &en, e);
	rc = p->source->store(p->source, &it, hyperdrive_batch_blobs(hb), mode,
	    &en.blob, stored, e);
	if (rc != ERR_OK)
		return rc;
	en.has_blob = true;
	en.blob_json = NULL;
	return put_entry(p, hb, row->path, &en, e);
}

static void
count_row(const struct provision_row *row, uint64_t stored,
    struct provision_report *r)
{
	switch (row->op) {
	case PROVISION_REMOVE:
		r->remove++;
		break;
	case PROVISION_CHANGE:
		r->change++;
		break;
	case PROVISION_ADD:
		r->add++;
		break;
	}
	r->changes++;
	r->bytes_removed += row->removed;
	r->bytes_added += row->added;
	r->bytes_stored += stored;
}

static enum err_code
write_rows(struct provision_run *p, struct hyperdrive_batch *hb, bool removals,
    enum core_batch_mode mode, struct provision_report *r, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; i < p->rows.n; i++) {
		const struct provision_row *row = &p->rows.row[i];
		struct provision_event ev = {.kind = PROVISION_EVENT_DIFF,
		    .writing = mode == CORE_BATCH_REAL,
		    .type = row->op,
		    .path = row->path,
		    .removed = row->removed,
		    .added = row->added};

		if ((row->op == PROVISION_REMOVE) != removals)
			continue;
		if ((rc = provision_stopping(p, e)) != ERR_OK ||
		    (rc = write_row(p, hb, row, mode, &ev.stored, e)) != ERR_OK)
			return rc;
		count_row(row, ev.stored, r);
		provision_emit(p, &ev);
	}
	return rc;
}

enum err_code
provision_write(struct provision_run *p, struct hyperdrive_batch *hb,
    enum core_batch_mode mode, struct provision_report *r, struct err *e)
{
	enum err_code rc;

	p->done = 0;
	if ((rc = write_rows(p, hb, true, mode, r, e)) != ERR_OK)
		return rc;
	return write_rows(p, hb, false, mode, r, e);
}

/* -- fields --------------------------------------------------------------- */

enum err_code
provision_field_of(struct bee *at, const char *name, json_t **out,
    const struct fetch *f, struct err *e)
{
	struct bee_entry found;
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	*out = NULL;
	if (at == NULL)
		return ERR_OK;
	do
		rc = bee_get(at, view_str(name), &found, &w, e);
	while (need_again(f, &rc, &w, e));
	if (rc == ERR_NOT_FOUND)
		return ERR_OK;
	if (rc == ERR_OK)
		rc = jtext_parse(found.value, CORE_BLOCK_MAX, out, e);
	return rc == ERR_OK ? rc : err_wrap(e, "field %s", name);
}

static enum err_code
set_field(struct provision_run *p, struct hyperdrive_batch *hb,
    const char *name, const json_t *value, enum provision_talk talk,
    struct provision_report *r, struct err *e)
{
	const struct provision_event ev = {
	    .kind = value == NULL ? PROVISION_EVENT_UNSETTING
				  : PROVISION_EVENT_SETTING,
	    .field = name,
	    .value = value};
	enum err_code rc = ERR_OK;

	if (talk == PROVISION_TELL)
		provision_emit(p, &ev);
	r->fields++;
	/* the original writes each field by itself, behind its batch */
	if (p->sharing == PROVISION_PLAIN)
		rc = hyperdrive_batch_flush(hb, e);
	return rc == ERR_OK ? put_field(p, hb, view_str(name), value, e) : rc;
}

enum err_code
provision_fields(struct provision_run *p, struct hyperdrive_batch *hb,
    enum provision_talk talk, struct provision_report *r, struct err *e)
{
	static const char *const names[] = {
	    "manifest", "metadata", "platformVersion"};
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < 3; i++) {
		json_t *want = NULL, *have = NULL;

		rc = p->source->field(p->source, names[i], &want, e);
		if (rc == ERR_OK)
			rc = provision_field_of(
			    p->dst, names[i], &have, p->fetch, e);
		if (rc == ERR_OK && (want != NULL || have != NULL) &&
		    (want == NULL || have == NULL || !json_equal(want, have)))
			rc = set_field(p, hb, names[i], want, talk, r, e);
		json_decref(want);
		json_decref(have);
	}
	return rc == ERR_OK ? hyperdrive_batch_flush(hb, e) : rc;
}
