#include "net/dht/commons.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"

struct commons *
commons_new(void)
{
	return calloc(1, sizeof(struct commons));
}

void
commons_free(struct commons *r)
{
	free(r);
}

/* The entry of a key, or the one that a new key gets. */
static struct commons_key *
find(struct commons *r, const struct b32 *key)
{
	struct commons_key *oldest = &r->key[0];

	for (size_t i = 0; i < COMMONS_KEYS; i++) {
		struct commons_key *k = &r->key[i];

		if (k->used != 0 && b32_eq(&k->key, key))
			return k;
		if (k->used < oldest->used)
			oldest = k;
	}
	return oldest;
}

void
commons_remember(struct commons *r, const struct b32 *key,
    const struct addr *relay, size_t n)
{
	struct commons_key *k = find(r, key);

	k->key = *key;
	k->used = ++r->uses;
	k->nrelays = n < DHT_RELAYS_MAX ? n : DHT_RELAYS_MAX;
	for (size_t i = 0; i < k->nrelays; i++)
		k->relay[i] = relay[i];
}

size_t
commons_recall(struct commons *r, const struct b32 *key,
    struct addr out[static DHT_RELAYS_MAX])
{
	struct commons_key *k = find(r, key);

	if (k->used == 0 || !b32_eq(&k->key, key))
		return 0;
	k->used = ++r->uses;
	for (size_t i = 0; i < k->nrelays; i++)
		out[i] = k->relay[i];
	return k->nrelays;
}

uint32_t
commons_open(struct commons *r, const struct dht_env *env)
{
	uint32_t sock;

	if (r->sockets == COMMONS_SOCKETS || env->socket_open == NULL)
		return DHT_NO_SOCK;
	sock = env->socket_open(env->ctx);
	if (sock != DHT_NO_SOCK)
		r->sockets++;
	return sock;
}

void
commons_let_go(struct commons *r)
{
	bug_if(r->sockets == 0);
	r->sockets--;
}

void
commons_close(struct commons *r, const struct dht_env *env, uint32_t sock)
{
	commons_let_go(r);
	env->socket_close(env->ctx, sock);
}

bool
commons_random_take(struct commons *r, uint64_t now)
{
	if (r->random || now < r->random_at)
		return false;
	r->random = true;
	return true;
}

void
commons_random_give(struct commons *r, uint64_t now)
{
	r->random = false;
	r->random_at = now + COMMONS_RANDOM_REST_US;
}
