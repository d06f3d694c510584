#include "core/manifest.h"

#include <string.h>

#include "codec/dec.h"
#include "codec/enc.h"
#include "crypto/hash.h"

enum { FLAG_PATCH = 1, FLAG_PROLOGUE = 2, FLAG_LINKED = 4, FLAG_USER = 8 };
enum { TYPE_STATIC = 0, TYPE_SINGLE = 1, TYPE_MULTI = 2 };

void
manifest_single(struct manifest *m, const struct b32 *pub)
{
	memset(m, 0, sizeof(*m));
	m->version = 1;
	m->quorum = 1;
	m->nsigners = 1;
	m->signer[0].ns = HASH_NS_DEFAULT;
	m->signer[0].pub = *pub;
}

static void
encode_signer(struct buf *b, const struct manifest_signer *s)
{
	enc_uint(b, 0); /* ed25519 */
	enc_b32(b, &s->ns);
	enc_b32(b, &s->pub);
}

static void
encode_signers(struct buf *b, const struct manifest *m)
{
	enc_uint(b, m->nsigners);
	for (size_t i = 0; i < m->nsigners; i++)
		encode_signer(b, &m->signer[i]);
}

/* One signer, quorum 1, no patches: a plain 64-byte signature in version 0. */
static bool
is_single(const struct manifest *m)
{
	return m->nsigners == 1 && m->quorum == 1 && !m->allow_patch;
}

static void
encode_v0(struct buf *b, const struct manifest *m)
{
	enc_uint(b, 0);
	enc_uint(b, 0); /* blake2b */
	if (m->has_prologue && m->nsigners == 0) {
		enc_uint(b, TYPE_STATIC);
		enc_b32(b, &m->prologue_hash);
	} else if (is_single(m)) {
		enc_uint(b, TYPE_SINGLE);
		encode_signer(b, &m->signer[0]);
	} else {
		enc_uint(b, TYPE_MULTI);
		enc_uint(b, m->allow_patch);
		enc_uint(b, m->quorum);
		encode_signers(b, m);
	}
}

void
manifest_encode(struct buf *b, const struct manifest *m)
{
	if (m->version == 0) {
		encode_v0(b, m);
		return;
	}
	enc_uint(b, m->version);
	enc_uint(b, (m->allow_patch ? FLAG_PATCH : 0u) |
			(m->has_prologue ? FLAG_PROLOGUE : 0u) |
			(m->has_linked ? FLAG_LINKED : 0u) |
			(m->has_user_data ? FLAG_USER : 0u));
	enc_uint(b, 0); /* blake2b */
	enc_uint(b, m->quorum);
	encode_signers(b, m);
	if (m->has_prologue) {
		enc_b32(b, &m->prologue_hash);
		enc_uint(b, m->prologue_length);
	}
	if (m->has_linked) {
		enc_uint(b, m->nlinked);
		for (size_t i = 0; i < m->nlinked; i++)
			enc_b32(b, &m->linked[i]);
	}
	if (m->has_user_data)
		enc_bytes(b, view_of(m->user_data, m->user_data_len));
}

static void
decode_signer(struct dec *d, struct manifest_signer *s)
{
	if (dec_uint(d) != 0)
		dec_fail(d, "unknown signature type");
	dec_b32(d, &s->ns);
	dec_b32(d, &s->pub);
}

static void
decode_signers(struct dec *d, struct manifest *m)
{
	m->nsigners = dec_count(d, MANIFEST_SIGNERS_MAX);
	for (size_t i = 0; i < m->nsigners; i++)
		decode_signer(d, &m->signer[i]);
}

static void
decode_v0(struct dec *d, struct manifest *m)
{
	uint64_t flags;

	switch (dec_uint(d)) {
	case TYPE_STATIC:
		m->has_prologue = true;
		dec_b32(d, &m->prologue_hash);
		break;
	case TYPE_SINGLE:
		m->quorum = 1;
		m->nsigners = 1;
		decode_signer(d, &m->signer[0]);
		break;
	case TYPE_MULTI:
		flags = dec_uint(d);
		m->allow_patch = (flags & 1) != 0;
		m->quorum = dec_uint(d);
		decode_signers(d, m);
		break;
	default:
		dec_fail(d, "unknown manifest type");
	}
}

static void
decode_optional(struct dec *d, struct manifest *m, uint64_t flags)
{
	struct view user;

	if (flags & FLAG_PROLOGUE) {
		m->has_prologue = true;
		dec_b32(d, &m->prologue_hash);
		m->prologue_length = dec_uint(d);
	}
	if (flags & FLAG_LINKED) {
		m->has_linked = true;
		m->nlinked = dec_count(d, MANIFEST_LINKED_MAX);
		for (size_t i = 0; i < m->nlinked; i++)
			dec_b32(d, &m->linked[i]);
	}
	if (flags & FLAG_USER) {
		m->has_user_data = true;
		user = dec_bytes(d, MANIFEST_USER_DATA_MAX);
		m->user_data_len = user.len;
		if (user.len > 0)
			memcpy(m->user_data, user.ptr, user.len);
	}
}

bool
manifest_dec(struct dec *d, struct manifest *m)
{
	uint64_t version, flags;

	memset(m, 0, sizeof(*m));
	version = dec_uint(d);
	if (version > 3)
		dec_fail(d, "unknown manifest version");
	m->version = dec_ok(d) ? (unsigned)version : 0;
	flags = m->version > 0 ? dec_uint(d) : 0;
	if (dec_uint(d) != 0)
		dec_fail(d, "unknown hash type");
	if (m->version == 0) {
		decode_v0(d, m);
		return dec_ok(d);
	}
	m->allow_patch = (flags & FLAG_PATCH) != 0;
	m->quorum = dec_uint(d);
	decode_signers(d, m);
	decode_optional(d, m, flags);
	return dec_ok(d);
}

enum err_code
manifest_decode(struct manifest *m, struct view v, struct err *e)
{
	struct dec d;

	dec_init(&d, v);
	if (!manifest_dec(&d, m) || !dec_done(&d))
		return dec_error(&d, "manifest", e);
	return ERR_OK;
}

enum err_code
manifest_check(const struct manifest *m, struct err *e)
{
	if (m->version > 3)
		return err_set(
		    e, ERR_VERSION, "manifest version %u", m->version);
	if (m->quorum > m->nsigners)
		return err_set(e, ERR_INVALID,
		    "manifest: quorum %llu of %zu signers",
		    (unsigned long long)m->quorum, m->nsigners);
	if (m->version < 2 && (m->has_linked || m->has_user_data))
		return err_set(e, ERR_INVALID,
		    "manifest: linked keys and user data need version 2");
	return ERR_OK;
}

void
manifest_key(struct b32 *out, const struct manifest *m)
{
	struct view parts[2];
	struct buf b;

	buf_init(&b, MANIFEST_ENCODED_MAX);
	manifest_encode(&b, m);
	parts[0] = view_b32(&HASH_NS_MANIFEST);
	parts[1] = buf_view(&b);
	hash_batch(out, parts, 2);
	buf_deinit(&b);
}

bool
manifest_compat(const struct manifest *m, const struct b32 *key)
{
	return m->nsigners == 1 && b32_eq(&m->signer[0].pub, key);
}

enum err_code
manifest_blobs(struct manifest *out, const struct manifest *db,
    const struct b32 *db_key, struct err *e)
{
	if (db->version == 0 || manifest_compat(db, db_key))
		return err_set(e, ERR_UNSUPPORTED,
		    "this drive's contents core is not derived from its key");
	memset(out, 0, sizeof(*out));
	out->version = db->version;
	out->allow_patch = db->allow_patch;
	out->quorum = db->quorum;
	out->nsigners = db->nsigners;
	for (size_t i = 0; i < db->nsigners; i++) {
		struct view parts[3] = {view_b32(&HASH_NS_DRIVE_BLOBS),
		    view_b32(db_key), view_b32(&db->signer[i].ns)};

		hash_batch(&out->signer[i].ns, parts, 3);
		out->signer[i].pub = db->signer[i].pub;
	}
	return ERR_OK;
}
