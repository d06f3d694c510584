/*
 * staged: what a stage takes of a folder, in one place for the stage itself
 * and for those who ask what it would take (provision of a build in memory,
 * reviews).
 */
#ifndef DRIVE_STAGED_H
#define DRIVE_STAGED_H

#include "drive/content.h"
#include "drive/scan.h"
#include "pear/appcfg.h"

/* The rules of package.json together with those of a command line. */
NODISCARD enum err_code staged_rules(struct ignore **out, const char *dir,
    const struct appcfg *cfg, struct ignore_texts ignore,
    struct ignore_texts only, struct err *e);
/* Where the content of an entry of the scan is. Borrows from both. */
struct content_file staged_file(
    const struct scan *s, const struct scan_entry *entry);

/* A folder as a stage without options takes it, without its warnings. */
struct staged {
	struct appcfg cfg;
	struct ignore *ignore;
	struct scan *scan;
};
/* stop, ctx: as in struct scan_opts. staged_close() also after an error. */
NODISCARD enum err_code staged_open(struct staged *s, const char *dir,
    bool (*stop)(void *ctx), void *ctx, struct err *e);
void staged_close(struct staged *s); /* a zeroed struct is fine */

#endif
