/* A server: what strangers can make it do, and what not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "ends.h"
#include "net/dht/server_impl.h"

#define FLOOD 3000    /* first messages, */
#define FLOOD_US 1000 /* one each */

/* -- first messages of strangers ------------------------------------------- */

/* A first message to `server` by key pair `me`, as noise 1. */
static void
first_message(struct buf *out, const struct sign_pair *me,
    const struct b32 *server, const struct dht_payload *p)
{
	struct err e = ERR_INIT;
	struct noise *n;
	struct buf b;

	buf_init(&b, NOISE_PAYLOAD_MAX);
	dht_payload_encode(&b, p);
	check_ok(direct_noise(&n, me, server, &e), &e);
	check_ok(noise_send(n, buf_view(&b), out, &e), &e);
	noise_free(n);
	buf_deinit(&b);
}

/* As a request, from anywhere to the server's socket. */
static void
request(struct pair *p, enum dht_command c, const struct buf *value,
    const struct addr *from)
{
	struct rpc_message m = {.tid = 7,
	    .command = (uint64_t)c,
	    .has_target = true,
	    .to = p->server.host->ip,
	    .value = buf_view(value)};
	struct buf packet;

	buf_init(&packet, RPC_PACKET_MAX);
	direct_target(&m.target, &p->server.pair.pub);
	rpc_encode(&packet, &m);
	dht_recv(p->server.host->d, RPC_SOCK_SERVER, buf_view(&packet), from,
	    p->net.now);
	p->server.host->deadline = 0;
	buf_deinit(&packet);
}

static void
inject(struct pair *p, const struct dht_handshake *h, const struct addr *from)
{
	struct buf value;

	buf_init(&value, RPC_PACKET_MAX);
	dht_handshake_encode(&value, h);
	request(p, DHT_PEER_HANDSHAKE, &value, from);
	buf_deinit(&value);
}

/* A first round by each client that has not talked yet: they have the
 * answers to their handshakes, so they know the secrets. */
static void
talk(struct pair *p, const struct addr *from)
{
	const struct punch_payload said = {.round = 0};

	for (size_t i = 0; i < DHT_HANDSHAKES_MAX; i++) {
		struct session *x = &p->server.s->session[i];
		struct dht_holepunch h = {
		    .mode = DHT_FROM_RELAY, .id = i, .peer = *from};
		struct buf box, value;

		if (x->state != SESSION_FLYING || x->talked)
			continue;
		buf_init(&box, PUNCH_BOX_MAX);
		buf_init(&value, RPC_PACKET_MAX);
		punch_payload_seal(&box, &said, &x->secret);
		h.payload = buf_view(&box);
		dht_holepunch_encode(&value, &h);
		request(p, DHT_PEER_HOLEPUNCH, &value, from);
		buf_deinit(&box);
		buf_deinit(&value);
	}
}

static const struct dht_payload HELLO = {
    .version = DHT_VERSION, .has_udx = true, .udx.id = 5};

/* A server whose streams nobody asks about. */
struct crowd {
	struct end *x;
	uint32_t ids;
	size_t offers, connected, failed;
	unsigned refuse;
};

static uint32_t
crowd_offer(
    void *ctx, const struct b32 *remote, const struct addr *from, uint64_t now)
{
	struct crowd *c = ctx;

	(void)remote, (void)from, (void)now;
	c->offers++;
	return c->refuse ? 0 : ++c->ids;
}

static void
crowd_connected(
    void *ctx, uint32_t udx_id, struct dht_peer_found *f, uint64_t now)
{
	struct crowd *c = ctx;

	(void)udx_id, (void)now;
	c->connected++;
	/* the last one is kept */
	if (c->x->shaken)
		dht_peer_free(&c->x->f.peer);
	c->x->f = *f;
	c->x->shaken = true;
	c->x->id = udx_id;
}

static void
crowd_failed(void *ctx, uint32_t udx_id, const char *why)
{
	(void)udx_id, (void)why;
	((struct crowd *)ctx)->failed++;
}

/* Instead of the pair's own. */
static void
crowd_listen(struct pair *p, struct crowd *c)
{
	struct dht_server_opts o = {.pair = &p->server.pair,
	    .offer = crowd_offer,
	    .connected = crowd_connected,
	    .failed = crowd_failed,
	    .ctx = c};
	struct err e = ERR_INIT;

	memset(c, 0, sizeof(*c));
	c->x = &p->server;
	dht_server_close(p->server.s, NULL, NULL, p->net.now);
	vnet_run(&p->net, 10 * SECOND);
	check_ok(dht_listen_start(
		     &p->server.s, p->server.host->d, &o, p->net.now, &e),
	    &e);
	p->server.host->deadline = 0;
	vnet_run(&p->net, 10 * SECOND);
}

static bool
connects_within(struct pair *p, uint64_t seconds)
{
	end_connect(&p->client, &p->server.pair.pub);
	run_until_over(p, seconds);
	return pair_connected(p);
}

/* -- floods ---------------------------------------------------------------- */

enum flood { FLOOD_HOST, FLOOD_HOSTS, FLOOD_RELAY };

/* Thousands of first messages, each of another key: of one host, of as many
 * as there are messages, or of those through one relay. Memory is a table in
 * the server; sockets and streams have their bounds, and a peer still comes in
 * within two seconds. */
static void
flood(enum vnat_kind nat, enum flood how)
{
	struct pair *p = pair_new(nat, VNAT_PORT_RESTRICTED, 11);
	struct addr from = duo_addr("80.1.0.1:4000");
	struct dht_handshake h = {.mode = DHT_FROM_CLIENT};
	struct crowd crowd;
	size_t most = 0, before;
	struct buf noise;

	crowd_listen(p, &crowd);
	buf_init(&noise, NOISE_MESSAGE_MAX);
	for (unsigned i = 0; i < FLOOD; i++) {
		struct sign_pair me = duo_pair((uint8_t)i);

		if (how != FLOOD_HOST) {
			from = vnet_addr(81, i % 250, 1000 + i);
			from.ip[2] = (uint8_t)(i / 250);
		}
		if (how == FLOOD_RELAY) {
			h.mode = DHT_FROM_RELAY;
			h.peer = from;
			from = p->server.s->announcer.now.at[0].relay;
		}
		buf_reset(&noise);
		first_message(&noise, &me, &p->server.pair.pub, &HELLO);
		h.noise = buf_view(&noise);
		inject(p, &h, &from);
		sign_pair_free(&me);
		vnet_run(&p->net, FLOOD_US);
		check(p->server.host->opened <= SERVER_PUNCHES);
		if (crowd.connected - crowd.failed > most)
			most = crowd.connected - crowd.failed;
		if (i == FLOOD / 2) {
			before = crowd.offers;
			check(before < FLOOD);
			end_connect(&p->client, &p->server.pair.pub);
		}
		if (i > FLOOD / 2 && p->client.shaken)
			break;
	}
	check(p->client.shaken);
	if (how == FLOOD_HOST)
		check(crowd.offers <= DHT_SOURCE_BURST + FLOOD / 1000 * 8 + 2);
	check(p->server.s->flying <= DHT_HANDSHAKES_MAX);
	/* nor do they come and go as fast as it likes */
	check(p->server.host->opens <= SERVER_PUNCHES * (2 + FLOOD / 2000) + 1);
	buf_deinit(&noise);
	vnet_run(&p->net, 60 * SECOND);
	check(p->server.s->flying == 0 && p->server.s->punches == 0);
	check(p->server.host->opened == 0);
	pair_free(p);
}

static void
test_flood_one(void **state)
{
	(void)state;
	flood(VNAT_NONE, FLOOD_HOST);
}

static void
test_flood_many(void **state)
{
	(void)state;
	flood(VNAT_CONE, FLOOD_HOSTS);
}

static void
test_flood_relayed(void **state)
{
	(void)state;
	flood(VNAT_PORT_RESTRICTED, FLOOD_RELAY);
}

/* Two hosts that finish their handshakes, begin to punch, and do no more:
 * they have all sockets, until somebody else comes. */
static void
test_crowd(void **state)
{
	struct pair *p =
	    pair_new(VNAT_PORT_RESTRICTED, VNAT_PORT_RESTRICTED, 11);
	struct dht_handshake h = {.mode = DHT_FROM_RELAY};
	struct crowd crowd;
	struct buf noise;

	(void)state;
	crowd_listen(p, &crowd);
	buf_init(&noise, NOISE_MESSAGE_MAX);
	for (unsigned i = 0; i < 80; i++) {
		struct sign_pair me = duo_pair((uint8_t)i);
		struct addr from = vnet_addr(81, 1 + i % 2, 4000);

		buf_reset(&noise);
		first_message(&noise, &me, &p->server.pair.pub, &HELLO);
		h.noise = buf_view(&noise);
		h.peer = from;
		inject(p, &h, &from);
		talk(p, &from);
		sign_pair_free(&me);
		vnet_run(&p->net, SECOND / 100);
	}
	vnet_run(&p->net, SERVER_PUNCH_PATIENCE_US);
	check(p->server.s->punches == SERVER_PUNCHES);
	end_connect(&p->client, &p->server.pair.pub);
	vnet_run(&p->net, 5 * SECOND);
	check(p->client.shaken && p->client.f.path == DHT_PUNCHED);
	buf_deinit(&noise);
	vnet_run(&p->net, 60 * SECOND);
	check(p->server.s->flying == 0 && p->server.s->punches == 0);
	pair_free(p);
}

/* -- single messages ------------------------------------------------------- */

static void
test_same_again(void **state)
{
	struct pair *p = pair_new(VNAT_NONE, VNAT_NONE, 12);
	struct addr from = duo_addr("80.1.0.1:4000");
	struct dht_handshake h = {.mode = DHT_FROM_CLIENT};
	struct sign_pair me = duo_pair(40);
	struct crowd crowd;
	struct buf noise;
	size_t sent;

	(void)state;
	crowd_listen(p, &crowd);
	buf_init(&noise, NOISE_MESSAGE_MAX);
	first_message(&noise, &me, &p->server.pair.pub, &HELLO);
	h.noise = buf_view(&noise);
	for (int i = 0; i < 5; i++) {
		sent = p->net.sent;
		inject(p, &h, &from);
		check(p->net.sent == sent + 1); /* answered each time */
		check(crowd.offers == 1 && crowd.connected == 1);
	}
	/* open: the table may forget it, but not at once */
	dht_server_settled(p->server.s, p->server.id);
	check(p->server.s->flying == 0);
	inject(p, &h, &from);
	check(crowd.offers == 1);
	vnet_run(&p->net, 11 * SECOND);
	inject(p, &h, &from);
	check(crowd.offers == 2);
	check(crowd.failed == 0); /* those had an address: not ours to judge */
	buf_deinit(&noise);
	sign_pair_free(&me);
	pair_free(p);
}

static void
test_refused(void **state)
{
	struct pair *p = pair_new(VNAT_NONE, VNAT_NONE, 13);
	struct addr from = duo_addr("80.1.0.1:4000");
	struct dht_handshake h = {.mode = DHT_FROM_CLIENT};
	struct sign_pair me = duo_pair(40);
	struct crowd crowd;
	struct buf noise;
	size_t sent;

	(void)state;
	crowd_listen(p, &crowd);
	crowd.refuse = 1;
	buf_init(&noise, NOISE_MESSAGE_MAX);
	first_message(&noise, &me, &p->server.pair.pub, &HELLO);
	h.noise = buf_view(&noise);
	sent = p->net.sent;
	for (int i = 0; i < 5; i++)
		inject(p, &h, &from);
	check(crowd.offers == 1 && crowd.connected == 0);
	check(p->net.sent == sent);
	buf_deinit(&noise);
	sign_pair_free(&me);
	pair_free(p);
}

/* What is wrong with a first message, or with the way it came. */
static void
test_rejected(void **state)
{
	static const struct {
		const char *what;
		const char *from, *peer, *relay;
		enum dht_mode mode;
		unsigned version;
		bool no_udx, broken;
		size_t answers, offers;
	} rows[] = {
	    {"fine", "80.1.0.1:4000", NULL, NULL, DHT_FROM_CLIENT, 1, false,
		false, 1, 1},
	    {"fine, relayed", "80.1.0.1:4000", "80.1.0.2:1", NULL,
		DHT_FROM_RELAY, 1, false, false, 1, 1},
	    {"another version", "80.1.0.1:4000", NULL, NULL, DHT_FROM_CLIENT, 2,
		false, false, 1, 0},
	    {"no stream", "80.1.0.1:4000", NULL, NULL, DHT_FROM_CLIENT, 1, true,
		false, 1, 0},
	    {"broken", "80.1.0.1:4000", NULL, NULL, DHT_FROM_CLIENT, 1, false,
		true, 0, 0},
	    {"a client that names another", "80.1.0.1:4000", "80.1.0.2:1", NULL,
		DHT_FROM_CLIENT, 1, false, false, 0, 0},
	    {"a relay that names nobody", "80.1.0.1:4000", NULL, NULL,
		DHT_FROM_RELAY, 1, false, false, 0, 0},
	    {"port 0", "80.1.0.1:4000", "80.1.0.2:0", NULL, DHT_FROM_RELAY, 1,
		false, false, 0, 0},
	    {"into our own network", "80.1.0.1:4000", "10.0.0.2:1", NULL,
		DHT_FROM_RELAY, 1, false, false, 0, 0},
	    {"a second relay that is none of ours", "80.1.0.1:4000",
		"80.1.0.2:1", "80.1.0.3:1", DHT_FROM_SECOND_RELAY, 1, false,
		false, 0, 0},
	    {"no request", "80.1.0.1:4000", "80.1.0.2:1", NULL, DHT_REPLY, 1,
		false, false, 0, 0},
	};
	struct pair *p = pair_new(VNAT_NONE, VNAT_NONE, 14);
	struct crowd crowd;
	struct buf noise;

	(void)state;
	crowd_listen(p, &crowd);
	buf_init(&noise, NOISE_MESSAGE_MAX);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sign_pair me = duo_pair((uint8_t)(50 + i));
		struct dht_handshake h = {.mode = rows[i].mode};
		struct addr from = duo_addr(rows[i].from);
		struct dht_payload hello = HELLO;
		size_t sent = p->net.sent, offers = crowd.offers;

		hello.has_udx = !rows[i].no_udx;
		buf_reset(&noise);
		first_message(&noise, &me, &p->server.pair.pub, &hello);
		if (rows[i].broken)
			noise.data[noise.len - 1] ^= 1;
		if (rows[i].version != DHT_VERSION) {
			/* another version is all that can be read of it */
			struct err e = ERR_INIT;
			const uint8_t version = 2;
			struct noise *n;

			buf_reset(&noise);
			check_ok(
			    direct_noise(&n, &me, &p->server.pair.pub, &e), &e);
			check_ok(
			    noise_send(n, view_of(&version, 1), &noise, &e),
			    &e);
			noise_free(n);
		}
		h.noise = buf_view(&noise);
		if (rows[i].peer != NULL)
			h.peer = duo_addr(rows[i].peer);
		if (rows[i].relay != NULL)
			h.relay = duo_addr(rows[i].relay);
		inject(p, &h, &from);
		if (p->net.sent - sent != rows[i].answers ||
		    crowd.offers - offers != rows[i].offers)
			fail_msg("%s: %zu answers, %zu offers", rows[i].what,
			    p->net.sent - sent, crowd.offers - offers);
		sign_pair_free(&me);
	}
	buf_deinit(&noise);
	pair_free(p);
}

/* An answer is no larger than its question, if nobody proved who asks. */
static void
test_answer_size(void **state)
{
	struct pair *p = pair_new(VNAT_NONE, VNAT_NONE, 15);
	struct addr from = duo_addr("80.1.0.1:4000");
	struct dht_handshake h = {.mode = DHT_FROM_CLIENT};
	struct sign_pair me = duo_pair(40);
	struct crowd crowd;
	struct buf noise;
	size_t bytes;

	(void)state;
	crowd_listen(p, &crowd);
	buf_init(&noise, NOISE_MESSAGE_MAX);
	first_message(&noise, &me, &p->server.pair.pub, &HELLO);
	h.noise = buf_view(&noise);
	bytes = p->net.bytes;
	inject(p, &h, &from);
	check(p->net.bytes > bytes);
	/* 3 | flags | tid | to | command | target | value: 43 and the noise */
	check(p->net.bytes - bytes <= 43 + noise.len);
	buf_deinit(&noise);
	sign_pair_free(&me);
	pair_free(p);
}

/* -- life ------------------------------------------------------------------ */

static void
on_closed(void *ctx)
{
	*(bool *)ctx = true;
}

static void
test_close(void **state)
{
	struct pair *p = pair_new(VNAT_CONE, VNAT_CONE, 16);
	struct dht_server_opts o = {.pair = &p->server.pair};
	struct dht_server *second;
	struct err e = ERR_INIT;
	bool closed = false;

	(void)state;
	check_code(
	    dht_listen_start(&second, p->server.host->d, &o, p->net.now, &e),
	    ERR_EXISTS);
	dht_server_close(p->server.s, on_closed, &closed, p->net.now);
	p->server.s = NULL;
	p->server.host->deadline = 0;
	vnet_run(&p->net, 5 * SECOND);
	check(closed);
	check(!connects_within(p, 10));
	check(p->client.failed && p->client.why == DHT_PEER_NOT_FOUND);
	/* the key may be listened under again */
	end_listen(&p->server);
	vnet_run(&p->net, 5 * SECOND);
	check(connects_within(p, 10));
	pair_free(p);
}

/* Freed in the middle of everything. */
static void
test_freed(void **state)
{
	(void)state;
	for (uint64_t us = 0; us < 400000; us += 23000) {
		struct pair *p =
		    pair_new(VNAT_SYMMETRIC, VNAT_PORT_RESTRICTED, 17);

		end_connect(&p->client, &p->server.pair.pub);
		vnet_run(&p->net, us);
		pair_free(p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_flood_one),
	    cmocka_unit_test(test_flood_many),
	    cmocka_unit_test(test_flood_relayed),
	    cmocka_unit_test(test_crowd),
	    cmocka_unit_test(test_same_again),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_rejected),
	    cmocka_unit_test(test_answer_size),
	    cmocka_unit_test(test_close),
	    cmocka_unit_test(test_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
