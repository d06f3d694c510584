/* From the word to its subcommand. */
#include <stdlib.h>
#include <string.h>

#include "cmd/common/ms.h"

static const struct {
	const char *word;
	enum err_code (*run)(
	    struct cli *c, const struct ms_opts *o, struct err *e);
	bool by_kind; /* also with -core and -drive behind it */
} commands[] = {
    {"link", ms_link, false},
    {"request", ms_request, true},
    {"sign", ms_sign, false},
    {"verify", ms_release, true},
    {"commit", ms_release, true},
    {"seed", ms_seed, false},
    {"review", ms_review, false},
    {"inspect", ms_inspect, false},
    {"status", ms_status, false},
    {"keys", ms_keys, false},
};

static bool
is_command(const struct ms_opts *o, size_t i)
{
	return commands[i].by_kind ? ms_is(o, commands[i].word)
				   : strcmp(o->word, commands[i].word) == 0;
}

/* hyper-multisig keeps its store beside the config, unless told otherwise. */
static void
choose_storage(struct cli *c, const struct ms_opts *o)
{
	if (o->storage != NULL)
		c->common.storage = o->storage;
	else if (o->front == MS_HYPER && getenv("PEAR_STORAGE") == NULL)
		c->common.storage = "storage";
}

enum err_code
ms_run(struct cli *c, const struct ms_opts *o, struct err *e)
{
	char word[80];

	choose_storage(c, o);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (is_command(o, i))
			return commands[i].run(c, o, e);
	err_quote(word, sizeof(word), o->word, strlen(o->word));
	return err_set(e, ERR_USAGE, "Invalid command: %s", word);
}
