/* Addresses that others tell: nobody from elsewhere makes a node send into
 * its own network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "ends.h"
#include "net/dht/connect_impl.h"
#include "net/dht/server_impl.h"

/* An address of the client's network, as far as it knows. */
static struct addr
inside(unsigned n)
{
	struct addr a = vnet_addr(192, n, 7);

	a.ip[1] = 168;
	return a;
}

/* What a relay answers to a handshake, or, without noise, to a round. */
static void
lie_about(struct view said, struct buf *out)
{
	struct dht_handshake h;
	struct dht_holepunch r;

	if (dht_handshake_decode(&h, said) && h.mode == DHT_REPLY &&
	    h.noise.len > 0 && h.peer.family != 0) {
		h.peer = inside(1);
		dht_handshake_encode(out, &h);
	} else if (dht_holepunch_decode(&r, said) && r.mode == DHT_REPLY &&
		   r.id == 0 && r.peer.family != 0) {
		r.peer = inside(1);
		dht_holepunch_encode(out, &r);
	}
}

/* A reply that is passed on to the client names that address for the
 * server's. */
static void
lie(struct vpacket *p)
{
	struct rpc_message m;
	struct buf value, all;

	if (!rpc_decode(&m, view_of(p->data, p->len)) || !m.reply)
		return;
	buf_init(&value, RPC_PACKET_MAX);
	buf_init(&all, RPC_PACKET_MAX);
	lie_about(m.value, &value);
	if (value.len > 0) {
		m.value = buf_view(&value);
		rpc_encode(&all, &m);
		check(all.failed == ERR_OK && all.len == p->len);
		memcpy(p->data, all.data, all.len);
	}
	buf_deinit(&value);
	buf_deinit(&all);
}

/* How much the client sends inside until its connect is over. */
static size_t
sent_inside(struct pair *p, bool lies)
{
	size_t n = 0;

	for (int i = 0; i < 20000 && !p->client.failed && !pair_connected(p);
	     i++) {
		vnet_run(&p->net, SECOND / 1000);
		for (size_t k = 0; k < p->net.npackets; k++) {
			struct vpacket *x = p->net.packet[k];

			n += x->to.ip[0] == 192 && x->from.ip[0] == 90 &&
			     x->from.ip[3] == p->client.host->nat->ip;
			if (lies)
				lie(x);
		}
	}
	return n;
}

/* A server that names relays there, to hole punch and for the next time. */
static void
test_relays(void **state)
{
	struct pair *p = pair_new(VNAT_CONE, VNAT_CONE, 1);
	struct announcer_set *relays = &p->server.s->announcer.now;
	struct addr kept[DHT_RELAYS_MAX];
	size_t n;

	(void)state;
	check(relays->n == DHT_RELAYS_MAX);
	for (unsigned i = 0; i < DHT_RELAYS_MAX; i++)
		relays->at[i].relay = inside(i + 1);
	end_connect(&p->client, &p->server.pair.pub);
	check(sent_inside(p, false) == 0);
	n = commons_recall(
	    p->client.host->d->commons, &p->server.pair.pub, kept);
	check(n > 0);
	for (size_t i = 0; i < n; i++)
		check(!rpc_addr_reserved(&kept[i]));
	pair_free(p);
}

/* A relay that says that the server is there; which has other addresses, and
 * tells them itself. */
static void
test_server(void **state)
{
	static const enum vnat_kind kinds[][2] = {{VNAT_NONE, VNAT_CONE},
	    {VNAT_CONE, VNAT_CONE}, {VNAT_CONE, VNAT_SYMMETRIC}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct pair *p = pair_new(kinds[i][0], kinds[i][1], 2);

		end_connect(&p->client, &p->server.pair.pub);
		check(sent_inside(p, true) == 0);
		check(p->client.failed || pair_connected(p));
		check(kinds[i][1] == VNAT_SYMMETRIC || pair_connected(p));
		pair_free(p);
	}
}

struct seen {
	size_t n;
	struct dht_record last;
	bool done;
};

static void
on_found(void *ctx, const struct dht_record *r, uint64_t now)
{
	struct seen *s = ctx;

	(void)now;
	s->n++;
	s->last = *r;
}

static void
on_done(void *ctx, const struct rpc_node *closest, size_t n, size_t commits,
    uint64_t now)
{
	struct seen *s = ctx;

	(void)closest, (void)n, (void)commits, (void)now;
	s->done = true;
}

static void
look(struct pair *p, struct vhost *h, struct dht_search_opts *o, struct seen *s)
{
	struct dht_search *search;
	struct err e = ERR_INIT;

	memset(s, 0, sizeof(*s));
	o->found = on_found;
	o->done = on_done;
	o->ctx = s;
	check_ok(dht_lookup(&search, h->d, o, p->net.now, &e), &e);
	h->deadline = 0;
	for (int i = 0; i < 20 && !s->done; i++)
		vnet_run(&p->net, SECOND);
	check(s->done);
}

/* The record of a peer whose relays are there. */
static void
test_record(void **state)
{
	struct pair *p = pair_new(VNAT_CONE, VNAT_CONE, 3);
	struct addr relay[3] = {
	    inside(1), vnet_addr(80, 1, 9), vnet_addr(127, 1, 9)};
	struct dht_search_opts o = {.topic = {{7}},
	    .pair = &p->server.pair,
	    .relay = relay,
	    .nrelays = 3};
	struct seen s;

	(void)state;
	look(p, p->server.host, &o, &s);
	o = (struct dht_search_opts){.topic = {{7}}};
	look(p, p->client.host, &o, &s);
	check(s.n > 0 && s.last.nrelays == 1);
	check(addr_eq(&s.last.relay[0], &relay[1]));
	pair_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_relays),
	    cmocka_unit_test(test_server),
	    cmocka_unit_test(test_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
