/* pear-seed: parse, seed until stopped. */
#include "cmd/pear-seed/seed.h"

int
main(int argc, char **argv)
{
	struct seed_args a = {.listen = NULL};
	struct err e = ERR_INIT;
	struct cli c;
	enum err_code rc;
	int code;

	if (!cli_start(&c, &seed_spec, argc, argv, &a)) {
		code = cli_exit(&c);
	} else {
		rc = seed_run(&c, &a, &e);
		code = cli_finish(&c, rc, &e);
	}
	seed_args_deinit(&a);
	return code;
}
