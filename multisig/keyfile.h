/*
 * keyfile: a signing key under a password (data-formats 8.4;
 * hypercore-sign@3.0.0, hypercore-sign-lib@1.1.0). The text is z-base-32 of
 *
 *	version 1, 186 bytes   01, ops LE64, mem LE64, salt 32, 68h,
 *	                       payload 104, public key 32
 *	version 0, 153 bytes   the same without the 01 and the public key
 *	payload  (id 8, secret key 64, H(id, secret key) 32) XOR scrypt
 *
 * Cost parameters come from the file and are capped before hashing:
 * ERR_FORMAT above ops 2^25 or 1 GiB of memory.
 */
#ifndef MULTISIG_KEYFILE_H
#define MULTISIG_KEYFILE_H

#include "base/buf.h"
#include "crypto/sign.h"

#define KEYFILE_TEXT_MAX 512 /* bytes of a file; more is ERR_LIMIT */
#define KEYFILE_OPS_MAX 33554432u
#define KEYFILE_MEM_MAX 1073741824u
#define KEYFILE_OPS_LOW 524288u /* below these: warn */
#define KEYFILE_MEM_LOW 16777216u
#define KEYFILE_PASSWORD_MIN 8

struct keyfile {
	unsigned version;
	uint64_t ops, mem; /* mem in bytes */
	struct b32 salt;
	uint8_t payload[104];
	bool has_pub; /* version 1 */
	struct b32 pub;
};

/* ERR_FORMAT "Invalid key", ERR_VERSION "Key version not supported, please
 * update". Raw bytes (as pear keeps them) or z-base-32 text, told apart by
 * length; a newline at the end of the text is tolerated. */
NODISCARD enum err_code keyfile_decode(
    struct keyfile *out, struct view file, struct err *e);
void keyfile_encode(struct buf *out, const struct keyfile *k); /* raw bytes */

/* Decrypt. ERR_VERIFY "Key decryption failed"; a public key in the file that
 * is not the secret key's is ERR_CORRUPT. id may be NULL. */
NODISCARD enum err_code keyfile_open(struct sign_pair *out, uint8_t id[8],
    const struct keyfile *k, const struct secret *password, struct err *e);

/* Encrypt as version 1 with a fresh salt, at the reference's cost (1 GiB of
 * memory, some seconds). KEYFILE_COST_TEST is for tests only: commands never
 * use it. */
enum keyfile_cost { KEYFILE_COST_DEFAULT, KEYFILE_COST_TEST };
NODISCARD enum err_code keyfile_make(struct keyfile *out,
    const struct sign_pair *pair, const uint8_t id[8],
    const struct secret *password, enum keyfile_cost cost, struct err *e);

#endif
