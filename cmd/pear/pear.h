/*
 * pear: the dispatcher (commands 1.1). "pear CMD ..." becomes "pear-CMD ...",
 * found beside this program, else in PATH. No shell is involved.
 */
#ifndef CMD_PEAR_PEAR_H
#define CMD_PEAR_PEAR_H

#include "cli/cli.h"

struct pear_opts {
	const char *command; /* for help and unknown commands */
};

extern const struct cli_spec pear_spec;

struct pear_command {
	const char *name, *summary;
};
extern const struct pear_command pear_commands[];
extern const size_t pear_command_count;

/* Is this a command that may be run? Names only: no slashes, no dots. */
bool pear_is_name(const char *word);
/* The nearest known command, or NULL if none is near. */
const char *pear_suggest(const char *word);
/* Replace this process; returns only with an error (ERR_USAGE: unknown). */
NODISCARD enum err_code pear_exec(
    const char *command, char *const *argv, struct err *e);

#endif
