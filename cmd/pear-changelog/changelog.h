/* changelog: what changed in an app (commands 11). */
#ifndef CMD_PEAR_CHANGELOG_CHANGELOG_H
#define CMD_PEAR_CHANGELOG_CHANGELOG_H

#include "cmd/common/net.h"

#define CHANGELOG_MAX_DEFAULT 10
#define CHANGELOG_ENTRIES_MAX 100000u

struct changelog_opts {
	const char *link;
	struct cli_int max;
	const char *of; /* semver range; NULL: major of the newest */
	bool full;
	struct cli_list peers;
};

extern const struct cli_spec changelog_spec;

struct changelog_entry {
	struct view version; /* first word of the heading, without "v" */
	struct view text;    /* heading and what follows, trimmed */
};

struct changelog {
	struct buf text;	       /* the file; entries borrow from it */
	struct changelog_entry *entry; /* as in the file: newest first */
	size_t n, cap;
};

/* Entries begin at lines "## ". Pure. */
NODISCARD enum err_code changelog_split(struct changelog *l, struct err *e);
/* Keep the first max entries in the range ("^*": the major of the first);
 * max 0 and range NULL keep all. ERR_INVALID: not a range. */
NODISCARD enum err_code changelog_select(
    struct changelog *l, const char *range, uint64_t max, struct err *e);
void changelog_deinit(struct changelog *l);

/* A drive without a changelog gives none. */
NODISCARD enum err_code changelog_run(struct cli *c,
    const struct changelog_opts *opts, struct changelog *out, struct err *e);
void changelog_render(struct cli *c, const struct changelog_opts *opts,
    const struct changelog *l);

#endif
