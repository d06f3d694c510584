/* A folder onto production, in memory: what a signer compares with. */
#include "drive/provision_impl.h"

static enum err_code
write_all(struct provision_run *p, struct provision_drive *out, struct err *e)
{
	enum blobs_share share =
	    p->sharing == PROVISION_PLAIN ? BLOBS_PLAIN : BLOBS_SHARED;
	struct provision_report r = {.version = NULL};
	struct hyperdrive_batch *hb = NULL;
	enum err_code rc;

	rc = hyperdrive_batch_new(&hb, NULL, CORE_BATCH_DRY, share, e);
	if (rc == ERR_OK &&
	    (rc = provision_copy(p, hb, PROVISION_SILENT, &r, e)) == ERR_OK &&
	    (rc = provision_diff(p, e)) == ERR_OK &&
	    (rc = provision_write(p, hb, CORE_BATCH_DRY, &r, e)) == ERR_OK &&
	    (rc = provision_fields(p, hb, PROVISION_SILENT, &r, e)) == ERR_OK) {
		*out = (struct provision_drive){.has_blobs = true};
		provision_describe_batch(out, hb);
	}
	hyperdrive_batch_free(hb);
	return rc;
}

enum err_code
drive_provision_rebuild(const struct provision_rebuild *o,
    struct provision_drive *out, struct err *e)
{
	struct provision_run p = {
	    .stop = o->stop, .ctx = o->ctx, .sharing = o->sharing};
	struct provision_side side = {NULL, NULL, 0};
	struct provision_from_dir *dir = NULL;
	enum err_code rc = ERR_OK;

	if (o->length > 0)
		rc = provision_open_at(
		    &side, o->store, &o->production, o->length, e);
	if (rc == ERR_OK && side.drive != NULL) {
		p.production = side.drive;
		p.db_length = o->length;
		p.blobs_length = side.blobs_length;
		p.dst = side.at;
		p.dst_blobs = hyperdrive_blobs(side.drive);
	}
	if (rc == ERR_OK)
		rc = provision_from_dir_new(&dir, o, e);
	if (rc == ERR_OK) {
		p.source = provision_from_dir_source(dir);
		rc = write_all(&p, out, e);
	}
	provision_rows_deinit(&p.rows);
	provision_from_dir_free(dir);
	provision_side_close(&side);
	return rc == ERR_OK ? rc : err_wrap(e, "rebuild from %s", o->dir);
}
