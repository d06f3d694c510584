/* The stat cache: a row is believed only if every field of it still holds. */
#include "tests/unit/hyperdrive/drivefix.h"

#include "drive/statcache.h"

#define SECOND INT64_C(1000000000)
#define NOW (1000 * SECOND + 500)

/* A file that was last touched at t ns. */
static struct stat
file_at(int64_t t)
{
	struct stat st;

	memset(&st, 0, sizeof(st));
	st.st_dev = 11;
	st.st_ino = 22;
	st.st_size = 33;
	st.st_mode = S_IFREG | 0644;
	st.st_mtim = st.st_ctim = (struct timespec){t / SECOND, t % SECOND};
	return st;
}

static struct statcache *
cache_new(struct drivefix *x, int64_t now)
{
	struct statcache *sc = NULL;
	struct err e = ERR_INIT;

	check_ok(store_refresh(x->f.s, &e), &e);
	check_ok(statcache_new(&sc, x->d, now, &e), &e);
	return sc;
}

static void
cache_save(struct drivefix *x, struct statcache *sc)
{
	struct store_txn *txn = NULL;
	struct err e = ERR_INIT;

	check_ok(store_begin(&txn, x->f.s, &e), &e);
	check_ok(statcache_save(sc, txn, &e), &e);
	check_ok(store_commit(txn, &e), &e);
	statcache_free(sc);
}

static bool
hit(struct drivefix *x, const char *path, struct stat st, uint64_t seq)
{
	struct statcache *sc = cache_new(x, NOW);
	bool got = statcache_hit(sc, view_str(path), &st, seq);

	statcache_free(sc);
	return got;
}

static void
learn(struct drivefix *x, const char *path, struct stat st, uint64_t seq)
{
	struct statcache *sc = cache_new(x, NOW);
	struct err e = ERR_INIT;

	check_ok(statcache_learn(sc, view_str(path), &st, seq, &e), &e);
	cache_save(x, sc);
}

static void
test_every_field(void **state)
{
	struct stat st = file_at(7 * SECOND + 1), other;
	struct drivefix x;

	(void)state;
	drivefix_open(&x, 1);
	check(!hit(&x, "/a", st, 5));
	learn(&x, "/a", st, 5);
	check(hit(&x, "/a", st, 5));
	check(!hit(&x, "/a", st, 6));
	check(!hit(&x, "/b", st, 5));
	check(!hit(&x, "/a/", st, 5));
	other = st, other.st_dev++;
	check(!hit(&x, "/a", other, 5));
	other = st, other.st_ino++;
	check(!hit(&x, "/a", other, 5));
	other = st, other.st_size++;
	check(!hit(&x, "/a", other, 5));
	other = st, other.st_mtim.tv_nsec++;
	check(!hit(&x, "/a", other, 5));
	other = st, other.st_ctim.tv_sec--;
	check(!hit(&x, "/a", other, 5));
	other = st, other.st_mode |= S_IXUSR;
	check(!hit(&x, "/a", other, 5));
	/* bits a drive does not hold do not count */
	other = st, other.st_mode |= S_IXGRP | S_IWOTH;
	check(hit(&x, "/a", other, 5));
	drivefix_close(&x);
}

static void
test_forget(void **state)
{
	struct stat st = file_at(7 * SECOND + 1);
	struct err e = ERR_INIT;
	struct statcache *sc;
	struct drivefix x;

	(void)state;
	drivefix_open(&x, 1);
	learn(&x, "/a", st, 5);
	learn(&x, "/b", st, 6);
	sc = cache_new(&x, NOW);
	check(!statcache_dirty(sc));
	check_ok(statcache_forget(sc, view_str("/a"), &e), &e);
	check_ok(statcache_forget(sc, view_str("/never"), &e), &e);
	check(statcache_dirty(sc));
	cache_save(&x, sc);
	check(!hit(&x, "/a", st, 5));
	check(hit(&x, "/b", st, 6));
	learn(&x, "/b", st, 9); /* the later row stands */
	check(!hit(&x, "/b", st, 6) && hit(&x, "/b", st, 9));
	drivefix_close(&x);
}

/* What is learned and not saved is not known. */
static void
test_not_saved(void **state)
{
	struct stat st = file_at(7 * SECOND + 1);
	struct err e = ERR_INIT;
	struct store_txn *txn = NULL;
	struct statcache *sc;
	struct drivefix x;

	(void)state;
	drivefix_open(&x, 1);
	sc = cache_new(&x, NOW);
	check_ok(statcache_learn(sc, view_str("/a"), &st, 5, &e), &e);
	check(!statcache_hit(sc, view_str("/a"), &st, 5));
	check_ok(store_begin(&txn, x.f.s, &e), &e);
	check_ok(statcache_save(sc, txn, &e), &e);
	store_abort(txn);
	statcache_free(sc);
	check(!hit(&x, "/a", st, 5));
	statcache_free(NULL);
	drivefix_close(&x);
}

/* A file that may change again within its clock's tick is not kept: 20 ms
 * where the times have fractions, 2 s where either has none. */
static void
test_racy(void **state)
{
	static const struct {
		int64_t mtime, ctime;
		bool kept;
	} rows[] = {
	    {NOW - 20000001, NOW - 20000001, true},
	    {NOW - 20000000, NOW - 20000000, false},
	    {NOW - 20000000, 1, false},
	    {1, NOW - 20000000, false},
	    {1, NOW - 20000001, true},
	    {NOW, NOW, false},
	    {NOW + 3600 * SECOND, 1, false}, /* from a clock ahead */
	    {997 * SECOND, 997 * SECOND, true},
	    {998 * SECOND, 998 * SECOND, true},
	    {999 * SECOND, 999 * SECOND, false},
	    {999 * SECOND, 1, false},
	    {999 * SECOND + 1, 1 * SECOND, false},
	    {-1, -1, true},
	};
	struct drivefix x;

	(void)state;
	drivefix_open(&x, 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct stat st = file_at(1);
		char path[16];

		st.st_mtim = file_at(rows[i].mtime).st_mtim;
		st.st_ctim = file_at(rows[i].ctime).st_ctim;
		(void)snprintf(path, sizeof(path), "/%zu", i);
		learn(&x, path, st, i);
		if (hit(&x, path, st, i) != rows[i].kept) {
			fprintf(stderr, "row %zu\n", i);
			fail();
		}
	}
	drivefix_close(&x);
}

/* Times beyond 64 bits of nanoseconds: late ones are never over, early ones
 * long past. */
static void
test_far_times(void **state)
{
	struct stat late = file_at(1), early = file_at(1);
	struct drivefix x;

	(void)state;
	late.st_mtim.tv_sec = INT64_C(100000000000);
	early.st_mtim.tv_sec = INT64_C(-100000000000);
	drivefix_open(&x, 1);
	learn(&x, "/late", late, 1);
	learn(&x, "/early", early, 1);
	check(!hit(&x, "/late", late, 1));
	check(hit(&x, "/early", early, 1));
	drivefix_close(&x);
}

/* Rows belong to a drive: another one of the same store knows nothing. */
static void
test_two_drives(void **state)
{
	struct stat st = file_at(7 * SECOND + 1);
	struct hyperdrive *first;
	struct err e = ERR_INIT;
	struct sign_pair pair;
	struct manifest m;
	struct drivefix x;
	struct b32 key;

	(void)state;
	drivefix_open(&x, 1);
	learn(&x, "/a", st, 5);
	first = x.d;
	drivefix_pair(&pair, 2);
	manifest_single(&m, &pair.pub);
	manifest_key(&key, &m);
	check_ok(core_add(x.f.s, &m, &key, &pair, &e), &e);
	check_ok(hyperdrive_open(&x.d, x.f.s, &key, CORE_WRITE, &e), &e);
	check(!hit(&x, "/a", st, 5));
	learn(&x, "/a", st, 8);
	hyperdrive_close(x.d);
	x.d = first;
	check(hit(&x, "/a", st, 5));
	sign_pair_free(&pair);
	drivefix_close(&x);
}

/* Many rows, learned in any order, are written once and all found. */
static void
test_many(void **state)
{
	enum { N = 3000 };
	struct err e = ERR_INIT;
	struct statcache *sc;
	struct drivefix x;
	size_t found = 0;
	char path[32];

	(void)state;
	drivefix_open(&x, 1);
	sc = cache_new(&x, NOW);
	for (unsigned i = 0; i < N; i++) {
		struct stat st = file_at(i + 1);

		(void)snprintf(path, sizeof(path), "/d/%u", i * 7919 % N);
		check_ok(statcache_learn(sc, view_str(path), &st, i, &e), &e);
	}
	cache_save(&x, sc);
	sc = cache_new(&x, NOW);
	for (unsigned i = 0; i < N; i++) {
		struct stat st = file_at(i + 1);

		(void)snprintf(path, sizeof(path), "/d/%u", i * 7919 % N);
		found += statcache_hit(sc, view_str(path), &st, i);
	}
	check(found == N);
	statcache_free(sc);
	drivefix_close(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_field),
	    cmocka_unit_test(test_forget),
	    cmocka_unit_test(test_not_saved),
	    cmocka_unit_test(test_racy),
	    cmocka_unit_test(test_far_times),
	    cmocka_unit_test(test_two_drives),
	    cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
