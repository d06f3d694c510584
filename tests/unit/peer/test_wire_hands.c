/* A server that is dialled directly and says the wrong thing at the wrong
 * time: it learns the stream's id from the first message, and resets the
 * stream before it answers. */
#include "../core/fix.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/dht/direct.h"
#include "net/udx/udx_packet.h"
#include "peer/node.h"
#include "peer/wire.h"

#define PATIENCE 20000000u

struct server {
	int fd;
	struct sign_pair pair;
	struct dht_listen *listen;
	struct addr at;
	struct sockaddr_in from; /* of the last datagram */
};

static void
server_open(struct server *s)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);
	struct dht_listen_opts o = {.pair = &s->pair};
	struct err e = ERR_INIT;
	struct b32 seed;

	memset(&seed, 5, sizeof(seed));
	memset(s, 0, sizeof(*s));
	check_ok(sign_pair_seed(&s->pair, &seed, &e), &e);
	check_ok(dht_listen_new(&s->listen, &o, &e), &e);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->fd = socket(AF_INET, SOCK_DGRAM, 0);
	check(s->fd >= 0 && bind(s->fd, (struct sockaddr *)&in, len) == 0);
	check(getsockname(s->fd, (struct sockaddr *)&in, &len) == 0);
	s->at = (struct addr){
	    .family = 4, .port = ntohs(in.sin_port), .ip = {127, 0, 0, 1}};
}

static void
server_close(struct server *s)
{
	dht_listen_free(s->listen);
	sign_pair_free(&s->pair);
	(void)close(s->fd);
}

static void
server_send(struct server *s, struct view v)
{
	(void)sendto(s->fd, v.ptr, v.len, 0, (struct sockaddr *)&s->from,
	    sizeof(s->from));
}

/* The next handshake. False: none now. */
static bool
server_hears(struct server *s)
{
	socklen_t len = sizeof(s->from);
	struct addr from = {.family = 4, .ip = {127, 0, 0, 1}};
	uint8_t d[2048];
	ssize_t n = recvfrom(s->fd, d, sizeof(d), MSG_DONTWAIT,
	    (struct sockaddr *)&s->from, &len);

	if (n <= 0)
		return false;
	from.port = ntohs(s->from.sin_port);
	return dht_listen_recv(s->listen, view_of(d, (size_t)n), &from,
		   peer_now()) == DHT_OFFER;
}

static void
server_says(struct server *s, uint8_t type)
{
	struct udx_packet p = {.type = type,
	    .remote_id = dht_listen_offer(s->listen)->udx_id,
	    .window = 1 << 20};
	uint8_t head[UDX_HEADER];

	udx_packet_header(head, &p);
	server_send(s, view_of(head, sizeof(head)));
}

static void
server_answers(struct server *s)
{
	struct dht_peer peer;
	struct err e = ERR_INIT;

	check_ok(dht_listen_accept(s->listen, 77, &peer, &e), &e);
	server_send(s, dht_listen_packet(s->listen));
	dht_peer_free(&peer);
}

/* The dial ends with a reason, once, and what comes after it is nobody's. */
static void
reset_before_answer(void **state)
{
	static const uint8_t types[] = {UDX_DESTROY, UDX_DATA | UDX_DESTROY};
	struct wire_opts o = {.dial4 = true, .connections_max = 4};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t row = 0; row < sizeof(types); row++) {
		uint64_t until = peer_now() + PATIENCE;
		struct server s;
		struct wire_event *ev;
		struct wire *w;
		size_t closed = 0, failed = 0;

		server_open(&s);
		o.pair = &s.pair; /* who dials does not matter */
		check_ok(wire_open(&w, &o, &e), &e);
		check_ok(wire_dial(w, 1, &s.at, &s.pair.pub, &e), &e);
		wire_flush(w);
		while (!server_hears(&s))
			check(peer_now() < until);
		server_says(&s, types[row]);
		while (closed + failed == 0) {
			check(peer_now() < until);
			wire_wait(w, peer_now() + 10000);
			while ((ev = wire_next(w)) != NULL) {
				check(ev->kind != WIRE_OPENED);
				failed += ev->kind == WIRE_FAILED;
				if (ev->kind == WIRE_CLOSED) {
					check(ev->dial == 1 && ev->text[0]);
					wire_release(w, ev->conn);
					wire_flush(w);
					closed++;
				}
				free(ev->data);
				free(ev);
			}
		}
		check(closed == 1 && failed == 0);
		/* the answer, and another dial behind it */
		server_answers(&s);
		check_ok(wire_dial(w, 2, &s.at, &s.pair.pub, &e), &e);
		wire_flush(w);
		while (!server_hears(&s))
			check(peer_now() < until);
		while ((ev = wire_next(w)) != NULL) {
			check(ev->kind != WIRE_CLOSED);
			check(ev->kind != WIRE_FAILED);
			free(ev->data);
			free(ev);
		}
		wire_close(w); /* in the middle of the second */
		server_close(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reset_before_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
