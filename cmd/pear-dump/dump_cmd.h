/* pear-dump: what its files share. */
#ifndef CMD_PEAR_DUMP_H
#define CMD_PEAR_DUMP_H

#include "cmd/common/net.h"
#include "drive/dump.h"

struct dump_args {
	const char *link, *dir;
	bool dry_run, force, list, prune, keep, yes, raw, check;
	struct cli_list only, peers;
	struct cli_int checkout;
	const char *encoding;
};
#define DUMP_ARGS_DEFAULT \
	{ \
		.link = NULL \
	}

extern const struct cli_spec dump_spec;
void dump_args_deinit(struct dump_args *a);
/* ERR_USAGE, ERR_INVALID. `prefix` holds the link's path (kept by the
 * caller); store and callbacks are left to the caller. */
NODISCARD enum err_code dump_args_apply(const struct dump_args *a,
    struct dump_opts *out, struct buf *prefix, struct err *e);
/* Is the target standard output? */
bool dump_args_stream(const struct dump_args *a);

/* Output of a dump to "-": `out` gives the callbacks of drive_dump_stream. */
struct dump_render {
	struct cli *c;
	const struct dump_args *a;
	const char *prefix; /* path of the link */
	struct buf value;   /* --json: content of the file under way */
	char *key;	    /* its key */
	bool single;
	json_t *last; /* --json, single file: its key and value */
};
void dump_render_stream(struct dump_render *r, struct dump_stream *out);
void dump_render_deinit(struct dump_render *r);

#endif
