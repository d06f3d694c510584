/*
 * When a topic is looked up and announced (network.md 7.1). A round begins at
 * topic.next; one at topic.whole or later announces a SWARM_SERVER topic as
 * well. Between whole rounds, ten to twelve minutes apart, a SWARM_CLIENT
 * topic without any connected peer, or with none that has what is wanted, is
 * only looked up, soon and then less often: its seeder may start later than we
 * did, and who waits for it as well is no help.
 *
 * Few searches run at the same time. Topics that were never looked up come
 * first, the newest of them before the others; the rounds of the lonely have
 * a distance, so that many of them do not become a flood.
 */
#include "swarm/impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/arr.h"

#define WHOLE (10 * MINUTE)
#define WHOLE_JITTER (2 * MINUTE)
#define SEARCHES_MAX 16
#define BACKS_MAX 128
#define LONELY_GAP (SECOND / 4)
#define NO_RELAYS_WAIT (10 * SECOND) /* for the server to be announced */
#define NO_RELAYS_TICK SECOND
#define AGAIN_AFTER_FAILURE (5 * SECOND)

static void take_back(struct topic *t, uint64_t now);

/* Topics are hashes, and chosen by the owner. */
static struct topic **
bucket_of(struct swarm *s, const struct b32 *key)
{
	uint64_t x;

	memcpy(&x, key->b, sizeof(x));
	return &s->topic_bucket[x & (TOPIC_BUCKETS - 1)];
}

struct topic *
topics_find(struct swarm *s, const struct b32 *key)
{
	struct topic *t = *bucket_of(s, key);

	while (t != NULL && !b32_eq(&t->key, key))
		t = t->chain;
	return t;
}

struct topic *
topics_add(struct swarm *s, const struct b32 *key, uint64_t now)
{
	struct topic *t, **at = bucket_of(s, key);

	if (!ARR_RESERVE(s->topics, s->ntopics + 1, s->topics_cap) ||
	    (t = calloc(1, sizeof(*t))) == NULL)
		return NULL;
	t->s = s;
	t->key = *key;
	t->chain = *at;
	*at = t;
	t->joined = now;
	t->next = t->whole = now;
	t->queue = UINT64_MAX;
	s->topics[s->ntopics++] = t;
	s->moved = true;
	return t;
}

void
topics_stop(struct topic *t)
{
	if (t->look != NULL)
		dht_search_cancel(t->look);
	if (t->gone != NULL)
		dht_search_cancel(t->gone);
	t->s->searches -= t->looking;
	t->s->backs -= t->going;
	t->look = t->gone = NULL;
	t->looking = t->going = false;
}

/* Edges are what a client found. */
static void
unlink_all(struct topic *t, uint64_t now)
{
	while (t->nedges > 0)
		table_unlink(t->s, t, t->nedges - 1, now);
}

/* What is not told any more and tried already is forgotten. */
static void
unlink_stale(struct topic *t, uint64_t now)
{
	for (size_t i = t->nedges; i-- > 0;) {
		const struct peer *p = t->edges[i].peer;

		if (t->edges[i].round != t->round && p->conn.id == 0 &&
		    p->state == PEER_IDLE)
			table_unlink(t->s, t, i, now);
	}
}

/* -- the end of a round --------------------------------------------------- */

static bool
lonely(const struct topic *t)
{
	return (t->flags & SWARM_CLIENT) != 0 &&
	       (t->connected == 0 || (t->flags & SWARM_WANTING) != 0);
}

static uint64_t
backoff(struct topic *t)
{
	static const unsigned seconds[] = {5, 10, 20, 40, 60};
	size_t n = sizeof(seconds) / sizeof(*seconds);
	uint64_t us;

	us = seconds[t->step < n ? t->step : n - 1] * SECOND;
	t->step += t->step < n;
	return us - table_random(t->s, (uint32_t)(us / 10));
}

/* After a round, or after the last connection. */
static void
plan(struct topic *t, uint64_t now)
{
	uint64_t soon;

	t->next = t->whole > now ? t->whole : now;
	if (lonely(t) && (soon = now + backoff(t)) < t->next)
		t->next = soon;
	else if (!lonely(t))
		t->step = 0;
	t->s->moved = true;
}

/* Without memory, and when nobody answers, those of last time: they may be
 * back. */
static void
keep_closest(struct topic *t, const struct rpc_node *closest, size_t n)
{
	struct near *kept;

	n = n < RPC_K ? n : RPC_K;
	if (n == 0 || (kept = calloc(n, sizeof(*kept))) == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		memcpy(kept[i].ip, closest[i].addr.ip, sizeof(kept[i].ip));
		kept[i].port = closest[i].addr.port;
	}
	free(t->closest);
	t->closest = kept;
	t->nclosest = (uint32_t)n;
}

static void
start_near(const struct topic *t, struct dht_search_opts *o,
    struct addr out[static RPC_K])
{
	for (size_t i = 0; i < t->nclosest; i++) {
		out[i] = (struct addr){.family = 4, .port = t->closest[i].port};
		memcpy(out[i].ip, t->closest[i].ip, sizeof(t->closest[i].ip));
	}
	o->start = out;
	o->nstart = t->nclosest;
}

static void
on_found(void *ctx, const struct dht_record *r, uint64_t now)
{
	struct topic *t = ctx;

	t->s->now = now;
	if (t->state == TOPIC_JOINED && (t->flags & SWARM_CLIENT) != 0)
		peers_found(t->s, t, r, now);
}

static void
on_looked(void *ctx, const struct rpc_node *closest, size_t n, size_t commits,
    uint64_t now)
{
	struct topic *t = ctx;
	struct swarm *s = t->s;

	s->now = now;
	s->searches--;
	t->looking = false;
	t->look = NULL;
	keep_closest(t, closest, n);
	if (n > 0)
		unlink_stale(t, now);
	if (t->announcing)
		t->commits = (uint32_t)commits;
	plan(t, now); /* at once, if a refresh came meanwhile */
	if (s->env.looked != NULL)
		s->env.looked(s->env.ctx, &t->key, t->found,
		    t->announcing ? commits : 0, t->next, now);
}

/* -- a round -------------------------------------------------------------- */

/* The first announcement waits for the addresses of the server's relays, but
 * not for ever. */
static bool
must_wait(const struct topic *t, size_t nrelays, uint64_t now)
{
	return nrelays == 0 && !t->announced &&
	       now < t->joined + NO_RELAYS_WAIT;
}

static void
search(struct topic *t, struct dht_search_opts *o, uint64_t now)
{
	struct addr near[RPC_K];
	struct dht_search *look = NULL;
	struct swarm *s = t->s;
	struct err e = ERR_INIT;

	t->looking = true;
	t->found = 0;
	t->round++;
	s->searches++;
	o->topic = t->key;
	start_near(t, o, near);
	o->found = on_found;
	o->done = on_looked;
	o->ctx = t;
	if (dht_lookup(&look, s->dht, o, now, &e) != ERR_OK) {
		s->searches--;
		t->looking = false;
		t->next = t->whole = now + AGAIN_AFTER_FAILURE;
		return;
	}
	if (t->looking)
		t->look = look;
}

static void
begin(struct topic *t, uint64_t now)
{
	struct addr relay[DHT_RELAYS_MAX];
	struct dht_search_opts o = {.relay = relay};
	struct swarm *s = t->s;
	bool whole = now >= t->whole, later = false;

	t->announcing = false;
	if (whole && (t->flags & SWARM_SERVER) != 0) {
		o.nrelays = dht_server_relays(s->server, relay);
		later = must_wait(t, o.nrelays, now);
		t->announcing = !later;
	}
	if (later && (t->round > 0 || (t->flags & SWARM_CLIENT) == 0)) {
		t->next = t->whole = now + NO_RELAYS_TICK;
		return;
	}
	if (whole)
		t->whole = later ? now + NO_RELAYS_TICK
				 : now + WHOLE +
				       table_random(s, (uint32_t)WHOLE_JITTER);
	if (t->announcing) {
		o.pair = &s->pair;
		o.clear = !t->announced;
		t->announced = true;
	}
	search(t, &o, now);
}

/* -- whose round it is ---------------------------------------------------- */

static bool
is_due(const struct topic *t, uint64_t now)
{
	return t->state == TOPIC_JOINED && !t->looking && t->next <= now;
}

/* Only for the sake of the backoff? */
static bool
is_extra(const struct topic *t, uint64_t now)
{
	return t->round > 0 && t->whole > now;
}

static bool
is_before(const struct topic *a, const struct topic *b)
{
	if ((a->round == 0) != (b->round == 0))
		return a->round == 0;
	return a->round == 0 ? a->joined > b->joined : a->next < b->next;
}

static struct topic *
first_due(const struct swarm *s, uint64_t now)
{
	struct topic *best = NULL;

	for (size_t i = 0; i < s->ntopics; i++) {
		struct topic *t = s->topics[i];

		if (!is_due(t, now) ||
		    (is_extra(t, now) && now < s->lonely_next))
			continue;
		if (best == NULL || is_before(t, best))
			best = t;
	}
	return best;
}

/* A topic whose last peer went, or has nothing new, is looked up soon. */
static void
comfort(struct swarm *s, uint64_t now)
{
	for (size_t i = 0; i < s->ntopics; i++) {
		struct topic *t = s->topics[i];

		if (t->state == TOPIC_JOINED && !t->looking && lonely(t) &&
		    t->step == 0 && is_extra(t, now))
			plan(t, now);
	}
	s->lonely = false;
}

static void
start_due(struct swarm *s, uint64_t now)
{
	struct topic *t;

	while (s->searches < SEARCHES_MAX && (t = first_due(s, now)) != NULL) {
		if (!is_extra(t, now)) {
			begin(t, now);
		} else if (lonely(t)) {
			s->lonely_next = now + LONELY_GAP;
			begin(t, now);
		} else { /* somebody came meanwhile */
			t->next = t->whole;
			t->step = 0;
		}
	}
}

static uint64_t
next_due(const struct swarm *s, uint64_t now)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < s->ntopics; i++) {
		const struct topic *t = s->topics[i];
		uint64_t at = t->next;

		if (t->state != TOPIC_JOINED || t->looking)
			continue;
		if (is_extra(t, at > now ? at : now) && at < s->lonely_next)
			at = s->lonely_next;
		due = at < due ? at : due;
	}
	/* the end of a search is the next chance */
	return due <= now ? UINT64_MAX : due;
}

uint64_t
topics_turn(struct swarm *s, uint64_t now)
{
	topics_take_back(s, now);
	if (s->lonely)
		comfort(s, now);
	if (!s->moved && now < s->topics_due)
		return s->topics_due;
	s->moved = false;
	start_due(s, now);
	s->topics_due = s->moved ? now : next_due(s, now);
	return s->topics_due;
}

/* -- joining and leaving -------------------------------------------------- */

void
topics_refresh(struct topic *t, uint64_t now)
{
	if (t->state != TOPIC_JOINED)
		return;
	t->step = 0;
	t->next = t->whole = now;
	t->s->moved = true;
}

void
topics_flags(struct topic *t, int flags, uint64_t now)
{
	int change = t->flags ^ flags;

	if (t->state == TOPIC_JOINED && change == 0)
		return;
	if (t->state == TOPIC_JOINED && change == SWARM_WANTING) {
		t->flags = flags;
		t->step = 0;
		t->s->lonely = true;
		return;
	}
	/* what was not taken back is still out there */
	t->announced = t->announced || t->going;
	topics_stop(t);
	t->state = TOPIC_JOINED;
	t->flags = flags;
	if ((flags & SWARM_CLIENT) == 0)
		unlink_all(t, now);
	topics_refresh(t, now);
	if ((flags & SWARM_SERVER) == 0)
		take_back(t, now);
}

void
topics_end(struct topic *t)
{
	struct topic **at = bucket_of(t->s, &t->key);

	if (t->state == TOPIC_OVER)
		return;
	while (*at != t)
		at = &(*at)->chain;
	*at = t->chain;
	t->state = TOPIC_OVER;
	t->s->over = true;
}

static void
on_gone(void *ctx, const struct rpc_node *closest, size_t n, size_t commits,
    uint64_t now)
{
	struct topic *t = ctx;

	(void)closest;
	(void)n;
	(void)commits;
	t->s->now = now;
	t->s->backs--;
	t->going = false;
	t->gone = NULL;
	if (t->state == TOPIC_LEAVING)
		topics_end(t);
}

/* Our records, where the last announcements put them; a few topics at a
 * time. */
static void
take_back(struct topic *t, uint64_t now)
{
	struct dht_search_opts o = {
	    .topic = t->key, .pair = &t->s->pair, .done = on_gone, .ctx = t};
	struct addr near[RPC_K];
	struct dht_search *gone = NULL;
	struct err e = ERR_INIT;

	if (!t->announced)
		return;
	if (t->s->backs >= BACKS_MAX) {
		t->s->waiting = true;
		return;
	}
	t->announced = false;
	t->commits = 0;
	t->going = true;
	t->s->backs++;
	start_near(t, &o, near);
	if (dht_unannounce(&gone, t->s->dht, &o, now, &e) != ERR_OK) {
		t->s->backs -= t->going;
		t->going = false;
	} else if (t->going) {
		t->gone = gone;
	}
}

/* Is it to be taken back, and not being so? */
static bool
waits(const struct topic *t)
{
	return t->announced && !t->going &&
	       (t->state == TOPIC_LEAVING ||
		   (t->state == TOPIC_JOINED &&
		       (t->flags & SWARM_SERVER) == 0));
}

void
topics_take_back(struct swarm *s, uint64_t now)
{
	if (!s->waiting || s->backs >= BACKS_MAX)
		return;
	s->waiting = false;
	for (size_t i = 0; i < s->ntopics && !s->waiting; i++) {
		struct topic *t = s->topics[i];

		if (!waits(t))
			continue;
		take_back(t, now);
		if (t->state == TOPIC_LEAVING && !t->going && !t->announced)
			topics_end(t);
	}
}

void
topics_leave(struct topic *t, uint64_t now)
{
	if (t->state != TOPIC_JOINED)
		return;
	if (t->look != NULL)
		dht_search_cancel(t->look);
	t->s->searches -= t->looking;
	t->look = NULL;
	t->looking = false;
	t->state = TOPIC_LEAVING;
	unlink_all(t, now);
	take_back(t, now);
	if (!t->going && !t->announced)
		topics_end(t);
	t->s->moved = t->s->dirty = true;
}

void
topics_sweep(struct swarm *s)
{
	size_t n = 0;

	if (!s->over)
		return;
	s->over = false;
	for (size_t i = 0; i < s->ntopics; i++) {
		struct topic *t = s->topics[i];

		if (t->state != TOPIC_OVER) {
			s->topics[n++] = t;
			continue;
		}
		free(t->closest);
		free(t->edges);
		free(t);
	}
	s->ntopics = n;
	if (s->cursor >= n)
		s->cursor = 0;
}
