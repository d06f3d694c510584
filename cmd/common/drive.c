#include "cmd/common/drive.h"

#include <inttypes.h>
#include <string.h>

#include "blobs/blobs.h"
#include "cmd/common/common.h"

void
common_drive_close(struct common_drive *d)
{
	bee_close(d->bee);
	hyperdrive_close(d->drive);
	core_close(d->db);
	memset(d, 0, sizeof(*d));
}

bool
common_drive_again(const struct fetch *f, enum err_code *rc,
    const struct want *w, struct err *e)
{
	if (f == NULL || !want_helps(*rc, w))
		return false;
	*rc = fetch_block(f, w, e);
	return *rc == ERR_OK;
}

static enum err_code
check_fork(
    const struct core_head *head, const struct pear_link *l, struct err *e)
{
	if (l->has_version && l->fork != head->fork)
		return err_set(e, ERR_CONFLICT,
		    "the link names fork %" PRIu64
		    ", this store has fork %" PRIu64,
		    l->fork, head->fork);
	if (l->has_version && l->length > head->length)
		return err_set(e, ERR_PEERS,
		    "the link names length %" PRIu64
		    ", this store has length %" PRIu64
		    ", and no peer gave more",
		    l->length, head->length);
	return ERR_OK;
}

static enum err_code
check_tree(struct common_drive *d, const struct pear_link *l, struct err *e)
{
	struct b32 hash;
	struct want w = {.kind = WANT_BLOCK};
	enum err_code rc;

	do
		rc = core_tree_at(d->db, d->version, &d->tree, &w, e);
	while (common_drive_again(d->fetch, &rc, &w, e));
	if (rc != ERR_OK || !l->has_hash)
		return rc;
	tree_hash(&d->tree, &hash);
	if (!b32_eq(&hash, &l->hash))
		return err_set(e, ERR_VERIFY,
		    "the tree hash at length %" PRIu64
		    " is not the one the link names",
		    d->version);
	return ERR_OK;
}

/* A length from outside may lie inside a flush: such a tree is no drive. */
static enum err_code
open_checkout(struct common_drive *d, struct err *e)
{
	struct want w = {.kind = WANT_BLOCK};
	enum err_code rc = ERR_OK;

	if (d->drive == NULL)
		return ERR_OK;
	if (d->checkout)
		do
			rc = bee_check_version(d->db, d->version, &w, e);
		while (common_drive_again(d->fetch, &rc, &w, e));
	return rc == ERR_OK ? hyperdrive_at(d->drive, d->version, &d->bee, e)
			    : rc;
}

/* A core that is no drive, or whose contents are not known, is still a core
 * that can be described. */
static enum err_code
open_drive(struct common_drive *d, struct store *s, struct err *e)
{
	enum err_code rc;

	rc = hyperdrive_open(&d->drive, s, core_key(d->db), CORE_READ, e);
	if (rc != ERR_NOT_FOUND && rc != ERR_FORMAT && rc != ERR_UNSUPPORTED)
		return rc;
	d->drive = NULL;
	return ERR_OK;
}

enum err_code
common_drive_open(struct common_drive *out, struct store *s,
    const struct pear_link *link, const struct fetch *f, struct err *e)
{
	struct common_drive d;
	char name[Z32_KEY_LEN + 1];
	enum err_code rc;

	memset(out, 0, sizeof(*out));
	memset(&d, 0, sizeof(d));
	d.fetch = f;
	rc = core_open(&d.db, s, &link->key, CORE_READ, e);
	if (rc != ERR_OK)
		return common_absent(rc, "drive", &link->key, e);
	d.checkout = link->has_version && link->length > 0;
	d.version = d.checkout ? link->length : core_head(d.db)->length;
	if ((rc = check_fork(core_head(d.db), link, e)) != ERR_OK ||
	    (rc = check_tree(&d, link, e)) != ERR_OK)
		rc = err_wrap(e, "drive %s", z32_key(name, &link->key));
	else if ((rc = open_drive(&d, s, e)) == ERR_OK &&
		 (rc = open_checkout(&d, e)) != ERR_OK)
		rc = err_wrap(e, "drive %s", z32_key(name, &link->key));
	if (rc != ERR_OK) {
		common_drive_close(&d);
		return rc;
	}
	*out = d;
	return ERR_OK;
}

static enum err_code
read_blob(struct core *blobs, const struct blobs_id *id, const struct fetch *f,
    struct buf *out, struct err *e)
{
	struct blobs_reader *r;
	struct want w = {.kind = WANT_BLOCK};
	struct view block;
	bool more = true;
	enum err_code rc;

	fetch_ahead(f, core_key(blobs), id->block_offset,
	    id->block_offset + id->block_length);
	do
		rc = blobs_reader_open(&r, blobs, id, &w, e);
	while (common_drive_again(f, &rc, &w, e));
	if (rc != ERR_OK)
		return rc;
	do {
		do
			rc = blobs_reader_next(r, &more, &block, &w, e);
		while (common_drive_again(f, &rc, &w, e));
		if (rc == ERR_OK && more)
			buf_append(out, block);
	} while (rc == ERR_OK && more);
	blobs_reader_close(r);
	return rc == ERR_OK ? buf_check(out, e) : rc;
}

enum err_code
common_drive_file(
    struct common_drive *d, const char *path, struct buf *out, struct err *e)
{
	struct entry en;
	struct want w = {.kind = WANT_BLOCK};
	enum err_code rc;

	if (d->bee == NULL)
		return err_set(e, ERR_NOT_FOUND, "%s: this is no drive", path);
	entry_init(&en);
	do
		rc = hyperdrive_entry(d->bee, view_str(path), &en, NULL, &w, e);
	while (common_drive_again(d->fetch, &rc, &w, e));
	if (rc == ERR_OK && !en.has_blob)
		rc = err_set(e, ERR_NOT_FOUND, "not a regular file");
	else if (rc == ERR_OK && hyperdrive_blobs(d->drive) == NULL)
		rc = err_set(
		    e, ERR_NEED_BLOCK, "the contents are not in this store");
	else if (rc == ERR_OK)
		rc = read_blob(
		    hyperdrive_blobs(d->drive), &en.blob, d->fetch, out, e);
	entry_deinit(&en);
	return rc == ERR_OK ? rc : err_wrap(e, "%s", path);
}
