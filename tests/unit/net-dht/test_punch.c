/* Servers and clients behind NATs of every kind, with relays between them:
 * each pair finds the way that theory allows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "ends.h"
#include "net/dht/commons.h"
#include "net/dht/punch.h"

#define SEEDS 3

#define ATTEMPTS 4

/* Punching at random ports is luck: one attempt in a thousand has none. A NAT
 * that lets all ports of a host in needs no guess. */
static bool
is_luck(enum vnat_kind s, enum vnat_kind c)
{
	return (s == VNAT_SYMMETRIC && c == VNAT_PORT_RESTRICTED) ||
	       (s == VNAT_PORT_RESTRICTED && c == VNAT_SYMMETRIC);
}

/* One NAT gives another port to each, the other one minds hosts only. */
static bool
is_at_once(enum vnat_kind s, enum vnat_kind c)
{
	return !is_luck(s, c) && (s == VNAT_SYMMETRIC) != (c == VNAT_SYMMETRIC);
}

static void
check_pair(struct pair *p, enum vnat_kind s, enum vnat_kind c, const char *what)
{
	enum dht_path path = p->client.f.path;

	if (s == VNAT_SYMMETRIC && c == VNAT_SYMMETRIC) {
		check(p->client.failed && !p->client.shaken);
		check(p->client.why == DHT_CANNOT_PUNCH);
		check(p->server.failed);
		return;
	}
	if (!pair_connected(p))
		fail_msg("%s: %s", what,
		    p->client.failed ? dht_failure_text(p->client.why)
				     : "nothing came");
	/* who is open and has not found out yet is punched through to */
	if (path != DHT_PUNCHED)
		check(path == DHT_OPEN && (s == VNAT_NONE || c == VNAT_NONE));
}

/* After the end no socket is left but those that the streams took. */
static void
check_sockets(struct pair *p)
{
	vnet_run(&p->net, 15 * SECOND);
	check(p->server.host->opened == p->server.took);
	check(p->client.host->opened == p->client.took);
}

/* How many attempts it took. */
static unsigned
attempts(struct pair *p, unsigned max)
{
	for (unsigned i = 1;; i++) {
		end_connect(&p->client, &p->server.pair.pub);
		run_until_over(p, 60);
		/* a server that gives up does so a little later */
		vnet_run(&p->net, SECOND);
		if (i == max || pair_connected(p))
			return i;
		vnet_run(&p->net, 30 * SECOND);
		check(p->client.failed && p->server.failed);
		dht_peer_free(&p->server.f.peer);
		p->server.shaken = p->server.failed = false;
	}
}

static void
one(enum vnat_kind s, enum vnat_kind c, uint64_t seed, unsigned loss)
{
	struct pair *p = pair_new(s, c, seed);
	uint64_t since = p->net.now;
	unsigned n;
	char what[64];

	(void)snprintf(what, sizeof(what), "server %d client %d seed %u",
	    (int)s, (int)c, (unsigned)seed);
	p->net.loss = loss;
	n = attempts(p, loss > 0 || is_luck(s, c) ? ATTEMPTS : 1);
	p->net.loss = 0;
	check_pair(p, s, c, what);
	/* once each, whatever relays it came through */
	check(p->server.offers == n);
	check(loss > 0 || is_luck(s, c) || p->net.now - since < 5 * SECOND);
	/* nobody had to guess, so that others still may */
	if (loss == 0 && is_at_once(s, c))
		check(p->server.host->d->commons->random_at == 0 &&
		      p->client.host->d->commons->random_at == 0);
	check_sockets(p);
	pair_free(p);
}

static void
test_matrix(void **state)
{
	(void)state;
	for (int s = VNAT_NONE; s <= VNAT_SYMMETRIC; s++)
		for (int c = VNAT_NONE; c <= VNAT_SYMMETRIC; c++)
			for (uint64_t seed = 1; seed <= SEEDS; seed++)
				one((enum vnat_kind)s, (enum vnat_kind)c,
				    seed * 100 + (uint64_t)(s * 10 + c), 0);
}

/* Each message of a round, and most of the bytes, may be lost. */
static void
test_loss(void **state)
{
	static const enum vnat_kind pairs[][2] = {
	    {VNAT_PORT_RESTRICTED, VNAT_PORT_RESTRICTED},
	    {VNAT_RESTRICTED, VNAT_SYMMETRIC},
	    {VNAT_SYMMETRIC, VNAT_PORT_RESTRICTED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		for (uint64_t seed = 1; seed <= SEEDS; seed++)
			one(pairs[i][0], pairs[i][1], seed, 10);
}

/* One punch at random ports at a time, and a rest after it. */
static void
test_random_turn(void **state)
{
	struct pair *p = pair_new(VNAT_SYMMETRIC, VNAT_PORT_RESTRICTED, 7);
	struct end other;

	(void)state;
	end_init(&other, p->client.host, 3);
	p->client.host->ctx = &p->client;
	end_connect(&p->client, &p->server.pair.pub);
	run_until_over(p, 60);
	check(pair_connected(p) || p->client.why == DHT_PUNCH_FAILED);
	/* the same NAT again, too soon */
	dht_peer_free(&p->server.f.peer);
	p->server.shaken = p->server.answered = false;
	end_connect(&other, &p->server.pair.pub);
	vnet_run(&p->net, 15 * SECOND);
	check(other.failed && other.why == DHT_PUNCH_FAILED);
	check(p->server.shaken && p->server.failed);
	check_sockets(p);
	end_deinit(&other);
	pair_free(p);
}

/* Nothing but the address that the other end was reached at makes us send to
 * addresses of a network that is ours alone. */
static void
test_told(void **state)
{
	struct addr far = duo_addr("80.0.0.9:1000");
	struct addr near = duo_addr("10.0.0.9:1000");
	struct punch_payload said = {.firewall = 77, .punching = true};
	struct punch *p = NULL;
	struct err e = ERR_INIT;
	struct vnet net;

	(void)state;
	vnet_init(&net, 1);
	vnet_nodes(&net, 1);
	check_ok(punch_new(&p, net.host[0].d, PUNCH_FIRST, DHT_FIREWALL_UNKNOWN,
		     net.now, &e),
	    &e);
	said.naddresses = 2;
	said.address[0] = near;
	said.address[1] = far;
	punch_update(p, &said, &far, true);
	check(p->nremotes == 1 && addr_eq(&p->remote[0].addr, &far));
	check(p->remote[0].proven && p->remote_punching);
	check(p->remote_firewall == DHT_FIREWALL_RANDOM);
	punch_update(p, &said, &near, false);
	check(p->nremotes == 2 && addr_eq(&p->remote[0].addr, &near));
	check(!p->remote[0].proven);
	check(p->remote[1].proven); /* it was, and that stays */
	punch_free(p, net.now);
	vnet_deinit(&net);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_matrix),
	    cmocka_unit_test(test_loss),
	    cmocka_unit_test(test_random_turn),
	    cmocka_unit_test(test_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
