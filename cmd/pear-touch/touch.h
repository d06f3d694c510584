/* touch: a new writable drive link (commands 3). */
#ifndef CMD_PEAR_TOUCH_TOUCH_H
#define CMD_PEAR_TOUCH_TOUCH_H

#include "cli/cli.h"
#include "core/core.h"

struct touch_opts {
	const char *vanity;	/* z32 prefix, or NULL */
	struct cli_int timeout; /* seconds for the search */
};

extern const struct cli_spec touch_spec;

/* Make the core in the store of c; *key is its key. After an error nothing
 * was added. */
NODISCARD enum err_code touch_run(struct cli *c, const struct touch_opts *opts,
    struct b32 *key, struct err *e);
void touch_render(struct cli *c, const struct b32 *key);

#endif
