/* The options every command takes, and help made from the tables. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#define COMMON(f) offsetof(struct cli, common.f)
#define RAW(f) offsetof(struct cli, raw.f)

/* Offsets are into struct cli. */
const struct cli_option cli_common_options[] = {
    {"storage", 0, CLI_VALUE, RAW(storage), "<dir>",
	"Directory of the local store (PEAR_STORAGE; default "
	"$XDG_DATA_HOME/pear-release, else ~/.local/share/pear-release)",
	NULL},
    {"store-moved", 0, CLI_FLAG, COMMON(store_moved), NULL,
	"The store was moved here on purpose, and the old place is not "
	"used any more: write to it",
	NULL},
    {"offline", 0, CLI_FLAG, COMMON(offline), NULL,
	"Open no socket: work on what the store holds", NULL},
    {"dht-bootstrap", 0, CLI_VALUE, COMMON(bootstrap), "<nodes>", NULL, NULL},
    {"relay", 0, CLI_VALUE, COMMON(relay), "<key>", NULL, NULL},
    {"password-fd", 0, CLI_INT, COMMON(password_fd), "<n>",
	"Read passwords from this file descriptor, one a line "
	"(PEAR_KEY_PASSWORD_FD)",
	NULL},
    {"json", 0, CLI_FLAG, COMMON(json), NULL,
	"Print one JSON object a line: {\"cmd\",\"tag\",\"data\"}", NULL},
    {"tty", 0, CLI_NO_FLAG, COMMON(tty), NULL,
	"Behave as without a terminal: no progress, no questions", NULL},
    {"color", 0, CLI_VALUE, RAW(color), "<when>",
	"always, never or auto (NO_COLOR is honoured)", NULL},
    {"exit-compat", 0, CLI_FLAG, COMMON(exit_compat), NULL,
	"Exit with 1 for every failure", NULL},
    {"verbose", 'v', CLI_FLAG, COMMON(verbose), NULL,
	"Say more on standard error", NULL},
    {"help", 'h', CLI_FLAG, RAW(help), NULL, "Show this help", NULL},
    {"version", 0, CLI_FLAG, RAW(version), NULL, "Show the version", NULL},
    {"help-man", 0, CLI_FLAG, RAW(help_man), NULL, NULL, NULL},
    {"log-level", 'L', CLI_VALUE, RAW(log_level), "<level>", NULL, NULL},
    {"menu", 0, CLI_FLAG, RAW(menu), NULL, NULL, NULL},
    {"sidecar", 0, CLI_FLAG, RAW(sidecar), NULL, NULL, NULL},
};
const size_t cli_common_count =
    sizeof(cli_common_options) / sizeof(cli_common_options[0]);

/* Which commands a common option belongs to; 0 = all of them. */
static unsigned
use_of(const struct cli_option *o)
{
	static const struct {
		const char *name;
		unsigned use;
	} uses[] = {{"storage", CLI_USES_STORE},
	    {"store-moved", CLI_USES_STORE}, {"offline", CLI_USES_NET},
	    {"password-fd", CLI_USES_PASSWORD}};
	size_t i;

	for (i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
		if (strcmp(uses[i].name, o->name) == 0)
			return uses[i].use;
	return 0;
}

static bool
shown(const struct cli_spec *spec, const struct cli_option *o)
{
	unsigned use = use_of(o);
	size_t i;

	if (o->help == NULL || (use != 0 && (spec->uses & use) == 0))
		return false;
	for (i = 0; i < spec->noptions; i++) /* the command's own wins */
		if (&spec->option[i] != o &&
		    strcmp(spec->option[i].name, o->name) == 0)
			return false;
	return true;
}

/* "-d, --dry-run", "--storage <dir>" */
static void
spell(struct buf *b, const struct cli_option *o)
{
	if (o->letter != 0)
		buf_printf(b, "-%c, ", o->letter);
	buf_printf(b, "--%s%s", o->kind == CLI_NO_FLAG ? "no-" : "", o->name);
	if (o->value != NULL)
		buf_printf(b, " %s", o->value);
}

/* The text broken at spaces so that it fits beside a column. */
static void
wrapped(struct buf *b, const char *text, size_t indent, size_t column)
{
	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (column > indent && column + 1 + len > 78) {
			buf_byte(b, '\n');
			buf_fill(b, ' ', indent);
			column = indent;
		} else if (column > indent) {
			buf_byte(b, ' ');
			column++;
		}
		buf_append(b, view_of(text, len));
		column += len;
		text += len + strspn(text + len, " ");
	}
	buf_byte(b, '\n');
}

static void
row(struct buf *b, const char *name, const char *help)
{
	enum { indent = 24 };
	size_t n = strlen(name);

	buf_printf(b, "  %s", name);
	if (n + 4 > indent) {
		buf_byte(b, '\n');
		n = (size_t)-2;
	}
	buf_fill(b, ' ', indent - n - 2);
	wrapped(b, help, indent, indent);
}

static void
option_rows(struct buf *b, const struct cli_spec *spec,
    const struct cli_option *o, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct buf name;

		if (!shown(spec, &o[i]))
			continue;
		buf_init(&name, 200);
		spell(&name, &o[i]);
		row(b, buf_cstr(&name) != NULL ? buf_cstr(&name) : "",
		    o[i].help);
		buf_deinit(&name);
	}
}

static void
synopsis(struct buf *b, const struct cli_spec *spec)
{
	size_t i;

	buf_printf(b, "%s [options]", spec->name);
	for (i = 0; i < spec->nargs; i++)
		if (spec->arg[i].kind != CLI_ARG_IGNORED)
			buf_printf(b, " %s", spec->arg[i].name);
}

void
cli_help(struct buf *b, const struct cli_spec *spec)
{
	size_t i;

	buf_str(b, "Usage: ");
	synopsis(b, spec);
	buf_str(b, "\n\n");
	wrapped(b, spec->summary, 0, 0);
	for (i = 0; i < spec->nargs; i++) {
		if (spec->arg[i].help == NULL)
			continue;
		if (i == 0)
			buf_str(b, "\nArguments:\n");
		row(b, spec->arg[i].name, spec->arg[i].help);
	}
	if (spec->noptions > 0)
		buf_str(b, "\nOptions:\n");
	option_rows(b, spec, spec->option, spec->noptions);
	buf_str(b, "\nCommon options:\n");
	option_rows(b, spec, cli_common_options, cli_common_count);
	for (i = 0; spec->example != NULL && spec->example[i] != NULL; i++)
		buf_printf(b, "%s  %s\n", i == 0 ? "\nExamples:\n" : "",
		    spec->example[i]);
}

/* roff: dashes that are typed must be "\-". */
static void
roff(struct buf *b, const char *text)
{
	if (*text == '.' || *text == '\'')
		buf_str(b, "\\&");
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			buf_str(b, "\\e");
		else if (*text == '-')
			buf_str(b, "\\-");
		else
			buf_byte(b, (uint8_t)*text);
	}
}

static void
man_rows(struct buf *b, const struct cli_spec *spec, const struct cli_option *o,
    size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct buf name;

		if (!shown(spec, &o[i]))
			continue;
		buf_init(&name, 200);
		spell(&name, &o[i]);
		buf_str(b, ".TP\n.B ");
		roff(b, buf_cstr(&name) != NULL ? buf_cstr(&name) : "");
		buf_byte(b, '\n');
		roff(b, o[i].help);
		buf_str(b, ".\n");
		buf_deinit(&name);
	}
}

void
cli_help_man(struct buf *b, const struct cli_spec *spec)
{
	size_t i;

	buf_str(b, ".SH OPTIONS\n");
	for (i = 0; i < spec->nargs; i++) {
		if (spec->arg[i].help == NULL)
			continue;
		buf_str(b, ".TP\n.I ");
		roff(b, spec->arg[i].name);
		buf_byte(b, '\n');
		roff(b, spec->arg[i].help);
		buf_str(b, ".\n");
	}
	man_rows(b, spec, spec->option, spec->noptions);
	man_rows(b, spec, cli_common_options, cli_common_count);
}
