/* Handshakes that pass through a node, and servers of the node itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lone.h"

/* A server announced itself from `at`. */
static struct b32
announced(struct lone *l, const struct addr *at, uint8_t seed)
{
	struct sign_pair p = lone_pair(seed);
	struct addr client = l->client;
	struct b32 target;

	hash_data(&target, view_b32(&p.pub));
	l->client = *at;
	check(lone_announce(l, DHT_ANNOUNCE, &target, &p, NULL, 0));
	l->client = client;
	sign_pair_free(&p);
	return target;
}

/* From whom, what; NULL: the answer was nothing. The packet that went out. */
static const struct lone_packet *
handshake(struct lone *l, const struct addr *from, const struct b32 *target,
    const struct dht_handshake *h, struct dht_handshake *out)
{
	struct buf b;

	buf_init(&b, 4096);
	dht_handshake_encode(&b, h);
	l->client = *from;
	(void)lone_ask(l, DHT_PEER_HANDSHAKE, target, NULL, buf_view(&b));
	buf_deinit(&b);
	check(l->nsent <= 1);
	if (l->nsent == 0)
		return NULL;
	check(l->m.tid == l->tid);
	memset(out, 0, sizeof(*out));
	if (l->m.value.len != 0)
		check(dht_handshake_decode(out, l->m.value));
	return &l->sent[0];
}

static const struct lone_packet *
holepunch(struct lone *l, const struct addr *from, const struct b32 *target,
    const struct dht_holepunch *h, struct dht_holepunch *out)
{
	struct buf b;

	buf_init(&b, 4096);
	dht_holepunch_encode(&b, h);
	l->client = *from;
	(void)lone_ask(l, DHT_PEER_HOLEPUNCH, target, NULL, buf_view(&b));
	buf_deinit(&b);
	check(l->nsent <= 1);
	if (l->nsent == 0)
		return NULL;
	check(l->m.tid == l->tid && dht_holepunch_decode(out, l->m.value));
	return &l->sent[0];
}

static void
test_handshakes(void **state)
{
	struct lone *l = lone_new(RPC_SERVER);
	const struct addr client = lone_addr(80, 2, 5000);
	const struct addr server = lone_addr(80, 3, 6000);
	const struct addr relay = lone_addr(80, 4, 7000);
	const struct b32 unknown = {{9}};
	struct dht_handshake h = {.mode = DHT_FROM_CLIENT}, got;
	const struct lone_packet *p;
	struct b32 target = announced(l, &server, 1);

	(void)state;
	h.noise = view_str("noise");
	/* client -> server */
	p = handshake(l, &client, &target, &h, &got);
	check(p != NULL && addr_eq(&p->to, &server) && !l->m.reply);
	check(l->m.command == DHT_PEER_HANDSHAKE && !l->m.internal);
	check(l->m.has_target && b32_eq(&l->m.target, &target));
	check(!l->m.has_token && got.mode == DHT_FROM_RELAY);
	check(addr_eq(&got.peer, &client) && got.relay.family == 0);
	check_same(got.noise, h.noise);
	/* to the relay that the client names, known or not */
	h.relay = relay;
	p = handshake(l, &client, &target, &h, &got);
	check(p != NULL && addr_eq(&p->to, &relay));
	p = handshake(l, &client, &unknown, &h, &got);
	check(p != NULL && addr_eq(&p->to, &relay));
	check(got.mode == DHT_FROM_RELAY && got.relay.family == 0);
	/* nothing known: closer nodes, without a token */
	h.relay = (struct addr){0};
	p = handshake(l, &client, &unknown, &h, &got);
	check(p != NULL && addr_eq(&p->to, &client) && l->m.reply);
	check(l->m.value.len == 0 && l->m.error == 0 && !l->m.has_token);
	/* the second relay */
	h.mode = DHT_FROM_RELAY;
	h.peer = client;
	p = handshake(l, &relay, &target, &h, &got);
	check(p != NULL && addr_eq(&p->to, &server) && !l->m.reply);
	check(got.mode == DHT_FROM_SECOND_RELAY);
	check(addr_eq(&got.peer, &client) && addr_eq(&got.relay, &relay));
	check(handshake(l, &relay, &unknown, &h, &got) == NULL);
	/* server -> client */
	h.mode = DHT_FROM_SERVER;
	p = handshake(l, &server, &unknown, &h, &got);
	check(p != NULL && addr_eq(&p->to, &client) && l->m.reply);
	check(got.mode == DHT_REPLY && addr_eq(&got.peer, &server));
	check(!l->m.has_token && l->m.closer.len == 0 && l->m.error == 0);
	lone_free(l);
}

/* What goes nowhere. */
static void
test_stopped(void **state)
{
	static uint8_t large[1400];
	struct lone *l = lone_new(RPC_SERVER);
	const struct addr client = lone_addr(80, 2, 5000);
	const struct addr server = lone_addr(80, 3, 6000);
	const struct addr inside = lone_addr(10, 3, 6000);
	struct b32 target = announced(l, &server, 1);
	const struct {
		uint64_t mode;
		struct view noise;
		struct addr peer, relay;
	} rows[] = {
	    {DHT_FROM_CLIENT, VIEW_EMPTY, {0}, {0}},
	    {DHT_FROM_RELAY, view_str("n"), {0}, {0}},
	    {DHT_FROM_RELAY, VIEW_EMPTY, client, {0}},
	    {DHT_FROM_SECOND_RELAY, view_str("n"), client, client},
	    {DHT_REPLY, view_str("n"), client, {0}},
	    {5, view_str("n"), client, client},
	    {DHT_FROM_SERVER, view_str("n"), {0}, {0}},
	    /* to ourselves, to port 0, into our own network */
	    {DHT_FROM_CLIENT, view_str("n"), {0}, l->self},
	    {DHT_FROM_CLIENT, view_str("n"), {0}, lone_addr(80, 9, 0)},
	    {DHT_FROM_CLIENT, view_str("n"), {0}, inside},
	    {DHT_FROM_SERVER, view_str("n"), inside, {0}},
	    {DHT_FROM_SERVER, view_str("n"), l->self, {0}},
	    /* one that gets too long */
	    {DHT_FROM_CLIENT, view_of(large, sizeof(large)), {0}, {0}},
	};
	struct dht_handshake h, got;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		h = (struct dht_handshake){
		    rows[i].mode, rows[i].noise, rows[i].peer, rows[i].relay};
		check(handshake(l, &client, &target, &h, &got) == NULL);
		check(handshake(l, &client, NULL, &h, &got) == NULL);
	}
	/* but a neighbour may reach a neighbour */
	h = (struct dht_handshake){DHT_FROM_SERVER, view_str("n"), inside, {0}};
	check(handshake(l, &inside, &target, &h, &got) != NULL);
	lone_free(l);
}

static void
test_holepunch(void **state)
{
	struct lone *l = lone_new(RPC_SERVER);
	const struct addr client = lone_addr(80, 2, 5000);
	const struct addr server = lone_addr(80, 3, 6000);
	const struct addr moved = lone_addr(80, 3, 6001);
	struct dht_holepunch h = {.mode = DHT_FROM_CLIENT, .id = 7}, got;
	const struct lone_packet *p;
	struct b32 target = announced(l, &server, 1), unknown = {{9}};

	(void)state;
	h.payload = view_str("payload");
	p = holepunch(l, &client, &target, &h, &got);
	check(p != NULL && addr_eq(&p->to, &server) && !l->m.reply);
	check(got.mode == DHT_FROM_RELAY && got.id == 7);
	check(addr_eq(&got.peer, &client));
	check_same(got.payload, h.payload);
	check(holepunch(l, &client, &unknown, &h, &got) == NULL);
	/* the address that the client knows comes first */
	h.peer = moved;
	p = holepunch(l, &client, &unknown, &h, &got);
	check(p != NULL && addr_eq(&p->to, &moved));
	/* no server of ours */
	h.mode = DHT_FROM_RELAY;
	check(holepunch(l, &client, &target, &h, &got) == NULL);
	h.mode = DHT_FROM_SERVER;
	h.peer = client;
	p = holepunch(l, &server, &target, &h, &got);
	check(p != NULL && addr_eq(&p->to, &client) && l->m.reply);
	check(got.mode == DHT_REPLY && addr_eq(&got.peer, &server));
	h.mode = DHT_REPLY;
	check(holepunch(l, &server, &target, &h, &got) == NULL);
	h.mode = DHT_FROM_SECOND_RELAY;
	check(holepunch(l, &server, &target, &h, &got) == NULL);
	lone_free(l);
}

/* -- servers of the node --------------------------------------------------- */

struct own {
	struct node_user u;
	struct dht *d;
	unsigned handshakes, holepunches, punches, turns, freed;
	bool ends; /* with what comes next */
	struct addr peer;
};

static void
own_end(struct own *o)
{
	if (o->ends)
		node_retire(o->d, &o->u);
}

static void
own_handshake(struct node_user *u, const struct dht_handshake *h,
    const struct rpc_incoming *in)
{
	struct own *o = (struct own *)(void *)u;

	check(in->m.command == DHT_PEER_HANDSHAKE && h->noise.len > 0);
	o->handshakes++;
	own_end(o);
}

static void
own_holepunch(struct node_user *u, const struct dht_holepunch *h,
    const struct rpc_incoming *in)
{
	struct own *o = (struct own *)(void *)u;

	check(in->m.command == DHT_PEER_HOLEPUNCH);
	o->peer = h->peer;
	o->holepunches++;
	own_end(o);
}

static bool
own_punched(struct node_user *u, uint32_t sock, struct view v,
    const struct addr *from, uint64_t now)
{
	struct own *o = (struct own *)(void *)u;

	check(sock == 5 && v.len == 1 && from->family == 4 && now != 0);
	o->punches++;
	own_end(o);
	return true;
}

static uint64_t
own_turn(struct node_user *u, uint64_t now)
{
	struct own *o = (struct own *)(void *)u;

	o->turns++;
	own_end(o);
	return now + 77;
}

static void
own_free(struct node_user *u)
{
	((struct own *)(void *)u)->freed++;
}

static const struct node_user_ops own_ops = {.handshake = own_handshake,
    .holepunch = own_holepunch,
    .punched = own_punched,
    .turn = own_turn,
    .free = own_free};

static void
test_own(void **state)
{
	struct lone *l = lone_new(RPC_SERVER);
	const struct addr client = lone_addr(80, 2, 5000);
	struct dht_handshake h = {.noise = view_str("n"), .peer = client}, got;
	struct dht_holepunch p = {.peer = client}, pgot;
	struct own a = {.u = {.ops = &own_ops, .serves = true}, .d = l->d};
	struct own b = {.u = {.ops = &own_ops}, .d = l->d};
	struct dht_peer_record r;
	struct b32 target;

	(void)state;
	a.u.key.b[5] = 1;
	hash_data(&target, view_b32(&a.u.key));
	node_add(l->d, &a.u);
	node_add(l->d, &b.u); /* serves nobody */
	check(node_server(l->d, &target) == &a.u);
	for (h.mode = 0; h.mode < 7; h.mode++)
		check(handshake(l, &client, &target, &h, &got) == NULL);
	check(a.handshakes == 3 && b.handshakes == 0);
	p.mode = DHT_FROM_RELAY;
	check(holepunch(l, &client, &target, &p, &pgot) == NULL);
	check(a.holepunches == 1 && addr_eq(&a.peer, &client));
	/* who asks this node for its own server has found it */
	check(lone_ask(l, DHT_FIND_PEER, &target, NULL, VIEW_EMPTY));
	check(dht_peer_record_decode(&r, l->m.value));
	check(b32_eq(&r.key, &a.u.key) && r.relays.len == 0);
	/* a punch is somebody's */
	dht_recv(l->d, 5, view_str("\1"), &client, l->now);
	check(b.punches == 1 && a.punches == 0);
	check(dht_turn(l->d, l->now) <= l->now + 77);
	check(a.turns == 1 && b.turns == 1);
	/* ends inside its own call; freed at the end of the turn, once */
	b.ends = true;
	dht_recv(l->d, 5, view_str("\1"), &client, l->now);
	check(b.punches == 2 && b.freed == 0);
	dht_recv(l->d, 5, view_str("\1"), &client, l->now);
	check(b.punches == 2 && a.punches == 1);
	(void)dht_turn(l->d, l->now);
	check(b.freed == 1 && b.turns == 1 && a.turns == 2);
	a.ends = true;
	(void)dht_turn(l->d, l->now);
	check(a.turns == 3 && a.freed == 1);
	check(node_server(l->d, &target) == NULL);
	b.ends = false;
	node_add(l->d, &b.u);
	lone_free(l);
	check(a.freed == 1 && b.freed == 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_handshakes),
	    cmocka_unit_test(test_stopped),
	    cmocka_unit_test(test_holepunch),
	    cmocka_unit_test(test_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
