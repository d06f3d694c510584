/*
 * core_proofs: proofs of our cores for the JavaScript peers, and theirs for
 * ours, as JSON lines, so that both sides' verification is tested without a
 * network.
 *
 * core_proofs serve STORE
 *	reads requests, answers each with one line:
 *	{"key":HEX}
 *	    -> {"key","fork","length","byteLength","contiguous","treeHash",
 *	        "manifest","signature"}
 *	{"key":HEX,"block":{"index","nodes"},"hash":{"index","nodes"},
 *	 "seek":{"bytes","padding"},"upgrade":{"start","length"},
 *	 "manifest":true}
 *	    -> a proof as below, or {"error":TEXT}
 * core_proofs apply STORE
 *	reads proofs, answers each with {"outcome":"taken"|"ignored"} or
 *	{"error":TEXT}; a core unknown to the store is added by its key; an
 *	error that is not the proof's fault ends the program with 1;
 *	a higher fork than the store's is followed: the proofs behind it are
 *	answers to what core_fork_ask() asks;
 *	{"key":HEX,"commit":true} stores what was taken and answers as the
 *	first request of serve does.
 *
 * A proof: {"key","fork","block":{"index","value","nodes"},
 *	"hash":{"index","nodes"},"seek":{"bytes","nodes"},
 *	"upgrade":{"start","length","nodes","additionalNodes","signature"},
 *	"manifest"}; nodes: [{"index","size","hash"}]; bytes are hex; parts
 * that are absent are null or missing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/hex.h"
#include "codec/jtext.h"
#include "core/fork.h"

#define LINE_MAX_BYTES (64u << 20)
#define OPEN_MAX 64

/* One open core and what was collected for it. */
struct slot {
	struct b32 key;
	struct core *c;
	struct core_intake *in;
	struct core_fork *fork; /* to be committed instead */
};

struct session {
	struct store *s;
	enum core_mode mode;
	size_t n;
	struct slot slot[OPEN_MAX];
	struct core_proof proof;
	struct manifest manifest;
	struct buf value, signature;
	bool broken; /* a local error: nothing more is taken */
};

/* -- JSON in ------------------------------------------------------------- */

static uint64_t
num(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

static enum err_code
bytes(const json_t *o, const char *key, struct buf *out, struct err *e)
{
	const char *hex = json_string_value(json_object_get(o, key));

	buf_reset(out);
	if (hex == NULL)
		return err_set(e, ERR_INVALID, "no %s", key);
	return hex_decode(view_str(hex), out, e);
}

static enum err_code
key_at(const json_t *o, const char *key, struct b32 *out, struct err *e)
{
	struct buf b;
	enum err_code rc;

	buf_init(&b, 64);
	rc = bytes(o, key, &b, e);
	if (rc == ERR_OK && b.len != sizeof(out->b))
		rc = err_set(e, ERR_INVALID, "%s: not 32 bytes", key);
	if (rc == ERR_OK)
		memcpy(out->b, b.data, sizeof(out->b));
	buf_deinit(&b);
	return rc;
}

static enum err_code
nodes_in(struct core_nodes *out, const json_t *list, struct err *e)
{
	enum err_code rc = ERR_OK;

	out->n = 0;
	if (json_array_size(list) > CORE_PROOF_NODES_MAX)
		return err_set(e, ERR_LIMIT, "too many nodes");
	for (size_t i = 0; i < json_array_size(list) && rc == ERR_OK; i++) {
		const json_t *o = json_array_get(list, i);
		struct node *n = &out->node[out->n++];

		n->index = num(o, "index");
		n->size = num(o, "size");
		rc = key_at(o, "hash", &n->hash, e);
	}
	return rc;
}

static enum err_code
upgrade_in(struct session *x, const json_t *o, struct err *e)
{
	struct core_proof *p = &x->proof;
	enum err_code rc;

	p->has_upgrade = true;
	p->upgrade_start = num(o, "start");
	p->upgrade_length = num(o, "length");
	rc = nodes_in(&p->upgrade_nodes, json_object_get(o, "nodes"), e);
	if (rc == ERR_OK)
		rc = nodes_in(&p->additional_nodes,
		    json_object_get(o, "additionalNodes"), e);
	if (rc == ERR_OK)
		rc = bytes(o, "signature", &x->signature, e);
	if (rc == ERR_OK)
		p->signature = buf_view(&x->signature);
	return rc;
}

static enum err_code
manifest_in(struct session *x, const json_t *o, struct err *e)
{
	struct buf b;
	enum err_code rc;

	buf_init(&b, MANIFEST_ENCODED_MAX);
	rc = bytes(o, "manifest", &b, e);
	if (rc == ERR_OK)
		rc = manifest_decode(&x->manifest, buf_view(&b), e);
	buf_deinit(&b);
	if (rc == ERR_OK)
		x->proof.manifest = &x->manifest;
	return rc;
}

static enum err_code
proof_in(struct session *x, const json_t *line, struct err *e)
{
	const json_t *block = json_object_get(line, "block");
	const json_t *hash = json_object_get(line, "hash");
	const json_t *seek = json_object_get(line, "seek");
	const json_t *upgrade = json_object_get(line, "upgrade");
	struct core_proof *p = &x->proof;
	enum err_code rc = ERR_OK;

	memset(p, 0, sizeof(*p));
	p->fork = num(line, "fork");
	if (json_is_object(block)) {
		p->has_block = true;
		p->block_index = num(block, "index");
		rc = bytes(block, "value", &x->value, e);
		p->block = buf_view(&x->value);
		if (rc == ERR_OK)
			rc = nodes_in(&p->block_nodes,
			    json_object_get(block, "nodes"), e);
	}
	if (rc == ERR_OK && json_is_object(hash)) {
		p->has_hash = true;
		p->hash_index = num(hash, "index");
		rc =
		    nodes_in(&p->hash_nodes, json_object_get(hash, "nodes"), e);
	}
	if (rc == ERR_OK && json_is_object(seek)) {
		p->has_seek = true;
		p->seek_bytes = num(seek, "bytes");
		rc =
		    nodes_in(&p->seek_nodes, json_object_get(seek, "nodes"), e);
	}
	if (rc == ERR_OK && json_is_object(upgrade))
		rc = upgrade_in(x, upgrade, e);
	if (rc == ERR_OK && json_is_string(json_object_get(line, "manifest")))
		rc = manifest_in(x, line, e);
	return rc;
}

/* -- JSON out ------------------------------------------------------------ */

static void
out_nodes(struct buf *b, const char *name, const struct core_nodes *n)
{
	char text[65];

	buf_printf(b, "\"%s\":[", name);
	for (size_t i = 0; i < n->n; i++)
		buf_printf(b,
		    "%s{\"index\":%llu,\"size\":%llu,\"hash\":\"%s\"}",
		    i > 0 ? "," : "", (unsigned long long)n->node[i].index,
		    (unsigned long long)n->node[i].size,
		    hex_b32(text, &n->node[i].hash));
	buf_str(b, "]");
}

static void
out_hex(struct buf *b, const char *name, struct view v)
{
	buf_printf(b, "\"%s\":\"", name);
	hex_encode(b, v);
	buf_str(b, "\"");
}

static void
out_manifest(struct buf *b, const struct manifest *m)
{
	struct buf enc;

	if (m == NULL) {
		buf_str(b, "\"manifest\":null");
		return;
	}
	buf_init(&enc, MANIFEST_ENCODED_MAX);
	manifest_encode(&enc, m);
	out_hex(b, "manifest", buf_view(&enc));
	buf_deinit(&enc);
}

static void
out_proof(struct buf *b, const struct core_proof *p)
{
	buf_printf(b, "{\"fork\":%llu,", (unsigned long long)p->fork);
	if (p->has_block) {
		buf_printf(b, "\"block\":{\"index\":%llu,",
		    (unsigned long long)p->block_index);
		out_hex(b, "value", p->block);
		buf_str(b, ",");
		out_nodes(b, "nodes", &p->block_nodes);
		buf_str(b, "},");
	}
	if (p->has_hash) {
		buf_printf(b, "\"hash\":{\"index\":%llu,",
		    (unsigned long long)p->hash_index);
		out_nodes(b, "nodes", &p->hash_nodes);
		buf_str(b, "},");
	}
	if (p->has_seek) {
		buf_printf(b, "\"seek\":{\"bytes\":%llu,",
		    (unsigned long long)p->seek_bytes);
		out_nodes(b, "nodes", &p->seek_nodes);
		buf_str(b, "},");
	}
	if (p->has_upgrade) {
		buf_printf(b, "\"upgrade\":{\"start\":%llu,\"length\":%llu,",
		    (unsigned long long)p->upgrade_start,
		    (unsigned long long)p->upgrade_length);
		out_nodes(b, "nodes", &p->upgrade_nodes);
		buf_str(b, ",");
		out_nodes(b, "additionalNodes", &p->additional_nodes);
		buf_str(b, ",");
		out_hex(b, "signature", p->signature);
		buf_str(b, "},");
	}
	out_manifest(b, p->manifest);
	buf_str(b, "}");
}

static void
out_head(struct buf *b, const struct core *c)
{
	const struct core_head *h = core_head(c);
	char text[65];

	buf_printf(b, "{\"key\":\"%s\",", hex_b32(text, core_key(c)));
	buf_printf(b,
	    "\"fork\":%llu,\"length\":%llu,\"byteLength\":%llu,"
	    "\"contiguous\":%llu,\"treeHash\":\"%s\",",
	    (unsigned long long)h->fork, (unsigned long long)h->length,
	    (unsigned long long)h->byte_length,
	    (unsigned long long)h->contiguous, hex_b32(text, &h->tree_hash));
	out_manifest(b, core_manifest(c));
	buf_str(b, ",");
	out_hex(b, "signature", core_signature(c));
	buf_str(b, "}");
}

/* -- the two jobs -------------------------------------------------------- */

static enum err_code
slot_of(struct session *x, const json_t *line, struct slot **out, struct err *e)
{
	struct slot *sl = &x->slot[x->n];
	enum err_code rc;

	if ((rc = key_at(line, "key", &sl->key, e)) != ERR_OK)
		return rc;
	for (size_t i = 0; i < x->n; i++)
		if (b32_eq(&x->slot[i].key, &sl->key)) {
			*out = &x->slot[i];
			return ERR_OK;
		}
	if (x->n == OPEN_MAX - 1)
		return err_set(e, ERR_LIMIT, "too many cores");
	if (x->mode == CORE_REPLICA &&
	    (rc = core_add(x->s, NULL, &sl->key, NULL, e)) != ERR_OK)
		return rc;
	if ((rc = core_open(&sl->c, x->s, &sl->key, x->mode, e)) != ERR_OK)
		return rc;
	x->n++;
	*out = sl;
	return ERR_OK;
}

static enum err_code
serve(struct session *x, const json_t *line, struct buf *out, struct err *e)
{
	const json_t *block = json_object_get(line, "block");
	const json_t *hash = json_object_get(line, "hash");
	const json_t *seek = json_object_get(line, "seek");
	const json_t *upgrade = json_object_get(line, "upgrade");
	struct core_request q = {
	    .has_block = json_is_object(block),
	    .block_index = num(block, "index"),
	    .block_nodes = num(block, "nodes"),
	    .has_hash = json_is_object(hash),
	    .hash_index = num(hash, "index"),
	    .hash_nodes = num(hash, "nodes"),
	    .has_seek = json_is_object(seek),
	    .seek_bytes = num(seek, "bytes"),
	    .seek_padding = num(seek, "padding"),
	    .has_upgrade = json_is_object(upgrade),
	    .upgrade_start = num(upgrade, "start"),
	    .upgrade_length = num(upgrade, "length"),
	    .manifest = json_is_true(json_object_get(line, "manifest")),
	};
	struct slot *sl;
	struct want w;
	enum err_code rc;

	if ((rc = slot_of(x, line, &sl, e)) != ERR_OK)
		return rc;
	if (!q.has_block && !q.has_hash && !q.has_seek && !q.has_upgrade) {
		out_head(out, sl->c);
		return ERR_OK;
	}
	rc = core_proof_make(&x->proof, &x->value, sl->c, &q, &w, e);
	if (rc == ERR_OK)
		out_proof(out, &x->proof);
	return rc;
}

/* Is the proof about a fork that is to be followed? Then it is taken. */
static enum err_code
apply_fork(struct session *x, struct slot *sl, bool *taken, struct err *e)
{
	const struct core_head *h = core_head(sl->c);
	const struct core_proof *p = &x->proof;

	*taken = sl->fork != NULL;
	if (*taken)
		return core_fork_answer(sl->fork, p, e);
	if (!p->has_upgrade || p->upgrade_start != 0 || p->fork <= h->fork ||
	    h->length == 0)
		return ERR_OK;
	*taken = true;
	return core_fork_new(&sl->fork, sl->c, p, e);
}

static enum err_code
commit(struct slot *sl, struct err *e)
{
	enum err_code rc;

	if (sl->fork == NULL)
		return core_intake_commit(sl->in, e);
	core_intake_free(sl->in);
	sl->in = NULL;
	core_fork_settle(sl->fork);
	rc = core_fork_commit(sl->fork, e);
	core_fork_free(sl->fork);
	sl->fork = NULL;
	return rc;
}

static enum err_code
apply(struct session *x, const json_t *line, struct buf *out, struct err *e)
{
	enum core_outcome outcome = CORE_IGNORED;
	struct slot *sl;
	bool forked = false;
	enum err_code rc;

	if ((rc = slot_of(x, line, &sl, e)) != ERR_OK)
		return rc;
	if (sl->in == NULL &&
	    (rc = core_intake_new(&sl->in, sl->c, e)) != ERR_OK)
		return rc;
	if (json_is_true(json_object_get(line, "commit"))) {
		if ((rc = commit(sl, e)) == ERR_OK)
			out_head(out, sl->c);
		return rc;
	}
	if ((rc = proof_in(x, line, e)) == ERR_OK)
		rc = apply_fork(x, sl, &forked, e);
	if (forked)
		outcome = CORE_TAKEN;
	else if (rc == ERR_OK)
		rc = core_intake_proof(sl->in, &x->proof, &outcome, e);
	if (rc == ERR_OK)
		buf_printf(out, "{\"outcome\":\"%s\"}",
		    outcome == CORE_TAKEN ? "taken" : "ignored");
	return rc;
}

/* Is it the input that is wrong, and not this machine? */
static bool
blames_input(enum err_code rc)
{
	return rc == ERR_VERIFY || rc == ERR_CONFLICT || rc == ERR_INVALID ||
	       rc == ERR_FORMAT || rc == ERR_LIMIT || rc == ERR_NEED_BLOCK ||
	       rc == ERR_NOT_FOUND;
}

static void
answer(struct session *x, struct view text, struct buf *out)
{
	struct err e = ERR_INIT;
	json_t *line = NULL;
	enum err_code rc;

	buf_reset(out);
	rc = jtext_parse(text, LINE_MAX_BYTES, &line, &e);
	if (rc == ERR_OK)
		rc = x->mode == CORE_READ ? serve(x, line, out, &e)
					  : apply(x, line, out, &e);
	if (rc != ERR_OK) {
		buf_reset(out);
		buf_str(out, "{\"error\":");
		jtext_string(out, view_str(e.msg));
		buf_str(out, "}");
		x->broken = !blames_input(rc);
	}
	json_decref(line);
	if (out->failed != ERR_OK)
		abort();
	printf("%s\n", buf_cstr(out));
	fflush(stdout);
}

static void
run(struct session *x)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	struct buf out;

	buf_init(&out, LINE_MAX_BYTES);
	buf_init(&x->value, CORE_BLOCK_MAX);
	buf_init(&x->signature, MANIFEST_PROOF_MAX);
	while (!x->broken && (n = getline(&line, &cap, stdin)) > 0)
		answer(x, view_of(line, (size_t)n), &out);
	free(line);
	for (size_t i = 0; i < x->n; i++) {
		core_intake_free(x->slot[i].in);
		core_fork_free(x->slot[i].fork);
		core_close(x->slot[i].c);
	}
	buf_deinit(&x->signature);
	buf_deinit(&x->value);
	buf_deinit(&out);
}

int
main(int argc, char **argv)
{
	struct session *x = calloc(1, sizeof(*x));
	struct store_opts opts = {.mode = STORE_READ};
	struct err e = ERR_INIT;
	int rc;

	if (x == NULL)
		abort();
	x->mode = CORE_READ;
	if (argc == 3 && strcmp(argv[1], "apply") == 0) {
		x->mode = CORE_REPLICA;
		opts.mode = STORE_CREATE;
	} else if (argc != 3 || strcmp(argv[1], "serve") != 0) {
		fprintf(stderr, "usage: core_proofs serve|apply STORE\n");
		free(x);
		return 2;
	}
	opts.dir = argv[2];
	if (store_open(&x->s, &opts, &e) != ERR_OK) {
		fprintf(stderr, "core_proofs: %s\n", e.msg);
		free(x);
		return 1;
	}
	run(x);
	rc = x->broken ? 1 : 0;
	store_close(x->s);
	free(x);
	return rc;
}
