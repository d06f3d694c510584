#include "tests/unit/blobs/blobfix.h"

/* A core of blocks: 0 "aaaa", 1 "bb", 2 the map given, 3 "c". */
static void
open_with(struct blobfix *x, struct view map)
{
	struct err e = ERR_INIT;

	blobfix_open(x, BLOBS_PLAIN);
	check_ok(core_batch_append(x->b, view_str("aaaa"), NULL, &e), &e);
	check_ok(core_batch_append(x->b, view_str("bb"), NULL, &e), &e);
	check_ok(core_batch_append(x->b, map, NULL, &e), &e);
	check_ok(core_batch_append(x->b, view_str("c"), NULL, &e), &e);
	blobfix_commit(x, BLOBS_PLAIN);
}

/* Read all; the first error, or ERR_OK. */
static enum err_code
read_all(
    struct core *c, const struct blobs_id *id, struct buf *out, struct want *w)
{
	struct blobs_reader *r;
	struct err e = ERR_INIT;
	struct view block;
	bool more = true;
	enum err_code rc = blobs_reader_open(&r, c, id, w, &e);

	if (rc != ERR_OK)
		return rc;
	while (
	    (rc = blobs_reader_next(r, &more, &block, w, &e)) == ERR_OK && more)
		buf_append(out, block);
	blobs_reader_close(r);
	return rc;
}

static void
test_runs(void **state)
{
	static const struct {
		struct blobs_id id;
		const char *text; /* NULL: ERR_FORMAT */
	} cases[] = {
	    {{0, 0, 2, 6, false}, "aaaabb"},
	    {{3, 8, 1, 1, false}, "c"},
	    {{0, 0, 0, 0, false}, ""},
	    {{4, 9, 0, 0, false}, ""},
	    {{77, 0, 0, 0, true}, ""},
	    {{0, 0, 2, 5, false}, NULL},
	    {{0, 0, 2, 7, false}, NULL},
	    {{0, 0, 2, 0, false}, NULL},
	    {{UINT64_MAX, 0, 2, 0, false}, NULL},
	    {{2, 0, UINT64_MAX - 1, 0, false}, NULL},
	};
	struct blobs_list l;
	struct blobfix x;
	struct err e = ERR_INIT;
	struct want w;
	struct buf b;

	(void)state;
	open_with(&x, vec_hex("0000"));
	buf_init(&b, 1000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct blobs_id *id = &cases[i].id;

		buf_reset(&b);
		if (cases[i].text == NULL) {
			check_code(read_all(x.c, id, &b, &w), ERR_FORMAT);
			check_code(
			    blobs_resolve(x.c, id, &l, &w, &e), ERR_FORMAT);
			continue;
		}
		check(read_all(x.c, id, &b, &w) == ERR_OK);
		check_same(buf_view(&b), view_str(cases[i].text));
		check_ok(blobs_resolve(x.c, id, &l, &w, &e), &e);
		check(l.bytes == b.len);
		blobs_list_deinit(&l);
	}
	buf_deinit(&b);
	blobfix_close(&x);
}

static void
test_maps(void **state)
{
	static const struct {
		const char *map, *text; /* NULL: ERR_FORMAT */
		bool resolves;
	} cases[] = {
	    {"00020102"
	     "0301",
		"bbc", true},
	    {"0003"
	     "0102"
	     "0004"
	     "0102",
		"bbaaaabb", true},
	    {"0000", "", true},
	    {"00010103", NULL, true},  /* another size than the block has */
	    {"00010401", NULL, false}, /* no such block */
	    {"000101", NULL, false},
	};
	const struct blobs_id id = {2, 6, 1, 5, true};
	struct err e = ERR_INIT;
	struct blobs_list l;
	struct blobfix x;
	uint64_t size;
	struct want w;
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		open_with(&x, vec_hex(cases[i].map));
		buf_reset(&b);
		check(read_all(x.c, &id, &b, &w) ==
		      (cases[i].text == NULL ? ERR_FORMAT : ERR_OK));
		if (cases[i].text != NULL) {
			check_same(buf_view(&b), view_str(cases[i].text));
			check_ok(blobs_size(x.c, &id, &size, &w, &e), &e);
			check(size == b.len);
		}
		if (cases[i].resolves) {
			check_ok(blobs_resolve(x.c, &id, &l, &w, &e), &e);
			blobs_list_deinit(&l);
		} else {
			check_code(
			    blobs_resolve(x.c, &id, &l, &w, &e), ERR_FORMAT);
			check(strstr(e.msg, "block 2 of core") != NULL);
		}
		blobfix_close(&x);
	}
	buf_deinit(&b);
}

/* What is elsewhere is asked for, and the reader goes on after it came. */
static void
test_missing(void **state)
{
	const struct blobs_id run = {0, 0, 2, 6, false};
	const struct blobs_id beyond = {3, 8, 2, 6, false};
	struct err e = ERR_INIT;
	struct blobs_reader *r;
	struct view block;
	struct blobfix x;
	struct want w;
	bool more;

	(void)state;
	open_with(&x, vec_hex("0000"));
	check_code(blobs_reader_open(&r, x.c, &beyond, &w, &e), ERR_NEED_BLOCK);
	check(w.kind == WANT_LENGTH && w.index == 5);
	check(b32_eq(&w.key, core_key(x.c)));
	blobfix_drop(&x);
	check_ok(core_clear(x.c, 1, 2, &e), &e);
	check_ok(blobs_reader_open(&r, x.c, &run, &w, &e), &e);
	check_ok(blobs_reader_next(r, &more, &block, &w, &e), &e);
	for (int i = 0; i < 2; i++) {
		check_code(blobs_reader_next(r, &more, &block, &w, &e),
		    ERR_NEED_BLOCK);
		check(w.kind == WANT_BLOCK && w.index == 1);
	}
	blobs_reader_close(r);
	blobfix_close(&x);
}

static void
test_large_map(void **state)
{
	const struct blobs_id id = {0, 0, 65, 6, true};
	struct err e = ERR_INIT;
	struct blobs_list l;
	struct blobfix x;
	struct want w;

	(void)state;
	open_with(&x, vec_hex("0000"));
	check_code(blobs_resolve(x.c, &id, &l, &w, &e), ERR_LIMIT);
	check(strstr(e.msg, "Block map is too large") != NULL);
	blobfix_close(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_runs),
	    cmocka_unit_test(test_maps),
	    cmocka_unit_test(test_missing),
	    cmocka_unit_test(test_large_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
