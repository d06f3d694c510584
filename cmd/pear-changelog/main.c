#include <string.h>

#include "cmd/pear-changelog/changelog.h"

int
main(int argc, char **argv)
{
	struct changelog_opts opts;
	struct changelog log;
	struct cli c;
	struct err e = ERR_INIT;
	enum err_code rc;
	int code;

	memset(&opts, 0, sizeof(opts));
	if (!cli_start(&c, &changelog_spec, argc, argv, &opts)) {
		code = cli_exit(&c);
	} else {
		rc = changelog_run(&c, &opts, &log, &e);
		if (rc == ERR_OK) {
			changelog_render(&c, &opts, &log);
			changelog_deinit(&log);
		}
		code = cli_finish(&c, rc, &e);
	}
	cli_list_deinit(&opts.peers);
	return code;
}
