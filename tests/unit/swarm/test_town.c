/* Swarms over a real DHT, in virtual time: they find each other, also late,
 * also again, and never keep two connections. */
#include "town.h"

static const struct b32 A = {{1}}, B = {{2}};

#define BOTH (SWARM_CLIENT | SWARM_SERVER)

/* Every link is open at both ends or at none, once things are quiet; returns
 * how many are. No two are of the same pair. */
static size_t
whole(const struct town *t)
{
	size_t n = 0;

	for (size_t i = 1; i < t->nlinks; i++) {
		const struct town_end *x = t->link[i].end;

		check((x[0].state == END_OPEN) == (x[1].state == END_OPEN));
		n += x[0].state == END_OPEN;
		for (size_t k = 1; x[0].state == END_OPEN && k < i; k++) {
			const struct town_end *y = t->link[k].end;

			check(
			    y[0].state != END_OPEN ||
			    !((y[0].who == x[0].who && y[1].who == x[1].who) ||
				(y[0].who == x[1].who &&
				    y[1].who == x[0].who)));
		}
	}
	return n;
}

/* Runs until all of the town are connected to so many, at least. */
static uint64_t
until_all(struct town *t, size_t n, uint64_t most)
{
	uint64_t from = t->net.now;

	while (t->net.now < from + most) {
		bool all = true;

		for (size_t i = 0; i < t->n; i++)
			all = all && (t->who[i].s == NULL ||
					 town_connections(&t->who[i]) >= n);
		if (all)
			return t->net.now - from;
		town_run(t, SECOND / 5);
	}
	return UINT64_MAX;
}

static void
test_two(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct town *t = town_new(seed);
		struct resident *server = town_add(t), *client;

		town_join(server, &A, SWARM_SERVER);
		town_run(t, 20 * SECOND);
		client = town_add(t);
		town_join(client, &A, SWARM_CLIENT);
		check(until_all(t, 1, 10 * SECOND) != UINT64_MAX);
		check(server->dials == 0 && client->dials == 1);
		/* another topic is another thing */
		town_join(town_add(t), &B, BOTH);
		town_run(t, MINUTE);
		check(whole(t) == 1);
		town_free(t);
	}
}

/* The client was there first. */
static void
test_late(void **state)
{
	static const uint64_t wait[] = {3, 17, 45, 100, 333};

	(void)state;
	for (size_t i = 0; i < sizeof(wait) / sizeof(*wait); i++) {
		struct town *t = town_new(10 + i);
		struct resident *client = town_add(t);

		town_join(client, &A, SWARM_CLIENT);
		town_run(t, wait[i] * SECOND);
		check(client->dials == 0 && client->looks > 0);
		town_join(town_add(t), &A, SWARM_SERVER);
		check(until_all(t, 1, 65 * SECOND) != UINT64_MAX);
		town_free(t);
	}
}

/* Both dial, and at the same time: one connection. */
static void
test_same_time(void **state)
{
	size_t raced = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++) {
		struct town *t = town_new(seed);

		for (size_t i = 0; i < 3; i++)
			town_join(town_add(t), &A, BOTH);
		town_run(t, 20 * SECOND);
		/* all know all: everything again, at once */
		for (size_t i = 1; i < t->nlinks; i++)
			if (t->link[i].end[0].state == END_OPEN &&
			    t->link[i].end[1].state == END_OPEN) {
				town_close(t, i, 0);
				town_close(t, i, 1);
			}
		for (size_t i = 0; i < t->n; i++) {
			swarm_refresh(t->who[i].s, NULL, t->net.now);
			raced += t->who[i].dials;
		}
		check(until_all(t, 2, 30 * SECOND) != UINT64_MAX);
		town_run(t, MINUTE);
		check(whole(t) == 3);
		town_free(t);
	}
	check(raced > 12 * 3); /* or nothing was tested */
}

/* One end of a random connection is cut, the other hears of it: sometimes
 * soon, sometimes late. */
static void
cut(struct town *t)
{
	size_t start = vnet_rand(&t->net, (uint32_t)t->nlinks);

	for (size_t k = 0; k < t->nlinks; k++) {
		size_t i = (start + k) % t->nlinks;
		struct town_end *x = t->link[i].end;
		int side = (int)vnet_rand(&t->net, 2);

		if (i == 0 || x[0].state != END_OPEN || x[1].state != END_OPEN)
			continue;
		town_close(t, i, side);
		if (vnet_rand(&t->net, 3) == 0)
			x[1 - side].shut_at += vnet_rand(&t->net, 5000000);
		return;
	}
}

/* Twenty peers, a cut each second for two minutes: nobody is alone for long,
 * and behind it everybody has everybody again. */
static void
test_cuts(void **state)
{
	struct town *t = town_new(77);
	uint64_t seen[20], longest = 0;

	(void)state;
	for (size_t i = 0; i < 20; i++)
		town_join(town_add(t), &A, BOTH);
	check(until_all(t, 1, 30 * SECOND) != UINT64_MAX);
	for (size_t i = 0; i < 20; i++)
		seen[i] = t->net.now;
	for (int k = 0; k < 120; k++) {
		cut(t);
		town_run(t, SECOND);
		for (size_t i = 0; i < 20; i++) {
			if (town_connections(&t->who[i]) > 0)
				seen[i] = t->net.now;
			if (t->net.now - seen[i] > longest)
				longest = t->net.now - seen[i];
		}
	}
	check(longest <= 30 * SECOND);
	/* the next whole round finds those who were given up */
	check(until_all(t, 19, 14 * MINUTE) != UINT64_MAX);
	town_run(t, MINUTE);
	check(whole(t) == 20 * 19 / 2);
	town_free(t);
}

/* A peer that is gone without a word, and another one in its place. */
static void
test_killed(void **state)
{
	struct town *t = town_new(5);
	struct resident *client, *server = town_add(t);

	(void)state;
	town_join(server, &A, SWARM_SERVER);
	client = town_join(town_add(t), &A, SWARM_CLIENT);
	check(until_all(t, 1, 30 * SECOND) != UINT64_MAX);
	town_run(t, 5 * MINUTE);
	town_kill(server);
	town_run(t, 10 * SECOND);
	check(town_connections(client) == 0);
	town_join(town_add(t), &A, SWARM_SERVER);
	check(until_all(t, 1, 65 * SECOND) != UINT64_MAX);
	town_free(t);
}

static void
on_closed(void *ctx)
{
	*(bool *)ctx = true;
}

/* Who leaves is not found any more. */
static void
test_left(void **state)
{
	struct town *t = town_new(6);
	struct resident *server = town_add(t), *client;
	bool closed = false;

	(void)state;
	town_join(server, &A, SWARM_SERVER);
	town_run(t, 20 * SECOND);
	swarm_close(server->s, on_closed, &closed, t->net.now);
	server->poked = true;
	town_run(t, 5 * SECOND);
	check(closed);
	client = town_join(town_add(t), &A, SWARM_CLIENT);
	town_run(t, MINUTE);
	check(client->looks > 3 && client->dials == 0);
	town_free(t);
}

/* Dialled by key, without a topic. */
static void
test_by_key(void **state)
{
	struct town *t = town_new(8);
	struct resident *server = town_add(t), *client = town_add(t);
	struct err e = ERR_INIT;

	(void)state;
	town_run(t, 20 * SECOND);
	check_ok(
	    swarm_join_peer(client->s, &server->pair.pub, t->net.now, &e), &e);
	client->poked = true;
	check(until_all(t, 1, 10 * SECOND) != UINT64_MAX);
	town_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_two),
	    cmocka_unit_test(test_late),
	    cmocka_unit_test(test_same_time),
	    cmocka_unit_test(test_cuts),
	    cmocka_unit_test(test_killed),
	    cmocka_unit_test(test_left),
	    cmocka_unit_test(test_by_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
