/*
 * place: the target folder of a build, and the folder beside it in which the
 * build is made: ".NAME.build-PID.N", locked while its run lives. What dead
 * runs left there is removed at the next start.
 */
#ifndef BUILD_TOOL_PLACE_H
#define BUILD_TOOL_PLACE_H

#include <stdbool.h>

#include "base/err.h"

struct place {
	char *target; /* absolute */
	char *parent; /* real path of the folder that holds it */
	char *temp;   /* absolute; "" while there is none */
	int temp_fd;
	bool exists; /* the target is there and not empty */
};

/* `target` may be relative, and its parents may be missing: place_begin()
 * makes them. ERR_INVALID if something that is no folder is there. */
NODISCARD enum err_code place_init(
    struct place *p, const char *target, struct err *e);
/* Also removes an unfinished build. A zeroed struct is fine. */
void place_deinit(struct place *p);

/* ERR_INVALID if the target lies in the folder of package.json or in a
 * source, or holds one of them: every build would contain the one before. */
NODISCARD enum err_code place_check_nested(const struct place *p,
    const char *package, const char *const *source, size_t n, struct err *e);

/* Clean up after dead runs and make the folder to build in. */
NODISCARD enum err_code place_begin(struct place *p, struct err *e);
/* Sync, and put it in the target's place in one step. */
NODISCARD enum err_code place_commit(struct place *p, struct err *e);

#endif
