/* msgfix: signers, requests and responses for unit tests: those of
 * signing.json, and any others made on the spot. */
#ifndef TESTS_MSGFIX_H
#define TESTS_MSGFIX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "multisig/response.h"
#include "support/vec.h"

static json_t *msg_vectors;

static inline int
msg_setup(void **state)
{
	(void)state;
	msg_vectors = vec_load("signing");
	return 0;
}

static inline int
msg_teardown(void **state)
{
	(void)state;
	json_decref(msg_vectors);
	return 0;
}

/* The row with this label of a list of the vectors; the n-th such. */
static inline const json_t *
msg_row(const char *list, const char *label, size_t n)
{
	const json_t *rows = vec_at(msg_vectors, list);

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (strcmp(vec_str(row, "label"), label) == 0 && n-- == 0)
			return row;
	}
	vec_fail(__FILE__, __LINE__, label);
}

static inline void
msg_request(struct request *out, const char *label)
{
	struct err e = ERR_INIT;

	check_ok(request_decode(
		     out, vec_hex_at(msg_row("requests", label, 0), "hex"), &e),
	    &e);
}

static inline void
msg_response(struct response *out, const char *label, size_t n)
{
	struct err e = ERR_INIT;

	check_ok(response_decode(out,
		     vec_hex_at(msg_row("responses", label, n), "hex"), &e),
	    &e);
}

/* Signer n, from 1 on, as in the vectors: its seed is n in every byte. */
static inline struct sign_pair
msg_pair(unsigned n)
{
	struct err e = ERR_INIT;
	struct sign_pair pair;
	struct b32 seed;

	memset(seed.b, (int)n, sizeof(seed.b));
	check_ok(sign_pair_seed(&pair, &seed, &e), &e);
	return pair;
}

static inline struct response
msg_answer(const struct request *req, unsigned signer)
{
	struct sign_pair pair = msg_pair(signer);
	struct err e = ERR_INIT;
	struct response res;

	check_ok(response_make(&res, req, &pair, &e), &e);
	sign_pair_free(&pair);
	return res;
}

/* A sealed request for signers 1 to n, length 7, contents length 3. */
static inline void
msg_make(struct request *r, enum request_kind kind, unsigned version,
    unsigned signers, uint64_t quorum)
{
	struct err e = ERR_INIT;
	struct buf b;

	memset(r, 0, sizeof(*r));
	r->version = version;
	r->kind = kind;
	r->length = 7;
	memset(r->tree_hash.b, 0x71, 32);
	if (kind == REQUEST_DRIVE) {
		r->blobs_length = 3;
		memset(r->blobs_tree_hash.b, 0x72, 32);
	}
	r->manifest.version = 1;
	r->manifest.quorum = quorum;
	r->manifest.nsigners = signers;
	for (unsigned i = 0; i < signers; i++) {
		struct sign_pair pair = msg_pair(i + 1);

		memset(r->manifest.signer[i].ns.b, 0x73, 32);
		r->manifest.signer[i].pub = pair.pub;
		sign_pair_free(&pair);
	}
	buf_init(&b, REQUEST_MAX);
	check_ok(request_seal(r, &b, &e), &e);
	buf_deinit(&b);
}

#endif
