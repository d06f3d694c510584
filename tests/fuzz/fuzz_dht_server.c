/*
 * A listening server, and everything that strangers may send it: raw
 * datagrams; handshakes with right Noise around any payload, from clients and
 * relays; hole punch messages under the right secret with anything in them;
 * punch bytes; time. Input: commands of one byte, some with arguments.
 *
 * One packet in is at most one packet out at once, to nobody but its sender
 * (or, of a second relay, whom it names), never a direct answer larger than
 * its question; sockets and sessions have their bounds, and in the end nothing
 * is left.
 */
#include "net/dht/server_impl.h"
#include "tests/fuzz/dht_world.h"

#define HANDSHAKES 12 /* of an input: they are slow */

struct world {
	struct dht *d;
	struct dht_server *s;
	struct outside out;
	uint32_t ids;
	size_t sent, bytes;  /* since they were reset */
	struct addr to;	     /* of the last packet */
	struct noise *noise; /* of the last handshake, until its answer */
	struct secret secret;
	uint64_t hole; /* its id */
	size_t handshakes;
};

/* -- the world outside ----------------------------------------------------- */

static void
read_answer(struct world *w, const struct rpc_message *m)
{
	struct dht_handshake h;
	struct dht_payload p;
	struct noise_keys k;
	struct err e = ERR_INIT;
	struct buf b;

	if (w->noise == NULL || !dht_handshake_decode(&h, m->value))
		return;
	check(h.mode == DHT_FROM_SERVER || h.mode == DHT_REPLY);
	buf_init(&b, NOISE_PAYLOAD_MAX);
	if (noise_recv(w->noise, h.noise, &b, &e) == ERR_OK) {
		check(dht_payload_decode(&p, buf_view(&b)));
		check_ok(noise_result(w->noise, &k, &e), &e);
		secret_free(&w->secret);
		check_ok(punch_payload_secret(&w->secret, k.hash, &e), &e);
		noise_keys_free(&k);
		w->hole = p.has_holepunch ? p.holepunch.id : 0;
		noise_free(w->noise);
		w->noise = NULL;
	}
	buf_deinit(&b);
}

static void
on_send(void *ctx, uint32_t sock, const struct addr *to, struct view v,
    unsigned ttl)
{
	struct world *w = ctx;
	struct rpc_message m;

	(void)ttl;
	outside_send(&w->out, sock, to, v);
	w->sent++;
	w->bytes += v.len;
	w->to = *to;
	if (rpc_decode(&m, v) && !m.internal &&
	    (m.reply || m.command == DHT_PEER_HANDSHAKE))
		read_answer(w, &m);
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

static uint32_t
on_offer(
    void *ctx, const struct b32 *remote, const struct addr *from, uint64_t now)
{
	struct world *w = ctx;

	(void)now;
	check(b32_eq(remote, &keys[1].pub) && from->port != 0);
	return w->ids++ % 5 == 4 ? 0 : 1000 + w->ids;
}

static void
on_connected(void *ctx, uint32_t udx_id, struct dht_peer_found *f, uint64_t now)
{
	(void)ctx, (void)now;
	check(udx_id >= 1000 && b32_eq(&f->peer.keys.remote, &keys[1].pub));
	dht_peer_free(&f->peer);
}

static void
on_failed(void *ctx, uint32_t udx_id, const char *why)
{
	(void)ctx;
	check(udx_id >= 1000 && why[0] != '\0');
}

static void
world_new(struct world *w)
{
	const struct dht_env env = {.ctx = w,
	    .send = on_send,
	    .socket_open = on_open,
	    .socket_close = on_close};
	const struct dht_server_opts so = {.pair = &keys[0],
	    .offer = on_offer,
	    .connected = on_connected,
	    .failed = on_failed,
	    .ctx = w};
	const struct dht_opts o = {.rpc.role = RPC_CLIENT_ONLY};
	struct err e = ERR_INIT;

	memset(w, 0, sizeof(*w));
	outside_init(&w->out);
	check_ok(dht_new(&w->d, &o, &env, w->out.now, &e), &e);
	check_ok(dht_listen_start(&w->s, w->d, &so, w->out.now, &e), &e);
	(void)dht_turn(w->d, w->out.now);
	/* a relay, so that all roads are there */
	w->s->announcer.now.n = 1;
	w->s->announcer.now.at[0].relay = (struct addr){4, 1000, {80, 0, 0, 1}};
	w->s->announcer.now.at[0].self = (struct addr){4, 2000, {90, 0, 0, 1}};
}

static void
world_free(struct world *w)
{
	noise_free(w->noise);
	secret_free(&w->secret);
	dht_free(w->d);
	check(w->out.opened == 0);
}

/* -- commands -------------------------------------------------------------- */

static struct addr
any_addr(struct dec *d)
{
	static const uint8_t ip[][4] = {
	    {80, 0, 0, 1}, {80, 0, 0, 2}, {127, 0, 0, 1}, {10, 0, 0, 1}};

	return outside_addr(d, ip);
}

static void
inject(struct world *w, enum dht_command c, struct view value,
    const struct addr *from, uint32_t sock)
{
	struct rpc_message m = {.tid = 9,
	    .command = (uint64_t)c,
	    .has_target = true,
	    .target = w->s->user.target,
	    .to = {4, 2000, {90, 0, 0, 1}},
	    .value = value};
	struct buf packet;

	buf_init(&packet, RPC_PACKET_MAX);
	rpc_encode(&packet, &m);
	w->sent = w->bytes = 0;
	if (packet.failed == ERR_OK)
		dht_recv(w->d, sock, buf_view(&packet), from, w->out.now);
	buf_deinit(&packet);
}

static void
handshake(struct world *w, struct dec *d)
{
	struct dht_handshake h = {.mode = dec_u8(d) % 5};
	struct addr from = any_addr(d);
	struct err e = ERR_INIT;
	struct buf noise, value;
	struct view payload;

	if (dec_u8(d) % 8 != 0)
		h.peer = any_addr(d);
	if (h.mode == DHT_FROM_CLIENT)
		h.peer.family = 0;
	if (h.mode == DHT_FROM_SECOND_RELAY)
		h.relay = any_addr(d);
	payload = dec_bytes(d, NOISE_PAYLOAD_MAX);
	if (!dec_ok(d) || w->handshakes++ == HANDSHAKES)
		return;
	buf_init(&noise, NOISE_MESSAGE_MAX);
	buf_init(&value, 4096);
	noise_free(w->noise);
	check_ok(direct_noise(&w->noise, &keys[1], &keys[0].pub, &e), &e);
	check_ok(noise_send(w->noise, payload, &noise, &e), &e);
	h.noise = buf_view(&noise);
	dht_handshake_encode(&value, &h);
	inject(w, DHT_PEER_HANDSHAKE, buf_view(&value), &from, RPC_SOCK_CLIENT);
	/* and a few questions of a punch about our own NAT */
	check(w->sent <= 1 + NAT_SAMPLES);
	if (w->sent == 1 && h.mode == DHT_FROM_CLIENT) {
		check(addr_eq(&w->to, &from));
		check(w->bytes <= 43 + noise.len);
	}
	buf_deinit(&noise);
	buf_deinit(&value);
}

static void
holepunch(struct world *w, struct dec *d)
{
	struct dht_holepunch h = {.mode = DHT_FROM_RELAY};
	struct addr from = any_addr(d);
	struct punch_payload p;
	struct buf box, value;
	struct view plain;

	h.peer = any_addr(d);
	h.id = w->hole + dec_u8(d) / 64;
	plain = dec_bytes(d, 512);
	if (!dec_ok(d) || w->secret.ptr == NULL ||
	    !punch_payload_decode(&p, plain))
		return;
	buf_init(&box, PUNCH_BOX_MAX);
	buf_init(&value, 4096);
	punch_payload_seal(&box, &p, &w->secret);
	h.payload = buf_view(&box);
	dht_holepunch_encode(&value, &h);
	inject(w, DHT_PEER_HOLEPUNCH, buf_view(&value), &from, RPC_SOCK_CLIENT);
	buf_deinit(&box);
	buf_deinit(&value);
}

static void
byte(struct world *w, struct dec *d)
{
	uint32_t sock = dec_u8(d);
	struct addr from = any_addr(d);
	struct view v = view_of(&sock, 1);

	w->sent = 0;
	if (from.port != 0 && w->out.open[sock])
		dht_recv(w->d, sock, v, &from, w->out.now);
	check(w->sent <= 1);
}

static void
raw(struct world *w, struct dec *d)
{
	struct addr from = any_addr(d);
	struct view v = dec_bytes(d, RPC_PACKET_MAX);

	if (from.port != 0)
		dht_recv(w->d, RPC_SOCK_CLIENT, v, &from, w->out.now);
}

static void
stream(struct world *w, struct dec *d)
{
	uint32_t id = 1000u + dec_u8(d);
	uint32_t sock = dec_u8(d);
	bool was = sock >= RPC_SOCK_OTHER && w->out.open[sock];

	if (sock % 2 == 0) {
		dht_server_settled(w->s, id);
		return;
	}
	if (!was)
		sock = RPC_SOCK_CLIENT;
	/* what the stream has, it closes itself */
	for (size_t i = 0; i < DHT_HANDSHAKES_MAX; i++) {
		struct session *x = &w->s->session[i];

		if (x->state != SESSION_FLYING || x->udx_id != id)
			continue;
		was = was && x->punch != NULL && punch_has_sock(x->punch, sock);
		dht_server_udx(w->s, id, sock);
		if (was)
			on_close(w, sock);
		return;
	}
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
			handshake(&w, &d);
			break;
		case 1:
			holepunch(&w, &d);
			break;
		case 2:
			byte(&w, &d);
			break;
		case 3:
			raw(&w, &d);
			break;
		case 4:
			stream(&w, &d);
			break;
		case 5:
			outside_step(&w.out, w.d, (uint64_t)dec_u8(&d) * 50000);
			break;
		}
		check(w.out.opened <= SERVER_PUNCHES + PUNCH_BIRTHDAY);
		check(w.s->flying <= DHT_HANDSHAKES_MAX);
	}
	world_free(&w);
	return 0;
}
