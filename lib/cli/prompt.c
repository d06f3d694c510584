#include "cli/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/stop.h"

static enum err_code
interrupted(struct err *e)
{
	return err_set(e, ERR_INTERRUPTED, "interrupted");
}

enum err_code
cli_ask_byte(int fd, int wait_ms, char *out, int *n, struct err *e)
{
	struct pollfd p = {fd, POLLIN, 0};
	ssize_t got;
	int ready;

	for (;;) {
		if (cli_stopping())
			return interrupted(e);
		ready = poll(&p, 1, wait_ms);
		if (ready < 0) {
			if (errno == EINTR)
				continue;
			return err_os(e, errno, "wait for input");
		}
		if (ready == 0) {
			*n = CLI_ASK_LATE;
			return ERR_OK;
		}
		got = read(fd, out, 1);
		if (got >= 0)
			break;
		if (errno != EINTR && errno != EAGAIN)
			return err_os(e, errno, "read from descriptor %d", fd);
	}
	*n = (int)got;
	return ERR_OK;
}

enum err_code
cli_ask_line(int fd, char *buf, size_t cap, size_t *len, struct err *e)
{
	enum err_code rc;
	size_t n = 0;
	int got = 0;
	char c = 0;

	while ((rc = cli_ask_byte(fd, -1, &c, &got, e)) == ERR_OK) {
		if (got == 0 && n == 0)
			return err_set(e, ERR_INVALID, "end of input");
		if (got == 0 || c == '\n')
			break;
		if (n == cap)
			return err_set(e, ERR_INVALID,
			    "the line is longer than %zu bytes", cap);
		buf[n++] = c;
	}
	if (rc == ERR_OK && n > 0 && buf[n - 1] == '\r')
		n--;
	*len = n;
	explicit_bzero(&c, sizeof(c));
	return rc;
}

enum err_code
cli_ask_say(int fd, const char *text, struct err *e)
{
	size_t n = strlen(text);

	while (n > 0) {
		ssize_t put = write(fd, text, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return err_os(e, errno, "write to the terminal");
		text += put;
		n -= (size_t)put;
	}
	return ERR_OK;
}

int
cli_ask_terminal(const struct cli *c)
{
	return c->common.tty ? open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
			     : -1;
}

enum err_code
cli_confirm(
    struct cli *c, const char *question, const char *flag, struct err *e)
{
	int fd = cli_ask_terminal(c);
	char answer[16];
	size_t n = 0;
	enum err_code rc;

	if (fd < 0)
		return err_set(e, ERR_INVALID,
		    "%s No terminal to ask at: say yes with %s", question,
		    flag);
	cli_status_clear(c);
	if ((rc = cli_ask_say(fd, question, e)) == ERR_OK &&
	    (rc = cli_ask_say(fd, " [y/N] ", e)) == ERR_OK)
		rc = cli_ask_line(fd, answer, sizeof(answer), &n, e);
	(void)close(fd);
	if (rc == ERR_OK && !(n == 1 && (answer[0] | 0x20) == 'y') &&
	    !(n == 3 && strncasecmp(answer, "yes", 3) == 0))
		rc = err_set(e, ERR_INVALID, "not confirmed; nothing done");
	return rc;
}

enum err_code
cli_ask_hidden(
    int fd, const char *prompt, char *buf, size_t *len, struct err *e)
{
	struct termios old;
	struct termios quiet;
	enum err_code rc;

	if (tcgetattr(fd, &old) != 0)
		return err_os(e, errno, "ask the terminal for its state");
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	/* Quiet first: what is typed at the prompt must neither be shown nor
	 * be thrown away with what was typed before it. */
	if (tcsetattr(fd, TCSAFLUSH, &quiet) != 0)
		return err_os(e, errno, "turn off the terminal's echo");
	if ((rc = cli_ask_say(fd, prompt, e)) == ERR_OK)
		rc = cli_ask_line(fd, buf, CLI_PASSWORD_MAX, len, e);
	if (tcsetattr(fd, TCSADRAIN, &old) != 0 && rc == ERR_OK)
		rc = err_os(e, errno, "turn on the terminal's echo");
	if (cli_ask_say(fd, "\n", NULL) != ERR_OK && rc == ERR_OK)
		rc = err_set(e, ERR_IO, "write to the terminal");
	return rc;
}

static enum err_code
ask_again(int fd, const char *buf, size_t len, struct err *e)
{
	char again[CLI_PASSWORD_MAX];
	size_t n = 0;
	enum err_code rc;

	rc = cli_ask_hidden(fd, "Again: ", again, &n, e);
	if (rc == ERR_OK && (n != len || memcmp(again, buf, len) != 0))
		rc = err_set(e, ERR_INVALID, "the two passwords differ");
	explicit_bzero(again, sizeof(again));
	return rc;
}

static enum err_code
from_terminal(struct cli *c, enum cli_password kind, const char *prompt,
    char *buf, size_t *len, struct err *e)
{
	int fd = cli_ask_terminal(c);
	enum err_code rc;

	if (fd < 0)
		return err_set(e, ERR_INVALID,
		    "password required: no terminal, and no --password-fd");
	cli_status_clear(c);
	rc = cli_ask_hidden(fd, prompt, buf, len, e);
	if (rc == ERR_OK && kind == CLI_PASSWORD_NEW)
		rc = ask_again(fd, buf, *len, e);
	(void)close(fd);
	return rc;
}

enum err_code
cli_password(struct cli *c, enum cli_password kind, const char *prompt,
    size_t min, char buf[static CLI_PASSWORD_MAX], size_t *len, struct err *e)
{
	enum err_code rc;
	size_t n = 0;

	if (!c->common.password_fd.set)
		rc = from_terminal(c, kind, prompt, buf, &n, e);
	else if (c->common.password_fd.n > 65535)
		rc = err_set(e, ERR_INVALID, "no such descriptor");
	else
		rc = cli_ask_line(
		    (int)c->common.password_fd.n, buf, CLI_PASSWORD_MAX, &n, e);
	if (rc == ERR_OK && n < min)
		rc = err_set(e, ERR_INVALID,
		    "the password must have at least %zu bytes", min);
	if (rc != ERR_OK) {
		explicit_bzero(buf, CLI_PASSWORD_MAX);
		return err_wrap(e, "password");
	}
	*len = n;
	return ERR_OK;
}
