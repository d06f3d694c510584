/* side: one of some peers that a test runs in its own thread, each with a
 * store, and how they find each other in a town. */
#ifndef TESTS_PEER_SIDE_H
#define TESTS_PEER_SIDE_H

#include "../core/fix.h"

#include "peer/node.h"
#include "town.h"

#define SIDE_PATIENCE 90000000u

static struct town town;

struct side {
	struct fix f;
	struct peer_node *n;
	struct peer_discovery d;
	size_t joined, left, unreached, looked;
	char text[256];
	uint64_t up_max;
	uint8_t who; /* 0: somebody new */
	bool remember;
	uint64_t patience;
};

static inline void
side_event(void *ctx, const struct peer_event *ev)
{
	struct side *s = ctx;

	s->joined += ev->kind == PEER_JOINED;
	s->left += ev->kind == PEER_LEFT;
	s->unreached += ev->kind == PEER_UNREACHED;
	s->looked += ev->kind == PEER_LOOKED;
	if (ev->text != NULL)
		(void)snprintf(s->text, sizeof(s->text), "%s", ev->text);
}

static inline void
side_pair(struct sign_pair *out, uint8_t who)
{
	struct err e = ERR_INIT;
	struct b32 seed;

	memset(seed.b, who, sizeof(seed.b));
	check_ok(sign_pair_seed(out, &seed, &e), &e);
}

static inline void
side_start(struct side *s)
{
	struct sign_pair pair = {0};
	struct peer_opts o = {.store = s->f.s,
	    .serve = true,
	    .patience_us = s->patience != 0 ? s->patience : SIDE_PATIENCE,
	    .discovery = &s->d,
	    .up_max = s->up_max,
	    .event = side_event,
	    .ctx = s};
	struct err e = ERR_INIT;

	s->d = (struct peer_discovery){.bootstrap = &town.bootstrap,
	    .nbootstrap = 1,
	    .remember = s->remember};
	if (s->who != 0) {
		side_pair(&pair, s->who);
		o.pair = &pair;
	}
	check_ok(peer_open(&s->n, &o, &e), &e);
	sign_pair_free(&pair);
}

/* A side with the core, of which the writer has so many blocks. */
static inline void
side_open(struct side *s, uint64_t blocks)
{
	struct core *c;

	fix_open(&s->f, 7, blocks > 0);
	if (blocks > 0) {
		c = fix_core(&s->f, CORE_WRITE);
		fix_append(c, blocks);
		core_close(c);
	}
	side_start(s);
}

static inline void
side_close(struct side *s)
{
	peer_close(s->n);
	s->n = NULL;
	fix_close(&s->f);
}

static inline void
side_join(struct side *s, int flags)
{
	struct err e = ERR_INIT;
	struct b32 topic;

	memset(&topic, 0x77, sizeof(topic));
	check_ok(peer_join(s->n, &topic, flags, &e), &e);
}

/* Who found nobody looks again at once; all sides are in this thread. */
static inline void
side_turns(struct side *const *s, size_t n, uint64_t until)
{
	struct err e = ERR_INIT;
	struct peer_topic t;
	struct b32 topic;

	check(peer_now() < until);
	memset(&topic, 0x77, sizeof(topic));
	for (size_t i = 0; i < n; i++) {
		check_ok(peer_turn(s[i]->n, peer_now() + 300, &e), &e);
		if (s[i]->looked == 0 || peer_connections(s[i]->n) > 0 ||
		    !peer_topic(s[i]->n, &topic, &t) || t.found > 0)
			continue;
		s[i]->looked = 0;
		check_ok(peer_refresh(s[i]->n, &topic, &e), &e);
	}
}

static inline bool
side_announced(struct side *s)
{
	struct peer_network net;

	peer_network(s->n, &net);
	return net.announced > 0;
}

static inline bool
side_calm(struct side *s)
{
	struct peer_network net;

	peer_network(s->n, &net);
	return net.ready && net.online && net.dialling == 0;
}

static inline void
side_until_block(
    struct side *const *s, size_t n, struct side *reader, uint64_t i)
{
	struct want want = {
	    .kind = WANT_BLOCK, .key = reader->f.key, .index = i};
	uint64_t until = peer_now() + SIDE_PATIENCE;
	struct replicate_core *c;
	struct err e = ERR_INIT;

	check_ok(
	    replicate_open(peer_replicate(reader->n), &want.key, &c, &e), &e);
	check_ok(replicate_need(c, &want, &e), &e);
	while (!replicate_here(c, &want))
		side_turns(s, n, until);
}

static inline int
side_begin(void **state)
{
	(void)state;
	town_open(&town);
	return 0;
}

static inline int
side_end(void **state)
{
	(void)state;
	town_close(&town);
	return 0;
}

#endif
