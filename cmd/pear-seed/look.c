/* What a drive is, and what it is called. Cores are opened for a moment, if
 * they are not open. */
#include <stdlib.h>
#include <string.h>

#include "cmd/common/drive.h"
#include "cmd/pear-seed/seed.h"
#include "pear/appcfg.h"

struct drive_head
look_head(struct replicate_core *c)
{
	const struct core_head *h = core_head(replicate_core_handle(c));

	return (struct drive_head){h->length, h->contiguous, h->byte_length};
}

bool
look_whole(const struct drive_head *h)
{
	return h->contiguous >= h->length;
}

void
look_heads(
    const struct drive *d, struct drive_head *db, struct drive_head *blobs)
{
	*db = d->db != NULL ? look_head(d->db) : d->db_head;
	*blobs = d->blobs != NULL ? look_head(d->blobs) : d->blobs_head;
}

/* Two cores, one, or nothing tells yet (shape stays as it is). */
static enum err_code
ask_drive(struct seeder *s, struct drive *d, struct err *e)
{
	static const struct err none = ERR_INIT;
	struct hyperdrive *drive;
	const struct core_head *h;
	struct core *blobs;
	struct want w;
	enum err_code rc;

	rc = hyperdrive_open(&drive, s->store, &d->key, CORE_READ, e);
	if (rc == ERR_OK) {
		rc = hyperdrive_find_blobs(drive, &w, e);
		if (rc == ERR_OK && hyperdrive_blobs_key(drive, &d->blobs_key))
			d->shape = DRIVE_WHOLE;
		if (rc == ERR_OK && (blobs = hyperdrive_blobs(drive)) != NULL) {
			h = core_head(blobs);
			d->blobs_head = (struct drive_head){
			    h->length, h->contiguous, h->byte_length};
		}
		hyperdrive_close(drive);
	}
	if (rc == ERR_FORMAT || rc == ERR_UNSUPPORTED)
		d->shape = DRIVE_CORE;
	else if (rc != ERR_NEED_BLOCK && rc != ERR_NOT_FOUND)
		return rc;
	*e = none;
	return ERR_OK;
}

enum err_code
look_contents(struct seeder *s, struct drive *d, struct err *e)
{
	struct drive_head db, blobs;
	enum err_code rc;

	look_heads(d, &db, &blobs);
	/* the first block of an empty one could still name other contents */
	if (d->shape != DRIVE_PENDING || db.length == 0)
		return ERR_OK;
	if ((rc = ask_drive(s, d, e)) != ERR_OK || d->shape == DRIVE_PENDING)
		return rc;
	s->goal.look = true;
	if (d->shape != DRIVE_WHOLE)
		return ERR_OK;
	drives_link_blobs(s, d);
	render_contents(s, d);
	return ERR_OK;
}

/* Stays what it was where it cannot be read. */
static void
read_name(struct seeder *s, struct drive *d)
{
	struct appcfg cfg = {.json = NULL};
	char name[MONITOR_NAME_MAX];
	struct common_drive cd;
	struct pear_link link;
	const char *title;
	struct buf text;
	char *kept;

	pear_link_init(&link, &d->key);
	if (common_drive_open(&cd, s->store, &link, NULL, NULL) != ERR_OK)
		return;
	buf_init(&text, APPCFG_MAX);
	if (common_drive_file(&cd, "/package.json", &text, NULL) == ERR_OK &&
	    appcfg_parse(&cfg, buf_view(&text), NULL) == ERR_OK) {
		title = appcfg_title(&cfg);
		(void)err_quote(name, sizeof(name), title, strlen(title));
		if ((kept = strdup(name)) != NULL) {
			free(d->name);
			d->name = kept;
		}
	}
	appcfg_deinit(&cfg);
	buf_deinit(&text);
	common_drive_close(&cd);
}

uint32_t
look_age(uint64_t db_length, uint64_t blobs_length)
{
	return (uint32_t)(db_length + blobs_length);
}

void
look_name(struct seeder *s, struct drive *d)
{
	struct drive_head db, blobs;

	look_heads(d, &db, &blobs);
	if (d->shape != DRIVE_WHOLE || blobs.length == 0 || !look_whole(&db) ||
	    !look_whole(&blobs) ||
	    d->named == look_age(db.length, blobs.length))
		return;
	d->named = look_age(db.length, blobs.length);
	read_name(s, d);
}
