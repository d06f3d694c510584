/*
 * verify STORE [KEY [VERSION]]: look at a store with the library alone.
 *
 * Checks every core: blocks against leaves, nodes up to the roots, the
 * signature; prints one JSON line for each,
 *	{"core":…,"fork":…,"length":…,"contiguous":…,"treeHash":…}
 * in the order of the store. With KEY (text form of a drive's key) it then reads the whole
 * drive at VERSION (default: the newest) and prints one JSON line per entry,
 *	{"path":…,"executable":…,"linkname":…,"size":…,"hash":…}
 * sorted by path, hash being BLAKE2b-256 of the content, and the line
 *	{"version":…,"blobs":…,"treeHash":…}
 * Exit 1 and a message on stderr if anything is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/hex.h"
#include "codec/jtext.h"
#include "codec/z32.h"
#include "crypto/hash.h"
#include "hyperdrive/drive.h"

struct cores {
	struct b32 *key;
	size_t n;
	size_t cap;
};

static bool
collect(void *ctx, const struct core_info *info)
{
	struct cores *all = ctx;

	if (all->n == all->cap) {
		all->cap = all->cap * 2 + 16;
		all->key = realloc(all->key, all->cap * sizeof(*all->key));
		if (all->key == NULL)
			abort();
	}
	all->key[all->n++] = info->key;
	return true;
}

static enum err_code
verify_core(struct store *s, const struct b32 *key, struct err *e)
{
	char text[65], hash[65];
	const struct core_head *h;
	struct core *c = NULL;
	enum err_code rc;

	hex_b32(text, key);
	if ((rc = core_open(&c, s, key, CORE_READ, e)) == ERR_OK)
		rc = core_verify(c, e);
	if (rc != ERR_OK) {
		core_close(c);
		return err_wrap(e, "core %s", text);
	}
	h = core_head(c);
	printf("{\"core\":\"%s\",\"fork\":%llu,\"length\":%llu,"
	       "\"contiguous\":%llu,\"treeHash\":\"%s\"}\n",
	    text, (unsigned long long)h->fork, (unsigned long long)h->length,
	    (unsigned long long)h->contiguous, hex_b32(hash, &h->tree_hash));
	core_close(c);
	return ERR_OK;
}

static enum err_code
verify_cores(struct store *s, struct err *e)
{
	struct cores all = {NULL, 0, 0};
	enum err_code rc = core_list(s, collect, &all, e);

	for (size_t i = 0; i < all.n && rc == ERR_OK; i++)
		rc = verify_core(s, &all.key[i], e);
	free(all.key);
	return rc;
}

static enum err_code
hash_content(struct core *blobs, const struct blobs_id *id, struct b32 *hash,
    uint64_t *size, struct err *e)
{
	struct blobs_reader *r = NULL;
	struct hash_state state;
	struct view block;
	struct want w;
	bool more = true;
	enum err_code rc;

	hash_init(&state);
	*size = 0;
	rc = blobs_reader_open(&r, blobs, id, &w, e);
	while (rc == ERR_OK &&
	       (rc = blobs_reader_next(r, &more, &block, &w, e)) == ERR_OK &&
	       more) {
		hash_update(&state, block);
		*size += block.len;
	}
	hash_final(&state, hash);
	blobs_reader_close(r);
	return rc;
}

static enum err_code
print_entry(
    struct core *blobs, struct view path, const struct entry *en, struct err *e)
{
	char text[65] = "";
	uint64_t size = 0;
	struct b32 hash;
	struct buf b;
	enum err_code rc = ERR_OK;

	if (en->has_blob && blobs == NULL)
		return err_set(e, ERR_NOT_FOUND, "no blobs core");
	if (en->has_blob)
		rc = hash_content(blobs, &en->blob, &hash, &size, e);
	if (rc != ERR_OK)
		return rc;
	if (en->has_blob)
		hex_b32(text, &hash);
	buf_init(&b, ENTRY_VALUE_MAX);
	buf_str(&b, "{\"path\":");
	jtext_string(&b, path);
	buf_printf(&b, ",\"executable\":%s,\"linkname\":",
	    en->executable ? "true" : "false");
	if (en->linkname != NULL)
		jtext_string(&b, view_str(en->linkname));
	else
		buf_str(&b, "null");
	buf_printf(&b, ",\"size\":%llu,\"hash\":\"%s\"}",
	    (unsigned long long)size, text);
	if ((rc = buf_check(&b, e)) == ERR_OK)
		printf("%s\n", buf_cstr(&b));
	buf_deinit(&b);
	return rc;
}

static enum err_code
print_entries(struct hyperdrive *d, struct bee *b, struct err *e)
{
	struct hyperdrive_list *l = NULL;
	struct entry en;
	struct view path;
	struct want w;
	uint64_t seq;
	bool more = true;
	enum err_code rc = hyperdrive_list_open(&l, b, VIEW_EMPTY, e);

	while (rc == ERR_OK) {
		entry_init(&en);
		rc = hyperdrive_list_next(l, &more, &path, &en, &seq, &w, e);
		if (rc == ERR_OK && more)
			rc = print_entry(hyperdrive_blobs(d), path, &en, e);
		entry_deinit(&en);
		if (!more)
			break;
	}
	hyperdrive_list_close(l);
	return rc;
}

static enum err_code
print_drive(
    struct store *s, const struct b32 *key, const char *version, struct err *e)
{
	struct hyperdrive *d = NULL;
	struct bee *b = NULL;
	const struct core_head *head;
	char text[65];
	struct want w;
	uint64_t v;
	enum err_code rc;

	if ((rc = hyperdrive_open(&d, s, key, CORE_READ, e)) != ERR_OK)
		return rc;
	head = core_head(hyperdrive_db(d));
	v = version != NULL ? strtoull(version, NULL, 10) : head->length;
	if ((rc = bee_check_version(hyperdrive_db(d), v, &w, e)) == ERR_OK &&
	    (rc = hyperdrive_find_blobs(d, &w, e)) == ERR_OK &&
	    (rc = hyperdrive_at(d, v, &b, e)) == ERR_OK)
		rc = print_entries(d, b, e);
	if (rc == ERR_OK)
		printf("{\"version\":%llu,\"blobs\":%llu,\"treeHash\":\"%s\"}"
		       "\n",
		    (unsigned long long)v,
		    hyperdrive_blobs(d) == NULL
			? 0ull
			: (unsigned long long)core_head(hyperdrive_blobs(d))
			      ->length,
		    hex_b32(text, &head->tree_hash));
	bee_close(b);
	hyperdrive_close(d);
	return rc;
}

int
main(int argc, char **argv)
{
	struct store_opts opts = {
	    .dir = argc > 1 ? argv[1] : NULL, .mode = STORE_READ};
	struct err e = ERR_INIT;
	struct store *s = NULL;
	struct b32 key;
	enum err_code rc;

	if (argc < 2 || argc > 4) {
		fprintf(stderr, "usage: verify STORE [KEY [VERSION]]\n");
		return 2;
	}
	rc = store_open(&s, &opts, &e);
	if (rc == ERR_OK)
		rc = verify_cores(s, &e);
	if (rc == ERR_OK && argc > 2 &&
	    (rc = z32_key_id(view_str(argv[2]), &key, &e)) == ERR_OK)
		rc = print_drive(s, &key, argc > 3 ? argv[3] : NULL, &e);
	if (rc != ERR_OK)
		fprintf(stderr, "verify: %s\n", e.msg);
	store_close(s);
	return rc == ERR_OK ? 0 : 1;
}
