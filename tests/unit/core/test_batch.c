/* batch: golden tree hashes and signatures, offsets, truncation, rollback. */
#include "fix.h"

#include "store/blockfile.h"

static struct b32
hash_of(struct core_batch *b)
{
	struct b32 h;

	core_batch_tree_hash(b, &h);
	return h;
}

/* Tree hash after every block of crypto.json, dry and real. */
static void
test_vectors_hashes(void **state)
{
	json_t *v = vec_load("crypto"), *blocks = vec_at(v, "blocks");
	struct err e = ERR_INIT;
	struct fix f;
	struct core *c;
	struct core_batch *dry, *real;
	struct b32 want, h;
	struct view block;

	(void)state;
	fix_open(&f, 1, true);
	c = fix_core(&f, CORE_WRITE);
	real = fix_batch(c);
	check_ok(core_batch_new_empty(&dry, &e), &e);
	for (size_t i = 0; i <= json_array_size(blocks); i++) {
		json_t *t = json_array_get(vec_at(v, "treeHashes"), i);

		vec_b32_at(t, "treeHash", &want);
		h = hash_of(dry);
		check(b32_eq(&h, &want));
		h = hash_of(real);
		check(b32_eq(&h, &want));
		check(core_batch_byte_length(dry) == vec_num(t, "byteLength"));
		if (i == json_array_size(blocks))
			break;
		block = vec_hex(json_string_value(json_array_get(blocks, i)));
		check_ok(core_batch_append(dry, block, NULL, &e), &e);
		check_ok(core_batch_append(real, block, NULL, &e), &e);
	}
	core_batch_free(dry);
	core_batch_free(real);
	core_close(c);
	fix_close(&f);
	json_decref(v);
}

static struct core *
drive_core(struct fix *f, struct b32 *key, const struct manifest *m,
    const struct sign_pair *pair)
{
	struct err e = ERR_INIT;
	struct core *c;

	check_ok(core_add(f->s, m, key, pair, &e), &e);
	check_ok(store_refresh(f->s, &e), &e);
	check_ok(core_open(&c, f->s, key, CORE_WRITE, &e), &e);
	return c;
}

static void
append_json(struct core *c, json_t *rows)
{
	struct err e = ERR_INIT;
	struct core_batch *b;
	struct b32 want;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);

		b = fix_batch(c);
		check_ok(
		    core_batch_append(b, vec_hex_at(row, "block"), NULL, &e),
		    &e);
		fix_commit(b);
		core_batch_free(b);
		vec_b32_at(row, "treeHash", &want);
		check(b32_eq(&core_head(c)->tree_hash, &want));
	}
}

/* The db core of a drive, block by block, then truncated: signatures and
 * forks are those of the JavaScript drive. */
static void
test_vectors_drive(void **state)
{
	json_t *v = vec_load("drive"), *single = vec_at(v, "single");
	json_t *cut = vec_at(v, "truncated");
	struct err e = ERR_INIT;
	struct fix f;
	struct secret primary;
	struct sign_pair pair;
	struct manifest m;
	struct b32 key, want, root = {{0}};
	struct core *c;
	struct core_batch *b;
	uint8_t one[32];

	(void)state;
	fix_open(&f, 1, true);
	memset(one, 1, sizeof(one));
	vec_b32_at(single, "dbKey", &want);
	/* Stores are numbered; find the one of this drive. */
	for (uint8_t n = 0;; n++) {
		check(n < 64);
		memset(one, n, sizeof(one));
		check_ok(secret_copy(&primary, view_of(one, 32), &e), &e);
		check_ok(sign_pair_derive(
			     &pair, &primary, &root, view_str("fixture"), &e),
		    &e);
		secret_free(&primary);
		manifest_single(&m, &pair.pub);
		manifest_key(&key, &m);
		if (b32_eq(&key, &want))
			break;
		sign_pair_free(&pair);
	}
	c = drive_core(&f, &key, &m, &pair);
	append_json(c, vec_at(single, "db"));
	check_same(core_signature(c), vec_hex_at(single, "dbSignature"));
	append_json(c, vec_at(vec_at(v, "more"), "db"));
	check_same(
	    core_signature(c), vec_hex_at(vec_at(v, "more"), "dbSignature"));

	b = fix_batch(c);
	check_ok(core_batch_truncate(b, vec_num(cut, "dbLength"), &e), &e);
	fix_commit(b);
	core_batch_free(b);
	vec_b32_at(cut, "dbTreeHash", &want);
	check(b32_eq(&core_head(c)->tree_hash, &want));
	check(core_head(c)->fork == vec_num(cut, "dbFork"));
	check_same(core_signature(c), vec_hex_at(cut, "dbSignature"));
	check_ok(core_verify(c, &e), &e);
	core_close(c);
	sign_pair_free(&pair);
	fix_close(&f);
	json_decref(v);
}

/* A pending batch answers like the committed core will. */
static void
test_pending_reads(void **state)
{
	struct err e = ERR_INIT;
	struct fix f;
	struct core *c;
	struct core_batch *b;
	struct buf big, got;
	struct node leaf, later;
	struct want w;
	uint64_t index, off, sum = 0;
	static const size_t size[] = {
	    0, 1, 70000, 1 << 20, 3, (1 << 20) + 1, 0, 900000, 200000};

	(void)state;
	fix_open(&f, 2, true);
	c = fix_core(&f, CORE_WRITE);
	b = fix_batch(c);
	buf_init(&big, 4 << 20);
	buf_init(&got, 4 << 20);
	for (size_t i = 0; i < sizeof(size) / sizeof(*size); i++) {
		buf_reset(&big);
		buf_fill(&big, (uint8_t)(i + 1), size[i]);
		check_ok(core_batch_append(b, buf_view(&big), &index, &e), &e);
		check(index == i);
	}
	for (int pass = 0; pass < 2; pass++) {
		sum = 0;
		for (size_t i = 0; i < sizeof(size) / sizeof(*size); i++) {
			buf_reset(&big);
			buf_fill(&big, (uint8_t)(i + 1), size[i]);
			buf_reset(&got);
			check_ok(core_batch_get(b, i, &got, &w, &e), &e);
			check_same(buf_view(&got), buf_view(&big));
			check_ok(core_batch_offset(b, i, &off, &w, &e), &e);
			check(off == sum);
			check_ok(core_batch_leaf(b, i, &leaf, &w, &e), &e);
			check(leaf.size == size[i] && leaf.index == 2 * i);
			sum += size[i];
			if (pass == 1) {
				check_ok(
				    core_node(c, 2 * i, &later, &w, &e), &e);
				check(node_eq(&leaf, &later));
			}
		}
		check(core_batch_byte_length(b) == sum);
		check_code(core_batch_get(b, 9, &got, &w, &e), ERR_LIMIT);
		check_code(core_batch_offset(b, 10, &off, &w, &e), ERR_LIMIT);
		if (pass == 0)
			fix_commit(b);
	}
	core_batch_free(b);
	check(core_head(c)->contiguous == 9);
	check_ok(core_verify(c, &e), &e);
	buf_deinit(&big);
	buf_deinit(&got);
	core_close(c);
	fix_close(&f);
}

/* Every old length, every cut, every regrowth: same as a fresh core. */
static void
test_truncate_append(void **state)
{
	struct err e = ERR_INIT;
	struct fix f;
	struct core *c;
	struct core_batch *b, *dry;
	struct b32 h;
	char space[64];

	(void)state;
	fix_open(&f, 3, true);
	c = fix_core(&f, CORE_WRITE);
	for (uint64_t a = 0; a <= 9; a++) {
		for (uint64_t cut = 0; cut <= a; cut++) {
			b = fix_batch(c);
			check_ok(core_batch_truncate(b, 0, &e), &e);
			fix_commit(b);
			core_batch_free(b);
			fix_append(c, a);
			b = fix_batch(c);
			check_ok(core_batch_truncate(b, cut, &e), &e);
			check_ok(core_batch_new_empty(&dry, &e), &e);
			for (uint64_t i = 0; i < (a * 7 + cut) % 12 + cut;
			     i++) {
				struct view v =
				    fix_block(i, space, sizeof(space));

				check_ok(
				    core_batch_append(dry, v, NULL, &e), &e);
				if (i >= cut)
					check_ok(
					    core_batch_append(b, v, NULL, &e),
					    &e);
			}
			fix_commit(b);
			core_batch_free(b);
			core_batch_tree_hash(dry, &h);
			check(b32_eq(&core_head(c)->tree_hash, &h));
			fix_expect(c, core_batch_length(dry));
			check_ok(core_verify(c, &e), &e);
			core_batch_free(dry);
		}
	}
	core_close(c);
	fix_again(&f);
	c = fix_core(&f, CORE_WRITE);
	check_ok(core_verify(c, &e), &e);
	core_close(c);
	fix_close(&f);
}

static void
test_rules(void **state)
{
	struct err e = ERR_INIT;
	struct fix f;
	struct core *c, *r;
	struct core_batch *b;
	struct buf big;
	struct core_head before;
	uint64_t disk;
	struct blockfile *bf;

	(void)state;
	fix_open(&f, 4, true);
	c = fix_core(&f, CORE_WRITE);
	fix_append(c, 3);
	before = *core_head(c);
	buf_init(&big, CORE_BLOCK_MAX + 1);
	buf_fill(&big, 7, CORE_BLOCK_MAX + 1);
	b = fix_batch(c);
	check_code(core_batch_append(b, buf_view(&big), NULL, &e), ERR_LIMIT);
	check_code(core_batch_truncate(b, 4, &e), ERR_LIMIT);
	check(strcmp(e.msg, "Bad truncation length") == 0);
	big.len--;
	check_ok(core_batch_append(b, buf_view(&big), NULL, &e), &e);
	check_code(core_batch_truncate(b, 1, &e), ERR_INVALID);
	core_batch_free(b); /* rollback */
	check(memcmp(&before, core_head(c), sizeof(before)) == 0);
	fix_expect(c, 3);
	check_ok(
	    blockfile_open(&bf, f.s, core_discovery_key(c), BLOCKFILE_READ, &e),
	    &e);
	check_ok(blockfile_usage(bf, &disk, &e), &e);
	check(disk <= 65536);
	blockfile_close(bf);

	/* An empty batch moves nothing; a handle for reading changes nothing. */
	b = fix_batch(c);
	fix_commit(b);
	core_batch_free(b);
	check(memcmp(&before, core_head(c), sizeof(before)) == 0);
	r = fix_core(&f, CORE_READ);
	check_code(core_batch_new(&b, r, CORE_BATCH_REAL, &e), ERR_READONLY);
	check_ok(core_batch_new(&b, r, CORE_BATCH_DRY, &e), &e);
	check_ok(core_batch_append(b, view_str("x"), NULL, &e), &e);
	big.len = 0;
	check_code(core_batch_get(b, 3, &big, NULL, &e), ERR_UNSUPPORTED);
	check_ok(core_batch_get(b, 2, &big, NULL, &e), &e);
	core_batch_free(b);
	buf_deinit(&big);
	core_close(r);
	core_close(c);
	fix_close(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors_hashes),
	    cmocka_unit_test(test_vectors_drive),
	    cmocka_unit_test(test_pending_reads),
	    cmocka_unit_test(test_truncate_append),
	    cmocka_unit_test(test_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
