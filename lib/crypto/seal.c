#include "crypto/seal.h"

#include <sodium.h>

#include "codec/dec.h"
#include "codec/enc.h"

#define SEAL_MAGIC "PEARSEAL"
#define SEAL_VERSION 1
#define SEAL_HEAD 65 /* magic, version, ops, mem, salt, nonce */
#define SEAL_TAG crypto_aead_xchacha20poly1305_ietf_ABYTES
#define SEAL_KEY crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define SEAL_NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define SEAL_PLAIN_MAX (1u << 20)
#define SEAL_CONTEXT_MAX 4096
/* What a file may ask this machine to spend. */
#define SEAL_OPS_MAX 16
#define SEAL_MEM_MAX (UINT64_C(1) << 30)
#define SEAL_MEM_TEST (UINT64_C(64) << 10)

_Static_assert(crypto_pwhash_SALTBYTES == 16 && SEAL_NONCE == 24,
    "the format has fixed lengths");

struct head {
	uint64_t ops, mem; /* mem in bytes */
	struct view salt, nonce;
};

static enum err_code
derive(struct secret *key, const struct head *h, const struct secret *password,
    struct err *e)
{
	enum err_code rc = secret_new(key, SEAL_KEY, e);

	if (rc != ERR_OK)
		return rc;
	if (crypto_pwhash(key->ptr, key->len, (const char *)password->ptr,
		password->len, h->salt.ptr, h->ops, (size_t)h->mem,
		crypto_pwhash_ALG_ARGON2ID13) == 0)
		return ERR_OK;
	secret_free(key);
	/* the limits were checked: only memory can be missing */
	return err_nomem(e);
}

/* Authenticated beside the box: the whole head, then the context. */
static enum err_code
beside(struct buf *b, struct view head, struct view context, struct err *e)
{
	buf_init(b, SEAL_HEAD + SEAL_CONTEXT_MAX);
	buf_append(b, head);
	buf_append(b, context);
	return buf_check(b, e);
}

static void
make_head(uint8_t salt[static 16], uint8_t nonce[static 24], struct head *h)
{
	secret_random(salt, 16);
	secret_random(nonce, 24);
	h->salt = view_of(salt, 16);
	h->nonce = view_of(nonce, 24);
}

static void
encode_head(struct buf *b, const struct head *h)
{
	buf_str(b, SEAL_MAGIC);
	enc_u8(b, SEAL_VERSION);
	enc_u64le(b, h->ops);
	enc_u64le(b, h->mem);
	enc_fixed(b, h->salt);
	enc_fixed(b, h->nonce);
}

static enum err_code
encrypt(struct buf *out, struct view plain, struct view ad,
    const struct head *h, const struct secret *key, struct err *e)
{
	uint8_t *box;

	buf_append(out, view_sub(ad, 0, SEAL_HEAD));
	box = buf_extend(out, plain.len + SEAL_TAG);
	if (box != NULL)
		(void)crypto_aead_xchacha20poly1305_ietf_encrypt(box, NULL,
		    plain.ptr, plain.len, ad.ptr, ad.len, NULL, h->nonce.ptr,
		    key->ptr);
	return buf_check(out, e);
}

enum err_code
seal_make(struct buf *out, struct view plain, struct view context,
    const struct secret *password, enum seal_cost cost, struct err *e)
{
	struct head h = {crypto_pwhash_OPSLIMIT_MODERATE,
	    crypto_pwhash_MEMLIMIT_MODERATE, VIEW_EMPTY, VIEW_EMPTY};
	struct buf head, ad = {.data = NULL};
	struct secret key = {NULL, 0};
	uint8_t salt[16], nonce[24];
	enum err_code rc;

	if (plain.len == 0 || plain.len > SEAL_PLAIN_MAX)
		return err_set(e, ERR_LIMIT, "a seal holds 1 byte to 1 MiB");
	if (cost == SEAL_COST_TEST) {
		h.ops = crypto_pwhash_OPSLIMIT_MIN;
		h.mem = SEAL_MEM_TEST;
	}
	make_head(salt, nonce, &h);
	buf_init(&head, SEAL_HEAD);
	encode_head(&head, &h);
	if ((rc = buf_check(&head, e)) != ERR_OK ||
	    (rc = beside(&ad, buf_view(&head), context, e)) != ERR_OK ||
	    (rc = derive(&key, &h, password, e)) != ERR_OK)
		goto out;
	rc = encrypt(out, plain, buf_view(&ad), &h, &key, e);
out:
	secret_free(&key);
	buf_deinit(&ad);
	buf_deinit(&head);
	return rc;
}

static enum err_code
decode(struct head *h, struct view *box, struct view sealed, struct err *e)
{
	uint8_t version;
	struct dec d;

	dec_init(&d, sealed);
	if (!view_eq(dec_fixed(&d, 8), view_str(SEAL_MAGIC)))
		dec_fail(&d, "wrong magic");
	version = dec_u8(&d);
	if (dec_ok(&d) && version > SEAL_VERSION)
		return err_set(e, ERR_VERSION,
		    "sealed secret: format %u, this program knows up to %d",
		    (unsigned)version, SEAL_VERSION);
	if (version != SEAL_VERSION)
		dec_fail(&d, "unknown version");
	h->ops = dec_u64le(&d);
	h->mem = dec_u64le(&d);
	if (h->ops < crypto_pwhash_OPSLIMIT_MIN || h->ops > SEAL_OPS_MAX ||
	    h->mem < crypto_pwhash_MEMLIMIT_MIN || h->mem > SEAL_MEM_MAX)
		dec_fail(&d, "absurd costs");
	h->salt = dec_fixed(&d, 16);
	h->nonce = dec_fixed(&d, SEAL_NONCE);
	*box = dec_rest(&d);
	if (box->len <= SEAL_TAG || box->len > SEAL_PLAIN_MAX + SEAL_TAG)
		dec_fail(&d, "wrong length");
	return dec_ok(&d) ? ERR_OK : dec_error(&d, "sealed secret", e);
}

enum err_code
seal_open(struct secret *out, struct view sealed, struct view context,
    const struct secret *password, struct err *e)
{
	struct secret key = {NULL, 0}, plain = {NULL, 0};
	struct buf ad = {.data = NULL};
	struct view box = VIEW_EMPTY;
	enum err_code rc;
	struct head h;

	if ((rc = decode(&h, &box, sealed, e)) != ERR_OK ||
	    (rc = beside(&ad, view_sub(sealed, 0, SEAL_HEAD), context, e)) !=
		ERR_OK ||
	    (rc = derive(&key, &h, password, e)) != ERR_OK ||
	    (rc = secret_new(&plain, box.len - SEAL_TAG, e)) != ERR_OK)
		goto out;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain.ptr, NULL, NULL,
		box.ptr, box.len, ad.data, ad.len, h.nonce.ptr, key.ptr) == 0) {
		*out = plain;
		plain = (struct secret){NULL, 0};
	} else {
		rc = err_set(e, ERR_VERIFY, "wrong password, or changed bytes");
	}
out:
	secret_free(&plain);
	secret_free(&key);
	buf_deinit(&ad);
	return rc;
}
