/* out: where lib/cli's bytes leave the process. For lib/cli only. */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include "cli/cli.h"

/* To stdout; the first failure is remembered in c->out_errno. */
void cli_out_write(struct cli *c, struct view v);
/* Flush and close; false, with a message, if any write failed. */
bool cli_out_close(struct cli *c);
/* To stderr, failures ignored. */
void cli_err_write(struct view v);
/* "✖ text" on stderr, control characters made harmless. */
void cli_err_mark(struct cli *c, const char *text);
bool cli_colored(const struct cli *c, bool is_tty);

#endif
