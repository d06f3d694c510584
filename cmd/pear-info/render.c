#include "cmd/pear-info/info.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "codec/z32.h"

#define MULTISIG_MIN 2 /* signers of a section worth printing */

static const struct manifest *
manifest_of(const struct info_report *r)
{
	return core_manifest(r->drive.db);
}

static json_t *
text_or_null(const char *s)
{
	return s != NULL ? json_string(s) : json_null();
}

static void
row(struct cli *c, const char *name, const char *value)
{
	char quoted[1024];

	if (value == NULL)
		return;
	err_quote(quoted, sizeof(quoted), value, strlen(value));
	cli_line(c, " %-17s %s", name, quoted);
}

static void
row_number(struct cli *c, const char *name, uint64_t n)
{
	cli_line(c, " %-17s %" PRIu64, name, n);
}

static void
rule(struct cli *c)
{
	cli_line(c, " %.17s %.52s", "-----------------",
	    "----------------------------------------------------");
}

/* -- sections --------------------------------------------------------------- */

static void
render_keys(struct cli *c, const struct info_report *r)
{
	char key[Z32_KEY_LEN + 1];
	char discovery[Z32_KEY_LEN + 1];
	char content[Z32_KEY_LEN + 1];

	z32_key(key, core_key(r->drive.db));
	z32_key(discovery, core_discovery_key(r->drive.db));
	z32_key(content, &r->blobs.key);
	cli_line(c, " %-17s %s", "keys", "z32");
	rule(c);
	row(c, "project", key);
	row(c, "discovery", discovery);
	row(c, "content", r->has_blobs ? content : NULL);
	cli_line(c, "%s", "");
	cli_event(c, "keys",
	    json_pack("{s:s,s:s?,s:s}", "project", key, "content",
		r->has_blobs ? content : NULL, "discovery", discovery));
}

static void
links_of(const struct info_report *r, char *link, char *ver, char *hash)
{
	const struct core_head *head = core_head(r->drive.db);
	const struct b32 *key = core_key(r->drive.db);

	pear_link_key(link, key);
	pear_link_verlink(ver, head->fork, r->drive.version, key);
	pear_link_hashlink(
	    hash, head->fork, r->drive.version, key, &r->tree_hash);
}

static json_t *
blobs_json(const struct info_report *r)
{
	if (!r->blobs.has_head)
		return json_null();
	return json_pack("{s:I,s:I,s:I}", "length", (json_int_t)r->blobs.length,
	    "fork", (json_int_t)r->blobs.fork, "byteLength",
	    (json_int_t)r->blobs.byte_length);
}

static void
info_event(struct cli *c, const struct info_report *r, const char *link,
    const char *ver, const char *hash)
{
	const struct appcfg *a = &r->config;
	char tree[Z32_KEY_LEN + 1];
	const char *name = a->pear_name != NULL ? a->pear_name : a->name;

	z32_key(tree, &r->tree_hash);
	cli_event(c, "info",
	    json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:I,s:I,s:o,s:I,s:s,s:s}",
		"link", link, "verlink", ver, "name", text_or_null(name),
		"version", text_or_null(a->version), "productName",
		text_or_null(a->product_name), "upgrade",
		text_or_null(a->upgrade), "length",
		(json_int_t)r->drive.version, "byteLength",
		(json_int_t)r->drive.tree.byte_length, "blobs", blobs_json(r),
		"fork", (json_int_t)core_head(r->drive.db)->fork, "treeHash",
		tree, "hashlink", hash));
}

static void
render_info(struct cli *c, const struct info_report *r)
{
	const struct appcfg *a = &r->config;
	char link[PEAR_LINK_TEXT_MAX];
	char ver[PEAR_LINK_TEXT_MAX];
	char hash[PEAR_LINK_TEXT_MAX];
	char tree[Z32_KEY_LEN + 1];

	links_of(r, link, ver, hash);
	cli_line(c, " %-17s %s", "info", "value");
	rule(c);
	row(c, "name", a->pear_name != NULL ? a->pear_name : a->name);
	row(c, "version", a->version);
	row(c, "productName", a->product_name);
	row_number(c, "length", r->drive.version);
	row_number(c, "fork", core_head(r->drive.db)->fork);
	row_number(c, "byteLength", r->drive.tree.byte_length);
	if (r->blobs.has_head) {
		row_number(c, "blobs.length", r->blobs.length);
		row_number(c, "blobs.fork", r->blobs.fork);
		row_number(c, "blobs.byteLength", r->blobs.byte_length);
	}
	row(c, "treeHash", z32_key(tree, &r->tree_hash));
	row(c, "verlink", ver);
	row(c, "hashlink", hash);
	row(c, "upgrade", a->upgrade);
	cli_line(c, "%s", "");
	info_event(c, r, link, ver, hash);
}

static void
render_multisig(struct cli *c, const struct info_report *r, bool only)
{
	const struct manifest *m = manifest_of(r);
	json_t *keys = json_array();
	char key[Z32_KEY_LEN + 1];
	size_t i;

	cli_line(c, " multisig");
	rule(c);
	cli_line(c, " quorum: %" PRIu64 " / %zu", m->quorum, m->nsigners);
	cli_line(c, " public signing keys:");
	for (i = 0; i < m->nsigners; i++) {
		z32_key(key, &m->signer[i].pub);
		cli_line(c, "   %s", key);
		(void)json_array_append_new(keys, json_string(key));
	}
	cli_line(c, "%s", "");
	cli_event(c, "multisig",
	    json_pack("{s:I,s:o,s:b}", "quorum", (json_int_t)m->quorum,
		"publicKeys", keys, "only", only));
}

/* Escaped to ASCII: nothing in a drive's text can drive the terminal. */
static enum err_code
render_manifest(struct cli *c, const struct info_report *r, struct err *e)
{
	char *text =
	    json_dumps(r->config.json, JSON_INDENT(2) | JSON_ENSURE_ASCII);

	if (text == NULL)
		return err_nomem(e);
	cli_line(c, "%s", text);
	free(text);
	cli_event(
	    c, "manifest", json_pack("{s:O}", "manifest", r->config.json));
	return ERR_OK;
}

static void
render_own(struct cli *c)
{
	cli_line(c, "pear %s", PEAR_VERSION);
	cli_event(c, "info",
	    json_pack("{s:s,s:s}", "name", "pear", "version", PEAR_VERSION));
}

enum err_code
info_render(struct cli *c, const struct info_opts *opts,
    const struct info_report *r, struct err *e)
{
	bool all = !opts->key && !opts->metadata && !opts->multisig;
	const struct manifest *m = r->own ? NULL : manifest_of(r);
	bool several = m != NULL && m->nsigners >= MULTISIG_MIN;

	if (r->own) {
		render_own(c);
		return ERR_OK;
	}
	if (r->empty) {
		cli_line(c, "[ Empty ]");
		cli_event(c, "empty", NULL);
		return ERR_OK;
	}
	if (opts->manifest)
		return render_manifest(c, r, e);
	if (opts->multisig && !several)
		return err_set(e, ERR_INVALID, "Link has no multisig signers");
	if (all || opts->key)
		render_keys(c, r);
	if (all || opts->metadata)
		render_info(c, r);
	if (several && (all || opts->multisig))
		render_multisig(c, r, opts->multisig);
	cli_success(c, "Success\n");
	return ERR_OK;
}
