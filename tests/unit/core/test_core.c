/* core: adding, opening, the writer lock, the mark, listing, refresh. */
#include "fix.h"

#include "crypto/hash.h"
#include "store/mark.h"

static void
test_add(void **state)
{
	struct err e = ERR_INIT;
	struct fix f;
	struct core *c;
	struct manifest other;
	struct sign_pair pair;
	struct b32 seed, key = {{5}};

	(void)state;
	fix_open(&f, 1, false);
	c = fix_core(&f, CORE_READ);
	check(core_manifest(c) == NULL && !core_writable(c));
	check(core_head(c)->length == 0 && core_signature(c).len == 0);
	core_close(c);
	check_code(core_open(&c, f.s, &key, CORE_READ, &e), ERR_NOT_FOUND);
	check_code(core_open(&c, f.s, &f.key, CORE_WRITE, &e), ERR_READONLY);
	check(strcmp(e.msg, "Destination must be writable") == 0);

	/* Wrong company is refused, the missing parts are completed. */
	memset(seed.b, 77, sizeof(seed.b));
	check_ok(sign_pair_seed(&pair, &seed, &e), &e);
	manifest_single(&other, &pair.pub);
	check_code(core_add(f.s, &other, &f.key, NULL, &e), ERR_INVALID);
	check_code(core_add(f.s, &f.m, &f.key, &pair, &e), ERR_INVALID);
	check_code(core_add(f.s, NULL, &f.key, &f.pair, &e), ERR_INVALID);
	check_ok(core_add(f.s, &f.m, &f.key, NULL, &e), &e);
	check_code(core_add(f.s, NULL, &f.key, &pair, &e), ERR_INVALID);
	check_ok(core_add(f.s, NULL, &f.key, &f.pair, &e), &e);
	check_ok(store_refresh(f.s, &e), &e);
	c = fix_core(&f, CORE_WRITE);
	check(core_manifest(c)->nsigners == 1 && core_writable(c));
	check(core_number(c) == 0 && core_store(c) == f.s);
	check(b32_eq(&core_pair(c)->pub, &f.pair.pub));
	fix_append(c, 2);
	core_close(c);
	/* Adding again changes nothing. */
	check_ok(core_add(f.s, &f.m, &f.key, &f.pair, &e), &e);
	check_ok(store_refresh(f.s, &e), &e);
	c = fix_core(&f, CORE_WRITE);
	fix_expect(c, 2);
	core_close(c);
	sign_pair_free(&pair);
	fix_close(&f);
}

static void
test_second_writer(void **state)
{
	struct err e = ERR_INIT;
	struct fix f;
	struct core *c, *d;

	(void)state;
	fix_open(&f, 2, true);
	c = fix_core(&f, CORE_WRITE);
	check_code(core_open(&d, f.s, &f.key, CORE_WRITE, &e), ERR_LOCKED);
	check_code(core_open(&d, f.s, &f.key, CORE_REPLICA, &e), ERR_LOCKED);
	d = fix_core(&f, CORE_READ);
	fix_append(c, 4);
	check(core_head(d)->length == 0);
	check_ok(store_refresh(f.s, &e), &e);
	check_ok(core_refresh(d, &e), &e);
	fix_expect(d, 4);
	core_close(d);
	core_close(c);
	d = fix_core(&f, CORE_REPLICA);
	core_close(d);
	fix_close(&f);
}

/* A handle that rested reads as before, also what came meanwhile. */
static void
test_rest(void **state)
{
	struct err e = ERR_INIT;
	struct fix f;
	struct core *c, *d;

	(void)state;
	fix_open(&f, 9, true);
	c = fix_core(&f, CORE_WRITE);
	fix_append(c, 200);
	check_ok(store_refresh(f.s, &e), &e);
	d = fix_core(&f, CORE_READ);
	core_rest(d);
	fix_expect(d, 200);
	core_rest(d);
	core_rest(d);
	fix_append(c, 100);
	core_rest(c); /* the writer's lock is held on */
	check_code(core_open(&d, f.s, &f.key, CORE_WRITE, &e), ERR_LOCKED);
	fix_expect(c, 300);
	check_ok(store_refresh(f.s, &e), &e);
	check_ok(core_refresh(d, &e), &e);
	core_rest(d);
	fix_expect(d, 300);
	core_close(d);
	core_close(c);
	fix_close(&f);
}

static void
put_mark(struct fix *f, struct core *c, uint64_t fork, uint64_t length,
    const struct b32 *hash)
{
	struct err e = ERR_INIT;
	struct mark m = {
	    .key = f->key, .fork = fork, .length = length, .root_hash = *hash};

	check_ok(mark_write(f->s, core_discovery_key(c), &m, &e), &e);
	core_close(c);
}

static void
test_mark(void **state)
{
	struct err e = ERR_INIT;
	struct fix f;
	struct core *c;
	struct tree three;
	struct b32 head, old, dkey, other = {{9}};
	struct mark m;
	struct want w;

	(void)state;
	fix_open(&f, 3, true);
	c = fix_core(&f, CORE_WRITE);
	fix_append(c, 5);
	head = core_head(c)->tree_hash;
	dkey = *core_discovery_key(c);
	check_ok(mark_read(&m, f.s, &dkey, &e), &e);
	check(m.length == 5 && m.fork == 0 && b32_eq(&m.root_hash, &head));
	check_ok(core_tree_at(c, 3, &three, &w, &e), &e);
	tree_hash(&three, &old);

	/* Killed between commit and mark: fine, and the mark follows. */
	put_mark(&f, c, 0, 3, &old);
	c = fix_core(&f, CORE_WRITE);
	check_ok(mark_read(&m, f.s, &dkey, &e), &e);
	check(m.length == 5);
	/* Announced more than is here, or something else. */
	put_mark(&f, c, 0, 6, &head);
	check_code(core_open(&c, f.s, &f.key, CORE_WRITE, &e), ERR_CONFLICT);
	check(strstr(e.msg, "older") != NULL);
	c = fix_core(&f, CORE_REPLICA);
	put_mark(&f, c, 1, 2, &head);
	check_code(core_open(&c, f.s, &f.key, CORE_WRITE, &e), ERR_CONFLICT);
	c = fix_core(&f, CORE_READ);
	put_mark(&f, c, 0, 5, &other);
	check_code(core_open(&c, f.s, &f.key, CORE_WRITE, &e), ERR_CONFLICT);
	c = fix_core(&f, CORE_READ);
	put_mark(&f, c, 0, 3, &other);
	check_code(core_open(&c, f.s, &f.key, CORE_WRITE, &e), ERR_CONFLICT);
	c = fix_core(&f, CORE_READ);
	put_mark(&f, c, 0, 5, &head);
	c = fix_core(&f, CORE_WRITE);
	core_close(c);
	fix_close(&f);
}

/* A record whose roots are not in the index is named, not used. */
static void
test_roots_checked(void **state)
{
	struct err e = ERR_INIT;
	struct fix f;
	struct core *c;
	struct store_txn *txn;
	uint8_t key[16] = {0}, *val;

	(void)state;
	fix_open(&f, 4, true);
	c = fix_core(&f, CORE_WRITE);
	fix_append(c, 3);
	core_close(c);
	check_ok(store_begin(&txn, f.s, &e), &e);
	check_ok(
	    store_reserve(txn, STORE_NODES, view_of(key, 16), 4000, &val, &e),
	    &e);
	memset(val, 0, 4000);
	check_ok(store_commit(txn, &e), &e);
	check_code(core_open(&c, f.s, &f.key, CORE_READ, &e), ERR_CORRUPT);
	check(strstr(e.msg, "roots") != NULL);
	fix_close(&f);
}

static bool
count(void *ctx, const struct core_info *i)
{
	unsigned *n = ctx;

	n[0]++;
	n[1] += i->writable ? 1 : 0;
	n[2] += (unsigned)i->head.length;
	n[3] += i->has_manifest && i->nsigners == 1 ? 1 : 0;
	return n[0] < 3;
}

static void
test_list(void **state)
{
	struct err e = ERR_INIT;
	struct fix f;
	struct core *c;
	unsigned n[4] = {0};
	struct b32 key = {{1}};

	(void)state;
	fix_open(&f, 5, true);
	c = fix_core(&f, CORE_WRITE);
	fix_append(c, 7);
	core_close(c);
	check_ok(core_add(f.s, NULL, &key, NULL, &e), &e);
	check_ok(store_refresh(f.s, &e), &e);
	check_ok(core_list(f.s, count, n, &e), &e);
	check(n[0] == 2 && n[1] == 1 && n[2] == 7 && n[3] == 1);
	check_ok(core_open(&c, f.s, &key, CORE_READ, &e), &e);
	check(core_number(c) == 1);
	core_close(c);
	for (uint8_t i = 2; i < 6; i++) {
		key.b[0] = i;
		check_ok(core_add(f.s, NULL, &key, NULL, &e), &e);
	}
	check_ok(store_refresh(f.s, &e), &e);
	memset(n, 0, sizeof(n));
	check_ok(core_list(f.s, count, n, &e), &e);
	check(n[0] == 3);
	fix_close(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_add),
	    cmocka_unit_test(test_second_writer),
	    cmocka_unit_test(test_rest),
	    cmocka_unit_test(test_mark),
	    cmocka_unit_test(test_roots_checked),
	    cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
