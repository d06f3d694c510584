/*
 * Who is dialled next. Explicit peers first. Then the topics take turns, those
 * that have least before the others:
 *
 *	FRESH	nobody was dialled for it yet; after a while it may have a
 *		dial beyond the limit of parallel ones
 *	ALONE	nobody is connected or being dialled for it
 *	SHARE	fewer than SWARM_TOPIC_PEERS_MAX are connected for it
 *	MORE	the others
 *
 * Each kind leaves some of the connections to the better ones, so that one
 * topic with many peers has neither all dials nor all connections. Inside a
 * topic, the priority of a peer decides, and chance inside a priority.
 */
#include "swarm/impl.h"

#include <string.h>

/* The longest that a new topic waits while all dials hang. */
#define FRESH_WAIT (3 * SECOND)
#define HOLD SECOND /* after the owner refused to dial */
#define LONG_ENOUGH (15 * SECOND)

#define DELAY_S SECOND
#define DELAY_M (5 * SECOND)
#define DELAY_L (15 * SECOND)
#define DELAY_X MINUTE

enum turn { TURN_FRESH, TURN_ALONE, TURN_SHARE, TURN_MORE, TURN_NONE };

enum peers_priority
peers_priority(unsigned attempts)
{
	static const enum peers_priority by_attempts[] = {
	    PEERS_NORMAL, PEERS_VERY_HIGH, PEERS_HIGH, PEERS_LOW};

	return attempts < 4 ? by_attempts[attempts] : PEERS_VERY_LOW;
}

uint64_t
peers_delay(unsigned attempts, bool proven, bool explicit)
{
	static const uint64_t worked[] = {DELAY_S, DELAY_S, DELAY_M, DELAY_L};
	static const uint64_t never[] = {DELAY_S, DELAY_M, DELAY_L, DELAY_L};

	if (attempts > 3)
		return explicit ? DELAY_X : 0;
	return proven ? worked[attempts] : never[attempts];
}

uint64_t
peers_jitter(struct swarm *s, uint64_t delay)
{
	uint64_t most = delay <= DELAY_S   ? SECOND / 2
			: delay <= DELAY_M ? SECOND
					   : 2 * SECOND;

	/* 0.66 to 1.32 of it, as two ticks of a timer would be */
	delay += table_random(s, (uint32_t)most);
	return delay * (66 + table_random(s, 67)) / 100;
}

/* -- waiting -------------------------------------------------------------- */

bool
peers_wanted(const struct peer *p)
{
	return p->explicit || p->ntopics > 0;
}

void
peers_wait(struct swarm *s, struct peer *p, uint64_t due)
{
	table_set(s, p, PEER_WAITING);
	p->due = due;
	if (due < s->wake)
		s->wake = due;
}

void
peers_ended(
    struct swarm *s, struct peer *p, uint64_t lasted, bool ours, uint64_t now)
{
	uint64_t delay;

	if (lasted >= LONG_ENOUGH)
		p->attempts = 0;
	p->attempts++;
	if (p->conn.id != 0 || p->state == PEER_DIALLING)
		return;
	if (table_banned(p, now)) {
		peers_wait(s, p, p->banned_until);
		return;
	}
	delay = peers_delay(p->attempts, p->proven, p->explicit);
	if (!peers_wanted(p) || delay == 0) {
		table_set(s, p, PEER_IDLE);
		table_release(s, p, now);
		return;
	}
	/* who dialled dials again; it is given time to */
	if (!ours && delay < DELAY_M)
		delay = DELAY_M;
	peers_wait(s, p, now + peers_jitter(s, delay));
}

void
peers_hurry(struct swarm *s, uint64_t now)
{
	for (size_t i = 0; i < s->npeers; i++) {
		struct peer *p = s->peers[i];

		if (p->state == PEER_WAITING && !table_banned(p, now))
			table_set(s, p, PEER_QUEUED);
	}
}

static void
wake(struct swarm *s, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	if (now < s->wake)
		return;
	/* backwards, because the last one takes the place of one that goes */
	for (size_t i = s->npeers; i-- > 0;) {
		struct peer *p = s->peers[i];

		if (p->state != PEER_WAITING)
			continue;
		if (p->due > now)
			next = p->due < next ? p->due : next;
		else if (peers_wanted(p))
			table_set(s, p, PEER_QUEUED);
		else
			table_release(s, p, now);
	}
	s->wake = next;
}

/* -- found ---------------------------------------------------------------- */

static bool
same_relays(const struct peer *p, const struct dht_record *r)
{
	if (p->nrelays != r->nrelays)
		return false;
	for (size_t i = 0; i < p->nrelays; i++)
		if (!addr_eq(&p->relay[i], &r->relay[i]))
			return false;
	return true;
}

/* The newest record is the best one. Does it tell that the peer is announced
 * anew, and not only still? */
static bool
take_relays(struct peer *p, const struct dht_record *r)
{
	bool news = r->nrelays > 0 && !same_relays(p, r);

	if (news) {
		memcpy(p->relay, r->relay, sizeof(p->relay));
		p->nrelays = r->nrelays;
	}
	return news;
}

/* Found in this search for the first time: it may be worth another try. */
static void
found(struct swarm *s, struct peer *p, const struct dht_record *r, uint64_t now)
{
	bool news = take_relays(p, r);

	if (p->conn.id != 0 || table_banned(p, now) ||
	    p->state == PEER_QUEUED || p->state == PEER_DIALLING)
		return;
	if (p->state == PEER_WAITING && !news)
		return;
	p->attempts = 0;
	p->proven = false;
	table_set(s, p, PEER_QUEUED);
}

void
peers_found(
    struct swarm *s, struct topic *t, const struct dht_record *r, uint64_t now)
{
	struct edge *x;
	struct peer *p;
	bool first, met;

	if (b32_eq(&r->key, &s->pair.pub) || r->nrelays > DHT_RELAYS_MAX)
		return;
	if ((p = table_take(s, &r->key, now)) == NULL)
		return;
	met = p->conn.id != 0 && !table_linked(t, p);
	if ((x = table_link(s, t, p, now)) == NULL) {
		table_release(s, p, now);
		return;
	}
	/* many nodes tell of the same record: once in a search counts */
	first = x->round != t->round;
	x->round = t->round;
	t->found += first;
	if (first)
		found(s, p, r, now);
	/* comes last: who hears it may let go of the topic, and of the peer */
	if (met && s->env.met != NULL)
		s->env.met(s->env.ctx, &t->key, now);
}

/* -- whose turn it is ----------------------------------------------------- */

static size_t
limit_of(uint32_t max, enum turn turn)
{
	switch (turn) {
	case TURN_FRESH:
	case TURN_ALONE:
		return max;
	case TURN_SHARE:
		return max - max / 8;
	case TURN_MORE:
		return max - max / 4;
	case TURN_NONE:
		break;
	}
	return 0;
}

static bool
is_full(const struct swarm *s, enum turn turn)
{
	bool lone = turn == TURN_FRESH || turn == TURN_ALONE;

	return s->taken >= limit_of(s->peers_max, turn) ||
	       (!lone && s->sought >= limit_of(s->sought_max, turn));
}

bool
peers_room(const struct swarm *s)
{
	return s->taken < limit_of(s->peers_max, TURN_SHARE);
}

static enum turn
turn_of(const struct topic *t)
{
	if (t->queued == 0 || t->state != TOPIC_JOINED)
		return TURN_NONE;
	if (!t->dialled)
		return TURN_FRESH;
	if (t->connected + t->dialling == 0)
		return TURN_ALONE;
	return t->connected + t->dialling < SWARM_TOPIC_PEERS_MAX ? TURN_SHARE
								  : TURN_MORE;
}

static bool
has_slot(const struct swarm *s, const struct topic *t, uint64_t now)
{
	if (s->dialling < s->parallel)
		return true;
	return !t->dialled && now >= t->queue + FRESH_WAIT &&
	       s->dialling < 2 * (size_t)s->parallel;
}

/* The best of those seen, and one of the equal ones by chance: n counts
 * them. */
static void
better(struct swarm *s, struct peer **best, struct peer *p, uint32_t *n)
{
	int by;

	if (p->state != PEER_QUEUED)
		return;
	by = *best == NULL ? 1
			   : (int)peers_priority(p->attempts) -
				 (int)peers_priority((*best)->attempts);
	if (by < 0)
		return;
	*n = by > 0 ? 1 : *n + 1;
	if (table_random(s, *n) == 0)
		*best = p;
}

static struct peer *
pick_explicit(struct swarm *s)
{
	struct peer *best = NULL;
	uint32_t n = 0;

	if (s->dialling >= s->parallel)
		return NULL;
	for (size_t i = 0; i < s->nexplicit; i++)
		better(s, &best, s->explicits[i], &n);
	return best;
}

static struct topic *
pick_topic(struct swarm *s, uint64_t now)
{
	enum turn best = TURN_NONE;
	struct topic *found = NULL;
	size_t at = s->cursor;

	for (size_t i = 0; i < s->ntopics; i++) {
		size_t k = (s->cursor + i) % s->ntopics;
		struct topic *t = s->topics[k];
		enum turn turn = turn_of(t);

		if (turn >= best || is_full(s, turn) || !has_slot(s, t, now))
			continue;
		best = turn;
		found = t;
		at = k + 1;
	}
	s->cursor = at;
	return found;
}

static struct peer *
pick(struct swarm *s, uint64_t now)
{
	struct peer *best;
	struct topic *t;
	uint32_t n = 0;

	if (s->closing || s->queued == 0 || now < s->hold)
		return NULL;
	if ((best = pick_explicit(s)) != NULL)
		return best;
	if ((t = pick_topic(s, now)) == NULL)
		return NULL;
	for (size_t i = 0; i < t->nedges; i++)
		better(s, &best, t->edges[i].peer, &n);
	return best;
}

static bool
dial(struct swarm *s, struct peer *p, uint64_t now)
{
	struct swarm_peer_about about = {.key = p->key,
	    .nrelays = p->nrelays,
	    .explicit = p->explicit,
	    .attempts = p->attempts};
	struct addr relay[DHT_RELAYS_MAX];

	/* copies: the owner may tell the end of it at once */
	memcpy(relay, p->relay, sizeof(relay));
	about.relay = relay;
	table_set(s, p, PEER_DIALLING);
	if (!s->env.dial(s->env.ctx, &about, now)) {
		p = table_find(s, &about.key);
		if (p != NULL && p->state == PEER_DIALLING)
			table_set(s, p, PEER_QUEUED);
		s->hold = now + HOLD;
		return false;
	}
	p = table_find(s, &about.key);
	for (size_t i = 0; p != NULL && i < p->ntopics; i++)
		p->topics[i]->dialled = true;
	return true;
}

/* When a new topic may go beyond the limit of parallel dials. */
static uint64_t
fresh_due(const struct swarm *s, uint64_t now)
{
	uint64_t due = UINT64_MAX;

	if (s->dialling < s->parallel || s->queued == 0)
		return due;
	for (size_t i = 0; i < s->ntopics; i++) {
		const struct topic *t = s->topics[i];

		if (turn_of(t) == TURN_FRESH && t->queue + FRESH_WAIT > now &&
		    t->queue + FRESH_WAIT < due)
			due = t->queue + FRESH_WAIT;
	}
	return due;
}

static uint64_t
soonest(const struct swarm *s)
{
	uint64_t due = s->wake < s->fresh ? s->wake : s->fresh;

	return s->hold > 0 && s->hold < due ? s->hold : due;
}

uint64_t
peers_turn(struct swarm *s, uint64_t now)
{
	struct peer *p;

	if (s->closing)
		return UINT64_MAX;
	wake(s, now);
	if (now >= s->hold && s->hold > 0) {
		s->hold = 0;
		s->dirty = true;
	}
	if (s->dirty || now >= s->fresh) {
		while ((p = pick(s, now)) != NULL && dial(s, p, now))
			continue;
		s->dirty = false;
		s->fresh = fresh_due(s, now);
	}
	return soonest(s);
}
