#include "core/identity.h"

#include <string.h>

#define PRIMARY "primary key" /* in STORE_META: 32 bytes */

static enum err_code
get_in(
    struct secret *out, struct store *s, struct store_txn *txn, struct err *e)
{
	struct view val;
	enum err_code rc;

	rc = store_get(s, txn, STORE_META, view_str(PRIMARY), &val, e);
	if (rc == ERR_NOT_FOUND)
		return err_set(e, ERR_NOT_FOUND, "store %s has no primary key",
		    store_dir(s));
	if (rc != ERR_OK)
		return rc;
	if (val.len != CORE_IDENTITY_LEN)
		return err_set(e, ERR_CORRUPT,
		    "the primary key of store %s is damaged", store_dir(s));
	return secret_copy(out, val, e);
}

enum err_code
core_identity_get(struct secret *out, struct store *s, struct err *e)
{
	return get_in(out, s, NULL, e);
}

/* Find the key or put `fresh`; the index lets one process at a time do it. */
static enum err_code
settle(struct secret *out, struct store *s, const struct secret *fresh,
    struct err *e)
{
	struct store_txn *txn;
	enum err_code rc;

	if ((rc = store_begin(&txn, s, e)) != ERR_OK)
		return rc;
	rc = get_in(out, s, txn, e);
	if (rc != ERR_NOT_FOUND) {
		store_abort(txn);
		return rc;
	}
	if ((rc = store_put(txn, STORE_META, view_str(PRIMARY),
		 secret_view(fresh), e)) != ERR_OK) {
		store_abort(txn);
		return rc;
	}
	if ((rc = store_commit(txn, e)) != ERR_OK)
		return rc;
	return secret_copy(out, secret_view(fresh), e);
}

enum err_code
core_identity_get_or_make(struct secret *out, struct store *s, struct err *e)
{
	struct secret fresh = {NULL, 0};
	enum err_code rc = core_identity_get(out, s, e);

	if (rc != ERR_NOT_FOUND)
		return rc;
	if ((rc = secret_new(&fresh, CORE_IDENTITY_LEN, e)) == ERR_OK) {
		secret_random(fresh.ptr, fresh.len);
		rc = settle(out, s, &fresh, e);
	}
	secret_free(&fresh);
	return rc == ERR_OK ? rc : err_wrap(e, "make the primary key");
}

enum err_code
core_identity_adopt(
    struct store *s, const struct secret *primary, struct err *e)
{
	struct secret mine = {NULL, 0};
	enum err_code rc;

	if (primary->len != CORE_IDENTITY_LEN)
		return err_set(e, ERR_INVALID, "a primary key has %d bytes",
		    CORE_IDENTITY_LEN);
	rc = settle(&mine, s, primary, e);
	if (rc == ERR_OK && memcmp(mine.ptr, primary->ptr, primary->len) != 0)
		rc = err_set(e, ERR_EXISTS, "store %s has another primary key",
		    store_dir(s));
	secret_free(&mine);
	return rc;
}

enum err_code
core_identity_derive(
    struct sign_pair *out, struct store *s, struct view name, struct err *e)
{
	static const struct b32 root;
	struct secret primary = {NULL, 0};
	enum err_code rc;

	rc = core_identity_get_or_make(&primary, s, e);
	if (rc == ERR_OK)
		rc = sign_pair_derive(out, &primary, &root, name, e);
	secret_free(&primary);
	return rc;
}

void
core_identity_key(struct b32 *key, const struct b32 *pub)
{
	struct manifest m;

	manifest_single(&m, pub);
	manifest_key(key, &m);
}

enum err_code
core_identity_add(struct store *s, const struct sign_pair *pair,
    struct b32 *key, struct err *e)
{
	struct manifest m;
	struct b32 k;
	enum err_code rc;

	manifest_single(&m, &pair->pub);
	manifest_key(&k, &m);
	if ((rc = core_add(s, &m, &k, pair, e)) == ERR_OK)
		*key = k;
	return rc;
}
