#include "cmd/common/signer.h"
#include "cmd/hypercore-sign-generate-keys/generate_cmd.h"

int
main(int argc, char **argv)
{
	struct generate_cmd_opts opts = {NULL};
	struct signer_generate generate = {.name = SIGNER_DEFAULT};
	struct cli c;
	struct err e = ERR_INIT;
	enum err_code rc;

	if (!cli_start(&c, &generate_cmd_spec, argc, argv, &opts))
		return cli_exit(&c);
	generate.dir = opts.dir;
	rc = signer_generate(&c, &generate, &e);
	return cli_finish(&c, rc, &e);
}
