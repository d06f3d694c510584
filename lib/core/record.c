#include "core/record.h"

#include <string.h>

#include "codec/dec.h"
#include "codec/enc.h"

enum { HAS_MANIFEST = 1, HAS_PUB = 2, HAS_SECRET = 4, HAS_REDO = 8 };

static void
enc_head(struct buf *b, const struct record *r)
{
	enc_uint(b, r->head.fork);
	enc_uint(b, r->head.length);
	enc_uint(b, r->head.byte_length);
	enc_b32(b, &r->head.tree_hash);
	enc_bytes(b, r->signature);
	enc_uint(b, r->head.contiguous);
}

static uint8_t
flags_of(const struct record *r)
{
	unsigned f = 0;

	f |= r->has_manifest ? HAS_MANIFEST : 0;
	f |= r->has_pub ? HAS_PUB : 0;
	f |= r->secret.len != 0 ? HAS_SECRET : 0;
	f |= r->redo.len != 0 ? HAS_REDO : 0;
	return (uint8_t)f;
}

static enum err_code
enc_manifest(struct buf *b, const struct manifest *m, struct err *e)
{
	struct buf enc;
	enum err_code rc;

	buf_init(&enc, MANIFEST_ENCODED_MAX);
	manifest_encode(&enc, m);
	rc = buf_check(&enc, e);
	enc_bytes(b, buf_view(&enc));
	buf_deinit(&enc);
	return rc;
}

enum err_code
record_encode(struct buf *b, const struct record *r, struct err *e)
{
	enum err_code rc;

	/* All memory first: a buffer that grows leaves copies of the secret
	 * behind. */
	buf_fill(b, 0,
	    (r->has_manifest ? MANIFEST_ENCODED_MAX : 0) + r->signature.len +
		512);
	if ((rc = buf_check(b, e)) != ERR_OK)
		return rc;
	buf_reset(b);
	enc_u8(b, RECORD_VERSION);
	enc_b32(b, &r->key);
	enc_uint(b, r->number);
	enc_u8(b, flags_of(r));
	if (r->has_manifest &&
	    (rc = enc_manifest(b, &r->manifest, e)) != ERR_OK)
		return rc;
	if (r->has_pub)
		enc_b32(b, &r->pub);
	enc_fixed(b, r->secret);
	if (r->redo.len != 0) {
		enc_uint(b, r->redo.dst);
		enc_uint(b, r->redo.src);
		enc_uint(b, r->redo.len);
	}
	enc_head(b, r);
	return buf_check(b, e);
}

void
record_wipe(struct buf *b)
{
	if (b->data != NULL)
		secret_wipe(b->data, b->cap);
	buf_deinit(b);
}

static void
dec_head(struct dec *d, struct record *r)
{
	r->head.fork = dec_uint(d);
	r->head.length = dec_uint(d);
	r->head.byte_length = dec_uint(d);
	dec_b32(d, &r->head.tree_hash);
	r->signature = dec_bytes(d, MANIFEST_PROOF_MAX);
	r->head.contiguous = dec_uint(d);
	if (r->head.contiguous > r->head.length)
		dec_fail(d, "contiguous beyond the head");
}

static void
dec_redo(struct dec *d, struct record *r)
{
	r->redo.dst = dec_uint(d);
	r->redo.src = dec_uint(d);
	r->redo.len = dec_uint(d);
	if (r->redo.len == 0 || r->redo.src < r->redo.dst ||
	    r->redo.src - r->redo.dst < r->redo.len)
		dec_fail(d, "impossible redo");
}

static void
dec_keys(struct dec *d, struct record *r, unsigned flags)
{
	struct view m;

	if ((flags & HAS_MANIFEST) != 0) {
		m = dec_bytes(d, MANIFEST_ENCODED_MAX);
		r->has_manifest = true;
		if (dec_ok(d) &&
		    manifest_decode(&r->manifest, m, NULL) != ERR_OK)
			dec_fail(d, "bad manifest");
	}
	if ((flags & HAS_PUB) != 0) {
		r->has_pub = true;
		dec_b32(d, &r->pub);
	}
	if ((flags & HAS_SECRET) != 0) {
		if (!r->has_pub)
			dec_fail(d, "secret without public key");
		r->secret = dec_fixed(d, RECORD_SECRET);
	}
}

enum err_code
record_decode(struct record *r, struct view v, struct err *e)
{
	struct dec d;
	unsigned flags, version;

	memset(r, 0, sizeof(*r));
	dec_init(&d, v);
	version = dec_u8(&d);
	if (dec_ok(&d) && version > RECORD_VERSION)
		return err_set(e, ERR_VERSION,
		    "core record version %u is newer than this program",
		    version);
	if (version != RECORD_VERSION)
		dec_fail(&d, "bad version");
	dec_b32(&d, &r->key);
	r->number = dec_uint(&d);
	flags = dec_u8(&d);
	if (flags > (HAS_MANIFEST | HAS_PUB | HAS_SECRET | HAS_REDO))
		dec_fail(&d, "unknown flags");
	dec_keys(&d, r, flags);
	if ((flags & HAS_REDO) != 0)
		dec_redo(&d, r);
	dec_head(&d, r);
	if (dec_done(&d))
		return ERR_OK;
	(void)!dec_error(&d, "core record", e);
	if (e != NULL)
		e->code = ERR_CORRUPT;
	return ERR_CORRUPT;
}
