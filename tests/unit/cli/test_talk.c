/* cli/talk: the same conversation at a terminal, on a pipe and with nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/talk.h"
#include "support/vec.h"

static const struct cli_spec spec = {"demo", "demo", "Asks things.", NULL, 0,
    NULL, 0, NULL, CLI_USES_PASSWORD, false};

enum where { AT_TERMINAL, ON_PIPE, ON_PIPE_JSON, NOWHERE };
enum end { OPEN_END, CLOSED_END }; /* of the pipe, after the last answer */

/* In the child: f's value is the exit status. */
static void
child(int (*f)(struct cli_talk *), enum where where)
{
	char name[] = "demo";
	char json[] = "--json";
	char no_tty[] = "--no-tty";
	char *argv[] = {name, NULL, NULL};
	int argc = 1;
	struct cli_talk t;
	struct cli c;
	int rc;

	if (where == ON_PIPE_JSON)
		argv[argc++] = json;
	if (where == NOWHERE)
		argv[argc++] = no_tty;
	(void)setenv("HOME", "/nowhere", 1);
	if (!cli_start(&c, &spec, argc, argv, NULL))
		_exit(99);
	cli_talk_open(&t, &c, CLI_STDIN_ANSWERS);
	rc = f(&t);
	cli_talk_close(&t);
	_exit(rc);
}

static pid_t
start(int (*f)(struct cli_talk *), enum where where, int *in, int *out)
{
	int to[2];
	int from[2];
	pid_t pid;

	if (where == AT_TERMINAL) {
		pid = forkpty(in, NULL, NULL, NULL);
		check(pid >= 0);
		if (pid == 0)
			child(f, where);
		*out = dup(*in);
		return pid;
	}
	check(pipe(to) == 0 && pipe(from) == 0);
	pid = fork();
	check(pid >= 0);
	if (pid == 0) {
		if (where == NOWHERE)
			to[0] = open("/dev/null", O_RDONLY);
		(void)dup2(to[0], STDIN_FILENO);
		(void)dup2(from[1],
		    where == ON_PIPE_JSON ? STDERR_FILENO : STDOUT_FILENO);
		(void)close(to[1]);
		(void)close(from[1]);
		child(f, where);
	}
	(void)close(to[0]);
	(void)close(from[1]);
	*in = to[1];
	*out = from[0];
	return pid;
}

/* Each answer is one write, after a prompt was seen. */
static int
converse(int (*f)(struct cli_talk *), enum where where, enum end end,
    const char *const *answers, char *shown, size_t cap)
{
	size_t n = 0;
	int status;
	int in;
	int out;
	pid_t pid = start(f, where, &in, &out);

	while (n + 1 < cap && read(out, shown + n, 1) == 1) {
		n++;
		if (n < 2 || shown[n - 1] != ' ' ||
		    strchr(":]", shown[n - 2]) == NULL)
			continue;
		if (*answers != NULL) {
			check(write(in, *answers, strlen(*answers)) >= 0);
			answers++;
		}
		if (*answers == NULL && end == CLOSED_END && in >= 0) {
			(void)close(in);
			in = -1;
		}
	}
	shown[n] = '\0';
	check(waitpid(pid, &status, 0) == pid);
	(void)close(in);
	(void)close(out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* -- yes or no -------------------------------------------------------------- */

static int
confirm(struct cli_talk *t)
{
	struct err e = ERR_INIT;
	bool yes;
	enum err_code rc = cli_talk_confirm(t, "Confirm? [y/N] ", &yes, &e);

	return rc != ERR_OK ? (int)rc : yes ? 100 : 101;
}

static void
test_confirm(void **state)
{
	static const struct {
		const char *answers[3];
		int result;
	} table[] = {
	    {{"y\n"}, 100},
	    {{"Yes\n"}, 100},
	    {{"n\n"}, 101},
	    {{"NO\n"}, 101},
	    {{"\n"}, 101},
	    {{"what\n", "y\n"}, 100},
	    {{"1\n", "n\n"}, 101},
	};
	static const char *const again = "Answer with y[es] or n[o]: ";
	char shown[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (enum where w = AT_TERMINAL; w <= ON_PIPE_JSON; w++) {
			assert_int_equal(
			    converse(confirm, w, OPEN_END, table[i].answers,
				shown, sizeof(shown)),
			    table[i].result);
			check(strstr(shown, "Confirm? [y/N] ") != NULL);
			check((strstr(shown, again) != NULL) ==
			      (table[i].answers[1] != NULL));
		}
	}
}

static void
test_confirm_without_answer(void **state)
{
	static const char *const none[] = {"", NULL};
	static const char *const half[] = {"y", NULL};
	static const char *const ctrl_c[] = {"\x03", NULL};
	char shown[1000];

	(void)state;
	assert_int_equal(
	    converse(confirm, ON_PIPE, CLOSED_END, none, shown, sizeof(shown)),
	    101);
	assert_int_equal(
	    converse(confirm, ON_PIPE, CLOSED_END, half, shown, sizeof(shown)),
	    100);
	assert_int_equal(converse(confirm, AT_TERMINAL, OPEN_END, ctrl_c, shown,
			     sizeof(shown)),
	    ERR_INTERRUPTED);
	assert_int_equal(
	    converse(confirm, NOWHERE, OPEN_END, none, shown, sizeof(shown)),
	    ERR_INVALID);
	assert_string_equal(shown, "");
}

/* -- lines ------------------------------------------------------------------ */

static int
line(struct cli_talk *t)
{
	struct err e = ERR_INIT;
	char buf[8];
	enum err_code rc;

	rc = cli_talk_line(t, "Choose a name: ", buf, sizeof(buf), &e);
	if (rc != ERR_OK)
		return (int)rc;
	return strcmp(buf, "a b") == 0 ? 100 : strcmp(buf, "") == 0 ? 101 : 102;
}

static void
test_line(void **state)
{
	static const struct {
		const char *answers[2];
		int result;
	} table[] = {
	    {{"a b\n"}, 100},
	    {{" a b \t\n"}, 100},
	    {{"\n"}, 101},
	    {{"  \n"}, 101},
	    {{"1234567\n"}, 102},
	    {{"12345678\n"}, ERR_INVALID},
	};
	char shown[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		for (enum where w = AT_TERMINAL; w <= ON_PIPE; w++)
			assert_int_equal(
			    converse(line, w, OPEN_END, table[i].answers, shown,
				sizeof(shown)),
			    table[i].result);
}

/* -- passwords -------------------------------------------------------------- */

static int
password_with(struct cli_talk *t, const char *again)
{
	const struct cli_talk_password how = {"Password: ", again, 8};
	char buf[CLI_PASSWORD_MAX];
	struct err e = ERR_INIT;
	size_t len = 0;
	enum err_code rc = cli_talk_password(t, &how, buf, &len, &e);

	if (rc != ERR_OK) {
		for (size_t i = 0; i < sizeof(buf); i++)
			if (buf[i] != 0)
				return 60;
		return strcmp(e.msg, "Passwords do not match") == 0 ? 50
		       : strcmp(e.msg,
			     "Password must be at least 8 characters") == 0
			   ? 51
			   : (int)rc;
	}
	return len == 10 && memcmp(buf, "hidden pw!", 10) == 0 ? 100 : 101;
}

static int
enter(struct cli_talk *t)
{
	return password_with(t, NULL);
}

static int
choose(struct cli_talk *t)
{
	return password_with(t, "Again: ");
}

static void
test_password(void **state)
{
	static const struct {
		const char *answers[3];
		int result;
	} once[] =
	    {
		{{"hidden pw!\n"}, 100},
		{{"hidden pw!\r"}, 100},
		{{"short\n"}, 51},
		{{"\n"}, 51},
		{{"hidden pw!x\n"}, 101},
	    },
	  twice[] = {
	      {{"hidden pw!\n", "hidden pw!\n"}, 100},
	      {{"hidden pw!\n", "hidden pw?\n"}, 50},
	      {{"hidden pw!\n", "hidden pw\n"}, 50},
	      {{"short\n"}, 51},
	  };
	char shown[1000];

	(void)state;
	for (enum where w = AT_TERMINAL; w <= ON_PIPE_JSON; w++) {
		for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
			assert_int_equal(
			    converse(enter, w, OPEN_END, once[i].answers, shown,
				sizeof(shown)),
			    once[i].result);
			check(strstr(shown, "Password: ") != NULL);
			check(strstr(shown, "hidden") == NULL);
		}
		for (size_t i = 0; i < sizeof(twice) / sizeof(twice[0]); i++)
			assert_int_equal(
			    converse(choose, w, OPEN_END, twice[i].answers,
				shown, sizeof(shown)),
			    twice[i].result);
	}
}

/* One write is a password: without a newline, and with the pipe open. DEL
 * takes a byte back, a control character is the end. */
static void
test_password_is_one_write(void **state)
{
	static const char *const one[] = {"hidden pw!", NULL};
	static const char *const two[] = {"hidden pw!", "hidden pw!", NULL};
	static const char *const both[] = {"hidden pw!\nhidden pw!\n", NULL};
	static const char *const typo[] = {"hidden px\x7fw!", NULL};
	static const char *const nothing[] = {"", NULL};
	static const char *const tab[] = {"hidden pw!\tx", NULL};
	char shown[1000];

	(void)state;
	assert_int_equal(
	    converse(enter, ON_PIPE, OPEN_END, one, shown, sizeof(shown)), 100);
	assert_string_equal(shown, "Password: \n");
	assert_int_equal(
	    converse(choose, ON_PIPE, OPEN_END, two, shown, sizeof(shown)),
	    100);
	assert_int_equal(
	    converse(choose, ON_PIPE, OPEN_END, both, shown, sizeof(shown)),
	    100);
	assert_int_equal(
	    converse(enter, ON_PIPE, OPEN_END, typo, shown, sizeof(shown)),
	    100);
	assert_int_equal(
	    converse(enter, ON_PIPE, OPEN_END, tab, shown, sizeof(shown)), 100);
	assert_int_equal(
	    converse(enter, ON_PIPE, CLOSED_END, nothing, shown, sizeof(shown)),
	    ERR_INVALID);
	assert_int_equal(
	    converse(enter, NOWHERE, OPEN_END, one, shown, sizeof(shown)),
	    ERR_INVALID);
}

static void
test_password_too_long(void **state)
{
	static char text[CLI_PASSWORD_MAX + 2];
	const char *const answers[] = {text, NULL};
	char shown[1000];

	(void)state;
	memset(text, 'a', CLI_PASSWORD_MAX + 1);
	assert_int_equal(
	    converse(enter, ON_PIPE, OPEN_END, answers, shown, sizeof(shown)),
	    ERR_INVALID);
}

/* --password-fd is asked once, says nothing, and leaves stdin alone. */
static int
from_descriptor(struct cli_talk *t)
{
	int fd[2];

	if (pipe(fd) != 0 || write(fd[1], "hidden pw!\nrest", 15) != 15)
		return 98;
	(void)close(fd[1]);
	t->c->common.password_fd = (struct cli_int){true, (uint64_t)fd[0]};
	return password_with(t, "Again: ");
}

static void
test_password_fd(void **state)
{
	static const char *const none[] = {NULL};
	char shown[1000];

	(void)state;
	for (enum where w = AT_TERMINAL; w <= NOWHERE; w++) {
		assert_int_equal(converse(from_descriptor, w, OPEN_END, none,
				     shown, sizeof(shown)),
		    100);
		assert_string_equal(shown, "");
	}
}

/* -- what is shown ---------------------------------------------------------- */

static int
show(struct cli_talk *t)
{
	struct err e = ERR_INIT;

	if (cli_talk_show(t, view_str("fields\n"), &e) != ERR_OK)
		return (int)e.code;
	return t->at == CLI_TALK_TERMINAL ? 100
	       : t->at == CLI_TALK_STDIN  ? 101
					  : 102;
}

static void
test_show(void **state)
{
	static const struct {
		enum where where;
		int result;
		const char *shown;
	} table[] = {
	    {AT_TERMINAL, 100, "fields\r\n"},
	    {ON_PIPE, 101, "fields\n"},
	    {ON_PIPE_JSON, 101, "fields\n"}, /* standard error */
	    {NOWHERE, 102, "fields\n"},
	};
	static const char *const none[] = {NULL};
	char shown[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(converse(show, table[i].where, OPEN_END, none,
				     shown, sizeof(shown)),
		    table[i].result);
		assert_string_equal(shown, table[i].shown);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_confirm),
	    cmocka_unit_test(test_confirm_without_answer),
	    cmocka_unit_test(test_line),
	    cmocka_unit_test(test_password),
	    cmocka_unit_test(test_password_is_one_write),
	    cmocka_unit_test(test_password_too_long),
	    cmocka_unit_test(test_password_fd),
	    cmocka_unit_test(test_show),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
