/* A connect: who is found, who is not, and the ways that need no punching. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "ends.h"
#include "net/dht/connect_impl.h"

/* As if nothing had been, and no packet of it were left. */
static void
again(struct pair *p)
{
	vnet_run(&p->net, SECOND);
	if (p->server.shaken)
		dht_peer_free(&p->server.f.peer);
	if (p->client.shaken)
		dht_peer_free(&p->client.f.peer);
	if (p->server.took)
		vhost_close(p->server.host, p->server.taken);
	if (p->client.took)
		vhost_close(p->client.host, p->client.taken);
	p->server.took = p->client.took = false;
	p->server.shaken = p->server.answered = p->server.failed = false;
}

/* Both behind one NAT, which lets nothing back in from inside. */
static void
test_neighbour(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	struct vnat *nat;

	(void)state;
	check(p != NULL);
	vnet_init(&p->net, 3);
	vnet_nodes(&p->net, NODES);
	vnet_run(&p->net, 20 * SECOND);
	nat = vnet_nat(&p->net, VNAT_SYMMETRIC);
	end_init(&p->server, vnet_join(&p->net, nat), 1);
	end_init(&p->client, vnet_join(&p->net, nat), 2);
	end_listen(&p->server);
	vnet_run(&p->net, 30 * SECOND);
	end_connect(&p->client, &p->server.pair.pub);
	run_until_over(p, 10);
	check(pair_connected(p) && p->client.f.path == DHT_LAN);
	check(p->client.f.sock == RPC_SOCK_SERVER);
	check(p->client.f.peer.addr.ip[0] == 10);
	pair_free(p);
}

static void
test_nobody(void **state)
{
	struct pair *p = pair_new(VNAT_CONE, VNAT_CONE, 4);
	struct sign_pair nobody = duo_pair(9);

	(void)state;
	end_connect(&p->client, &nobody.pub);
	run_until_over(p, 20);
	check(p->client.failed && p->client.why == DHT_PEER_NOT_FOUND);
	sign_pair_free(&nobody);
	pair_free(p);
}

static void
test_blocked(void **state)
{
	struct pair *p = pair_new(VNAT_NONE, VNAT_BLOCKED, 5);

	(void)state;
	end_connect(&p->client, &p->server.pair.pub);
	run_until_over(p, 30);
	check(p->client.failed && p->client.why == DHT_PEER_NOT_FOUND);
	pair_free(p);
}

/* Its record is still there, and nobody behind it. */
static void
test_gone(void **state)
{
	struct pair *p = pair_new(VNAT_CONE, VNAT_CONE, 6);

	(void)state;
	dht_free(p->server.host->d);
	p->server.host->d = NULL;
	end_connect(&p->client, &p->server.pair.pub);
	run_until_over(p, 60);
	check(p->client.failed && p->client.why == DHT_PEER_SILENT);
	pair_free(p);
}

static void
test_refused(void **state)
{
	struct pair *p = pair_new(VNAT_CONE, VNAT_CONE, 7);

	(void)state;
	p->server.refuses = true;
	end_connect(&p->client, &p->server.pair.pub);
	run_until_over(p, 60);
	check(p->client.failed && p->client.why == DHT_PEER_SILENT);
	check(p->server.offers >= 1 && !p->server.shaken);
	pair_free(p);
}

/* The relays of last time are asked first, and the server's own address if it
 * is a node that everybody reaches. */
static void
test_remembered(void **state)
{
	struct pair *p = pair_new(VNAT_CONE, VNAT_CONE, 8);
	struct addr relay[DHT_RELAYS_MAX], theirs[DHT_RELAYS_MAX];
	size_t n;

	(void)state;
	end_connect(&p->client, &p->server.pair.pub);
	run_until_over(p, 10);
	check(pair_connected(p));
	n = commons_recall(
	    p->client.host->d->commons, &p->server.pair.pub, relay);
	check(n == DHT_RELAYS_MAX);
	check(dht_server_relays(p->server.s, theirs) == n);
	for (size_t i = 0; i < n; i++)
		check(addr_eq(&relay[i], &theirs[i]));
	again(p);
	end_connect(&p->client, &p->server.pair.pub);
	check(p->client.c->ngiven == n && p->client.c->next_given == 1);
	run_until_over(p, 10);
	check(pair_connected(p));
	/* ones that are of no use any more do no harm */
	for (size_t i = 0; i < n; i++)
		relay[i].port++;
	commons_remember(
	    p->client.host->d->commons, &p->server.pair.pub, relay, n);
	again(p);
	end_connect(&p->client, &p->server.pair.pub);
	run_until_over(p, 10);
	check(pair_connected(p));
	pair_free(p);
}

/* The server itself is asked, and there is nobody else. */
static void
test_direct(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	struct dht_connect_opts o = {
	    .nrelays = 1, .connected = on_connected, .failed = on_failed};
	struct err e = ERR_INIT;
	struct addr to;

	(void)state;
	check(p != NULL);
	vnet_init(&p->net, 9);
	vnet_nodes(&p->net, 1);
	end_init(&p->server, &p->net.host[0], 1);
	end_init(&p->client,
	    vnet_join(&p->net, vnet_nat(&p->net, VNAT_RESTRICTED)), 2);
	end_listen(&p->server);
	vnet_run(&p->net, 5 * SECOND);
	to = p->server.host->ip;
	to.port = vhost_port(RPC_SOCK_SERVER);
	o.pair = &p->client.pair;
	o.remote = p->server.pair.pub;
	o.udx_id = p->client.id;
	o.relay = &to;
	o.ctx = &p->client;
	check_ok(dht_connect_start(
		     &p->client.c, p->client.host->d, &o, p->net.now, &e),
	    &e);
	p->client.host->deadline = 0;
	run_until_over(p, 10);
	check(pair_connected(p) && p->client.f.path == DHT_DIRECT);
	check(addr_eq(&p->client.f.peer.addr, &to));
	check(p->server.f.path == DHT_DIRECT);
	pair_free(p);
}

/* We are open and the server is not: it comes to us. */
static void
test_passive(void **state)
{
	struct pair *p = pair_new(VNAT_PORT_RESTRICTED, VNAT_NONE, 10);
	struct rpc_about about;

	(void)state;
	rpc_about(dht_rpc(p->client.host->d), &about);
	check(!about.firewalled);
	end_connect(&p->client, &p->server.pair.pub);
	run_until_over(p, 10);
	check(pair_connected(p) && p->client.f.path == DHT_OPEN);
	check(p->client.f.peer.addr.ip[0] == 90);
	/* and if it does not, that has an end */
	again(p);
	p->server.mute = true;
	end_connect(&p->client, &p->server.pair.pub);
	vnet_run(&p->net, 9 * SECOND);
	check(p->server.shaken && !p->client.failed);
	vnet_run(&p->net, 4 * SECOND);
	check(p->client.failed && p->client.why == DHT_PUNCH_FAILED);
	pair_free(p);
}

static void
test_cancel(void **state)
{
	(void)state;
	for (uint64_t us = 0; us < 300000; us += 17000) {
		struct pair *p = pair_new(VNAT_CONE, VNAT_SYMMETRIC, 11);

		end_connect(&p->client, &p->server.pair.pub);
		vnet_run(&p->net, us);
		if (p->client.c != NULL) {
			dht_connect_cancel(p->client.c);
			p->client.c = NULL;
			p->client.host->deadline = 0;
			vnet_run(&p->net, 20 * SECOND);
			check(!p->client.failed && !p->client.shaken);
		}
		check(p->client.host->opened == p->client.took);
		pair_free(p);
	}
}

static void
test_texts(void **state)
{
	(void)state;
	for (int i = DHT_PEER_NOT_FOUND; i <= DHT_CONNECT_FAILED; i++)
		for (int k = DHT_PEER_NOT_FOUND; k < i; k++)
			check(strcmp(dht_failure_text((enum dht_failure)i),
				  dht_failure_text((enum dht_failure)k)) != 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_neighbour),
	    cmocka_unit_test(test_nobody),
	    cmocka_unit_test(test_blocked),
	    cmocka_unit_test(test_gone),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_remembered),
	    cmocka_unit_test(test_direct),
	    cmocka_unit_test(test_passive),
	    cmocka_unit_test(test_cancel),
	    cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
