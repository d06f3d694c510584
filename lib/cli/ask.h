/* ask: how prompt and talk read from descriptors. For lib/cli only. */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "cli/cli.h"

#define CLI_ASK_LATE (-1)

/* One byte; *n is 1, 0 at the end of input, CLI_ASK_LATE if nothing came for
 * wait_ms (-1: for ever). ERR_INTERRUPTED. */
NODISCARD enum err_code cli_ask_byte(
    int fd, int wait_ms, char *out, int *n, struct err *e);
/* A line without its end. Byte by byte, so that the next line stays there
 * for the next question. ERR_INVALID "end of input" without any. */
NODISCARD enum err_code cli_ask_line(
    int fd, char *buf, size_t cap, size_t *len, struct err *e);
NODISCARD enum err_code cli_ask_say(int fd, const char *text, struct err *e);
/* A line of CLI_PASSWORD_MAX bytes from a terminal with its echo off, which
 * is on again whatever happens. */
NODISCARD enum err_code cli_ask_hidden(
    int fd, const char *prompt, char *buf, size_t *len, struct err *e);
/* The terminal of the process, or -1 (also with --no-tty). */
int cli_ask_terminal(const struct cli *c);

#endif
