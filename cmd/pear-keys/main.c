#include "cmd/pear-keys/keys.h"

int
main(int argc, char **argv)
{
	struct keys_opts opts = {NULL, NULL, false, false};
	struct cli c;
	struct err e = ERR_INIT;
	enum err_code rc;

	if (!cli_start(&c, &keys_spec, argc, argv, &opts))
		return cli_exit(&c);
	rc = keys_run(&c, &opts, &e);
	return cli_finish(&c, rc, &e);
}
