#include "crypto/sign.h"

#include <sodium.h>
#include <string.h>

#include "base/bug.h"
#include "crypto/hash.h"

enum err_code
sign_pair_seed(struct sign_pair *out, const struct b32 *seed, struct err *e)
{
	struct sign_pair p;
	enum err_code rc;

	if ((rc = secret_new(&p.sec, 64, e)) != ERR_OK)
		return rc;
	(void)crypto_sign_seed_keypair(p.pub.b, p.sec.ptr, seed->b);
	*out = p;
	return ERR_OK;
}

void
sign_seed_public(struct b32 *pub, const struct b32 *seed)
{
	uint8_t sec[crypto_sign_SECRETKEYBYTES];

	(void)crypto_sign_seed_keypair(pub->b, sec, seed->b);
	secret_wipe(sec, sizeof(sec));
}

enum err_code
sign_pair_copy(
    struct sign_pair *out, const struct sign_pair *from, struct err *e)
{
	struct sign_pair p = {from->pub, {NULL, 0}};
	enum err_code rc = ERR_OK;

	if (from->sec.ptr != NULL)
		rc = secret_copy(&p.sec, secret_view(&from->sec), e);
	if (rc == ERR_OK)
		*out = p;
	return rc;
}

void
sign_pair_free(struct sign_pair *p)
{
	secret_free(&p->sec);
}

bool
sign_pair_valid(const struct sign_pair *p)
{
	struct b32 pub;
	uint8_t sec[64];
	bool ok;

	if (p->sec.len != 64)
		return false;
	/* the public half is derived again: a stored pair may be damaged */
	(void)crypto_sign_seed_keypair(pub.b, sec, p->sec.ptr);
	ok = b32_eq(&pub, &p->pub) && sodium_memcmp(sec, p->sec.ptr, 64) == 0;
	secret_wipe(sec, sizeof(sec));
	return ok;
}

void
sign_make(
    uint8_t out[static SIGN_LEN], struct view msg, const struct sign_pair *p)
{
	bug_if(p->sec.len != 64);
	(void)crypto_sign_detached(out, NULL, msg.ptr, msg.len, p->sec.ptr);
}

bool
sign_verify(struct view sig, struct view msg, const struct b32 *pub)
{
	bug_if(sodium_init() < 0);
	return sig.len == SIGN_LEN && crypto_sign_verify_detached(sig.ptr,
					  msg.ptr, msg.len, pub->b) == 0;
}

bool
sign_public_valid(const struct b32 *pub)
{
	bug_if(sodium_init() < 0);
	return crypto_core_ed25519_is_valid_point(pub->b) == 1;
}

enum err_code
sign_pair_derive(struct sign_pair *out, const struct secret *primary,
    const struct b32 *ns, struct view name, struct err *e)
{
	struct view parts[3] = {
	    view_b32(&HASH_NS_CORESTORE), view_b32(ns), name};
	struct b32 key, seed;
	enum err_code rc;

	bug_if(primary->len != 32);
	memcpy(key.b, primary->ptr, 32);
	hash_keyed_batch(&seed, &key, parts, 3);
	rc = sign_pair_seed(out, &seed, e);
	secret_wipe(&key, sizeof(key));
	secret_wipe(&seed, sizeof(seed));
	return rc;
}

void
sign_namespace(struct b32 *out, const struct b32 *ns, struct view name)
{
	struct view parts[2] = {view_b32(ns), name};

	hash_batch(out, parts, 2);
}
