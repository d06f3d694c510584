/*
 * response: one signer's answer to a request (data-formats 8.3;
 * hypercore-sign-lib@1.1.0). Pure. What binds it to the request is the hash
 * of the request's bytes; its version says nothing.
 */
#ifndef MULTISIG_RESPONSE_H
#define MULTISIG_RESPONSE_H

#include "multisig/request.h"

#define RESPONSE_MAX 512 /* bytes; more is ERR_LIMIT */

struct response {
	unsigned version;
	struct b32 request_hash;
	struct b32 pub;
	size_t n; /* signatures: 1 core, 2 drive */
	uint8_t signature[REQUEST_CORES_MAX][SIGN_LEN];
};

/* Sign with a pair that is one of the request's signers. */
NODISCARD enum err_code response_make(struct response *out,
    const struct request *r, const struct sign_pair *pair, struct err *e);
void response_encode(struct buf *out, const struct response *r);
/* The whole view must be one response. ERR_VERSION "Response version is not
 * supported, please upgrade"; ERR_FORMAT "Expected an encoded response",
 * "Unparsed padding left in request, bailing" (the reference says request). */
NODISCARD enum err_code response_decode(
    struct response *out, struct view bytes, struct err *e);
NODISCARD enum err_code response_parse(
    struct response *out, struct view text, struct err *e);

/* Does it hold? Checked in the reference's order, all ERR_VERIFY with its
 * texts: "Signature was not made over this request"; with `expected` not
 * NULL "Public key does not match"; "Public key is not a declared signer for
 * this request"; "Invalid response: signature count does not match";
 * "Invalid signature!". */
NODISCARD enum err_code response_verify(const struct response *res,
    const struct request *req, const struct b32 *expected, struct err *e);

/* What a text is, by decoding it fully; the reference's helpers take any
 * text of version 2 or less for both. Used to sort arguments. */
enum response_guess { GUESS_NEITHER, GUESS_REQUEST, GUESS_RESPONSE };
enum response_guess response_guess(struct view text);

#endif
