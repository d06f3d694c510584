/* A server stays findable: its relays, what keeps the way to them open, and
 * that nothing is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "ends.h"
#include "net/dht/server_impl.h"

static struct vhost *
host_at(struct vnet *n, const struct addr *a)
{
	for (size_t i = 0; i < n->nhosts; i++)
		if (addr_same_host(&n->host[i].ip, a))
			return &n->host[i];
	check(false);
	return NULL;
}

/* How many nodes hold a record of the server. */
static size_t
holders(struct pair *p)
{
	struct dht_stored stored;
	size_t n = 0;

	for (size_t i = 0; i < NODES; i++) {
		if (p->net.host[i].d == NULL)
			continue;
		dht_stored(p->net.host[i].d, &stored);
		n += stored.servers;
	}
	return n;
}

static void
test_announced(void **state)
{
	struct pair *p = pair_new(VNAT_PORT_RESTRICTED, VNAT_NONE, 21);
	struct announcer *a = &p->server.s->announcer;
	struct addr out[DHT_RELAYS_MAX];

	(void)state;
	check(p->server.announced >= 1);
	check(a->now.n == DHT_RELAYS_MAX && holders(p) == DHT_RELAYS_MAX);
	check(dht_server_relays(p->server.s, out) == DHT_RELAYS_MAX);
	for (size_t i = 0; i < a->now.n; i++) {
		check(addr_eq(&out[i], &a->now.at[i].relay));
		check(announcer_is_relay(a, &out[i]));
		/* the relay sees the NAT */
		check(a->now.at[i].self.ip[0] == 90);
	}
	out[0].port++;
	check(!announcer_is_relay(a, &out[0]));
	pair_free(p);
}

/* Open: its own address is the best of them. */
static void
test_own_address(void **state)
{
	struct pair *p = pair_new(VNAT_NONE, VNAT_NONE, 22);
	struct addr out[DHT_RELAYS_MAX], self = p->server.host->ip;
	struct rpc_about about;

	(void)state;
	self.port = vhost_port(RPC_SOCK_SERVER);
	rpc_about(dht_rpc(p->server.host->d), &about);
	check(!about.firewalled);
	check(dht_server_relays(p->server.s, out) == DHT_RELAYS_MAX);
	check(addr_eq(&out[0], &self));
	check(!addr_eq(&out[1], &self));
	pair_free(p);
}

/* Each relay hears from it every three seconds: a NAT forgets no sooner than
 * after 30. And every five minutes it is announced anew. */
static void
test_alive(void **state)
{
	struct pair *p = pair_new(VNAT_PORT_RESTRICTED, VNAT_NONE, 23);
	struct announcer *a = &p->server.s->announcer;
	unsigned anew = 0, rounds = a->pings;

	(void)state;
	for (int i = 0; i < 700; i++) {
		vnet_run(&p->net, SECOND);
		check(a->state != ANNOUNCER_WAITING);
		check(announcer_is_relay(a, &a->now.at[0].relay));
		if (a->pings < rounds)
			anew++;
		rounds = a->pings;
	}
	check(anew == 2);
	check(p->server.announced >= 1);
	check(holders(p) <= DHT_RELAYS_MAX + 1);
	end_connect(&p->client, &p->server.pair.pub);
	run_until_over(p, 10);
	check(pair_connected(p));
	pair_free(p);
}

/* A relay dies: another one takes its place within seconds. */
static void
test_relay_dies(void **state)
{
	struct pair *p = pair_new(VNAT_PORT_RESTRICTED, VNAT_NONE, 24);
	struct announcer *a = &p->server.s->announcer;
	struct addr dead = a->now.at[1].relay;
	struct vhost *h = host_at(&p->net, &dead);
	unsigned announced = p->server.announced;

	(void)state;
	dht_free(h->d);
	h->d = NULL;
	vnet_run(&p->net, 20 * SECOND);
	check(p->server.announced == announced + 1);
	check(a->now.n == DHT_RELAYS_MAX);
	for (size_t i = 0; i < a->now.n; i++)
		check(!addr_eq(&a->now.at[i].relay, &dead));
	/* who passes something on late is still known */
	check(announcer_is_relay(a, &dead));
	check(holders(p) == DHT_RELAYS_MAX);
	pair_free(p);
}

/* The line is cut, for long: the old relays are kept, and questions become
 * rarer. Then it is back. */
static void
test_cut(void **state)
{
	struct pair *p = pair_new(VNAT_PORT_RESTRICTED, VNAT_NONE, 25);
	struct announcer *a = &p->server.s->announcer;
	size_t sent;

	(void)state;
	p->net.loss = 100;
	vnet_run(&p->net, 300 * SECOND);
	check(a->now.n == DHT_RELAYS_MAX && a->failures > 2);
	sent = p->net.sent;
	vnet_run(&p->net, 100 * SECOND);
	check(p->net.sent - sent < 20000);
	p->net.loss = 0;
	vnet_run(&p->net, 150 * SECOND);
	check(a->failures == 0 && a->state == ANNOUNCER_STEADY);
	end_connect(&p->client, &p->server.pair.pub);
	run_until_over(p, 30);
	check(pair_connected(p));
	pair_free(p);
}

static void
on_closed(void *ctx)
{
	++*(unsigned *)ctx;
}

static void
test_taken_back(void **state)
{
	struct pair *p = pair_new(VNAT_PORT_RESTRICTED, VNAT_NONE, 26);
	unsigned closed = 0;

	(void)state;
	check(holders(p) == DHT_RELAYS_MAX);
	dht_server_close(p->server.s, on_closed, &closed, p->net.now);
	p->server.s = NULL;
	p->server.host->deadline = 0;
	vnet_run(&p->net, 2 * SECOND);
	check(closed == 1 && holders(p) == 0);
	pair_free(p);
}

/* The same at every moment of an announcement, the first or a later one. */
static void
test_taken_back_early(void **state)
{
	(void)state;
	for (uint64_t us = 0; us < SECOND; us += 20000) {
		struct pair *p = pair_new(VNAT_PORT_RESTRICTED, VNAT_NONE, 28);
		bool later = us % 40000 == 0;
		unsigned closed = 0;

		if (later) {
			announcer_refresh(&p->server.s->announcer);
		} else {
			dht_server_close(p->server.s, NULL, NULL, p->net.now);
			vnet_run(&p->net, 5 * SECOND);
			check(holders(p) == 0);
			end_listen(&p->server);
		}
		p->server.host->deadline = 0;
		vnet_run(&p->net, us);
		dht_server_close(p->server.s, on_closed, &closed, p->net.now);
		p->server.s = NULL;
		p->server.host->deadline = 0;
		vnet_run(&p->net, 5 * SECOND);
		check(closed == 1 && holders(p) == 0);
		pair_free(p);
	}
}

/* Nobody answers: closing has an end nevertheless. */
static void
test_close_cut(void **state)
{
	struct pair *p = pair_new(VNAT_PORT_RESTRICTED, VNAT_NONE, 27);
	unsigned closed = 0;

	(void)state;
	p->net.loss = 100;
	dht_server_close(p->server.s, on_closed, &closed, p->net.now);
	p->server.s = NULL;
	p->server.host->deadline = 0;
	vnet_run(&p->net, 10 * SECOND);
	check(closed == 1);
	pair_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_announced),
	    cmocka_unit_test(test_own_address),
	    cmocka_unit_test(test_alive),
	    cmocka_unit_test(test_relay_dies),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_taken_back),
	    cmocka_unit_test(test_taken_back_early),
	    cmocka_unit_test(test_close_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
