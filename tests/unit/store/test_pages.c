/* Damaged stores: an error that names the file, never a signal. */
#include "fix.h"

static void
fill(const char *dir)
{
	struct store *s = fix_create(dir);
	struct err e = ERR_INIT;
	static uint8_t val[9000];
	struct store_txn *txn;

	for (unsigned round = 0; round < 3; round++) {
		check_ok(store_begin(&txn, s, &e), &e);
		for (unsigned i = 0; i < 300; i++) {
			uint8_t key[2] = {(uint8_t)(i + round), (uint8_t)i};
			size_t len = i % 100 == 3 ? 9000 : i % 90;

			check_ok(store_put(txn, STORE_NODES + i % 3,
				     view_of(key, 2), view_of(val, len), &e),
			    &e);
		}
		check_ok(store_commit(txn, &e), &e);
	}
	store_close(s);
}

static enum err_code
read_all(struct store *s, unsigned *n, struct err *e)
{
	enum err_code rc = ERR_OK;
	struct store_iter *it;
	struct view k, v;

	for (int t = 0; rc == ERR_OK && t < STORE_TABLES; t++) {
		bool more = true;

		rc = store_iter_open(&it, s, NULL, (enum store_table)t,
		    VIEW_EMPTY, VIEW_EMPTY, e);
		if (rc != ERR_OK)
			return rc;
		while (rc == ERR_OK && more)
			if ((rc = store_iter_next(it, &more, &k, &v, e)) ==
			    ERR_OK)
				*n += more;
		store_iter_close(it);
	}
	return rc;
}

enum outcome { FOUND = 0, HARMLESS = 1, UNNAMED = 2, SILENT = 3 };

/* In a child: open, read everything, write something. */
static enum outcome
use(const char *dir, unsigned records, const char *file)
{
	struct err e = ERR_INIT;
	struct store_txn *txn;
	struct store *s;
	unsigned n = 0;
	char key[16];
	enum err_code rc;

	rc = fix_open(&s, dir, STORE_WRITE, STORE_MOVED, &e);
	if (rc == ERR_OK)
		rc = read_all(s, &n, &e);
	if (rc == ERR_OK && n != records)
		return SILENT;
	if (rc == ERR_OK)
		rc = store_begin(&txn, s, &e);
	for (int i = 0; rc == ERR_OK && i < 200; i++) {
		(void)snprintf(key, sizeof(key), "%d", i);
		rc = store_put(
		    txn, STORE_STATS, view_str(key), view_str("123456789"), &e);
	}
	if (rc == ERR_OK)
		return HARMLESS;
	return strstr(e.msg, file) != NULL ? FOUND : UNNAMED;
}

static enum outcome
use_in_child(const char *dir, unsigned records, const char *file)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit((int)use(dir, records, file));
	return (enum outcome)fix_wait(pid);
}

static unsigned
records_of(const char *dir)
{
	struct err e = ERR_INIT;
	struct store *s = fix_create(dir);
	unsigned n = 0;

	check_ok(read_all(s, &n, &e), &e);
	store_close(s);
	return n;
}

static void
flipped_bits_in(const char *name, size_t step)
{
	const char *dir = vec_tmpdir();
	struct path p = fix_path(dir, name);
	unsigned seen[4] = {0}, records;
	struct stat st;
	int fd;

	fill(dir);
	records = records_of(dir);
	fd = open(p.s, O_RDWR);
	check(fd >= 0 && fstat(fd, &st) == 0);
	for (off_t at = 0; at < st.st_size; at += (off_t)step) {
		uint8_t old, bad;

		check(pread(fd, &old, 1, at) == 1);
		bad = old ^ (uint8_t)(1 << at % 8);
		check(pwrite(fd, &bad, 1, at) == 1);
		seen[use_in_child(dir, records, name)]++;
		check(pwrite(fd, &old, 1, at) == 1);
	}
	close(fd);
	check(seen[FOUND] > 0);
	check(seen[SILENT] == 0 && seen[UNNAMED] == 0);
	check(use_in_child(dir, records, name) == HARMLESS);
}

static void
flipped_bits(void **state)
{
	(void)state;
	flipped_bits_in("STORE", 1);
	flipped_bits_in("index/data.mdb", 173);
}

/* Every bit of the two heads. */
static void
flipped_heads(void **state)
{
	const char *dir = vec_tmpdir();
	struct path p = fix_path(dir, "index/data.mdb");
	unsigned records;
	int fd;

	(void)state;
	fill(dir);
	records = records_of(dir);
	fd = open(p.s, O_RDWR);
	check(fd >= 0);
	for (off_t bit = 0; bit < 2 * 168 * 8; bit++) {
		off_t at = bit / 8 < 168 ? bit / 8 : 4096 + bit / 8 - 168;
		uint8_t old, bad;
		enum outcome o;

		check(pread(fd, &old, 1, at) == 1);
		bad = old ^ (uint8_t)(1 << bit % 8);
		check(pwrite(fd, &bad, 1, at) == 1);
		o = use_in_child(dir, records, "data.mdb");
		check(o == FOUND || o == HARMLESS);
		check(pwrite(fd, &old, 1, at) == 1);
	}
	close(fd);
}

enum harm { CUT_1, CUT_100, HALF, EMPTY, ZEROES, GARBAGE, GONE, HARMS };

static void
do_harm(const char *path, enum harm h)
{
	static uint8_t bytes[1 << 20];
	struct stat st;
	size_t n;

	check(stat(path, &st) == 0 && st.st_size <= (off_t)sizeof(bytes));
	n = fix_read(path, bytes, sizeof(bytes));
	switch (h) {
	case CUT_1:
		n -= 1;
		break;
	case CUT_100:
		n -= 100;
		break;
	case HALF:
		n /= 2;
		break;
	case EMPTY:
		n = 0;
		break;
	case ZEROES:
		memset(bytes, 0, n);
		break;
	case GARBAGE:
		for (size_t i = 0; i < n; i++)
			bytes[i] = (uint8_t)(i * 2654435761u >> 13);
		break;
	case GONE:
		check(unlink(path) == 0);
		return;
	case HARMS:
		break;
	}
	fix_write(path, bytes, n);
}

static void
damaged_files(void **state)
{
	static const char *const files[] = {
	    "STORE", "index/data.mdb", "index/lock.mdb"};

	(void)state;
	for (int h = 0; h < HARMS; h++) {
		for (int f = 0; f < 3; f++) {
			const char *dir = vec_tmpdir();
			unsigned records;
			enum outcome o;

			fill(dir);
			records = records_of(dir);
			do_harm(fix_path(dir, files[f]).s, (enum harm)h);
			o = use_in_child(dir, records, files[f]);
			/* The lock file is made anew at each first open. */
			check(o == (f == 2 ? HARMLESS : FOUND));
		}
	}
}

/* Above the size that is walked at open, store_check() finds it. */
static void
large_index_is_checked_on_request(void **state)
{
	const char *dir = vec_tmpdir();
	struct path p = fix_path(dir, "index/data.mdb");
	struct store *s = fix_create(dir);
	struct err e = ERR_INIT;
	static uint8_t page[4096];
	struct store_txn *txn;
	struct stat st;
	int fd, found = 0;

	(void)state;
	check_ok(store_begin(&txn, s, &e), &e);
	for (unsigned i = 0; i < 30000; i++) {
		uint8_t key[4] = {(uint8_t)(i >> 8), (uint8_t)i};

		check_ok(store_put(txn, STORE_BITS, view_of(key, 4),
			     view_of(page, 60), &e),
		    &e);
	}
	check_ok(store_commit(txn, &e), &e);
	check_ok(store_check(s, &e), &e);
	store_close(s);
	fd = open(p.s, O_RDWR);
	check(fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 1 << 20);
	for (off_t at = 8192 + 2000; at < st.st_size; at += 40960) {
		uint8_t old, bad;

		check(pread(fd, &old, 1, at) == 1);
		bad = old ^ 4;
		check(pwrite(fd, &bad, 1, at) == 1);
		s = fix_create(dir);
		if (store_check(s, &e) == ERR_CORRUPT)
			found++;
		store_close(s);
		check(pwrite(fd, &old, 1, at) == 1);
	}
	close(fd);
	check(found > 50);
	store_close(fix_create(dir));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(flipped_bits),
	    cmocka_unit_test(flipped_heads),
	    cmocka_unit_test(damaged_files),
	    cmocka_unit_test(large_index_is_checked_on_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
