#include "cmd/pear/pear.h"

#include <signal.h>
#include <string.h>

/* What a command of its own would not start with: signals ignored by us. */
static enum err_code
dispatch(const char *command, char **argv, struct err *e)
{
	(void)signal(SIGPIPE, SIG_DFL);
	return pear_exec(command, argv, e);
}

/* pear help, pear --help: ours, with the list of commands. */
static int
overview(struct cli *c)
{
	struct buf b;
	size_t i;

	buf_init(&b, 1 << 16);
	cli_help(&b, &pear_spec);
	buf_str(&b, "\nCommands:\n");
	for (i = 0; i < pear_command_count; i++)
		buf_printf(&b, "  %-12s %s\n", pear_commands[i].name,
		    pear_commands[i].summary);
	cli_bytes_out(c, buf_view(&b));
	buf_deinit(&b);
	return cli_finish(c, ERR_OK, NULL);
}

static bool
is_help(const char *word)
{
	return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 ||
	       strcmp(word, "-h") == 0;
}

/* Even about a command that does not exist scripts want to hear in JSON. */
static bool
wants_json(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

int
main(int argc, char **argv)
{
	struct pear_opts opts = {NULL};
	char word[] = "help";
	char flag[] = "--help";
	char *help[] = {argv[0], flag, NULL};
	char json[] = "--json";
	char *own[] = {argv[0], word, json, NULL};
	struct cli c;
	struct err e = ERR_INIT;
	enum err_code rc = ERR_OK;

	/* Everything behind the command's name belongs to the command. */
	if (argc > 2 && is_help(argv[1]))
		rc = dispatch(argv[2], help, &e);
	else if (argc > 1 && argv[1][0] != '-' && !is_help(argv[1]))
		rc = dispatch(argv[1], argv + 1, &e);
	/* Still here: a flag of our own, the overview, or an error. */
	if (argc > 1 && argv[1][0] == '-' && !is_help(argv[1]))
		own[1] = argv[1];
	if (!cli_start(
		&c, &pear_spec, wants_json(argc, argv) ? 3 : 2, own, &opts))
		return cli_exit(&c);
	return rc == ERR_OK ? overview(&c) : cli_finish(&c, rc, &e);
}
