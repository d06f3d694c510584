/* Who is dialled, in which order, when again, and how many at a time. */
#include "fake.h"

static const struct b32 HOT = {{1}}, COLD = {{2}}, OTHER = {{3}};

static void
test_priority(void **state)
{
	static const enum peers_priority is[] = {PEERS_NORMAL, PEERS_VERY_HIGH,
	    PEERS_HIGH, PEERS_LOW, PEERS_VERY_LOW, PEERS_VERY_LOW};

	(void)state;
	for (unsigned i = 0; i < sizeof(is) / sizeof(*is); i++)
		check(peers_priority(i) == is[i]);
	check(peers_priority(UINT32_MAX) == PEERS_VERY_LOW);
}

static const struct {
	unsigned attempts;
	bool proven, explicit;
	uint64_t delay; /* seconds, 0: never */
} delays[] = {
    {1, true, false, 1},
    {2, true, false, 5},
    {3, true, false, 15},
    {4, true, false, 0},
    {1, false, false, 5},
    {2, false, false, 15},
    {3, false, false, 15},
    {4, false, false, 0},
    {1, false, true, 5},
    {3, true, true, 15},
    {4, false, true, 60},
    {4000000000, true, true, 60},
    {4000000000, true, false, 0},
};

static void
test_delay(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(delays) / sizeof(*delays); i++)
		check(peers_delay(delays[i].attempts, delays[i].proven,
			  delays[i].explicit) == delays[i].delay * SECOND);
}

static void
test_jitter(void **state)
{
	static const struct {
		uint64_t delay, most;
	} row[] = {{SECOND, SECOND / 2}, {5 * SECOND, SECOND},
	    {15 * SECOND, 2 * SECOND}, {60 * SECOND, 2 * SECOND}};

	(void)state;
	fake_begin(NULL, 0xff);
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		uint64_t low = UINT64_MAX, high = 0;

		for (int n = 0; n < 2000; n++) {
			uint64_t us = peers_jitter(fake.s, row[i].delay);

			low = us < low ? us : low;
			high = us > high ? us : high;
		}
		check(low >= row[i].delay * 66 / 100);
		check(high <= (row[i].delay + row[i].most) * 132 / 100);
		/* and it is used */
		check(low < row[i].delay * 3 / 4);
		check(high > row[i].delay * 5 / 4);
	}
	fake_free();
}

/* The n-th dial from now on fails, and the next one comes after a time. */
static uint64_t
fail_and_wait(const struct b32 *key)
{
	uint64_t from = fake.now;
	size_t n = fake.ndialled;

	fake_fail(key);
	while (fake.ndialled == n && fake.now < from + 3 * MINUTE)
		fake_wait(SECOND / 10);
	return fake.ndialled > n ? fake.now - from : 0;
}

static void
within(uint64_t us, uint64_t seconds)
{
	check(us >= seconds * SECOND * 66 / 100);
	check(us <= (seconds + 2) * SECOND * 132 / 100 + SECOND / 10);
}

/* 5, 15, 15 seconds, and no more until it is found again. */
static void
test_retry(void **state)
{
	struct b32 k = fake_key(1);

	(void)state;
	fake_begin(NULL, 0xff);
	fake_join(&HOT, SWARM_CLIENT);
	fake_find_peers(&HOT, 1, 1);
	fake_turn();
	check(fake.ndialled == 1 && b32_eq(&fake.dialled[0], &k));
	within(fail_and_wait(&k), 5);
	within(fail_and_wait(&k), 15);
	within(fail_and_wait(&k), 15);
	check(fail_and_wait(&k) == 0);
	check(fake.ndialled == 4);
	/* the same search tells nothing new; the next one does */
	fake_find_peers(&HOT, 1, 1);
	fake_turn();
	check(fake.ndialled == 4);
	fake_end(fake_find(&HOT, false), 0);
	fake_wait(MINUTE);
	fake_find_peers(&HOT, 1, 1);
	fake_turn();
	check(fake.ndialled == 5);
	fake_free();
}

/* Explicit peers are dialled for ever; until they are left. */
static void
test_explicit(void **state)
{
	struct b32 k = fake_key(1);

	(void)state;
	fake_begin(NULL, 0xff);
	fake_join_peer(&k);
	fake_join_peer(&k);
	check(fake.ndialled == 1);
	within(fail_and_wait(&k), 5);
	within(fail_and_wait(&k), 15);
	within(fail_and_wait(&k), 15);
	for (int i = 0; i < 3; i++)
		within(fail_and_wait(&k), 60);
	fake_fail(&k);
	swarm_leave_peer(fake.s, &k, fake.now);
	check(fake_about().known == 0);
	fake_wait(10 * MINUTE);
	check(fake.ndialled == 7);
	fake_free();
}

/* What ended after 15 seconds was good; before, it counts. */
static void
test_lasted(void **state)
{
	static const struct {
		uint64_t lasted, seconds;
	} row[] = {{SECOND, 1}, {14 * SECOND, 5}, {15 * SECOND, 1}, {MINUTE, 1},
	    {0, 5}, {SECOND, 15}, {15 * SECOND, 1}};
	struct b32 k = fake_key(1);
	uint64_t from;

	(void)state;
	fake_begin(NULL, 0xff);
	fake_join_peer(&k);
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		check(fake.ndialled == i + 1);
		check(swarm_opened(fake.s, &k, true, i + 1, fake.now));
		fake_wait(row[i].lasted);
		swarm_closed(fake.s, i + 1, fake.now);
		from = fake.now;
		while (fake.ndialled == i + 1 && fake.now < from + MINUTE)
			fake_wait(SECOND / 10);
		within(fake.now - from, row[i].seconds);
	}
	fake_free();
}

/* The order of a topic's candidates: by priority, the rest by chance. */
static void
test_order(void **state)
{
	struct swarm_opts o = {.parallel = 1};
	bool shuffled = false;

	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct b32 two = fake_key(2), one = fake_key(1);
		struct b32 three = fake_key(3);

		o.seed = seed;
		fake_begin(&o, 0xff);
		fake.refuse = true;
		fake_join(&HOT, SWARM_CLIENT);
		fake_find_peers(&HOT, 0, 10);
		table_find(fake.s, &one)->attempts = 1;
		table_find(fake.s, &two)->attempts = 2;
		table_find(fake.s, &three)->attempts = 3;
		fake.refuse = false;
		fake_wait(2 * SECOND);
		while (fake.ndialled < 10) {
			fake_fail(&fake.dialled[fake.ndialled - 1]);
			fake_turn();
		}
		check(b32_eq(&fake.dialled[0], &one));
		check(b32_eq(&fake.dialled[1], &two));
		check(b32_eq(&fake.dialled[9], &three));
		for (uint32_t i = 4; i < 9; i++) {
			struct b32 k = fake_key(i);

			shuffled |= !b32_eq(&fake.dialled[i - 1], &k);
		}
		fake_free();
	}
	check(shuffled);
}

static void
test_parallel(void **state)
{
	static const uint32_t limits[] = {0, 1, 7};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct swarm_opts o = {.parallel = limits[i]};
		size_t n = limits[i] > 0 ? limits[i] : SWARM_PARALLEL;

		fake_begin(&o, 0xff);
		fake_join(&HOT, SWARM_CLIENT);
		fake_find_peers(&HOT, 0, 50);
		fake_wait(MINUTE);
		check(fake.ndialled == n && fake_about().dialling == n);
		fake_fail(&fake.dialled[0]);
		fake_turn();
		check(fake.ndialled == n + 1);
		fake_free();
	}
}

/* An owner who cannot dial is asked again after a second. */
static void
test_refused(void **state)
{
	(void)state;
	fake_begin(NULL, 0xff);
	fake_join(&HOT, SWARM_CLIENT);
	fake.refuse = true;
	fake_find_peers(&HOT, 0, 1);
	fake_turn();
	check(fake_about().dialling == 0);
	fake.refuse = false;
	fake_wait(SECOND - 1);
	check(fake.ndialled == 0);
	fake_wait(1);
	check(fake.ndialled == 1);
	fake_free();
}

/* Connect whoever is dialled, for so long. */
static void
connect_all(uint64_t us)
{
	uint64_t until = fake.now + us;
	size_t from = 0;

	for (;; fake_wait(SECOND / 10)) {
		for (; from < fake.ndialled; from++)
			check(swarm_opened(fake.s, &fake.dialled[from], true,
			    from + 1, fake.now));
		fake_turn();
		if (fake.now >= until && from == fake.ndialled)
			return;
	}
}

/* One hot topic: a quarter of the places stays free of it, an eighth of those
 * who come, and the last ones are for a topic that has nobody. */
static void
test_limits(void **state)
{
	struct b32 k = fake_key(5000);
	size_t n;

	(void)state;
	fake_begin(NULL, 0xff);
	fake_join(&HOT, SWARM_CLIENT | SWARM_SERVER);
	fake_find_peers(&HOT, 0, 200);
	connect_all(SECOND);
	check(fake_about().connected == 48);
	for (n = 0; n < 100; n++) {
		struct b32 stranger = fake_key(1000 + (uint32_t)n);

		if (!swarm_admits(fake.s, &stranger, fake.now))
			break;
		check(
		    swarm_opened(fake.s, &stranger, false, 1000 + n, fake.now));
	}
	check(n == 8 && fake_about().connected == 56);
	/* a topic that has nobody has its place, once */
	fake_join(&COLD, SWARM_CLIENT);
	fake_find_peers(&COLD, 5000, 20);
	connect_all(SECOND);
	check(fake_about().connected == 57);
	/* explicit ones are not counted; a place that is taken stays so */
	k = fake_key(9000);
	check(!swarm_admits(fake.s, &k, fake.now));
	fake_join_peer(&k);
	check(swarm_admits(fake.s, &k, fake.now));
	check(swarm_opened(fake.s, &k, true, 9000, fake.now));
	check(fake_about().connected == 58);
	k = fake_key(0);
	check(swarm_admits(fake.s, &fake.dialled[0], fake.now));
	fake_free();
}

/* A seeder has room for many, and does not look for them: only for topics
 * that have nobody. */
static void
test_sought(void **state)
{
	struct swarm_opts o = {.peers_max = 800, .sought_max = 16};

	(void)state;
	fake_begin(&o, 0xff);
	fake_join(&HOT, SWARM_CLIENT | SWARM_SERVER);
	fake_find_peers(&HOT, 0, 200);
	connect_all(SECOND);
	check(fake_about().connected == 14); /* all but an eighth */
	fake_join(&COLD, SWARM_CLIENT);
	fake_find_peers(&COLD, 5000, 20);
	connect_all(SECOND);
	check(fake_about().connected == 15);
	for (uint32_t n = 0; n < 685; n++) {
		struct b32 k = fake_key(10000 + n);

		check(swarm_admits(fake.s, &k, fake.now));
		check(swarm_opened(fake.s, &k, false, 10000 + n, fake.now));
	}
	check(fake_about().connected == 700);
	/* one of ours goes: another one is looked for */
	swarm_closed(fake.s, 1, fake.now);
	connect_all(SECOND);
	check(fake_about().connected == 700);
	fake_free();
}

/* Hot dials that hang: a new topic has its first dial in five seconds, and
 * the one behind it as well. */
static void
test_fair_dials(void **state)
{
	(void)state;
	fake_begin(NULL, 0xff);
	fake_join(&HOT, SWARM_CLIENT);
	fake_find_peers(&HOT, 0, 250);
	fake_wait(MINUTE);
	check(fake.ndialled == 3);
	fake_join(&COLD, SWARM_CLIENT);
	fake_find_peers(&COLD, 1000, 50);
	fake_turn();
	fake_join(&OTHER, SWARM_CLIENT);
	fake_find_peers(&OTHER, 2000, 50);
	fake_turn();
	check(fake.ndialled == 3);
	fake_wait(5 * SECOND);
	check(fake.ndialled == 5);
	fake_wait(MINUTE);
	check(fake.ndialled == 5); /* the second has to wait for a place */
	for (int i = 0; i < 2; i++) {
		const struct topic *t =
		    topics_find(fake.s, i == 0 ? &COLD : &OTHER);

		check(t->dialling == 1 && t->dialled);
	}
	fake_free();
}

/* Many topics with dead peers: each has its turn before any has a second. */
static void
test_fair_turns(void **state)
{
	uint32_t n = 40;
	bool had[40] = {false};

	(void)state;
	fake_begin(NULL, 0xff);
	fake.refuse = true;
	for (uint32_t i = 0; i < n; i++) {
		struct b32 topic = {{10, (uint8_t)i}};

		fake_join(&topic, SWARM_CLIENT);
		fake_find_peers(&topic, i * 100, i == 0 ? 100 : 10);
		fake_end(fake_find(&topic, false), 0);
	}
	fake.refuse = false;
	fake_wait(2 * SECOND);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t k;

		memcpy(&k, fake.dialled[i].b + 1, sizeof(k));
		check(k / 100 < n && !had[k / 100]);
		had[k / 100] = true;
		fake_fail(&fake.dialled[i]);
		fake_turn();
	}
	fake_free();
}

/* A flood of records: memory is bounded; what matters stays. */
static void
test_flood(void **state)
{
	struct b32 friend = fake_key(900001), enemy = fake_key(900002);
	struct b32 mate = fake_key(0);

	(void)state;
	fake_begin(NULL, 0xff);
	fake_join_peer(&friend);
	fake_fail(&friend);
	swarm_ban(fake.s, &enemy, fake.now + 1000 * MINUTE, fake.now);
	for (uint32_t i = 0; i < 40; i++) {
		struct b32 topic = {{10, (uint8_t)i}};

		fake_join(&topic, SWARM_CLIENT);
		fake_find_peers(&topic, i * 1000, 1);
		if (i == 0) {
			fake_turn();
			check(swarm_opened(fake.s, &mate, true, 77, fake.now));
		}
		fake_find_peers(&topic, i * 1000 + 1, 999);
		check(topics_find(fake.s, &topic)->nedges <= TOPIC_EDGES_MAX);
		fake_end(fake_find(&topic, false), 0);
	}
	check(fake_about().known <= SWARM_KNOWN_MAX);
	check(fake_about().known > SWARM_KNOWN_MAX / 2);
	check(table_find(fake.s, &mate)->conn.id == 77);
	check(table_find(fake.s, &friend)->explicit);
	check(!swarm_admits(fake.s, &enemy, fake.now));
	fake_free();
}

/* A record with other relays tells of a start; the same one does not. */
static void
test_news(void **state)
{
	struct dht_record r = {.key = fake_key(1), .nrelays = 1};
	struct dht_search *q;

	(void)state;
	fake_begin(NULL, 0xff);
	fake_join(&HOT, SWARM_CLIENT);
	for (uint16_t i = 0; i < 3; i++) {
		q = fake_find(&HOT, false);
		r.relay[0] = (struct addr){.family = 4,
		    .port = (uint16_t)(i < 2 ? 1 : 2),
		    .ip = {1, 2, 3, 4}};
		q->o.found(q->o.ctx, &r, fake.now);
		fake_turn();
		check(fake.ndialled == (size_t)(i < 2 ? 1 : 2));
		fake_fail(&r.key);
		fake_end(q, 0);
		swarm_refresh(fake.s, &HOT, fake.now);
		fake_turn();
	}
	/* what cannot be, and ourselves */
	q = fake_find(&HOT, false);
	r.nrelays = DHT_RELAYS_MAX + 1;
	r.key = fake_key(5);
	q->o.found(q->o.ctx, &r, fake.now);
	r.nrelays = 0;
	r.key = fake.pair.pub;
	q->o.found(q->o.ctx, &r, fake.now);
	check(fake_about().known == 1);
	fake_free();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_priority),
	    cmocka_unit_test(test_delay),
	    cmocka_unit_test(test_jitter),
	    cmocka_unit_test(test_retry),
	    cmocka_unit_test(test_explicit),
	    cmocka_unit_test(test_lasted),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_parallel),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_sought),
	    cmocka_unit_test(test_fair_dials),
	    cmocka_unit_test(test_fair_turns),
	    cmocka_unit_test(test_flood),
	    cmocka_unit_test(test_news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
