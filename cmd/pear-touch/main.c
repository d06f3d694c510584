#include "cmd/pear-touch/touch.h"

int
main(int argc, char **argv)
{
	struct touch_opts opts = {NULL, {false, 0}};
	struct cli c;
	struct err e = ERR_INIT;
	struct b32 key;
	enum err_code rc;

	if (!cli_start(&c, &touch_spec, argc, argv, &opts))
		return cli_exit(&c);
	rc = touch_run(&c, &opts, &key, &e);
	if (rc == ERR_OK)
		touch_render(&c, &key);
	return cli_finish(&c, rc, &e);
}
