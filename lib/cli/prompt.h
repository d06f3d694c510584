/*
 * prompt: questions at the terminal. Passwords come from the terminal
 * without echo, or line by line from --password-fd. The caller's buffer is
 * the only copy left behind; the caller wipes it.
 */
#ifndef CLI_PROMPT_H
#define CLI_PROMPT_H

#include "cli/cli.h"

#define CLI_PASSWORD_MAX 1024

/* ERR_OK: yes. ERR_INVALID: no, or nobody to ask (the text names `flag`,
 * which answers in advance). ERR_INTERRUPTED. */
NODISCARD enum err_code cli_confirm(
    struct cli *c, const char *question, const char *flag, struct err *e);

enum cli_password {
	CLI_PASSWORD_ENTER,
	CLI_PASSWORD_NEW /* asked twice at a terminal */
};
/* At least min bytes, at most CLI_PASSWORD_MAX; *len without newline. */
NODISCARD enum err_code cli_password(struct cli *c, enum cli_password kind,
    const char *prompt, size_t min, char buf[static CLI_PASSWORD_MAX],
    size_t *len, struct err *e);

#endif
