/* offers: many open cores, of which a peer has few. */
#include "net.h"

#define OFFERS 64 /* at a time */

/* Cores that nobody else has, by the hundred. */
static void
open_many(struct side *d, uint8_t tag, size_t n)
{
	struct replicate_core *c;
	struct err e = ERR_INIT;

	for (size_t i = 0; i < n; i++) {
		struct b32 key = {{tag, (uint8_t)(i >> 8), (uint8_t)i}};

		check_ok(replicate_open(d->r, &key, &c, &e), &e);
	}
}

/* A side with more cores than it may offer at a time: each is answered in
 * the end, and the one that both have is served. */
static void
test_many_offers(void **state)
{
	struct side *a = malloc(sizeof(*a)), *b = malloc(sizeof(*b));
	struct replicate_peer_stats st;
	struct net n = {.nnodes = 0};
	struct replicate_core *ca, *cb;
	struct err e = ERR_INIT;
	struct line l;

	(void)state;
	net_side(&n, a, true, NULL);
	net_side(&n, b, false, NULL);
	net_fill(a, 20);
	ca = net_open(a);
	open_many(a, 0x11, 3 * OFFERS); /* the newest come first */
	cb = net_open(b);
	net_join(&n, &l, a, b, 1000);
	replicate_peer_stats(l.peer[0], &st);
	check(st.channels == OFFERS && replicate_pending(ca) == 1);
	check_ok(replicate_download(cb, 0, 20, &e), &e);
	net_run(&n, NET_SECOND);
	replicate_peer_stats(l.peer[0], &st);
	check(st.channels == 1 && replicate_pending(ca) == 0);
	check(a->event[REPLICATE_REJECTED] == 3 * OFFERS);
	check(replicate_copies(ca, NULL) == 1);
	net_whole(b, 20);
	net_close(&n);
	free(a);
	free(b);
}

/* Cores that go while they wait to be offered; a peer that never answers. */
static void
test_offers_end(void **state)
{
	struct side *a = malloc(sizeof(*a)), *b = malloc(sizeof(*b));
	struct replicate_core *c, *next;
	struct replicate_peer_stats st;
	struct net n = {.nnodes = 0};
	struct line l;

	(void)state;
	net_side(&n, a, true, NULL);
	net_side(&n, b, false, NULL);
	open_many(a, 0x12, 2 * OFFERS);
	net_join(&n, &l, a, b, 1000);
	c = replicate_each(a->r, NULL);
	check(replicate_pending(c) == 1);
	for (; c != NULL; c = next) {
		next = replicate_each(a->r, c);
		replicate_close(c);
	}
	open_many(a, 0x13, 10);
	net_run(&n, NET_SECOND);
	check(replicate_pending(replicate_each(a->r, NULL)) == 0);
	check(a->event[REPLICATE_REJECTED] == 10);
	replicate_peer_stats(l.peer[0], &st);
	check(st.channels == 0);
	net_close(&n);
	free(a);
	free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_many_offers),
	    cmocka_unit_test(test_offers_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
