#include "swarm/impl.h"

static struct peer *
find_conn(const struct swarm *s, uint64_t conn)
{
	for (size_t i = 0; conn != 0 && i < s->npeers; i++)
		if (s->peers[i]->conn.id == conn)
			return s->peers[i];
	return NULL;
}

static void
drop(struct swarm *s, uint64_t conn, const char *why)
{
	if (s->env.drop != NULL)
		s->env.drop(s->env.ctx, conn, why);
}

/* Takes it out of a dial that can be given up; then the owner is to be
 * told. */
static bool
give_up(struct swarm *s, struct peer *p)
{
	if (p->state != PEER_DIALLING || s->env.undial == NULL)
		return false;
	table_set(s, p, PEER_IDLE);
	return true;
}

static void
detach(struct swarm *s, struct peer *p)
{
	table_count(s, p, -1);
	p->conn.id = 0;
	table_count(s, p, 1);
	s->lonely = true;
}

static void
attach(struct swarm *s, struct peer *p, bool initiator, uint64_t conn,
    uint64_t now)
{
	table_count(s, p, -1);
	if (p->state != PEER_DIALLING)
		p->state = PEER_IDLE;
	p->conn.id = conn;
	p->conn.since = now;
	p->conn.initiator = initiator;
	p->conn.used = false;
	p->proven = p->proven || initiator;
	table_count(s, p, 1);
}

/* Its topics may change while they are told. */
static void
tell_met(struct swarm *s, const struct b32 *key, uint64_t now)
{
	const struct peer *p = table_find(s, key);

	for (size_t i = 0; s->env.met != NULL && p != NULL && i < p->ntopics;
	     i++) {
		s->env.met(s->env.ctx, &p->topics[i]->key, now);
		p = table_find(s, key);
	}
}

bool
swarm_admits(struct swarm *s, const struct b32 *key, uint64_t now)
{
	const struct peer *p = table_find(s, key);

	s->now = now;
	if (s->closing || b32_eq(key, &s->pair.pub))
		return false;
	if (p == NULL)
		return peers_room(s);
	if (table_banned(p, now))
		return false;
	/* it has its place already: this one would replace the other */
	return p->explicit || p->conn.id != 0 || p->state == PEER_DIALLING ||
	       peers_room(s);
}

/* Of the two, does the new one stay? */
static bool
wins(const struct swarm *s, const struct peer *p, bool initiator, uint64_t now)
{
	struct dups_case c = {.old_initiator = p->conn.initiator,
	    .new_initiator = initiator,
	    .old_used = p->conn.used,
	    .old_age = now - p->conn.since};

	return dups_judge(&c, dups_ours(&s->pair.pub, &p->key)) ==
	       DUPS_KEEP_NEW;
}

/* A peer that has a place keeps it, whichever connection it is. */
static bool
may_attach(const struct swarm *s, const struct peer *p, uint64_t now)
{
	if (table_banned(p, now))
		return false;
	return p->explicit || p->conn.id != 0 || p->state == PEER_DIALLING ||
	       s->taken < s->peers_max;
}

bool
swarm_opened(struct swarm *s, const struct b32 *key, bool initiator,
    uint64_t conn, uint64_t now)
{
	struct peer *p = table_find(s, key);
	struct b32 remote = *key;
	bool undial;
	uint64_t old;

	s->now = now;
	if (p != NULL && initiator && p->state == PEER_DIALLING)
		table_set(s, p, PEER_IDLE);
	if (s->closing || b32_eq(key, &s->pair.pub) || conn == 0)
		return false;
	if (p == NULL &&
	    (s->taken >= s->peers_max || (p = table_take(s, key, now)) == NULL))
		return false;
	if (!may_attach(s, p, now)) {
		if (p->state == PEER_IDLE && initiator)
			peers_ended(s, p, 0, true, now);
		return false;
	}
	if (p->conn.id != 0 && !wins(s, p, initiator, now))
		return false;
	old = p->conn.id;
	attach(s, p, initiator, conn, now);
	/* It came while we dial its peer: one of the two will stay, and both
	 * sides know which. If it is theirs, ours is not needed. If it is
	 * ours, theirs serves until ours is open, which may never be. */
	undial = !initiator && !dups_ours(&s->pair.pub, key) && give_up(s, p);
	if (undial)
		s->env.undial(s->env.ctx, &remote);
	if (old != 0)
		drop(s, old, "duplicate connection");
	else
		tell_met(s, &remote, now);
	return true;
}

void
swarm_used(struct swarm *s, uint64_t conn)
{
	struct peer *p = find_conn(s, conn);

	if (p != NULL)
		p->conn.used = true;
}

void
swarm_closed(struct swarm *s, uint64_t conn, uint64_t now)
{
	struct peer *p = find_conn(s, conn);

	s->now = now;
	if (p == NULL)
		return; /* a loser, or refused */
	detach(s, p);
	peers_ended(s, p, now - p->conn.since, p->conn.initiator, now);
}

void
swarm_failed(
    struct swarm *s, const struct b32 *key, enum dht_failure why, uint64_t now)
{
	struct peer *p = table_find(s, key);

	(void)why;
	s->now = now;
	if (p == NULL || p->state != PEER_DIALLING)
		return;
	table_set(s, p, PEER_IDLE);
	if (p->conn.id == 0)
		peers_ended(s, p, 0, true, now);
}

void
swarm_ban(struct swarm *s, const struct b32 *key, uint64_t until, uint64_t now)
{
	struct peer *p = table_take(s, key, now);
	struct b32 remote = *key;
	uint64_t conn;
	bool undial;

	s->now = now;
	if (p == NULL)
		return;
	p->banned_until = until;
	if (until <= now) {
		table_release(s, p, now);
		return;
	}
	conn = p->conn.id;
	if (conn != 0)
		detach(s, p);
	undial = give_up(s, p);
	if (p->state != PEER_DIALLING)
		peers_wait(s, p, until);
	if (undial)
		s->env.undial(s->env.ctx, &remote);
	if (conn != 0)
		drop(s, conn, "banned");
}
