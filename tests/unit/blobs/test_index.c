#include "tests/unit/blobs/blobfix.h"

#include "blobs/index.h"
#include "codec/dec.h"
#include "crypto/hash.h"

/* What the store holds for the core: entries, and the count record. */
static size_t
stored(struct blobfix *x, uint64_t *length, uint64_t *fork)
{
	uint64_t number = core_number(x->c);
	struct err e = ERR_INIT;
	struct store_iter *it;
	struct view key, val;
	uint8_t prefix[8];
	bool more = true;
	struct dec d;
	size_t n = 0;

	for (int i = 0; i < 8; i++)
		prefix[i] = (uint8_t)(number >> (8 * (7 - i)));
	*length = *fork = UINT64_MAX;
	check_ok(store_iter_open(&it, x->f.s, NULL, STORE_CHUNKS,
		     view_of(prefix, 8), view_of(prefix, 8), &e),
	    &e);
	for (;;) {
		check_ok(store_iter_next(it, &more, &key, &val, &e), &e);
		if (!more)
			break;
		dec_init(&d, val);
		if (key.len == 9) {
			*length = dec_u64le(&d);
			*fork = dec_u64le(&d);
			check(dec_done(&d));
			continue;
		}
		check(key.len == 40 && val.len == 8);
		n++;
	}
	store_iter_close(it);
	return n;
}

/* One entry for each different block; entries of blocks cut off go. */
static void
test_records(void **state)
{
	struct err e = ERR_INIT;
	uint64_t length, fork;
	struct blobfix x;

	(void)state;
	blobfix_open(&x, BLOBS_PLAIN);
	put_chunk(&x, "a", 1);
	put_chunk(&x, "b", 1);
	put_chunk(&x, "a", 1);
	put_chunk(&x, "c", 1);
	(void)put_end(&x, NULL);
	blobfix_commit(&x, BLOBS_SHARED);
	check(stored(&x, &length, &fork) == 0 && length == UINT64_MAX);
	put_chunk(&x, "d", 1);
	(void)put_end(&x, NULL);
	blobfix_commit(&x, BLOBS_SHARED);
	check(stored(&x, &length, &fork) == 4 && length == 5 && fork == 0);
	blobfix_drop(&x);
	x.b = fix_batch(x.c);
	check_ok(core_batch_truncate(x.b, 2, &e), &e);
	check_ok(blobs_writer_new(&x.wr, x.c, x.b, BLOBS_SHARED, &e), &e);
	put_chunk(&x, "c", 1);
	(void)put_end(&x, NULL);
	blobfix_commit(&x, BLOBS_SHARED);
	check(stored(&x, &length, &fork) == 3 && length == 3 && fork == 1);
	blobfix_close(&x);
}

/* The lowest block with a leaf is the one that is found. */
static void
test_lowest(void **state)
{
	static const char *const text[] = {"x", "y", "x", "z", "y"};
	struct err e = ERR_INIT;
	struct blobfix x;
	struct index ix;
	struct b32 leaf;
	uint64_t at;
	bool found;

	(void)state;
	blobfix_open(&x, BLOBS_PLAIN);
	for (size_t i = 0; i < 5; i++)
		check_ok(
		    core_batch_append(x.b, view_str(text[i]), NULL, &e), &e);
	for (int round = 0; round < 2; round++) {
		check_ok(index_init(&ix, x.c, x.b, &e), &e);
		for (uint64_t i = 0; i < 5; i++) {
			hash_leaf(&leaf, view_str(text[i]));
			check_ok(
			    index_find(&ix, &leaf, 1, &found, &at, &e), &e);
			check(found);
			check(at == (i == 2 ? 0 : i == 4 ? 1 : i));
		}
		hash_leaf(&leaf, view_str("none"));
		check_ok(index_find(&ix, &leaf, 4, &found, &at, &e), &e);
		check(!found);
		index_deinit(&ix);
		if (round == 0) /* pending, then committed */
			blobfix_commit(&x, BLOBS_SHARED);
	}
	blobfix_close(&x);
}

/* A count record that does not decode or does not fit: all is read anew. */
static void
test_damaged_count(void **state)
{
	static const char *const values[] = {"", "05",
	    "ffffffffffffff000000000000000000",
	    "05000000000000000100000000000000"};
	struct err e = ERR_INIT;
	struct store_txn *txn;
	uint64_t length, fork;
	struct blobfix x;
	uint8_t key[9] = {0};
	struct blobs_id id;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		blobfix_open(&x, BLOBS_SHARED);
		put_chunk(&x, "a", 1);
		(void)put_end(&x, NULL);
		blobfix_commit(&x, BLOBS_SHARED);
		blobfix_drop(&x);
		for (int k = 0; k < 8; k++)
			key[k] = (uint8_t)(core_number(x.c) >> (8 * (7 - k)));
		check_ok(store_begin(&txn, x.f.s, &e), &e);
		check_ok(store_put(txn, STORE_CHUNKS, view_of(key, 9),
			     vec_hex(values[i]), &e),
		    &e);
		check_ok(store_commit(txn, &e), &e);
		blobfix_begin(&x, BLOBS_SHARED);
		put_chunk(&x, "a", 1);
		id = put_end(&x, NULL);
		check(id.block_offset == 0);
		put_chunk(&x, "b", 1);
		(void)put_end(&x, NULL);
		blobfix_commit(&x, BLOBS_SHARED);
		check(stored(&x, &length, &fork) == 2);
		check(length == 2 && fork == 0);
		blobfix_close(&x);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_records),
	    cmocka_unit_test(test_lowest),
	    cmocka_unit_test(test_damaged_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
