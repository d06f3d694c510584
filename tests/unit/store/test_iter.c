#include "fix.h"

static struct store *
numbered(unsigned n)
{
	struct store *s = fix_create(vec_tmpdir());
	struct err e = ERR_INIT;
	struct store_txn *txn;
	char key[16];

	check_ok(store_begin(&txn, s, &e), &e);
	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(key, sizeof(key), "%04u", i);
		check_ok(store_put(txn, STORE_NAMES, view_str(key),
			     view_str(key), &e),
		    &e);
	}
	check_ok(store_commit(txn, &e), &e);
	return s;
}

/* Count what an iterator gives; all keys rise and equal their values. */
static unsigned
count(struct store *s, struct store_txn *txn, const char *prefix,
    const char *from, const char *first)
{
	struct view k, v, last = VIEW_EMPTY;
	struct err e = ERR_INIT;
	struct store_iter *it;
	unsigned n = 0;
	bool more;

	check_ok(store_iter_open(&it, s, txn, STORE_NAMES, view_str(prefix),
		     view_str(from), &e),
	    &e);
	for (;;) {
		check_ok(store_iter_next(it, &more, &k, &v, &e), &e);
		if (!more)
			break;
		check(view_eq(k, v) && view_cmp(last, k) < 0);
		check(n > 0 || view_eq(k, view_str(first)));
		last = k;
		n++;
	}
	check_ok(store_iter_next(it, &more, &k, &v, &e), &e);
	check(!more);
	store_iter_close(it);
	return n;
}

static void
walks_ranges(void **state)
{
	static const struct {
		const char *prefix, *from, *first;
		unsigned n;
	} t[] = {
	    {"", "", "0000", 1000},
	    {"", "0990", "0990", 10},
	    {"05", "", "0500", 100},
	    {"05", "0550", "0550", 50},
	    {"05", "04", "0500", 100},
	    {"05", "06", "", 0},
	    {"9", "", "", 0},
	    {"0999", "", "0999", 1},
	    {"", "1", "", 0},
	};
	struct store *s = numbered(1000);

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		check(count(s, NULL, t[i].prefix, t[i].from, t[i].first) ==
		      t[i].n);
	store_close(s);
}

static void
deletes_ranges(void **state)
{
	struct store *s = numbered(1000);
	struct err e = ERR_INIT;
	struct store_txn *txn;

	(void)state;
	check_ok(store_begin(&txn, s, &e), &e);
	check_ok(store_del_range(
		     txn, STORE_NAMES, view_str("05"), view_str("0550"), &e),
	    &e);
	check(count(s, txn, "", "", "0000") == 950);
	check(count(s, NULL, "", "", "0000") == 1000);
	check_ok(
	    store_del_range(txn, STORE_NAMES, view_str("02"), VIEW_EMPTY, &e),
	    &e);
	check_ok(
	    store_del_range(txn, STORE_NAMES, view_str("x"), VIEW_EMPTY, &e),
	    &e);
	check_ok(store_commit(txn, &e), &e);
	check(count(s, NULL, "", "", "0000") == 850);
	check(count(s, NULL, "02", "", "") == 0);
	check(count(s, NULL, "", "0300", "0300") == 650);
	store_close(s);
}

/* Changing the table under an iterator neither skips nor repeats. */
static void
survives_changes(void **state)
{
	struct store *s = numbered(400);
	struct err e = ERR_INIT;
	struct store_iter *it;
	struct store_txn *txn;
	struct view k, v;
	unsigned n = 0;
	uint8_t copy[8];
	bool more;

	(void)state;
	check_ok(store_begin(&txn, s, &e), &e);
	check_ok(store_iter_open(
		     &it, s, txn, STORE_NAMES, VIEW_EMPTY, VIEW_EMPTY, &e),
	    &e);
	for (;; n++) {
		check_ok(store_iter_next(it, &more, &k, &v, &e), &e);
		if (!more)
			break;
		check((unsigned)atoi((const char[]){(char)k.ptr[0],
			  (char)k.ptr[1], (char)k.ptr[2], (char)k.ptr[3], 0}) ==
		      n);
		memcpy(copy, k.ptr, 4);
		check_ok(store_del(txn, STORE_NAMES, view_of(copy, 4), &e), &e);
		copy[0] = '#'; /* sorts before everything left */
		check_ok(store_put(txn, STORE_NAMES, view_of(copy, 4),
			     view_of(copy, 4), &e),
		    &e);
	}
	check(n == 400);
	store_iter_close(it);
	check_ok(store_commit(txn, &e), &e);
	check(count(s, NULL, "", "", "#000") == 400);
	store_close(s);
}

/* An iterator over the snapshot goes on after a commit of its handle. */
static void
survives_commits(void **state)
{
	struct store *s = numbered(300);
	struct err e = ERR_INIT;
	struct store_iter *it;
	struct view k, v;
	unsigned n = 0;
	bool more;

	(void)state;
	check_ok(store_iter_open(
		     &it, s, NULL, STORE_NAMES, VIEW_EMPTY, VIEW_EMPTY, &e),
	    &e);
	for (;; n++) {
		check_ok(store_iter_next(it, &more, &k, &v, &e), &e);
		if (!more)
			break;
		if (n % 50 == 0)
			fix_put(s, "k", "v");
		if (n % 70 == 0)
			check_ok(store_refresh(s, &e), &e);
	}
	check(n == 300);
	store_iter_close(it);
	store_iter_close(NULL);
	store_close(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(walks_ranges),
	    cmocka_unit_test(deletes_ranges),
	    cmocka_unit_test(survives_changes),
	    cmocka_unit_test(survives_commits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
