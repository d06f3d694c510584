#include "hyperdrive/drive.h"

#include <stdlib.h>
#include <string.h>

#include "codec/z32.h"

struct hyperdrive {
	struct store *store;
	enum core_mode mode;
	struct core *db;
	struct core *blobs; /* NULL while unknown or not in the store */
	bool has_key;
	struct b32 blobs_key;
};

static enum err_code
wrap_drive(const struct hyperdrive *d, struct err *e)
{
	char name[Z32_KEY_LEN + 1];

	return err_wrap(e, "drive %s", z32_key(name, core_key(d->db)));
}

/* The key that the drive's manifest gives, and the manifest behind it. */
static enum err_code
derive(const struct hyperdrive *d, struct manifest *m, struct b32 *key,
    struct err *e)
{
	const struct manifest *db = core_manifest(d->db);
	enum err_code rc;

	if (db == NULL)
		return err_set(
		    e, ERR_NOT_FOUND, "the manifest is not in this store");
	if (manifest_compat(db, core_key(d->db)) || db->version == 0)
		return err_set(e, ERR_UNSUPPORTED,
		    "a drive of the old kind whose header names no blobs core "
		    "can neither be read nor written");
	if ((rc = manifest_blobs(m, db, core_key(d->db), e)) == ERR_OK)
		manifest_key(key, m);
	return rc;
}

/* The key the header names; *named is false if it leaves it to the manifest.
 */
static enum err_code
key_from_header(const struct hyperdrive *d, bool *named, struct b32 *key,
    struct want *w, struct err *e)
{
	struct bee_header h;
	struct buf block;
	enum err_code rc;

	buf_init(&block, CORE_BLOCK_MAX);
	*named = false;
	if ((rc = core_get(d->db, 0, &block, w, e)) == ERR_OK)
		rc = bee_header_decode(&h, buf_view(&block), e);
	if (rc == ERR_OK && h.content_feed.len >= sizeof(key->b)) {
		memcpy(key->b, h.content_feed.ptr, sizeof(key->b));
		*named = true;
	} else if (rc == ERR_OK && h.content_feed.len > 0) {
		rc = err_set(e, ERR_FORMAT, "Invalid or no Blob store key set");
	}
	buf_deinit(&block);
	return rc;
}

/* Without a header only a writer knows that none names another core. */
static enum err_code
find_key(struct hyperdrive *d, struct want *w, struct err *e)
{
	struct manifest m;
	bool named = false;
	enum err_code rc = ERR_OK;

	if (d->has_key)
		return ERR_OK;
	if (core_head(d->db)->length > 0) {
		rc = key_from_header(d, &named, &d->blobs_key, w, e);
	} else if (!core_writable(d->db)) {
		w->key = *core_key(d->db);
		w->kind = WANT_LENGTH;
		w->index = 1;
		return err_set(
		    e, ERR_NEED_BLOCK, "the header is not in this store");
	}
	if (rc == ERR_OK && !named)
		rc = derive(d, &m, &d->blobs_key, e);
	d->has_key = rc == ERR_OK;
	return rc;
}

/* Put the blobs core into the store: with manifest and pair if they are the
 * drive's own, else by its key, so that it can be fetched. */
static enum err_code
add_blobs(struct hyperdrive *d, struct err *e)
{
	struct manifest m;
	struct b32 key;
	bool own =
	    derive(d, &m, &key, e) == ERR_OK && b32_eq(&key, &d->blobs_key);

	if (own)
		return core_add(d->store, &m, &key,
		    core_writable(d->db) ? core_pair(d->db) : NULL, e);
	return core_add(d->store, NULL, &d->blobs_key, NULL, e);
}

/* A reader of a drive without blocks adds nothing: a dry run must not. */
static bool
may_add(const struct hyperdrive *d)
{
	return d->mode == CORE_WRITE ||
	       (core_head(d->db)->length > 0 &&
		   store_writable(d->store, NULL) == ERR_OK);
}

/* The contents core is not in the store, or only by its key, as whoever
 * fetches it leaves it: a writer makes it what it is. */
static bool
shall_add(const struct hyperdrive *d, enum err_code rc)
{
	if (rc == ERR_NOT_FOUND)
		return may_add(d);
	return rc == ERR_READONLY && d->mode == CORE_WRITE &&
	       core_writable(d->db);
}

enum err_code
hyperdrive_find_blobs(struct hyperdrive *d, struct want *w, struct err *e)
{
	enum err_code rc;

	if (d->blobs != NULL)
		return ERR_OK;
	if ((rc = find_key(d, w, e)) != ERR_OK)
		return wrap_drive(d, e);
	rc = core_open(&d->blobs, d->store, &d->blobs_key, d->mode, e);
	if (shall_add(d, rc)) {
		if ((rc = add_blobs(d, e)) == ERR_OK)
			rc = core_open(
			    &d->blobs, d->store, &d->blobs_key, d->mode, e);
	} else if (rc == ERR_NOT_FOUND && core_head(d->db)->length == 0) {
		return ERR_OK;
	}
	return rc == ERR_OK ? rc : wrap_drive(d, e);
}

enum err_code
hyperdrive_open(struct hyperdrive **out, struct store *s, const struct b32 *key,
    enum core_mode mode, struct err *e)
{
	struct hyperdrive *d;
	struct want w;
	enum err_code rc;

	if ((d = calloc(1, sizeof(*d))) == NULL)
		return err_nomem(e);
	d->store = s;
	d->mode = mode;
	if ((rc = core_open(&d->db, s, key, mode, e)) == ERR_OK) {
		rc = hyperdrive_find_blobs(d, &w, e);
		if (rc == ERR_NEED_BLOCK)
			rc = mode == CORE_READ ? ERR_OK
					       : fetch_block(NULL, &w, e);
	}
	if (rc != ERR_OK) {
		hyperdrive_close(d);
		return rc;
	}
	*out = d;
	return ERR_OK;
}

void
hyperdrive_close(struct hyperdrive *d)
{
	if (d == NULL)
		return;
	core_close(d->blobs);
	core_close(d->db);
	free(d);
}

struct core *
hyperdrive_db(struct hyperdrive *d)
{
	return d->db;
}

struct core *
hyperdrive_blobs(struct hyperdrive *d)
{
	return d->blobs;
}

bool
hyperdrive_blobs_key(struct hyperdrive *d, struct b32 *out)
{
	if (d->has_key)
		*out = d->blobs_key;
	return d->has_key;
}

enum err_code
hyperdrive_at(
    struct hyperdrive *d, uint64_t version, struct bee **out, struct err *e)
{
	enum err_code rc = bee_open(out, d->db, version, e);

	return rc == ERR_OK ? rc : wrap_drive(d, e);
}
