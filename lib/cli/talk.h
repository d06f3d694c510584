/*
 * talk: a conversation in the manner of hypercore-sign, for commands that
 * scripts of the reference drive (commands.md 8.4). Questions are literal.
 *
 * Where it takes place is decided once: if standard input is a pipe, socket
 * or file, answers come from there and prompts go to standard output (to
 * standard error with --json); else at the terminal of the process, which
 * then also shows what is to be read before an answer, wherever standard
 * output leads. Where there is neither, every question fails.
 *
 *	cli_talk_open(&t, c, CLI_STDIN_ANSWERS);
 *	cli_talk_show(&t, buf_view(&text));
 *	rc = cli_talk_confirm(&t, "Confirm? [y/N] ", &yes, e);
 *	cli_talk_close(&t);
 */
#ifndef CLI_TALK_H
#define CLI_TALK_H

#include "cli/prompt.h"

enum cli_talk_at { CLI_TALK_NOBODY, CLI_TALK_TERMINAL, CLI_TALK_STDIN };

struct cli_talk {
	struct cli *c;
	enum cli_talk_at at;
	int in;	 /* -1: nobody */
	int out; /* STDOUT_FILENO, STDERR_FILENO or the terminal; -1: none */
};

/* TAKEN: standard input was something else's, such as the request itself. */
enum cli_stdin { CLI_STDIN_ANSWERS, CLI_STDIN_TAKEN };
void cli_talk_open(struct cli_talk *t, struct cli *c, enum cli_stdin in);
void cli_talk_close(struct cli_talk *t);

/* Text for whoever answers; without anybody, to standard output unless
 * --json. Foreign strings go through err_quote() first. */
NODISCARD enum err_code cli_talk_show(
    struct cli_talk *t, struct view text, struct err *e);

/* y… or n…; an empty line and the end of input are no. Asks again for other
 * answers. ERR_INVALID if there is nobody. */
NODISCARD enum err_code cli_talk_confirm(
    struct cli_talk *t, const char *prompt, bool *yes, struct err *e);
/* A line, NUL-terminated, without blanks around it. */
NODISCARD enum err_code cli_talk_line(struct cli_talk *t, const char *prompt,
    char *buf, size_t cap, struct err *e);

/* A password of at least min bytes. It comes from --password-fd (a line,
 * nothing is shown), from the terminal without echo, or from standard input:
 * what one write put there, up to a control character; no newline is needed.
 * NEW: `again` is asked too, and must be the same, except with --password-fd.
 * ERR_INVALID "Passwords do not match". The caller wipes buf. */
struct cli_talk_password {
	const char *prompt;
	const char *again; /* NULL: ask once */
	size_t min;
};
NODISCARD enum err_code cli_talk_password(struct cli_talk *t,
    const struct cli_talk_password *how, char buf[static CLI_PASSWORD_MAX],
    size_t *len, struct err *e);

#endif
