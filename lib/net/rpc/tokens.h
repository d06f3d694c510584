/*
 * tokens: what proves that a host gets what is sent to it (network.md 2.1). A
 * token is a hash over the host's address under a secret that is replaced
 * every 7.5 s; the secret before still counts.
 */
#ifndef NET_RPC_TOKENS_H
#define NET_RPC_TOKENS_H

#include "base/addr.h"

#define TOKENS_PERIOD_US UINT64_C(7500000)

struct tokens {
	struct b32 secret[2]; /* the one before, the one in use */
	uint64_t due;	      /* of the next rotation */
};

void tokens_init(
    struct tokens *t, const struct b32 *a, const struct b32 *b, uint64_t now);
void tokens_deinit(struct tokens *t); /* wipes */
void tokens_make(
    struct tokens *t, const struct addr *host, uint64_t now, struct b32 *out);
bool tokens_right(struct tokens *t, const struct addr *host,
    const struct b32 *token, uint64_t now);

#endif
