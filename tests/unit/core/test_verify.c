/* verify: what it finds; clear: what goes and what stays. */
#include "fix.h"

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
	/* Appending goes on; the prefix stays where the gap is. */
	fix_append(c, 3);
	check(core_head(c)->contiguous == 50 && core_has(c, 9002));
	check_ok(core_verify(c, &e), &e);
	core_close(c);
	c = fix_core(&f, CORE_READ);
	check_code(core_clear(c, 0, 5, &e), ERR_READONLY);
	check_ok(core_verify(c, &e), &e);
	core_close(c);
	fix_close(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nodes),
	    cmocka_unit_test(test_head),
	    cmocka_unit_test(test_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
