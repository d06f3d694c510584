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

/* Two sides, and no line between them yet. */
static struct net n;
static struct side *a, *b;

static void
meet(bool a_writes)
{
	a = malloc(sizeof(*a));
	b = malloc(sizeof(*b));
	check(a != NULL && b != NULL);
	net_side(&n, a, a_writes, NULL);
	net_side(&n, b, false, NULL);
}

static void
part(void)
{
	net_close(&n);
	free(a);
	free(b);
}

static void
all_of_a(void (*what)(struct replicate_core *c))
{
	struct replicate_core *c, *next;

	for (c = replicate_each(a->r, NULL); c != NULL; c = next) {
		next = replicate_each(a->r, c);
		what(c);
	}
}

/* A side with more cores than it may offer at a time: each is answered in
 * the end, and the one that both have is served. */
static void
test_many_offers(void **state)
{
	struct replicate_peer_stats st;
	struct replicate_core *ca, *cb;
	struct err e = ERR_INIT;
	struct line l;

	(void)state;
	meet(true);
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
	part();
}

/* Cores that go while they wait to be offered; a peer that never answers. */
static void
test_offers_end(void **state)
{
	struct replicate_peer_stats st;
	struct line l;

	(void)state;
	meet(true);
	open_many(a, 0x12, 2 * OFFERS);
	net_join(&n, &l, a, b, 1000);
	check(replicate_pending(replicate_each(a->r, NULL)) == 1);
	all_of_a(replicate_close);
	open_many(a, 0x13, 10);
	net_run(&n, NET_SECOND);
	check(replicate_pending(replicate_each(a->r, NULL)) == 0);
	check(a->event[REPLICATE_REJECTED] == 10);
	replicate_peer_stats(l.peer[0], &st);
	check(st.channels == 0);
	part();
}

/* Released while a peer goes on with it: served, its news are heard, and
 * opened again it takes them. Released by both, nobody has it open. */
static void
test_release(void **state)
{
	struct replicate_core *ca, *cb;
	struct replicate_status st;
	struct b32 topic;
	struct err e = ERR_INIT;
	struct line l;

	(void)state;
	meet(true);
	net_fill(a, 20);
	ca = net_open(a);
	cb = net_open(b);
	topic = *core_discovery_key(replicate_core_handle(cb));
	net_join(&n, &l, a, b, 1000);
	check_ok(replicate_download(cb, 0, UINT64_MAX, &e), &e);
	net_run(&n, NET_SECOND);
	net_whole(b, 20);
	replicate_release(cb);
	net_run(&n, NET_SECOND);
	check(replicate_find(b->r, &b->f.key) == NULL);
	check(replicate_peek(b->r, &topic) == cb);
	check(replicate_copies(ca, NULL) == 1);
	/* grown: told, and not fetched */
	net_fill(a, 10);
	check_ok(replicate_changed(a->r, NULL, n.now, &e), &e);
	b->event[REPLICATE_REMOTE] = 0;
	net_run(&n, NET_SECOND);
	check(b->event[REPLICATE_REMOTE] > 0);
	replicate_status(cb, &st);
	check(st.longest == 30 && st.head.length == 20 && st.peers == 1);
	/* awake again, on the channel there is */
	cb = net_open(b);
	check_ok(replicate_download(cb, 0, UINT64_MAX, &e), &e);
	net_run(&n, NET_SECOND);
	check(b->event[REPLICATE_OPENED] == 1);
	net_whole(b, 30);
	replicate_release(ca);
	replicate_release(cb);
	net_run(&n, NET_SECOND);
	check(replicate_peek(a->r, &topic) == NULL);
	check(replicate_peek(b->r, &topic) == NULL);
	part();
}

/* An offer that nobody has answered goes with the core. */
static void
test_release_offer(void **state)
{
	struct replicate_peer_stats st;
	struct line l;

	(void)state;
	meet(true);
	net_open(b);
	net_join(&n, &l, b, a, 1000);
	replicate_peer_stats(l.peer[0], &st);
	check(st.channels == 1);
	replicate_release(net_open(b));
	replicate_peer_stats(l.peer[0], &st);
	check(st.channels == 0);
	net_run(&n, NET_SECOND);
	check(b->event[REPLICATE_OPENED] == 0);
	part();
}

/* How many cores that nobody has open here a peer may have served. */
static void
test_serve_most(void **state)
{
	struct line l;

	(void)state;
	meet(false);
	open_many(a, 0x14, 20);
	all_of_a(replicate_close);
	replicate_serve_most(a->r, 5);
	open_many(b, 0x14, 20);
	net_join(&n, &l, a, b, 1000);
	net_run(&n, NET_SECOND);
	check(a->event[REPLICATE_OPENED] == 5);
	check(b->event[REPLICATE_REJECTED] == 15);
	/* what is open here as well does not count; released, it does */
	open_many(a, 0x14, 20);
	net_run(&n, NET_SECOND);
	check(a->event[REPLICATE_OPENED] == 20);
	all_of_a(replicate_release);
	open_many(b, 0x15, 1);
	net_run(&n, NET_SECOND);
	check(b->event[REPLICATE_REJECTED] == 16);
	part();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_many_offers),
	    cmocka_unit_test(test_offers_end),
	    cmocka_unit_test(test_release),
	    cmocka_unit_test(test_release_offer),
	    cmocka_unit_test(test_serve_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
