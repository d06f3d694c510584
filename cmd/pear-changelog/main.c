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

	memset(&opts, 0, sizeof(opts));
	if (!cli_start(&c, &changelog_spec, argc, argv, &opts))
		return cli_exit(&c);
	rc = changelog_run(&c, &opts, &log, &e);
	if (rc == ERR_OK) {
		changelog_render(&c, &opts, &log);
		changelog_deinit(&log);
	}
	return cli_finish(&c, rc, &e);
}
