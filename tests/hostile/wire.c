#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bug.h"
#include "crypto/secret.h"
#include "net/udx/udx_packet.h"

#define DATAGRAMS 64 /* taken in one turn */

uint64_t
wire_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* -- sockets -------------------------------------------------------------- */

static struct sockaddr_in
in_of(const struct addr *a)
{
	struct sockaddr_in in = {.sin_family = AF_INET};

	in.sin_port = htons(a->port);
	memcpy(&in.sin_addr, a->ip, 4);
	return in;
}

enum err_code
wire_init(struct wire *w, unsigned host, uint64_t seed, struct err *e)
{
	struct addr a = {.family = 4, .ip = {127, 0, 0, 0}};
	struct sockaddr_in in;
	struct b32 s;

	memset(w, 0, sizeof(*w));
	memset(&s, 0x5a, sizeof(s));
	memcpy(s.b, &seed, sizeof(seed));
	a.ip[3] = (uint8_t)host;
	in = in_of(&a);
	w->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (w->fd < 0 || bind(w->fd, (struct sockaddr *)&in, sizeof(in)) != 0)
		return err_os(e, errno, "bind a socket");
	secret_random(&w->id, sizeof(w->id));
	return sign_pair_seed(&w->pair, &s, e);
}

void
wire_deinit(struct wire *w)
{
	if (w->fd >= 0)
		close(w->fd);
	dht_dial_free(w->dial);
	dht_listen_free(w->listen);
	secret_stream_free(w->secret);
	udx_free(w->udx);
	if (w->connected)
		noise_keys_free(&w->keys);
	if (w->talking)
		liar_deinit(&w->liar);
	sign_pair_free(&w->pair);
}

void
wire_to(struct wire *w, const struct addr *to, const struct b32 *key)
{
	w->to = *to;
	w->remote = *key;
}

uint16_t
wire_port(const struct wire *w)
{
	struct sockaddr_in in;
	socklen_t n = sizeof(in);

	if (getsockname(w->fd, (struct sockaddr *)&in, &n) != 0)
		return 0;
	return ntohs(in.sin_port);
}

/* What does not go is lost, as datagrams are. */
void
wire_datagram(struct wire *w, struct view v)
{
	struct sockaddr_in in = in_of(&w->to);
	struct pollfd p = {w->fd, POLLOUT, 0};

	for (int i = 0; i < 20; i++) {
		if (sendto(w->fd, v.ptr, v.len, 0, (struct sockaddr *)&in,
			sizeof(in)) >= 0)
			return;
		if (errno != EAGAIN && errno != ENOBUFS)
			return;
		(void)poll(&p, 1, 1);
	}
}

static void
send_segments(struct wire *w, const struct udx_out *out)
{
	size_t n;

	for (size_t at = 0; at < out->len; at += n) {
		n = out->len - at < out->segment ? out->len - at : out->segment;
		w->taps++;
		if (w->lie != NULL && w->lie->tap != NULL &&
		    !w->lie->tap(w, w->train + at, n))
			continue;
		wire_datagram(w, view_of(w->train + at, n));
	}
}

static void
pump(struct wire *w, uint64_t now)
{
	struct udx_out out;
	struct view packet;

	if (w->dial != NULL && !w->connected &&
	    dht_dial_poll(w->dial, now, &packet))
		wire_datagram(w, packet);
	if (w->udx == NULL || !w->connected)
		return;
	udx_batch_end(w->udx, now);
	while (udx_poll(w->udx, now, w->train, sizeof(w->train), &out))
		send_segments(w, &out);
}

/* -- layers --------------------------------------------------------------- */

void
wire_bytes(struct wire *w, struct view v)
{
	uint8_t *p = malloc(v.len + 1);
	struct err e = ERR_INIT;

	if (p == NULL)
		bug("out of memory");
	if (v.len != 0)
		memcpy(p, v.ptr, v.len);
	if (udx_write(w->udx, p, 0, v.len, &e) != ERR_OK)
		w->closed = true;
}

void
wire_seal(struct wire *w, struct view plain, struct buf *out)
{
	uint8_t *p;

	buf_init(out, SECRET_PLAIN_MAX + 64);
	p = buf_extend(out, SECRET_HEAD + plain.len + SECRET_TAIL);
	if (p == NULL)
		bug("out of memory");
	if (plain.len != 0)
		memcpy(p + SECRET_HEAD, plain.ptr, plain.len);
	out->len = secret_stream_seal(w->secret, p, plain.len);
}

void
wire_frame(struct wire *w, struct view plain)
{
	struct buf b;

	wire_seal(w, plain, &b);
	wire_bytes(w, buf_view(&b));
	buf_deinit(&b);
}

void
wire_header(struct wire *w, struct buf *out)
{
	struct err e = ERR_INIT;

	buf_init(out, 4096);
	if (secret_stream_pending(w->secret, out, &e) != ERR_OK)
		bug("no header");
}

void
wire_packet(struct wire *w, uint8_t type, uint32_t seq, uint32_t ack,
    uint32_t window, struct view rest)
{
	struct udx_packet p = {.type = type,
	    .remote_id = w->remote_id,
	    .window = window,
	    .seq = seq,
	    .ack = ack};
	uint8_t d[4096];

	bug_if(rest.len > sizeof(d) - UDX_HEADER);
	udx_packet_header(d, &p);
	if (rest.len != 0)
		memcpy(d + UDX_HEADER, rest.ptr, rest.len);
	wire_datagram(w, view_of(d, UDX_HEADER + rest.len));
}

void
wire_destroy(struct wire *w)
{
	udx_destroy(w->udx);
	pump(w, wire_now());
	w->closed = true;
}

/* -- one connection ------------------------------------------------------- */

static void
to_stream(void *ctx, struct view frame)
{
	struct wire *w = ctx;

	wire_frame(w, frame);
	pump(w, wire_now());
}

static void
talk(struct wire *w)
{
	struct err e = ERR_INIT;

	w->told = true;
	if (w->lie != NULL && w->lie->open != NULL) {
		w->lie->open(w);
		if (w->closed || w->lie->no_client)
			return;
	}
	if (w->inner == NULL)
		w->inner = w->lie != NULL && w->lie->says != NULL ? w->lie->says
								  : &w->plain;
	if (liar_init(&w->liar, w->inner, w->truth, w->listen == NULL,
		w->keys.hash, &e) != ERR_OK)
		bug("out of memory");
	w->liar.send = to_stream;
	w->liar.ctx = w;
	w->talking = true;
	liar_begin(&w->liar);
}

static void
start(struct wire *w, struct dht_peer *peer)
{
	struct udx_opts uo = {.local_id = w->id};
	struct secret_stream_opts so = {.initiator = w->listen == NULL};
	struct err e = ERR_INIT;
	struct buf b;

	w->keys = peer->keys;
	w->remote_id = peer->udx_id;
	w->to = peer->addr;
	w->connected = true;
	so.keys = &w->keys;
	if (udx_new(&w->udx, &uo, wire_now(), &e) != ERR_OK ||
	    secret_stream_new(&w->secret, &so, &e) != ERR_OK)
		bug("out of memory");
	udx_connect(w->udx, w->remote_id, &w->to, wire_now());
	if (w->lie != NULL && w->lie->stream != NULL) {
		w->told = true;
		w->lie->stream(w);
		return;
	}
	wire_header(w, &b);
	wire_bytes(w, buf_view(&b));
	buf_deinit(&b);
}

static void
take_stream(struct wire *w, struct view v)
{
	struct secret_frame f;
	struct err e = ERR_INIT;

	if (secret_stream_recv(w->secret, v, &e) != ERR_OK) {
		w->closed = true;
		return;
	}
	if (!w->told && secret_stream_open(w->secret))
		talk(w);
	while (secret_stream_next(w->secret, &f)) {
		if (w->talking)
			liar_recv(&w->liar, view_of(f.data + f.head, f.len));
		secret_stream_frame_free(&f);
	}
}

static void
take_udx(struct wire *w, struct view d, const struct addr *from, uint64_t now)
{
	struct view v;
	uint32_t id;

	if (w->udx == NULL || !udx_peek(d, &id) || id != w->id)
		return;
	udx_recv(w->udx, d, from, now);
	while (udx_read(w->udx, &v)) {
		size_t n = v.len;

		take_stream(w, v);
		udx_credit(w->udx, n, now);
	}
}

static void
take_offer(struct wire *w)
{
	struct dht_peer peer;
	struct err e = ERR_INIT;

	if (w->connected ||
	    dht_listen_accept(w->listen, w->id, &peer, &e) != ERR_OK) {
		dht_listen_refuse(w->listen);
		return;
	}
	w->to = peer.addr;
	wire_datagram(w, dht_listen_packet(w->listen));
	start(w, &peer);
}

static void
take(struct wire *w, struct view d, const struct addr *from, uint64_t now)
{
	struct dht_peer peer;
	uint32_t id;

	if (udx_peek(d, &id)) {
		take_udx(w, d, from, now);
		return;
	}
	if (w->dial != NULL && !w->connected &&
	    dht_dial_recv(w->dial, d, from) &&
	    dht_dial_state(w->dial) == DHT_DONE) {
		dht_dial_take(w->dial, &peer);
		start(w, &peer);
		return;
	}
	if (w->listen == NULL)
		return;
	switch (dht_listen_recv(w->listen, d, from, now)) {
	case DHT_NONE:
		break;
	case DHT_ANSWER:
		w->to = *from;
		wire_datagram(w, dht_listen_packet(w->listen));
		break;
	case DHT_OFFER:
		take_offer(w);
		break;
	}
}

enum err_code
wire_listen(struct wire *w, struct err *e)
{
	struct dht_listen_opts o = {.pair = &w->pair};

	return dht_listen_new(&w->listen, &o, e);
}

enum err_code
wire_handshake(struct wire *w, struct err *e)
{
	struct dht_dial_opts o = {.pair = &w->pair,
	    .remote = w->remote,
	    .to = w->to,
	    .udx_id = w->id};

	return dht_dial_new(&w->dial, &o, wire_now(), e);
}

void
wire_turn(struct wire *w, int ms)
{
	struct pollfd p = {w->fd, POLLIN, 0};
	struct addr from = {.family = 4};
	struct sockaddr_in in;
	uint8_t d[65536];
	socklen_t len;
	ssize_t n;

	pump(w, wire_now());
	if (poll(&p, 1, ms) > 0) {
		for (int i = 0; i < DATAGRAMS; i++) {
			len = sizeof(in);
			n = recvfrom(w->fd, d, sizeof(d), 0,
			    (struct sockaddr *)&in, &len);
			if (n < 0)
				break;
			from.port = ntohs(in.sin_port);
			memcpy(from.ip, &in.sin_addr, 4);
			take(w, view_of(d, (size_t)n), &from, wire_now());
		}
	}
	pump(w, wire_now());
	if (w->udx != NULL && w->connected && udx_reason(w->udx) != UDX_LIVE)
		w->closed = true;
	if (w->talking)
		w->liar.dropped = w->closed;
}

void
wire_run(struct wire *w, unsigned ms)
{
	uint64_t until = wire_now() + (uint64_t)ms * 1000;

	while (!w->closed && wire_now() < until)
		wire_turn(w, 5);
}
