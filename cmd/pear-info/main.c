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
	int code;

	memset(&opts, 0, sizeof(opts));
	if (!cli_start(&c, &info_spec, argc, argv, &opts)) {
		code = cli_exit(&c);
	} else {
		rc = info_run(&c, &opts, &report, &e);
		if (rc == ERR_OK) {
			rc = info_render(&c, &opts, &report, &e);
			info_report_deinit(&report);
		}
		code = cli_finish(&c, rc, &e);
	}
	cli_list_deinit(&opts.peers);
	return code;
}
