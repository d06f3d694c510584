#include "cmd/pear-gc/gc.h"

int
main(int argc, char **argv)
{
	struct gc_opts opts = {NULL, NULL, false};
	struct gc_report report;
	struct cli c;
	struct err e = ERR_INIT;
	enum err_code rc;

	if (!cli_start(&c, &gc_spec, argc, argv, &opts))
		return cli_exit(&c);
	rc = gc_run(&c, &opts, &report, &e);
	if (rc == ERR_OK)
		gc_render(&c, &opts, &report);
	return cli_finish(&c, rc, &e);
}
