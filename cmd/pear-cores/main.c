#include "cmd/pear-cores/cores.h"

int
main(int argc, char **argv)
{
	struct cores_opts opts = {false};
	struct cores_report report = {NULL, 0, 0, 0, 0};
	struct cli c;
	struct err e = ERR_INIT;
	enum err_code rc;

	if (!cli_start(&c, &cores_spec, argc, argv, &opts))
		return cli_exit(&c);
	rc = cores_run(&c, &opts, &report, &e);
	if (rc == ERR_OK)
		cores_render(&c, &report);
	cores_report_deinit(&report);
	return cli_finish(&c, rc, &e);
}
