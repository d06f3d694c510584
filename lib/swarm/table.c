#include "swarm/impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/arr.h"

#define SAMPLE 32 /* peers looked at to find a bad one */

/* splitmix64: for shuffling and jitter, nothing that must stay secret */
uint32_t
table_random(struct swarm *s, uint32_t below)
{
	uint64_t x = s->random += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((((x ^ (x >> 31)) >> 32) * below) >> 32);
}

/* Keys are chosen by strangers; the salt is not. */
static size_t
bucket_of(const struct swarm *s, const struct b32 *key)
{
	uint64_t x;

	memcpy(&x, key->b, sizeof(x));
	x = (x ^ s->salt) * UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(x >> (64 - BUCKET_BITS));
}

struct peer *
table_find(const struct swarm *s, const struct b32 *key)
{
	struct peer *p = s->bucket[bucket_of(s, key)];

	while (p != NULL && !b32_eq(&p->key, key))
		p = p->next;
	return p;
}

/* -- sums ----------------------------------------------------------------- */

static void
add(size_t *sum, bool is, int by)
{
	if (is)
		*sum = by > 0 ? *sum + 1 : *sum - 1;
}

static void
add_small(uint32_t *sum, bool is, int by)
{
	if (is)
		*sum = by > 0 ? *sum + 1 : *sum - 1;
}

static void
count_topic(struct topic *t, const struct peer *p, int by)
{
	add_small(&t->connected, p->conn.id != 0, by);
	add_small(&t->queued, p->state == PEER_QUEUED, by);
	add_small(&t->dialling, p->state == PEER_DIALLING, by);
	if (by > 0 && p->state == PEER_QUEUED && t->queue == UINT64_MAX)
		t->queue = t->s->now;
}

void
table_count(struct swarm *s, struct peer *p, int by)
{
	bool dialling = p->state == PEER_DIALLING;
	bool ours = dialling || (p->conn.id != 0 && p->conn.initiator);

	add(&s->connected, p->conn.id != 0, by);
	add(&s->queued, p->state == PEER_QUEUED, by);
	add(&s->dialling, dialling, by);
	add(&s->taken, !p->explicit && (p->conn.id != 0 || dialling), by);
	add(&s->sought, !p->explicit && ours, by);
	for (size_t i = 0; i < p->ntopics; i++)
		count_topic(p->topics[i], p, by);
	s->dirty = true;
}

void
table_set(struct swarm *s, struct peer *p, enum peer_state state)
{
	table_count(s, p, -1);
	p->state = state;
	table_count(s, p, 1);
}

/* -- life of a peer ------------------------------------------------------- */

static bool
held(const struct peer *p, uint64_t now)
{
	return p->conn.id != 0 || p->state == PEER_DIALLING || p->explicit ||
	       table_banned(p, now);
}

static void
forget(struct swarm *s, struct peer *p)
{
	struct peer **at = &s->bucket[bucket_of(s, &p->key)];

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	s->peers[p->place] = s->peers[--s->npeers];
	s->peers[p->place]->place = p->place;
	free(p->topics);
	free(p);
}

void
table_release(struct swarm *s, struct peer *p, uint64_t now)
{
	if (p->ntopics > 0 || held(p, now))
		return;
	table_set(s, p, PEER_IDLE);
	table_count(s, p, -1);
	forget(s, p);
}

void
table_free(struct swarm *s)
{
	while (s->npeers > 0)
		forget(s, s->peers[s->npeers - 1]);
	free(s->peers);
	free(s->explicits);
}

/* The larger, the sooner it goes. */
static unsigned
badness(const struct peer *p)
{
	unsigned sum = p->attempts < 8 ? 2 * p->attempts : 16;

	return sum + (p->state == PEER_IDLE) + (p->proven ? 0 : 4);
}

/* The end of all edges of a peer is the end of the peer. */
static void
evict(struct swarm *s, struct peer *p, uint64_t now)
{
	size_t n = p->ntopics;

	if (n == 0)
		table_release(s, p, now);
	for (; n > 0; n--) { /* the last one frees it */
		struct topic *t = p->topics[n - 1];
		size_t i = 0;

		while (t->edges[i].peer != p)
			i++;
		table_unlink(s, t, i, now);
	}
}

static bool
make_room(struct swarm *s, uint64_t now)
{
	size_t start = table_random(s, (uint32_t)s->npeers), seen = 0;
	struct peer *worst = NULL;

	/* a sample; on, if all of it must stay */
	for (size_t i = 0; i < s->npeers; i++) {
		struct peer *p = s->peers[(start + i) % s->npeers];

		if (seen++ >= SAMPLE && worst != NULL)
			break;
		if (held(p, now))
			continue;
		if (worst == NULL || badness(p) > badness(worst))
			worst = p;
	}
	if (worst == NULL)
		return false;
	evict(s, worst, now);
	return true;
}

struct peer *
table_take(struct swarm *s, const struct b32 *key, uint64_t now)
{
	struct peer *p = table_find(s, key);
	size_t at = bucket_of(s, key);

	if (p != NULL)
		return p;
	if (s->npeers >= SWARM_KNOWN_MAX && !make_room(s, now))
		return NULL;
	if (!ARR_RESERVE(s->peers, s->npeers + 1, s->peers_cap) ||
	    (p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	p->key = *key;
	p->place = s->npeers;
	p->next = s->bucket[at];
	s->bucket[at] = p;
	s->peers[s->npeers++] = p;
	return p;
}

/* -- edges ---------------------------------------------------------------- */

static bool
find_edge(const struct topic *t, const struct peer *p, size_t *out)
{
	for (size_t i = 0; i < t->nedges; i++)
		if (t->edges[i].peer == p) {
			*out = i;
			return true;
		}
	return false;
}

bool
table_linked(const struct topic *t, const struct peer *p)
{
	size_t i;

	return find_edge(t, p, &i);
}

/* A topic has as many as it may: the worst that nothing holds makes way, but
 * none that is better than a stranger. */
static bool
make_edge(struct swarm *s, struct topic *t, uint64_t now)
{
	size_t start = table_random(s, t->nedges), worst = 0;
	const struct peer *bad = NULL;

	for (size_t i = 0; i < t->nedges; i++) {
		size_t at = (start + i) % t->nedges;
		const struct peer *p = t->edges[at].peer;

		if (held(p, now) || (p->proven && p->attempts < 3))
			continue;
		if (bad == NULL || badness(p) > badness(bad)) {
			bad = p;
			worst = at;
		}
	}
	if (bad == NULL)
		return false;
	table_unlink(s, t, worst, now);
	return true;
}

struct edge *
table_link(struct swarm *s, struct topic *t, struct peer *p, uint64_t now)
{
	struct edge *x;
	size_t i;

	if (find_edge(t, p, &i))
		return &t->edges[i];
	if (t->nedges >= TOPIC_EDGES_MAX && !make_edge(s, t, now))
		return NULL;
	if (!ARR_RESERVE(t->edges, t->nedges + 1, t->cap) ||
	    !ARR_RESERVE(p->topics, p->ntopics + 1, p->cap))
		return NULL;
	table_count(s, p, -1);
	x = &t->edges[t->nedges++];
	*x = (struct edge){.peer = p, .round = t->round - 1};
	p->topics[p->ntopics++] = t;
	table_count(s, p, 1);
	return x;
}

void
table_unlink(struct swarm *s, struct topic *t, size_t i, uint64_t now)
{
	struct peer *p = t->edges[i].peer;
	size_t at = 0;

	table_count(s, p, -1);
	while (p->topics[at] != t)
		at++;
	p->topics[at] = p->topics[--p->ntopics];
	t->edges[i] = t->edges[--t->nedges];
	table_count(s, p, 1);
	if (t->connected == 0)
		s->lonely = true;
	table_release(s, p, now);
}
