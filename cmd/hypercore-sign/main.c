#include "cmd/hypercore-sign/sign_cmd.h"

int
main(int argc, char **argv)
{
	struct sign_cmd_opts opts = {.word = NULL};
	struct cli c;
	struct err e = ERR_INIT;
	enum err_code rc;
	int code;

	if (cli_start(&c, &sign_cmd_spec, argc, argv, &opts)) {
		rc = sign_cmd_run(&c, &opts, &e);
		code = cli_finish(&c, rc, &e);
	} else {
		code = cli_exit(&c);
	}
	cli_list_deinit(&opts.rest);
	return code;
}
