/* cli/prompt and status: questions at a pseudo terminal, passwords from a
 * descriptor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/prompt.h"
#include "cli/stop.h"
#include "support/vec.h"

static const struct cli_spec spec = {"pear-demo", "demo", "Shows things.", NULL,
    0, NULL, 0, NULL, CLI_USES_PASSWORD, false};

static struct cli
with_fd(int fd)
{
	struct cli c;

	memset(&c, 0, sizeof(c));
	c.spec = &spec;
	c.common.password_fd = (struct cli_int){true, (uint64_t)fd};
	return c;
}

static int
pipe_of(const char *text)
{
	int fd[2];

	check(pipe(fd) == 0);
	check(write(fd[1], text, strlen(text)) == (ssize_t)strlen(text));
	(void)close(fd[1]);
	return fd[0];
}

/* One line a question; the next one stays for the next. */
static void
lines_of_a_descriptor(void **state)
{
	char buf[CLI_PASSWORD_MAX];
	struct err e = ERR_INIT;
	size_t len = 0;
	int fd = pipe_of("first one\nsecond\r\nlast");
	struct cli c = with_fd(fd);

	(void)state;
	check_ok(
	    cli_password(&c, CLI_PASSWORD_NEW, "p: ", 8, buf, &len, &e), &e);
	check_same(view_of(buf, len), view_str("first one"));
	check_ok(
	    cli_password(&c, CLI_PASSWORD_ENTER, "p: ", 1, buf, &len, &e), &e);
	check_same(view_of(buf, len), view_str("second"));
	check_code(
	    cli_password(&c, CLI_PASSWORD_ENTER, "p: ", 8, buf, &len, &e),
	    ERR_INVALID);
	assert_string_equal(
	    e.msg, "password: the password must have at least 8 bytes");
	check(buf[0] == 0); /* nothing is left of the short one */
	check_code(
	    cli_password(&c, CLI_PASSWORD_ENTER, "p: ", 0, buf, &len, &e),
	    ERR_INVALID);
	assert_string_equal(e.msg, "password: end of input");
	(void)close(fd);
}

static void
bad_descriptors(void **state)
{
	char buf[CLI_PASSWORD_MAX];
	char text[CLI_PASSWORD_MAX + 2];
	struct err e = ERR_INIT;
	size_t len = 0;
	struct cli c = with_fd(4711);

	(void)state;
	check(cli_password(&c, CLI_PASSWORD_ENTER, "p: ", 1, buf, &len, &e) !=
	      ERR_OK);
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	c = with_fd(pipe_of(text));
	check_code(
	    cli_password(&c, CLI_PASSWORD_ENTER, "p: ", 1, buf, &len, &e),
	    ERR_INVALID);
}

static void
nobody_to_ask(void **state)
{
	struct cli c;
	char buf[CLI_PASSWORD_MAX];
	struct err e = ERR_INIT;
	size_t len;

	(void)state;
	memset(&c, 0, sizeof(c));
	check_code(cli_confirm(&c, "Really?", "--yes", &e), ERR_INVALID);
	assert_string_equal(
	    e.msg, "Really? No terminal to ask at: say yes with --yes");
	check_code(
	    cli_password(&c, CLI_PASSWORD_ENTER, "p: ", 1, buf, &len, &e),
	    ERR_INVALID);
}

/* Run f with a terminal of its own, type the lines (each after "? " or ": "
 * was shown), keep what was shown. Returns f's value. */
static int
at_terminal(
    int (*f)(struct cli *), const char *const *lines, char *shown, size_t cap)
{
	size_t n = 0;
	int status;
	int fd;
	pid_t pid = forkpty(&fd, NULL, NULL, NULL);

	check(pid >= 0);
	if (pid == 0) {
		char name[] = "pear-demo";
		char *argv[] = {name, NULL};
		struct cli c;

		(void)setenv("HOME", "/nowhere", 1);
		if (!cli_start(&c, &spec, 1, argv, NULL))
			_exit(99);
		_exit(f(&c));
	}
	while (n + 1 < cap) {
		ssize_t got = read(fd, shown + n, 1);

		if (got <= 0)
			break;
		n++;
		if (*lines != NULL && n >= 2 && shown[n - 1] == ' ' &&
		    strchr(":]", shown[n - 2]) != NULL) {
			check(write(fd, *lines, strlen(*lines)) > 0);
			lines++;
		}
	}
	shown[n] = '\0';
	check(waitpid(pid, &status, 0) == pid);
	(void)close(fd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
ask_password(struct cli *c)
{
	char buf[CLI_PASSWORD_MAX];
	struct err e = ERR_INIT;
	size_t len = 0;
	enum err_code rc;

	rc = cli_password(c, CLI_PASSWORD_NEW, "Password: ", 8, buf, &len, &e);
	if (rc == ERR_OK && (len != 10 || memcmp(buf, "hidden pw!", 10) != 0))
		return 50;
	return cli_finish(c, rc, &e);
}

static void
password_is_not_shown(void **state)
{
	static const char *const same[] = {
	    "hidden pw!\n", "hidden pw!\n", NULL};
	static const char *const other[] = {
	    "hidden pw!\n", "hidden pw?\n", NULL};
	static const char *const ctrl_c[] = {"hid\x03", NULL};
	char shown[1000];

	(void)state;
	assert_int_equal(
	    at_terminal(ask_password, same, shown, sizeof(shown)), 0);
	check(strstr(shown, "Password: ") != NULL);
	check(strstr(shown, "hidden") == NULL);
	assert_int_equal(
	    at_terminal(ask_password, other, shown, sizeof(shown)), 1);
	check(strstr(shown, "the two passwords differ") != NULL);
	assert_int_equal(
	    at_terminal(ask_password, ctrl_c, shown, sizeof(shown)), 130);
	check(strstr(shown, "hid") == NULL);
}

static int
ask_confirm(struct cli *c)
{
	struct err e = ERR_INIT;

	return cli_finish(c, cli_confirm(c, "Cut it?", "--yes", &e), &e);
}

static void
confirmation(void **state)
{
	static const struct {
		const char *answer;
		int code;
	} rows[] = {{"y\n", 0}, {"YES\n", 0}, {"n\n", 1}, {"\n", 1},
	    {"yep\n", 1}, {"\x03", 130}};
	char shown[1000];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *lines[] = {rows[i].answer, NULL};

		assert_int_equal(
		    at_terminal(ask_confirm, lines, shown, sizeof(shown)),
		    rows[i].code);
		check(strstr(shown, "Cut it? [y/N] ") != NULL);
	}
}

static int
show_status(struct cli *c)
{
	struct err e = ERR_INIT;

	cli_status(c, "working %d", 1);
	cli_status(c, "working %d", 2); /* too soon: not shown */
	cli_warn(c, "careful");
	return cli_finish(c, ERR_OK, &e);
}

static void
status_line(void **state)
{
	static const char *const none[] = {NULL};
	char shown[1000];

	(void)state;
	assert_int_equal(
	    at_terminal(show_status, none, shown, sizeof(shown)), 0);
	assert_string_equal(shown, "\r\033[Kworking 1\r\033[Kcareful\r\n");
}

static int
show_lines(struct cli *c)
{
	struct err e = ERR_INIT;

	cli_status_lines(c, "one\ntwo\nthree");
	cli_status_lines(c, "four\nfive");
	cli_warn(c, "careful");
	cli_status_lines(c, "six");
	return cli_finish(c, ERR_OK, &e);
}

/* The next lines come where the last ones began, and all go before a line
 * that stays. */
static void
status_lines(void **state)
{
	static const char *const none[] = {NULL};
	char shown[1000];

	(void)state;
	assert_int_equal(
	    at_terminal(show_lines, none, shown, sizeof(shown)), 0);
	assert_string_equal(shown, "\r\033[Kone\r\ntwo\r\nthree"
				   "\r\033[K\033[2A\033[Jfour\r\nfive"
				   "\r\033[K\033[1A\033[Jcareful\r\n"
				   "\r\033[Ksix\r\033[K");
}

static int
take_hup(struct cli *c)
{
	struct err e = ERR_INIT;

	cli_stop_keep_hup();
	check(!cli_stop_hup());
	check(raise(SIGHUP) == 0 && !cli_stopping());
	check(cli_stop_hup() && !cli_stop_hup());
	check(raise(SIGTERM) == 0 && cli_stopping());
	return cli_finish(c, ERR_OK, &e);
}

static void
hang_up_is_kept(void **state)
{
	static const char *const none[] = {NULL};
	char shown[1000];

	(void)state;
	assert_int_equal(at_terminal(take_hup, none, shown, sizeof(shown)), 0);
	assert_string_equal(shown, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_of_a_descriptor),
	    cmocka_unit_test(bad_descriptors),
	    cmocka_unit_test(nobody_to_ask),
	    cmocka_unit_test(password_is_not_shown),
	    cmocka_unit_test(confirmation),
	    cmocka_unit_test(status_line),
	    cmocka_unit_test(status_lines),
	    cmocka_unit_test(hang_up_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
