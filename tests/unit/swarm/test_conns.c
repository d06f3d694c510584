/* Connections as the owner tells of them: opened, closed, failed, banned. */
#include "fake.h"

static const struct b32 TOPIC = {{1}};

/* A dial of peer 1 is under way. */
static struct b32
dialling(uint8_t own)
{
	struct b32 k = fake_key(1);

	fake_begin(NULL, own);
	fake_join(&TOPIC, SWARM_CLIENT);
	fake_find_peers(&TOPIC, 1, 1);
	fake_turn();
	check(fake.ndialled == 1 && fake_about().dialling == 1);
	return k;
}

static void
test_opened(void **state)
{
	struct b32 k = dialling(0xff);

	(void)state;
	check(swarm_opened(fake.s, &k, true, 1, fake.now));
	check(fake_about().connected == 1 && fake_about().dialling == 0);
	/* connected: neither found nor explicit makes a dial */
	fake_find_peers(&TOPIC, 1, 1);
	fake_join_peer(&k);
	fake_wait(10 * MINUTE);
	check(fake.ndialled == 1);
	swarm_closed(fake.s, 1, fake.now);
	check(fake_about().connected == 0);
	fake_wait(3 * SECOND);
	check(fake.ndialled == 2);
	/* twice, and unknown ones: nothing */
	swarm_closed(fake.s, 1, fake.now);
	swarm_closed(fake.s, 0, fake.now);
	swarm_closed(fake.s, 99, fake.now);
	swarm_used(fake.s, 99);
	check(fake_about().dialling == 1);
	fake_free();
}

/* Ourselves, no name, and what is being closed. */
static void
test_refused(void **state)
{
	struct b32 k = dialling(0xff);

	(void)state;
	check(!swarm_opened(fake.s, &fake.pair.pub, false, 1, fake.now));
	check(!swarm_admits(fake.s, &fake.pair.pub, fake.now));
	check(!swarm_opened(fake.s, &k, false, 0, fake.now));
	swarm_close(fake.s, fake_closed, NULL, fake.now);
	check(!swarm_admits(fake.s, &k, fake.now));
	check(!swarm_opened(fake.s, &k, true, 5, fake.now));
	check(fake_about().connected == 0 && fake_about().dialling == 0);
	fake_free();
}

/* A stranger came, and went: we found nothing of him, and forget him. */
static void
test_stranger(void **state)
{
	struct b32 k = fake_key(7);

	(void)state;
	fake_begin(NULL, 0xff);
	check(swarm_admits(fake.s, &k, fake.now));
	check(swarm_opened(fake.s, &k, false, 4, fake.now));
	check(fake_about().known == 1);
	swarm_closed(fake.s, 4, fake.now);
	check(fake_about().known == 0);
	fake_wait(10 * MINUTE);
	check(fake.ndialled == 0);
	fake_free();
}

/* One that we want as well is given time to come back, then dialled. */
static void
test_came_and_went(void **state)
{
	struct b32 k = dialling(0x01);

	(void)state;
	fake_fail(&k);
	check(swarm_opened(fake.s, &k, false, 4, fake.now));
	fake_wait(MINUTE);
	swarm_closed(fake.s, 4, fake.now);
	fake_wait(3 * SECOND);
	check(fake.ndialled == 1);
	fake_wait(6 * SECOND);
	check(fake.ndialled == 2);
	/* also if ours worked before */
	check(swarm_opened(fake.s, &k, true, 5, fake.now));
	check(swarm_opened(fake.s, &k, false, 6, fake.now));
	fake_wait(MINUTE);
	swarm_closed(fake.s, 6, fake.now);
	fake_wait(3 * SECOND);
	check(fake.ndialled == 2);
	fake_wait(6 * SECOND);
	check(fake.ndialled == 3);
	fake_free();
}

/* He came while we dial. The larger key's connection stays in the end. */
static void
test_race_smaller(void **state)
{
	struct b32 k = dialling(0x01);

	(void)state;
	check(swarm_opened(fake.s, &k, false, 4, fake.now));
	check(fake.nundialled == 1 && b32_eq(&fake.undialled, &k));
	check(fake_about().dialling == 0);
	/* the owner could not stop it: it loses, and its end is nothing */
	check(!swarm_opened(fake.s, &k, true, 5, fake.now));
	swarm_closed(fake.s, 5, fake.now);
	fake_fail(&k);
	check(fake_about().connected == 1 && fake.ndropped == 0);
	fake_free();
}

static void
test_race_larger(void **state)
{
	struct b32 k = dialling(0xff);

	(void)state;
	check(swarm_opened(fake.s, &k, false, 4, fake.now));
	check(fake.nundialled == 0 && fake_about().dialling == 1);
	check(fake_about().connected == 1);
	check(swarm_opened(fake.s, &k, true, 5, fake.now));
	check(fake.ndropped == 1 && fake.dropped == 4);
	check(strstr(fake.why, "duplicate") != NULL);
	check(fake_about().connected == 1 && fake_about().dialling == 0);
	swarm_closed(fake.s, 4, fake.now);
	check(fake_about().connected == 1);
	/* ours fails: his stays */
	swarm_closed(fake.s, 5, fake.now);
	fake_wait(3 * SECOND);
	check(swarm_opened(fake.s, &k, false, 6, fake.now));
	fake_fail(&k);
	check(fake_about().connected == 1 && fake_about().dialling == 0);
	fake_wait(MINUTE);
	check(fake.ndialled == 2);
	fake_free();
}

/* He lost the old one and dials again. */
static void
test_again(void **state)
{
	struct b32 k = dialling(0xff);

	(void)state;
	check(swarm_opened(fake.s, &k, true, 1, fake.now));
	fake_wait(DUPS_RACE_US);
	check(!swarm_opened(fake.s, &k, false, 2, fake.now));
	swarm_used(fake.s, 1);
	check(swarm_opened(fake.s, &k, false, 3, fake.now));
	check(fake.dropped == 1);
	check(swarm_opened(fake.s, &k, false, 4, fake.now));
	check(fake.dropped == 3 && fake_about().connected == 1);
	fake_free();
}

static void
test_ban(void **state)
{
	struct b32 k = dialling(0xff), stranger = fake_key(9);
	uint64_t until = fake.now + 10 * MINUTE;

	(void)state;
	/* while it is dialled, while connected, while unknown */
	swarm_ban(fake.s, &k, until, fake.now);
	check(fake.nundialled == 1 && fake_about().dialling == 0);
	check(!swarm_opened(fake.s, &k, true, 5, fake.now));
	check(swarm_opened(fake.s, &stranger, false, 6, fake.now));
	swarm_ban(fake.s, &stranger, until, fake.now);
	check(fake.dropped == 6 && strcmp(fake.why, "banned") == 0);
	check(fake_about().banned == 2 && fake_about().connected == 0);
	fake_find_peers(&TOPIC, 1, 1);
	fake_join_peer(&stranger);
	swarm_refresh(fake.s, NULL, fake.now);
	fake_wait(9 * MINUTE);
	check(fake.ndialled == 1);
	check(!swarm_admits(fake.s, &k, fake.now));
	check(!swarm_opened(fake.s, &stranger, false, 7, fake.now));
	/* over: who is wanted is dialled */
	fake_wait(MINUTE);
	check(fake_about().banned == 0);
	check(fake.ndialled == 3 && fake_dials_of(&k) == 2);
	check(swarm_admits(fake.s, &k, fake.now));
	fake_free();
}

/* A ban of somebody nobody wants is forgotten behind its end, or lifted. */
static void
test_ban_ends(void **state)
{
	struct b32 k = fake_key(1);

	(void)state;
	fake_begin(NULL, 0xff);
	swarm_ban(fake.s, &k, fake.now + SECOND, fake.now);
	check(fake_about().known == 1 && fake_about().banned == 1);
	fake_wait(SECOND);
	check(fake_about().known == 0);
	swarm_ban(fake.s, &k, UINT64_MAX, fake.now);
	fake_wait(1000 * MINUTE);
	check(!swarm_admits(fake.s, &k, fake.now));
	swarm_ban(fake.s, &k, 0, fake.now);
	check(swarm_admits(fake.s, &k, fake.now));
	check(fake_about().known == 0);
	fake_free();
}

/* More than there are places: also for one whose handshake was admitted. */
static void
test_full(void **state)
{
	struct swarm_opts o = {.peers_max = 3};
	struct b32 k = fake_key(9);

	(void)state;
	fake_begin(&o, 0xff);
	for (uint32_t i = 0; i < 3; i++) {
		struct b32 x = fake_key(i);

		check(swarm_admits(fake.s, &x, fake.now));
		check(swarm_opened(fake.s, &x, false, i + 1, fake.now));
	}
	check(!swarm_admits(fake.s, &k, fake.now));
	check(!swarm_opened(fake.s, &k, false, 9, fake.now));
	check(fake_about().connected == 3 && fake_about().known == 3);
	/* nor is one whose record we have */
	fake_join(&TOPIC, SWARM_CLIENT);
	fake_find_peers(&TOPIC, 9, 1);
	fake_turn();
	check(!swarm_admits(fake.s, &k, fake.now));
	check(!swarm_opened(fake.s, &k, false, 9, fake.now));
	check(fake_about().connected == 3 && fake.ndialled == 0);
	swarm_closed(fake.s, 2, fake.now);
	check(swarm_opened(fake.s, &k, false, 9, fake.now));
	fake_free();
}

/* A thousand come in ten seconds, and all go: nothing is left of them. */
static void
test_thousand(void **state)
{
	struct swarm_opts o = {.peers_max = 2000};

	(void)state;
	fake_begin(&o, 0xff);
	fake_join(&TOPIC, SWARM_SERVER);
	for (uint32_t i = 0; i < 1000; i++) {
		struct b32 k = fake_key(i);

		check(swarm_admits(fake.s, &k, fake.now));
		check(swarm_opened(fake.s, &k, false, i + 1, fake.now));
		fake_wait(SECOND / 100);
	}
	check(fake_about().connected == 1000);
	for (uint32_t i = 0; i < 1000; i++)
		swarm_closed(fake.s, i + 1, fake.now);
	check(fake_about().connected == 0 && fake_about().known == 0);
	fake_free();
}

/* Whose drives somebody may have: told once for each topic he was found
 * under, whichever came first. */
static void
test_met(void **state)
{
	static const struct b32 other = {{2}}, third = {{3}};
	struct b32 k = dialling(0xff), stranger = fake_key(7);

	(void)state;
	fake_join(&other, SWARM_CLIENT);
	fake_join(&third, SWARM_CLIENT);
	fake_find_peers(&other, 1, 1);
	check(fake.nmet == 0);
	check(swarm_opened(fake.s, &k, true, 1, fake.now));
	check(fake.nmet == 2 && b32_eq(&fake.met, &other));
	fake_find_peers(&third, 1, 1);
	check(fake.nmet == 3 && b32_eq(&fake.met, &third));
	/* the same record of many nodes, and of the next search */
	fake_find_peers(&third, 1, 1);
	fake_end(fake_find(&third, false), 0);
	swarm_refresh(fake.s, &third, fake.now);
	fake_turn();
	fake_find_peers(&third, 1, 1);
	check(fake.nmet == 3);
	/* who came to us was found under none */
	check(swarm_opened(fake.s, &stranger, false, 2, fake.now));
	check(fake.nmet == 3);
	/* again, when it comes back */
	swarm_closed(fake.s, 1, fake.now);
	check(swarm_opened(fake.s, &k, false, 3, fake.now));
	check(fake.nmet == 6);
	fake_free();
}

/* Whoever hears of it lets go of all that there is. */
static void
on_met(void *ctx, const struct b32 *topic, uint64_t now)
{
	static const struct b32 topics[] = {{{1}}, {{2}}};

	(void)ctx, (void)topic;
	swarm_closed(fake.s, 1, now);
	for (size_t i = 0; i < 2; i++)
		swarm_leave(fake.s, &topics[i], now);
	fake.nmet++;
}

static void
test_met_and_left(void **state)
{
	static const struct b32 other = {{2}};
	struct dht_record r = {.key = dialling(0xff),
	    .relay = {{.family = 4, .port = 1}},
	    .nrelays = 1};
	struct dht_search_opts look;

	(void)state;
	fake_join(&other, SWARM_CLIENT);
	fake_turn();
	check(swarm_opened(fake.s, &r.key, true, 1, fake.now));
	fake.nmet = 0;
	fake.s->env.met = on_met;
	look = fake_find(&other, false)->o;
	look.found(look.ctx, &r, fake.now);
	check(fake.nmet == 1 && fake_about().known == 0);
	fake_free();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_opened),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_stranger),
	    cmocka_unit_test(test_came_and_went),
	    cmocka_unit_test(test_race_smaller),
	    cmocka_unit_test(test_race_larger),
	    cmocka_unit_test(test_again),
	    cmocka_unit_test(test_ban),
	    cmocka_unit_test(test_ban_ends),
	    cmocka_unit_test(test_full),
	    cmocka_unit_test(test_thousand),
	    cmocka_unit_test(test_met),
	    cmocka_unit_test(test_met_and_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
