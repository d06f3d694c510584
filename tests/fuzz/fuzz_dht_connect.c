/*
 * A connect, and a server and relays that answer anything: right Noise around
 * any payload, right boxes around any plaintext, punch bytes, early packets
 * of the stream, raw datagrams, silence. Input: commands of one byte, some
 * with arguments.
 *
 * It ends once, with the server's keys or with a reason; no packet goes to
 * port 0 or from a socket that is closed; sockets have their bounds, and in
 * the end nothing is left.
 */
#include "net/dht/connect_impl.h"
#include "tests/fuzz/dht_world.h"

struct asked { /* the last request of a kind, until it is answered */
	bool waits;
	uint32_t sock;
	uint16_t tid;
	struct addr to;
};

struct world {
	struct dht *d;
	struct dht_connect *c; /* NULL: it ended */
	struct outside out;
	struct asked hand, hole, ping;
	struct noise *noise; /* of the server, before its answer */
	struct noise_keys keys;
	struct secret secret;
	struct punch_payload said; /* by the client, last */
	bool over;
};

/* -- the world outside ----------------------------------------------------- */

static void
remember(struct asked *a, uint32_t sock, const struct addr *to, uint16_t tid)
{
	*a = (struct asked){true, sock, tid, *to};
}

/* The server, when it is asked for the first time. */
static void
read_hand(struct world *w, const struct rpc_message *m)
{
	struct err e = ERR_INIT;
	struct dht_handshake h;
	struct dht_payload p;
	struct buf b;

	check(dht_handshake_decode(&h, m->value));
	if (w->noise != NULL || w->keys.tx.ptr != NULL)
		return;
	buf_init(&b, NOISE_PAYLOAD_MAX);
	check_ok(direct_noise(&w->noise, &keys[0], NULL, &e), &e);
	check_ok(noise_recv(w->noise, h.noise, &b, &e), &e);
	check(dht_payload_decode(&p, buf_view(&b)) && p.udx.id == 77);
	buf_deinit(&b);
}

static void
read_hole(struct world *w, const struct rpc_message *m)
{
	struct dht_holepunch h;

	check(w->secret.ptr != NULL && dht_holepunch_decode(&h, m->value));
	check(h.mode == DHT_FROM_CLIENT && h.peer.family == 4);
	check(punch_payload_open(&w->said, h.payload, &w->secret));
}

static void
on_send(void *ctx, uint32_t sock, const struct addr *to, struct view v,
    unsigned ttl)
{
	struct world *w = ctx;
	struct rpc_message m;

	(void)ttl;
	outside_send(&w->out, sock, to, v);
	if (!rpc_decode(&m, v) || m.reply)
		return;
	if (m.internal) {
		remember(&w->ping, sock, to, m.tid);
	} else if (m.command == DHT_PEER_HANDSHAKE) {
		read_hand(w, &m);
		remember(&w->hand, sock, to, m.tid);
	} else if (m.command == DHT_PEER_HOLEPUNCH) {
		read_hole(w, &m);
		remember(&w->hole, sock, to, m.tid);
	}
}

static uint32_t
on_open(void *ctx)
{
	struct world *w = ctx;

	return outside_open(&w->out);
}

static void
on_close(void *ctx, uint32_t sock)
{
	struct world *w = ctx;

	outside_close(&w->out, sock);
}

static size_t
on_interfaces(void *ctx, struct addr *out, size_t n)
{
	(void)ctx;
	check(n > 0);
	*out = (struct addr){4, 4000, {10, 0, 0, 7}};
	return 1;
}

static void
on_connected(void *ctx, struct dht_peer_found *f, uint64_t now)
{
	struct world *w = ctx;

	check(!w->over && now == w->out.now);
	w->over = true;
	w->c = NULL;
	check(memcmp(f->peer.keys.rx.ptr, w->keys.tx.ptr, 32) == 0);
	check(b32_eq(&f->peer.keys.remote, &keys[0].pub));
	check(w->out.open[f->sock]);
	dht_peer_free(&f->peer);
	if (f->sock >= RPC_SOCK_OTHER)
		on_close(w, f->sock);
}

static void
on_failed(void *ctx, enum dht_failure why, uint64_t now)
{
	struct world *w = ctx;

	check(!w->over && now == w->out.now);
	check(dht_failure_text(why) != NULL);
	w->over = true;
	w->c = NULL;
}

static void
world_new(struct world *w)
{
	const struct addr relay = {4, 1000, {80, 0, 0, 1}};
	const struct dht_env env = {.ctx = w,
	    .send = on_send,
	    .socket_open = on_open,
	    .socket_close = on_close,
	    .interfaces = on_interfaces};
	const struct dht_connect_opts co = {.pair = &keys[1],
	    .remote = keys[0].pub,
	    .udx_id = 77,
	    .relay = &relay,
	    .nrelays = 1,
	    .local = true,
	    .connected = on_connected,
	    .failed = on_failed,
	    .ctx = w};
	const struct dht_opts o = {
	    .rpc.role = RPC_CLIENT_ONLY, .rpc.known = &relay, .rpc.nknown = 1};
	struct err e = ERR_INIT;

	memset(w, 0, sizeof(*w));
	outside_init(&w->out);
	check_ok(dht_new(&w->d, &o, &env, w->out.now, &e), &e);
	(void)dht_turn(w->d, w->out.now);
	check_ok(dht_connect_start(&w->c, w->d, &co, w->out.now, &e), &e);
}

static void
world_free(struct world *w)
{
	noise_free(w->noise);
	noise_keys_free(&w->keys);
	secret_free(&w->secret);
	dht_free(w->d);
	check(w->out.opened == 0);
}

/* -- commands -------------------------------------------------------------- */

static struct addr
any_addr(struct dec *d)
{
	static const uint8_t ip[][4] = {
	    {80, 0, 0, 1}, {80, 0, 0, 2}, {90, 0, 0, 1}, {10, 0, 0, 1}};

	return outside_addr(d, ip);
}

static void
reply(struct world *w, struct asked *a, const struct addr *self,
    struct view value)
{
	const struct rpc_message m = {
	    .reply = true, .tid = a->tid, .to = *self, .value = value};
	struct addr from = a->to;
	struct buf packet;

	buf_init(&packet, RPC_PACKET_MAX);
	rpc_encode(&packet, &m);
	a->waits = false;
	if (packet.failed == ERR_OK && w->out.open[a->sock])
		dht_recv(w->d, a->sock, buf_view(&packet), &from, w->out.now);
	buf_deinit(&packet);
}

static void
answer_hand(struct world *w, struct dec *d)
{
	struct dht_handshake h = {.mode = DHT_REPLY};
	struct addr self = any_addr(d);
	struct err e = ERR_INIT;
	struct buf noise, value;
	struct view payload;

	if (dec_u8(d) % 4 != 0)
		h.peer = any_addr(d);
	payload = dec_bytes(d, NOISE_PAYLOAD_MAX);
	if (!dec_ok(d) || !w->hand.waits || w->noise == NULL)
		return;
	buf_init(&noise, NOISE_MESSAGE_MAX);
	buf_init(&value, 4096);
	check_ok(noise_send(w->noise, payload, &noise, &e), &e);
	check_ok(noise_result(w->noise, &w->keys, &e), &e);
	check_ok(punch_payload_secret(&w->secret, w->keys.hash, &e), &e);
	noise_free(w->noise);
	w->noise = NULL;
	h.noise = buf_view(&noise);
	dht_handshake_encode(&value, &h);
	reply(w, &w->hand, &self, buf_view(&value));
	buf_deinit(&noise);
	buf_deinit(&value);
}

static void
answer_hole(struct world *w, struct dec *d)
{
	struct dht_holepunch h = {.mode = DHT_REPLY};
	struct addr self = any_addr(d);
	struct punch_payload p;
	struct buf box, value;
	struct view plain;

	h.peer = any_addr(d);
	plain = dec_bytes(d, 512);
	if (!dec_ok(d) || !w->hole.waits || !punch_payload_decode(&p, plain))
		return;
	buf_init(&box, PUNCH_BOX_MAX);
	buf_init(&value, 4096);
	/* a server may prove where it is */
	if (p.has_remote_token && w->said.has_token)
		p.remote_token = w->said.token;
	punch_payload_seal(&box, &p, &w->secret);
	h.payload = buf_view(&box);
	dht_holepunch_encode(&value, &h);
	reply(w, &w->hole, &self, buf_view(&value));
	buf_deinit(&box);
	buf_deinit(&value);
}

/* A node answers; and four more see the socket of the punch under one port,
 * or each under another. */
static void
see(struct world *w, struct dec *d)
{
	struct addr self = any_addr(d), by = {4, 1, {70, 0, 0, 1}};

	if (w->ping.waits)
		reply(w, &w->ping, &self, VIEW_EMPTY);
	for (int i = 0; i < 4 && w->c != NULL && w->c->punch != NULL; i++) {
		by.port++;
		if (self.ip[3] == 2)
			self.port++;
		nat_add(&w->c->punch->nat, &self, &by);
	}
}

static void
incoming(struct world *w, struct dec *d)
{
	uint32_t sock = dec_u8(d);
	struct addr from = any_addr(d);
	struct view v = dec_bytes(d, RPC_PACKET_MAX);

	if (!dec_ok(d) || from.port == 0 || !w->out.open[sock])
		return;
	if (v.len == 0 && w->c != NULL)
		dht_connect_udx(w->c, sock, &from, w->out.now);
	else
		dht_recv(w->d, sock, v, &from, w->out.now);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w;
	struct dec d;

	outside_keys();
	world_new(&w);
	dec_init(&d, view_of(data, size));
	while (dec_left(&d) > 0 && dec_ok(&d)) {
		switch (dec_u8(&d) % 6) {
		case 0:
			answer_hand(&w, &d);
			break;
		case 1:
			answer_hole(&w, &d);
			break;
		case 2:
			see(&w, &d);
			break;
		case 3:
			incoming(&w, &d);
			break;
		case 4:
			if (w.c != NULL && dec_u8(&d) == 255) {
				dht_connect_cancel(w.c);
				w.c = NULL;
				w.over = true;
			}
			break;
		case 5:
			outside_step(&w.out, w.d, (uint64_t)dec_u8(&d) * 20000);
			break;
		}
		check(w.out.opened <= 1 + PUNCH_BIRTHDAY);
	}
	world_free(&w);
	return 0;
}
