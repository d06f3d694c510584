/* The three drives of a provision: found, at the right version, and held
 * against each other before anything is written. */
#include <inttypes.h>

#include "codec/hex.h"
#include "drive/provision_impl.h"

#define LINK PEAR_LINK_TEXT_MAX

void
provision_side_close(struct provision_side *s)
{
	bee_close(s->at);
	hyperdrive_close(s->drive);
	*s = (struct provision_side){NULL, NULL, 0};
}

static enum err_code
absent(const char *who, const struct b32 *key, struct err *e)
{
	char link[LINK];
	enum err_code rc = err_set(e, ERR_PEERS, "%s %s is not in this store",
	    who, pear_link_key(link, key));

	return e == NULL ? rc : err_tag(e, "ERR_NOT_FOUND");
}

/* Wait for a length, if there is somebody to ask. */
static enum err_code
need_length(struct core *c, uint64_t length, const char *what,
    const struct fetch *f, struct err *e)
{
	const struct want w = {*core_key(c), WANT_LENGTH, length};
	enum err_code rc = ERR_OK;

	if (core_head(c)->length >= length)
		return ERR_OK;
	if (f != NULL && (rc = fetch_block(f, &w, e)) == ERR_OK)
		rc = core_refresh(c, e);
	if (rc != ERR_OK || core_head(c)->length >= length)
		return rc;
	rc = err_set(e, ERR_PEERS,
	    "length %" PRIu64 " of %s is not in this store, only %" PRIu64,
	    length, what, core_head(c)->length);
	return e == NULL ? rc : err_tag(e, "ERR_NOT_FOUND");
}

static enum err_code
tree_hash_at(struct core *c, uint64_t length, const struct fetch *f,
    struct b32 *out, struct err *e)
{
	struct tree tree;
	enum err_code rc = need_tree(c, length, &tree, f, e);

	if (rc == ERR_OK)
		tree_hash(&tree, out);
	return rc;
}

enum err_code
provision_describe(struct provision_drive *r, struct hyperdrive *d,
    uint64_t length, const struct fetch *f, struct err *e)
{
	struct core *blobs = hyperdrive_blobs(d);

	r->key = *core_key(hyperdrive_db(d));
	r->fork = core_head(hyperdrive_db(d))->fork;
	r->length = length;
	r->has_blobs = hyperdrive_blobs_key(d, &r->blobs_key);
	if (blobs != NULL) {
		r->blobs_length = core_head(blobs)->length;
		r->blobs_hash = core_head(blobs)->tree_hash;
	}
	return tree_hash_at(hyperdrive_db(d), length, f, &r->tree_hash, e);
}

void
provision_describe_batch(struct provision_drive *r, struct hyperdrive_batch *hb)
{
	struct core_batch *db, *blobs;

	db = hyperdrive_batch_cores(hb, &blobs);
	r->fork = core_batch_fork(db);
	r->length = core_batch_length(db);
	core_batch_tree_hash(db, &r->tree_hash);
	r->blobs_length = core_batch_length(blobs);
	core_batch_tree_hash(blobs, &r->blobs_hash);
}

static enum err_code
check_fork(
    struct core *db, const struct pear_link *l, const char *who, struct err *e)
{
	if (core_head(db)->fork == l->fork)
		return ERR_OK;
	return err_set(e, ERR_CONFLICT,
	    "the %s has fork %" PRIu64 ", its link asks for fork %" PRIu64, who,
	    core_head(db)->fork, l->fork);
}

static enum err_code
check_hash(struct core *db, const struct pear_link *l, const char *who,
    const struct fetch *f, struct err *e)
{
	char want[65], got[65];
	struct b32 hash;
	enum err_code rc;

	if (!l->has_hash)
		return ERR_OK;
	rc = tree_hash_at(db, l->length, f, &hash, e);
	if (rc != ERR_OK || b32_eq(&hash, &l->hash))
		return rc;
	return err_set(e, ERR_VERIFY,
	    "the %s has tree hash %s at length %" PRIu64 ", its link says %s",
	    who, hex_b32(got, &hash), l->length, hex_b32(want, &l->hash));
}

static enum err_code
check_version(
    struct core *db, uint64_t length, const struct fetch *f, struct err *e)
{
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};

	if (length == core_head(db)->length)
		return ERR_OK;
	do
		rc = bee_check_version(db, length, &w, e);
	while (need_again(f, &rc, &w, e));
	return rc;
}

/* The checkout, with the contents that its entries name. */
static enum err_code
check_out(struct provision_side *s, uint64_t length, const char *contents,
    const struct fetch *f, struct err *e)
{
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};
	uint64_t n;

	do
		rc = hyperdrive_find_blobs(s->drive, &w, e);
	while (need_again(f, &rc, &w, e));
	if (rc == ERR_OK)
		rc = hyperdrive_at(s->drive, length, &s->at, e);
	if (rc != ERR_OK || hyperdrive_blobs(s->drive) == NULL)
		return rc;
	do
		rc = hyperdrive_blobs_length(s->at, &n, &w, e);
	while (need_again(f, &rc, &w, e));
	if (rc == ERR_OK)
		rc = need_length(hyperdrive_blobs(s->drive), n, contents, f, e);
	s->blobs_length = core_head(hyperdrive_blobs(s->drive))->length;
	return rc;
}

static enum err_code
wrap_link(const struct pear_link *l, const char *who, struct err *e)
{
	char link[LINK];

	return err_wrap(e, "%s %s", who,
	    pear_link_verlink(link, l->fork, l->length, &l->key));
}

static enum err_code
check_source(struct provision_side *s, const struct provision_opts *o,
    struct provision_drive *r, struct err *e)
{
	struct core *db = hyperdrive_db(s->drive);
	const struct pear_link *l = &o->source;
	uint64_t length = l->length;
	enum err_code rc;

	if (length == 0 && core_head(db)->length == 0 && !core_writable(db))
		return absent("source", &l->key, e);
	rc = need_length(db, length, "the source", o->fetch, e);
	if (length == 0)
		length = core_head(db)->length;
	if (rc != ERR_OK || (rc = check_fork(db, l, "source", e)) != ERR_OK ||
	    (rc = check_hash(db, l, "source", o->fetch, e)) != ERR_OK ||
	    (rc = check_version(db, length, o->fetch, e)) != ERR_OK ||
	    (rc = check_out(s, length, "the source's contents", o->fetch, e)) !=
		ERR_OK)
		return rc;
	return provision_describe(r, s->drive, length, o->fetch, e);
}

enum err_code
provision_open_source(struct provision_side *out,
    const struct provision_opts *o, struct provision_drive *r, struct err *e)
{
	struct provision_side s = {NULL, NULL, 0};
	enum err_code rc;

	rc = hyperdrive_open(&s.drive, o->store, &o->source.key, CORE_READ, e);
	if (rc == ERR_NOT_FOUND)
		return absent("source", &o->source.key, e);
	if (rc == ERR_OK)
		rc = check_source(&s, o, r, e);
	if (rc != ERR_OK) {
		provision_side_close(&s);
		return wrap_link(&o->source, "source", e);
	}
	*out = s;
	return ERR_OK;
}

/* -- any version ---------------------------------------------------------- */

/* Where the contents that a block names end. */
static bool
see_block(void *ctx, uint64_t seq, const struct bee_block *block)
{
	uint64_t *end = ctx;
	struct entry en;

	(void)seq;
	entry_init(&en);
	/* raw keys hold what they like; only entries have contents */
	if (block->has_value &&
	    entry_decode(&en, block->value, NULL) == ERR_OK && en.has_blob &&
	    en.blob.block_offset + en.blob.block_length > *end)
		*end = en.blob.block_offset + en.blob.block_length;
	entry_deinit(&en);
	return true;
}

/* How long the contents were when the metadata had this length: what any
 * entry up to there has named, those deleted since included. */
static enum err_code
contents_then(struct provision_side *s, struct err *e)
{
	uint64_t end = 0;
	struct want w = {.kind = WANT_BLOCK};
	enum err_code rc;

	do
		rc = bee_history(s->at, 1, see_block, &end, &w, e);
	while (need_again(NULL, &rc, &w, e));
	if (rc == ERR_OK && end < s->blobs_length)
		s->blobs_length = end;
	return rc;
}

enum err_code
provision_open_at(struct provision_side *out, struct store *st,
    const struct b32 *key, uint64_t length, struct err *e)
{
	struct provision_side s = {NULL, NULL, 0};
	enum err_code rc;
	struct core *db;

	rc = hyperdrive_open(&s.drive, st, key, CORE_READ, e);
	if (rc == ERR_NOT_FOUND)
		return absent("production", key, e);
	if (rc != ERR_OK)
		return rc;
	db = hyperdrive_db(s.drive);
	if ((rc = need_length(db, length, "production", NULL, e)) == ERR_OK &&
	    (rc = check_version(db, length, NULL, e)) == ERR_OK)
		rc = check_out(&s, length, "production's contents", NULL, e);
	if (rc == ERR_OK && length < core_head(db)->length)
		rc = contents_then(&s, e);
	if (rc != ERR_OK) {
		provision_side_close(&s);
		return rc;
	}
	*out = s;
	return ERR_OK;
}

/* -- production ----------------------------------------------------------- */

/* 0.0 says that production is empty: ask whether anybody knows better. Only a
 * key that was never seen here, or the user's word, does without an answer.
 */
static enum err_code
ask_if_empty(const struct provision_opts *o, struct core *db, struct err *e)
{
	const struct want w = {o->production.key, WANT_LENGTH, 1};
	enum err_code rc;

	if (o->fetch == NULL || (db != NULL && core_head(db)->length > 0))
		return ERR_OK;
	/* the target is written here: nobody knows better */
	if (b32_eq(&o->production.key, &o->target))
		return ERR_OK;
	rc = fetch_block(o->fetch, &w, e);
	if (rc == ERR_OK)
		return db == NULL ? ERR_OK : core_refresh(db, e);
	if (rc != ERR_PEERS && rc != ERR_NOT_FOUND)
		return rc;
	if (db == NULL || o->bootstrap)
		return ERR_OK;
	return err_set(e, ERR_PEERS,
	    "nobody could say whether production is empty; --bootstrap goes "
	    "on without an answer");
}

static enum err_code
not_empty(const struct provision_opts *o, struct core *db, struct err *e)
{
	const struct core_head *h = core_head(db);
	char link[LINK];

	return err_set(e, ERR_CONFLICT, "production is not empty, use %s",
	    pear_link_verlink(link, h->fork, h->length, &o->production.key));
}

/* The stated length is that of production now, or the user takes what is
 * there. */
static enum err_code
production_length(const struct provision_opts *o, struct core *db,
    uint64_t *length, struct err *e)
{
	bool target = b32_eq(&o->production.key, &o->target);
	const struct pear_link *l = &o->production;
	char link[LINK];
	enum err_code rc;

	rc = l->length == 0
		 ? ask_if_empty(o, db, e)
		 : need_length(db, l->length, "production", o->fetch, e);
	if (rc != ERR_OK)
		return rc;
	*length = core_head(db)->length;
	if (l->length == 0 && *length > 0 && !target && !o->latest)
		return not_empty(o, db, e);
	if (l->length == 0)
		return ERR_OK;
	if ((rc = check_fork(db, l, "production", e)) != ERR_OK ||
	    (rc = check_hash(db, l, "production", o->fetch, e)) != ERR_OK)
		return rc;
	if (*length == l->length || o->latest)
		return ERR_OK;
	return err_set(e, ERR_CONFLICT,
	    "production is newer now: %s; give that link, or --latest",
	    pear_link_verlink(
		link, core_head(db)->fork, *length, &o->production.key));
}

/* A header that names a contents core would name it in the target too, which
 * cannot write there. */
static enum err_code
check_header(struct provision_side *s, const struct fetch *f, struct err *e)
{
	struct bee_header h = {.has_metadata = false};
	enum err_code rc;
	struct want w = {.kind = WANT_BLOCK};
	struct buf mem;

	buf_init(&mem, CORE_BLOCK_MAX);
	do {
		buf_reset(&mem);
		rc = bee_get_header(s->at, &h, &mem, &w, e);
	} while (need_again(f, &rc, &w, e));
	if (rc == ERR_OK && h.content_feed.len > 0)
		rc = err_set(e, ERR_UNSUPPORTED,
		    "a drive of the old kind cannot be provisioned for");
	buf_deinit(&mem);
	return rc;
}

static enum err_code
check_production(struct provision_side *s, const struct provision_opts *o,
    struct provision_drive *r, struct err *e)
{
	struct core *db = hyperdrive_db(s->drive);
	uint64_t length = 0;
	enum err_code rc;

	if ((rc = production_length(o, db, &length, e)) != ERR_OK)
		return rc;
	if (length == 0) {
		provision_side_close(s);
		return ERR_OK;
	}
	if ((rc = check_out(s, length, "production's contents", o->fetch, e)) !=
		ERR_OK ||
	    (rc = check_header(s, o->fetch, e)) != ERR_OK)
		return rc;
	return provision_describe(r, s->drive, length, o->fetch, e);
}

enum err_code
provision_open_production(struct provision_side *out,
    const struct provision_opts *o, struct provision_drive *r, struct err *e)
{
	struct provision_side s = {NULL, NULL, 0};
	const struct pear_link *l = &o->production;
	struct tree empty;
	enum err_code rc;

	tree_init(&empty);
	r->key = l->key;
	tree_hash(&empty, &r->tree_hash);
	rc = hyperdrive_open(&s.drive, o->store, &l->key, CORE_READ, e);
	if (rc == ERR_NOT_FOUND && l->length > 0)
		return absent("production", &l->key, e);
	if (rc == ERR_NOT_FOUND && (rc = ask_if_empty(o, NULL, e)) == ERR_OK) {
		/* an answer may have brought it in */
		rc = hyperdrive_open(&s.drive, o->store, &l->key, CORE_READ, e);
		if (rc == ERR_NOT_FOUND) {
			*out = s;
			return ERR_OK;
		}
	}
	if (rc == ERR_OK)
		rc = check_production(&s, o, r, e);
	if (rc != ERR_OK) {
		provision_side_close(&s);
		return wrap_link(l, "production", e);
	}
	*out = s;
	return ERR_OK;
}

/* -- target --------------------------------------------------------------- */

enum err_code
provision_open_target(
    struct hyperdrive **out, const struct provision_opts *o, struct err *e)
{
	enum core_mode mode = o->dry_run ? CORE_READ : CORE_WRITE;
	struct hyperdrive *d = NULL;
	char link[LINK];
	enum err_code rc;

	pear_link_key(link, &o->target);
	rc = hyperdrive_open(&d, o->store, &o->target, mode, e);
	/* a drive that is not in the store has no write key there either */
	if (rc == ERR_NOT_FOUND ||
	    (rc == ERR_READONLY && store_writable(o->store, NULL) == ERR_OK) ||
	    (rc == ERR_OK && !core_writable(hyperdrive_db(d))))
		rc = err_set(e, ERR_READONLY, "Destination must be writable");
	if (rc != ERR_OK) {
		hyperdrive_close(d);
		return err_wrap(e, "target %s", link);
	}
	/* an older version of itself is a way back; the newest is a slip */
	if (b32_eq(&o->source.key, &o->target) &&
	    (o->source.length == 0 ||
		o->source.length == core_head(hyperdrive_db(d))->length)) {
		hyperdrive_close(d);
		return err_set(e, ERR_INVALID,
		    "target %s is the source: provision to a drive of its own",
		    link);
	}
	*out = d;
	return ERR_OK;
}

static enum err_code
compare_cores(struct core *t, struct core *p, const char *what,
    const struct fetch *f, struct err *e)
{
	uint64_t n = core_head(t)->length, m = core_head(p)->length;
	struct b32 a, b;
	enum err_code rc;

	n = n < m ? n : m;
	if ((rc = tree_hash_at(t, n, NULL, &a, e)) != ERR_OK ||
	    (rc = tree_hash_at(p, n, f, &b, e)) != ERR_OK || b32_eq(&a, &b))
		return rc;
	rc = err_set(e, ERR_CONFLICT,
	    "its %s and production's differ in the first %" PRIu64 " blocks: "
	    "it can never be signed onto production; make a new target with "
	    "pear-touch and provision to that",
	    what, n);
	return e == NULL ? rc : err_tag(e, "ERR_TARGET_DIVERGED");
}

enum err_code
provision_compare(struct hyperdrive *target,
    const struct provision_side *production, const struct fetch *f,
    struct err *e)
{
	struct hyperdrive *p = production->drive;
	struct core *db = hyperdrive_db(target);
	char link[LINK];
	enum err_code rc;

	if (p == NULL)
		return ERR_OK;
	rc = compare_cores(db, hyperdrive_db(p), "metadata", f, e);
	if (rc == ERR_OK && hyperdrive_blobs(target) != NULL &&
	    hyperdrive_blobs(p) != NULL)
		rc = compare_cores(hyperdrive_blobs(target),
		    hyperdrive_blobs(p), "contents", f, e);
	if (rc == ERR_OK)
		return rc;
	return err_wrap(e, "target %s", pear_link_key(link, core_key(db)));
}
