/*
 * fake: a swarm whose DHT is a list of searches that the test answers, and
 * whose owner keeps what it is told. Each test is one program, so the four
 * functions of the DHT that a swarm calls are simply defined here.
 */
#ifndef TESTS_SWARM_FAKE_H
#define TESTS_SWARM_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "support/vec.h"
#include "swarm/impl.h"

#define FAKE_MAX 20000

struct dht_search {
	struct dht_search_opts o;
	bool unannounce;
	struct dht_search *next;
};

struct fake {
	struct swarm *s;
	struct sign_pair pair;
	uint64_t now, deadline;
	/* the owner */
	struct b32 dialled[FAKE_MAX];
	uint64_t dialled_at[FAKE_MAX];
	size_t ndialled, nundialled, ndropped, nlooked, nclosed, nmet;
	struct b32 met; /* the last topic */
	struct b32 undialled;
	uint64_t dropped;
	const char *why;
	size_t found, announced;
	uint64_t next;
	bool refuse;
	/* the DHT */
	struct dht_search *searches;
	size_t looks, announces, unannounces, cancelled, nstart;
	bool clear, fails;
	size_t nrelays; /* of the server */
};

static struct fake fake;

/* -- the DHT -------------------------------------------------------------- */

static enum err_code
fake_search(struct dht_search **out, const struct dht_search_opts *o,
    bool unannounce, struct err *e)
{
	struct dht_search *q = calloc(1, sizeof(*q));

	check(q != NULL);
	if (fake.fails) {
		free(q);
		return err_set(e, ERR_NOMEM, "fails");
	}
	q->o = *o;
	q->unannounce = unannounce;
	q->next = fake.searches;
	fake.searches = q;
	fake.nstart = o->nstart;
	fake.clear = o->clear;
	*out = q;
	return ERR_OK;
}

enum err_code
dht_lookup(struct dht_search **out, struct dht *d,
    const struct dht_search_opts *o, uint64_t now, struct err *e)
{
	(void)d;
	check(now == fake.now);
	*(o->pair != NULL ? &fake.announces : &fake.looks) += 1;
	return fake_search(out, o, false, e);
}

enum err_code
dht_unannounce(struct dht_search **out, struct dht *d,
    const struct dht_search_opts *o, uint64_t now, struct err *e)
{
	(void)d;
	check(now == fake.now && o->pair != NULL);
	fake.unannounces++;
	return fake_search(out, o, true, e);
}

static void
fake_unlink(struct dht_search *q)
{
	struct dht_search **at = &fake.searches;

	while (*at != q) {
		check(*at != NULL);
		at = &(*at)->next;
	}
	*at = q->next;
}

void
dht_search_cancel(struct dht_search *q)
{
	fake_unlink(q);
	fake.cancelled++;
	free(q);
}

size_t
dht_server_relays(
    const struct dht_server *s, struct addr out[static DHT_RELAYS_MAX])
{
	check(s != NULL);
	memset(out, 0, DHT_RELAYS_MAX * sizeof(*out));
	return fake.nrelays;
}

static inline size_t
fake_searching(void)
{
	size_t n = 0;

	for (const struct dht_search *q = fake.searches; q != NULL; q = q->next)
		n++;
	return n;
}

/* The newest search of the topic, NULL: of any. */
static inline struct dht_search *
fake_find(const struct b32 *topic, bool unannounce)
{
	struct dht_search *q = fake.searches;

	while (q != NULL && (q->unannounce != unannounce ||
				(topic != NULL && !b32_eq(&q->o.topic, topic))))
		q = q->next;
	return q;
}

static inline void
fake_end(struct dht_search *q, size_t commits)
{
	struct rpc_node closest[3] = {0};

	check(q != NULL);
	fake_unlink(q);
	q->o.done(q->o.ctx, closest, 3, commits, fake.now);
	free(q);
}

/* -- the owner ------------------------------------------------------------ */

static inline bool
fake_dial(void *ctx, const struct swarm_peer_about *p, uint64_t now)
{
	(void)ctx;
	check(now == fake.now);
	if (fake.refuse)
		return false;
	check(fake.ndialled < FAKE_MAX);
	fake.dialled_at[fake.ndialled] = now;
	fake.dialled[fake.ndialled++] = p->key;
	return true;
}

static inline void
fake_undial(void *ctx, const struct b32 *key)
{
	(void)ctx;
	fake.nundialled++;
	fake.undialled = *key;
}

static inline void
fake_drop(void *ctx, uint64_t conn, const char *why)
{
	(void)ctx;
	fake.ndropped++;
	fake.dropped = conn;
	fake.why = why;
}

static inline void
fake_looked(void *ctx, const struct b32 *topic, size_t found, size_t announced,
    uint64_t next, uint64_t now)
{
	(void)ctx;
	(void)topic;
	check(next >= now);
	fake.nlooked++;
	fake.found = found;
	fake.announced = announced;
	fake.next = next;
}

static inline void
fake_met(void *ctx, const struct b32 *topic, uint64_t now)
{
	(void)ctx;
	check(now == fake.now);
	fake.met = *topic;
	fake.nmet++;
}

static inline void
fake_closed(void *ctx)
{
	(void)ctx;
	fake.nclosed++;
}

static inline struct b32
fake_key(uint32_t n)
{
	struct b32 k = {{0x80}};

	memcpy(k.b + 1, &n, sizeof(n));
	return k;
}

/* Time goes on, and each deadline is kept. */
static inline void
fake_until(uint64_t until)
{
	unsigned idle = 0;

	do {
		if (fake.deadline != UINT64_MAX && fake.deadline > fake.now)
			fake.now =
			    fake.deadline < until ? fake.deadline : until;
		fake.deadline = swarm_turn(fake.s, fake.now);
		idle = fake.deadline <= fake.now ? idle + 1 : 0;
		check(idle < 100); /* a deadline moves */
	} while (fake.deadline <= until);
	fake.now = until;
	fake.deadline = swarm_turn(fake.s, fake.now);
}

static inline void
fake_turn(void)
{
	fake_until(fake.now);
}

static inline void
fake_wait(uint64_t us)
{
	fake_until(fake.now + us);
}

/* own: first byte of the key of the swarm; larger than 0x80: larger than all
 * that fake_key() makes. */
static inline void
fake_begin(const struct swarm_opts *opts, uint8_t own)
{
	struct swarm_env env = {.dial = fake_dial,
	    .undial = fake_undial,
	    .drop = fake_drop,
	    .looked = fake_looked,
	    .met = fake_met};
	struct swarm_opts o = {0};
	struct b32 seed = {{7}};
	struct err e = ERR_INIT;
	static int server;

	memset(&fake, 0, sizeof(fake));
	fake.now = 1000 * SECOND;
	fake.deadline = UINT64_MAX;
	fake.nrelays = 3;
	check_ok(sign_pair_seed(&fake.pair, &seed, &e), &e);
	fake.pair.pub.b[0] = own;
	if (opts != NULL)
		o = *opts;
	o.pair = &fake.pair;
	o.server = (struct dht_server *)(void *)&server;
	o.seed = o.seed != 0 ? o.seed : 1;
	check_ok(swarm_new(&fake.s, NULL, &o, &env, fake.now, &e), &e);
}

static inline void
fake_free(void)
{
	swarm_free(fake.s);
	check(fake.searches == NULL);
	sign_pair_free(&fake.pair);
}

/* -- short words ---------------------------------------------------------- */

static inline void
fake_join(const struct b32 *topic, int flags)
{
	struct err e = ERR_INIT;

	check_ok(swarm_join(fake.s, topic, flags, fake.now, &e), &e);
	fake_turn();
}

static inline void
fake_join_peer(const struct b32 *key)
{
	struct err e = ERR_INIT;

	check_ok(swarm_join_peer(fake.s, key, fake.now, &e), &e);
	fake_turn();
}

/* The search of the topic finds peers from..from+n. */
static inline void
fake_find_peers(const struct b32 *topic, uint32_t from, uint32_t n)
{
	struct dht_search *q = fake_find(topic, false);

	check(q != NULL);
	for (uint32_t i = 0; i < n; i++) {
		struct dht_record r = {.key = fake_key(from + i)};

		q->o.found(q->o.ctx, &r, fake.now);
	}
}

static inline struct swarm_about
fake_about(void)
{
	struct swarm_about about;

	swarm_about(fake.s, &about);
	return about;
}

static inline size_t
fake_dials_of(const struct b32 *key)
{
	size_t n = 0;

	for (size_t i = 0; i < fake.ndialled; i++)
		n += b32_eq(&fake.dialled[i], key);
	return n;
}

static inline void
fake_fail(const struct b32 *key)
{
	swarm_failed(fake.s, key, DHT_PEER_SILENT, fake.now);
}

#endif
