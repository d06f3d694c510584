/* pear-dht: parse, run until stopped or answered. */
#include "cmd/pear-dht/dht_cmd.h"

int
main(int argc, char **argv)
{
	struct dht_args a = {.host = NULL};
	struct err e = ERR_INIT;
	struct cli c;
	enum err_code rc;
	int code;

	if (!cli_start(&c, &dht_spec, argc, argv, &a)) {
		code = cli_exit(&c);
	} else {
		rc = dht_run(&c, &a, &e);
		code = cli_finish(&c, rc, &e);
	}
	dht_args_deinit(&a);
	return code;
}
