/* Adding cores to a store, and listing them. */
#include <string.h>

#include "codec/dec.h"
#include "codec/enc.h"
#include "core/impl.h"
#include "crypto/hash.h"

#define COUNTER "core counter" /* in STORE_META: LE64, the next number */

static enum err_code
next_number(
    struct store *s, struct store_txn *txn, uint64_t *number, struct err *e)
{
	struct view key = view_str(COUNTER), val;
	struct buf b;
	struct dec d;
	uint64_t n = 0;
	enum err_code rc = store_get(s, txn, STORE_META, key, &val, e);

	if (rc == ERR_OK) {
		dec_init(&d, val);
		n = dec_u64le(&d);
		if (!dec_done(&d) || n > DEC_UINT_MAX)
			return err_set(e, ERR_CORRUPT,
			    "the core counter of %s is damaged", store_dir(s));
	} else if (rc != ERR_NOT_FOUND) {
		return rc;
	}
	buf_init(&b, 8);
	enc_u64le(&b, n + 1);
	if ((rc = buf_check(&b, e)) == ERR_OK)
		rc = store_put(txn, STORE_META, key, buf_view(&b), e);
	buf_deinit(&b);
	*number = n;
	return rc;
}

static bool
is_signer(const struct manifest *m, const struct b32 *pub)
{
	for (size_t i = 0; i < m->nsigners; i++)
		if (b32_eq(&m->signer[i].pub, pub))
			return true;
	return false;
}

static enum err_code
check_args(const struct manifest *m, const struct b32 *key,
    const struct sign_pair *pair, struct err *e)
{
	struct b32 expect;
	enum err_code rc;

	if (m != NULL) {
		if ((rc = manifest_check(m, e)) != ERR_OK)
			return rc;
		manifest_key(&expect, m);
		if (!b32_eq(&expect, key) && !manifest_compat(m, key))
			return err_set(e, ERR_INVALID,
			    "the manifest does not belong to the key");
	}
	if (pair == NULL)
		return ERR_OK;
	if (pair->sec.len != 0 && !sign_pair_valid(pair))
		return err_set(e, ERR_INVALID,
		    "the secret key does not belong to the public key");
	if (m != NULL && !is_signer(m, &pair->pub))
		return err_set(
		    e, ERR_INVALID, "the key pair is no signer of the core");
	return ERR_OK;
}

static void
complete(
    struct record *r, const struct manifest *m, const struct sign_pair *pair)
{
	if (m != NULL && !r->has_manifest) {
		r->has_manifest = true;
		r->manifest = *m;
	}
	if (pair != NULL && r->secret.len == 0) {
		r->has_pub = true;
		r->pub = pair->pub;
		r->secret = secret_view(&pair->sec);
	}
}

/* The record as it is, or a new one. */
static enum err_code
find_record(struct store *s, struct store_txn *txn, const struct b32 *key,
    const struct b32 *dkey, struct record *r, struct err *e)
{
	struct tree empty;
	struct view val;
	enum err_code rc;

	rc = store_get(s, txn, STORE_CORES, view_b32(dkey), &val, e);
	if (rc == ERR_OK)
		return record_decode(r, val, e);
	if (rc != ERR_NOT_FOUND)
		return rc;
	memset(r, 0, sizeof(*r));
	r->key = *key;
	tree_init(&empty);
	tree_hash(&empty, &r->head.tree_hash);
	return next_number(s, txn, &r->number, e);
}

static enum err_code
add_in(struct store *s, struct store_txn *txn, const struct manifest *m,
    const struct b32 *key, const struct sign_pair *pair, struct err *e)
{
	struct record r;
	struct b32 dkey;
	enum err_code rc;

	hash_discovery_key(&dkey, key);
	if ((rc = find_record(s, txn, key, &dkey, &r, e)) != ERR_OK)
		return rc;
	if (m == NULL && pair != NULL && !r.has_manifest)
		return err_set(e, ERR_INVALID,
		    "a key pair needs the manifest that names it");
	if (pair != NULL && r.has_manifest &&
	    !is_signer(&r.manifest, &pair->pub))
		return err_set(
		    e, ERR_INVALID, "the key pair is no signer of the core");
	complete(&r, m, pair);
	return core_put_record(txn, &dkey, &r, e);
}

enum err_code
core_add(struct store *s, const struct manifest *m, const struct b32 *key,
    const struct sign_pair *pair, struct err *e)
{
	char name[Z32_KEY_LEN + 1];
	struct store_txn *txn = NULL;
	enum err_code rc;

	if ((rc = check_args(m, key, pair, e)) == ERR_OK)
		rc = store_begin(&txn, s, e);
	if (rc == ERR_OK) {
		rc = add_in(s, txn, m, key, pair, e);
		if (rc == ERR_OK)
			rc = store_commit(txn, e);
		else
			store_abort(txn);
	}
	return rc == ERR_OK ? rc : err_wrap(e, "core %s", z32_key(name, key));
}

/* -- list ----------------------------------------------------------------- */

static enum err_code
info_of(struct core_info *i, struct record *r, struct view val, struct err *e)
{
	enum err_code rc = record_decode(r, val, e);

	if (rc != ERR_OK)
		return rc;
	i->key = r->key;
	i->writable = r->secret.len != 0;
	i->has_manifest = r->has_manifest;
	i->head = r->head;
	i->nsigners = r->has_manifest ? r->manifest.nsigners : 0;
	return ERR_OK;
}

enum err_code
core_find(
    struct store *s, const struct b32 *dkey, struct b32 *key, struct err *e)
{
	struct record r;
	struct view val;
	enum err_code rc;

	rc = store_get(s, NULL, STORE_CORES, view_b32(dkey), &val, e);
	if (rc == ERR_NOT_FOUND)
		return err_set(e, rc, "no such core in %s", store_dir(s));
	if (rc == ERR_OK)
		rc = record_decode(&r, val, e);
	if (rc == ERR_OK)
		*key = r.key;
	return rc;
}

enum err_code
core_list(struct store *s, bool (*each)(void *ctx, const struct core_info *i),
    void *ctx, struct err *e)
{
	struct store_iter *it;
	struct core_info info;
	struct record r;
	struct view key, val;
	bool more;
	enum err_code rc;

	rc = store_iter_open(
	    &it, s, NULL, STORE_CORES, VIEW_EMPTY, VIEW_EMPTY, e);
	if (rc != ERR_OK)
		return rc;
	while ((rc = store_iter_next(it, &more, &key, &val, e)) == ERR_OK &&
	       more) {
		if ((rc = info_of(&info, &r, val, e)) != ERR_OK)
			break;
		if (!each(ctx, &info))
			break;
	}
	store_iter_close(it);
	return rc == ERR_OK ? rc
			    : err_wrap(e, "list cores of %s", store_dir(s));
}
