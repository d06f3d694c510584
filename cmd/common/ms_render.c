/* JSON of cores and results (commands.md 9.6). */
#include <string.h>

#include "cmd/common/ms.h"
#include "codec/hex.h"
#include "codec/z32.h"

json_t *
ms_core_json(const struct release_core *core)
{
	char key[Z32_KEY_LEN + 1], hash[Z32_KEY_LEN + 1];
	char key_hex[65], hash_hex[65];

	return json_pack("{s:s, s:s, s:I, s:s, s:s}", "key",
	    z32_key(key, &core->key), "keyHex", hex_b32(key_hex, &core->key),
	    "length", (json_int_t)core->length, "treeHash",
	    z32_key(hash, &core->tree_hash), "treeHashHex",
	    hex_b32(hash_hex, &core->tree_hash));
}

static json_t *
part_json(const struct release_part *p, bool committed)
{
	json_t *batch = ms_core_json(&p->after);
	struct buf text;

	buf_init(&text, MANIFEST_PROOF_MAX * 2);
	z32_encode(&text, buf_view(&p->signature));
	(void)json_object_set_new(batch, "signature",
	    p->signature.len > 0 ? json_string(buf_cstr(&text)) : json_null());
	buf_deinit(&text);
	return json_pack("{s:o, s:o, s:o}", "destCore",
	    ms_core_json(committed ? &p->after : &p->before), "srcCore",
	    ms_core_json(&p->source), "batch", batch);
}

json_t *
ms_result_json(const struct release_report *r, enum request_kind kind)
{
	bool moved = r->committed || r->already;

	if (kind == REQUEST_CORE)
		return part_json(&r->part[0], moved);
	return json_pack("{s:o, s:o}", "db", part_json(&r->part[0], moved),
	    "blobs", part_json(&r->part[1], moved));
}
