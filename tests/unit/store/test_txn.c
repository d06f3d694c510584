/* Reading and writing the index, alone and beside other processes. */
#include "fix.h"

static void
puts_gets_deletes(void **state)
{
	struct store *s = fix_create(vec_tmpdir());
	struct err e = ERR_INIT;
	struct store_txn *txn;
	uint8_t *p, long_key[512] = {1};
	struct view v;

	(void)state;
	check_ok(store_begin(&txn, s, &e), &e);
	check_ok(
	    store_put(txn, STORE_CORES, view_str("a"), VIEW_EMPTY, &e), &e);
	check_ok(store_reserve(txn, STORE_CORES, view_str("b"), 3, &p, &e), &e);
	memcpy(p, "xyz", 3);
	/* Within the transaction it is there, outside not yet. */
	check_ok(store_get(s, txn, STORE_CORES, view_str("b"), &v, &e), &e);
	check_same(v, view_str("xyz"));
	check_code(store_get(s, NULL, STORE_CORES, view_str("b"), &v, &e),
	    ERR_NOT_FOUND);
	check_code(
	    store_put(txn, STORE_CORES, view_of(long_key, 512), VIEW_EMPTY, &e),
	    ERR_LIMIT);
	check_ok(
	    store_put(txn, STORE_CORES, view_of(long_key, 511), VIEW_EMPTY, &e),
	    &e);
	check_ok(store_del(txn, STORE_CORES, view_str("none"), &e), &e);
	check_ok(store_commit(txn, &e), &e);
	check_ok(store_get(s, NULL, STORE_CORES, view_str("b"), &v, &e), &e);
	check_same(v, view_str("xyz"));
	check_ok(store_get(s, NULL, STORE_CORES, view_str("a"), &v, &e), &e);
	check(v.len == 0);
	/* Tables do not mix. */
	check_code(store_get(s, NULL, STORE_NAMES, view_str("b"), &v, &e),
	    ERR_NOT_FOUND);
	check_ok(store_begin(&txn, s, &e), &e);
	check_ok(store_del(txn, STORE_CORES, view_str("b"), &e), &e);
	store_abort(txn);
	check_ok(store_get(s, NULL, STORE_CORES, view_str("b"), &v, &e), &e);
	store_abort(NULL);
	store_close(s);
}

/* A value that lies in the index itself may be put to another key. */
static void
copies_inside_the_index(void **state)
{
	struct store *s = fix_create(vec_tmpdir());
	struct err e = ERR_INIT;
	struct store_txn *txn;
	struct view v;
	char key[16];

	(void)state;
	check_ok(store_begin(&txn, s, &e), &e);
	check_ok(store_put(txn, STORE_META, view_str("k050"),
		     view_str("the value that moves about"), &e),
	    &e);
	for (int i = 0; i < 500; i++) {
		check_ok(
		    store_get(s, txn, STORE_META, view_str("k050"), &v, &e),
		    &e);
		(void)snprintf(key, sizeof(key), "k%03d", (i * 37) % 500);
		check_ok(store_put(txn, STORE_META, view_str(key), v, &e), &e);
	}
	check_ok(store_commit(txn, &e), &e);
	for (int i = 0; i < 500; i++) {
		(void)snprintf(key, sizeof(key), "k%03d", i);
		check(fix_has(s, key, "the value that moves about"));
	}
	store_close(s);
}

static void
two_handles_in_one_process(void **state)
{
	const char *dir = vec_tmpdir();
	struct store *a = fix_create(dir), *b = fix_create(dir);
	struct err e = ERR_INIT;
	struct store_txn *txn, *other;

	(void)state;
	check_ok(store_begin(&txn, a, &e), &e);
	check_code(store_begin(&other, b, &e), ERR_LOCKED);
	check_ok(
	    store_put(txn, STORE_META, view_str("k"), view_str("v"), &e), &e);
	check_ok(store_commit(txn, &e), &e);
	check(fix_has(a, "k", "v"));
	check(fix_has(b, "k", NULL));
	check_ok(store_refresh(b, &e), &e);
	check(fix_has(b, "k", "v"));
	store_close(a);
	fix_put(b, "k", "w");
	store_close(b);
}

/* Readers see each commit as a whole: both keys are always the same. */
static int
read_pairs(const char *dir, int until)
{
	struct err e = ERR_INIT;
	struct store *s;
	char last[16] = "";

	check_ok(fix_open(&s, dir, STORE_READ, STORE_NOT_MOVED, &e), &e);
	while (atoi(last) < until) {
		struct view a, b;

		check_ok(store_refresh(s, &e), &e);
		check_ok(
		    store_get(s, NULL, STORE_META, view_str("a"), &a, &e), &e);
		check_ok(
		    store_get(s, NULL, STORE_META, view_str("b"), &b, &e), &e);
		check(view_eq(a, b) && a.len < sizeof(last));
		memcpy(last, a.ptr, a.len);
		last[a.len] = '\0';
	}
	store_close(s);
	return 0;
}

static void
readers_beside_a_writer(void **state)
{
	const char *dir = vec_tmpdir();
	struct err e = ERR_INIT;
	pid_t pids[2];
	struct store *s = fix_create(dir);
	struct store_txn *txn;
	char val[16];

	(void)state;
	fix_put(s, "a", "0");
	fix_put(s, "b", "0");
	for (int i = 0; i < 2; i++)
		if ((pids[i] = fork()) == 0)
			_exit(read_pairs(dir, 200));
	for (int i = 1; i <= 200; i++) {
		(void)snprintf(val, sizeof(val), "%d", i);
		check_ok(store_begin(&txn, s, &e), &e);
		check_ok(store_put(
			     txn, STORE_META, view_str("a"), view_str(val), &e),
		    &e);
		check_ok(store_put(
			     txn, STORE_META, view_str("b"), view_str(val), &e),
		    &e);
		check_ok(store_commit(txn, &e), &e);
	}
	for (int i = 0; i < 2; i++)
		check(fix_wait(pids[i]) == 0);
	store_close(s);
}

/* A child dies with many changes made and not committed; what was committed
 * is there, the lock is free, and the dead reader holds nothing. */
static void
kill_in_a_transaction(void **state)
{
	const char *dir = vec_tmpdir();
	struct err e = ERR_INIT;
	struct store_txn *txn;
	struct store *s = fix_create(dir);
	char key[16];
	pid_t pid;
	int st;

	(void)state;
	fix_put(s, "k", "v");
	store_close(s);
	if ((pid = fork()) == 0) {
		s = fix_create(dir);
		fix_put(s, "k", "w");
		check_ok(store_begin(&txn, s, &e), &e);
		for (int i = 0; i < 20000; i++) {
			(void)snprintf(key, sizeof(key), "%d", i);
			check_ok(store_put(txn, STORE_META, view_str(key),
				     view_str("lost"), &e),
			    &e);
		}
		check_ok(store_del(txn, STORE_META, view_str("k"), &e), &e);
		(void)kill(getpid(), SIGKILL);
	}
	check(waitpid(pid, &st, 0) == pid);
	check(WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL);
	s = fix_create(dir);
	check(fix_has(s, "k", "w") && fix_has(s, "0", NULL));
	fix_put(s, "k", "x");
	check_ok(store_check(s, &e), &e);
	store_close(s);
}

/* Free pages at the end of the file are not written: it is shorter than its
 * head says, and sound. */
static void
short_file_is_sound(void **state)
{
	const char *dir = vec_tmpdir();
	struct err e = ERR_INIT;
	struct store_txn *txn;
	struct store *s;
	uint8_t key[4], val[300] = {7};

	(void)state;
	for (int round = 0; round < 20; round++) {
		s = fix_create(dir);
		check_ok(store_begin(&txn, s, &e), &e);
		for (int i = 0; i < 1000; i++) {
			memset(key, i % 251, 4);
			key[3] = (uint8_t)(i / 251 + round);
			check_ok(store_put(txn, STORE_NODES, view_of(key, 4),
				     view_of(val, 300), &e),
			    &e);
		}
		if (round % 2 == 0)
			check_ok(store_del_range(txn, STORE_NODES, VIEW_EMPTY,
				     VIEW_EMPTY, &e),
			    &e);
		check_ok(store_commit(txn, &e), &e);
		check_ok(store_check(s, &e), &e);
		store_close(s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(puts_gets_deletes),
	    cmocka_unit_test(copies_inside_the_index),
	    cmocka_unit_test(two_handles_in_one_process),
	    cmocka_unit_test(readers_beside_a_writer),
	    cmocka_unit_test(kill_in_a_transaction),
	    cmocka_unit_test(short_file_is_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
