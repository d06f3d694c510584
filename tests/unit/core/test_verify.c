/* verify: what it finds; clear: what goes and what stays. */
#include "fix.h"

#include <unistd.h>

#include "core/impl.h"

/* Change one node slot in the index behind the core's back. */
static void
change_node(struct fix *f, uint64_t flat, bool drop)
{
	struct err e = ERR_INIT;
	struct store_txn *txn;
	uint8_t page[NODES_PAGE], key[PAGES_KEY_LEN], *val;
	struct node n;

	check_ok(store_refresh(f->s, &e), &e);
	check_ok(pages_read(f->s, STORE_NODES, 0, flat / NODES_PER_PAGE, page,
		     NODES_PAGE, &e),
	    &e);
	check(slot_node(page, flat, &n));
	n.hash.b[3] ^= 8;
	if (drop)
		slot_clear(page, flat);
	else
		slot_put_node(page, &n);
	pages_key(key, 0, flat / NODES_PER_PAGE);
	check_ok(store_begin(&txn, f->s, &e), &e);
	check_ok(store_reserve(txn, STORE_NODES, view_of(key, sizeof(key)),
		     NODES_PAGE, &val, &e),
	    &e);
	memcpy(val, page, NODES_PAGE);
	check_ok(store_commit(txn, &e), &e);
}

/* Any node below the roots, changed or dropped, is a fault. */
static void
test_nodes(void **state)
{
	struct err e = ERR_INIT;
	struct fix f;
	struct core *c;

	(void)state;
	for (uint64_t flat = 0; flat < 16; flat++) {
		for (int drop = 0; drop < 2; drop++) {
			fix_open(&f, 1, true);
			c = fix_core(&f, CORE_WRITE);
			fix_append(c, 16);
			core_close(c);
			if (flat != 15) {
				change_node(&f, flat, drop != 0);
				c = fix_core(&f, CORE_READ);
				check_code(core_verify(c, &e), ERR_CORRUPT);
				core_close(c);
			} else {
				change_node(&f, flat, drop != 0);
				check_code(
				    core_open(&c, f.s, &f.key, CORE_READ, &e),
				    ERR_CORRUPT);
			}
			fix_close(&f);
		}
	}
}

static void
change_record(struct fix *f, struct core *c, int what)
{
	struct err e = ERR_INIT;
	struct store_txn *txn;
	struct record *r = calloc(1, sizeof(*r));
	uint8_t sig[128];

	check(r != NULL);
	check_ok(store_begin(&txn, f->s, &e), &e);
	check_ok(core_record(c, txn, r, &e), &e);
	memcpy(sig, r->signature.ptr, r->signature.len);
	sig[20] ^= 1;
	if (what == 0)
		r->signature = view_of(sig, r->signature.len);
	else
		r->head.contiguous -= 1;
	check_ok(core_put_record(txn, &c->dkey, r, &e), &e);
	check_ok(store_commit(txn, &e), &e);
	free(r);
	core_close(c);
}

static void
test_head(void **state)
{
	struct err e = ERR_INIT;
	struct fix f;
	struct core *c;

	(void)state;
	for (int what = 0; what < 2; what++) {
		fix_open(&f, 2, true);
		c = fix_core(&f, CORE_WRITE);
		check_ok(core_verify(c, &e), &e);
		fix_append(c, 5);
		check_ok(core_verify(c, &e), &e);
		change_record(&f, c, what);
		c = fix_core(&f, CORE_READ);
		check(core_verify(c, &e) ==
		      (what == 0 ? ERR_VERIFY : ERR_CORRUPT));
		core_close(c);
		fix_close(&f);
	}
}

static void
test_clear(void **state)
{
	struct err e = ERR_INIT;
	struct fix f;
	struct core *c;
	struct core_head before;
	struct buf b;
	struct want w;

	(void)state;
	fix_open(&f, 3, true);
	c = fix_core(&f, CORE_WRITE);
	fix_append(c, 9000);
	before = *core_head(c);
	check_ok(core_clear(c, 50, 8300, &e), &e);
	check_ok(core_clear(c, 8999, 20000, &e), &e);
	check_ok(core_clear(c, 60, 60, &e), &e);
	check(core_head(c)->length == 9000 && core_head(c)->contiguous == 50);
	check(b32_eq(&core_head(c)->tree_hash, &before.tree_hash));
	buf_init(&b, 1000);
	for (uint64_t i = 0; i < 9000; i++) {
		bool gone = (i >= 50 && i < 8300) || i == 8999;

		check(core_has(c, i) == !gone);
		check(core_get(c, i, &b, &w, &e) ==
		      (gone ? ERR_NEED_BLOCK : ERR_OK));
		check(!gone || (w.kind == WANT_BLOCK && w.index == i));
		buf_reset(&b);
	}
	buf_deinit(&b);
	check_ok(core_verify(c, &e), &e);
	core_close(c);
	c = fix_core(&f, CORE_READ);
	check_code(core_clear(c, 0, 5, &e), ERR_READONLY);
	check_ok(core_verify(c, &e), &e);
	core_close(c);
	fix_close(&f);
}

/* Byte `at` of the block file changed behind the core's back. */
static void
rot(struct core *c, uint64_t at)
{
	FILE *file;
	int byte;

	file = fopen(blockfile_path(c->file), "r+b");
	check(file != NULL && fseek(file, (long)at, SEEK_SET) == 0);
	byte = fgetc(file);
	check(byte != EOF && fseek(file, (long)at, SEEK_SET) == 0);
	check(fputc(byte ^ 1, file) != EOF && fclose(file) == 0);
}

static uint64_t
block_at(struct core *c, uint64_t index)
{
	struct err e = ERR_INIT;
	uint64_t at;

	check_ok(core_offset(c, index, &at, NULL, &e), &e);
	return at;
}

/* A sound block stays; a damaged one is not here any more, for good, and its
 * neighbours are untouched. */
static void
test_drop_damaged(void **state)
{
	struct err e = ERR_INIT;
	struct want w = {.kind = WANT_BLOCK};
	struct core *c;
	struct buf b;
	struct fix f;
	bool dropped;

	(void)state;
	fix_open(&f, 1, true);
	c = fix_core(&f, CORE_WRITE);
	fix_append(c, 40);
	check_ok(core_drop_damaged(c, 17, &dropped, &e), &e);
	check(!dropped && core_has(c, 17));
	rot(c, block_at(c, 17) + 2);
	buf_init(&b, 1000);
	core_forget_blocks(c);
	check_code(core_get(c, 17, &b, &w, &e), ERR_CORRUPT);
	check(w.kind == WANT_REPAIR && w.index == 17 && b.len == 0);
	check(strstr(e.msg, "block 17") != NULL);
	check(strstr(e.msg, "at byte") != NULL);
	e = (struct err)ERR_INIT;
	check_ok(core_drop_damaged(c, 17, &dropped, &e), &e);
	check(dropped && core_head(c)->contiguous == 17);
	check_code(core_get(c, 17, &b, &w, &e), ERR_NEED_BLOCK);
	check(w.kind == WANT_BLOCK);
	check_ok(core_drop_damaged(c, 17, &dropped, &e), &e);
	check(!dropped);
	core_close(c);
	fix_again(&f);
	c = fix_core(&f, CORE_READ);
	check(!core_has(c, 17) && core_has(c, 16) && core_has(c, 39));
	check(core_head(c)->contiguous == 17 && core_head(c)->length == 40);
	check_ok(core_verify(c, &e), &e);
	check_code(core_drop_damaged(c, 3, &dropped, &e), ERR_READONLY);
	core_close(c);
	buf_deinit(&b);
	fix_close(&f);
}

/* The end of the file is lost: what lay there is dropped, block by block,
 * and what is left of it can be read. */
static void
test_drop_cut_off(void **state)
{
	struct err e = ERR_INIT;
	struct core *c;
	struct fix f;
	bool dropped;

	(void)state;
	fix_open(&f, 1, true);
	c = fix_core(&f, CORE_WRITE);
	fix_append(c, 40);
	check(
	    truncate(blockfile_path(c->file), (off_t)block_at(c, 38) + 1) == 0);
	core_close(c);
	c = fix_core(&f, CORE_REPLICA);
	for (uint64_t i = 0; i < 40; i++) {
		check_ok(core_drop_damaged(c, i, &dropped, &e), &e);
		check(dropped == (i >= 38));
	}
	check(core_head(c)->contiguous == 38);
	check_ok(core_verify(c, &e), &e);
	core_close(c);
	fix_close(&f);
}

/* Our name is not put under a log with a hole, until the block came back. */
static void
test_no_signature_over_gap(void **state)
{
	const struct core_request q = {
	    .has_block = true, .block_index = 5, .block_nodes = 0};
	struct err e = ERR_INIT;
	enum core_outcome outcome;
	struct core_proof *p = calloc(1, sizeof(*p));
	struct core_commit commit = {.nbatch = 1};
	struct core_batch *b;
	struct core *c;
	struct want w;
	struct buf value;
	struct fix f;
	bool dropped;

	(void)state;
	check(p != NULL);
	fix_open(&f, 1, true);
	c = fix_core(&f, CORE_WRITE);
	fix_append(c, 8);
	buf_init(&value, 1000);
	check_ok(core_proof_make(p, &value, c, &q, &w, &e), &e);
	rot(c, block_at(c, 5));
	check_ok(core_drop_damaged(c, 5, &dropped, &e), &e);
	check(dropped);
	b = fix_batch(c);
	commit.batch = &b;
	check_ok(core_batch_append(b, view_str("more"), NULL, &e), &e);
	check_code(core_commit(&commit, &e), ERR_NOT_FOUND);
	check(strstr(e.msg, "block 5") != NULL);
	check(core_head(c)->length == 8);
	core_batch_free(b);
	e = (struct err)ERR_INIT;
	check_ok(core_proof_apply(c, p, &outcome, &e), &e);
	check(outcome == CORE_TAKEN && core_head(c)->contiguous == 8);
	fix_append(c, 2);
	fix_expect(c, 10);
	core_close(c);
	buf_deinit(&value);
	free(p);
	fix_close(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_drop_damaged),
	    cmocka_unit_test(test_drop_cut_off),
	    cmocka_unit_test(test_no_signature_over_gap),
	    cmocka_unit_test(test_nodes),
	    cmocka_unit_test(test_head),
	    cmocka_unit_test(test_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
