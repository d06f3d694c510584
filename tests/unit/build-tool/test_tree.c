/* Copying builds: what is kept, what is not, and what goes wrong on the
 * way. The kernel's copy is replaced here so that it can fail, be missing,
 * or let somebody else write in the middle. */
#include "support/treefix.h"

#include <grp.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/beneath.h"
#include "build-tool/tree.h"

static struct {
	int os;		   /* fail with this errno */
	const char *write; /* append to this file first */
} meddle;

ssize_t copy_file_range(
    int in, off_t *in_at, int out, off_t *out_at, size_t n, unsigned flags);

ssize_t
copy_file_range(
    int in, off_t *in_at, int out, off_t *out_at, size_t n, unsigned flags)
{
	if (meddle.write != NULL) {
		FILE *f = fopen(meddle.write, "ae");

		check(f != NULL && fputs("more", f) >= 0 && fclose(f) == 0);
		meddle.write = NULL;
	}
	if (meddle.os != 0) {
		errno = meddle.os;
		return -1;
	}
	return syscall(SYS_copy_file_range, in, in_at, out, out_at, n, flags);
}

struct talk {
	char warned[1024]; /* messages, each followed by a newline */
	int polls, stop_at;
};

static void
on_warning(void *ctx, const char *message)
{
	struct talk *t = ctx;
	size_t n = strlen(t->warned);

	(void)snprintf(t->warned + n, sizeof(t->warned) - n, "%s\n", message);
}

static bool
on_poll(void *ctx)
{
	struct talk *t = ctx;

	return ++t->polls == t->stop_at;
}

struct place_pair {
	char from[4096], to[4096];
	int root;
	struct talk talk;
	struct tree_opts opts;
};

static void
open_pair(struct place_pair *p, const char *lines)
{
	const char *dir = vec_tmpdir();

	memset(p, 0, sizeof(*p));
	(void)snprintf(p->from, sizeof(p->from), "%s/from", dir);
	(void)snprintf(p->to, sizeof(p->to), "%s/to", dir);
	fix_put(p->from, lines);
	fix_put(p->to, "");
	p->root = open(p->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	check(p->root >= 0);
	p->opts.warn = on_warning;
	p->opts.ctx = &p->talk;
}

static void
test_what_is_kept(void **state)
{
	static const char *const files[] = {"0644", "0600", "0444", "0666",
	    "0700", "0755", "0744", "0655", "04755", "0500"};
	static const char want[] = "f f0=0\nf f1=1\nf f2=2\nf f3=3\n"
				   "x f4=4\nx f5=5\nx f6=6\nf f7=7\n"
				   "x f8=8\nx f9=9\n"
				   "l link/abs=/etc/passwd\n"
				   "l link/gone=not/there\n"
				   "l link/up=../../../out\n"
				   "x sub/deep/tool=run\n";
	struct err e = ERR_INIT;
	struct place_pair p;
	struct stat st;
	mode_t mask;

	(void)state;
	open_pair(&p,
	    "d empty/inside\nx sub/deep/tool=run\nl link/up=../../../out\n"
	    "l link/abs=/etc/passwd\nl link/gone=not/there");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char name[8], text[8];

		(void)snprintf(name, sizeof(name), "f%zu", i);
		(void)snprintf(text, sizeof(text), "%zu", i);
		fix_put_file(fix_path(p.from, name), text,
		    (mode_t)strtoul(files[i], NULL, 8));
	}
	mask = umask(077);
	check_ok(tree_copy(p.root, "", p.from, &p.opts, &e), &e);
	(void)umask(mask);
	check_tree(p.to, want);
	check(stat(fix_path(p.to, "sub/deep"), &st) == 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_string_equal(p.talk.warned, "");
	close(p.root);
}

static void
test_where_it_goes(void **state)
{
	struct err e = ERR_INIT;
	struct place_pair p;
	char file[4200];

	(void)state;
	open_pair(&p, "f a=1\nf b/c=2");
	(void)snprintf(file, sizeof(file), "%s///", p.from);
	check_ok(tree_copy(p.root, "x/y", file, &p.opts, &e), &e);
	(void)snprintf(file, sizeof(file), "%s/a", p.from);
	check_ok(tree_copy(p.root, "x/one", file, &p.opts, &e), &e);
	check_tree(p.to, "f x/one=1\nf x/y/a=1\nf x/y/b/c=2\n");
	/* a link as the source itself is followed */
	(void)snprintf(file, sizeof(file), "%s/../link", p.from);
	check(symlink("from/b", file) == 0);
	check_ok(tree_copy(p.root, "l", file, &p.opts, &e), &e);
	check_tree(p.to, "f l/c=2\nf x/one=1\nf x/y/a=1\nf x/y/b/c=2\n");
	/* never out of the root */
	check_code(tree_copy(p.root, "../out", file, &p.opts, &e), ERR_INVALID);
	check(symlink("..", fix_path(p.to, "trap")) == 0);
	check_code(
	    tree_copy(p.root, "trap/l", file, &p.opts, &e), ERR_CONFLICT);
	check(access(fix_path(p.to, "../l"), F_OK) != 0);
	check_code(
	    tree_copy(p.root, "n", fix_path(p.from, "none"), &p.opts, &e),
	    ERR_NOT_FOUND);
	close(p.root);
}

static void
test_special_files_are_named(void **state)
{
	struct err e = ERR_INIT;
	struct place_pair p;
	char want[2 * sizeof(p.from) + 200];

	(void)state;
	open_pair(&p, "f a=1\np pipe\np sub/evil\x1b[1m\nf z=2");
	check_ok(tree_copy(p.root, "", p.from, &p.opts, &e), &e);
	check_tree(p.to, "f a=1\nf z=2\n");
	(void)snprintf(want, sizeof(want),
	    "%s/pipe is skipped: it is no file, folder or link\n"
	    "%s/sub/evil\\x1b[1m is skipped: it is no file, folder or link\n",
	    p.from, p.from);
	assert_string_equal(p.talk.warned, want);
	/* without anybody to tell */
	p.opts.warn = NULL;
	check_ok(tree_copy(p.root, "again", p.from, &p.opts, &e), &e);
	close(p.root);
}

static void
test_skip(void **state)
{
	static const char *const skip[] = {"a", "sub/x", "not-there", "su"};
	struct err e = ERR_INIT;
	struct place_pair p;

	(void)state;
	open_pair(&p,
	    "f a=1\nf ab=2\nf sub/a=3\nf sub/x/deep=4\nf sub/xy=5\nl su/l=t");
	p.opts.skip = skip;
	p.opts.nskip = sizeof(skip) / sizeof(skip[0]);
	check_ok(tree_copy(p.root, "", p.from, &p.opts, &e), &e);
	check_tree(p.to, "f ab=2\nf sub/a=3\nf sub/xy=5\n");
	close(p.root);
}

/* A source that holds the folder it is copied to. */
static void
test_not_into_itself(void **state)
{
	struct err e = ERR_INIT;
	struct place_pair p;

	(void)state;
	open_pair(&p, "f a=1\nf out/old=2\nf out/temp/b=3");
	close(p.root);
	p.root = open(fix_path(p.from, "out/temp"), O_RDONLY | O_CLOEXEC);
	check(p.root >= 0);
	check_ok(tree_copy(p.root, "by/app", p.from, &p.opts, &e), &e);
	check_tree(fix_path(p.from, "out/temp"),
	    "f b=3\nf by/app/a=1\nf by/app/out/old=2\n");
	close(p.root);
}

static void
test_stop_at_every_poll(void **state)
{
	struct err e = ERR_INIT;
	struct place_pair p;
	int n;

	(void)state;
	open_pair(&p, "f a=1\nf b/c=2\nl d=e\nd f");
	p.opts.stop = on_poll;
	check_ok(tree_copy(p.root, "all", p.from, &p.opts, &e), &e);
	n = p.talk.polls;
	check(n >= 5);
	for (p.talk.stop_at = 1; p.talk.stop_at <= n; p.talk.stop_at++) {
		char to[16];

		p.talk.polls = 0;
		(void)snprintf(to, sizeof(to), "%d", p.talk.stop_at);
		check_code(tree_copy(p.root, to, p.from, &p.opts, &e),
		    ERR_INTERRUPTED);
		assert_int_equal(p.talk.polls, p.talk.stop_at);
	}
	close(p.root);
}

/* More than one buffer, and holes, with and without the kernel's help. */
static void
test_big_file(void **state)
{
	static const int modes[] = {0, EXDEV, ENOSYS, EINVAL, EOPNOTSUPP};
	const size_t size = 2500000;
	char *bytes = malloc(size);
	struct err e = ERR_INIT;
	struct place_pair p;
	struct buf got;
	int fd;

	(void)state;
	check(bytes != NULL);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i < 1500000 ? 0 : i * 7 + i / 1000);
	open_pair(&p, "f big");
	fd = open(fix_path(p.from, "big"), O_WRONLY | O_CLOEXEC);
	check(fd >= 0);
	check_ok(file_pwrite_all(
		     fd, "big", bytes + 1500000, size - 1500000, 1500000, &e),
	    &e);
	close(fd);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		meddle.os = modes[i];
		check_ok(tree_copy(p.root, "", p.from, &p.opts, &e), &e);
		buf_init(&got, size);
		check_ok(file_read(p.root, "big", size, &got, &e), &e);
		check_same(buf_view(&got), view_of(bytes, size));
		buf_deinit(&got);
	}
	meddle.os = 0;
	free(bytes);
	close(p.root);
}

static void
test_disk_full_is_named(void **state)
{
	static const struct {
		int os;
		enum err_code rc;
	} rows[] = {
	    {ENOSPC, ERR_NOSPACE}, {EDQUOT, ERR_NOSPACE}, {EIO, ERR_IO}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = ERR_INIT;
		struct place_pair p;

		open_pair(&p, "f a=1\nf b=2");
		meddle.os = rows[i].os;
		check_code(
		    tree_copy(p.root, "", p.from, &p.opts, &e), rows[i].rc);
		meddle.os = 0;
		check(strstr(e.msg, fix_path(p.from, "a")) != NULL);
		check_tree(p.to, ""); /* nor anything unfinished */
		close(p.root);
	}
}

static void
test_source_changes(void **state)
{
	struct err e = ERR_INIT;
	struct place_pair p;
	char path[4200];

	(void)state;
	for (int by_hand = 0; by_hand < 2; by_hand++) {
		open_pair(&p, "f a=1\nf b=2");
		(void)snprintf(path, sizeof(path), "%s/b", p.from);
		meddle.os = by_hand ? EXDEV : 0;
		meddle.write = path;
		check_code(
		    tree_copy(p.root, "", path, &p.opts, &e), ERR_INVALID);
		meddle.write = path;
		check_code(
		    tree_copy(p.root, "b", path, &p.opts, &e), ERR_CHANGED);
		check(strstr(e.msg, path) != NULL);
		check_tree(p.to, "");
		meddle.os = 0;
		meddle.write = NULL;
		/* the next try finds it still */
		check_ok(tree_copy(p.root, "b", path, &p.opts, &e), &e);
		close(p.root);
	}
}

/* As somebody whom modes bind: the superuser reads everything. */
static int
copy_as_nobody(struct place_pair *p, const char *names)
{
	struct err e = ERR_INIT;

	if (geteuid() == 0 &&
	    (setgroups(0, NULL) != 0 || setresgid(65534, 65534, 65534) != 0 ||
		setresuid(65534, 65534, 65534) != 0))
		return 77;
	if (tree_copy(p->root, "", p->from, &p->opts, &e) != ERR_IO)
		return 1;
	return e.os == EACCES && strstr(e.msg, names) != NULL ? 0 : 2;
}

static void
test_unreadable_source(void **state)
{
	static const char *const rows[] = {"sub/file", "sub/folder"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct place_pair p;
		char path[4200];
		int status;
		pid_t pid;

		open_pair(&p, "f sub/file=1\nf sub/folder/x=2");
		(void)snprintf(path, sizeof(path), "%s/..", p.from);
		check(chmod(path, 0755) == 0);
		check(chmod(p.to, 0777) == 0);
		check(chmod(fix_path(p.from, rows[i]), 0) == 0);
		check((pid = fork()) >= 0);
		if (pid == 0)
			_exit(copy_as_nobody(&p, rows[i]));
		check(waitpid(pid, &status, 0) == pid);
		check(chmod(fix_path(p.from, rows[i]), 0700) == 0);
		close(p.root);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
			skip(); /* not allowed to become somebody else */
		assert_int_equal(status, 0);
	}
}

static void
test_long_path(void **state)
{
	char to[BENEATH_PATH_MAX + 1];
	struct err e = ERR_INIT;
	struct place_pair p;

	(void)state;
	open_pair(&p, "f abc=1");
	for (size_t i = 0; i < sizeof(to); i++)
		to[i] = i % 100 == 99 ? '/' : 'd';
	to[sizeof(to) - 4] = '\0'; /* "/abc" is one too many */
	check_code(tree_copy(p.root, to, p.from, &p.opts, &e), ERR_LIMIT);
	close(p.root);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_what_is_kept),
	    cmocka_unit_test(test_where_it_goes),
	    cmocka_unit_test(test_special_files_are_named),
	    cmocka_unit_test(test_skip),
	    cmocka_unit_test(test_not_into_itself),
	    cmocka_unit_test(test_stop_at_every_poll),
	    cmocka_unit_test(test_big_file),
	    cmocka_unit_test(test_disk_full_is_named),
	    cmocka_unit_test(test_source_changes),
	    cmocka_unit_test(test_unreadable_source),
	    cmocka_unit_test(test_long_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
