/* drivefix: the drives of tests/vectors/drive.json, for the tests of
 * lib/hyperdrive. Store N has 32 bytes of value N as primary key; the drive
 * is that of the key pair "fixture". */
#ifndef TESTS_HYPERDRIVE_DRIVEFIX_H
#define TESTS_HYPERDRIVE_DRIVEFIX_H

#include "tests/unit/blobs/blobfix.h"

#include "codec/jtext.h"
#include "hyperdrive/drive.h"

struct drivefix {
	struct fix f;
	struct hyperdrive *d;
	struct hyperdrive_batch *b;
};

static inline void
drivefix_pair(struct sign_pair *pair, uint8_t n)
{
	struct err e = ERR_INIT;
	struct secret primary;
	struct b32 ns;

	memset(ns.b, 0, sizeof(ns.b));
	check_ok(secret_new(&primary, 32, &e), &e);
	memset(primary.ptr, n, 32);
	check_ok(
	    sign_pair_derive(pair, &primary, &ns, view_str("fixture"), &e), &e);
	secret_free(&primary);
}

static inline void
drivefix_open(struct drivefix *x, uint8_t n)
{
	struct err e = ERR_INIT;

	memset(x, 0, sizeof(*x));
	fix_dir(&x->f);
	fix_store(&x->f);
	drivefix_pair(&x->f.pair, n);
	manifest_single(&x->f.m, &x->f.pair.pub);
	manifest_key(&x->f.key, &x->f.m);
	check_ok(core_add(x->f.s, &x->f.m, &x->f.key, &x->f.pair, &e), &e);
	check_ok(hyperdrive_open(&x->d, x->f.s, &x->f.key, CORE_WRITE, &e), &e);
}

static inline void
drivefix_begin(struct drivefix *x, enum blobs_share share)
{
	struct err e = ERR_INIT;

	check_ok(
	    hyperdrive_batch_new(&x->b, x->d, CORE_BATCH_REAL, share, &e), &e);
}

static inline void
drivefix_commit(struct drivefix *x)
{
	struct err e = ERR_INIT;

	check_ok(hyperdrive_batch_commit(x->b, NULL, NULL, &e), &e);
	hyperdrive_batch_free(x->b);
	x->b = NULL;
}

static inline void
drivefix_close(struct drivefix *x)
{
	hyperdrive_batch_free(x->b);
	hyperdrive_close(x->d);
	fix_close(&x->f);
}

/* Cut a content on the batch; with a map or without. */
static inline struct blobs_id
drivefix_blob(struct drivefix *x, struct view v, enum chunker_kind kind)
{
	struct blobfix w = {.wr = hyperdrive_batch_blobs(x->b)};

	return put_cut(&w, v, kind, NULL);
}

static inline void
drivefix_put(struct drivefix *x, const char *path, struct view v,
    bool executable, enum chunker_kind kind)
{
	struct err e = ERR_INIT;
	struct want w;
	struct entry en;

	entry_init(&en);
	en.executable = executable;
	en.has_blob = true;
	en.blob = drivefix_blob(x, v, kind);
	check_ok(hyperdrive_batch_put(x->b, view_str(path), &en, &w, &e), &e);
}

static inline void
drivefix_del(struct drivefix *x, const char *path)
{
	struct err e = ERR_INIT;
	struct want w;

	check_ok(hyperdrive_batch_del(x->b, view_str(path), &w, &e), &e);
}

static inline void
drivefix_link(struct drivefix *x, const char *path, const char *target)
{
	struct err e = ERR_INIT;
	struct want w;

	check_ok(
	    hyperdrive_batch_symlink(x->b, view_str(path), target, &w, &e), &e);
}

static inline void
drivefix_flush(struct drivefix *x)
{
	struct err e = ERR_INIT;

	check_ok(hyperdrive_batch_flush(x->b, &e), &e);
}

/* A committed entry. */
static inline struct entry
drivefix_entry(struct drivefix *x, const char *path)
{
	struct err e = ERR_INIT;
	struct entry en;
	struct bee *b;
	struct want w;

	check_ok(
	    hyperdrive_at(x->d, core_head(hyperdrive_db(x->d))->length, &b, &e),
	    &e);
	check_ok(hyperdrive_entry(b, view_str(path), &en, NULL, &w, &e), &e);
	bee_close(b);
	return en;
}

/* The bytes of a file of the vectors; the caller frees them. */
static inline uint8_t *
drivefix_bytes(const json_t *file, size_t *n)
{
	const json_t *rnd = json_object_get(file, "prng");
	uint8_t *p;

	if (rnd != NULL) {
		*n = vec_num(rnd, "bytes");
		return prng(*n, (uint32_t)vec_num(rnd, "seed"));
	}
	*n = strlen(vec_str(file, "text"));
	check((p = malloc(*n + 1)) != NULL);
	memcpy(p, vec_str(file, "text"), *n + 1);
	return p;
}

/* Put one file or link of the vectors. */
static inline void
drivefix_file(struct drivefix *x, const json_t *file, enum chunker_kind kind)
{
	const char *link = json_string_value(json_object_get(file, "linkname"));
	uint8_t *p;
	size_t n;

	if (link != NULL) {
		drivefix_link(x, vec_str(file, "path"), link);
		return;
	}
	p = drivefix_bytes(file, &n);
	drivefix_put(x, vec_str(file, "path"), view_of(p, n),
	    json_is_true(json_object_get(file, "executable")), kind);
	free(p);
}

/* -- the changes of the vectors -------------------------------------------- */

static inline json_t *
drivefix_find(json_t *doc, const char *path)
{
	json_t *file;
	size_t i;

	json_array_foreach(vec_at(doc, "files"), i, file)
	{
		if (strcmp(vec_str(file, "path"), path) == 0)
			return file;
	}
	vec_fail(__FILE__, __LINE__, path);
}

static inline void
drivefix_ordered(struct drivefix *x, json_t *doc, enum chunker_kind kind)
{
	json_t *path;
	size_t i;

	json_array_foreach(vec_at(vec_at(doc, "stage"), "order"), i, path)
	    drivefix_file(x, drivefix_find(doc, json_string_value(path)), kind);
}

static inline void
drivefix_previous(struct drivefix *x, const char *path)
{
	struct entry en = drivefix_entry(x, path);
	struct err e = ERR_INIT;
	struct blobs_list l;
	struct want w;

	check_ok(
	    blobs_resolve(hyperdrive_blobs(x->d), &en.blob, &l, &w, &e), &e);
	check_ok(
	    blobs_writer_previous(hyperdrive_batch_blobs(x->b), &l, &e), &e);
	blobs_list_deinit(&l);
	entry_deinit(&en);
}

/* rm /a.txt; the bit of /bin/run.sh; a byte of /data/big.bin; /link */
static inline void
drivefix_changes(
    struct drivefix *x, enum blobs_share share, enum chunker_kind kind)
{
	uint8_t *big = prng(150000, 1);
	struct err e = ERR_INIT;
	struct entry en;
	struct want w;

	big[100] ^= 1;
	drivefix_begin(x, share);
	drivefix_del(x, "/a.txt");
	en = drivefix_entry(x, "/bin/run.sh");
	en.executable = false;
	check_ok(
	    hyperdrive_batch_put(x->b, view_str("/bin/run.sh"), &en, &w, &e),
	    &e);
	entry_deinit(&en);
	if (share == BLOBS_PEAR_EXACT)
		drivefix_previous(x, "/data/big.bin");
	if (kind == CHUNKER_FIXED) { /* as the source has it: one block */
		struct blobfix raw = {.wr = hyperdrive_batch_blobs(x->b)};

		entry_init(&en);
		put_chunk(&raw, big, 150000);
		en.has_blob = true;
		en.blob = put_end(&raw, NULL);
		check_ok(hyperdrive_batch_put(
			     x->b, view_str("/data/big.bin"), &en, &w, &e),
		    &e);
	} else {
		drivefix_put(
		    x, "/data/big.bin", view_of(big, 150000), false, kind);
	}
	drivefix_link(x, "/link", "A.txt");
	drivefix_commit(x);
	free(big);
}

/* -- comparing with what the reference wrote ------------------------------ */

static inline void
expect_core(struct core *c, const json_t *blocks, uint64_t first)
{
	struct err e = ERR_INIT;
	struct want w;
	struct tree t;
	struct b32 hash;
	struct buf b;
	json_t *want;
	size_t i;

	buf_init(&b, CORE_BLOCK_MAX);
	check(core_head(c)->length == first + json_array_size(blocks));
	json_array_foreach(blocks, i, want)
	{
		uint64_t at = vec_num(want, "index");
		const char *hex =
		    json_string_value(json_object_get(want, "block"));

		check(at == first + i);
		buf_reset(&b);
		check_ok(core_get(c, at, &b, &w, &e), &e);
		if (hex != NULL)
			check_view_hex(buf_view(&b), hex);
		if (json_object_get(want, "size") != NULL)
			check(b.len == vec_num(want, "size"));
		check_ok(core_tree_at(c, at + 1, &t, &w, &e), &e);
		tree_hash(&t, &hash);
		check_same(view_b32(&hash), vec_hex_at(want, "treeHash"));
	}
	buf_deinit(&b);
}

static inline void
expect_entry(
    const json_t *want, struct view path, const struct entry *en, uint64_t seq)
{
	json_t *value = vec_at(want, "value");
	struct buf a, b;

	check_same(path, view_str(vec_str(want, "key")));
	check(seq == vec_num(want, "seq"));
	buf_init(&a, ENTRY_VALUE_MAX);
	buf_init(&b, ENTRY_VALUE_MAX);
	entry_encode(&a, en);
	jtext_print(&b, value);
	check_same(buf_view(&a), buf_view(&b));
	buf_deinit(&a);
	buf_deinit(&b);
}

static inline void
expect_entries(struct drivefix *x, const json_t *entries)
{
	struct err e = ERR_INIT;
	struct hyperdrive_list *l;
	struct entry en;
	struct view path;
	struct bee *b;
	struct want w;
	uint64_t seq;
	size_t n = 0;
	bool more;

	check_ok(
	    hyperdrive_at(x->d, core_head(hyperdrive_db(x->d))->length, &b, &e),
	    &e);
	check_ok(hyperdrive_list_open(&l, b, view_str("/"), &e), &e);
	for (;;) {
		check_ok(
		    hyperdrive_list_next(l, &more, &path, &en, &seq, &w, &e),
		    &e);
		if (!more)
			break;
		expect_entry(json_array_get(entries, n++), path, &en, seq);
		entry_deinit(&en);
	}
	check(n == json_array_size(entries));
	hyperdrive_list_close(l);
	bee_close(b);
}

static inline void
expect_blobs_lengths(struct drivefix *x, const json_t *lengths)
{
	struct err e = ERR_INIT;
	struct want w;
	struct bee *b;
	uint64_t got;
	json_t *pair;
	size_t i;

	json_array_foreach(lengths, i, pair)
	{
		check_ok(
		    hyperdrive_at(x->d,
			(uint64_t)json_integer_value(json_array_get(pair, 0)),
			&b, &e),
		    &e);
		check_ok(hyperdrive_blobs_length(b, &got, &w, &e), &e);
		check(got ==
		      (uint64_t)json_integer_value(json_array_get(pair, 1)));
		bee_close(b);
	}
}

static inline void
expect_signatures(struct drivefix *x, const json_t *want)
{
	check_same(core_signature(hyperdrive_db(x->d)),
	    vec_hex_at(want, "dbSignature"));
	if (json_object_get(want, "blobsSignature") != NULL)
		check_same(core_signature(hyperdrive_blobs(x->d)),
		    vec_hex_at(want, "blobsSignature"));
}

/* Everything the generator's describe() wrote. */
static inline void
expect_drive(struct drivefix *x, const json_t *want)
{
	struct b32 key;

	check_same(
	    view_b32(core_key(hyperdrive_db(x->d))), vec_hex_at(want, "dbKey"));
	check(hyperdrive_blobs_key(x->d, &key));
	check_same(view_b32(&key), vec_hex_at(want, "blobsKey"));
	expect_core(hyperdrive_db(x->d), vec_at(want, "db"), 0);
	expect_core(hyperdrive_blobs(x->d), vec_at(want, "blobs"), 0);
	expect_signatures(x, want);
	expect_entries(x, vec_at(want, "entries"));
	expect_blobs_lengths(x, vec_at(want, "blobsLengthPerVersion"));
}

#endif
