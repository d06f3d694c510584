/* Opening cores, their records, and what can be asked without reading. */
#include <stdlib.h>
#include <string.h>

#include "core/impl.h"
#include "crypto/hash.h"
#include "store/mark.h"

void
core_forget_pages(struct core *c)
{
	if (c->cache != NULL) {
		memset(c->cache->here, 0, sizeof(c->cache->here));
		memset(c->cache->high, 0, sizeof(c->cache->high));
	}
	c->bits_here = false;
	c->generation = store_generation(c->store);
}

void
core_forget_blocks(struct core *c)
{
	pages_reset(&c->checked);
	c->window_len = 0;
	c->next_index = c->next_offset = 0;
}

void
core_close(struct core *c)
{
	if (c == NULL)
		return;
	blockfile_close(c->file);
	sign_pair_free(&c->pair);
	buf_deinit(&c->signature);
	pages_deinit(&c->checked);
	free(c->cache);
	free(c->window);
	free(c);
}

void
core_rest(struct core *c)
{
	blockfile_rest(c->file);
	free(c->cache);
	c->cache = NULL;
	free(c->window);
	c->window = NULL;
	c->window_len = 0;
	c->next_index = c->next_offset = 0;
}

/* -- records -------------------------------------------------------------- */

enum err_code
core_record(
    struct core *c, struct store_txn *txn, struct record *r, struct err *e)
{
	struct view val;
	enum err_code rc;

	rc = store_get(c->store, txn, STORE_CORES, view_b32(&c->dkey), &val, e);
	if (rc == ERR_NOT_FOUND)
		return err_set(e, rc, "core %s is not in %s", c->name,
		    store_dir(c->store));
	if (rc == ERR_OK)
		rc = record_decode(r, val, e);
	if (rc == ERR_OK && !b32_eq(&r->key, &c->key))
		rc = err_set(e, ERR_CORRUPT, "the record has another key");
	return rc == ERR_OK ? rc : err_wrap(e, "core %s", c->name);
}

enum err_code
core_put_record(struct store_txn *txn, const struct b32 *dkey,
    const struct record *r, struct err *e)
{
	struct buf b;
	enum err_code rc;

	buf_init(&b, RECORD_MAX);
	if ((rc = record_encode(&b, r, e)) == ERR_OK)
		rc = store_put(
		    txn, STORE_CORES, view_b32(dkey), buf_view(&b), e);
	record_wipe(&b);
	return rc;
}

enum err_code
core_catch_up(struct core *c, bool *moved, struct err *e)
{
	struct record r;
	enum err_code rc;

	*moved = store_generation(c->store) != c->generation;
	if (!*moved)
		return ERR_OK;
	if ((rc = core_record(c, NULL, &r, e)) != ERR_OK)
		return rc;
	if (r.head.fork != c->head.fork || r.head.length < c->head.length)
		return err_set(e, ERR_CHANGED,
		    "core %s was truncated while it was read (fork %llu, now "
		    "%llu)",
		    c->name, (unsigned long long)c->head.fork,
		    (unsigned long long)r.head.fork);
	core_forget_pages(c);
	c->redo = r.redo;
	c->head.contiguous = r.head.contiguous < c->head.length
				 ? r.head.contiguous
				 : c->head.length;
	return ERR_OK;
}

/* The roots of a head, which must give its tree hash. */
static enum err_code
load_tree(
    struct core *c, const struct core_head *h, struct tree *out, struct err *e)
{
	uint64_t index[FLAT_ROOTS_MAX];
	struct node root[FLAT_ROOTS_MAX];
	struct b32 hash;
	bool found = true;
	size_t n = flat_roots(h->length, index);
	enum err_code rc;

	for (size_t i = 0; i < n && found; i++)
		if ((rc = core_find_node(c, index[i], &found, &root[i], e)) !=
		    ERR_OK)
			return rc;
	if (!found || tree_from_roots(out, h->length, root, n, NULL) != ERR_OK)
		return err_set(e, ERR_CORRUPT,
		    "core %s: roots of length %llu are missing", c->name,
		    (unsigned long long)h->length);
	tree_hash(out, &hash);
	if (!b32_eq(&hash, &h->tree_hash) || out->byte_length != h->byte_length)
		return err_set(e, ERR_CORRUPT,
		    "core %s: the roots do not match the head of length %llu",
		    c->name, (unsigned long long)h->length);
	return ERR_OK;
}

static enum err_code
load_pair(struct core *c, const struct record *r, struct err *e)
{
	struct sign_pair pair = {r->pub, {NULL, 0}};
	enum err_code rc;

	if (!r->has_pub ||
	    (c->pair.sec.len == r->secret.len && b32_eq(&c->pair.pub, &r->pub)))
		return ERR_OK;
	if (r->secret.len != 0) {
		rc = secret_copy(&pair.sec, r->secret, e);
		if (rc != ERR_OK)
			return rc;
		if (!sign_pair_valid(&pair)) {
			sign_pair_free(&pair);
			return err_set(e, ERR_CORRUPT,
			    "core %s: the secret key does not belong to the "
			    "public key",
			    c->name);
		}
	}
	sign_pair_free(&c->pair);
	c->pair = pair;
	return ERR_OK;
}

static enum err_code
core_load(struct core *c, struct err *e)
{
	struct record r;
	struct tree tree;
	enum err_code rc;

	core_forget_pages(c);
	if ((rc = core_record(c, NULL, &r, e)) != ERR_OK)
		return rc;
	c->number = r.number;
	if ((rc = load_tree(c, &r.head, &tree, e)) != ERR_OK ||
	    (rc = load_pair(c, &r, e)) != ERR_OK)
		return rc;
	buf_reset(&c->signature);
	buf_append(&c->signature, r.signature);
	if ((rc = buf_check(&c->signature, e)) != ERR_OK)
		return rc;
	if (r.head.fork != c->head.fork || r.head.length < c->head.length)
		core_forget_blocks(c);
	c->has_manifest = r.has_manifest;
	if (r.has_manifest)
		c->manifest = r.manifest;
	c->head = r.head;
	c->redo = r.redo;
	c->tree = tree;
	return ERR_OK;
}

enum err_code
core_refresh(struct core *c, struct err *e)
{
	return core_load(c, e);
}

/* -- open ----------------------------------------------------------------- */

/* Has this store announced a longer or another head than the one it has? */
static enum err_code
compare_mark(struct core *c, const struct mark *m, struct err *e)
{
	struct tree at;
	struct b32 hash;
	enum err_code rc;

	if (!b32_eq(&m->key, &c->key))
		return err_set(e, ERR_CORRUPT,
		    "the high-water mark of core %s names another core",
		    c->name);
	if (m->fork < c->head.fork)
		return ERR_OK;
	if (m->fork > c->head.fork || m->length > c->head.length)
		return err_set(e, ERR_CONFLICT,
		    "core %s: this store has length %llu (fork %llu) but has "
		    "announced length %llu (fork %llu): it is older than what "
		    "peers may have. Appending would make two histories and "
		    "destroy the link",
		    c->name, (unsigned long long)c->head.length,
		    (unsigned long long)c->head.fork,
		    (unsigned long long)m->length, (unsigned long long)m->fork);
	if ((rc = core_tree_at(c, m->length, &at, NULL, e)) != ERR_OK)
		return rc;
	tree_hash(&at, &hash);
	if (b32_eq(&hash, &m->root_hash))
		return ERR_OK;
	return err_set(e, ERR_CONFLICT,
	    "core %s: at length %llu (fork %llu) this store has another "
	    "content than the one it has announced",
	    c->name, (unsigned long long)m->length,
	    (unsigned long long)m->fork);
}

enum err_code
core_write_mark(struct core *c, struct err *e)
{
	struct mark m = {
	    c->key, c->head.fork, c->head.length, c->head.tree_hash};

	if (!core_writable(c))
		return ERR_OK;
	return mark_write(c->store, &c->dkey, &m, e);
}

/* A kill between commit and mark leaves the mark behind: write it then. */
static enum err_code
check_mark(struct core *c, struct err *e)
{
	struct mark m;
	enum err_code rc = mark_read(&m, c->store, &c->dkey, e);

	if (rc == ERR_NOT_FOUND && c->head.length == 0 && c->head.fork == 0)
		return ERR_OK;
	if (rc == ERR_NOT_FOUND)
		return core_write_mark(c, e);
	if (rc != ERR_OK || (rc = compare_mark(c, &m, e)) != ERR_OK)
		return rc;
	if (m.fork == c->head.fork && m.length == c->head.length)
		return ERR_OK;
	return core_write_mark(c, e);
}

/* Appending behind a file that has lost its end would publish a hole. */
static enum err_code
check_tail(struct core *c, struct err *e)
{
	uint8_t last;
	enum err_code rc;

	if (c->head.byte_length == 0 || !core_has(c, c->head.length - 1))
		return ERR_OK;
	rc = blockfile_read(c->file, &last, 1, c->head.byte_length - 1, e);
	return rc == ERR_OK ? rc : err_wrap(e, "core %s", c->name);
}

/* The lock is ours now: look again, somebody may have committed before. */
static enum err_code
open_locked(struct core *c, struct err *e)
{
	enum err_code rc;

	if ((rc = store_refresh(c->store, e)) != ERR_OK ||
	    (rc = core_load(c, e)) != ERR_OK)
		return rc;
	if (c->mode == CORE_WRITE && (rc = check_mark(c, e)) != ERR_OK)
		return rc;
	if ((rc = core_finish_redo(c, e)) != ERR_OK)
		return rc;
	return c->mode == CORE_WRITE ? check_tail(c, e) : ERR_OK;
}

static enum err_code
open_into(struct core *c, struct err *e)
{
	enum err_code rc;

	if ((rc = core_load(c, e)) != ERR_OK)
		return rc;
	if (c->mode == CORE_READ)
		return blockfile_open(
		    &c->file, c->store, &c->dkey, BLOCKFILE_READ, e);
	if (c->mode == CORE_WRITE && !core_writable(c))
		return err_set(e, ERR_READONLY, "Destination must be writable");
	if ((rc = store_writable(c->store, e)) != ERR_OK)
		return rc;
	rc = blockfile_open(&c->file, c->store, &c->dkey, BLOCKFILE_WRITE, e);
	return rc == ERR_OK ? open_locked(c, e) : rc;
}

enum err_code
core_open(struct core **out, struct store *s, const struct b32 *key,
    enum core_mode mode, struct err *e)
{
	struct core *c = calloc(1, sizeof(*c));
	enum err_code rc;

	if (c == NULL)
		return err_nomem(e);
	c->store = s;
	c->mode = mode;
	c->key = *key;
	hash_discovery_key(&c->dkey, key);
	(void)z32_key(c->name, key);
	buf_init(&c->signature, MANIFEST_PROOF_MAX);
	pages_init(&c->checked, NULL, STORE_BITS, 0, BITS_PAGE);
	if ((rc = open_into(c, e)) != ERR_OK) {
		core_close(c);
		return rc;
	}
	*out = c;
	return ERR_OK;
}

/* -- questions ------------------------------------------------------------ */

const struct b32 *
core_key(const struct core *c)
{
	return &c->key;
}

const struct b32 *
core_discovery_key(const struct core *c)
{
	return &c->dkey;
}

const struct manifest *
core_manifest(const struct core *c)
{
	return c->has_manifest ? &c->manifest : NULL;
}

bool
core_writable(const struct core *c)
{
	return c->pair.sec.len != 0;
}

const struct core_head *
core_head(const struct core *c)
{
	return &c->head;
}

uint64_t
core_number(const struct core *c)
{
	return c->number;
}

struct store *
core_store(const struct core *c)
{
	return c->store;
}

struct view
core_signature(const struct core *c)
{
	return buf_view(&c->signature);
}

const struct sign_pair *
core_pair(const struct core *c)
{
	return &c->pair;
}

enum err_code
core_changeable(const struct core *c, struct err *e)
{
	if (c->mode == CORE_READ)
		return err_set(e, ERR_READONLY,
		    "core %s is open for reading only", c->name);
	return ERR_OK;
}
