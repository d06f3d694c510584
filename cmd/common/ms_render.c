/* Names, the quorum, and JSON of cores and results (commands.md 9.6). */
#include <stdio.h>
#include <string.h>

#include "cmd/common/ms.h"
#include "codec/hex.h"
#include "codec/z32.h"

const char *
ms_name(const struct keybook *book, const struct b32 *pub,
    char out[static MS_NAME_MAX])
{
	const char *name = keybook_name(book, pub);
	char quoted[MS_NAME_MAX - 4];

	out[0] = '\0';
	if (name != NULL)
		(void)snprintf(out, MS_NAME_MAX, " (%s)",
		    err_quote(quoted, sizeof(quoted), name, strlen(name)));
	return out;
}

void
ms_show_quorum(struct cli *c, const struct quorum *q, const struct manifest *m,
    const struct keybook *book)
{
	char key[Z32_KEY_LEN + 1], name[MS_NAME_MAX];

	cli_line(c, "Quorum: %llu / %llu", (unsigned long long)q->have,
	    (unsigned long long)q->need);
	if (q->have >= q->need)
		return;
	cli_line(c, "Not signed yet by:");
	for (size_t i = 0; i < m->nsigners; i++)
		if (q->by_signer[i] < 0)
			cli_line(c, "  %s%s", z32_key(key, &m->signer[i].pub),
			    ms_name(book, &m->signer[i].pub, name));
}

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
