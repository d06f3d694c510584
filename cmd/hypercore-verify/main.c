#include "cmd/common/signer.h"
#include "cmd/hypercore-verify/verify_cmd.h"

int
main(int argc, char **argv)
{
	struct verify_cmd_opts opts = {NULL, NULL, NULL};
	struct signer_verify verify = {.verb = "has signed"};
	struct cli c;
	struct err e = ERR_INIT;
	enum err_code rc;

	if (!cli_start(&c, &verify_cmd_spec, argc, argv, &opts))
		return cli_exit(&c);
	verify.response = opts.response;
	verify.request = opts.request;
	verify.pub = opts.pub;
	rc = signer_verify(&c, &verify, &e);
	return cli_finish(&c, rc, &e);
}
