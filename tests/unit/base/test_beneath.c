/* Looking below a folder: links in every position, dots, long paths, and
 * somebody who swaps a folder for a link all the time. Every row is tried
 * with both ways of resolving. */
#include "support/treefix.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/beneath.h"

static const char layout[] =
    "f root/dir/file=inside\nf root/dir/sub/deep=deeper\n"
    "l root/dir/link_in=sub\nl root/link_file=dir/file\nl root/link_dir=dir\n"
    "l root/link_out=../outside\nl root/abs=/\nl root/loop=loop\n"
    "l root/gone=../outside/new\nl root/dir/up=..\nf root/...=dots\n"
    "f outside/canary=alive";

static const char outside[] = "f canary=alive\n";

struct ground {
	const char *dir;
	int root;
};

static void
open_ground(struct ground *g, const char *lines)
{
	g->dir = vec_tmpdir();
	fix_put(g->dir, lines);
	g->root =
	    open(fix_path(g->dir, "root"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	check(g->root >= 0);
}

static const struct open_row {
	const char *path;
	int flags;
	enum err_code rc;
	const char *says;
} open_rows[] = {
    {"", O_RDONLY, ERR_OK, ""},
    {"/", O_RDONLY | O_DIRECTORY, ERR_OK, ""},
    {"dir", O_RDONLY, ERR_OK, ""},
    {"/dir", O_RDONLY | O_DIRECTORY, ERR_OK, ""},
    {"dir/file", O_RDONLY, ERR_OK, ""},
    {"/dir/file", O_RDWR, ERR_OK, ""},
    {"/dir/sub/deep", O_RDONLY, ERR_OK, ""},
    {"...", O_RDONLY, ERR_OK, ""},
    /* not there */
    {"none", O_RDONLY, ERR_NOT_FOUND, "none"},
    {"dir/none", O_RDONLY, ERR_NOT_FOUND, "dir/none"},
    {"none/none", O_RDONLY, ERR_NOT_FOUND, "none/none"},
    {"none/none", O_RDWR | O_CREAT, ERR_NOT_FOUND, "none/none"},
    /* a file where a folder is needed */
    {"dir/file/x", O_RDONLY, ERR_CONFLICT, "a file stands"},
    {"dir/file", O_RDONLY | O_DIRECTORY, ERR_CONFLICT, "a file stands"},
    /* links: last, first, in the middle, inside, outside, absolute */
    {"link_file", O_RDONLY, ERR_CONFLICT, "a link stands"},
    {"link_dir", O_RDONLY, ERR_CONFLICT, "a link stands"},
    {"link_dir", O_RDONLY | O_DIRECTORY, ERR_CONFLICT, "a link stands"},
    {"link_dir/file", O_RDONLY, ERR_CONFLICT, "a link stands"},
    {"dir/link_in", O_RDONLY, ERR_CONFLICT, "a link stands"},
    {"dir/link_in/deep", O_RDONLY, ERR_CONFLICT, "a link stands"},
    {"dir/up/dir/file", O_RDONLY, ERR_CONFLICT, "a link stands"},
    {"link_out", O_RDONLY | O_DIRECTORY, ERR_CONFLICT, "a link stands"},
    {"link_out/canary", O_RDWR, ERR_CONFLICT, "a link stands"},
    {"link_out/new", O_RDWR | O_CREAT, ERR_CONFLICT, "a link stands"},
    {"abs", O_RDONLY, ERR_CONFLICT, "a link stands"},
    {"abs/etc", O_RDONLY, ERR_CONFLICT, "a link stands"},
    {"loop", O_RDONLY, ERR_CONFLICT, "a link stands"},
    {"loop/x", O_RDONLY, ERR_CONFLICT, "a link stands"},
    {"gone", O_RDONLY, ERR_CONFLICT, "a link stands"},
    {"gone", O_RDWR | O_CREAT, ERR_CONFLICT, "a link stands"},
    {"gone/x", O_RDWR | O_CREAT, ERR_CONFLICT, "a link stands"},
    /* unsafe parts */
    {"..", O_RDONLY, ERR_INVALID, "unsafe path"},
    {"../outside/canary", O_RDONLY, ERR_INVALID, "unsafe path"},
    {"/../outside/canary", O_RDONLY, ERR_INVALID, "unsafe path"},
    {"dir/..", O_RDONLY, ERR_INVALID, "unsafe path"},
    {"dir/../dir/file", O_RDONLY, ERR_INVALID, "unsafe path"},
    {".", O_RDONLY, ERR_INVALID, "unsafe path"},
    {"./dir", O_RDONLY, ERR_INVALID, "unsafe path"},
    {"dir/./file", O_RDONLY, ERR_INVALID, "unsafe path"},
    {"dir//file", O_RDONLY, ERR_INVALID, "unsafe path"},
    {"//dir", O_RDONLY, ERR_INVALID, "unsafe path"},
    {"//", O_RDONLY, ERR_INVALID, "unsafe path"},
    {"dir/", O_RDONLY, ERR_INVALID, "unsafe path"},
    {"a\nb/..", O_RDONLY, ERR_INVALID, "a\\x0ab/.."},
};

static void
check_open_row(
    const struct ground *g, enum beneath_method how, const struct open_row *r)
{
	struct err e = ERR_INIT;
	int fd = -7;

	if (beneath_open_with(how, g->root, r->path, r->flags, &fd, &e) !=
	    r->rc)
		vec_fail_err(__FILE__, __LINE__, r->path, &e);
	if (r->rc != ERR_OK) {
		check(fd == -7); /* untouched by an error */
		if (strstr(e.msg, r->says) == NULL)
			vec_fail_err(__FILE__, __LINE__, r->path, &e);
		return;
	}
	check((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	close(fd);
}

static void
test_open(void **state)
{
	struct ground g;

	(void)state;
	open_ground(&g, layout);
	for (size_t i = 0; i < sizeof(open_rows) / sizeof(open_rows[0]); i++) {
		check_open_row(&g, BENEATH_BEST, &open_rows[i]);
		check_open_row(&g, BENEATH_WALK, &open_rows[i]);
	}
	check_tree(fix_path(g.dir, "outside"), outside);
	close(g.root);
}

static void
test_open_creates(void **state)
{
	static const enum beneath_method how[] = {BENEATH_BEST, BENEATH_WALK};
	struct err e = ERR_INIT;
	struct ground g;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct stat st;
		int fd;

		open_ground(&g, layout);
		check_ok(beneath_open_with(how[i], g.root, "dir/new",
			     O_RDWR | O_CREAT | O_EXCL, &fd, &e),
		    &e);
		check(fstat(fd, &st) == 0 && (st.st_mode & 077) == 0);
		close(fd);
		check_code(beneath_open_with(how[i], g.root, "dir/new",
			       O_RDWR | O_CREAT | O_EXCL, &fd, &e),
		    ERR_EXISTS);
		/* a link that leads nowhere is not filled through */
		check(beneath_open_with(how[i], g.root, "gone",
			  O_RDWR | O_CREAT | O_EXCL, &fd, &e) != ERR_OK);
		check_tree(fix_path(g.dir, "outside"), outside);
		close(g.root);
	}
}

/* The longest path, a part too long, and one byte too many. */
static void
test_long_paths(void **state)
{
	static const enum beneath_method how[] = {BENEATH_BEST, BENEATH_WALK};
	char path[BENEATH_PATH_MAX + 3];
	struct err e = ERR_INIT;
	struct ground g;
	int fd;

	(void)state;
	open_ground(&g, "d root");
	for (size_t i = 0; i < sizeof(path); i++)
		path[i] = i % 200 == 199 ? '/' : 'd';
	path[BENEATH_PATH_MAX] = '\0';
	check_ok(beneath_mkdir(g.root, path, &e), &e);
	for (size_t i = 0; i < 2; i++) {
		check_ok(
		    beneath_open_with(how[i], g.root, path, O_RDONLY, &fd, &e),
		    &e);
		close(fd);
	}
	path[BENEATH_PATH_MAX] = 'd';
	path[BENEATH_PATH_MAX + 1] = '\0';
	check_code(beneath_mkdir(g.root, path, &e), ERR_LIMIT);
	for (size_t i = 0; i < 2; i++)
		check_code(
		    beneath_open_with(how[i], g.root, path, O_RDONLY, &fd, &e),
		    ERR_LIMIT);
	memset(path, 'p', 256);
	memcpy(path + 256, "/x", 3);
	for (size_t i = 0; i < 2; i++) {
		check_code(
		    beneath_open_with(how[i], g.root, path, O_RDONLY, &fd, &e),
		    ERR_IO);
		assert_int_equal(e.os, ENAMETOOLONG);
	}
	check_code(beneath_mkdir(g.root, path, &e), ERR_IO);
	check_ok(beneath_remove(g.root, "d", &e), &e); /* not there */
	path[199] = '\0';
	memset(path, 'd', 199);
	check_ok(beneath_remove(g.root, path, &e), &e);
	check_tree(fix_path(g.dir, "root"), "");
	close(g.root);
}

static void
test_mkdir(void **state)
{
	static const struct {
		const char *path;
		enum err_code rc;
	} rows[] = {
	    {"a", ERR_OK},
	    {"a", ERR_OK},
	    {"/a/b/c", ERR_OK},
	    {"dir/sub", ERR_OK},
	    {"dir/file", ERR_CONFLICT},
	    {"dir/file/x", ERR_CONFLICT},
	    {"link_dir", ERR_CONFLICT},
	    {"link_dir/x", ERR_CONFLICT},
	    {"link_out/x/y", ERR_CONFLICT},
	    {"gone", ERR_CONFLICT},
	    {"gone/x", ERR_CONFLICT},
	    {"", ERR_INVALID},
	    {"/", ERR_INVALID},
	    {"../x", ERR_INVALID},
	    {"a/../../x", ERR_INVALID},
	};
	struct err e = ERR_INIT;
	struct ground g;
	struct stat st;
	mode_t mask;

	(void)state;
	open_ground(&g, layout);
	mask = umask(027);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_code(beneath_mkdir(g.root, rows[i].path, &e), rows[i].rc);
	(void)umask(mask);
	check_ok(beneath_stat(g.root, "a/b/c", &st, &e), &e);
	assert_int_equal(st.st_mode & 07777, 0755);
	check_ok(beneath_stat(g.root, "a", &st, &e), &e);
	assert_int_equal(st.st_mode & 07777, 0755);
	check_tree(fix_path(g.dir, "outside"), outside);
	check_tree(fix_path(g.dir, "root/a"), "d b/c\n");
	close(g.root);
}

static void
test_stat_and_readlink(void **state)
{
	static const struct {
		const char *path;
		enum err_code stat, link;
		const char *text;
	} rows[] = {
	    {"dir/file", ERR_OK, ERR_INVALID, ""},
	    {"dir", ERR_OK, ERR_INVALID, ""},
	    {"link_out", ERR_OK, ERR_OK, "../outside"},
	    {"/dir/link_in", ERR_OK, ERR_OK, "sub"},
	    {"loop", ERR_OK, ERR_OK, "loop"},
	    {"none", ERR_NOT_FOUND, ERR_NOT_FOUND, ""},
	    {"none/x", ERR_NOT_FOUND, ERR_NOT_FOUND, ""},
	    {"dir/file/x", ERR_NOT_FOUND, ERR_NOT_FOUND, ""},
	    {"link_dir/link_in", ERR_NOT_FOUND, ERR_NOT_FOUND, ""},
	    {"link_out/canary", ERR_NOT_FOUND, ERR_NOT_FOUND, ""},
	    {"..", ERR_INVALID, ERR_INVALID, ""},
	    {"", ERR_INVALID, ERR_INVALID, ""},
	};
	struct ground g;

	(void)state;
	open_ground(&g, layout);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;
		struct stat st;
		struct buf b;

		buf_init(&b, 100);
		check_code(
		    beneath_stat(g.root, rows[i].path, &st, &e), rows[i].stat);
		check_code(beneath_readlink(g.root, rows[i].path, &b, &e),
		    rows[i].link);
		check_same(buf_view(&b), view_str(rows[i].text));
		check(rows[i].link != ERR_OK || S_ISLNK(st.st_mode));
		buf_deinit(&b);
	}
	close(g.root);
}

static void
test_parent(void **state)
{
	struct err e = ERR_INIT;
	struct stat st, root;
	const char *name;
	struct ground g;
	int fd;

	(void)state;
	open_ground(&g, layout);
	check_ok(
	    beneath_parent(g.root, "/x", BENEATH_NO_PARENTS, &fd, &name, &e),
	    &e);
	assert_string_equal(name, "x");
	check(fstat(fd, &st) == 0 && fstat(g.root, &root) == 0);
	check(st.st_ino == root.st_ino && fd != g.root);
	close(fd);
	check_ok(beneath_parent(
		     g.root, "dir/link_in", BENEATH_NO_PARENTS, &fd, &name, &e),
	    &e);
	assert_string_equal(name, "link_in");
	close(fd);
	check_code(
	    beneath_parent(g.root, "n/e/w", BENEATH_NO_PARENTS, &fd, &name, &e),
	    ERR_NOT_FOUND);
	check_ok(beneath_parent(
		     g.root, "n/e/w", BENEATH_MAKE_PARENTS, &fd, &name, &e),
	    &e);
	close(fd);
	check_code(beneath_parent(g.root, "link_out/x/y", BENEATH_MAKE_PARENTS,
		       &fd, &name, &e),
	    ERR_CONFLICT);
	check_code(beneath_parent(g.root, "n/e/gone/../x", BENEATH_MAKE_PARENTS,
		       &fd, &name, &e),
	    ERR_INVALID);
	check_tree(fix_path(g.dir, "root/n"), "d e\n");
	check_tree(fix_path(g.dir, "outside"), outside);
	close(g.root);
}

/* -- a race -- */

struct swapper {
	int root;
	atomic_bool stop;
	atomic_ulong swaps;
};

/* d/x is the folder and d/y the link, or the other way round. */
static void *
swap(void *arg)
{
	struct swapper *s = arg;

	while (!atomic_load(&s->stop))
		if (renameat2(
			s->root, "d/x", s->root, "d/y", RENAME_EXCHANGE) == 0)
			(void)atomic_fetch_add(&s->swaps, 1);
	return NULL;
}

static void
check_not_outside(const struct ground *g, int fd)
{
	struct stat st, canary;

	check(fstat(fd, &st) == 0);
	check(stat(fix_path(g->dir, "outside/file"), &canary) == 0);
	check(st.st_ino != canary.st_ino || st.st_dev != canary.st_dev);
	close(fd);
}

/* d/x/file is inside or an error, at any moment. At least some thousand
 * looks, and until both sides had their turns. */
static void
test_swapped_while_looking(void **state)
{
	static const enum beneath_method how[] = {BENEATH_BEST, BENEATH_WALK};
	struct swapper s = {.stop = false};
	struct ground g;
	pthread_t t;

	(void)state;
	open_ground(&g, "f root/d/x/file=inside\nl root/d/y=../../outside\n"
			"f outside/file=canary");
	s.root = g.root;
	check(pthread_create(&t, NULL, swap, &s) == 0);
	for (unsigned i = 0; i < 4000 || atomic_load(&s.swaps) < 100; i++) {
		struct err e = ERR_INIT;
		enum err_code rc;
		struct stat st;
		int fd;

		rc = beneath_open_with(
		    how[i % 2], g.root, "d/x/file", O_RDONLY, &fd, &e);
		check(rc == ERR_OK || rc == ERR_CONFLICT);
		if (rc == ERR_OK)
			check_not_outside(&g, fd);
		rc = beneath_stat(g.root, "d/x/file", &st, &e);
		check(rc == ERR_OK || rc == ERR_NOT_FOUND);
		check(rc != ERR_OK || st.st_size == 6);
		rc = beneath_mkdir(g.root, "d/x/made/here", &e);
		check(rc == ERR_OK || rc == ERR_CONFLICT);
	}
	atomic_store(&s.stop, true);
	check(pthread_join(t, NULL) == 0);
	check_tree(fix_path(g.dir, "outside"), "f file=canary\n");
	close(g.root);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_open),
	    cmocka_unit_test(test_open_creates),
	    cmocka_unit_test(test_long_paths),
	    cmocka_unit_test(test_mkdir),
	    cmocka_unit_test(test_stat_and_readlink),
	    cmocka_unit_test(test_parent),
	    cmocka_unit_test(test_swapped_while_looking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
