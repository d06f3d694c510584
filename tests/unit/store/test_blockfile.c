#include "fix.h"

#include "codec/hex.h"
#include "store/blockfile.h"

static const struct b32 dkey = {{0xab, 0xcd, 1}};

static struct blockfile *
open_file(struct store *s, enum blockfile_mode mode)
{
	struct err e = ERR_INIT;
	struct blockfile *f = NULL;

	check_ok(blockfile_open(&f, s, &dkey, mode, &e), &e);
	return f;
}

static void
writes_and_reads(void **state)
{
	const char *dir = vec_tmpdir();
	struct store *s = fix_create(dir);
	struct blockfile *r = open_file(s, BLOCKFILE_READ), *w;
	struct err e = ERR_INIT;
	uint64_t used;
	struct stat st;
	char got[8];

	(void)state;
	check_code(blockfile_read(r, got, 1, 0, &e), ERR_CORRUPT);
	check_ok(blockfile_usage(r, &used, &e), &e);
	check(used == 0);
	check(access(blockfile_path(r), F_OK) != 0);
	w = open_file(s, BLOCKFILE_WRITE);
	check(strstr(blockfile_path(w), "/blocks/ab/abcd01") != NULL);
	check(stat(blockfile_path(w), &st) == 0);
	check((st.st_mode & 0777) == 0600);
	check_ok(blockfile_write(w, "hello", 5, 3, &e), &e);
	check_ok(blockfile_sync(w, &e), &e);
	/* The reader that came first finds it now. */
	check_ok(blockfile_read(r, got, 5, 3, &e), &e);
	check(memcmp(got, "hello", 5) == 0);
	check_ok(blockfile_read(r, got, 8, 0, &e), &e);
	check(memcmp(got, "\0\0\0hello", 8) == 0);
	check_code(blockfile_read(r, got, 6, 3, &e), ERR_CORRUPT);
	check(strstr(e.msg, "abcd01") != NULL);
	check_code(blockfile_read(r, got, 2, UINT64_MAX, &e), ERR_CORRUPT);
	check_ok(blockfile_read(r, got, 0, 99, &e), &e);
	check_code(blockfile_write(w, "x", 1, INT64_MAX, &e), ERR_LIMIT);
	blockfile_close(w);
	blockfile_close(r);
	blockfile_close(NULL);
	store_close(s);
}

/* The lowest descriptor that is free. */
static int
free_fd(void)
{
	int fd = dup(STDIN_FILENO);

	check(fd >= 0);
	close(fd);
	return fd;
}

static void
rests(void **state)
{
	struct store *s = fix_create(vec_tmpdir());
	struct blockfile *w = open_file(s, BLOCKFILE_WRITE), *r;
	struct err e = ERR_INIT;
	int before;
	char got[5];

	(void)state;
	check_ok(blockfile_write(w, "hello", 5, 0, &e), &e);
	before = free_fd();
	r = open_file(s, BLOCKFILE_READ);
	check_ok(blockfile_read(r, got, 5, 0, &e), &e);
	check(free_fd() > before);
	blockfile_rest(r);
	check(free_fd() == before);
	memset(got, 0, sizeof(got));
	check_ok(blockfile_read(r, got, 5, 0, &e), &e);
	check(memcmp(got, "hello", 5) == 0 && free_fd() > before);
	/* a writer holds its lock */
	blockfile_rest(w);
	check_ok(blockfile_write(w, "y", 1, 4, &e), &e);
	blockfile_close(r);
	blockfile_close(w);
	store_close(s);
}

static void
truncates_and_punches(void **state)
{
	struct store *s = fix_create(vec_tmpdir());
	struct blockfile *w = open_file(s, BLOCKFILE_WRITE);
	static uint8_t page[65536], got[65536];
	struct err e = ERR_INIT;
	uint64_t before, after;

	(void)state;
	memset(page, 7, sizeof(page));
	for (uint64_t i = 0; i < 4; i++)
		check_ok(blockfile_write(
			     w, page, sizeof(page), i * sizeof(page), &e),
		    &e);
	check_ok(blockfile_sync(w, &e), &e);
	check_ok(blockfile_usage(w, &before, &e), &e);
	check_ok(blockfile_punch(w, sizeof(page), sizeof(page), &e), &e);
	check_ok(blockfile_usage(w, &after, &e), &e);
	check(after <= before);
	check_ok(blockfile_read(w, got, sizeof(got), 2 * sizeof(page), &e), &e);
	check(memcmp(got, page, sizeof(got)) == 0);
	check_ok(blockfile_truncate(w, sizeof(page), &e), &e);
	check_code(blockfile_read(w, got, 1, sizeof(page), &e), ERR_CORRUPT);
	/* Truncating never makes it longer. */
	check_ok(blockfile_truncate(w, 3 * sizeof(page), &e), &e);
	check_code(blockfile_read(w, got, 1, sizeof(page), &e), ERR_CORRUPT);
	check_ok(blockfile_read(w, got, 1, 0, &e), &e);
	blockfile_close(w);
	store_close(s);
}

static void
one_writer(void **state)
{
	const char *dir = vec_tmpdir();
	struct store *s = fix_create(dir);
	struct blockfile *w = open_file(s, BLOCKFILE_WRITE), *other;
	struct err e = ERR_INIT;
	char pid_text[16];
	pid_t pid, parent = getpid();

	(void)state;
	check_code(
	    blockfile_open(&other, s, &dkey, BLOCKFILE_WRITE, &e), ERR_LOCKED);
	if ((pid = fork()) == 0) {
		s = fix_create(dir);
		check_code(
		    blockfile_open(&other, s, &dkey, BLOCKFILE_WRITE, &e),
		    ERR_LOCKED);
		(void)snprintf(pid_text, sizeof(pid_text), "%ld", (long)parent);
		check(access("/proc/locks", R_OK) != 0 ||
		      strstr(e.msg, pid_text) != NULL ||
		      strstr(e.msg, "another process") != NULL);
		other = open_file(s, BLOCKFILE_READ);
		blockfile_close(other);
		store_close(s);
		_exit(0);
	}
	check(fix_wait(pid) == 0);
	blockfile_close(w);
	blockfile_close(open_file(s, BLOCKFILE_WRITE));
	store_close(s);
}

/* The lock goes with a killed process. */
static void
kill_frees_the_lock(void **state)
{
	const char *dir = vec_tmpdir();
	struct store *s;
	struct err e = ERR_INIT;
	char got[3];
	pid_t pid;
	int st;

	(void)state;
	if ((pid = fork()) == 0) {
		struct blockfile *w;

		s = fix_create(dir);
		w = open_file(s, BLOCKFILE_WRITE);
		check_ok(blockfile_write(w, "abc", 3, 0, &e), &e);
		check_ok(blockfile_sync(w, &e), &e);
		(void)kill(getpid(), SIGKILL);
	}
	check(waitpid(pid, &st, 0) == pid && WIFSIGNALED(st));
	s = fix_create(dir);
	struct blockfile *w = open_file(s, BLOCKFILE_WRITE);

	check_ok(blockfile_read(w, got, 3, 0, &e), &e);
	check(memcmp(got, "abc", 3) == 0);
	blockfile_close(w);
	store_close(s);
}

static void
refuses_what_cannot_write(void **state)
{
	const char *dir = vec_tmpdir();
	struct err e = ERR_INIT;
	struct blockfile *f;
	char hex[65], name[80];
	struct store *s;

	(void)state;
	store_close(fix_create(dir));
	check_ok(fix_open(&s, dir, STORE_READ, STORE_NOT_MOVED, &e), &e);
	check_code(
	    blockfile_open(&f, s, &dkey, BLOCKFILE_WRITE, &e), ERR_READONLY);
	store_close(s);
	s = fix_create(dir);
	check(mkdir(fix_path(dir, "blocks/ab").s, 0700) == 0);
	(void)snprintf(name, sizeof(name), "blocks/ab/%s", hex_b32(hex, &dkey));
	check(symlink("/etc/passwd", fix_path(dir, name).s) == 0);
	check(blockfile_open(&f, s, &dkey, BLOCKFILE_WRITE, &e) != ERR_OK);
	check(blockfile_open(&f, s, &dkey, BLOCKFILE_READ, &e) != ERR_OK);
	store_close(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(writes_and_reads),
	    cmocka_unit_test(rests),
	    cmocka_unit_test(truncates_and_punches),
	    cmocka_unit_test(one_writer),
	    cmocka_unit_test(kill_frees_the_lock),
	    cmocka_unit_test(refuses_what_cannot_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
