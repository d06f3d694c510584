/* signer: a request as its signer sees it. What comes from the request is
 * numbers, hex and z-base-32; names come from the address book. */
#include "cmd/common/signer.h"

#include <inttypes.h>
#include <string.h>

#include "codec/hex.h"
#include "codec/z32.h"

static void
put_hex(struct buf *b, const char *label, const struct b32 *x)
{
	char hex[65];

	buf_printf(b, "%s: %s\n", label, hex_b32(hex, x));
}

static void
put_key(struct buf *b, const char *label, const struct b32 *x)
{
	char z32[Z32_KEY_LEN + 1];

	buf_printf(b, "%s: %s\n", label, z32_key(z32, x));
}

static void
put_length(struct buf *b, const char *indent, uint64_t length,
    const struct b32 *tree_hash)
{
	char hex[65];

	buf_printf(b, "%slength: %" PRIu64 "\n%streeHash: %s\n", indent, length,
	    indent, hex_b32(hex, tree_hash));
}

static void
put_box(struct buf *b, const char *text)
{
	buf_str(b, "┌");
	for (size_t i = 0; i < strlen(text) + 2; i++)
		buf_str(b, "─");
	buf_printf(b, "┐\n│ %s │\n└", text);
	for (size_t i = 0; i < strlen(text) + 2; i++)
		buf_str(b, "─");
	buf_str(b, "┘\n");
}

static void
put_cores(struct buf *b, const struct request *r)
{
	switch (r->kind) {
	case REQUEST_CORE:
		put_key(b, "core", &r->key);
		buf_printf(b, "fork: %" PRIu64 "\n", r->fork);
		put_length(b, "", r->length, &r->tree_hash);
		return;
	case REQUEST_DRIVE:
		put_key(b, "key", &r->key);
		buf_printf(b, "fork: %" PRIu64 "\nmetadata\n", r->fork);
		put_length(b, "  ", r->length, &r->tree_hash);
		buf_str(b, "content\n");
		if (r->has_blobs_key)
			put_key(b, "  key", &r->blobs_key);
		put_length(b, "  ", r->blobs_length, &r->blobs_tree_hash);
		return;
	}
}

static bool
one_namespace(const struct manifest *m)
{
	for (size_t i = 1; i < m->nsigners; i++)
		if (!b32_eq(&m->signer[i].ns, &m->signer[0].ns))
			return false;
	return true;
}

static void
put_signers(struct buf *b, const struct manifest *m, const struct keybook *book)
{
	bool one = one_namespace(m);

	buf_printf(b, "quorum: %" PRIu64 " of %zu\n", m->quorum, m->nsigners);
	if (one && m->nsigners > 0)
		put_hex(b, "namespace", &m->signer[0].ns);
	buf_str(b, "signers\n");
	for (size_t i = 0; i < m->nsigners; i++) {
		const struct b32 *pub = &m->signer[i].pub;
		const char *name = keybook_name(book, pub);
		char z32[Z32_KEY_LEN + 1];
		char shown[KEYDIR_NAME_MAX * 2];

		buf_printf(b, "  %s ", z32_key(z32, pub));
		if (name == NULL)
			buf_str(b, "(unknown)");
		else
			buf_printf(b, "\"%s\"",
			    err_quote(
				shown, sizeof(shown), name, strlen(name)));
		buf_str(b, keybook_own(book, pub) ? " (your key)\n" : "\n");
		if (!one)
			put_hex(b, "    namespace", &m->signer[i].ns);
	}
}

/* The parts of a manifest that multisig links do not have. */
static void
put_rest(struct buf *b, const struct manifest *m)
{
	char z32[Z32_KEY_LEN + 1];

	if (m->version != 1)
		buf_printf(b, "manifest version: %u\n", m->version);
	if (m->allow_patch)
		buf_str(b, "allowPatch: true\n");
	if (m->has_prologue) {
		buf_str(b, "prologue\n");
		put_length(b, "  ", m->prologue_length, &m->prologue_hash);
	}
	for (size_t i = 0; i < m->nlinked; i++)
		buf_printf(b, "linked: %s\n", z32_key(z32, &m->linked[i]));
	if (m->has_user_data && m->user_data_len > 0) {
		buf_str(b, "userData: ");
		hex_encode(b, view_of(m->user_data, m->user_data_len));
		buf_byte(b, '\n');
	}
}

static bool
is_signer(const struct manifest *m, const struct b32 *pub)
{
	for (size_t i = 0; i < m->nsigners; i++)
		if (b32_eq(&m->signer[i].pub, pub))
			return true;
	return false;
}

void
signer_show(struct buf *out, const struct request *r,
    const struct keybook *book, const struct b32 *own)
{
	char z32[Z32_KEY_LEN + 1];

	put_box(out, r->kind == REQUEST_DRIVE ? "Hyperdrive signing request"
					      : "Hypercore signing request");
	put_cores(out, r);
	put_signers(out, &r->manifest, book);
	put_rest(out, &r->manifest);
	buf_printf(out, "request version: %u\n", r->version);
	put_hex(out, "request hash", &r->hash);
	if (own != NULL)
		buf_printf(out, "own key: %s, %s\n", z32_key(z32, own),
		    is_signer(&r->manifest, own) ? "one of the signers"
						 : "NOT one of the signers");
}

/* -- the same as an object -------------------------------------------------- */

static json_t *
hex_text(const struct b32 *x)
{
	char hex[65];

	return json_string(hex_b32(hex, x));
}

static json_t *
key_text(const struct b32 *x)
{
	char z32[Z32_KEY_LEN + 1];

	return json_string(z32_key(z32, x));
}

static json_t *
length_json(uint64_t length, const struct b32 *tree_hash)
{
	return json_pack("{s:I,s:o}", "length", (json_int_t)length, "treeHash",
	    hex_text(tree_hash));
}

static json_t *
signers_json(const struct manifest *m, const struct keybook *book)
{
	json_t *all = json_array();

	for (size_t i = 0; i < m->nsigners; i++) {
		const struct b32 *pub = &m->signer[i].pub;
		const char *name = keybook_name(book, pub);

		(void)json_array_append_new(all,
		    json_pack("{s:o,s:o,s:o,s:b}", "publicKey", key_text(pub),
			"namespace", hex_text(&m->signer[i].ns), "name",
			name != NULL ? cli_json_text(view_str(name))
				     : json_null(),
			"own", keybook_own(book, pub)));
	}
	return all;
}

static json_t *
cores_json(const struct request *r)
{
	json_t *metadata = length_json(r->length, &r->tree_hash);
	json_t *content;

	if (r->kind == REQUEST_CORE) {
		json_t *core = json_pack("{s:s,s:o,s:I}", "type", "core",
		    "core", key_text(&r->key), "fork", (json_int_t)r->fork);

		(void)json_object_update(core, metadata);
		json_decref(metadata);
		return core;
	}
	content = length_json(r->blobs_length, &r->blobs_tree_hash);
	if (r->has_blobs_key)
		(void)json_object_set_new(
		    content, "key", key_text(&r->blobs_key));
	return json_pack("{s:s,s:o,s:I,s:o,s:o}", "type", "drive", "key",
	    key_text(&r->key), "fork", (json_int_t)r->fork, "metadata",
	    metadata, "content", content);
}

json_t *
signer_json(const struct request *r, const struct keybook *book)
{
	const struct manifest *m = &r->manifest;
	json_t *all = cores_json(r);
	json_t *more = json_pack("{s:I,s:o,s:i,s:o}", "quorum",
	    (json_int_t)m->quorum, "signers", signers_json(m, book), "version",
	    (int)r->version, "hash", hex_text(&r->hash));

	(void)json_object_update(all, more);
	json_decref(more);
	return all;
}
