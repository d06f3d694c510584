/*
 * Signing requests of strangers. The input is a request's bytes, or their
 * text if that parses. What decodes has a manifest that can be met and keys
 * that follow from it; sealed again it is the same request; nobody else than
 * its signers gets a message to sign; and it is no response.
 */
#include <string.h>

#include "codec/z32.h"
#include "multisig/response.h"
#include "support/vec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
same(const struct request *a, const struct request *b)
{
	return a->version == b->version && a->kind == b->kind &&
	       a->fork == b->fork && a->length == b->length &&
	       a->blobs_length == b->blobs_length &&
	       b32_eq(&a->tree_hash, &b->tree_hash) &&
	       b32_eq(&a->blobs_tree_hash, &b->blobs_tree_hash) &&
	       b32_eq(&a->key, &b->key) &&
	       a->has_blobs_key == b->has_blobs_key &&
	       b32_eq(&a->blobs_key, &b->blobs_key);
}

static void
round_trip(const struct request *r, struct view bytes)
{
	static struct request copy, again;
	struct err e = ERR_INIT;
	struct buf b;
	enum err_code rc;

	buf_init(&b, REQUEST_MAX);
	copy = *r;
	rc = request_seal(&copy, &b, &e);
	if (rc == ERR_UNSUPPORTED) {
		check(r->kind == REQUEST_DRIVE && r->manifest.version == 0);
		buf_deinit(&b);
		return;
	}
	check_ok(rc, &e);
	check(same(&copy, r));
	check_ok(request_decode(&again, buf_view(&b), &e), &e);
	check(same(&again, r) && b32_eq(&again.hash, &copy.hash));
	/* other spellings of the integers are other requests */
	check(view_eq(bytes, buf_view(&b)) == b32_eq(&r->hash, &copy.hash));
	buf_deinit(&b);
}

static void
signers(const struct request *r)
{
	const struct manifest *m = &r->manifest;
	struct request_signable s;
	struct b32 stranger;
	struct err e = ERR_INIT;
	enum err_code rc;

	for (size_t i = 0; i < m->nsigners; i++) {
		rc = request_signable(r, &m->signer[i].pub, &s, &e);
		if (rc != ERR_OK) {
			check(rc == ERR_UNSUPPORTED && !r->has_blobs_key);
			continue;
		}
		check(s.signer <= i && s.n == (r->kind == REQUEST_DRIVE) + 1u);
		check(b32_eq(&m->signer[s.signer].pub, &m->signer[i].pub));
	}
	stranger = r->hash; /* nobody knows its preimage beforehand */
	check_code(request_signable(r, &stranger, &s, &e), ERR_INVALID);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct request r;
	static struct response no;
	struct view in = view_of(data, size);
	struct err e = ERR_INIT;
	struct buf bytes, text;
	enum err_code rc;

	buf_init(&bytes, REQUEST_MAX);
	buf_init(&text, 2 * REQUEST_MAX);
	rc = request_parse(&r, in, &bytes, &e);
	if (rc != ERR_OK) {
		buf_reset(&bytes);
		rc = request_decode(&r, in, &e);
		if (size <= REQUEST_MAX)
			buf_append(&bytes, in);
	}
	if (rc == ERR_OK) {
		check(r.length > 0 && r.version <= REQUEST_VERSION_MAX);
		check(r.manifest.quorum <= r.manifest.nsigners);
		round_trip(&r, buf_view(&bytes));
		signers(&r);
		z32_encode(&text, buf_view(&bytes));
		check_ok(request_parse(&r, buf_view(&text), NULL, &e), &e);
		if (r.version > REQUEST_LEGACY) {
			check(response_guess(buf_view(&text)) == GUESS_REQUEST);
			rc = response_decode(&no, buf_view(&bytes), &e);
			check(rc == ERR_FORMAT || rc == ERR_LIMIT);
		}
	} else {
		check(rc == ERR_FORMAT || rc == ERR_VERSION ||
		      rc == ERR_LIMIT || rc == ERR_INVALID);
		check(e.msg[0] != '\0');
	}
	buf_deinit(&text);
	buf_deinit(&bytes);
	return 0;
}
