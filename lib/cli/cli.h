/*
 * cli: one command's run: common options, the conversation on stdout and
 * stderr, and the exit code (commands 1).
 *
 *	int main(int argc, char **argv)
 *	{
 *		struct touch_opts o = TOUCH_OPTS_DEFAULT;
 *		struct cli c;
 *		struct err e = ERR_INIT;
 *		enum err_code rc;
 *
 *		if (!cli_start(&c, &touch_spec, argc, argv, &o))
 *			return cli_exit(&c);
 *		rc = touch_run(&c, &o, &e);
 *		return cli_finish(&c, rc, &e);
 *	}
 *
 * Human text goes to stdout, talk (warnings, progress, errors, usage) to
 * stderr. With --json stdout has one object a line,
 * {"cmd":…,"tag":…,"data":…}, `final` always last. A failed write to stdout
 * makes the command fail. Nothing here is thread-safe.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <jansson.h>

#include "cli/opt.h"

enum cli_color { CLI_COLOR_AUTO, CLI_COLOR_ALWAYS, CLI_COLOR_NEVER };

/* Which common options --help shows; all are accepted everywhere. */
#define CLI_USES_STORE 1u
#define CLI_USES_NET 2u
#define CLI_USES_PASSWORD 4u

struct cli_common {
	const char *storage; /* directory; not NULL with USES_STORE */
	bool store_moved;
	bool offline;
	const char *bootstrap; /* "host:port,…" or NULL */
	const char *relay;     /* key of a blind relay, or NULL */
	bool json;
	bool tty; /* false with --no-tty */
	enum cli_color color;
	bool verbose;
	bool exit_compat; /* every failure is exit code 1 */
	struct cli_int password_fd;
};

struct cli_spec {
	const char *name;    /* "pear-touch" */
	const char *event;   /* "touch", the cmd of its events */
	const char *summary; /* one sentence */
	const struct cli_option *option;
	size_t noptions;
	const struct cli_arg *arg;
	size_t nargs;
	const char *const *example; /* NULL-terminated, or NULL */
	unsigned uses;		    /* CLI_USES_… */
	bool help_when_empty;	    /* no words at all: help, exit 0 */
};

struct cli {
	const struct cli_spec *spec;
	struct cli_common common;
	/* The rest belongs to lib/cli. */
	struct cli_raw { /* common options as written */
		const char *storage, *color, *log_level;
		bool help, version, help_man, menu, sidecar;
	} raw;
	char *storage; /* malloc, if made up */
	json_t *final; /* fields for the last event */
	bool out_tty, err_tty, finished;
	int out_errno; /* first failed write to stdout */
	int code;      /* of cli_exit() */
	bool status_shown;
	size_t status_rows; /* lines of it */
	int64_t status_at;  /* ms, monotonic */
};

/* Parse, prepare signals and descriptors. False: all is said (help, version
 * or a usage error). opts must outlive c. */
NODISCARD bool cli_start(struct cli *c, const struct cli_spec *spec, int argc,
    char *const *argv, void *opts);
/* After false from cli_start(). */
int cli_exit(struct cli *c);
/* The end: error and final events, flush, exit code. */
int cli_finish(struct cli *c, enum err_code rc, const struct err *e);

/* Exit codes of commands 1.4: 0, 1, 2 usage, 3 network, 4 verification,
 * 5 conflict, 6 partial commit, 130 interrupted. */
int cli_exit_code(enum err_code rc, const struct err *e, bool compat);

/* -- results (stdout) -- */

/* Human text and a newline; nothing with --json. Foreign strings go through
 * err_quote() first. */
void cli_line(struct cli *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Nobody reads standard output any more: a command that would run for ever
 * ends. A full disk is no such case. */
bool cli_unheard(const struct cli *c);
/* Raw bytes, in both modes (file contents to "-"). */
void cli_bytes_out(struct cli *c, struct view v);
/* An event; nothing without --json. Takes data (NULL = no data key). */
void cli_event(struct cli *c, const char *tag, json_t *data);
/* Fields of the final event (taken); "success" is added last if absent. */
void cli_final(struct cli *c, json_t *fields);
/* "✔ <text>" */
void cli_success(struct cli *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* One difference: event byte-diff and its line. Sizes in bytes; CHANGED with
 * two zeros means only metadata changed. */
enum cli_diff { CLI_DIFF_REMOVED = -1, CLI_DIFF_CHANGED, CLI_DIFF_ADDED };
void cli_diff(struct cli *c, enum cli_diff kind, struct view path,
    uint64_t old_size, uint64_t new_size);
/* With further fields of the event (taken, may be NULL). */
void cli_diff_more(struct cli *c, enum cli_diff kind, struct view path,
    uint64_t old_size, uint64_t new_size, json_t *more);

/* -- talk (stderr), in both modes -- */

void cli_warn(struct cli *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Only with -v. */
void cli_debug(struct cli *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* One line that is replaced by the next and erased before anything else is
 * printed; at most ten a second; nothing without a terminal. Foreign strings
 * go through err_quote() first. */
void cli_status(struct cli *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
void cli_status_clear(struct cli *c);
/* The same with several lines, "\n" between them: the caller keeps them fewer
 * than the terminal has. */
void cli_status_lines(struct cli *c, const char *text);
/* Columns and rows of the terminal; 80 and 24 if it does not tell. */
void cli_status_room(size_t *columns, size_t *rows);

/* -- small texts -- */

#define CLI_SIZE_MAX 32
/* 1000-based, one decimal at most: "512B", "1.2kB", "3MB". Returns out. */
const char *cli_size(char out[static CLI_SIZE_MAX], int64_t bytes);
/* A JSON string; bytes that are not UTF-8 come out escaped. */
json_t *cli_json_text(struct view v);
/* "" unless stdout shows colour. */
enum cli_style { CLI_PLAIN, CLI_BOLD, CLI_DIM, CLI_RED, CLI_GREEN, CLI_YELLOW };
const char *cli_style(const struct cli *c, enum cli_style s);

/* Help and man text, appended (used by cli_start). */
void cli_help(struct buf *b, const struct cli_spec *spec);
void cli_help_man(struct buf *b, const struct cli_spec *spec);

/* The common options, for help and for parsing. */
extern const struct cli_option cli_common_options[];
extern const size_t cli_common_count;

#endif
