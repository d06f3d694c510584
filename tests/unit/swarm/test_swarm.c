/*
 * What may be asked of a swarm, how it ends, and a random life of it: what
 * the owner does and what the DHT tells, in any order, against sums that are
 * made anew. SWARM_SEED=n runs that one.
 */
#include "fake.h"

#include <stdio.h>

static const struct b32 A = {{1}}, B = {{2}};

static void
test_new(void **state)
{
	struct swarm_env env = {.dial = fake_dial, .drop = fake_drop};
	struct swarm_opts o = {0};
	struct sign_pair pair;
	struct b32 seed = {{1}};
	struct err e = ERR_INIT;
	struct swarm *s = NULL;

	(void)state;
	check_ok(sign_pair_seed(&pair, &seed, &e), &e);
	check_code(swarm_new(&s, NULL, &o, &env, 0, &e), ERR_INVALID);
	o.pair = &pair;
	env.dial = NULL;
	check_code(swarm_new(&s, NULL, &o, &env, 0, &e), ERR_INVALID);
	env.dial = fake_dial;
	env.drop = NULL;
	check_code(swarm_new(&s, NULL, &o, &env, 0, &e), ERR_INVALID);
	env.drop = fake_drop;
	check(s == NULL);
	check_ok(swarm_new(&s, NULL, &o, &env, 0, &e), &e);
	check(swarm_turn(s, 0) == UINT64_MAX);
	/* no server was given */
	check_code(swarm_join(s, &A, SWARM_SERVER, 0, &e), ERR_INVALID);
	check_code(swarm_join(s, &A, 0, 0, &e), ERR_INVALID);
	swarm_serve(s, (struct dht_server *)(void *)&seed);
	check_ok(swarm_join(s, &A, SWARM_SERVER, 0, &e), &e);
	check_code(swarm_join(s, &A, 4, 0, &e), ERR_INVALID);
	check_code(swarm_join_peer(s, &pair.pub, 0, &e), ERR_INVALID);
	swarm_free(s);
	swarm_free(NULL);
	sign_pair_free(&pair);
}

static void
test_limits(void **state)
{
	struct err e = ERR_INIT;
	struct b32 k = {{9}};
	uint32_t i;

	(void)state;
	fake_begin(NULL, 0xff);
	for (i = 0; i <= SWARM_EXPLICIT_MAX; i++) {
		k = fake_key(i);
		if (swarm_join_peer(fake.s, &k, fake.now, &e) != ERR_OK)
			break;
	}
	check(i == SWARM_EXPLICIT_MAX && e.code == ERR_LIMIT);
	for (i = 0; i <= SWARM_TOPICS_MAX; i++) {
		k = fake_key(i);
		if (swarm_join(fake.s, &k, SWARM_CLIENT, fake.now, &e) !=
		    ERR_OK)
			break;
	}
	check(i == SWARM_TOPICS_MAX && e.code == ERR_LIMIT);
	fake_free();
}

/* All are taken back, and it is told once. */
static void
test_close(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	fake_begin(NULL, 0xff);
	fake_join(&A, SWARM_SERVER);
	fake_join(&B, SWARM_SERVER | SWARM_CLIENT);
	fake_end(fake_find(&A, false), 20);
	swarm_close(fake.s, fake_closed, NULL, fake.now);
	swarm_close(fake.s, fake_closed, NULL, fake.now);
	fake_turn();
	check(fake.unannounces == 2 && fake.cancelled == 1);
	check(fake.nclosed == 0);
	check_code(
	    swarm_join(fake.s, &A, SWARM_CLIENT, fake.now, &e), ERR_CONFLICT);
	fake_end(fake_find(&A, true), 20);
	fake_turn();
	check(fake.nclosed == 0);
	fake_end(fake_find(&B, true), 20);
	fake_turn();
	check(fake.nclosed == 1);
	fake_wait(MINUTE);
	check(fake.nclosed == 1 && fake_searching() == 0);
	fake_free();
}

/* Nobody answers: five seconds, and no longer. */
static void
test_close_late(void **state)
{
	(void)state;
	fake_begin(NULL, 0xff);
	fake_join(&A, SWARM_SERVER);
	swarm_close(fake.s, fake_closed, NULL, fake.now);
	fake_wait(5 * SECOND - 1);
	check(fake.nclosed == 0 && fake_searching() == 1);
	fake_wait(1);
	check(fake.nclosed == 1 && fake_searching() == 0);
	fake_free();
	/* nothing to take back */
	fake_begin(NULL, 0xff);
	fake_join(&A, SWARM_CLIENT);
	swarm_close(fake.s, fake_closed, NULL, fake.now);
	fake_turn();
	check(fake.nclosed == 1);
	fake_free();
}

/* A second: every search takes one. Nobody is found but for A. */
static void
second(void)
{
	struct dht_search *q, *next;

	fake_wait(SECOND);
	for (q = fake.searches; q != NULL; q = next) {
		next = q->next;
		if (b32_eq(&q->o.topic, &A)) {
			fake_find_peers(&A, 5000, 3);
			fake_turn();
		}
		fake_end(q, 20);
	}
	fake_turn();
}

/* A thousand topics: one has hundreds of peers that do not answer, the others
 * nobody. A new one is served within five seconds. */
static void
test_thousand(void **state)
{
	struct b32 topic = {{9}}, k;
	size_t n = 0;

	(void)state;
	fake_begin(NULL, 0xff);
	for (uint32_t i = 0; i < 1000; i++) {
		memcpy(topic.b + 1, &i, sizeof(i));
		fake_join(&topic, SWARM_CLIENT);
	}
	memset(topic.b + 1, 0, 4);
	fake_find_peers(&topic, 0, 250);
	for (int i = 0; i < 90; i++) /* all had their first round */
		second();
	check(fake.ndialled == 3 && fake.looks > 1000);
	for (int round = 0; round < 4; round++) {
		fake_join(&A, SWARM_CLIENT);
		for (int i = 0; i < 5; i++)
			second();
		for (uint32_t i = 0; i < 3; i++) {
			k = fake_key(5000 + i);
			n += fake_dials_of(&k);
			if (fake_dials_of(&k) > 0)
				fake_fail(&k);
		}
		check(n >= (size_t)round + 1);
		swarm_leave(fake.s, &A, fake.now);
		for (int i = 0; i < 7; i++)
			second();
	}
	fake_free();
}

/* -- a random life -------------------------------------------------------- */

#define PEERS 40
#define TOPICS 8

struct life {
	uint64_t random, conns;
	bool dialling[PEERS]; /* what the owner knows */
	uint64_t conn[PEERS];
	uint64_t banned[PEERS];
	bool explicit[PEERS];
	int flags[TOPICS];
	bool refuse;
};

static struct life life;

static uint32_t
any(uint32_t n)
{
	life.random = life.random * UINT64_C(6364136223846793005) + 1442695041;
	return (uint32_t)(life.random >> 33) % n;
}

static uint32_t
number_of(const struct b32 *key)
{
	uint32_t n;

	memcpy(&n, key->b + 1, sizeof(n));
	return n;
}

static bool
life_dial(void *ctx, const struct swarm_peer_about *p, uint64_t now)
{
	uint32_t n = number_of(&p->key);

	(void)ctx;
	check(!life.dialling[n] && life.conn[n] == 0);
	check(life.banned[n] <= now);
	if (life.refuse)
		return false;
	life.dialling[n] = true;
	if (any(8) == 0) { /* at once: no */
		life.dialling[n] = false;
		fake_fail(&p->key);
	}
	return true;
}

static void
life_undial(void *ctx, const struct b32 *key)
{
	uint32_t n = number_of(key);

	(void)ctx;
	check(life.dialling[n]);
	life.dialling[n] = false;
}

static void
life_drop(void *ctx, uint64_t conn, const char *why)
{
	(void)ctx;
	for (uint32_t i = 0; i < PEERS; i++)
		if (life.conn[i] == conn) {
			life.conn[i] = 0;
			/* some owners tell later, or never */
			if (any(2) == 0)
				swarm_closed(fake.s, conn, fake.now);
			return;
		}
	vec_fail(__FILE__, __LINE__, why);
}

static void
do_open(uint32_t n, bool initiator)
{
	struct b32 k = fake_key(n);
	uint64_t id = ++life.conns, old = life.conn[n];

	if (initiator && !life.dialling[n])
		return;
	if (!initiator && !swarm_admits(fake.s, &k, fake.now)) {
		check(life.banned[n] > fake.now || fake_about().connected > 0);
		return;
	}
	if (initiator)
		life.dialling[n] = false;
	if (swarm_opened(fake.s, &k, initiator, id, fake.now)) {
		check(life.conn[n] == 0); /* the old one was dropped */
		check(life.banned[n] <= fake.now);
		life.conn[n] = id;
	} else {
		check(life.conn[n] == old);
		check(old != 0 || life.banned[n] > fake.now ||
		      fake.s->taken >= fake.s->peers_max);
	}
}

static void
do_close(uint32_t n)
{
	uint64_t id = life.conn[n];

	if (id == 0)
		return;
	if (any(2) == 0) {
		swarm_used(fake.s, id);
		return;
	}
	life.conn[n] = 0;
	swarm_closed(fake.s, id, fake.now);
}

static void
do_search(void)
{
	struct dht_search *q = fake.searches;
	struct dht_record r = {0};

	for (size_t i = any(4); q != NULL && q->next != NULL && i > 0; i--)
		q = q->next;
	if (q == NULL)
		return;
	if (q->unannounce || any(4) == 0) {
		fake_end(q, any(21));
		return;
	}
	r.key = fake_key(any(PEERS));
	r.nrelays = any(3);
	r.relay[0] = (struct addr){.family = 4, .port = (uint16_t)any(3)};
	q->o.found(q->o.ctx, &r, fake.now);
}

static void
do_join(uint32_t n)
{
	struct b32 topic = {{(uint8_t)(n % TOPICS)}};
	struct err e = ERR_INIT;
	int flags = (int)any(4);

	life.flags[n % TOPICS] = flags;
	if (flags == 0)
		swarm_leave(fake.s, &topic, fake.now);
	else
		check_ok(swarm_join(fake.s, &topic, flags, fake.now, &e), &e);
	if (any(8) == 0)
		swarm_refresh(fake.s, any(2) == 0 ? NULL : &topic, fake.now);
}

static void
do_peer(uint32_t n)
{
	struct b32 k = fake_key(n);
	struct err e = ERR_INIT;

	if (any(3) == 0) {
		life.banned[n] = fake.now + any(100) * SECOND;
		swarm_ban(fake.s, &k, life.banned[n], fake.now);
		check(life.conn[n] == 0 || life.banned[n] <= fake.now);
	} else if (any(4) == 0) {
		life.explicit[n] = true;
		check_ok(swarm_join_peer(fake.s, &k, fake.now, &e), &e);
	} else {
		life.explicit[n] = false;
		swarm_leave_peer(fake.s, &k, fake.now);
	}
}

static void
do_fail(uint32_t n)
{
	struct b32 k = fake_key(n);

	if (!life.dialling[n])
		return;
	life.dialling[n] = false;
	fake_fail(&k);
}

/* -- what holds at any time ----------------------------------------------- */

static void
same_peer(uint32_t n, size_t *taken)
{
	struct b32 k = fake_key(n);
	const struct peer *p = table_find(fake.s, &k);
	bool dialling = p != NULL && p->state == PEER_DIALLING;

	check(dialling == life.dialling[n]);
	check((p != NULL ? p->conn.id : 0) == life.conn[n]);
	check((p != NULL && p->explicit) == life.explicit[n]);
	if (p == NULL)
		return;
	*taken += !p->explicit && (p->conn.id != 0 || dialling);
	check(p->conn.id == 0 || p->state == PEER_IDLE || dialling);
	check(p->state != PEER_WAITING || p->due >= fake.s->wake);
	/* nothing is kept for nothing, and what is wanted is not forgotten */
	check(p->conn.id != 0 || dialling || peers_wanted(p) ||
	      p->banned_until > fake.now || p->state == PEER_WAITING);
	if (p->explicit && p->conn.id == 0 && !dialling)
		check(p->state != PEER_IDLE);
	for (size_t i = 0; i < p->ntopics; i++)
		check((p->topics[i]->flags & SWARM_CLIENT) != 0);
}

static void
same_topic(const struct topic *t)
{
	size_t connected = 0, queued = 0, dialling = 0;

	if (t->state == TOPIC_JOINED)
		check(life.flags[t->key.b[0]] == t->flags);
	else
		check(life.flags[t->key.b[0]] == 0 && t->nedges == 0);
	check((t->flags & SWARM_CLIENT) != 0 || t->nedges == 0);
	for (size_t i = 0; i < t->nedges; i++) {
		const struct peer *p = t->edges[i].peer;

		connected += p->conn.id != 0;
		queued += p->state == PEER_QUEUED;
		dialling += p->state == PEER_DIALLING;
	}
	check(t->connected == connected && t->queued == queued);
	check(t->dialling == dialling);
	/* nobody there: the next look is a minute away at most */
	if (t->state == TOPIC_JOINED && !t->looking && connected == 0 &&
	    (t->flags & SWARM_CLIENT) != 0)
		check(t->next <= fake.now + MINUTE);
}

static void
same(void)
{
	struct swarm_about about = fake_about();
	size_t taken = 0, joined = 0, looks = 0, conns = 0;

	for (uint32_t i = 0; i < PEERS; i++) {
		same_peer(i, &taken);
		conns += life.conn[i] != 0;
	}
	for (size_t i = 0; i < fake.s->ntopics; i++)
		same_topic(fake.s->topics[i]);
	for (size_t i = 0; i < TOPICS; i++)
		joined += life.flags[i] != 0;
	for (const struct dht_search *q = fake.searches; q != NULL; q = q->next)
		looks += !q->unannounce;
	check(about.topics == joined && about.connected == conns);
	check(fake.s->taken == taken && fake.s->searches == looks);
	/* 12 places, and the explicit ones that were left since */
	check(about.dialling <= 6);
	check(about.known <= PEERS);
}

static void
one_step(void)
{
	uint32_t n = any(PEERS);

	switch (any(8)) {
	case 0:
		do_open(n, false);
		break;
	case 1:
		do_open(n, true);
		break;
	case 2:
		do_close(n);
		break;
	case 3:
		do_fail(n);
		break;
	case 4:
	case 5:
		do_search();
		break;
	case 6:
		do_join(any(4) == 0 ? n : 0);
		break;
	case 7:
		if (any(3) == 0)
			do_peer(n);
		life.refuse = any(10) == 0;
		break;
	}
}

static void
run_life(uint64_t seed)
{
	struct swarm_opts o = {.peers_max = 12, .seed = seed};

	memset(&life, 0, sizeof(life));
	life.random = seed;
	(void)any(1);
	/* half of the peers have a larger key */
	fake_begin(&o, seed % 2 == 0 ? 0x01 : 0xff);
	fake.s->env.dial = life_dial;
	fake.s->env.undial = seed % 3 == 0 ? NULL : life_undial;
	fake.s->env.drop = life_drop;
	for (int i = 0; i < 1500; i++) {
		one_step();
		if (any(2) == 0)
			fake_wait(any(any(4) == 0 ? 20 * SECOND : 10000));
		else
			fake_turn();
		same();
	}
	swarm_close(fake.s, fake_closed, NULL, fake.now);
	fake_wait(5 * SECOND);
	check(fake.nclosed == 1 && fake_searching() == 0);
	fake_free();
}

static void
test_life(void **state)
{
	const char *one = getenv("SWARM_SEED");

	(void)state;
	if (one != NULL) {
		run_life(strtoull(one, NULL, 10));
		return;
	}
	for (uint64_t seed = 1; seed <= 150; seed++) {
		print_message("seed %u\n", (unsigned)seed);
		run_life(seed);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_new),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_close),
	    cmocka_unit_test(test_close_late),
	    cmocka_unit_test(test_thousand),
	    cmocka_unit_test(test_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
