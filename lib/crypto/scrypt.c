#include "crypto/scrypt.h"

#include <sodium.h>

#include "base/bug.h"

_Static_assert(
    crypto_pwhash_scryptsalsa208sha256_SALTBYTES == sizeof(struct b32),
    "the format has a salt of 32 bytes");
_Static_assert(SCRYPT_OPS_SENSITIVE ==
		       crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_SENSITIVE &&
		   SCRYPT_MEM_SENSITIVE ==
		       crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_SENSITIVE,
    "what the reference writes into its files");

enum err_code
scrypt_derive(struct secret *out, size_t len, struct view password,
    const struct b32 *salt, uint64_t ops, uint64_t mem, struct err *e)
{
	const char *text = password.ptr ? (const char *)password.ptr : "";
	struct secret key = {NULL, 0};
	enum err_code rc;

	bug_if(len < crypto_pwhash_scryptsalsa208sha256_BYTES_MIN);
	bug_if(mem > SIZE_MAX);
	if ((rc = secret_new(&key, len, e)) != ERR_OK)
		return rc;
	if (crypto_pwhash_scryptsalsa208sha256(key.ptr, key.len, text,
		password.len, salt->b, ops, (size_t)mem) != 0) {
		secret_free(&key);
		return err_set(e, ERR_NOMEM,
		    "not enough memory to hash a password (up to %llu MiB)",
		    (unsigned long long)(mem >> 20));
	}
	*out = key;
	return ERR_OK;
}
