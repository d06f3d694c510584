/* Searches of a node among others, in virtual time and with losses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "crypto/hash.h"
#include "lone.h"
#include "vnet.h"

#define SECOND UINT64_C(1000000)
#define NODES 16

struct seen {
	size_t found, ended, commits, closest;
	struct dht_record last;
	struct b32 keys[200];
	struct addr start[RPC_K];
	uint64_t seq;
	char value[64];
	struct dht_search *cancel; /* with what comes next */
};

static void
on_found(void *ctx, const struct dht_record *r, uint64_t now)
{
	struct seen *s = ctx;

	check(now != 0 && r->from.family == 4 && s->found < 200);
	s->keys[s->found++] = r->key;
	s->last = *r;
	if (s->cancel != NULL)
		dht_search_cancel(s->cancel);
}

static void
on_done(void *ctx, const struct rpc_node *closest, size_t n, size_t commits,
    uint64_t now)
{
	struct seen *s = ctx;

	check(now != 0 && n <= RPC_K);
	for (size_t i = 0; i < n; i++)
		s->start[i] = closest[i].addr;
	s->closest = n;
	s->commits = commits;
	s->ended++;
}

static void
on_value(void *ctx, uint64_t seq, struct view v)
{
	struct seen *s = ctx;

	check(v.len < sizeof(s->value));
	s->found++;
	s->seq = seq;
	memcpy(s->value, v.ptr, v.len);
	s->value[v.len] = '\0';
}

static void
on_value_done(void *ctx, size_t commits)
{
	struct seen *s = ctx;

	s->commits = commits;
	s->ended++;
}

static void
wait_end(struct vnet *n, struct vhost *h, const struct seen *s)
{
	h->deadline = n->now;
	for (int i = 0; i < 60 && s->ended == 0; i++)
		vnet_run(n, SECOND / 2);
	check(s->ended == 1);
}

enum what { LOOK, FIND, UNANNOUNCE };

static void
search(struct vnet *n, struct vhost *h, enum what what,
    struct dht_search_opts *o, struct seen *s)
{
	struct dht_search *search;
	struct err e = ERR_INIT;

	memset(s, 0, sizeof(*s));
	o->found = on_found;
	o->done = on_done;
	o->ctx = s;
	if (what == LOOK)
		check_ok(dht_lookup(&search, h->d, o, n->now, &e), &e);
	else if (what == FIND)
		check_ok(dht_find_peer(&search, h->d, o, n->now, &e), &e);
	else
		check_ok(dht_unannounce(&search, h->d, o, n->now, &e), &e);
	wait_end(n, h, s);
}

static struct vnet *
network(uint64_t seed, unsigned loss, struct vhost **a, struct vhost **b)
{
	struct vnet *n = malloc(sizeof(*n));

	check(n != NULL);
	vnet_init(n, seed);
	vnet_nodes(n, NODES);
	*a = vnet_join(n, NULL);
	*b = vnet_join(n, NULL);
	vnet_run(n, 15 * SECOND);
	n->loss = loss;
	return n;
}

static void
network_free(struct vnet *n)
{
	vnet_deinit(n);
	free(n);
}

static void
topics(uint64_t seed, unsigned loss)
{
	struct vhost *a, *b;
	struct vnet *n = network(seed, loss, &a, &b);
	struct addr relay[2] = {lone_addr(80, 1, 1), lone_addr(80, 2, 2)};
	struct sign_pair pair = lone_pair(1);
	struct dht_search_opts look = {.topic = {{1, 2, 3}}};
	struct dht_search_opts announce = look;
	struct seen *s = malloc(sizeof(*s));

	check(s != NULL);
	search(n, b, LOOK, &look, s);
	check(s->found == 0 && s->closest > NODES / 2 && s->commits == 0);
	announce.pair = &pair;
	announce.relay = relay;
	announce.nrelays = 2;
	search(n, a, LOOK, &announce, s);
	check(s->commits > NODES / 2 && s->commits <= s->closest);
	search(n, b, LOOK, &look, s);
	check(s->found > NODES / 2 && b32_eq(&s->last.key, &pair.pub));
	check(s->last.nrelays == 2 && addr_eq(&s->last.relay[1], &relay[1]));
	/* anew, from the nodes of last time: the old ones are all gone */
	announce.nrelays = 1;
	announce.clear = true;
	announce.start = s->start;
	announce.nstart = s->closest;
	search(n, a, LOOK, &announce, s);
	check(s->found > 0 && s->commits > NODES / 2);
	search(n, b, LOOK, &look, s);
	check(s->found > NODES / 2 && s->last.nrelays == 1);
	announce.start = NULL;
	announce.nstart = 0;
	search(n, a, UNANNOUNCE, &announce, s);
	check(s->commits > NODES / 2);
	search(n, b, LOOK, &look, s);
	check(loss > 0 || s->found == 0);
	sign_pair_free(&pair);
	free(s);
	network_free(n);
}

static void
test_topics(void **state)
{
	(void)state;
	topics(1, 0);
	topics(2, 10);
}

static void
test_find_peer(void **state)
{
	struct vhost *a, *b;
	struct vnet *n = network(3, 0, &a, &b);
	struct sign_pair pair = lone_pair(1), other = lone_pair(2);
	struct dht_search_opts o = {.pair = &pair};
	struct seen *s = malloc(sizeof(*s));

	(void)state;
	check(s != NULL);
	hash_data(&o.topic, view_b32(&pair.pub));
	search(n, a, LOOK, &o, s);
	check(s->commits > NODES / 2);
	o.pair = NULL;
	search(n, b, FIND, &o, s);
	check(s->found > NODES / 2 && b32_eq(&s->last.key, &pair.pub));
	/* those who told are relays */
	check(s->last.from.ip[0] == 80 && s->last.nrelays == 0);
	hash_data(&o.topic, view_b32(&other.pub));
	search(n, b, FIND, &o, s);
	check(s->found == 0 && s->closest > 0);
	sign_pair_free(&pair);
	sign_pair_free(&other);
	free(s);
	network_free(n);
}

static void
value(struct vnet *n, struct vhost *h, bool put, enum dht_value kind,
    struct dht_value_opts *o, struct seen *s)
{
	struct dht_search *search;
	struct err e = ERR_INIT;

	memset(s, 0, sizeof(*s));
	o->found = on_value;
	o->done = on_value_done;
	o->ctx = s;
	if (put)
		check_ok(dht_put(&search, h->d, kind, o, n->now, &e), &e);
	else
		check_ok(dht_get(&search, h->d, kind, o, n->now, &e), &e);
	wait_end(n, h, s);
}

static void
test_values(void **state)
{
	static uint8_t large[DHT_VALUE_MAX + 1];
	struct vhost *a, *b;
	struct vnet *n = network(4, 5, &a, &b);
	struct sign_pair pair = lone_pair(1);
	struct dht_value_opts o = {
	    .pair = &pair, .seq = 3, .value = view_str("three")};
	struct dht_value_opts get = {.key = pair.pub};
	struct seen *s = malloc(sizeof(*s));
	struct err e = ERR_INIT;
	struct dht_search *none;

	(void)state;
	check(s != NULL);
	value(n, b, false, DHT_MUTABLE, &get, s);
	check(s->found == 0);
	value(n, a, true, DHT_MUTABLE, &o, s);
	check(s->commits > NODES / 2);
	value(n, b, false, DHT_MUTABLE, &get, s);
	check(s->found == 1 && s->seq == 3 && strcmp(s->value, "three") == 0);
	get.seq = 4;
	value(n, b, false, DHT_MUTABLE, &get, s);
	check(s->found == 0);
	o.seq = 2;
	value(n, a, true, DHT_MUTABLE, &o, s);
	check(s->found == 1 && s->commits < NODES / 2); /* there is a newer */
	o.value = view_str("for ever");
	value(n, a, true, DHT_IMMUTABLE, &o, s);
	check(s->commits > NODES / 2);
	hash_data(&get.key, o.value);
	value(n, b, false, DHT_IMMUTABLE, &get, s);
	check(s->found == 1 && strcmp(s->value, "for ever") == 0);
	o.value = view_of(large, sizeof(large));
	check_code(
	    dht_put(&none, a->d, DHT_IMMUTABLE, &o, n->now, &e), ERR_INVALID);
	o.value = VIEW_EMPTY;
	check_code(
	    dht_put(&none, a->d, DHT_MUTABLE, &o, n->now, &e), ERR_INVALID);
	sign_pair_free(&pair);
	free(s);
	network_free(n);
}

/* Ended by the user: from outside, from inside its own callback, with
 * requests under way, and with the node. */
static void
test_cancel(void **state)
{
	struct vhost *a, *b;
	struct vnet *n = network(5, 0, &a, &b);
	struct sign_pair pair = lone_pair(1);
	struct seen *s = calloc(1, sizeof(*s));
	struct dht_search_opts o = {.topic = {{9}}, .pair = &pair};
	struct err e = ERR_INIT;
	struct dht_search *x;

	(void)state;
	check(s != NULL);
	search(n, a, LOOK, &o, s);
	check(s->commits > 0);
	o.pair = NULL;
	memset(s, 0, sizeof(*s));
	check_ok(dht_lookup(&x, b->d, &o, n->now, &e), &e);
	dht_search_cancel(x);
	check_ok(dht_lookup(&s->cancel, b->d, &o, n->now, &e), &e);
	vnet_run(n, 5 * SECOND);
	check(s->found == 1 && s->ended == 0);
	s->cancel = NULL;
	o.pair = &pair;
	o.clear = true;
	for (uint64_t after = 0; after < 300000; after += 20000) {
		check_ok(dht_lookup(&x, a->d, &o, n->now, &e), &e);
		a->deadline = n->now;
		vnet_run(n, after);
		if (s->ended == 0)
			dht_search_cancel(x);
		s->ended = s->found = 0;
		vnet_run(n, SECOND);
		check(s->ended == 0);
	}
	check_ok(dht_lookup(&x, a->d, &o, n->now, &e), &e);
	vnet_run(n, 30000);
	network_free(n);
	check(s->ended == 0);
	sign_pair_free(&pair);
	free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_topics),
	    cmocka_unit_test(test_find_peer),
	    cmocka_unit_test(test_values),
	    cmocka_unit_test(test_cancel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
