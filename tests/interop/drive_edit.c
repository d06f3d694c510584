/*
 * drive_edit STORE SEED: make and change a drive with the library alone.
 * SEED (64 hex) is the seed of the drive's key pair. Reads JSON lines:
 *	{"op":"put","path","data":HEX,"executable":bool,"share":NAME}
 *	{"op":"symlink","path","linkname"}   {"op":"del","path"}
 *	{"op":"truncate","version"}          first of a version, next fork
 *	{"op":"commit"}
 * and answers commit with {"key","version","blobs"}. A share name holds for
 * the whole version: plain, shared, pear. Content is cut by the chunker that
 * belongs to it: fixed, content-defined, rabin.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blobs/chunker.h"
#include "codec/hex.h"
#include "codec/jtext.h"
#include "hyperdrive/drive.h"

#define LINE_MAX_BYTES (64u << 20)

struct edit {
	struct store *s;
	struct b32 key;
	struct hyperdrive *d;
	struct hyperdrive_batch *hb; /* NULL: nothing pending */
	struct bee *before;	     /* the version the batch stands on */
	enum blobs_share share;
	struct buf data;
	struct want w;
};

static enum err_code
create(struct edit *x, const char *hex, struct err *e)
{
	struct sign_pair pair = {.sec = {NULL, 0}};
	struct manifest m;
	struct b32 seed;
	struct buf b;
	enum err_code rc;

	buf_init(&b, 64);
	rc = hex_decode(view_str(hex), &b, e);
	if (rc == ERR_OK && b.len != sizeof(seed.b))
		rc = err_set(e, ERR_USAGE, "seed: not 64 digits");
	if (rc == ERR_OK) {
		memcpy(seed.b, b.data, sizeof(seed.b));
		rc = sign_pair_seed(&pair, &seed, e);
	}
	if (rc == ERR_OK) {
		manifest_single(&m, &pair.pub);
		manifest_key(&x->key, &m);
		rc = core_add(x->s, &m, &x->key, &pair, e);
	}
	if (rc == ERR_OK)
		rc = hyperdrive_open(&x->d, x->s, &x->key, CORE_WRITE, e);
	sign_pair_free(&pair);
	buf_deinit(&b);
	return rc;
}

static enum err_code
begin(struct edit *x, const json_t *line, struct err *e)
{
	const char *name = json_string_value(json_object_get(line, "share"));
	uint64_t v = core_head(hyperdrive_db(x->d))->length;
	enum err_code rc;

	if (x->hb != NULL)
		return ERR_OK;
	x->share = BLOBS_PLAIN;
	if (name != NULL && strcmp(name, "shared") == 0)
		x->share = BLOBS_SHARED;
	else if (name != NULL && strcmp(name, "pear") == 0)
		x->share = BLOBS_PEAR;
	if ((rc = hyperdrive_at(x->d, v, &x->before, e)) != ERR_OK)
		return rc;
	return hyperdrive_batch_new(&x->hb, x->d, CORE_BATCH_REAL, x->share, e);
}

static void
finish(struct edit *x)
{
	hyperdrive_batch_free(x->hb);
	x->hb = NULL;
	bee_close(x->before);
	x->before = NULL;
}

/* Reference's dedup looks at the previous version of the same path. */
static enum err_code
previous(
    struct edit *x, struct view path, struct blobs_writer *wr, struct err *e)
{
	struct blobs_list l = {NULL, 0, 0, 0};
	struct entry en;
	enum err_code rc;

	entry_init(&en);
	rc = hyperdrive_entry(x->before, path, &en, NULL, &x->w, e);
	if (rc == ERR_OK && en.has_blob)
		rc = blobs_resolve(
		    hyperdrive_blobs(x->d), &en.blob, &l, &x->w, e);
	if (rc == ERR_OK && en.has_blob)
		rc = blobs_writer_previous(wr, &l, e);
	blobs_list_deinit(&l);
	entry_deinit(&en);
	return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

static enum err_code
content(struct edit *x, struct blobs_writer *wr, struct err *e)
{
	static const enum chunker_kind kinds[] = {[BLOBS_PLAIN] = CHUNKER_FIXED,
	    [BLOBS_SHARED] = CHUNKER_CDC,
	    [BLOBS_PEAR] = CHUNKER_RABIN,
	    [BLOBS_PEAR_EXACT] = CHUNKER_RABIN};
	struct view all = buf_view(&x->data);
	enum err_code rc = ERR_OK;
	struct chunker c;
	size_t from = 0, at = 0;
	bool cut;

	chunker_init(&c, kinds[x->share]);
	while (rc == ERR_OK && at < all.len) {
		at += chunker_scan(&c, view_sub(all, at, all.len), &cut);
		if (!cut && at < all.len)
			continue;
		rc = blobs_writer_chunk(wr, view_sub(all, from, at - from), e);
		from = at;
	}
	return rc;
}

static enum err_code
put(struct edit *x, const json_t *line, struct view path, struct err *e)
{
	const char *hex = json_string_value(json_object_get(line, "data"));
	struct blobs_writer *wr = hyperdrive_batch_blobs(x->hb);
	struct entry en;
	uint64_t stored;
	enum err_code rc;

	entry_init(&en);
	buf_reset(&x->data);
	en.executable = json_is_true(json_object_get(line, "executable"));
	en.has_blob = true;
	rc = hex_decode(view_str(hex != NULL ? hex : ""), &x->data, e);
	if (rc == ERR_OK && x->share == BLOBS_PEAR)
		rc = previous(x, path, wr, e);
	if (rc == ERR_OK && (rc = content(x, wr, e)) == ERR_OK &&
	    (rc = blobs_writer_end(wr, &en.blob, &stored, e)) == ERR_OK)
		rc = hyperdrive_batch_put(x->hb, path, &en, &x->w, e);
	entry_deinit(&en);
	return rc;
}

static enum err_code
commit(struct edit *x, struct err *e)
{
	struct core *blobs;
	char text[65];
	enum err_code rc = ERR_OK;

	if (x->hb != NULL)
		rc = hyperdrive_batch_commit(x->hb, NULL, NULL, e);
	finish(x);
	if (rc != ERR_OK)
		return rc;
	blobs = hyperdrive_blobs(x->d);
	printf("{\"key\":\"%s\",\"version\":%llu,\"blobs\":%llu}\n",
	    hex_b32(text, &x->key),
	    (unsigned long long)core_head(hyperdrive_db(x->d))->length,
	    blobs == NULL ? 0ull
			  : (unsigned long long)core_head(blobs)->length);
	fflush(stdout);
	return ERR_OK;
}

static enum err_code
step(struct edit *x, const json_t *line, struct err *e)
{
	const char *op = json_string_value(json_object_get(line, "op"));
	const char *path = json_string_value(json_object_get(line, "path"));
	const char *to = json_string_value(json_object_get(line, "linkname"));
	enum err_code rc;

	if (op == NULL)
		return err_set(e, ERR_INVALID, "no op");
	if (strcmp(op, "commit") == 0)
		return commit(x, e);
	if ((rc = begin(x, line, e)) != ERR_OK)
		return rc;
	if (strcmp(op, "truncate") == 0)
		return hyperdrive_batch_truncate(x->hb,
		    (uint64_t)json_integer_value(
			json_object_get(line, "version")),
		    e);
	if (path == NULL)
		return err_set(e, ERR_INVALID, "%s: no path", op);
	if (strcmp(op, "put") == 0)
		return put(x, line, view_str(path), e);
	if (strcmp(op, "symlink") == 0 && to != NULL)
		return hyperdrive_batch_symlink(
		    x->hb, view_str(path), to, &x->w, e);
	if (strcmp(op, "del") == 0)
		return hyperdrive_batch_del(x->hb, view_str(path), &x->w, e);
	return err_set(e, ERR_INVALID, "unknown op %s", op);
}

static enum err_code
edit(struct edit *x, struct err *e)
{
	enum err_code rc = ERR_OK;
	json_t *line = NULL;
	char *text = NULL;
	size_t cap = 0;
	ssize_t n;

	while (rc == ERR_OK && (n = getline(&text, &cap, stdin)) > 0) {
		rc = jtext_parse(
		    view_of(text, (size_t)n), LINE_MAX_BYTES, &line, e);
		if (rc == ERR_OK)
			rc = step(x, line, e);
		json_decref(line);
		line = NULL;
	}
	free(text);
	return rc;
}

int
main(int argc, char **argv)
{
	struct edit x = {.s = NULL};
	struct store_opts opts = {.mode = STORE_CREATE};
	struct err e = ERR_INIT;
	enum err_code rc;

	if (argc != 3) {
		fprintf(stderr, "usage: drive_edit STORE SEED\n");
		return 2;
	}
	opts.dir = argv[1];
	buf_init(&x.data, LINE_MAX_BYTES);
	if ((rc = store_open(&x.s, &opts, &e)) == ERR_OK &&
	    (rc = create(&x, argv[2], &e)) == ERR_OK)
		rc = edit(&x, &e);
	if (rc != ERR_OK)
		fprintf(stderr, "drive_edit: %s\n", e.msg);
	finish(&x);
	hyperdrive_close(x.d);
	store_close(x.s);
	buf_deinit(&x.data);
	return rc == ERR_OK ? 0 : 1;
}
