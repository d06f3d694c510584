/* Making, opening, copying and damaging a store. */
#include "fix.h"

#include <sys/file.h>

static void
creates_and_reopens(void **state)
{
	struct path dir = fix_path(vec_tmpdir(), "a/b/store");
	struct err e = ERR_INIT;
	struct store *s, *r;
	struct stat st;

	(void)state;
	check_code(fix_open(&s, dir.s, STORE_WRITE, STORE_NOT_MOVED, &e),
	    ERR_NOT_FOUND);
	umask(0);
	s = fix_create(dir.s);
	umask(022);
	fix_put(s, "k", "v");
	store_close(s);
	check(stat(dir.s, &st) == 0 && (st.st_mode & 0777) == 0700);
	check(stat(fix_path(dir.s, "index/data.mdb").s, &st) == 0);
	check((st.st_mode & 0777) == 0600);
	check_ok(fix_open(&s, dir.s, STORE_WRITE, STORE_NOT_MOVED, &e), &e);
	check_ok(fix_open(&r, dir.s, STORE_READ, STORE_NOT_MOVED, &e), &e);
	check(fix_has(s, "k", "v") && fix_has(r, "k", "v"));
	check_ok(store_writable(s, &e), &e);
	check_code(store_writable(r, &e), ERR_READONLY);
	check_ok(store_check(s, &e), &e);
	store_close(s);
	check(fix_has(r, "k", "v"));
	store_close(r);
	store_close(NULL);
}

static void
umask_takes_nothing_away(void **state)
{
	struct path dir = fix_path(vec_tmpdir(), "store");
	struct store *s;
	struct stat st;

	(void)state;
	umask(0777);
	s = fix_create(dir.s);
	umask(022);
	store_close(s);
	check(stat(fix_path(dir.s, "index").s, &st) == 0);
	check((st.st_mode & 0777) == 0700);
	check(stat(fix_path(dir.s, "index/lock.mdb").s, &st) == 0);
	check((st.st_mode & 0777) == 0600);
	check(stat(fix_path(dir.s, "STORE").s, &st) == 0);
	check((st.st_mode & 0777) == 0600);
}

static void
refuses_strangers(void **state)
{
	const char *dir = vec_tmpdir();
	struct err e = ERR_INIT;
	struct store *s;

	(void)state;
	fix_write(fix_path(dir, "CORESTORE").s, "x", 1);
	check_code(
	    fix_open(&s, dir, STORE_CREATE, STORE_NOT_MOVED, &e), ERR_CONFLICT);
	check(access(fix_path(dir, "index").s, F_OK) != 0);
	check(unlink(fix_path(dir, "CORESTORE").s) == 0);
	check(chmod(dir, 0777) == 0);
	check_code(
	    fix_open(&s, dir, STORE_CREATE, STORE_NOT_MOVED, &e), ERR_INVALID);
	check(strstr(e.msg, dir) != NULL);
	check(chmod(dir, 0700) == 0);
	store_close(fix_create(dir));
}

/* What a kill while making leaves: every prefix of the steps. */
static void
completes_half_made(void **state)
{
	static const char *const gone[] = {"STORE", "marks", "blocks"};
	struct err e = ERR_INIT;
	struct store *s;

	(void)state;
	for (size_t steps = 1; steps <= 4; steps++) {
		const char *dir = vec_tmpdir();

		store_close(fix_create(dir));
		for (size_t i = 0; i < steps && i < 3; i++)
			check(remove(fix_path(dir, gone[i]).s) == 0);
		if (steps == 4) {
			check(rename(fix_path(dir, "index").s,
				  fix_path(dir, "index.new").s) == 0);
			check(truncate(fix_path(dir, "index.new/data.mdb").s,
				  100) == 0);
		}
		check_code(fix_open(&s, dir, STORE_WRITE, STORE_NOT_MOVED, &e),
		    ERR_NOT_FOUND);
		s = fix_create(dir);
		fix_put(s, "k", "v");
		store_close(s);
		check(access(fix_path(dir, "marks").s, F_OK) == 0);
		check(access(fix_path(dir, "blocks").s, F_OK) == 0);
	}
}

static void
does_not_forget_a_lost_store_file(void **state)
{
	const char *dir = vec_tmpdir();
	struct store *s = fix_create(dir);
	struct err e = ERR_INIT;

	(void)state;
	fix_put(s, "k", "v");
	store_close(s);
	check(unlink(fix_path(dir, "STORE").s) == 0);
	check_code(
	    fix_open(&s, dir, STORE_CREATE, STORE_NOT_MOVED, &e), ERR_CORRUPT);
	check(strstr(e.msg, "STORE") != NULL);
	check_ok(fix_open(&s, dir, STORE_CREATE, STORE_MOVED, &e), &e);
	check(fix_has(s, "k", "v"));
	store_close(s);
}

/* Two processes at once make one store. */
static void
creates_once(void **state)
{
	const char *dir = vec_tmpdir();
	pid_t pids[4];
	struct store *s;

	(void)state;
	for (int i = 0; i < 4; i++) {
		if ((pids[i] = fork()) == 0) {
			char key[] = {(char)('a' + i), 0};

			s = fix_create(dir);
			fix_put(s, key, "v");
			store_close(s);
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		check(fix_wait(pids[i]) == 0);
	s = fix_create(dir);
	check(fix_has(s, "a", "v") && fix_has(s, "b", "v"));
	check(fix_has(s, "c", "v") && fix_has(s, "d", "v"));
	store_close(s);
}

static void
copy_reads_and_does_not_write(void **state)
{
	const char *base = vec_tmpdir();
	struct path a = fix_path(base, "a"), b = fix_path(base, "b");
	struct err e = ERR_INIT;
	struct store_txn *txn;
	struct store *s = fix_create(a.s);

	(void)state;
	fix_put(s, "k", "v");
	store_close(s);
	fix_cp(a.s, b.s);
	check_ok(fix_open(&s, b.s, STORE_CREATE, STORE_NOT_MOVED, &e), &e);
	check(fix_has(s, "k", "v"));
	check_code(store_writable(s, &e), ERR_CONFLICT);
	check(strstr(e.msg, "copied") && strstr(e.msg, "--store-moved"));
	check(strstr(e.msg, "two writers"));
	check_code(store_begin(&txn, s, &e), ERR_CONFLICT);
	store_close(s);
	/* Adopting lasts; the original stays what it is. */
	check_ok(fix_open(&s, b.s, STORE_WRITE, STORE_MOVED, &e), &e);
	fix_put(s, "k", "w");
	store_close(s);
	check_ok(fix_open(&s, b.s, STORE_WRITE, STORE_NOT_MOVED, &e), &e);
	fix_put(s, "k", "x");
	store_close(s);
	check_ok(fix_open(&s, a.s, STORE_WRITE, STORE_NOT_MOVED, &e), &e);
	check_ok(store_writable(s, &e), &e);
	check(fix_has(s, "k", "v"));
	store_close(s);
}

static void
moved_folder_stays_the_store(void **state)
{
	const char *base = vec_tmpdir();
	struct path a = fix_path(base, "a"), b = fix_path(base, "b");
	struct store *s = fix_create(a.s);

	(void)state;
	store_close(s);
	check(rename(a.s, b.s) == 0);
	s = fix_create(b.s);
	fix_put(s, "k", "v");
	store_close(s);
}

static void
other_machine_is_refused(void **state)
{
	const char *dir = vec_tmpdir();
	struct store_opts o = {
	    .dir = dir, .mode = STORE_WRITE, .machine = "another"};
	struct err e = ERR_INIT;
	struct store *s;

	(void)state;
	store_close(fix_create(dir));
	check_ok(store_open(&s, &o, &e), &e);
	check_code(store_writable(s, &e), ERR_CONFLICT);
	check(strstr(e.msg, "machine") != NULL);
	store_close(s);
	o.mode = STORE_READ;
	check_ok(store_open(&s, &o, &e), &e);
	store_close(s);
	/* Without a name it is this machine, the same each time. */
	o = (struct store_opts){.dir = vec_tmpdir(), .mode = STORE_CREATE};
	for (int i = 0; i < 2; i++) {
		check_ok(store_open(&s, &o, &e), &e);
		check_ok(store_writable(s, &e), &e);
		store_close(s);
	}
}

static void
newer_format_is_refused(void **state)
{
	const char *dir = vec_tmpdir();
	struct path p = fix_path(dir, "STORE");
	struct err e = ERR_INIT;
	char text[4096];
	struct store *s;
	size_t n;

	(void)state;
	store_close(fix_create(dir));
	n = fix_read(p.s, text, sizeof(text));
	check(memcmp(text, "pear-store 1\n", 13) == 0);
	text[11] = '2';
	fix_write(p.s, text, n);
	check_code(
	    fix_open(&s, dir, STORE_READ, STORE_NOT_MOVED, &e), ERR_VERSION);
	check(strstr(e.msg, "has format 2, this program knows up to 1"));
}

static void
read_only_files_are_read(void **state)
{
	const char *dir = vec_tmpdir();
	struct store *s = fix_create(dir);
	struct err e = ERR_INIT;
	pid_t pid;

	(void)state;
	fix_put(s, "k", "v");
	store_close(s);
	check(chmod(fix_path(dir, "index/data.mdb").s, 0444) == 0);
	check(chmod(fix_path(dir, "index/lock.mdb").s, 0444) == 0);
	check(chmod(fix_path(dir, "STORE").s, 0444) == 0);
	check(chmod(fix_path(dir, "index").s, 0555) == 0);
	check(chmod(dir, 0555) == 0);
	if ((pid = fork()) == 0) {
		/* The superuser may write everything. */
		if (getuid() == 0 && setresuid(65534, 65534, 65534) != 0)
			_exit(1);
		check_ok(
		    fix_open(&s, dir, STORE_CREATE, STORE_NOT_MOVED, &e), &e);
		check(fix_has(s, "k", "v"));
		check_code(store_writable(s, &e), ERR_READONLY);
		store_close(s);
		_exit(0);
	}
	check(fix_wait(pid) == 0);
	check(chmod(dir, 0700) == 0);
	check(chmod(fix_path(dir, "index").s, 0700) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(creates_and_reopens),
	    cmocka_unit_test(umask_takes_nothing_away),
	    cmocka_unit_test(refuses_strangers),
	    cmocka_unit_test(completes_half_made),
	    cmocka_unit_test(does_not_forget_a_lost_store_file),
	    cmocka_unit_test(creates_once),
	    cmocka_unit_test(copy_reads_and_does_not_write),
	    cmocka_unit_test(moved_folder_stays_the_store),
	    cmocka_unit_test(other_machine_is_refused),
	    cmocka_unit_test(newer_format_is_refused),
	    cmocka_unit_test(read_only_files_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
