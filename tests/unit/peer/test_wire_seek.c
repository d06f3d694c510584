/* Strangers who say hello under our key and nothing more: they take half of
 * the places at most, and who comes after them gets in. Two wires without
 * their threads: the test is both of them, in virtual time. */
#include <netinet/udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "net/dht/direct.h"
#include "net/io/impl.h"
#include "peer/wire_impl.h"
#include "support/vec.h"

#define PLACES 512u
#define STRANGERS 10000u
#define KEYS 32u
#define EVERY_US 4000u /* what a server takes from people it never met */

/* -- two wires ------------------------------------------------------------ */

struct party {
	struct wire *w;
	struct sign_pair pair;
	size_t opened, closed, failed;
	struct b32 remote; /* of the last one that opened */
};

static uint64_t now;
static struct sign_pair keys[KEYS]; /* of strangers */

static void
pair_of(struct sign_pair *out, size_t who)
{
	struct err e = ERR_INIT;
	struct b32 seed = {{(uint8_t)who}};

	check_ok(sign_pair_seed(out, &seed, &e), &e);
}

/* What is received in one piece was sent in one. */
static void
party_open(struct party *p, size_t who, struct wire_opts *o)
{
	struct err e = ERR_INIT;
	int off = 0;

	memset(p, 0, sizeof(*p));
	pair_of(&p->pair, who);
	o->pair = &p->pair;
	o->connections_max = PLACES;
	check_ok(wire_open(&p->w, o, &e), &e);
	io_stop(p->w->io);
#ifdef UDP_GRO
	for (size_t i = 0; i < WIRE_SOCK_FIXED; i++)
		if (p->w->fixed[i] != NULL)
			check(setsockopt(p->w->fixed[i]->io->fd, IPPROTO_UDP,
				  UDP_GRO, &off, sizeof(off)) == 0);
#endif
	(void)off;
}

static void
party_close(struct party *p)
{
	wire_close(p->w);
	sign_pair_free(&p->pair);
}

static void
party_hear(struct party *p)
{
	struct wire_event *ev;

	while ((ev = wire_next(p->w)) != NULL) {
		p->failed += ev->kind == WIRE_FAILED;
		if (ev->kind == WIRE_OPENED) {
			p->opened++;
			p->remote = wire_about(ev->conn)->key;
		} else if (ev->kind == WIRE_CLOSED) {
			check(ev->quiet);
			p->closed++;
			wire_release(p->w, ev->conn);
		}
		free(ev->data);
		free(ev);
	}
	wire_flush(p->w);
	p->w->io->handler.wake(p->w, now);
	(void)p->w->io->handler.turn(p->w, now);
}

static void
party_read(struct party *p, struct wire_sock *s)
{
	struct sockaddr_in in;
	struct addr from = {.family = 4};
	uint8_t d[2048];
	ssize_t n;

	for (;;) {
		socklen_t len = sizeof(in);

		n = recvfrom(s->io->fd, d, sizeof(d), MSG_DONTWAIT,
		    (struct sockaddr *)&in, &len);
		if (n < 0)
			return;
		from.port = ntohs(in.sin_port);
		memcpy(from.ip, &in.sin_addr, 4);
		p->w->io->handler.datagram(
		    p->w, s->io, view_of(d, (size_t)n), &from, now);
	}
}

static void
party_turn(struct party *p)
{
	for (size_t i = 0; i < WIRE_SOCK_FIXED; i++)
		if (p->w->fixed[i] != NULL)
			party_read(p, p->w->fixed[i]);
	party_hear(p);
}

/* -- strangers ------------------------------------------------------------ */

/* A first message that is in order; its sender does not exist, and its port
 * is one where nobody else listens. */
static void
stranger(struct party *s, size_t i, uint16_t port)
{
	struct dht_dial_opts o = {.pair = &keys[i % KEYS],
	    .remote = s->pair.pub,
	    .udx_id = (uint32_t)i + 1};
	const struct addr from = {.family = 4,
	    .port = port,
	    .ip = {127, 200, (uint8_t)(i >> 8), (uint8_t)i}};
	struct err e = ERR_INIT;
	struct dht_dial *d;
	struct view v;

	io_socket_addr(s->w->fixed[WIRE_SOCK_4]->io, &o.to);
	check_ok(dht_dial_new(&d, &o, now, &e), &e);
	check(dht_dial_poll(d, now, &v));
	s->w->io->handler.datagram(
	    s->w, s->w->fixed[WIRE_SOCK_4]->io, v, &from, now);
	dht_dial_free(d);
}

/* They who take a place now. */
static size_t
waiting(const struct wire *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->nconns; i++)
		n += w->conn[i]->state == CONN_OPENING;
	return n;
}

static void
flood(struct party *s, uint16_t port, size_t count)
{
	size_t most = 0, cap = 0, n;

	for (size_t i = 0; i < KEYS; i++)
		pair_of(&keys[i], 100 + i);
	for (size_t i = 0; i < count; i++) {
		now += EVERY_US;
		stranger(s, i, port);
		n = waiting(s->w);
		most = n > most ? n : most;
		check(n <= PLACES / 2 + 1);
		party_turn(s);
		check(s->w->nconns <= s->w->cap);
		if (i == count / 10)
			cap = s->w->cap;
	}
	/* they came in, one after the other, and nobody was told */
	check(most == PLACES / 2 + 1 && s->w->cap == cap);
	check(s->closed > count / 2 && s->opened == 0);
	for (size_t i = 0; i < KEYS; i++)
		sign_pair_free(&keys[i]);
}

/* With the DHT, or dialled directly and no more. */
enum how { BY_DHT, DIRECTLY };

static void
strangers(enum how how)
{
	const struct addr loopback = {.family = 4, .ip = {127, 0, 0, 1}};
	struct wire_opts dials = {.dial4 = true}, serves = {.listen = NULL};
	struct wire_discovery d = {.nbootstrap = 1};
	struct party s, c;
	struct addr nobody, at;
	struct err e = ERR_INIT;
	struct io_socket *deaf;
	uint64_t until;

	now = io_now();
	party_open(&c, 2, &dials);
	check_ok(io_socket_open(&deaf, c.w->io, &loopback, &e), &e);
	io_socket_addr(deaf, &nobody);
	d.bootstrap = &nobody;
	if (how == BY_DHT)
		serves.discovery = &d;
	else
		serves.listen = &loopback;
	party_open(&s, 1, &serves);
	if (how == BY_DHT)
		check_ok(wire_serve(s.w, &e), &e);
	party_turn(&s);
	flood(&s, nobody.port, how == BY_DHT ? STRANGERS : STRANGERS / 2);

	wire_addr(s.w, &at);
	check_ok(wire_dial(c.w, 1, &at, &s.pair.pub, &e), &e);
	until = now + 4 * SECOND;
	while (s.opened == 0 || c.opened == 0) {
		check(now < until && c.failed == 0);
		party_turn(&c);
		party_turn(&s);
		now += 10000;
	}
	check(b32_eq(&s.remote, &c.pair.pub) && b32_eq(&c.remote, &s.pair.pub));
	party_close(&s);
	party_close(&c);
}

static void
test_by_dht(void **state)
{
	(void)state;
	strangers(BY_DHT);
}

static void
test_directly(void **state)
{
	(void)state;
	strangers(DIRECTLY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_by_dht),
	    cmocka_unit_test(test_directly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
