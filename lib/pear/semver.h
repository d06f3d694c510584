/*
 * semver: versions as semver.org 2.0.0 writes them, strictly: MAJOR.MINOR.
 * PATCH, no leading "v", no leading zeros, optional -pre.release and +build.
 * Ranges are the everyday ones: "*", "1", "1.2.x", "^1.2.3", "~1.2", "=1.2.3",
 * ">=1.2 <2" (all of a space-separated list), "a || b" (any). Pure.
 */
#ifndef PEAR_SEMVER_H
#define PEAR_SEMVER_H

#include "base/err.h"
#include "base/view.h"

#define SEMVER_TEXT_MAX 256 /* bytes; longer is ERR_FORMAT */

struct semver {
	uint64_t major, minor, patch; /* each <= 2^53-1 */
	struct view pre;	      /* borrowed from the text; empty = none */
	struct view build;
};

/* ERR_FORMAT names the text. */
NODISCARD enum err_code semver_parse(
    struct semver *out, struct view text, struct err *e);
/* Precedence: <0, 0, >0. Build metadata does not count. */
int semver_cmp(const struct semver *a, const struct semver *b);
/* No pre-release and no build: what may be released. */
bool semver_is_plain(const struct semver *v);

/* Is v in the range? Pre-releases match only where the range names one of
 * the same MAJOR.MINOR.PATCH. ERR_FORMAT: the range cannot be read. */
NODISCARD enum err_code semver_match(
    const struct semver *v, struct view range, bool *in, struct err *e);

#endif
