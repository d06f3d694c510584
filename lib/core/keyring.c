#include "core/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "codec/dec.h"
#include "codec/enc.h"
#include "codec/z32.h"
#include "core/identity.h"
#include "crypto/hash.h"
#include "store/blockfile.h"
#include "store/mark.h"

#define SECRET_LEN 64

/* -- saving ----------------------------------------------------------------- */

struct keys {
	struct b32 *key;
	size_t n, cap;
	enum err_code rc;
};

static bool
note_writable(void *ctx, const struct core_info *i)
{
	struct keys *k = ctx;

	if (!i->writable)
		return true;
	if (k->n >= CORE_KEYRING_CORES_MAX)
		k->rc = ERR_LIMIT;
	else if (!ARR_RESERVE(k->key, k->n + 1, k->cap))
		k->rc = ERR_NOMEM;
	else
		k->key[k->n++] = i->key;
	return k->rc == ERR_OK;
}

static enum err_code
writable_keys(struct keys *k, struct store *s, struct err *e)
{
	enum err_code rc = core_list(s, note_writable, k, e);

	if (rc == ERR_OK && k->rc == ERR_NOMEM)
		rc = err_nomem(e);
	if (rc == ERR_OK && k->rc == ERR_LIMIT)
		rc = err_set(e, ERR_LIMIT,
		    "the store has more than %u writable cores",
		    CORE_KEYRING_CORES_MAX);
	return rc;
}

/* Guarded memory that is filled from the front. With ptr NULL it only
 * counts, so that its size is known before it is made. */
struct fill {
	struct secret mem;
	size_t at;
};

static void
put(struct fill *f, struct view v)
{
	if (f->mem.ptr != NULL && v.len > 0)
		memcpy(f->mem.ptr + f->at, v.ptr, v.len);
	f->at += v.len;
}

static enum err_code
put_buf(struct fill *f, struct buf *b, struct err *e)
{
	enum err_code rc = buf_check(b, e);

	if (rc == ERR_OK)
		put(f, buf_view(b));
	buf_deinit(b);
	return rc;
}

static enum err_code
put_core(struct fill *f, const struct core *c, struct err *e)
{
	const struct core_head *head = core_head(c);
	const struct sign_pair *pair = core_pair(c);
	struct buf m;
	struct buf b;
	enum err_code rc;

	buf_init(&m, MANIFEST_ENCODED_MAX);
	manifest_encode(&m, core_manifest(c));
	buf_init(&b, MANIFEST_ENCODED_MAX + 256);
	enc_bytes(&b, buf_view(&m));
	enc_b32(&b, core_key(c));
	enc_b32(&b, &pair->pub);
	rc = buf_check(&m, e);
	buf_deinit(&m);
	if (rc == ERR_OK)
		rc = put_buf(f, &b, e);
	else
		buf_deinit(&b);
	if (rc != ERR_OK)
		return rc;
	put(f, secret_view(&pair->sec));
	buf_init(&b, 64);
	enc_uint(&b, head->fork);
	enc_uint(&b, head->length);
	enc_b32(&b, &head->tree_hash);
	return put_buf(f, &b, e);
}

static enum err_code
put_all(struct fill *f, struct store *s, const struct secret *primary,
    const struct keys *k, struct err *e)
{
	struct buf b;
	enum err_code rc;
	size_t i;

	buf_init(&b, 16);
	enc_u8(&b, CORE_KEYRING_VERSION);
	enc_bool(&b, primary->ptr != NULL);
	if ((rc = put_buf(f, &b, e)) != ERR_OK)
		return rc;
	put(f, secret_view(primary));
	buf_init(&b, 16);
	enc_uint(&b, k->n);
	rc = put_buf(f, &b, e);
	for (i = 0; i < k->n && rc == ERR_OK; i++) {
		struct core *c;

		rc = core_open(&c, s, &k->key[i], CORE_READ, e);
		if (rc != ERR_OK)
			break;
		rc = put_core(f, c, e);
		core_close(c);
	}
	return rc;
}

static enum err_code
save(struct secret *out, struct store *s, const struct secret *primary,
    const struct keys *k, struct err *e)
{
	struct fill f = {{NULL, 0}, 0};
	size_t total;
	enum err_code rc;

	if ((rc = put_all(&f, s, primary, k, e)) != ERR_OK)
		return rc;
	total = f.at;
	if ((rc = secret_new(&f.mem, total, e)) != ERR_OK)
		return rc;
	f.at = 0;
	/* the handle's snapshot has not moved: the same bytes again */
	if ((rc = put_all(&f, s, primary, k, e)) != ERR_OK) {
		secret_free(&f.mem);
		return rc;
	}
	*out = f.mem;
	return ERR_OK;
}

enum err_code
core_keyring_save(struct secret *out, struct store *s,
    struct core_keyring_report *report, struct err *e)
{
	struct keys k = {NULL, 0, 0, ERR_OK};
	struct secret primary = {NULL, 0};
	enum err_code rc;

	memset(report, 0, sizeof(*report));
	rc = core_identity_get(&primary, s, e);
	report->primary = rc == ERR_OK;
	if (rc == ERR_NOT_FOUND)
		rc = ERR_OK;
	if (rc == ERR_OK)
		rc = writable_keys(&k, s, e);
	report->cores = k.n;
	if (rc == ERR_OK && k.n == 0 && primary.ptr == NULL)
		rc = err_set(
		    e, ERR_NOT_FOUND, "store %s has no keys", store_dir(s));
	if (rc == ERR_OK)
		rc = save(out, s, &primary, &k, e);
	secret_free(&primary);
	free(k.key);
	return rc;
}

/* -- loading ---------------------------------------------------------------- */

struct item {
	struct manifest manifest;
	struct mark mark; /* key, fork, length, tree hash */
	struct b32 pub;
	struct view secret; /* borrowed */
};

static void
dec_item(struct dec *d, struct item *it)
{
	struct dec m;

	dec_init(&m, dec_bytes(d, MANIFEST_ENCODED_MAX));
	dec_b32(d, &it->mark.key);
	dec_b32(d, &it->pub);
	it->secret = dec_fixed(d, SECRET_LEN);
	it->mark.fork = dec_uint(d);
	it->mark.length = dec_uint(d);
	dec_b32(d, &it->mark.root_hash);
	if (dec_ok(d) && (!manifest_dec(&m, &it->manifest) || !dec_done(&m)))
		dec_fail(d, "a manifest does not decode");
}

/* The head of the bytes; *primary empty if there is none. */
static size_t
dec_start(struct dec *d, struct view *primary)
{
	if (dec_u8(d) != CORE_KEYRING_VERSION)
		dec_fail(d, "not a version this program reads");
	*primary = dec_bool(d) ? dec_fixed(d, CORE_IDENTITY_LEN) : VIEW_EMPTY;
	return dec_count(d, CORE_KEYRING_CORES_MAX);
}

static enum err_code
pair_of(struct sign_pair *out, const struct item *it, struct err *e)
{
	struct sign_pair p = {it->pub, {NULL, 0}};
	enum err_code rc = secret_copy(&p.sec, it->secret, e);

	if (rc == ERR_OK && !sign_pair_valid(&p)) {
		secret_free(&p.sec);
		rc = err_set(e, ERR_FORMAT,
		    "a secret key does not belong to its public key");
	}
	if (rc == ERR_OK)
		*out = p;
	return rc;
}

/* Read through all of it before anything is changed. */
static enum err_code
check_all(struct view plain, struct item *it, struct err *e)
{
	struct dec d;
	struct view primary;
	size_t n;
	size_t i;
	enum err_code rc = ERR_OK;

	if (plain.len > 0 && plain.ptr[0] > CORE_KEYRING_VERSION)
		return err_set(e, ERR_VERSION,
		    "keys have format %u, this program knows up to %d",
		    (unsigned)plain.ptr[0], CORE_KEYRING_VERSION);
	dec_init(&d, plain);
	n = dec_start(&d, &primary);
	for (i = 0; i < n && dec_ok(&d) && rc == ERR_OK; i++) {
		struct sign_pair p;

		dec_item(&d, it);
		if (!dec_ok(&d))
			break;
		if ((rc = pair_of(&p, it, e)) == ERR_OK)
			sign_pair_free(&p);
	}
	if (rc == ERR_OK && !dec_done(&d))
		rc = dec_error(&d, "keys", e);
	return rc;
}

/* Is a further along than b? A fork begins a longer history. */
static bool
beyond(const struct mark *a, const struct mark *b)
{
	return a->fork > b->fork ||
	       (a->fork == b->fork && a->length > b->length);
}

/* Raise the mark, never lower it; the writer lock belongs to us meanwhile. */
static enum err_code
raise_mark(struct store *s, const struct mark *m, struct err *e)
{
	struct blockfile *f;
	struct b32 dkey;
	struct mark old;
	enum err_code rc;

	hash_discovery_key(&dkey, &m->key);
	rc = blockfile_open(&f, s, &dkey, BLOCKFILE_WRITE, e);
	if (rc != ERR_OK)
		return rc;
	rc = mark_read(&old, s, &dkey, e);
	if (rc == ERR_NOT_FOUND || (rc == ERR_OK && beyond(m, &old)))
		rc = mark_write(s, &dkey, m, e);
	blockfile_close(f);
	return rc;
}

static enum err_code
is_behind(struct store *s, const struct mark *m, bool *behind, struct err *e)
{
	struct core *c;
	struct mark here;
	enum err_code rc;

	if ((rc = core_open(&c, s, &m->key, CORE_READ, e)) != ERR_OK)
		return rc;
	here.fork = core_head(c)->fork;
	here.length = core_head(c)->length;
	*behind = beyond(m, &here);
	core_close(c);
	return ERR_OK;
}

static enum err_code
load_core(struct store *s, const struct item *it, struct core_keyring_report *r,
    struct err *e)
{
	struct sign_pair p = {it->pub, {NULL, 0}};
	char name[Z32_KEY_LEN + 1];
	bool behind = false;
	enum err_code rc;

	if ((rc = pair_of(&p, it, e)) == ERR_OK &&
	    (rc = raise_mark(s, &it->mark, e)) == ERR_OK)
		rc = core_add(s, &it->manifest, &it->mark.key, &p, e);
	sign_pair_free(&p);
	if (rc == ERR_OK)
		rc = is_behind(s, &it->mark, &behind, e);
	if (rc != ERR_OK)
		return err_wrap(
		    e, "load the keys of %s", z32_key(name, &it->mark.key));
	r->cores++;
	r->behind += behind ? 1 : 0;
	return ERR_OK;
}

static enum err_code
load_primary(struct store *s, struct view bytes, enum core_keyring_other other,
    struct core_keyring_report *r, struct err *e)
{
	struct secret primary = {NULL, 0};
	enum err_code rc;

	if (bytes.len == 0)
		return ERR_OK;
	if ((rc = secret_copy(&primary, bytes, e)) == ERR_OK)
		rc = core_identity_adopt(s, &primary, e);
	secret_free(&primary);
	r->primary = rc == ERR_OK;
	if (rc == ERR_EXISTS && other == CORE_KEYRING_KEEP) {
		r->primary_kept = true;
		return ERR_OK;
	}
	return rc;
}

static enum err_code
load(struct store *s, struct view plain, enum core_keyring_other other,
    struct item *it, struct core_keyring_report *r, struct err *e)
{
	struct dec d;
	struct view primary;
	size_t n;
	size_t i;
	enum err_code rc;

	dec_init(&d, plain);
	n = dec_start(&d, &primary);
	rc = load_primary(s, primary, other, r, e);
	for (i = 0; i < n && rc == ERR_OK; i++) {
		dec_item(&d, it);
		rc = load_core(s, it, r, e);
	}
	return rc;
}

enum err_code
core_keyring_check(struct view plain, struct err *e)
{
	struct item *it = malloc(sizeof(*it));
	enum err_code rc = it == NULL ? err_nomem(e) : check_all(plain, it, e);

	free(it);
	return rc;
}

enum err_code
core_keyring_load(struct store *s, struct view plain,
    enum core_keyring_other other, struct core_keyring_report *report,
    struct err *e)
{
	struct item *it = malloc(sizeof(*it));
	enum err_code rc;

	memset(report, 0, sizeof(*report));
	if (it == NULL)
		return err_nomem(e);
	if ((rc = check_all(plain, it, e)) == ERR_OK)
		rc = load(s, plain, other, it, report, e);
	free(it);
	return rc;
}

enum err_code
core_keyring_accept(struct store *s, const struct b32 *key, struct err *e)
{
	struct core *c = NULL;
	struct blockfile *f = NULL;
	struct mark m;
	char name[Z32_KEY_LEN + 1];
	enum err_code rc;

	if ((rc = core_open(&c, s, key, CORE_READ, e)) != ERR_OK)
		return rc;
	if (!core_writable(c))
		rc = err_set(e, ERR_READONLY, "core %s is not writable here",
		    z32_key(name, key));
	if (rc == ERR_OK)
		rc = blockfile_open(
		    &f, s, core_discovery_key(c), BLOCKFILE_WRITE, e);
	/* somebody may have appended before the lock was ours */
	if (rc == ERR_OK && (rc = store_refresh(s, e)) == ERR_OK)
		rc = core_refresh(c, e);
	if (rc == ERR_OK) {
		m = (struct mark){*key, core_head(c)->fork,
		    core_head(c)->length, core_head(c)->tree_hash};
		rc = mark_write(s, core_discovery_key(c), &m, e);
	}
	if (f != NULL)
		blockfile_close(f);
	core_close(c);
	return rc;
}
