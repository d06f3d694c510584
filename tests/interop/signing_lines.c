/*
 * signing_lines: requests, responses, proofs and production keys of ours for
 * the JavaScript packages, and theirs for ours. Reads one JSON object a line,
 * answers each with one line; {"error":TEXT} is an answer too. Bytes are hex,
 * requests and responses z-base-32.
 *
 *	{"op":"request","text"} -> {"version","kind","length","fork",
 *	    "treeHash","blobsLength","blobsTreeHash","manifest","key",
 *	    "blobsKey","hash"}
 *	{"op":"seal", ...as above, without the last three} -> {"text"}
 *	{"op":"answer","text","seed"} -> {"text"}
 *	{"op":"verify","text","response"} -> {"publicKey"}
 *	{"op":"proof","text","responses":[...]} -> {"have","need",
 *	    "signatures":[...]}, one for each core
 *	{"op":"config","json":TEXT,"form":"hyper"|"pear"} -> {"key",
 *	    "blobsKey","manifest","quorum"}
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/hex.h"
#include "codec/jtext.h"
#include "codec/z32.h"
#include "multisig/config.h"
#include "multisig/quorum.h"

#define LINE_MAX_BYTES (1u << 20)
#define ANSWERS_MAX 16

static struct view
text_of(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);

	return view_of(json_string_value(v), json_string_length(v));
}

static enum err_code
hash_of(const json_t *o, const char *name, struct b32 *out, struct err *e)
{
	enum err_code rc;
	struct buf b;

	buf_init(&b, 32);
	rc = hex_decode(text_of(o, name), &b, e);
	if (rc == ERR_OK && b.len != 32)
		rc = err_set(e, ERR_INVALID, "%s: not 32 bytes", name);
	if (rc == ERR_OK)
		memcpy(out->b, b.data, 32);
	buf_deinit(&b);
	return rc;
}

static void
put_hex(json_t *out, const char *name, struct view v)
{
	struct buf b;

	buf_init(&b, 2 * MANIFEST_PROOF_MAX);
	hex_encode(&b, v);
	json_object_set_new(out, name, json_string(buf_cstr(&b)));
	buf_deinit(&b);
}

static void
put_manifest(json_t *out, const struct manifest *m)
{
	struct buf b;

	buf_init(&b, MANIFEST_ENCODED_MAX);
	manifest_encode(&b, m);
	put_hex(out, "manifest", buf_view(&b));
	buf_deinit(&b);
}

static void
put_text(json_t *out, struct view bytes)
{
	struct buf b;

	buf_init(&b, 2 * REQUEST_MAX);
	z32_encode(&b, bytes);
	json_object_set_new(out, "text", json_string(buf_cstr(&b)));
	buf_deinit(&b);
}

static void
put_number(json_t *out, const char *name, uint64_t n)
{
	json_object_set_new(out, name, json_integer((json_int_t)n));
}

static uint64_t
number(const json_t *in, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(in, name));
}

/* -- operations ---------------------------------------------------------- */

static enum err_code
do_request(const json_t *in, json_t *out, struct err *e)
{
	struct request r;
	enum err_code rc = request_parse(&r, text_of(in, "text"), NULL, e);

	if (rc != ERR_OK)
		return rc;
	put_number(out, "version", r.version);
	put_number(out, "length", r.length);
	put_number(out, "fork", r.fork);
	put_hex(out, "treeHash", view_b32(&r.tree_hash));
	put_manifest(out, &r.manifest);
	put_hex(out, "key", view_b32(&r.key));
	put_hex(out, "hash", view_b32(&r.hash));
	json_object_set_new(out, "kind",
	    json_string(r.kind == REQUEST_DRIVE ? "drive" : "core"));
	if (r.kind == REQUEST_CORE)
		return ERR_OK;
	put_number(out, "blobsLength", r.blobs_length);
	put_hex(out, "blobsTreeHash", view_b32(&r.blobs_tree_hash));
	put_hex(out, "blobsKey", view_b32(&r.blobs_key));
	return ERR_OK;
}

static enum err_code
read_fields(const json_t *in, struct request *r, struct err *e)
{
	enum err_code rc;
	struct buf b;

	memset(r, 0, sizeof(*r));
	r->version = (unsigned)number(in, "version");
	r->length = number(in, "length");
	r->fork = number(in, "fork");
	buf_init(&b, MANIFEST_ENCODED_MAX);
	if ((rc = hash_of(in, "treeHash", &r->tree_hash, e)) == ERR_OK &&
	    (rc = hex_decode(text_of(in, "manifest"), &b, e)) == ERR_OK)
		rc = manifest_decode(&r->manifest, buf_view(&b), e);
	buf_deinit(&b);
	if (rc != ERR_OK || json_object_get(in, "blobsTreeHash") == NULL)
		return rc;
	r->kind = REQUEST_DRIVE;
	r->blobs_length = number(in, "blobsLength");
	return hash_of(in, "blobsTreeHash", &r->blobs_tree_hash, e);
}

static enum err_code
do_seal(const json_t *in, json_t *out, struct err *e)
{
	struct request r;
	enum err_code rc;
	struct buf b;

	buf_init(&b, REQUEST_MAX);
	if ((rc = read_fields(in, &r, e)) == ERR_OK &&
	    (rc = request_seal(&r, &b, e)) == ERR_OK)
		put_text(out, buf_view(&b));
	buf_deinit(&b);
	return rc;
}

static enum err_code
do_answer(const json_t *in, json_t *out, struct err *e)
{
	struct sign_pair pair = {.sec = {NULL, 0}};
	struct response res;
	struct request r;
	struct b32 seed;
	enum err_code rc;
	struct buf b;

	buf_init(&b, RESPONSE_MAX);
	if ((rc = request_parse(&r, text_of(in, "text"), NULL, e)) == ERR_OK &&
	    (rc = hash_of(in, "seed", &seed, e)) == ERR_OK &&
	    (rc = sign_pair_seed(&pair, &seed, e)) == ERR_OK &&
	    (rc = response_make(&res, &r, &pair, e)) == ERR_OK) {
		response_encode(&b, &res);
		put_text(out, buf_view(&b));
	}
	sign_pair_free(&pair);
	buf_deinit(&b);
	return rc;
}

static enum err_code
do_verify(const json_t *in, json_t *out, struct err *e)
{
	struct response res;
	struct request r;
	enum err_code rc;

	if ((rc = request_parse(&r, text_of(in, "text"), NULL, e)) == ERR_OK &&
	    (rc = response_parse(&res, text_of(in, "response"), e)) == ERR_OK &&
	    (rc = response_verify(&res, &r, NULL, e)) == ERR_OK)
		put_hex(out, "publicKey", view_b32(&res.pub));
	return rc;
}

static enum err_code
assemble(const struct quorum *q, const struct request *r,
    const struct response *res, json_t *out, struct err *e)
{
	json_t *list = json_array();
	enum err_code rc = ERR_OK;
	struct buf sig, hex;

	put_number(out, "have", q->have);
	put_number(out, "need", q->need);
	json_object_set_new(out, "signatures", list);
	buf_init(&sig, MANIFEST_PROOF_MAX);
	buf_init(&hex, 2 * MANIFEST_PROOF_MAX);
	for (size_t i = 0; i < (r->kind == REQUEST_DRIVE ? 2u : 1u); i++) {
		buf_reset(&sig);
		buf_reset(&hex);
		rc = quorum_assemble(&sig, q, r, res, i, e);
		if (rc != ERR_OK)
			break;
		hex_encode(&hex, buf_view(&sig));
		json_array_append_new(list, json_string(buf_cstr(&hex)));
	}
	buf_deinit(&sig);
	buf_deinit(&hex);
	return rc;
}

static enum err_code
do_proof(const json_t *in, json_t *out, struct err *e)
{
	static struct quorum_verdict verdict[ANSWERS_MAX];
	static struct response res[ANSWERS_MAX];
	const json_t *list = json_object_get(in, "responses");
	size_t n = json_array_size(list);
	struct request r;
	struct quorum q;
	enum err_code rc = request_parse(&r, text_of(in, "text"), NULL, e);

	if (n > ANSWERS_MAX)
		return err_set(e, ERR_LIMIT, "%zu responses", n);
	for (size_t i = 0; i < n && rc == ERR_OK; i++) {
		const json_t *v = json_array_get(list, i);

		rc = response_parse(&res[i],
		    view_of(json_string_value(v), json_string_length(v)), e);
	}
	if (rc != ERR_OK)
		return rc;
	quorum_judge(&q, verdict, &r, res, n);
	return assemble(&q, &r, res, out, e);
}

static enum err_code
do_config(const json_t *in, json_t *out, struct err *e)
{
	bool pear = view_eq(text_of(in, "form"), view_str("pear"));
	struct config c;
	enum err_code rc = config_parse(&c, pear ? CONFIG_PEAR : CONFIG_HYPER,
	    "config", text_of(in, "json"), e);

	if (rc != ERR_OK)
		return rc;
	put_hex(out, "key", view_b32(&c.key));
	put_hex(out, "blobsKey", view_b32(&c.blobs_key));
	put_manifest(out, &c.manifest);
	put_number(out, "quorum", c.manifest.quorum);
	config_deinit(&c);
	return ERR_OK;
}

/* -- lines --------------------------------------------------------------- */

static const struct {
	const char *name;
	enum err_code (*run)(const json_t *in, json_t *out, struct err *e);
} ops[] = {{"request", do_request}, {"seal", do_seal}, {"answer", do_answer},
    {"verify", do_verify}, {"proof", do_proof}, {"config", do_config}};

static void
answer(const json_t *in)
{
	struct err e = ERR_INIT;
	json_t *out = json_object();
	enum err_code rc = err_set(&e, ERR_USAGE, "unknown operation");
	char *line;

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (view_eq(text_of(in, "op"), view_str(ops[i].name)))
			rc = ops[i].run(in, out, &e);
	if (rc != ERR_OK)
		json_object_set_new(out, "error", json_string(e.msg));
	line = json_dumps(out, JSON_COMPACT);
	if (line == NULL || puts(line) == EOF || fflush(stdout) != 0)
		exit(1);
	free(line);
	json_decref(out);
}

int
main(void)
{
	struct err e = ERR_INIT;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, stdin)) > 0) {
		json_t *in = NULL;

		if (jtext_parse(view_of(line, (size_t)n), LINE_MAX_BYTES, &in,
			&e) != ERR_OK) {
			fprintf(stderr, "signing_lines: %s\n", e.msg);
			return 1;
		}
		answer(in);
		json_decref(in);
	}
	free(line);
	return 0;
}
