/* Writing: a bee batch and a blobs writer on two core batches, committed
 * together. */
#include <stdlib.h>

#include "base/bug.h"
#include "codec/jtext.h"
#include "codec/z32.h"
#include "hyperdrive/drive.h"

#define QUOTE 256 /* bytes of a quoted path in an error */
#define KEY_MAX (1u << 20)

struct hyperdrive_batch {
	struct hyperdrive *drive; /* NULL: in memory, of no store */
	enum core_batch_mode mode;
	enum blobs_share share;
	struct core_batch *db, *blobs;
	struct bee_batch *bee;
	struct blobs_writer *writer;
	struct buf key, value;
};

/* The header of a new drive: metadata without a blobs key, which the
 * manifest gives (2.7). */
static const struct bee_header header = {true, {NULL, 0}, {NULL, 0}};

/* What stands on the core batches, made when these are as long as they will
 * be before the first append. */
static enum err_code
make_writers(struct hyperdrive_batch *hb, struct err *e)
{
	struct core *db = NULL, *blobs = NULL;
	enum err_code rc;

	if (hb->drive != NULL) {
		db = hyperdrive_db(hb->drive);
		blobs = hyperdrive_blobs(hb->drive);
	}
	bee_batch_free(hb->bee);
	blobs_writer_free(hb->writer);
	hb->bee = NULL;
	hb->writer = NULL;
	rc = bee_batch_new(&hb->bee, db, hb->db, &header, e);
	if (rc != ERR_OK)
		return rc;
	return blobs_writer_new(&hb->writer, blobs, hb->blobs, hb->share, e);
}

static enum err_code
make_batches(struct hyperdrive_batch *hb, struct err *e)
{
	struct core *blobs;
	enum err_code rc;

	if (hb->drive == NULL) {
		rc = core_batch_new_empty(&hb->db, e);
		return rc == ERR_OK ? core_batch_new_empty(&hb->blobs, e) : rc;
	}
	blobs = hyperdrive_blobs(hb->drive);
	rc = core_batch_new(&hb->db, hyperdrive_db(hb->drive), hb->mode, e);
	if (rc != ERR_OK)
		return rc;
	if (blobs != NULL)
		return core_batch_new(&hb->blobs, blobs, hb->mode, e);
	if (hb->mode == CORE_BATCH_REAL)
		return err_set(
		    e, ERR_READONLY, "the drive has no blobs core to write");
	return core_batch_new_empty(&hb->blobs, e);
}

enum err_code
hyperdrive_batch_new(struct hyperdrive_batch **out, struct hyperdrive *d,
    enum core_batch_mode mode, enum blobs_share share, struct err *e)
{
	struct hyperdrive_batch *hb;
	enum err_code rc;

	if ((hb = calloc(1, sizeof(*hb))) == NULL)
		return err_nomem(e);
	hb->drive = d;
	hb->mode = mode;
	hb->share = share;
	buf_init(&hb->key, KEY_MAX);
	buf_init(&hb->value, ENTRY_VALUE_MAX);
	if ((rc = make_batches(hb, e)) != ERR_OK ||
	    (rc = make_writers(hb, e)) != ERR_OK) {
		hyperdrive_batch_free(hb);
		return rc;
	}
	*out = hb;
	return ERR_OK;
}

void
hyperdrive_batch_free(struct hyperdrive_batch *hb)
{
	if (hb == NULL)
		return;
	bee_batch_free(hb->bee);
	blobs_writer_free(hb->writer);
	core_batch_free(hb->db);
	core_batch_free(hb->blobs);
	buf_deinit(&hb->key);
	buf_deinit(&hb->value);
	free(hb);
}

/* A writer has all its blocks: one that is missing is an error. */
static enum err_code
blobs_length_at(struct hyperdrive_batch *hb, uint64_t version, uint64_t *length,
    struct err *e)
{
	struct core *db = hyperdrive_db(hb->drive);
	struct bee *b = NULL;
	struct want w;
	enum err_code rc;

	if (version > core_head(db)->length)
		return err_set(e, ERR_LIMIT, "Bad truncation length");
	rc = bee_check_version(db, version, &w, e);
	if (rc == ERR_OK)
		rc = hyperdrive_at(hb->drive, version, &b, e);
	if (rc == ERR_OK)
		rc = hyperdrive_blobs_length(b, length, &w, e);
	bee_close(b);
	if (rc == ERR_NEED_BLOCK)
		return fetch_block(NULL, &w, e);
	if (rc == ERR_OK && *length > core_batch_length(hb->blobs))
		return err_set(e, ERR_LIMIT, "Bad truncation length");
	return rc;
}

enum err_code
hyperdrive_batch_truncate(
    struct hyperdrive_batch *hb, uint64_t version, struct err *e)
{
	uint64_t length;
	enum err_code rc;

	bug_if(hb->drive == NULL);
	if ((rc = blobs_length_at(hb, version, &length, e)) != ERR_OK ||
	    (rc = core_batch_truncate(hb->db, version, e)) != ERR_OK ||
	    (rc = core_batch_truncate(hb->blobs, length, e)) != ERR_OK)
		return rc;
	return make_writers(hb, e);
}

struct blobs_writer *
hyperdrive_batch_blobs(struct hyperdrive_batch *hb)
{
	return hb->writer;
}

struct core_batch *
hyperdrive_batch_cores(struct hyperdrive_batch *hb, struct core_batch **blobs)
{
	if (blobs != NULL)
		*blobs = hb->blobs;
	return hb->db;
}

static enum err_code
wrap_path(struct view path, struct err *e)
{
	char quoted[QUOTE];

	return err_wrap(e, "entry \"%s\"",
	    err_quote(quoted, sizeof(quoted), path.ptr, path.len));
}

static enum err_code
path_key(struct hyperdrive_batch *hb, struct view path, struct err *e)
{
	enum err_code rc;

	buf_reset(&hb->key);
	entry_key(&hb->key, VIEW_EMPTY);
	if ((rc = entry_path(&hb->key, path, e)) != ERR_OK)
		return rc;
	return buf_check(&hb->key, e);
}

enum err_code
hyperdrive_batch_put(struct hyperdrive_batch *hb, struct view path,
    const struct entry *en, struct want *w, struct err *e)
{
	enum err_code rc = path_key(hb, path, e);

	buf_reset(&hb->value);
	entry_encode(&hb->value, en);
	if (rc == ERR_OK && (rc = buf_check(&hb->value, e)) == ERR_OK)
		rc = bee_batch_put(
		    hb->bee, buf_view(&hb->key), buf_view(&hb->value), w, e);
	return rc == ERR_OK ? rc : wrap_path(path, e);
}

enum err_code
hyperdrive_batch_symlink(struct hyperdrive_batch *hb, struct view path,
    const char *target, struct want *w, struct err *e)
{
	struct entry en;

	entry_init(&en);
	/* encoded, never changed nor freed */
	en.linkname = (char *)(uintptr_t)target;
	return hyperdrive_batch_put(hb, path, &en, w, e);
}

enum err_code
hyperdrive_batch_del(struct hyperdrive_batch *hb, struct view path,
    struct want *w, struct err *e)
{
	enum err_code rc = path_key(hb, path, e);

	if (rc == ERR_OK)
		rc = bee_batch_del(hb->bee, buf_view(&hb->key), w, e);
	return rc == ERR_OK ? rc : wrap_path(path, e);
}

enum err_code
hyperdrive_batch_field(struct hyperdrive_batch *hb, struct view key,
    const json_t *value, struct want *w, struct err *e)
{
	enum err_code rc;

	if (value == NULL)
		return bee_batch_del(hb->bee, key, w, e);
	buf_reset(&hb->value);
	jtext_print(&hb->value, value);
	if ((rc = buf_check(&hb->value, e)) != ERR_OK)
		return wrap_path(key, e);
	return bee_batch_put(hb->bee, key, buf_view(&hb->value), w, e);
}

enum err_code
hyperdrive_batch_flush(struct hyperdrive_batch *hb, struct err *e)
{
	return bee_batch_flush(hb->bee, e);
}

struct hooks {
	struct hyperdrive_batch *hb;
	enum err_code (*also)(void *ctx, struct store_txn *txn, struct err *e);
	void *ctx;
};

static enum err_code
run_hooks(void *ctx, struct store_txn *txn, struct err *e)
{
	struct hooks *h = ctx;
	enum err_code rc = blobs_writer_index(h->hb->writer, txn, e);

	if (rc == ERR_OK && h->also != NULL)
		rc = h->also(h->ctx, txn, e);
	return rc;
}

static bool
moved(const struct core_batch *b, struct core *c)
{
	return core_batch_length(b) != core_head(c)->length ||
	       core_batch_fork(b) != core_head(c)->fork;
}

/* No head moves: the caller's hook is the whole commit. */
static enum err_code
commit_hook(struct hyperdrive_batch *hb, struct hooks *h, struct err *e)
{
	struct store_txn *txn;
	enum err_code rc;

	if (h->also == NULL)
		return ERR_OK;
	rc = store_begin(&txn, core_store(hyperdrive_db(hb->drive)), e);
	if (rc != ERR_OK)
		return rc;
	if ((rc = h->also(h->ctx, txn, e)) == ERR_OK)
		return store_commit(txn, e);
	store_abort(txn);
	return rc;
}

enum err_code
hyperdrive_batch_commit(struct hyperdrive_batch *hb,
    enum err_code (*also)(void *ctx, struct store_txn *txn, struct err *e),
    void *ctx, struct err *e)
{
	struct core_batch *both[2] = {hb->blobs, hb->db};
	struct hooks h = {hb, also, ctx};
	struct core_commit commit = {both, 2, run_hooks, &h, NULL};
	char name[Z32_KEY_LEN + 1];
	enum err_code rc;

	bug_if(hb->mode != CORE_BATCH_REAL);
	if ((rc = hyperdrive_batch_flush(hb, e)) == ERR_OK) {
		if (moved(hb->blobs, hyperdrive_blobs(hb->drive)) ||
		    moved(hb->db, hyperdrive_db(hb->drive)))
			rc = core_commit(&commit, e);
		else
			rc = commit_hook(hb, &h, e);
	}
	if (rc == ERR_OK)
		return rc;
	return err_wrap(
	    e, "drive %s", z32_key(name, core_key(hyperdrive_db(hb->drive))));
}
