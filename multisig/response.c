#include "multisig/response.h"

#include <string.h>

#include "codec/dec.h"
#include "codec/enc.h"
#include "codec/z32.h"

enum { TYPE_RESPONSE = 1 };

enum err_code
response_make(struct response *out, const struct request *r,
    const struct sign_pair *pair, struct err *e)
{
	struct request_signable s;
	struct response res = {.version = r->version};
	enum err_code rc;

	if ((rc = request_signable(r, &pair->pub, &s, e)) != ERR_OK)
		return rc;
	if (pair->sec.ptr == NULL)
		return err_set(e, ERR_READONLY, "the secret key is not here");
	res.request_hash = r->hash;
	res.pub = pair->pub;
	res.n = s.n;
	for (size_t i = 0; i < s.n; i++)
		sign_make(res.signature[i],
		    view_of(s.message[i].bytes, s.message[i].len), pair);
	*out = res;
	return ERR_OK;
}

void
response_encode(struct buf *out, const struct response *r)
{
	enc_uint(out, r->version);
	if (r->version > REQUEST_LEGACY)
		enc_u8(out, TYPE_RESPONSE);
	enc_b32(out, &r->request_hash);
	enc_b32(out, &r->pub);
	enc_uint(out, r->n);
	for (size_t i = 0; i < r->n; i++)
		enc_fixed(out, view_of(r->signature[i], SIGN_LEN));
}

enum err_code
response_decode(struct response *out, struct view bytes, struct err *e)
{
	struct response r;
	struct dec d;
	uint64_t version;

	if (bytes.len > RESPONSE_MAX)
		return err_set(e, ERR_LIMIT, "a response has at most %d bytes",
		    RESPONSE_MAX);
	memset(&r, 0, sizeof(r));
	dec_init(&d, bytes);
	version = dec_uint(&d);
	if (dec_ok(&d) && version > REQUEST_VERSION_MAX)
		return err_set(e, ERR_VERSION,
		    "Response version is not supported, please upgrade");
	r.version = (unsigned)version;
	if (version > REQUEST_LEGACY && dec_u8(&d) != TYPE_RESPONSE &&
	    dec_ok(&d))
		return err_set(e, ERR_FORMAT, "Expected an encoded response");
	dec_b32(&d, &r.request_hash);
	dec_b32(&d, &r.pub);
	r.n = dec_count(&d, REQUEST_CORES_MAX);
	for (size_t i = 0; i < r.n; i++) {
		struct view sig = dec_fixed(&d, SIGN_LEN);

		if (sig.len == SIGN_LEN)
			memcpy(r.signature[i], sig.ptr, SIGN_LEN);
	}
	if (!dec_ok(&d))
		return dec_error(&d, "response", e);
	if (!dec_done(&d))
		return err_set(
		    e, ERR_FORMAT, "Unparsed padding left in request, bailing");
	*out = r;
	return ERR_OK;
}

enum err_code
response_parse(struct response *out, struct view text, struct err *e)
{
	struct buf b;
	enum err_code rc;

	buf_init(&b, RESPONSE_MAX);
	rc = z32_decode(request_trim(text), &b, e);
	if (rc == ERR_OK)
		rc = response_decode(out, buf_view(&b), e);
	buf_deinit(&b);
	return rc;
}

enum err_code
response_verify(const struct response *res, const struct request *req,
    const struct b32 *expected, struct err *e)
{
	struct request_signable s;

	if (!b32_eq(&res->request_hash, &req->hash))
		return err_set(
		    e, ERR_VERIFY, "Signature was not made over this request");
	if (expected != NULL && !b32_eq(&res->pub, expected))
		return err_set(e, ERR_VERIFY, "Public key does not match");
	if (request_signable(req, &res->pub, &s, e) != ERR_OK)
		return e != NULL ? (e->code = ERR_VERIFY) : ERR_VERIFY;
	if (s.n != res->n)
		return err_set(e, ERR_VERIFY,
		    "Invalid response: signature count does not match");
	for (size_t i = 0; i < s.n; i++)
		if (!sign_verify(view_of(res->signature[i], SIGN_LEN),
			view_of(s.message[i].bytes, s.message[i].len),
			&res->pub))
			return err_set(e, ERR_VERIFY, "Invalid signature!");
	return ERR_OK;
}

enum response_guess
response_guess(struct view text)
{
	struct request req;
	struct response res;

	if (response_parse(&res, text, NULL) == ERR_OK)
		return GUESS_RESPONSE;
	if (request_parse(&req, text, NULL, NULL) == ERR_OK)
		return GUESS_REQUEST;
	return GUESS_NEITHER;
}
