/* Writing and deleting below a folder: what is replaced, what stands in the
 * way, what is left after an abort, and that nothing outside is touched. */
#include "support/treefix.h"

#include <grp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "base/beneath.h"

static const char outside[] = "f canary=alive\nf sub/canary=too\n";

struct ground {
	const char *dir;
	int root;
};

static void
open_ground(struct ground *g, const char *lines)
{
	g->dir = vec_tmpdir();
	fix_put(g->dir, "f outside/canary=alive\nf outside/sub/canary=too");
	fix_put(fix_path(g->dir, "root"), lines);
	g->root =
	    open(fix_path(g->dir, "root"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	check(g->root >= 0);
}

static void
close_ground(const struct ground *g, const char *lines)
{
	check_tree(fix_path(g->dir, "root"), lines);
	check_tree(fix_path(g->dir, "outside"), outside);
	close(g->root);
}

static enum err_code
put(const struct ground *g, const char *path, enum beneath_mode mode)
{
	struct beneath_file f = BENEATH_FILE_INIT;
	struct err e = ERR_INIT;
	enum err_code rc;

	rc = beneath_create(&f, g->root, path, &e);
	if (rc == ERR_OK) {
		check(beneath_is_temp(f.temp));
		check_ok(file_pwrite_all(f.fd, path, "new", 3, 0, &e), &e);
		rc = beneath_commit(&f, mode, &e);
	}
	check(f.fd == -1 || rc == ERR_OK);
	beneath_abort(&f);
	check(f.fd == -1 && f.dirfd == -1);
	return rc;
}

static void
test_create(void **state)
{
	static const struct {
		const char *path;
		enum beneath_mode mode;
		enum err_code rc;
	} rows[] = {
	    {"a", BENEATH_PLAIN, ERR_OK},
	    {"/b/c/d", BENEATH_EXECUTABLE, ERR_OK},
	    {"old", BENEATH_EXECUTABLE, ERR_OK}, /* over a file */
	    {"link", BENEATH_PLAIN, ERR_OK},	 /* over a link itself */
	    {"dir", BENEATH_PLAIN, ERR_CONFLICT},
	    {"old/x", BENEATH_PLAIN, ERR_CONFLICT},
	    {"out", BENEATH_PLAIN, ERR_OK},
	    {"out2/canary", BENEATH_PLAIN, ERR_CONFLICT},
	    {"out2/n/e/w", BENEATH_PLAIN, ERR_CONFLICT},
	    {"", BENEATH_PLAIN, ERR_INVALID},
	    {"..", BENEATH_PLAIN, ERR_INVALID},
	    {"dir/../../x", BENEATH_PLAIN, ERR_INVALID},
	};
	struct ground g;
	mode_t mask;

	(void)state;
	open_ground(&g,
	    "f old=old\nl link=old\nf dir/f=1\nl out=../outside/canary\n"
	    "l out2=../outside");
	mask = umask(077);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_code(put(&g, rows[i].path, rows[i].mode), rows[i].rc);
	(void)umask(mask);
	close_ground(&g,
	    "f a=new\nx b/c/d=new\nf dir/f=1\nf link=new\nx old=new\n"
	    "f out=new\nl out2=../outside\n");
}

static void
test_long_name(void **state)
{
	struct beneath_file f = BENEATH_FILE_INIT;
	struct err e = ERR_INIT;
	struct ground g;
	char name[257];

	(void)state;
	open_ground(&g, "");
	memset(name, 'n', 256);
	name[256] = '\0';
	check_code(beneath_create(&f, g.root, name, &e), ERR_LIMIT);
	check(f.dirfd == -1);
	name[255] = '\0';
	check_code(put(&g, name, BENEATH_PLAIN), ERR_OK);
	check_ok(beneath_unlink(g.root, name, BENEATH_KEEP_PARENTS, &e), &e);
	close_ground(&g, "");
}

static void
test_abort_leaves_nothing(void **state)
{
	struct beneath_file f = BENEATH_FILE_INIT;
	struct err e = ERR_INIT;
	struct ground g;

	(void)state;
	open_ground(&g, "f a=old");
	check_ok(beneath_create(&f, g.root, "a", &e), &e);
	check(write(f.fd, "half", 4) == 4);
	beneath_abort(&f);
	beneath_abort(&f);
	close_ground(&g, "f a=old\n");
}

static void
test_is_temp(void **state)
{
	static const struct {
		const char *name;
		bool temp;
	} rows[] = {
	    {".pear-unfinished-0123456789abcdef", true},
	    {".pear-unfinished-0123456789abcde", false},
	    {".pear-unfinished-0123456789abcdef0", false},
	    {".pear-unfinished-0123456789ABCDEF", false},
	    {".pear-unfinished-0123456789abcdef.txt", false},
	    {"x.pear-unfinished-0123456789abcdef", false},
	    {".pear-unfinished-", false},
	    {"", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(beneath_is_temp(rows[i].name), rows[i].temp);
}

static void
test_link_inside(void **state)
{
	static const struct {
		const char *path, *text;
		bool inside;
	} rows[] = {
	    {"/a", "b", true},
	    {"/a", "./b", true},
	    {"/a", ".", true},
	    {"/a", "b/../c", true},
	    {"/a", "..", false},
	    {"/a", "b/../../c", false},
	    {"/a/b", "..", true},
	    {"a/b", "../c", true},
	    {"a/b", "../..", false},
	    {"/a/b/c", "../../d/e", true},
	    {"/a/b/c", "../../../a", false}, /* also if it comes back */
	    {"/a/b", "x//..//../c", true},
	    {"/a/b", "...", true},
	    {"/a/b", "/a/b", false},
	    {"/a/b", "/", false},
	    {"/a/b", "", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
		    beneath_link_inside(rows[i].path, rows[i].text),
		    rows[i].inside);
}

static void
test_link_relative(void **state)
{
	static const struct {
		const char *path, *target, *text;
	} rows[] = {
	    {"/a/b", "/c", "../c"},
	    {"/a", "/b", "b"},
	    {"/a/b/c", "/a/b/d", "d"},
	    {"/a/b/c", "/a/d", "../d"},
	    {"a/b/c", "x/y", "../../x/y"},
	    {"/a/b", "/a/b/c", "b/c"},
	    {"/a/b/c", "/a/b", "../b"},
	    {"/ab/c", "/a/d", "../a/d"},
	    {"/a", "/a", "a"},
	    {"/a", "/", "."},
	    {"/a/b", "/", "../"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b;

		buf_init(&b, 100);
		beneath_link_relative(&b, rows[i].path, rows[i].target);
		assert_string_equal(buf_cstr(&b), rows[i].text);
		check(beneath_link_inside(rows[i].path, buf_cstr(&b)));
		buf_deinit(&b);
	}
}

static void
test_symlink(void **state)
{
	static const struct {
		const char *path, *text;
		enum err_code rc;
	} rows[] = {
	    {"new/l", "../old", ERR_OK},
	    {"old", "new", ERR_OK},  /* over a file */
	    {"out", "here", ERR_OK}, /* over a link */
	    {"dir", "x", ERR_CONFLICT},
	    {"l", "..", ERR_INVALID},
	    {"l", "/etc", ERR_INVALID},
	    {"l", "", ERR_INVALID},
	    {"new/l", "../../outside", ERR_INVALID},
	    {"out2/l", "x", ERR_CONFLICT},
	    {"../l", "x", ERR_INVALID},
	    {"", "x", ERR_INVALID},
	};
	struct err e = ERR_INIT;
	struct ground g;

	(void)state;
	open_ground(&g, "f old=old\nf dir/f=1\nl out=../outside/canary\n"
			"l out2=../outside");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_code(
		    beneath_symlink(g.root, rows[i].path, rows[i].text, &e),
		    rows[i].rc);
	close_ground(&g, "f dir/f=1\nl new/l=../old\nl old=new\nl out=here\n"
			 "l out2=../outside\n");
}

static void
test_unlink(void **state)
{
	static const struct {
		const char *path;
		enum beneath_prune prune;
		enum err_code rc;
	} rows[] = {
	    {"a/b/c/f", BENEATH_PRUNE_PARENTS, ERR_OK}, /* up to a */
	    {"d/e/f", BENEATH_KEEP_PARENTS, ERR_OK},
	    {"gone", BENEATH_PRUNE_PARENTS, ERR_OK},
	    {"gone/x", BENEATH_PRUNE_PARENTS, ERR_OK},
	    {"out", BENEATH_PRUNE_PARENTS, ERR_OK},
	    {"dir", BENEATH_KEEP_PARENTS, ERR_CONFLICT},
	    {"dir/f/x", BENEATH_KEEP_PARENTS, ERR_CONFLICT},
	    {"out2/canary", BENEATH_PRUNE_PARENTS, ERR_CONFLICT},
	    {"../outside/canary", BENEATH_KEEP_PARENTS, ERR_INVALID},
	    {"", BENEATH_KEEP_PARENTS, ERR_INVALID},
	    {"top", BENEATH_PRUNE_PARENTS, ERR_OK},
	};
	struct err e = ERR_INIT;
	struct ground g;

	(void)state;
	open_ground(&g, "f a/b/c/f=1\nf a/g=1\nf d/e/f=1\nf dir/f=1\nf top=1\n"
			"l out=../outside/canary\nl out2=../outside");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_code(
		    beneath_unlink(g.root, rows[i].path, rows[i].prune, &e),
		    rows[i].rc);
	close_ground(&g, "f a/g=1\nd d/e\nf dir/f=1\nl out2=../outside\n");
}

static void
test_remove(void **state)
{
	static const struct {
		const char *path;
		enum err_code rc;
	} rows[] = {
	    {"tree", ERR_OK},
	    {"tree", ERR_OK}, /* missing */
	    {"gone/x", ERR_OK},
	    {"file", ERR_OK},
	    {"pipe", ERR_OK},
	    {"out", ERR_OK},
	    {"out2/sub", ERR_CONFLICT},
	    {"keep/..", ERR_INVALID},
	    {"", ERR_INVALID},
	    {"/", ERR_INVALID},
	};
	struct err e = ERR_INIT;
	struct ground g;

	(void)state;
	open_ground(&g,
	    "f tree/a/b/c=1\nf tree/a/d=1\nd tree/e\nl tree/l=../../outside\n"
	    "l tree/a/abs=/\np tree/pipe\nf file=1\np pipe\n"
	    "l out=../outside\nl out2=../outside\nf keep/f=1");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_code(
		    beneath_remove(g.root, rows[i].path, &e), rows[i].rc);
	close_ground(&g, "f keep/f=1\nl out2=../outside\n");
}

/* Deeper than any path is long, up to the limit and one more. */
static void
test_remove_deep(void **state)
{
	static const int depth[] = {BENEATH_DEPTH_MAX, BENEATH_DEPTH_MAX + 1};
	struct err e = ERR_INIT;
	struct ground g;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int fd, next;

		open_ground(&g, "");
		fd = dup(g.root);
		for (int n = 0; n < depth[i]; n++) {
			check(mkdirat(fd, "d", 0755) == 0);
			next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
			check(next >= 0);
			close(fd);
			fd = next;
		}
		close(fd);
		if (i == 0) {
			check_ok(beneath_remove(g.root, "d", &e), &e);
			close_ground(&g, "");
			continue;
		}
		check_code(beneath_remove(g.root, "d", &e), ERR_IO);
		assert_int_equal(e.os, ENAMETOOLONG);
		/* the rest of the folder can go another way */
		check(renameat(g.root, "d/d", g.root, "e") == 0);
		check_ok(beneath_remove(g.root, "e", &e), &e);
		check_ok(beneath_remove(g.root, "d", &e), &e);
		close_ground(&g, "");
	}
}

/* Folders without rights, as somebody whom rights bind. */
static int
remove_as_nobody(const struct ground *g)
{
	struct err e = ERR_INIT;

	if (geteuid() == 0 &&
	    (setgroups(0, NULL) != 0 || setresgid(65534, 65534, 65534) != 0 ||
		setresuid(65534, 65534, 65534) != 0))
		return 77;
	if (mkdirat(g->root, "t", 0755) != 0 ||
	    mkdirat(g->root, "t/locked", 0755) != 0 ||
	    mkdirat(g->root, "t/locked/deep", 0000) != 0 ||
	    fchmodat(g->root, "t/locked", 0000, 0) != 0)
		return 1;
	return beneath_remove(g->root, "t", &e) == ERR_OK ? 0 : 2;
}

static void
test_remove_locked_folders(void **state)
{
	struct ground g;
	int status;
	pid_t pid;

	(void)state;
	open_ground(&g, "");
	check(fchmod(g.root, 0777) == 0);
	check(chmod(g.dir, 0755) == 0);
	check((pid = fork()) >= 0);
	if (pid == 0)
		_exit(remove_as_nobody(&g));
	check(waitpid(pid, &status, 0) == pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip(); /* not allowed to become somebody else */
	assert_int_equal(status, 0);
	close_ground(&g, "");
}

/* -- a race -- */

struct swapper {
	int root;
	atomic_bool stop;
	atomic_ulong swaps;
};

/* d/x is the folder and d/y the link, or the other way round; and a folder
 * that is being emptied goes elsewhere. */
static void *
swap(void *arg)
{
	struct swapper *s = arg;

	while (!atomic_load(&s->stop)) {
		if (renameat2(
			s->root, "d/x", s->root, "d/y", RENAME_EXCHANGE) == 0)
			(void)atomic_fetch_add(&s->swaps, 1);
		if (renameat(s->root, "d/z", s->root, "../outside/z") == 0)
			(void)renameat(s->root, "../outside/z", s->root, "d/z");
	}
	return NULL;
}

/* Errors are fine, harm is not. */
static void
disturb(const struct ground *g)
{
	struct beneath_file f = BENEATH_FILE_INIT;
	struct err e = ERR_INIT;

	if (beneath_create(&f, g->root, "d/x/canary", &e) == ERR_OK) {
		check(write(f.fd, "evil", 4) == 4);
		(void)!beneath_commit(&f, BENEATH_EXECUTABLE, &e);
	}
	beneath_abort(&f);
	(void)!beneath_symlink(g->root, "d/x/sub/canary", "there", &e);
	(void)!beneath_unlink(
	    g->root, "d/x/sub/canary", BENEATH_PRUNE_PARENTS, &e);
	(void)!beneath_unlink(g->root, "d/x/canary", BENEATH_KEEP_PARENTS, &e);
	(void)!beneath_mkdir(g->root, "d/z/1/2/3", &e);
	(void)!beneath_remove(g->root, "d", &e);
	/* lay it out again, whatever is left */
	(void)!beneath_remove(g->root, "d/x", &e);
	(void)!beneath_mkdir(g->root, "d/x/sub", &e);
	(void)!beneath_remove(g->root, "d/y", &e);
	(void)!symlinkat("../../outside", g->root, "d/y");
}

static void
test_swapped_while_writing(void **state)
{
	struct swapper s = {.stop = false};
	struct err e = ERR_INIT;
	struct ground g;
	pthread_t t;
	int out;

	(void)state;
	open_ground(&g, "d d/x/sub\nl d/y=../../outside");
	out = open(fix_path(g.dir, "outside"), O_RDONLY | O_CLOEXEC);
	check(out >= 0);
	s.root = g.root;
	check(pthread_create(&t, NULL, swap, &s) == 0);
	for (unsigned i = 0; i < 300 || atomic_load(&s.swaps) < 20; i++) {
		disturb(&g);
		(void)!beneath_remove(out, "z", &e); /* it did not get back */
	}
	atomic_store(&s.stop, true);
	check(pthread_join(t, NULL) == 0);
	check_ok(beneath_remove(out, "z", &e), &e);
	close(out);
	check_ok(beneath_remove(g.root, "d", &e), &e);
	close_ground(&g, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_create),
	    cmocka_unit_test(test_long_name),
	    cmocka_unit_test(test_abort_leaves_nothing),
	    cmocka_unit_test(test_is_temp),
	    cmocka_unit_test(test_link_inside),
	    cmocka_unit_test(test_link_relative),
	    cmocka_unit_test(test_symlink),
	    cmocka_unit_test(test_unlink),
	    cmocka_unit_test(test_remove),
	    cmocka_unit_test(test_remove_deep),
	    cmocka_unit_test(test_remove_locked_folders),
	    cmocka_unit_test(test_swapped_while_writing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
