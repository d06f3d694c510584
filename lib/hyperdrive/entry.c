#include "hyperdrive/entry.h"

#include <stdlib.h>
#include <string.h>

#include "codec/dec.h"
#include "codec/jtext.h"

void
entry_init(struct entry *en)
{
	memset(en, 0, sizeof(*en));
}

void
entry_deinit(struct entry *en)
{
	free(en->linkname);
	json_decref(en->blob_json);
	json_decref(en->metadata);
	entry_init(en);
}

/* What a reader sees where JavaScript sees undefined or null. */
static bool
absent(const json_t *v)
{
	return v == NULL || json_is_null(v);
}

static enum err_code
decode_number(
    uint64_t *out, const json_t *blob, const char *name, struct err *e)
{
	const json_t *v = json_object_get(blob, name);

	if (!json_is_integer(v) || json_integer_value(v) < 0 ||
	    (uint64_t)json_integer_value(v) > DEC_UINT_MAX)
		return err_set(e, ERR_FORMAT,
		    "blob: %s is not a safe non-negative integer", name);
	*out = (uint64_t)json_integer_value(v);
	return ERR_OK;
}

static enum err_code
decode_blob(struct entry *en, json_t *blob, struct err *e)
{
	const json_t *map = json_object_get(blob, "blockMap");
	struct blobs_id *id = &en->blob;
	enum err_code rc;

	if (!json_is_object(blob))
		return err_set(e, ERR_FORMAT, "blob is not an object");
	if (!absent(map) && !json_is_boolean(map))
		return err_set(
		    e, ERR_FORMAT, "blob: blockMap is not true or false");
	if ((rc = decode_number(&id->block_offset, blob, "blockOffset", e)) !=
		ERR_OK ||
	    (rc = decode_number(&id->byte_offset, blob, "byteOffset", e)) !=
		ERR_OK ||
	    (rc = decode_number(&id->block_length, blob, "blockLength", e)) !=
		ERR_OK ||
	    (rc = decode_number(&id->byte_length, blob, "byteLength", e)) !=
		ERR_OK)
		return rc;
	id->block_map = json_is_true(map);
	en->has_blob = true;
	en->blob_json = json_incref(blob);
	return ERR_OK;
}

static enum err_code
decode_fields(struct entry *en, json_t *o, struct err *e)
{
	json_t *exec = json_object_get(o, "executable");
	json_t *link = json_object_get(o, "linkname");
	json_t *blob = json_object_get(o, "blob");
	json_t *meta = json_object_get(o, "metadata");

	if (!absent(exec) && !json_is_boolean(exec))
		return err_set(
		    e, ERR_FORMAT, "executable is not true or false");
	en->executable = json_is_true(exec);
	if (!absent(link)) {
		if (!json_is_string(link) ||
		    strlen(json_string_value(link)) != json_string_length(link))
			return err_set(e, ERR_FORMAT,
			    "linkname is not a string without NUL");
		if ((en->linkname = strdup(json_string_value(link))) == NULL)
			return err_nomem(e);
	}
	if (!absent(meta))
		en->metadata = json_incref(meta);
	return absent(blob) ? ERR_OK : decode_blob(en, blob, e);
}

enum err_code
entry_decode(struct entry *out, struct view json, struct err *e)
{
	struct entry en;
	json_t *o = NULL;
	enum err_code rc;

	entry_init(&en);
	if ((rc = jtext_parse(json, ENTRY_VALUE_MAX, &o, e)) != ERR_OK)
		return rc;
	if (json_is_object(o))
		rc = decode_fields(&en, o, e);
	else
		rc = err_set(e, ERR_FORMAT, "entry is not a JSON object");
	json_decref(o);
	if (rc == ERR_OK)
		*out = en;
	else
		entry_deinit(&en);
	return rc;
}

static void
print_number(struct buf *b, const char *before, uint64_t n)
{
	buf_str(b, before);
	buf_printf(b, "%llu", (unsigned long long)n);
}

static void
print_blob(struct buf *b, const struct entry *en)
{
	const struct blobs_id *id = &en->blob;

	if (!en->has_blob) {
		buf_str(b, "null");
		return;
	}
	if (en->blob_json != NULL) {
		jtext_print(b, en->blob_json);
		return;
	}
	print_number(b, "{\"blockOffset\":", id->block_offset);
	print_number(b, ",\"byteOffset\":", id->byte_offset);
	print_number(b, ",\"blockLength\":", id->block_length);
	print_number(b, ",\"byteLength\":", id->byte_length);
	buf_str(b, id->block_map ? ",\"blockMap\":true}" : "}");
}

void
entry_encode(struct buf *b, const struct entry *en)
{
	buf_str(b, "{\"executable\":");
	buf_str(b, en->executable ? "true" : "false");
	buf_str(b, ",\"linkname\":");
	if (en->linkname != NULL)
		jtext_string(b, view_str(en->linkname));
	else
		buf_str(b, "null");
	buf_str(b, ",\"blob\":");
	print_blob(b, en);
	buf_str(b, ",\"metadata\":");
	jtext_print(b, en->metadata);
	buf_byte(b, '}');
}
