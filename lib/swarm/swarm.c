#include "swarm/impl.h"

#include <stdlib.h>

#include "base/arr.h"

#define CLOSE_WAIT (5 * SECOND)

NODISCARD static enum err_code
check_opts(
    const struct swarm_opts *o, const struct swarm_env *env, struct err *e)
{
	if (o->pair == NULL || env->dial == NULL || env->drop == NULL)
		return err_set(
		    e, ERR_INVALID, "a swarm needs keys, dial and drop");
	return ERR_OK;
}

enum err_code
swarm_new(struct swarm **out, struct dht *d, const struct swarm_opts *o,
    const struct swarm_env *env, uint64_t now, struct err *e)
{
	struct swarm *s;
	enum err_code rc;

	if ((rc = check_opts(o, env, e)) != ERR_OK)
		return rc;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return err_nomem(e);
	if ((rc = sign_pair_copy(&s->pair, o->pair, e)) != ERR_OK) {
		free(s);
		return rc;
	}
	s->dht = d;
	s->server = o->server;
	s->env = *env;
	s->peers_max = o->peers_max > 0 ? o->peers_max : SWARM_PEERS_MAX;
	s->sought_max = o->sought_max > 0 ? o->sought_max : s->peers_max;
	s->parallel = o->parallel > 0 ? o->parallel : SWARM_PARALLEL;
	s->now = now;
	s->wake = s->fresh = s->topics_due = UINT64_MAX;
	secret_random(&s->salt, sizeof(s->salt));
	secret_random(&s->random, sizeof(s->random));
	if (o->seed != 0)
		s->random = o->seed;
	*out = s;
	return ERR_OK;
}

void
swarm_serve(struct swarm *s, struct dht_server *server)
{
	s->server = server;
}

void
swarm_free(struct swarm *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->ntopics; i++) {
		topics_stop(s->topics[i]);
		topics_end(s->topics[i]);
	}
	table_free(s);
	topics_sweep(s);
	free(s->topics);
	sign_pair_free(&s->pair);
	free(s);
}

/* -- topics --------------------------------------------------------------- */

enum err_code
swarm_join(struct swarm *s, const struct b32 *topic, int flags, uint64_t now,
    struct err *e)
{
	struct topic *t;

	s->now = now;
	if (flags == 0 ||
	    (flags & ~(SWARM_SERVER | SWARM_CLIENT | SWARM_WANTING)) != 0 ||
	    ((flags & SWARM_WANTING) != 0 && (flags & SWARM_CLIENT) == 0) ||
	    ((flags & SWARM_SERVER) != 0 && s->server == NULL))
		return err_set(e, ERR_INVALID,
		    "a topic is joined as a server that is there, or as a "
		    "client, or as both");
	if (s->closing)
		return err_set(e, ERR_CONFLICT, "the swarm is being closed");
	if ((t = topics_find(s, topic)) == NULL) {
		if (s->ntopics >= SWARM_TOPICS_MAX)
			return err_set(e, ERR_LIMIT, "more than %d topics",
			    SWARM_TOPICS_MAX);
		if ((t = topics_add(s, topic, now)) == NULL)
			return err_nomem(e);
	}
	topics_flags(t, flags, now);
	return ERR_OK;
}

void
swarm_leave(struct swarm *s, const struct b32 *topic, uint64_t now)
{
	struct topic *t = topics_find(s, topic);

	s->now = now;
	if (t != NULL)
		topics_leave(t, now);
}

void
swarm_refresh(struct swarm *s, const struct b32 *topic, uint64_t now)
{
	struct topic *t;

	s->now = now;
	if (topic != NULL) {
		if ((t = topics_find(s, topic)) != NULL)
			topics_refresh(t, now);
		return;
	}
	for (size_t i = 0; i < s->ntopics; i++)
		topics_refresh(s->topics[i], now);
	peers_hurry(s, now);
}

/* -- explicit peers ------------------------------------------------------- */

static void
set_explicit(struct swarm *s, struct peer *p, bool is)
{
	table_count(s, p, -1);
	p->explicit = is;
	table_count(s, p, 1);
}

enum err_code
swarm_join_peer(
    struct swarm *s, const struct b32 *key, uint64_t now, struct err *e)
{
	struct peer *p = table_find(s, key);

	s->now = now;
	if (b32_eq(key, &s->pair.pub))
		return err_set(e, ERR_INVALID, "that key is our own");
	if (p != NULL && p->explicit)
		return ERR_OK;
	if (s->nexplicit >= SWARM_EXPLICIT_MAX)
		return err_set(e, ERR_LIMIT, "more than %d peers by key",
		    SWARM_EXPLICIT_MAX);
	if (!ARR_RESERVE(s->explicits, s->nexplicit + 1, s->explicit_cap) ||
	    (p = table_take(s, key, now)) == NULL)
		return err_nomem(e);
	s->explicits[s->nexplicit++] = p;
	set_explicit(s, p, true);
	if (p->conn.id != 0 || table_banned(p, now) ||
	    p->state == PEER_DIALLING)
		return ERR_OK;
	p->attempts = 0;
	table_set(s, p, PEER_QUEUED);
	return ERR_OK;
}

void
swarm_leave_peer(struct swarm *s, const struct b32 *key, uint64_t now)
{
	struct peer *p = table_find(s, key);

	s->now = now;
	if (p == NULL || !p->explicit)
		return;
	for (size_t i = 0; i < s->nexplicit; i++)
		if (s->explicits[i] == p) {
			s->explicits[i] = s->explicits[--s->nexplicit];
			break;
		}
	set_explicit(s, p, false);
	table_release(s, p, now);
}

/* -- the end -------------------------------------------------------------- */

static bool
all_left(const struct swarm *s)
{
	for (size_t i = 0; i < s->ntopics; i++)
		if (s->topics[i]->state != TOPIC_OVER)
			return false;
	return true;
}

static void
tell_closed(struct swarm *s)
{
	void (*done)(void *ctx) = s->closed;

	s->closed = NULL;
	if (done != NULL)
		done(s->closed_ctx);
}

static uint64_t
close_turn(struct swarm *s, uint64_t now)
{
	topics_take_back(s, now);
	if (!all_left(s) && now < s->close_at)
		return s->close_at;
	for (size_t i = 0; i < s->ntopics; i++) {
		topics_stop(s->topics[i]);
		topics_end(s->topics[i]);
	}
	tell_closed(s);
	return UINT64_MAX;
}

void
swarm_close(struct swarm *s, void (*done)(void *ctx), void *ctx, uint64_t now)
{
	s->now = now;
	if (s->closing)
		return;
	s->closing = true;
	s->closed = done;
	s->closed_ctx = ctx;
	s->close_at = now + CLOSE_WAIT;
	for (size_t i = 0; i < s->ntopics; i++)
		topics_leave(s->topics[i], now);
}

uint64_t
swarm_turn(struct swarm *s, uint64_t now)
{
	uint64_t topics, peers;

	s->now = now;
	if (s->closing) {
		topics = close_turn(s, now);
		topics_sweep(s);
		return topics;
	}
	topics_sweep(s);
	topics = topics_turn(s, now);
	peers = peers_turn(s, now);
	return topics < peers ? topics : peers;
}

void
swarm_about(const struct swarm *s, struct swarm_about *out)
{
	*out = (struct swarm_about){.known = s->npeers,
	    .connected = s->connected,
	    .dialling = s->dialling};
	for (size_t i = 0; i < s->ntopics; i++) {
		const struct topic *t = s->topics[i];

		out->topics += t->state == TOPIC_JOINED;
		out->announced += t->state == TOPIC_JOINED && t->commits > 0;
	}
	for (size_t i = 0; i < s->npeers; i++)
		out->banned += table_banned(s->peers[i], s->now);
}
