#include "net/rpc/limit.h"

#include <string.h>

#include "crypto/hash.h"
#include "crypto/secret.h"

#define SECOND UINT64_C(1000000)

void
limit_init(struct limit *l)
{
	memset(l, 0, sizeof(*l));
	secret_random(&l->key, sizeof(l->key));
}

static bool
bucket_ok(uint64_t full, uint64_t now, const struct limit_rate *r)
{
	return full <= now || full - now <= (r->burst - 1) * (SECOND / r->rate);
}

static void
bucket_take(uint64_t *full, uint64_t now, const struct limit_rate *r)
{
	*full = (*full > now ? *full : now) + SECOND / r->rate;
}

static struct addr
host_of(const struct addr *from)
{
	struct addr h = {.family = from->family};

	memcpy(h.ip, from->ip, from->family == 4 ? 4 : 8);
	return h;
}

/* The host's bucket; a new host takes that which has been idle longest. */
static struct limit_source *
source_of(struct limit *l, const struct addr *host)
{
	struct limit_source *set, *idle;
	struct b32 h;

	hash_keyed(&h, &l->key, view_of(host->ip, sizeof(host->ip)));
	set = idle = l->source[h.b[0] % LIMIT_SETS];
	for (size_t i = 0; i < LIMIT_WAYS; i++) {
		if (addr_eq(&set[i].host, host))
			return &set[i];
		if (set[i].full < idle->full)
			idle = &set[i];
	}
	idle->host = *host;
	idle->full = 0;
	return idle;
}

bool
limit_take(struct limit *l, const struct addr *from,
    const struct limit_rate *each, const struct limit_rate *all, uint64_t now)
{
	struct addr host = host_of(from);
	struct limit_source *s;

	if (all != NULL && !bucket_ok(l->full, now, all))
		return false;
	s = source_of(l, &host);
	if (!bucket_ok(s->full, now, each))
		return false;
	bucket_take(&s->full, now, each);
	if (all != NULL)
		bucket_take(&l->full, now, all);
	return true;
}
