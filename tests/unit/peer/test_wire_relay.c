/* Streams through a blind relay: two whole wires behind NATs that no way
 * leads through, and relays that come, go and lie (crossing.h). What is said
 * must arrive once, in order and whole, whatever the way: party_frame(). */
#include "crossing.h"

/* A connection that is lost with the relay is open again so soon after the
 * relay is back: six lost packets, at most one keepalive before them, and the
 * first of the waits between two dials. */
#define AGAIN_S 25

static void
begin(enum mood mood)
{
	crossing_open();
	crossing_relay(mood);
	crossing_settle();
	crossing_seek();
}

static bool
both_open(void)
{
	return world.a.conn != NULL && world.b.conn != NULL;
}

static bool
all_heard(void)
{
	return world.a.heard == world.b.said && world.b.heard == world.a.said;
}

static void
talk(uint32_t frames)
{
	party_says(&world.a, frames);
	party_says(&world.b, frames / 2);
}

/* Open within these seconds; and what is said then arrives. */
static void
talk_within(uint64_t seconds, uint32_t frames)
{
	crossing_until(seconds, both_open());
	talk(frames);
	crossing_until(20, all_heard());
}

/* What is left of relays in a wire. */
static size_t
throughs(const struct party *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->w->nconns; i++)
		n += p->w->conn[i]->link || p->w->conn[i]->through != NULL;
	return n;
}

/* -- there is one ---------------------------------------------------------- */

static void
met(void **state)
{
	(void)state;
	begin(MOOD_FAIR);
	talk_within(10, 3000);
	check(world.relay.matched == 1 && world.relay.bytes > 4000 * TEXT_LEN);
	check(world.a.failed == 0 && world.a.closed + world.b.closed == 0);
	crossing_close();
}

/* Who dials before it knows what its NAT is does not wait for guesses that
 * may come to nothing. */
static void
met_early(void **state)
{
	(void)state;
	crossing_open();
	world.b.random = false;
	crossing_relay(MOOD_FAIR);
	crossing_settle();
	party_close(&world.a);
	party_open(&world.a, 1, &world.relay.p.pair.pub);
	crossing_seek();
	crossing_until(5, both_open());
	check(world.relay.matched == 1 && world.a.failed == 0);
	talk(100);
	crossing_until(20, all_heard());
	crossing_close();
}

/* The second answer, and all after the first, changes nothing. */
static void
paired_twice(void **state)
{
	(void)state;
	begin(MOOD_TWICE);
	talk_within(10, 500);
	check(world.a.closed + world.b.closed == 0);
	crossing_close();
}

/* Each has the relay, serves, and dials the other. */
static void
both_propose(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	crossing_open();
	party_close(&world.b);
	crossing_relay(MOOD_FAIR);
	party_open(&world.b, 2, &world.relay.p.pair.pub);
	check_ok(wire_serve(world.a.w, &e), &e);
	crossing_settle();
	crossing_until(20, dht_server_relays(world.a.w->finding->server,
			       (struct addr[DHT_RELAYS_MAX]){{0}}) > 0);
	crossing_seek();
	check_ok(wire_join_peer(world.b.w, &world.a.pair.pub, &e), &e);
	crossing_until(200, both_open());
	/* one of the two stays, and the other is gone on both sides */
	crossing_until(30, throughs(&world.a) == 2 && throughs(&world.b) == 2);
	check(both_open());
	world.a.said = world.b.heard;
	world.b.said = world.a.heard;
	talk(500);
	crossing_until(20, all_heard());
	crossing_close();
}

/* -- a direct way ---------------------------------------------------------- */

/* It is found in the middle of what is said, and the relay is left. */
static void
taken_over(void **state)
{
	uint64_t bytes;

	(void)state;
	crossing_open();
	world.b.random = false;
	crossing_relay(MOOD_FAIR);
	crossing_settle();
	crossing_seek();
	crossing_until(10, both_open());
	talk(2000);
	crossing_until(10, world.b.heard > 200);
	check(world.b.heard < 2000);
	world.direct = true;
	crossing_until(20, all_heard());
	crossing_until(30, throughs(&world.a) == 0 && throughs(&world.b) == 0);
	check(world.a.opened == 1 && world.b.opened == 1);
	check(both_open());
	/* nothing of it goes through the relay any more */
	bytes = world.relay.bytes;
	crossing_kill();
	talk(500);
	crossing_until(20, all_heard());
	check(bytes > 0 && world.a.closed + world.b.closed == 0);
	crossing_close();
}

/* What the relay had is lost with it: it goes the direct way, too. */
static void
dies_when_left(void **state)
{
	uint64_t bytes;

	(void)state;
	crossing_open();
	world.b.random = false;
	crossing_relay(MOOD_FAIR);
	crossing_settle();
	crossing_seek();
	crossing_until(10, both_open());
	talk(2000);
	crossing_until(10, world.b.heard > 200 && world.a.heard > 20);
	bytes = world.relay.bytes;
	world.relay.stuck = true;
	crossing_until(10, world.relay.bytes > bytes + 20 * TEXT_LEN);
	world.direct = true;
	crossing_until(10, !world.a.conn->borrows && !world.b.conn->borrows);
	check(world.b.heard < 2000);
	crossing_kill();
	crossing_until(15, all_heard());
	crossing_until(60, throughs(&world.a) == 0 && throughs(&world.b) == 0);
	check(world.a.opened == 1 && world.a.closed + world.b.closed == 0);
	crossing_close();
}

/* -- there is none --------------------------------------------------------- */

/* It says why, goes on looking, and finds the relay when there is one. */
static void
gone_before(void **state)
{
	(void)state;
	crossing_open();
	crossing_settle();
	crossing_seek();
	crossing_until(40, world.a.failed > 0);
	check(strstr(world.a.text, "no way through both") != NULL);
	check(strstr(world.a.text, "nor by the relay: ") != NULL);
	crossing_until(90, world.a.failed > 2);
	check(throughs(&world.b) <= 2);
	crossing_relay(MOOD_FAIR);
	talk_within(90, 100);
	crossing_close();
}

/* In the middle of what is said; it comes back under the same key. Again and
 * again costs time, but who was there for a while is dialled at once. */
static void
gone_after(void **state)
{
	uint64_t since;

	(void)state;
	begin(MOOD_FAIR);
	for (size_t i = 1; i <= 3; i++) {
		crossing_until(10, both_open());
		since = now;
		if (i == 3)
			crossing_until(60, now - since > 16 * SECOND);
		talk(2000);
		crossing_until(10, world.b.heard > 200);
		crossing_kill();
		crossing_relay(MOOD_FAIR);
		crossing_until(
		    AGAIN_S, world.a.opened > i && world.b.opened > i);
		check(both_open());
	}
	talk(200);
	crossing_until(20, all_heard());
	check(world.a.closed == 3 && world.b.closed == 3);
	crossing_close();
}

/* Nobody says anything when it dies: keepalives find out. */
static void
gone_in_silence(void **state)
{
	(void)state;
	begin(MOOD_FAIR);
	crossing_until(10, both_open());
	talk(10);
	crossing_until(10, all_heard());
	crossing_kill();
	crossing_until(AGAIN_S, world.a.closed == 1 && world.b.closed == 1);
	crossing_relay(MOOD_FAIR);
	crossing_until(AGAIN_S, both_open());
	crossing_close();
}

/* -- one that cannot be trusted -------------------------------------------- */

static void
hostile(void **state)
{
	static const struct {
		enum mood mood;
		const char *why;
	} t[] = {{MOOD_DEAF, "nobody else came to it"},
	    {MOOD_LIAR, "nobody else came to it"},
	    {MOOD_GARBAGE, "it hangs up"}, {MOOD_REFUSES, "it refuses"}};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		begin(t[i].mood);
		crossing_until(40, world.a.failed > 0);
		check(strstr(world.a.text, t[i].why) != NULL);
		check(world.relay.asked > 0 && world.a.opened == 0);
		world.relay.mood = MOOD_FAIR;
		talk_within(60, 100);
		crossing_close();
	}
}

/* Its stream swallows everything: nobody is told of a connection. */
static void
dead_end(void **state)
{
	(void)state;
	begin(MOOD_DEAD_END);
	crossing_until(60, world.relay.asked > 2);
	check(world.a.opened == 0 && world.b.opened == 0);
	world.relay.mood = MOOD_FAIR;
	talk_within(90, 100);
	crossing_close();
}

/* The end in the middle of it, at each step of a meeting. */
static void
closed_in_between(void **state)
{
	(void)state;
	for (size_t step = 0; step < 60; step++) {
		begin(MOOD_FAIR);
		for (size_t i = 0; i < step && !both_open(); i++)
			crossing_turn(SECOND);
		party_close(step % 2 == 0 ? &world.a : &world.b);
		for (size_t i = 0; i < 5; i++)
			crossing_turn(SECOND);
		crossing_close();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(met),
	    cmocka_unit_test(met_early),
	    cmocka_unit_test(paired_twice),
	    cmocka_unit_test(both_propose),
	    cmocka_unit_test(taken_over),
	    cmocka_unit_test(dies_when_left),
	    cmocka_unit_test(gone_before),
	    cmocka_unit_test(gone_after),
	    cmocka_unit_test(gone_in_silence),
	    cmocka_unit_test(hostile),
	    cmocka_unit_test(dead_end),
	    cmocka_unit_test(closed_in_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
