#include "cli/talk.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/out.h"

/* How long the rest of a password may take that comes in several writes. A
 * newline or the end of input is not waited for. */
#define REST_MS 250
#define ANSWER_MAX 256

static bool
stdin_answers(void)
{
	struct stat st;

	return fstat(STDIN_FILENO, &st) == 0 &&
	       (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) ||
		   S_ISREG(st.st_mode));
}

void
cli_talk_open(struct cli_talk *t, struct cli *c, enum cli_stdin in)
{
	*t = (struct cli_talk){c, CLI_TALK_NOBODY, -1, -1};
	if (in == CLI_STDIN_ANSWERS && stdin_answers()) {
		t->at = CLI_TALK_STDIN;
		t->in = STDIN_FILENO;
		t->out = c->common.json ? STDERR_FILENO : STDOUT_FILENO;
	} else if ((t->in = cli_ask_terminal(c)) >= 0) {
		t->at = CLI_TALK_TERMINAL;
		t->out = t->in;
	} else if (!c->common.json) {
		t->out = STDOUT_FILENO;
	}
}

void
cli_talk_close(struct cli_talk *t)
{
	if (t->at == CLI_TALK_TERMINAL)
		(void)close(t->in);
	*t = (struct cli_talk){t->c, CLI_TALK_NOBODY, -1, -1};
}

/* A prompt that nobody could see is a failure; one on standard output that
 * cannot be written is remembered there, as for every other result. */
static enum err_code
say(struct cli_talk *t, struct view text, struct err *e)
{
	struct buf b;
	enum err_code rc;

	cli_status_clear(t->c);
	if (t->out < 0)
		return ERR_OK;
	if (t->out == STDOUT_FILENO) {
		cli_out_write(t->c, text);
		return ERR_OK;
	}
	buf_init(&b, 1 << 20);
	buf_append(&b, text);
	if (buf_cstr(&b) == NULL)
		rc = buf_check(&b, e);
	else
		rc = cli_ask_say(t->out, buf_cstr(&b), e);
	buf_deinit(&b);
	return rc;
}

enum err_code
cli_talk_show(struct cli_talk *t, struct view text, struct err *e)
{
	return say(t, text, e);
}

static enum err_code
nobody(const char *prompt, struct err *e)
{
	size_t n = strlen(prompt);

	while (n > 0 && prompt[n - 1] == ' ')
		n--;
	return err_set(
	    e, ERR_INVALID, "%.*s There is nobody to ask", (int)n, prompt);
}

static enum err_code
ask(struct cli_talk *t, const char *prompt, char *buf, size_t cap, size_t *len,
    struct err *e)
{
	enum err_code rc;

	if (t->at == CLI_TALK_NOBODY)
		return nobody(prompt, e);
	if ((rc = say(t, view_str(prompt), e)) != ERR_OK)
		return rc;
	return cli_ask_line(t->in, buf, cap, len, e);
}

enum err_code
cli_talk_confirm(
    struct cli_talk *t, const char *prompt, bool *yes, struct err *e)
{
	char answer[ANSWER_MAX];
	enum err_code rc;
	size_t n = 0;

	for (;;) {
		rc = ask(t, prompt, answer, sizeof(answer), &n, e);
		if (rc == ERR_INVALID && t->at != CLI_TALK_NOBODY)
			n = 0; /* the end of input, or nonsense: no */
		else if (rc != ERR_OK)
			return rc;
		if (n == 0 || tolower((unsigned char)answer[0]) == 'n') {
			*yes = false;
			return ERR_OK;
		}
		if (tolower((unsigned char)answer[0]) == 'y') {
			*yes = true;
			return ERR_OK;
		}
		prompt = "\nAnswer with y[es] or n[o]: ";
	}
}

enum err_code
cli_talk_line(struct cli_talk *t, const char *prompt, char *buf, size_t cap,
    struct err *e)
{
	enum err_code rc;
	size_t from = 0;
	size_t n = 0;

	if ((rc = ask(t, prompt, buf, cap - 1, &n, e)) != ERR_OK)
		return rc;
	if (memchr(buf, '\0', n) != NULL)
		return err_set(e, ERR_INVALID, "a NUL is no part of a line");
	while (n > 0 && isspace((unsigned char)buf[n - 1]))
		n--;
	while (from < n && isspace((unsigned char)buf[from]))
		from++;
	memmove(buf, buf + from, n - from);
	buf[n - from] = '\0';
	return ERR_OK;
}

/* -- passwords -------------------------------------------------------------- */

/* As the reference takes one read() of a pipe: up to a control character, DEL
 * takes the last byte back. What follows stays there for the next question. */
static enum err_code
read_burst(int fd, char *buf, size_t *len, struct err *e)
{
	enum err_code rc;
	int wait = -1;
	size_t n = 0;
	char c = 0;
	int got = 0;

	while ((rc = cli_ask_byte(fd, wait, &c, &got, e)) == ERR_OK) {
		if (got == 0 && wait < 0)
			return err_set(e, ERR_INVALID, "end of input");
		if (got <= 0 || (unsigned char)c < ' ')
			break;
		wait = REST_MS;
		if (c == 0x7f) {
			n -= n > 0;
			continue;
		}
		if (n == CLI_PASSWORD_MAX) {
			rc = err_set(e, ERR_INVALID,
			    "the password is longer than %d bytes",
			    CLI_PASSWORD_MAX);
			break;
		}
		buf[n++] = c;
	}
	*len = n;
	explicit_bzero(&c, sizeof(c));
	return rc;
}

static enum err_code
ask_password(struct cli_talk *t, const char *prompt, char *buf, size_t *len,
    struct err *e)
{
	const struct cli_int *fd = &t->c->common.password_fd;
	enum err_code rc;

	if (fd->set && fd->n > 65535)
		return err_set(e, ERR_INVALID, "no such descriptor");
	if (fd->set)
		return cli_ask_line((int)fd->n, buf, CLI_PASSWORD_MAX, len, e);
	switch (t->at) {
	case CLI_TALK_NOBODY:
		return err_set(e, ERR_INVALID,
		    "password required: no terminal, and no --password-fd");
	case CLI_TALK_TERMINAL:
		cli_status_clear(t->c);
		return cli_ask_hidden(t->in, prompt, buf, len, e);
	case CLI_TALK_STDIN:
		break;
	}
	if ((rc = say(t, view_str(prompt), e)) == ERR_OK &&
	    (rc = read_burst(t->in, buf, len, e)) == ERR_OK)
		rc = say(t, view_str("\n"), e);
	return rc;
}

static enum err_code
check_again(struct cli_talk *t, const char *prompt, const char *buf, size_t len,
    struct err *e)
{
	char again[CLI_PASSWORD_MAX];
	size_t n = 0;
	enum err_code rc;

	rc = ask_password(t, prompt, again, &n, e);
	if (rc == ERR_OK && (n != len || memcmp(again, buf, len) != 0))
		rc = err_set(e, ERR_INVALID, "Passwords do not match");
	explicit_bzero(again, sizeof(again));
	return rc;
}

enum err_code
cli_talk_password(struct cli_talk *t, const struct cli_talk_password *how,
    char buf[static CLI_PASSWORD_MAX], size_t *len, struct err *e)
{
	enum err_code rc;
	size_t n = 0;

	rc = ask_password(t, how->prompt, buf, &n, e);
	if (rc == ERR_OK && n < how->min)
		rc = err_set(e, ERR_INVALID,
		    "Password must be at least %zu characters", how->min);
	if (rc == ERR_OK && how->again != NULL && !t->c->common.password_fd.set)
		rc = check_again(t, how->again, buf, n, e);
	if (rc != ERR_OK)
		explicit_bzero(buf, CLI_PASSWORD_MAX);
	else
		*len = n;
	return rc;
}
