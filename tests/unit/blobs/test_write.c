#include "tests/unit/blobs/blobfix.h"

#include "codec/enc.h"
#include "crypto/hash.h"

#define KIB 1024u

static struct blobs_id
put_plain(struct blobfix *x, size_t n)
{
	uint8_t *p = malloc(n + 1);
	struct blobs_id id;

	check(p != NULL);
	memset(p, 1, n);
	id = put_cut(x, view_of(p, n), CHUNKER_FIXED, NULL);
	free(p);
	return id;
}

static struct blobs_id
put_parts(struct blobfix *x, uint8_t *const *part, const char *which)
{
	for (; *which != '\0'; which++)
		put_chunk(x, part[*which - 'A'], 1000);
	return put_end(x, NULL);
}

static void
previous(struct blobfix *x, const struct blobs_id *id)
{
	struct blobs_list l;
	struct err e = ERR_INIT;
	struct want w;

	check_ok(blobs_resolve(x->c, id, &l, &w, &e), &e);
	check_ok(blobs_writer_previous(x->wr, &l, &e), &e);
	blobs_list_deinit(&l);
}

static void
expect_id(const json_t *doc, size_t at, const struct blobs_id *id)
{
	const json_t *rec = json_array_get(vec_at(doc, "hyperblobs"), at);
	const json_t *want = vec_at(rec, "id");

	check(id->block_offset == vec_num(want, "blockOffset"));
	check(id->byte_offset == vec_num(want, "byteOffset"));
	check(id->block_length == vec_num(want, "blockLength"));
	check(id->byte_length == vec_num(want, "byteLength"));
	check(id->block_map == json_is_true(json_object_get(want, "blockMap")));
}

static void
append(struct blobfix *x, struct view block)
{
	struct err e = ERR_INIT;

	check_ok(core_batch_append(x->b, block, NULL, &e), &e);
}

/* The reference's own sequence, in its order, down to the tree hash. */
static void
test_reference(void **state)
{
	static const size_t plain[] = {0, 10, 65537, 16 * 65536, 17 * 65536};
	static const struct blobs_ref twice[] = {{45, 1000}, {46, 1000}};
	json_t *doc = vec_load("rabin");
	struct blobs_id id, last;
	struct b32 hash;
	struct buf map;
	struct blobfix x;
	uint8_t *part[3];

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		part[i] = prng(1000, 11 + i);
	blobfix_open(&x, BLOBS_PLAIN);
	for (size_t i = 0; i < 5; i++) {
		id = put_plain(&x, plain[i]);
		expect_id(doc, i, &id);
	}
	blobfix_commit(&x, BLOBS_PEAR_EXACT);
	last = put_parts(&x, part, "ABA");
	expect_id(doc, 5, &last);
	blobfix_commit(&x, BLOBS_PEAR_EXACT);
	previous(&x, &last);
	id = put_parts(&x, part, "BC");
	expect_id(doc, 6, &id);
	blobfix_commit(&x, BLOBS_PLAIN);
	last = put_parts(&x, part, "AC");
	expect_id(doc, 7, &last);
	blobfix_commit(&x, BLOBS_PEAR_EXACT);
	previous(&x, &last);
	id = put_parts(&x, part, "CAB");
	expect_id(doc, 8, &id);
	id = put_end(&x, NULL);
	expect_id(doc, 9, &id);
	/* its last step writes a map without sharing, which we never do */
	check(core_batch_length(x.b) == 45);
	buf_init(&map, 64);
	blobs_map_encode(&map, twice, 2);
	append(&x, view_of(part[0], 1000));
	append(&x, view_of(part[0], 1000));
	append(&x, buf_view(&map));
	core_batch_tree_hash(x.b, &hash);
	check_same(
	    view_b32(&hash), vec_hex_at(vec_at(doc, "treeHash"), "value"));
	buf_deinit(&map);
	blobfix_close(&x);
	for (unsigned i = 0; i < 3; i++)
		free(part[i]);
	json_decref(doc);
}

/* Empty contents have no map, unless the reference's bytes are wanted. */
static void
test_empty(void **state)
{
	static const enum blobs_share share[] = {
	    BLOBS_PLAIN, BLOBS_SHARED, BLOBS_PEAR, BLOBS_PEAR_EXACT};
	struct blobs_id id;
	struct blobfix x;
	uint64_t stored;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		blobfix_open(&x, share[i]);
		put_chunk(&x, "abc", 3);
		(void)put_end(&x, NULL);
		id = put_end(&x, &stored);
		check(
		    stored == 0 && id.block_length == 0 && id.byte_length == 0);
		check(id.block_offset == core_batch_length(x.b));
		check(id.byte_offset == core_batch_byte_length(x.b));
		check(id.block_map == (share[i] == BLOBS_PEAR_EXACT));
		blobfix_commit(&x, BLOBS_PLAIN);
		expect_content(x.c, &id, VIEW_EMPTY);
		blobfix_close(&x);
	}
}

static void
test_read_back(void **state)
{
	static const enum blobs_share share[] = {
	    BLOBS_PLAIN, BLOBS_SHARED, BLOBS_PEAR, BLOBS_PEAR_EXACT};
	size_t n = 3 * KIB * KIB + 17;
	uint8_t *p = prng(n, 3);
	struct blobs_id id[3];
	struct blobfix x;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		blobfix_open(&x, share[i]);
		for (int k = 0; k < 3; k++)
			id[k] = put_cut(
			    &x, view_of(p, n), (enum chunker_kind)k, NULL);
		blobfix_commit(&x, BLOBS_PLAIN);
		for (int k = 0; k < 3; k++)
			expect_content(x.c, &id[k], view_of(p, n));
		blobfix_close(&x);
	}
	free(p);
}

/* -- SHARED --------------------------------------------------------------- */

static void
test_same_twice(void **state)
{
	size_t n = KIB * KIB;
	uint8_t *p = prng(n, 3);
	struct blobs_id a, b, c;
	struct blobfix x;
	uint64_t stored;

	(void)state;
	blobfix_open(&x, BLOBS_SHARED);
	(void)put_cut(&x, view_str("in front"), CHUNKER_CDC, NULL);
	a = put_cut(&x, view_of(p, n), CHUNKER_CDC, &stored);
	check(stored == n && !a.block_map && a.byte_length == n);
	b = put_cut(&x, view_of(p, n), CHUNKER_CDC, &stored);
	check(stored == 0 && same_id(&a, &b));
	blobfix_commit(&x, BLOBS_SHARED);
	c = put_cut(&x, view_of(p, n), CHUNKER_CDC, &stored);
	check(stored == 0 && same_id(&a, &c));
	expect_content(x.c, &a, view_of(p, n));
	blobfix_close(&x);
	free(p);
}

/* One changed byte: one chunk and a map are stored; the same once more is
 * the same map. */
static void
test_changed_middle(void **state)
{
	size_t n = 4 * KIB * KIB;
	uint8_t *p = prng(n, 3);
	struct blobs_id a, b, c;
	struct blobfix x;
	uint64_t stored, length;

	(void)state;
	blobfix_open(&x, BLOBS_SHARED);
	a = put_cut(&x, view_of(p, n), CHUNKER_CDC, NULL);
	blobfix_commit(&x, BLOBS_SHARED);
	p[n / 2] ^= 1;
	length = core_batch_length(x.b);
	b = put_cut(&x, view_of(p, n), CHUNKER_CDC, &stored);
	check(b.block_map && b.block_length == 1);
	check(core_batch_length(x.b) == length + 2);
	check(stored > b.byte_length && stored < 262144 + 1000);
	blobfix_commit(&x, BLOBS_SHARED);
	c = put_cut(&x, view_of(p, n), CHUNKER_CDC, &stored);
	check(stored == 0 && same_id(&b, &c));
	expect_content(x.c, &b, view_of(p, n));
	p[n / 2] ^= 1;
	expect_content(x.c, &a, view_of(p, n));
	blobfix_close(&x);
	free(p);
}

/* A chunk that comes twice in one content is stored once; a content that is
 * the end of the core and more is one run. */
static void
test_runs(void **state)
{
	uint8_t *part[3];
	struct blobs_id id;
	struct blobfix x;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		part[i] = prng(1000, 11 + i);
	blobfix_open(&x, BLOBS_SHARED);
	id = put_parts(&x, part, "AA");
	check(id.block_map && id.block_offset == 1);
	id = put_parts(&x, part, "AA");
	check(id.block_map && id.block_offset == 1);
	id = put_parts(&x, part, "B");
	check(!id.block_map && id.block_offset == 2);
	id = put_parts(&x, part, "BC");
	check(!id.block_map && id.block_offset == 2 && id.block_length == 2);
	check(id.byte_offset == core_batch_byte_length(x.b) - 2000);
	check(core_batch_length(x.b) == 4);
	id = put_parts(&x, part, "CB");
	check(id.block_map && core_batch_length(x.b) == 5);
	blobfix_close(&x);
	for (unsigned i = 0; i < 3; i++)
		free(part[i]);
}

/* -- the index is only a way to find -------------------------------------- */

static void
drop_index(struct blobfix *x)
{
	struct err e = ERR_INIT;
	struct store_txn *txn;
	struct view prefix;
	struct buf b;

	buf_init(&b, 8);
	enc_u64be(&b, core_number(x->c));
	prefix = buf_view(&b);
	check_ok(store_begin(&txn, x->f.s, &e), &e);
	check_ok(store_del_range(txn, STORE_CHUNKS, prefix, prefix, &e), &e);
	check_ok(store_commit(txn, &e), &e);
	buf_deinit(&b);
}

enum upset { NOTHING, DROPPED, LAGGING, LYING };

/* Entries of the index that point at other blocks. */
static void
make_lies(struct blobfix *x)
{
	struct err e = ERR_INIT;
	struct store_txn *txn;
	struct node leaf;
	struct buf key, val;
	struct want w;

	buf_init(&key, 40);
	buf_init(&val, 8);
	check_ok(core_node(x->c, 2, &leaf, &w, &e), &e);
	enc_u64be(&key, core_number(x->c));
	leaf.hash.b[0] ^= 1; /* a leaf no block has, at a block that is there */
	enc_b32(&key, &leaf.hash);
	enc_u64le(&val, 1);
	check_ok(store_begin(&txn, x->f.s, &e), &e);
	check_ok(
	    store_put(txn, STORE_CHUNKS, buf_view(&key), buf_view(&val), &e),
	    &e);
	check_ok(store_commit(txn, &e), &e);
	buf_deinit(&key);
	buf_deinit(&val);
}

static void
history(struct b32 *hash, enum upset upset)
{
	size_t n = KIB * KIB;
	uint8_t *p = prng(n, 3), *q = prng(n, 4);
	struct blobfix x;

	blobfix_open(&x, BLOBS_SHARED);
	(void)put_cut(&x, view_of(p, n), CHUNKER_CDC, NULL);
	blobfix_commit(&x, upset == LAGGING ? BLOBS_PLAIN : BLOBS_SHARED);
	/* what a writer without sharing writes is in the history, too */
	(void)put_cut(&x, view_of(q, n / 2), CHUNKER_CDC, NULL);
	blobfix_commit(&x, BLOBS_SHARED);
	if (upset == DROPPED || upset == LYING) {
		blobfix_drop(&x);
		if (upset == DROPPED)
			drop_index(&x);
		else
			make_lies(&x);
		blobfix_begin(&x, BLOBS_SHARED);
	}
	p[n / 3] ^= 1;
	(void)put_cut(&x, view_of(p, n), CHUNKER_CDC, NULL);
	(void)put_cut(&x, view_of(q, n), CHUNKER_CDC, NULL);
	blobfix_commit(&x, BLOBS_SHARED);
	*hash = core_head(x.c)->tree_hash;
	blobfix_close(&x);
	free(p);
	free(q);
}

static void
test_pure(void **state)
{
	struct b32 want, got;

	(void)state;
	history(&want, NOTHING);
	for (enum upset u = NOTHING; u <= LYING; u++) {
		history(&got, u);
		check(b32_eq(&want, &got));
	}
}

/* Blocks that are cut off are no longer referenced, by this batch or by
 * later ones. */
static void
test_truncated(void **state)
{
	uint8_t *part[3];
	struct blobs_id id;
	struct err e = ERR_INIT;
	struct blobfix x;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		part[i] = prng(1000, 11 + i);
	blobfix_open(&x, BLOBS_SHARED);
	(void)put_parts(&x, part, "ABC");
	blobfix_commit(&x, BLOBS_SHARED);
	blobfix_drop(&x);
	x.b = fix_batch(x.c);
	check_ok(core_batch_truncate(x.b, 1, &e), &e);
	check_ok(blobs_writer_new(&x.wr, x.c, x.b, BLOBS_SHARED, &e), &e);
	id = put_parts(&x, part, "C");
	check(id.block_offset == 1 && core_batch_length(x.b) == 2);
	blobfix_commit(&x, BLOBS_SHARED);
	id = put_parts(&x, part, "C");
	check(id.block_offset == 1 && core_batch_length(x.b) == 2);
	id = put_parts(&x, part, "A");
	check(id.block_offset == 0 && core_batch_length(x.b) == 2);
	id = put_parts(&x, part, "B");
	check(id.block_offset == 2 && core_batch_length(x.b) == 3);
	blobfix_close(&x);
	for (unsigned i = 0; i < 3; i++)
		free(part[i]);
}

/* Cut by a batch that knows nothing of the index: the fork tells. */
static void
test_other_fork(void **state)
{
	uint8_t *part[3];
	struct blobs_id id;
	struct err e = ERR_INIT;
	struct blobfix x;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		part[i] = prng(1000, 11 + i);
	blobfix_open(&x, BLOBS_SHARED);
	(void)put_parts(&x, part, "ABC");
	blobfix_commit(&x, BLOBS_PLAIN);
	check_ok(core_batch_truncate(x.b, 1, &e), &e);
	(void)put_parts(&x, part, "CAB");
	blobfix_commit(&x, BLOBS_SHARED);
	id = put_parts(&x, part, "C");
	check(id.block_offset == 1);
	id = put_parts(&x, part, "A");
	check(id.block_offset == 0);
	id = put_parts(&x, part, "B");
	check(id.block_offset == 3 && core_batch_length(x.b) == 4);
	blobfix_close(&x);
	for (unsigned i = 0; i < 3; i++)
		free(part[i]);
}

/* A dry run knows what the real one will store. */
static void
test_dry(void **state)
{
	size_t n = KIB * KIB;
	uint8_t *p = prng(n, 3);
	struct blobs_id dry, real;
	struct err e = ERR_INIT;
	struct b32 a, b;
	struct blobfix x;

	(void)state;
	blobfix_open(&x, BLOBS_SHARED);
	(void)put_cut(&x, view_of(p, n / 2), CHUNKER_CDC, NULL);
	blobfix_commit(&x, BLOBS_SHARED);
	blobfix_drop(&x);
	check_ok(core_batch_new(&x.b, x.c, CORE_BATCH_DRY, &e), &e);
	check_ok(blobs_writer_new(&x.wr, x.c, x.b, BLOBS_SHARED, &e), &e);
	dry = put_cut(&x, view_of(p, n), CHUNKER_CDC, NULL);
	core_batch_tree_hash(x.b, &a);
	blobfix_drop(&x);
	blobfix_begin(&x, BLOBS_SHARED);
	real = put_cut(&x, view_of(p, n), CHUNKER_CDC, NULL);
	core_batch_tree_hash(x.b, &b);
	check(same_id(&dry, &real) && b32_eq(&a, &b));
	blobfix_close(&x);
	/* and on a core that is not there yet */
	memset(&x, 0, sizeof(x));
	check_ok(core_batch_new_empty(&x.b, &e), &e);
	check_ok(blobs_writer_new(&x.wr, NULL, x.b, BLOBS_SHARED, &e), &e);
	dry = put_cut(&x, view_of(p, n), CHUNKER_CDC, NULL);
	real = put_cut(&x, view_of(p, n), CHUNKER_CDC, NULL);
	check(same_id(&dry, &real) && dry.block_offset == 0);
	blobfix_drop(&x);
	free(p);
}

/* More chunks than a map names: fine as a run, refused with sharing. */
static void
test_map_limit(void **state)
{
	const uint32_t limit = BLOBS_MAP_ENTRIES * BLOBS_MAP_BLOCKS_MAX;
	struct err e = ERR_INIT;
	struct blobs_id id;
	struct blobfix x;

	(void)state;
	memset(&x, 0, sizeof(x));
	check_ok(core_batch_new_empty(&x.b, &e), &e);
	check_ok(blobs_writer_new(&x.wr, NULL, x.b, BLOBS_SHARED, &e), &e);
	for (uint32_t i = 0; i < limit + 5; i++)
		put_chunk(&x, &i, sizeof(i));
	id = put_end(&x, NULL);
	check(!id.block_map && id.block_length == limit + 5);
	for (uint32_t i = 0; i < limit + 5; i++)
		put_chunk(&x, &i, sizeof(i));
	id = put_end(&x, NULL);
	check(id.block_offset == 0 && id.block_length == limit + 5);
	for (uint32_t i = 0; i < limit; i++)
		put_chunk(&x, &i, sizeof(i));
	check_code(blobs_writer_chunk(x.wr, view_str("other"), &e), ERR_LIMIT);
	blobfix_drop(&x);
}

/* By the leaf: the same blocks and ids as by the bytes, in every mode, and a
 * dry batch needs no bytes at all. */
static void
put_leaf(struct blobfix *x, struct view chunk, bool dry, size_t *asked)
{
	struct err e = ERR_INIT;
	struct b32 leaf;
	bool known;

	hash_leaf(&leaf, chunk);
	check_ok(blobs_writer_known(x->wr, &leaf, chunk.len, &known, &e), &e);
	if (known)
		return;
	++*asked;
	if (dry)
		chunk.ptr = NULL;
	check_ok(blobs_writer_add(x->wr, chunk, &leaf, &e), &e);
}

static void
leaves(enum blobs_share share, size_t adds)
{
	static const char *const text[] = {"ABCA", "ABC", "", "CAD", "ABCA"};
	struct blobs_id a[5], b[5];
	struct b32 want, got;
	struct err e = ERR_INIT;
	uint8_t *part[4];
	struct blobfix x;

	for (unsigned i = 0; i < 4; i++)
		part[i] = prng(1000, 21 + i);
	blobfix_open(&x, share);
	for (size_t i = 0; i < 5; i++)
		a[i] = put_parts(&x, part, text[i]);
	core_batch_tree_hash(x.b, &want);
	for (int dry = 0; dry < 2; dry++) {
		size_t asked = 0;

		blobfix_drop(&x);
		check_ok(core_batch_new(&x.b, x.c,
			     dry ? CORE_BATCH_DRY : CORE_BATCH_REAL, &e),
		    &e);
		check_ok(blobs_writer_new(&x.wr, x.c, x.b, share, &e), &e);
		for (size_t i = 0; i < 5; i++) {
			for (const char *p = text[i]; *p != '\0'; p++)
				put_leaf(&x, view_of(part[*p - 'A'], 1000),
				    dry != 0, &asked);
			b[i] = put_end(&x, NULL);
			check(same_id(&a[i], &b[i]));
		}
		core_batch_tree_hash(x.b, &got);
		check(b32_eq(&got, &want) && asked == adds);
	}
	blobfix_close(&x);
	for (unsigned i = 0; i < 4; i++)
		free(part[i]);
}

static void
test_leaves(void **state)
{
	(void)state;
	leaves(BLOBS_PLAIN, 14);
	leaves(BLOBS_SHARED, 4);
	leaves(BLOBS_PEAR, 12);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reference),
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_read_back),
	    cmocka_unit_test(test_same_twice),
	    cmocka_unit_test(test_changed_middle),
	    cmocka_unit_test(test_runs),
	    cmocka_unit_test(test_pure),
	    cmocka_unit_test(test_truncated),
	    cmocka_unit_test(test_other_fork),
	    cmocka_unit_test(test_dry),
	    cmocka_unit_test(test_map_limit),
	    cmocka_unit_test(test_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
