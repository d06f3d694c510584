#include "multisig/keyfile.h"

#include <string.h>

#include "base/bug.h"
#include "codec/dec.h"
#include "codec/enc.h"
#include "codec/z32.h"
#include "crypto/hash.h"
#include "crypto/scrypt.h"

#define VERSION_MAX 1
#define V0_BYTES 153 /* its length is all that tells version 0 */
#define ID_LEN 8
#define PAIR_LEN (ID_LEN + 64)	    /* what the checksum is over */
#define PAYLOAD_LEN (PAIR_LEN + 32) /* with the checksum */
/* What tests can afford, as the golden vectors do. */
#define OPS_TEST 32768u
#define MEM_TEST 16777216u

_Static_assert(PAYLOAD_LEN == sizeof(((struct keyfile *)0)->payload), "layout");
_Static_assert(KEYFILE_OPS_MAX == SCRYPT_OPS_SENSITIVE &&
		   KEYFILE_MEM_MAX == SCRYPT_MEM_SENSITIVE,
    "files of the reference must be readable");

static enum err_code
invalid(struct err *e)
{
	return err_set(e, ERR_FORMAT, "Invalid key");
}

/* A file that asks for hours or for all memory is refused unhashed. */
static enum err_code
check_costs(const struct keyfile *k, struct err *e)
{
	if (k->ops <= KEYFILE_OPS_MAX && k->mem <= KEYFILE_MEM_MAX)
		return ERR_OK;
	return err_set(e, ERR_FORMAT,
	    "Invalid key: its password costs %llu operations and %llu bytes "
	    "of memory, allowed are %u and %u",
	    (unsigned long long)k->ops, (unsigned long long)k->mem,
	    KEYFILE_OPS_MAX, KEYFILE_MEM_MAX);
}

static enum err_code
decode_bytes(struct keyfile *out, struct view bytes, struct err *e)
{
	struct keyfile k = {.version = 0};
	uint64_t version = 0;
	struct view payload;
	struct dec d;

	dec_init(&d, bytes);
	if (bytes.len != V0_BYTES) {
		version = dec_uint(&d);
		if (dec_ok(&d) && version > VERSION_MAX)
			return err_set(e, ERR_VERSION,
			    "Key version not supported, please update");
		if (version == 0)
			dec_fail(&d, "version 0 has another length");
	}
	k.version = (unsigned)version;
	k.ops = dec_u64le(&d);
	k.mem = dec_u64le(&d);
	dec_b32(&d, &k.salt);
	payload = dec_bytes(&d, PAYLOAD_LEN);
	if (payload.len != PAYLOAD_LEN)
		dec_fail(&d, "payload of another length");
	k.has_pub = k.version >= 1;
	if (k.has_pub)
		dec_b32(&d, &k.pub);
	if (!dec_done(&d))
		return invalid(e);
	memcpy(k.payload, payload.ptr, PAYLOAD_LEN);
	*out = k;
	return check_costs(out, e);
}

/* Bytes or text? No version has the number of a z-base-32 character. */
static bool
is_text(struct view file)
{
	return file.len != V0_BYTES && file.len > 0 && file.ptr[0] >= ' ';
}

static struct view
without_newline(struct view v)
{
	if (v.len > 0 && v.ptr[v.len - 1] == '\n')
		v.len--;
	if (v.len > 0 && v.ptr[v.len - 1] == '\r')
		v.len--;
	return v;
}

enum err_code
keyfile_decode(struct keyfile *out, struct view file, struct err *e)
{
	struct keyfile k;
	struct buf bytes;
	enum err_code rc;

	if (file.len > KEYFILE_TEXT_MAX)
		return err_set(e, ERR_LIMIT,
		    "Invalid key: longer than %d bytes", KEYFILE_TEXT_MAX);
	if (!is_text(file)) {
		rc = decode_bytes(&k, file, e);
	} else {
		buf_init(&bytes, KEYFILE_TEXT_MAX);
		rc = z32_decode(without_newline(file), &bytes, e);
		if (rc == ERR_FORMAT)
			rc = invalid(e);
		if (rc == ERR_OK)
			rc = decode_bytes(&k, buf_view(&bytes), e);
		buf_deinit(&bytes);
	}
	if (rc == ERR_OK)
		*out = k;
	return rc;
}

void
keyfile_encode(struct buf *out, const struct keyfile *k)
{
	if (k->version >= 1)
		enc_uint(out, k->version);
	enc_u64le(out, k->ops);
	enc_u64le(out, k->mem);
	enc_b32(out, &k->salt);
	enc_bytes(out, view_of(k->payload, PAYLOAD_LEN));
	if (k->has_pub)
		enc_b32(out, &k->pub);
}

/* to ^= mask */
static void
mix(uint8_t *to, const struct secret *mask)
{
	for (size_t i = 0; i < mask->len; i++)
		to[i] ^= mask->ptr[i];
}

static enum err_code
take_pair(struct sign_pair *out, const struct keyfile *k,
    const struct secret *plain, struct err *e)
{
	struct sign_pair pair = {.sec = {NULL, 0}};
	struct view all = secret_view(plain);
	enum err_code rc;

	rc = secret_copy(&pair.sec, view_sub(all, ID_LEN, 64), e);
	if (rc != ERR_OK)
		return rc;
	memcpy(pair.pub.b, pair.sec.ptr + 32, 32);
	if (!sign_pair_valid(&pair))
		rc = err_set(e, ERR_CORRUPT,
		    "key file: the secret key is not a whole pair");
	else if (k->has_pub && !b32_eq(&k->pub, &pair.pub))
		rc = err_set(e, ERR_CORRUPT,
		    "key file: its public key is not the secret key's");
	if (rc == ERR_OK)
		*out = pair;
	else
		sign_pair_free(&pair);
	return rc;
}

enum err_code
keyfile_open(struct sign_pair *out, uint8_t id[8], const struct keyfile *k,
    const struct secret *password, struct err *e)
{
	struct secret plain = {NULL, 0};
	struct secret mask = {NULL, 0};
	struct b32 sum;
	enum err_code rc;

	if ((rc = check_costs(k, e)) != ERR_OK ||
	    (rc = secret_copy(&plain, view_of(k->payload, PAYLOAD_LEN), e)) !=
		ERR_OK ||
	    (rc = scrypt_derive(&mask, PAYLOAD_LEN, secret_view(password),
		 &k->salt, k->ops, k->mem, e)) != ERR_OK)
		goto out;
	mix(plain.ptr, &mask);
	hash_data(&sum, view_sub(secret_view(&plain), 0, PAIR_LEN));
	if (memcmp(sum.b, plain.ptr + PAIR_LEN, 32) != 0)
		rc = err_set(e, ERR_VERIFY, "Key decryption failed");
	else
		rc = take_pair(out, k, &plain, e);
	if (rc == ERR_OK && id != NULL)
		memcpy(id, plain.ptr, ID_LEN);
out:
	secret_wipe(&sum, sizeof(sum));
	secret_free(&mask);
	secret_free(&plain);
	return rc;
}

enum err_code
keyfile_make(struct keyfile *out, const struct sign_pair *pair,
    const uint8_t id[8], const struct secret *password, enum keyfile_cost cost,
    struct err *e)
{
	struct keyfile k = {.version = VERSION_MAX,
	    .ops = KEYFILE_OPS_MAX,
	    .mem = KEYFILE_MEM_MAX,
	    .has_pub = true,
	    .pub = pair->pub};
	struct secret mask = {NULL, 0};
	struct secret plain = {NULL, 0};
	struct b32 sum;
	enum err_code rc;

	bug_if(pair->sec.len != 64);
	if (cost == KEYFILE_COST_TEST) {
		k.ops = OPS_TEST;
		k.mem = MEM_TEST;
	}
	secret_random(k.salt.b, sizeof(k.salt.b));
	if ((rc = secret_new(&plain, PAYLOAD_LEN, e)) != ERR_OK ||
	    (rc = scrypt_derive(&mask, PAYLOAD_LEN, secret_view(password),
		 &k.salt, k.ops, k.mem, e)) != ERR_OK)
		goto out;
	memcpy(plain.ptr, id, ID_LEN);
	memcpy(plain.ptr + ID_LEN, pair->sec.ptr, 64);
	hash_data(&sum, view_sub(secret_view(&plain), 0, PAIR_LEN));
	memcpy(plain.ptr + PAIR_LEN, sum.b, 32);
	mix(plain.ptr, &mask);
	memcpy(k.payload, plain.ptr, PAYLOAD_LEN);
	*out = k;
out:
	secret_wipe(&sum, sizeof(sum));
	secret_free(&mask);
	secret_free(&plain);
	return rc;
}
