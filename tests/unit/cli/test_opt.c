/* cli/opt: the grammar of commands 1.2 and the texts of 1.5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "cli/opt.h"
#include "support/vec.h"

struct opts {
	bool dry, force, tty;
	const char *out, *dir, *link;
	struct cli_list until, ignore, rest;
	struct cli_int n;
};

static const struct cli_option options[] = {
    {"dry-run", 'd', CLI_FLAG, offsetof(struct opts, dry), NULL, "", NULL},
    {"force", 'f', CLI_FLAG, offsetof(struct opts, force), NULL, "", NULL},
    {"tty", 0, CLI_NO_FLAG, offsetof(struct opts, tty), NULL, "", NULL},
    {"out", 'o', CLI_VALUE, offsetof(struct opts, out), "<x>", "", NULL},
    {"until", 0, CLI_LIST, offsetof(struct opts, until), "<k>", "", NULL},
    {"ignore", 0, CLI_COMMA, offsetof(struct opts, ignore), "<a,b>", "", NULL},
    {"max", 'm', CLI_INT, offsetof(struct opts, n), "<n>", "",
	"Changelog maximum must be an integer"},
    {"truncate", 0, CLI_INT, offsetof(struct opts, n), "<n>", "", NULL},
};
static const struct cli_arg args[] = {
    {"<link>", CLI_ARG, offsetof(struct opts, link), ""},
    {"[dir]", CLI_ARG, offsetof(struct opts, dir), ""},
};
static const struct cli_arg rest_args[] = {
    {"<link>", CLI_ARG, offsetof(struct opts, link), ""},
    {"[...more]", CLI_ARG_REST, offsetof(struct opts, rest), ""},
};

static struct cli_grammar
grammar(struct opts *o, bool with_rest)
{
	struct cli_grammar g = {
	    {{options, sizeof(options) / sizeof(options[0]), o}}, 1,
	    with_rest ? rest_args : args, 2};

	memset(o, 0, sizeof(*o));
	o->tty = true;
	return g;
}

static void
deinit(struct opts *o)
{
	cli_list_deinit(&o->until);
	cli_list_deinit(&o->ignore);
	cli_list_deinit(&o->rest);
}

/* Split "a b c" into words and parse it. */
static enum err_code
parse(struct opts *o, bool with_rest, const char *line, struct err *e)
{
	static char text[512];
	char *argv[32] = {text};
	struct cli_grammar g = grammar(o, with_rest);
	size_t nargs = 0;
	int argc = 1;
	char *save = NULL;
	char *word;
	enum err_code rc;

	check(strlen(line) < sizeof(text));
	strcpy(text, line);
	for (word = strtok_r(text, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	rc = cli_opt_parse(&g, argc, argv, &nargs, e);
	return rc == ERR_OK ? cli_opt_required(&g, nargs, e) : rc;
}

static void
forms(void **state)
{
	struct opts o;
	struct err e = ERR_INIT;

	(void)state;
	check_ok(parse(&o, false,
		     "L --dry-run D --out=a=b --truncate 7 --no-tty "
		     "--until p --until=q --ignore a,,b --ignore ,c",
		     &e),
	    &e);
	check(o.dry && !o.force && !o.tty && o.n.set && o.n.n == 7);
	assert_string_equal(o.link, "L");
	assert_string_equal(o.dir, "D");
	assert_string_equal(o.out, "a=b");
	assert_int_equal(o.until.n, 2);
	assert_string_equal(o.until.item[1], "q");
	assert_int_equal(o.ignore.n, 3);
	assert_string_equal(o.ignore.item[2], "c");
	deinit(&o);
}

static void
clusters(void **state)
{
	static const char *const rows[] = {
	    "-dfo v L", "-dfov L", "-df -ov L", "-d L -f -o=v", "L -dfo v"};
	struct opts o;
	struct err e = ERR_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_ok(parse(&o, false, rows[i], &e), &e);
		check(o.dry && o.force);
		assert_string_equal(o.out, "v");
		assert_string_equal(o.link, "L");
		deinit(&o);
	}
}

static void
flags_after_rest(void **state)
{
	struct opts o;
	struct err e = ERR_INIT;

	(void)state;
	check_ok(parse(&o, true, "REQ R1 --out c R2 -- --force -d", &e), &e);
	assert_string_equal(o.out, "c");
	assert_int_equal(o.rest.n, 4);
	assert_string_equal(o.rest.item[1], "R2");
	assert_string_equal(o.rest.item[2], "--force");
	assert_string_equal(o.rest.item[3], "-d");
	check(!o.force && !o.dry);
	deinit(&o);
}

static void
toggles(void **state)
{
	struct opts o;
	struct err e = ERR_INIT;

	(void)state;
	check_ok(
	    parse(&o, false, "L - --tty --no-tty --tty -d --no-dry-run", &e),
	    &e);
	check(o.tty && !o.dry);
	assert_string_equal(o.dir, "-");
	deinit(&o);
}

static void
comma_items_are_trimmed(void **state)
{
	struct opts o;
	struct cli_grammar g = grammar(&o, false);
	struct err e = ERR_INIT;
	size_t nargs;
	char list[] = " a b , c\t, ";
	char name[] = "--ignore";
	char *argv[] = {name, name, list};

	(void)state;
	check_ok(cli_opt_parse(&g, 3, argv, &nargs, &e), &e);
	assert_int_equal(o.ignore.n, 2);
	assert_string_equal(o.ignore.item[0], "a b");
	assert_string_equal(o.ignore.item[1], "c");
	deinit(&o);
}

static void
refused(void **state)
{
	static const struct {
		const char *line, *message;
	} rows[] = {
	    {"L --nope", "Unrecognized Flag: --nope"},
	    {"L --nope=3", "Unrecognized Flag: --nope"},
	    {"L --no-out", "Unrecognized Flag: --no-out"},
	    {"L --no-", "Unrecognized Flag: --no-"},
	    {"L -dq", "Unrecognized Flag: -q"},
	    {"L -1", "Unrecognized Flag: -1"},
	    {"L D E", "Unrecognized Argument at index 2 with value E"},
	    {"", "<link>"},
	    {"--force", "<link>"},
	    {"L --force=1", "--force takes no value"},
	    {"L --out", "--out needs a value <x>"},
	    {"L --truncate x", "--truncate flag must supply an integer if set"},
	    {"L --truncate=", "--truncate flag must supply an integer if set"},
	    {"L --truncate -1",
		"--truncate flag must supply an integer if set"},
	    {"L --truncate 9007199254740992",
		"--truncate flag must supply an integer if set"},
	    {"L -m 1.5", "Changelog maximum must be an integer"},
	    {"L --\x1b[2J", "Unrecognized Flag: --\\x1b[2J"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct opts o;
		struct err e = ERR_INIT;

		check_code(parse(&o, false, rows[i].line, &e), ERR_USAGE);
		assert_string_equal(e.msg, rows[i].message);
		deinit(&o);
	}
}

static void
first_word(void **state)
{
	struct opts o;
	struct cli_grammar g = grammar(&o, false);

	(void)state;
#define word(...) \
	cli_opt_word(&g, \
	    (int)(sizeof((const char *[]){"x", __VA_ARGS__}) / \
		  sizeof(char *)), \
	    (char *[]){(char[]){"x"}, __VA_ARGS__})
	assert_int_equal(word((char[]){"cmd"}), 1);
	assert_int_equal(word((char[]){"-d"}, (char[]){"cmd"}), 2);
	assert_int_equal(
	    word((char[]){"--out"}, (char[]){"a"}, (char[]){"cmd"}), 3);
	assert_int_equal(word((char[]){"--out=a"}, (char[]){"cmd"}), 2);
	assert_int_equal(
	    word((char[]){"-do"}, (char[]){"a"}, (char[]){"cmd"}), 3);
	assert_int_equal(word((char[]){"--"}, (char[]){"-d"}), 2);
	assert_int_equal(word((char[]){"-d"}), 0);
#undef word
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(forms),
	    cmocka_unit_test(clusters),
	    cmocka_unit_test(flags_after_rest),
	    cmocka_unit_test(toggles),
	    cmocka_unit_test(comma_items_are_trimmed),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(first_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
