#include "multisig/request.h"

#include <string.h>

#include "codec/dec.h"
#include "codec/enc.h"
#include "codec/z32.h"
#include "crypto/hash.h"

enum { TYPE_REQUEST = 0, FLAG_DRIVE = 1 };

static enum err_code
unknown_version(uint64_t version, struct err *e)
{
	return err_set(e, ERR_VERSION, "Unknown signing request version: %llu",
	    (unsigned long long)version);
}

/* Everything that follows from the bytes and the manifest. */
static enum err_code
derive(struct request *r, struct view bytes, struct err *e)
{
	struct manifest blobs;
	enum err_code rc;

	if ((rc = manifest_check(&r->manifest, e)) != ERR_OK)
		return rc;
	manifest_key(&r->key, &r->manifest);
	hash_data(&r->hash, bytes);
	r->has_blobs_key = false;
	if (r->kind == REQUEST_CORE || r->manifest.version == 0)
		return ERR_OK;
	rc = manifest_blobs(&blobs, &r->manifest, &r->key, e);
	if (rc != ERR_OK)
		return rc;
	manifest_key(&r->blobs_key, &blobs);
	r->has_blobs_key = true;
	return ERR_OK;
}

static void
encode(struct buf *out, const struct request *r)
{
	enc_uint(out, r->version);
	if (r->version > REQUEST_LEGACY)
		enc_u8(out, TYPE_REQUEST);
	enc_uint(out, r->length);
	enc_uint(out, r->fork);
	enc_b32(out, &r->tree_hash);
	manifest_encode(out, &r->manifest);
	enc_uint(out, r->kind == REQUEST_DRIVE ? FLAG_DRIVE : 0);
	if (r->kind == REQUEST_CORE)
		return;
	enc_uint(out, r->blobs_length);
	enc_b32(out, &r->blobs_tree_hash);
}

enum err_code
request_seal(struct request *r, struct buf *out, struct err *e)
{
	size_t start = out->len;
	enum err_code rc;

	if (r->version > REQUEST_VERSION_MAX)
		return unknown_version(r->version, e);
	if (r->length == 0)
		return err_set(e, ERR_INVALID, "Refusing to sign length = 0");
	if ((rc = manifest_check(&r->manifest, e)) != ERR_OK)
		return rc;
	if (r->kind == REQUEST_DRIVE && r->manifest.version == 0)
		return err_set(e, ERR_UNSUPPORTED,
		    "Drive is not compatible, needs v1 manifest");
	encode(out, r);
	if ((rc = buf_check(out, e)) != ERR_OK)
		return err_wrap(e, "request");
	return derive(r, view_sub(buf_view(out), start, out->len - start), e);
}

static enum err_code
decode_head(struct dec *d, struct request *r, struct err *e)
{
	uint64_t version = dec_uint(d);

	if (dec_ok(d) && version > REQUEST_VERSION_MAX)
		return unknown_version(version, e);
	r->version = (unsigned)version;
	if (version > REQUEST_LEGACY && dec_u8(d) != TYPE_REQUEST && dec_ok(d))
		return err_set(e, ERR_FORMAT, "Expected an encoded request");
	return ERR_OK;
}

static void
decode_body(struct dec *d, struct request *r)
{
	uint64_t flags = 0;

	r->length = dec_uint(d);
	r->fork = dec_uint(d);
	dec_b32(d, &r->tree_hash);
	(void)manifest_dec(d, &r->manifest);
	if (dec_ok(d) && dec_left(d) > 0) /* may be missing at the end */
		flags = dec_uint(d);
	if ((flags & FLAG_DRIVE) == 0)
		return;
	r->kind = REQUEST_DRIVE;
	r->blobs_length = dec_uint(d);
	dec_b32(d, &r->blobs_tree_hash);
}

enum err_code
request_decode(struct request *out, struct view bytes, struct err *e)
{
	struct request r;
	struct dec d;
	enum err_code rc;

	if (bytes.len > REQUEST_MAX)
		return err_set(e, ERR_LIMIT, "a request has at most %d bytes",
		    REQUEST_MAX);
	memset(&r, 0, sizeof(r));
	dec_init(&d, bytes);
	if ((rc = decode_head(&d, &r, e)) != ERR_OK)
		return rc;
	decode_body(&d, &r);
	if (!dec_ok(&d))
		return dec_error(&d, "request", e);
	if (r.length == 0)
		return err_set(e, ERR_FORMAT, "Refusing to sign length = 0");
	if (!dec_done(&d))
		return err_set(
		    e, ERR_FORMAT, "Unparsed padding left in request, bailing");
	if ((rc = derive(&r, bytes, e)) != ERR_OK)
		return err_wrap(e, "request");
	*out = r;
	return ERR_OK;
}

struct view
request_trim(struct view v)
{
	while (v.len > 0 && memchr(" \t\r\n", v.ptr[0], 4) != NULL)
		v = view_sub(v, 1, v.len - 1);
	while (v.len > 0 && memchr(" \t\r\n", v.ptr[v.len - 1], 4) != NULL)
		v = view_sub(v, 0, v.len - 1);
	return v;
}

enum err_code
request_parse(
    struct request *out, struct view text, struct buf *bytes, struct err *e)
{
	struct buf own;
	struct buf *b = bytes != NULL ? bytes : &own;
	enum err_code rc;

	buf_init(&own, REQUEST_MAX);
	buf_reset(b);
	rc = z32_decode(request_trim(text), b, e);
	if (rc == ERR_OK)
		rc = request_decode(out, buf_view(b), e);
	buf_deinit(&own);
	return rc;
}

enum err_code
request_signable(const struct request *r, const struct b32 *pub,
    struct request_signable *out, struct err *e)
{
	struct request_signable s = {.n = 1};
	const struct manifest *m = &r->manifest;

	while (s.signer < m->nsigners && !b32_eq(&m->signer[s.signer].pub, pub))
		s.signer++;
	if (s.signer == m->nsigners)
		return err_set(e, ERR_INVALID,
		    "Public key is not a declared signer for this request");
	if (r->kind == REQUEST_DRIVE && !r->has_blobs_key)
		return err_set(e, ERR_UNSUPPORTED,
		    "Drive is not compatible, needs v1 manifest");
	s.message[0].len = manifest_signable(s.message[0].bytes, m, &r->key,
	    s.signer, &r->tree_hash, r->length, r->fork);
	if (r->kind == REQUEST_DRIVE) {
		s.message[1].len = manifest_signable(s.message[1].bytes, m,
		    &r->blobs_key, s.signer, &r->blobs_tree_hash,
		    r->blobs_length, r->fork);
		s.n = 2;
	}
	*out = s;
	return ERR_OK;
}
