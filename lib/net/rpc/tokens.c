#include "net/rpc/tokens.h"

#include <stdio.h>

#include "crypto/hash.h"
#include "crypto/secret.h"

#define HOST_TEXT 16 /* of an IPv4 address, NUL included */

void
tokens_init(
    struct tokens *t, const struct b32 *a, const struct b32 *b, uint64_t now)
{
	t->secret[0] = *a;
	t->secret[1] = *b;
	t->due = now + TOKENS_PERIOD_US;
}

void
tokens_deinit(struct tokens *t)
{
	secret_wipe(t, sizeof(*t));
}

static void
rotate(struct tokens *t)
{
	struct b32 old = t->secret[0];

	t->secret[0] = t->secret[1];
	hash_data(&t->secret[1], view_b32(&old));
	secret_wipe(&old, sizeof(old));
}

/* Two rotations make every token void; more of them are the same. */
static void
turn(struct tokens *t, uint64_t now)
{
	for (int i = 0; i < 2 && now >= t->due; i++) {
		rotate(t);
		t->due += TOKENS_PERIOD_US;
	}
	if (now >= t->due)
		t->due = now + TOKENS_PERIOD_US;
}

static void
make(const struct b32 *secret, const struct addr *host, struct b32 *out)
{
	char text[HOST_TEXT];
	int n = snprintf(text, sizeof(text), "%u.%u.%u.%u",
	    (unsigned)host->ip[0], (unsigned)host->ip[1], (unsigned)host->ip[2],
	    (unsigned)host->ip[3]);

	hash_keyed(out, secret, view_of(text, (size_t)n));
}

void
tokens_make(
    struct tokens *t, const struct addr *host, uint64_t now, struct b32 *out)
{
	turn(t, now);
	make(&t->secret[1], host, out);
}

bool
tokens_right(struct tokens *t, const struct addr *host, const struct b32 *token,
    uint64_t now)
{
	struct b32 good;

	turn(t, now);
	make(&t->secret[1], host, &good);
	if (b32_eq(&good, token))
		return true;
	make(&t->secret[0], host, &good);
	return b32_eq(&good, token);
}
