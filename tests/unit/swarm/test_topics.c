/* When topics are looked up, announced, and taken back. */
#include "fake.h"

static const struct b32 A = {{1}}, B = {{2}};

/* Searches of A end at once, empty, until then. Returns how many there were,
 * and when the last one began. */
static size_t
rounds(uint64_t us, uint64_t *last)
{
	uint64_t until = fake.now + us;
	struct dht_search *q;
	size_t n = 0;

	fake_turn();
	for (;;) {
		while ((q = fake_find(&A, false)) != NULL) {
			*last = fake.now;
			fake_end(q, 20);
			fake_turn();
			n++;
		}
		if (fake.deadline > until)
			break;
		fake_until(fake.deadline);
	}
	fake_until(until);
	return n;
}

/* 10 to 12 minutes apart; a server announces each time, from where the last
 * round ended, and clears old records of itself the first time. */
static void
test_server(void **state)
{
	uint64_t last = 0, before, low = UINT64_MAX, high = 0;

	(void)state;
	fake_begin(NULL, 0xff);
	fake_join(&A, SWARM_SERVER);
	check(fake.announces == 1 && fake.clear && fake.nstart == 0);
	check(fake_about().announced == 0);
	check(rounds(SECOND, &last) == 1);
	check(fake.announced == 20 && fake_about().announced == 1);
	for (int i = 0; i < 50; i++) {
		before = last;
		while (last == before)
			check(rounds(MINUTE, &last) <= 1);
		check(!fake.clear && fake.nstart == 3);
		low = last - before < low ? last - before : low;
		high = last - before > high ? last - before : high;
	}
	check(low >= 10 * MINUTE && high <= 12 * MINUTE);
	check(high - low > MINUTE);
	check(fake.looks == 0 && fake.announces == 51);
	fake_free();
}

/* Nobody there: 5, 10, 20, 40, 60, 60, ... seconds, and whole rounds. */
static void
test_lonely(void **state)
{
	static const uint64_t seconds[] = {5, 10, 20, 40, 60, 60, 60};
	uint64_t last = 0, before;

	(void)state;
	fake_begin(NULL, 0xff);
	fake_join(&A, SWARM_CLIENT);
	check(rounds(0, &last) == 1);
	for (size_t i = 0; i < sizeof(seconds) / sizeof(*seconds); i++) {
		before = last;
		while (last == before)
			check(rounds(SECOND, &last) <= 1);
		check(last - before <= seconds[i] * SECOND);
		check(last - before >= seconds[i] * SECOND * 9 / 10);
	}
	check(fake.announces == 0);
	fake_free();
}

/* As a server as well: the rounds in between only look. */
static void
test_both(void **state)
{
	uint64_t last = 0;
	size_t n;

	(void)state;
	fake_begin(NULL, 0xff);
	fake_join(&A, SWARM_CLIENT | SWARM_SERVER);
	n = rounds(60 * MINUTE, &last);
	check(fake.announces >= 5 && fake.announces <= 6);
	check(fake.looks + fake.announces == n && n >= 60 && n <= 72);
	fake_free();
}

/* With a peer there is no hurry; without it there is again. */
static void
test_comfort(void **state)
{
	struct b32 k = fake_key(1);
	uint64_t last = 0;

	(void)state;
	fake_begin(NULL, 0xff);
	fake_join(&A, SWARM_CLIENT);
	fake_find_peers(&A, 1, 1);
	fake_turn();
	check(swarm_opened(fake.s, &k, true, 1, fake.now));
	check(rounds(9 * MINUTE, &last) == 1);
	swarm_closed(fake.s, 1, fake.now);
	check(rounds(5 * SECOND, &last) == 1);
	check(rounds(10 * SECOND, &last) == 1);
	/* a round that was planned is not needed any more */
	check(swarm_opened(fake.s, &k, false, 2, fake.now));
	check(rounds(30 * SECOND, &last) == 0);
	fake_free();
}

/* A peer that waits for the seeder as well is no reason not to look. */
static void
test_wanting(void **state)
{
	struct b32 k = fake_key(1);
	uint64_t last = 0;

	(void)state;
	fake_begin(NULL, 0xff);
	fake_join(&A, SWARM_CLIENT | SWARM_SERVER);
	fake_find_peers(&A, 1, 1);
	fake_turn();
	check(swarm_opened(fake.s, &k, true, 1, fake.now));
	check(rounds(30 * SECOND, &last) == 1);
	fake_join(&A, SWARM_CLIENT | SWARM_SERVER | SWARM_WANTING);
	check(rounds(4 * SECOND, &last) == 0); /* not at once */
	check(rounds(2 * SECOND, &last) == 1);
	check(rounds(10 * SECOND, &last) == 1);
	check(rounds(9 * MINUTE, &last) >= 8);
	check(fake.announces == 1); /* they only look */
	fake_join(&A, SWARM_CLIENT | SWARM_SERVER);
	check(rounds(MINUTE / 2, &last) == 0);
	/* it is a way to be a client, and nothing by itself */
	check(swarm_join(fake.s, &B, SWARM_SERVER | SWARM_WANTING, fake.now,
		  NULL) == ERR_INVALID);
	fake_free();
}

/* The announcement waits for the relays of the server, ten seconds at most;
 * a client looks meanwhile. */
static void
test_no_relays(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		bool client = (i & 1) != 0, come = (i & 2) != 0;

		fake_begin(NULL, 0xff);
		fake.nrelays = 0;
		fake_join(&A, SWARM_SERVER | (client ? SWARM_CLIENT : 0));
		check(fake.announces == 0 && fake.looks == client);
		if (client)
			fake_end(fake_find(&A, false), 0);
		fake_wait(9 * SECOND);
		check(fake.announces == 0 && fake.looks == client);
		if (come) {
			fake.nrelays = 1;
			swarm_refresh(fake.s, NULL, fake.now);
			fake_turn();
			check(fake.announces == 1);
		}
		fake_wait(2 * SECOND);
		check(fake.announces == 1);
		check(fake_find(&A, false)->o.nrelays == (come ? 1 : 0));
		fake_free();
	}
}

static void
test_refresh(void **state)
{
	uint64_t last = 0;

	(void)state;
	fake_begin(NULL, 0xff);
	fake_join(&A, SWARM_SERVER);
	fake_join(&B, SWARM_SERVER);
	/* while it runs: once more behind it, not beside it */
	swarm_refresh(fake.s, &A, fake.now);
	swarm_refresh(fake.s, &A, fake.now);
	fake_turn();
	check(fake_searching() == 2);
	check(rounds(MINUTE, &last) == 2);
	fake_end(fake_find(&B, false), 20);
	swarm_refresh(fake.s, &A, fake.now);
	fake_turn();
	check(fake_searching() == 1);
	check(rounds(MINUTE, &last) == 1);
	swarm_refresh(fake.s, NULL, fake.now);
	fake_turn();
	check(fake_searching() == 2);
	fake_free();
}

/* All: nobody waits for a retry any more. */
static void
test_refresh_peers(void **state)
{
	struct b32 k = fake_key(1), l = fake_key(2);

	(void)state;
	fake_begin(NULL, 0xff);
	fake_join_peer(&k);
	fake_fail(&k);
	fake_join_peer(&l);
	swarm_ban(fake.s, &l, fake.now + MINUTE, fake.now);
	swarm_refresh(fake.s, &A, fake.now);
	fake_turn();
	check(fake.ndialled == 2);
	swarm_refresh(fake.s, NULL, fake.now);
	fake_turn();
	check(fake.ndialled == 3 && fake_dials_of(&k) == 2);
	fake_free();
}

/* Taken back where it was announced, and then forgotten. */
static void
test_leave(void **state)
{
	(void)state;
	fake_begin(NULL, 0xff);
	fake_join(&A, SWARM_SERVER | SWARM_CLIENT);
	fake_find_peers(&A, 0, 20);
	fake_turn();
	fake_end(fake_find(&A, false), 20);
	check(fake_about().known == 20);
	swarm_leave(fake.s, &A, fake.now);
	swarm_leave(fake.s, &A, fake.now);
	swarm_leave(fake.s, &B, fake.now);
	check(fake.unannounces == 1 && fake.nstart == 3);
	check(fake_about().topics == 0);
	check(fake_about().known == 3); /* those that are being dialled */
	for (int i = 0; i < 3; i++)
		fake_fail(&fake.dialled[i]);
	check(fake_about().known == 0);
	fake_turn();
	check(fake.s->ntopics == 1);
	fake_end(fake_find(&A, true), 20);
	fake_turn();
	check(fake.s->ntopics == 0);
	/* one that was not announced, while it is looked up */
	fake_join(&B, SWARM_CLIENT);
	swarm_leave(fake.s, &B, fake.now);
	fake_turn();
	check(fake.s->ntopics == 0 && fake_searching() == 0);
	check(fake.unannounces == 1 && fake.s->searches == 0);
	fake_free();
}

/* Other flags: what does not fit any more is taken back. */
static void
test_flags(void **state)
{
	(void)state;
	fake_begin(NULL, 0xff);
	fake_join(&A, SWARM_SERVER | SWARM_CLIENT);
	fake_join(&A, SWARM_SERVER | SWARM_CLIENT);
	check(fake.announces == 1);
	fake_join(&A, SWARM_CLIENT);
	check(fake.cancelled == 1 && fake.unannounces == 1 && fake.looks == 1);
	fake_find_peers(&A, 0, 9);
	check(fake_about().known == 9);
	/* again before the end of that */
	fake_join(&A, SWARM_SERVER);
	check(fake.cancelled == 3 && fake.announces == 2);
	check(fake_about().known == 0);
	fake_find_peers(&A, 0, 9);
	check(fake_about().known == 0); /* a server does not dial */
	swarm_leave(fake.s, &A, fake.now);
	check(fake.unannounces == 2);
	/* joined while it is taken back, as a client: still taken back */
	fake_join(&A, SWARM_CLIENT);
	check(fake.unannounces == 3 && fake_searching() == 2);
	fake_end(fake_find(&A, true), 0);
	fake_turn();
	check(fake_about().topics == 1);
	fake_free();
}

/* Few at a time; who was never looked up is first, the newest before all. */
static void
test_many(void **state)
{
	struct b32 topic = {{9}};
	struct dht_search *q;

	(void)state;
	fake_begin(NULL, 0xff);
	for (uint32_t i = 0; i < 1000; i++) {
		memcpy(topic.b + 1, &i, sizeof(i));
		fake_join(&topic, SWARM_CLIENT);
	}
	check(fake_searching() == 16);
	fake_wait(SECOND);
	fake_join(&A, SWARM_CLIENT);
	check(fake_find(&A, false) == NULL);
	fake_end(fake_find(NULL, false), 0);
	fake_turn();
	check(fake_find(&A, false) != NULL);
	/* to the end of the first round of all: at most four lonely rounds a
	 * second come between */
	for (int i = 0; i < 600; i++) {
		while ((q = fake_find(NULL, false)) != NULL) {
			fake_end(q, 0);
			fake_turn();
		}
		fake_wait(SECOND / 10);
	}
	check(fake.looks >= 1001);
	check(fake.looks <= 1001 + 4 * 61);
	fake_free();
}

/* Ten thousand, announced, and taken back a few at a time. */
static void
test_farewells(void **state)
{
	struct b32 topic = {{9}};
	struct dht_search *q;

	(void)state;
	fake_begin(NULL, 0xff);
	for (uint32_t i = 0; i < 10000; i++) {
		memcpy(topic.b, &i, sizeof(i));
		fake_join(&topic, SWARM_SERVER);
	}
	check(fake_about().topics == 10000 && fake_searching() == 16);
	while ((q = fake_find(NULL, false)) != NULL) {
		fake_end(q, 20);
		fake_turn();
		check(fake_searching() <= 16);
	}
	check(fake.announces == 10000 && fake_about().announced == 10000);
	/* one that waits for it is joined again, and left */
	for (uint32_t i = 0; i < 200; i++) {
		memcpy(topic.b, &i, sizeof(i));
		swarm_leave(fake.s, &topic, fake.now);
	}
	check(fake.unannounces == 128 && fake_searching() == 128);
	fake_join(&topic, SWARM_SERVER);
	check(fake.announces == 10001 && fake_about().topics == 9801);
	swarm_close(fake.s, fake_closed, NULL, fake.now);
	check(fake_about().topics == 0);
	while ((q = fake_find(NULL, true)) != NULL) {
		fake_end(q, 20);
		fake_turn();
		check(fake_searching() <= 128);
	}
	check(fake.nclosed == 1 && fake.unannounces == 10000);
	check(fake.s->ntopics == 0);
	fake_free();
}

/* Who does not answer keeps nobody for longer than five seconds. */
static void
test_no_farewells(void **state)
{
	struct b32 topic = {{9}};
	struct dht_search *q;

	(void)state;
	fake_begin(NULL, 0xff);
	for (uint32_t i = 0; i < 300; i++) {
		memcpy(topic.b, &i, sizeof(i));
		fake_join(&topic, SWARM_SERVER);
	}
	while ((q = fake_find(NULL, false)) != NULL) {
		fake_end(q, 20);
		fake_turn();
	}
	swarm_close(fake.s, fake_closed, NULL, fake.now);
	fake_wait(4 * SECOND);
	check(fake.nclosed == 0 && fake_searching() == 128);
	fake_wait(SECOND);
	check(fake.nclosed == 1 && fake_searching() == 0);
	check(fake.cancelled == 128);
	fake_free();
}

static void
test_fails(void **state)
{
	(void)state;
	fake_begin(NULL, 0xff);
	fake.fails = true;
	fake_join(&A, SWARM_SERVER);
	check(fake.announces == 1 && fake.s->searches == 0);
	fake_wait(4 * SECOND);
	check(fake.announces == 1);
	fake_wait(SECOND);
	check(fake.announces == 2);
	swarm_leave(fake.s, &A, fake.now);
	fake_turn();
	check(fake.s->ntopics == 0);
	fake_free();
}

/* Records that nobody tells of any more, of peers that were tried. */
static void
test_stale(void **state)
{
	struct b32 one = fake_key(1);

	(void)state;
	fake_begin(NULL, 0xff);
	fake_join(&A, SWARM_CLIENT);
	fake_find_peers(&A, 1, 2);
	fake_end(fake_find(&A, false), 0);
	check(fake.found == 2);
	fake_turn();
	for (int i = 0; i < 4; i++) {
		fake_fail(&one);
		fake_wait(25 * SECOND);
		if (fake_find(&A, false) != NULL) {
			fake_find_peers(&A, 2, 1);
			fake_end(fake_find(&A, false), 0);
		}
	}
	fake_wait(MINUTE);
	fake_find_peers(&A, 2, 1);
	fake_end(fake_find(&A, false), 0);
	check(table_find(fake.s, &one) == NULL);
	check(fake_about().known == 1);
	fake_free();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_server),
	    cmocka_unit_test(test_lonely),
	    cmocka_unit_test(test_both),
	    cmocka_unit_test(test_comfort),
	    cmocka_unit_test(test_wanting),
	    cmocka_unit_test(test_no_relays),
	    cmocka_unit_test(test_refresh),
	    cmocka_unit_test(test_refresh_peers),
	    cmocka_unit_test(test_leave),
	    cmocka_unit_test(test_flags),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_farewells),
	    cmocka_unit_test(test_no_farewells),
	    cmocka_unit_test(test_fails),
	    cmocka_unit_test(test_stale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
