#include <string.h>

#include "cmd/pear-info/info.h"

int
main(int argc, char **argv)
{
	struct info_opts opts;
	struct info_report report;
	struct cli c;
	struct err e = ERR_INIT;
	enum err_code rc;

	memset(&opts, 0, sizeof(opts));
	if (!cli_start(&c, &info_spec, argc, argv, &opts))
		return cli_exit(&c);
	rc = info_run(&c, &opts, &report, &e);
	if (rc == ERR_OK) {
		rc = info_render(&c, &opts, &report, &e);
		info_report_deinit(&report);
	}
	return cli_finish(&c, rc, &e);
}
