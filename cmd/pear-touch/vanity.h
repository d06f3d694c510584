/*
 * vanity: a random key pair whose core key starts with given text, searched
 * on all processors. Each thread walks on from a random seed of its own, in
 * guarded memory. Nothing is written anywhere.
 */
#ifndef CMD_PEAR_TOUCH_VANITY_H
#define CMD_PEAR_TOUCH_VANITY_H

#include "crypto/sign.h"

struct vanity {
	const char *prefix;  /* checked by vanity_check() */
	uint64_t timeout_ms; /* 0 = none */
	bool (*stop)(void *ctx);
	/* About ten times a second; attempts so far, milliseconds so far. */
	void (*progress)(void *ctx, uint64_t attempts, uint64_t ms);
	void *ctx;
};

/* ERR_INVALID: not z-base-32, empty, or longer than a key. */
NODISCARD enum err_code vanity_check(const char *prefix, struct err *e);
/* ERR_INTERRUPTED by stop; ERR_LIMIT when the time is over. */
NODISCARD enum err_code vanity_search(
    struct sign_pair *out, const struct vanity *v, struct err *e);

#endif
