/* cli/cli, out, common: what a run says and how it ends. Every case runs in
 * a child, because a run owns the process's descriptors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/stop.h"
#include "support/vec.h"

struct opts {
	bool dry;
	const char *link;
};

static const struct cli_option options[] = {
    {"dry-run", 'd', CLI_FLAG, offsetof(struct opts, dry), NULL,
	"Only show what would happen", NULL},
};
static const struct cli_arg args[] = {
    {"<link>", CLI_ARG, offsetof(struct opts, link), "A pear link"},
    {"[dir]", CLI_ARG_IGNORED, 0, NULL},
};
static const char *const examples[] = {"pear-demo pear://key", NULL};
static const struct cli_spec spec = {"pear-demo", "demo", "Shows things.",
    options, 1, args, 2, examples, CLI_USES_STORE, false};

struct result {
	int code;
	char out[8192], err[8192];
};

static void
slurp(const char *path, char *to, size_t cap)
{
	struct buf b;
	struct err e = ERR_INIT;

	buf_init(&b, cap - 1);
	check_ok(file_read(AT_FDCWD, path, cap - 1, &b, &e), &e);
	if (b.len > 0)
		memcpy(to, b.data, b.len);
	to[b.len] = '\0';
	buf_deinit(&b);
}

static void
redirect(int to, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || dup2(fd, to) != to)
		_exit(99);
	(void)close(fd);
}

static void
run(struct result *r, const char *out_path,
    int (*f)(struct cli *, const struct opts *), char *const *argv)
{
	static char out[4200];
	static char err[4200];
	int argc = 0;
	int status;
	pid_t pid;

	(void)snprintf(out, sizeof(out), "%s/out", vec_tmpdir());
	(void)snprintf(err, sizeof(err), "%s/err", vec_tmpdir());
	while (argv[argc] != NULL)
		argc++;
	pid = fork();
	check(pid >= 0);
	if (pid == 0) {
		struct opts o = {false, NULL};
		struct cli c;

		redirect(1, out_path != NULL ? out_path : out);
		redirect(2, err);
		if (!cli_start(&c, &spec, argc, argv, &o))
			_exit(cli_exit(&c));
		_exit(f(&c, &o));
	}
	check(waitpid(pid, &status, 0) == pid);
	check(WIFEXITED(status));
	r->code = WEXITSTATUS(status);
	r->out[0] = '\0';
	if (out_path == NULL)
		slurp(out, r->out, sizeof(r->out));
	slurp(err, r->err, sizeof(r->err));
}

#define ARGV(...) ((char *const[]){(char[]){"pear-demo"}, __VA_ARGS__, NULL})
#define W(s) ((char[]){s})

static int
succeed(struct cli *c, const struct opts *o)
{
	cli_line(c, "link %s", o->link);
	cli_event(c, "start", NULL);
	cli_event(c, "link", json_pack("{s:s,s:i}", "link", o->link, "n", 3));
	cli_final(c, json_pack("{s:i}", "count", 2));
	return cli_finish(c, ERR_OK, NULL);
}

static int
refuse(struct cli *c, const struct opts *o)
{
	struct err e = ERR_INIT;
	enum err_code rc;

	(void)o;
	rc = err_set(&e, ERR_NOT_FOUND, "core \x1b[2J is not here");
	cli_final(c, json_pack("{s:i}", "count", 2));
	return cli_finish(c, rc, &e);
}

static void
human_and_json(void **state)
{
	struct result r;

	(void)state;
	run(&r, NULL, succeed, ARGV(W("L")));
	assert_int_equal(r.code, 0);
	assert_string_equal(r.out, "link L\n");
	assert_string_equal(r.err, "");
	run(&r, NULL, succeed, ARGV(W("L"), W("--json"), W("ignored")));
	assert_int_equal(r.code, 0);
	assert_string_equal(r.out,
	    "{\"cmd\":\"demo\",\"tag\":\"start\"}\n"
	    "{\"cmd\":\"demo\",\"tag\":\"link\",\"data\":{\"link\":\"L\","
	    "\"n\":3}}\n"
	    "{\"cmd\":\"demo\",\"tag\":\"final\",\"data\":{\"count\":2,"
	    "\"success\":true}}\n");
}

static void
errors(void **state)
{
	struct result r;

	(void)state;
	run(&r, NULL, refuse, ARGV(W("L")));
	assert_int_equal(r.code, 1);
	assert_string_equal(r.out, "");
	assert_string_equal(r.err, "\xe2\x9c\x96 core ?[2J is not here\n");
	run(&r, NULL, refuse, ARGV(W("--json"), W("L")));
	assert_string_equal(r.out,
	    "{\"cmd\":\"demo\",\"tag\":\"error\",\"data\":{\"code\":"
	    "\"ERR_NOT_FOUND\",\"message\":\"core \\u001b[2J is not here\","
	    "\"success\":false,\"info\":null}}\n"
	    "{\"cmd\":\"demo\",\"tag\":\"final\",\"data\":{\"success\":false}}"
	    "\n");
}

static void
usage(void **state)
{
	struct result r;

	(void)state;
	run(&r, NULL, succeed, ARGV(W("--what")));
	assert_int_equal(r.code, 2);
	assert_string_equal(r.out, "");
	check(strstr(r.err, "\xe2\x9c\x96 Unrecognized Flag: --what\n"
			    "Usage: pear-demo [options] <link>\n") == r.err);
	run(&r, NULL, succeed, ARGV(W("--exit-compat"), W("--dry-run")));
	assert_int_equal(r.code, 1);
	check(strstr(r.err, "\xe2\x9c\x96 <link>\n") == r.err);
	run(&r, NULL, succeed, ARGV(W("--what"), W("--json")));
	assert_int_equal(r.code, 2);
	check(strstr(r.out, "\"code\":\"ERR_USAGE\"") != NULL);
	run(&r, NULL, succeed, ARGV(W("L"), W("--color=blue")));
	assert_int_equal(r.code, 2);
}

static void
ignored_flags(void **state)
{
	struct result r;

	(void)state;
	run(&r, NULL, succeed,
	    ARGV(W("--menu"), W("-L"), W("2"), W("--sidecar"), W("L"),
		W("--log-level=3")));
	assert_int_equal(r.code, 0);
	assert_string_equal(r.out, "link L\n");
}

static void
help(void **state)
{
	struct result r;

	(void)state;
	run(&r, NULL, succeed, ARGV(W("--help"), W("--what")));
	assert_int_equal(r.code, 0);
	check(strstr(r.out, "Usage: pear-demo [options] <link>\n\n"
			    "Shows things.\n") == r.out);
	check(strstr(r.out, "  -d, --dry-run         Only show") != NULL);
	check(strstr(r.out, "--storage <dir>") != NULL);
	check(strstr(r.out, "--no-tty") != NULL);
	check(strstr(r.out, "pear-demo pear://key\n") != NULL);
	check(strstr(r.out, "--offline") == NULL);	 /* not used here */
	check(strstr(r.out, "--dht-bootstrap") == NULL); /* hidden */
	run(&r, NULL, succeed, ARGV(W("--version")));
	assert_string_equal(r.out, "pear-demo " PEAR_VERSION "\n");
	run(&r, NULL, succeed, ARGV(W("--help-man")));
	check(strstr(r.out, ".TP\n.B \\-d, \\-\\-dry\\-run\n"
			    "Only show what would happen.\n") != NULL);
}

static void
full_disk(void **state)
{
	struct result r;

	(void)state;
	if (access("/dev/full", W_OK) != 0)
		skip();
	run(&r, "/dev/full", succeed, ARGV(W("L")));
	assert_int_equal(r.code, 1);
	check(strstr(r.err, "write to standard output: No space") != NULL);
}

static int
closed_output(struct cli *c, const struct opts *o)
{
	int fd = open("/dev/null", O_RDONLY);

	(void)close(1); /* as a shell does with >&- */
	(void)dup2(fd, 1);
	return succeed(c, o);
}

static void
output_that_cannot_be_written(void **state)
{
	struct result r;

	(void)state;
	run(&r, NULL, closed_output, ARGV(W("L")));
	assert_int_equal(r.code, 1);
}

static int
print_storage(struct cli *c, const struct opts *o)
{
	(void)o;
	cli_line(c, "%s", c->common.storage);
	return cli_finish(c, ERR_OK, NULL);
}

static void
storage(void **state)
{
	struct result r;

	(void)state;
	(void)setenv("HOME", "/home/me", 1);
	(void)unsetenv("XDG_DATA_HOME");
	(void)unsetenv("PEAR_STORAGE");
	run(&r, NULL, print_storage, ARGV(W("L")));
	assert_string_equal(r.out, "/home/me/.local/share/pear-release\n");
	(void)setenv("XDG_DATA_HOME", "relative", 1);
	run(&r, NULL, print_storage, ARGV(W("L")));
	assert_string_equal(r.out, "/home/me/.local/share/pear-release\n");
	(void)setenv("XDG_DATA_HOME", "/data", 1);
	run(&r, NULL, print_storage, ARGV(W("L")));
	assert_string_equal(r.out, "/data/pear-release\n");
	(void)setenv("PEAR_STORAGE", "/env", 1);
	run(&r, NULL, print_storage, ARGV(W("L")));
	assert_string_equal(r.out, "/env\n");
	run(&r, NULL, print_storage, ARGV(W("L"), W("--storage"), W("/arg")));
	assert_string_equal(r.out, "/arg\n");
	(void)unsetenv("PEAR_STORAGE");
	(void)unsetenv("XDG_DATA_HOME");
	(void)unsetenv("HOME");
	run(&r, NULL, print_storage, ARGV(W("L")));
	assert_int_equal(r.code, 2);
	(void)setenv("HOME", "/home/me", 1);
}

static int
diffs(struct cli *c, const struct opts *o)
{
	(void)o;
	cli_diff(c, CLI_DIFF_ADDED, view_str("/a"), 0, 1200);
	cli_diff(c, CLI_DIFF_REMOVED, view_str("/b\n"), 7, 0);
	cli_diff(c, CLI_DIFF_CHANGED, view_str("/c"), 1000, 3000000);
	cli_diff(c, CLI_DIFF_CHANGED, view_str("/d"), 0, 0);
	cli_diff(c, CLI_DIFF_ADDED, view_str("/e"), 0, 0);
	return cli_finish(c, ERR_OK, NULL);
}

static void
diff_lines(void **state)
{
	struct result r;

	(void)state;
	run(&r, NULL, diffs, ARGV(W("L")));
	assert_string_equal(r.out,
	    "+ /a (+1.2kB)\n- /b\\x0a (-7B)\n~ /c (-1kB, +3MB)\n"
	    "~ /d (0B, 0B)\n+ /e (0B)\n");
	run(&r, NULL, diffs, ARGV(W("L"), W("--json")));
	check(strstr(r.out,
		  "{\"type\":1,\"sizes\":[1200],\"message\":\"/a\"}") != NULL);
	check(
	    strstr(r.out,
		"{\"type\":-1,\"sizes\":[-7],\"message\":\"/b\\n\"}") != NULL);
	check(strstr(r.out, "{\"type\":0,\"sizes\":[-1000,3000000],"
			    "\"message\":\"/c\"}") != NULL);
	run(&r, NULL, diffs, ARGV(W("L"), W("--color"), W("always")));
	check(strstr(r.out, "\033[32m+\033[0m /a (+1.2kB)\n") == r.out);
}

static void
sizes(void **state)
{
	static const struct {
		int64_t n;
		const char *text;
	} rows[] = {{0, "0B"}, {512, "512B"}, {999, "999B"}, {1000, "1kB"},
	    {1200, "1.2kB"}, {1249, "1.2kB"}, {1250, "1.3kB"},
	    {999949, "999.9kB"}, {999950, "1MB"}, {3000000, "3MB"},
	    {1500000000, "1.5GB"}, {-1200, "-1.2kB"}, {INT64_MAX, "9.2EB"},
	    {INT64_MIN, "-9.2EB"}};
	char text[CLI_SIZE_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(cli_size(text, rows[i].n), rows[i].text);
}

static void
exit_codes(void **state)
{
	static const struct {
		enum err_code rc;
		int code;
	} rows[] = {{ERR_OK, 0}, {ERR_IO, 1}, {ERR_INVALID, 1}, {ERR_USAGE, 2},
	    {ERR_PEERS, 3}, {ERR_NEED_BLOCK, 3}, {ERR_VERIFY, 4},
	    {ERR_CORRUPT, 4}, {ERR_CONFLICT, 5}, {ERR_INTERRUPTED, 130}};
	struct err e = ERR_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
		    cli_exit_code(rows[i].rc, NULL, false), rows[i].code);
	assert_int_equal(cli_exit_code(ERR_CONFLICT, NULL, true), 1);
	assert_int_equal(cli_exit_code(ERR_INTERRUPTED, NULL, true), 130);
	check(err_set(&e, ERR_IO, "x") == ERR_IO &&
	      err_tag(&e, "COMMIT_INCOMPLETE") == ERR_IO);
	assert_int_equal(cli_exit_code(ERR_IO, &e, false), 6);
}

static int
wait_for_stop(struct cli *c, const struct opts *o)
{
	struct err e = ERR_INIT;
	bool before = cli_stopping() || !cli_stop_wait(0);

	(void)o;
	(void)raise(SIGTERM);
	/* the wait is over before it begins */
	if (before || !cli_stop_poll(NULL) || cli_stop_wait(600))
		return 98;
	return cli_finish(c, err_set(&e, ERR_INTERRUPTED, "interrupted"), &e);
}

static int
two_interrupts(struct cli *c, const struct opts *o)
{
	(void)c;
	(void)o;
	(void)raise(SIGINT);
	(void)raise(SIGINT);
	return 97;
}

static void
signals(void **state)
{
	struct result r;

	(void)state;
	run(&r, NULL, wait_for_stop, ARGV(W("L"), W("--json")));
	assert_int_equal(r.code, 130);
	check(strstr(r.out, "\"success\":false}}\n") != NULL);
	run(&r, NULL, two_interrupts, ARGV(W("L")));
	assert_int_equal(r.code, 130);
}

static int
make_file(struct cli *c, const struct opts *o)
{
	int fd = open(o->link, O_WRONLY | O_CREAT, 0644);

	return fd > 2 ? cli_finish(c, ERR_OK, NULL) : 96;
}

/* Whatever the mask was, the owner can use what was made. */
static void
masks(void **state)
{
	char path[4200];
	struct result r;
	mode_t old = umask(0);

	(void)state;
	(void)umask(old);
	(void)snprintf(path, sizeof(path), "%s/made", vec_tmpdir());
	(void)umask(0);
	run(&r, NULL, make_file, ARGV(path));
	(void)umask(old);
	assert_int_equal(r.code, 0);
	check(access(path, R_OK | W_OK) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(human_and_json),
	    cmocka_unit_test(errors),
	    cmocka_unit_test(usage),
	    cmocka_unit_test(ignored_flags),
	    cmocka_unit_test(help),
	    cmocka_unit_test(full_disk),
	    cmocka_unit_test(output_that_cannot_be_written),
	    cmocka_unit_test(storage),
	    cmocka_unit_test(diff_lines),
	    cmocka_unit_test(sizes),
	    cmocka_unit_test(exit_codes),
	    cmocka_unit_test(signals),
	    cmocka_unit_test(masks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
