/*
 * opt: command lines from a table (commands 1.2). One table per command says
 * what it takes; parsing, --help and the man page's OPTIONS come from it.
 * Values land in the caller's options struct, whose start values are the
 * defaults. Flags may stand anywhere before "--".
 *
 *	static const struct cli_option options[] = {
 *		{ "dry-run", 'd', CLI_FLAG, offsetof(struct x_opts, dry),
 *		    NULL, "Only show what would happen", NULL },
 *	};
 */
#ifndef CLI_OPT_H
#define CLI_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum cli_kind {
	CLI_FLAG,    /* bool; --x sets, --no-x clears */
	CLI_NO_FLAG, /* the same, shown as --no-x: its default is true */
	CLI_VALUE,   /* const char *, from argv; the last one counts */
	CLI_LIST,    /* struct cli_list, one item each time it is given */
	CLI_COMMA,   /* struct cli_list, items between commas, trimmed */
	CLI_INT	     /* struct cli_int */
};

struct cli_int {
	bool set;
	uint64_t n; /* <= 2^53-1 */
};

struct cli_list {
	char **item; /* malloc, each too */
	size_t n, cap;
};

struct cli_option {
	const char *name; /* without dashes and without "no-" */
	char letter;	  /* 0 = none */
	enum cli_kind kind;
	size_t at;	     /* offsetof in the options struct */
	const char *value;   /* "<dir>" for people; NULL for flags */
	const char *help;    /* one sentence; NULL = hidden */
	const char *invalid; /* CLI_INT: own error text, or NULL */
};

enum cli_arg_kind {
	CLI_ARG,	/* const char * */
	CLI_ARG_REST,	/* struct cli_list: all that is left; must be last */
	CLI_ARG_IGNORED /* accepted for old scripts; nothing is stored */
};

struct cli_arg {
	const char *name; /* as shown: "<dir>" required, "[dir]" not */
	enum cli_arg_kind kind;
	size_t at;
	const char *help; /* NULL = not shown */
};

/* Options and where they go. */
struct cli_table {
	const struct cli_option *option;
	size_t n;
	void *to;
};

#define CLI_TABLES_MAX 3

struct cli_grammar {
	struct cli_table table[CLI_TABLES_MAX]; /* an earlier one wins */
	size_t ntables;
	const struct cli_arg *arg; /* stored in table[0].to */
	size_t nargs;
};

/* argv[0] is skipped. ERR_USAGE has the texts of commands 1.5. Required
 * arguments are checked by cli_opt_required(), so that --help works without
 * them; *nargs is the number of positional words. */
NODISCARD enum err_code cli_opt_parse(const struct cli_grammar *g, int argc,
    char *const *argv, size_t *nargs, struct err *e);
NODISCARD enum err_code cli_opt_required(
    const struct cli_grammar *g, size_t nargs, struct err *e);

/* The first positional word: its place in argv, or 0. For commands with
 * subcommands, whose own flags may stand before the word. */
int cli_opt_word(const struct cli_grammar *g, int argc, char *const *argv);

void cli_list_deinit(struct cli_list *l);

#endif
