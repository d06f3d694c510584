/*
 * arch: the architectures of a deployment directory and what a build for
 * each of them looks like (commands.md 2).
 */
#ifndef BUILD_TOOL_ARCH_H
#define BUILD_TOOL_ARCH_H

#include <stdbool.h>

#include "base/err.h"
#include "base/view.h"

enum { ARCH_COUNT = 10 };

struct arch {
	const char *flag;   /* option of pear-build, without dashes */
	const char *folder; /* below by-arch/ */
	enum arch_form { ARCH_APP_DIR, ARCH_FILE, ARCH_DIR } form;
};

/* In the order in which they are built. */
extern const struct arch arch_table[ARCH_COUNT];

/* The last part of a path, without slashes behind it. The text is
 * borrowed. */
struct view arch_basename(const char *path);

/* Is the build at `path` named after the app, and of the right kind? The
 * name without its extension must be `app`; a mobile folder may also carry
 * a name with dots in it. ERR_INVALID has the original's text. */
NODISCARD enum err_code arch_check(
    const struct arch *a, const char *path, const char *app, struct err *e);

#endif
