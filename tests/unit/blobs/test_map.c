#include "tests/unit/blobs/blobfix.h"

#include "crypto/hash.h"

static void
list_from(struct blobs_list *l, const json_t *blocks)
{
	size_t i;
	json_t *b;

	memset(l, 0, sizeof(*l));
	check((l->ref = calloc(json_array_size(blocks) + 1, sizeof(*l->ref))) !=
	      NULL);
	json_array_foreach(blocks, i, b)
	{
		l->ref[l->n].index = vec_num(b, "index");
		l->ref[l->n++].size = vec_num(b, "byteLength");
	}
}

static void
expect_same(const struct blobs_list *a, const struct blobs_list *b)
{
	check(a->n == b->n);
	for (size_t i = 0; i < a->n; i++) {
		check(a->ref[i].index == b->ref[i].index);
		check(a->ref[i].size == b->ref[i].size);
	}
}

static void
test_vectors(void **state)
{
	json_t *doc = vec_load("rabin"), *m;
	struct err e = ERR_INIT;
	size_t i;

	(void)state;
	json_array_foreach(vec_at(doc, "blockMaps"), i, m)
	{
		struct blobs_list l, back = {NULL, 0, 0, 0};
		const json_t *want = json_object_get(m, "encoded");
		struct buf b;

		/* no entries: no block; the big one has its own test */
		if (want == NULL || json_array_size(want) == 0)
			continue;
		list_from(&l, vec_at(m, "blocks"));
		buf_init(&b, 1 << 20);
		blobs_map_encode(&b, l.ref, l.n);
		check_view_hex(
		    buf_view(&b), json_string_value(json_array_get(want, 0)));
		check_ok(blobs_map_decode(&back, buf_view(&b), &e), &e);
		expect_same(&back, &l);
		blobs_list_deinit(&back);
		blobs_list_deinit(&l);
		buf_deinit(&b);
	}
	json_decref(doc);
}

/* 8193 entries: two blocks, decoded one after the other. */
static void
test_two_blocks(void **state)
{
	json_t *doc = vec_load("rabin"), *m;
	struct blobs_list l = {NULL, 0, 0, 0};
	static struct blobs_ref ref[8193];
	struct err e = ERR_INIT;
	struct b32 hash;
	struct buf b;

	(void)state;
	m = json_array_get(vec_at(doc, "blockMaps"), 4);
	for (size_t i = 0; i < 8193; i++)
		ref[i] = (struct blobs_ref){i, 1};
	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < 2; i++) {
		buf_reset(&b);
		blobs_map_encode(&b, ref + i * 8192, i == 0 ? 8192 : 1);
		check(b.len == (size_t)json_integer_value(
				   json_array_get(vec_at(m, "sizes"), i)));
		hash_data(&hash, buf_view(&b));
		check_view_hex(view_b32(&hash),
		    json_string_value(json_array_get(vec_at(m, "hashes"), i)));
		check_ok(blobs_map_decode(&l, buf_view(&b), &e), &e);
	}
	check(l.n == 8193 && l.bytes == 8193 && l.ref[8192].index == 8192);
	blobs_list_deinit(&l);
	buf_deinit(&b);
	json_decref(doc);
}

static void
test_hostile(void **state)
{
	static const struct {
		const char *hex;
		enum err_code rc;
	} cases[] = {
	    {"", ERR_FORMAT}, {"00", ERR_FORMAT}, {"0100", ERR_VERSION},
	    {"000105", ERR_FORMAT}, {"0001", ERR_FORMAT},
	    {"00020102", ERR_FORMAT}, {"00feffffffff00", ERR_FORMAT},
	    {"00fe0000100000", ERR_FORMAT},
	    {"000201ffffffffffffff1f0001ffffffffffffff1f00", ERR_FORMAT},
	    {"000101ffffffffffffffff", ERR_FORMAT}, {"0000", ERR_OK},
	    {"00010203", ERR_OK},
	    {"00010203ff", ERR_OK}, /* bytes behind, as the reference */
	    {"fd0000fd010002fd0300", ERR_OK}, /* integers not minimal */
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct blobs_list l = {NULL, 0, 0, 0};

		check_code(blobs_map_decode(&l, vec_hex(cases[i].hex), &e),
		    cases[i].rc);
		if (cases[i].rc != ERR_OK)
			check(l.n == 0 && l.bytes == 0 && e.msg[0] != '\0');
		blobs_list_deinit(&l);
	}
}

/* The whole list is bounded, not each block alone. */
static void
test_too_many(void **state)
{
	struct blobs_list l = {NULL, 0, 0, 0};
	struct err e = ERR_INIT;
	struct buf b;
	size_t blocks = 0;

	(void)state;
	buf_init(&b, 1 << 20);
	buf_fill(&b, 0, 1);
	buf_append(&b, vec_hex("fd0020"));
	buf_fill(&b, 1, 2 * 8192);
	while (blobs_map_decode(&l, buf_view(&b), &e) == ERR_OK)
		blocks++;
	check(blocks == BLOBS_MAP_BLOCKS_MAX && e.code == ERR_FORMAT);
	check(l.n == (size_t)BLOBS_MAP_BLOCKS_MAX * BLOBS_MAP_ENTRIES);
	blobs_list_deinit(&l);
	buf_deinit(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_two_blocks),
	    cmocka_unit_test(test_hostile),
	    cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
