/* A connect that proposes to meet at a relay: when both sides hear of it, and
 * when nobody does because there is a way without it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "ends.h"

static const struct dht_relaying proposal = {.key = {{5}}, .token = {{6}}};

struct met {
	struct end end; /* first: it is the ctx of the callbacks */
	unsigned times;
	bool cancel; /* when it is told */
	struct dht_relaying at;
	struct dht_peer peer;
};

static void
on_meet(
    void *ctx, const struct dht_relaying *r, struct dht_peer *p, uint64_t now)
{
	struct met *m = ctx;

	(void)now;
	check(!m->end.shaken && !m->end.failed);
	m->times++;
	m->at = *r;
	m->peer = *p;
	if (m->cancel)
		dht_connect_cancel(m->end.c);
}

/* The client of p, with a relay in mind or without one. */
static void
begin(struct pair *p, struct met *m, const struct dht_relaying *propose)
{
	const struct dht_connect_opts o = {.pair = &p->client.pair,
	    .remote = p->server.pair.pub,
	    .udx_id = p->client.id,
	    .local = true,
	    .propose = propose,
	    .meet = on_meet,
	    .connected = on_connected,
	    .failed = on_failed,
	    .ctx = m};
	struct err e = ERR_INIT;

	memset(m, 0, sizeof(*m));
	m->end = p->client;
	m->end.host->ctx = m;
	check_ok(
	    dht_connect_start(&m->end.c, m->end.host->d, &o, p->net.now, &e),
	    &e);
	m->end.host->deadline = 0;
}

static void
connect_by(struct pair *p, struct met *m, const struct dht_relaying *propose)
{
	begin(p, m, propose);
	for (int i = 0; i < 600 && !m->end.shaken && !m->end.failed; i++)
		vnet_run(&p->net, SECOND / 10);
	check(m->end.shaken || m->end.failed);
	p->client = m->end;
	p->client.host->ctx = &p->client;
}

/* Two symmetric NATs: no way through, but both know where to meet, with the
 * same keys. */
static void
test_met(void **state)
{
	struct pair *p = pair_new(VNAT_SYMMETRIC, VNAT_SYMMETRIC, 4);
	const struct dht_peer *server = &p->server.f.peer;
	struct met m;

	(void)state;
	connect_by(p, &m, &proposal);
	check(m.end.failed && m.end.why == DHT_CANNOT_PUNCH);
	check(m.times == 1 && m.at.initiator);
	check(b32_eq(&m.at.key, &proposal.key));
	check(b32_eq(&m.at.token, &proposal.token));
	check(p->server.shaken && p->server.f.has_relay);
	check(!p->server.f.relay.initiator);
	check(b32_eq(&p->server.f.relay.key, &proposal.key));
	check(b32_eq(&p->server.f.relay.token, &proposal.token));
	duo_same_keys(&m.peer, server);
	check(m.peer.udx_id == p->server.id && server->udx_id == p->client.id);
	dht_peer_free(&m.peer);
	pair_free(p);
}

static void
test_not_proposed(void **state)
{
	struct pair *p = pair_new(VNAT_SYMMETRIC, VNAT_SYMMETRIC, 5);
	struct met m;

	(void)state;
	connect_by(p, &m, NULL);
	check(m.end.failed && m.times == 0);
	check(p->server.shaken && !p->server.f.has_relay);
	pair_free(p);
}

/* The way that is found by punching is told after it. */
static void
test_punched_too(void **state)
{
	struct pair *p = pair_new(VNAT_PORT_RESTRICTED, VNAT_RESTRICTED, 6);
	struct met m;

	(void)state;
	connect_by(p, &m, &proposal);
	check(m.end.shaken && m.end.f.path == DHT_PUNCHED);
	check(m.times == 1);
	duo_same_keys(&m.peer, &p->server.f.peer);
	dht_peer_free(&m.peer);
	pair_free(p);
}

/* Whoever hears of it may give up the connect. */
static void
test_cancelled(void **state)
{
	struct pair *p = pair_new(VNAT_PORT_RESTRICTED, VNAT_RESTRICTED, 6);
	struct met m;

	(void)state;
	begin(p, &m, &proposal);
	m.cancel = true;
	vnet_run(&p->net, 20 * SECOND);
	check(m.times == 1 && !m.end.shaken && !m.end.failed);
	check(m.end.host->opened == 0);
	dht_peer_free(&m.peer);
	p->client.c = NULL;
	p->client.host->ctx = &p->client;
	pair_free(p);
}

static void
test_not_needed(void **state)
{
	static const enum vnat_kind kinds[][2] = {
	    {VNAT_NONE, VNAT_SYMMETRIC}, {VNAT_SYMMETRIC, VNAT_NONE}};
	struct met m;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct pair *p = pair_new(kinds[i][0], kinds[i][1], 7 + i);

		connect_by(p, &m, &proposal);
		check(m.end.shaken && m.times == 0);
		check(!p->server.f.has_relay);
		pair_free(p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_met),
	    cmocka_unit_test(test_not_proposed),
	    cmocka_unit_test(test_punched_too),
	    cmocka_unit_test(test_cancelled),
	    cmocka_unit_test(test_not_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
