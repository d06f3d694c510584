/*
 * A server: handshakes, directly from a client or through a relay. The same
 * first message gets the same answer, by whatever way it comes; Noise runs
 * once for each.
 */
#include <string.h>

#include "base/bug.h"
#include "crypto/hash.h"
#include "net/dht/server_impl.h"

/* A first message, while it is looked at. */
struct hand {
	const struct dht_handshake *h;
	const struct rpc_incoming *in;
	bool direct;
	struct addr client; /* directly, or as the relay sees it */
	struct noise *noise;
	struct buf payload; /* theirs, which `theirs` borrows from */
	struct dht_payload theirs;
	enum dht_error error;
	struct hello us;
};

/* -- the table ------------------------------------------------------------ */

static struct session *
find(struct dht_server *s, const struct b32 *hash)
{
	for (size_t i = 0; i < DHT_HANDSHAKES_MAX; i++) {
		struct session *x = &s->session[i];

		if (x->state != SESSION_FREE && x->state != SESSION_FLYING &&
		    s->now >= x->expires)
			x->state = SESSION_FREE;
		if (x->state != SESSION_FREE && b32_eq(&x->hash, hash))
			return x;
	}
	return NULL;
}

/* A free entry, or the oldest that is not in flight, or one in flight that
 * had time enough; NULL: none. */
static struct session *
room(struct dht_server *s)
{
	struct session *best = NULL, *slow = NULL;

	for (size_t i = 0; i < DHT_HANDSHAKES_MAX; i++) {
		struct session *x = &s->session[i];

		if (x->state == SESSION_FREE)
			return x;
		if (x->state != SESSION_FLYING &&
		    (best == NULL || x->since < best->since))
			best = x;
		if (x->state == SESSION_FLYING && !x->talked &&
		    (slow == NULL || x->since < slow->since))
			slow = x;
	}
	if (best == NULL && slow != NULL &&
	    s->now - slow->since >= SERVER_PATIENCE_US)
		best = slow;
	return best;
}

/* -- answers -------------------------------------------------------------- */

/* The client takes the socket that this comes from for our address. */
static void
answer(struct dht_server *s, const struct session *x,
    const struct dht_handshake *h, const struct rpc_incoming *in)
{
	struct dht_handshake a = {
	    .mode = DHT_REPLY, .noise = view_of(x->reply, x->len)};
	const struct addr *to = &in->from;
	uint32_t sock = in->sock;
	struct buf value;

	buf_init(&value, RPC_PACKET_MAX);
	if (h->mode == DHT_FROM_CLIENT) {
		dht_handshake_encode(&value, &a);
		if (value.failed == ERR_OK)
			rpc_answer(s->d->rpc, in, RPC_OK, buf_view(&value),
			    RPC_NO_TOKEN | RPC_NO_CLOSER);
	} else {
		a.mode = DHT_FROM_SERVER;
		a.peer = h->peer;
		dht_handshake_encode(&value, &a);
		if (x->answers_there && x->punch != NULL)
			sock = punch_sock(x->punch);
		if (h->mode == DHT_FROM_SECOND_RELAY)
			to = &h->relay;
		server_pass(s, sock, to, in->m.tid, DHT_PEER_HANDSHAKE, &value);
	}
	buf_deinit(&value);
}

/* The lists of payload 2. A direct client needs none of them to come in. */
static void
put_lists(struct dht_server *s, const struct hand *k, struct buf *addresses,
    struct buf *ways, struct buf *relays)
{
	const struct announcer_set *now = &s->announcer.now;
	struct addr relay[DHT_RELAYS_MAX];

	if (!k->direct)
		hello_put(addresses, k->us.address, k->us.n);
	for (size_t i = 0; !k->direct && i < now->n; i++) {
		rpc_addr_put(ways, &now->at[i].relay);
		rpc_addr_put(ways, &now->at[i].self);
	}
	hello_put(relays, relay, announcer_addresses(&s->announcer, relay));
}

static void
put_payload(struct dht_server *s, const struct session *x, const struct hand *k,
    struct buf *b)
{
	struct dht_payload p = {.version = DHT_VERSION,
	    .error = k->error,
	    .firewall = hello_firewall(&k->us),
	    .has_udx = true,
	    .udx.id = x->udx_id,
	    .has_secret_stream = true};
	struct buf addresses, ways, relays;

	buf_init(&addresses, HELLO_ADDRS_MAX * RPC_ADDR_LEN);
	buf_init(&ways, DHT_RELAYS_MAX * DHT_RELAY_INFO_LEN);
	buf_init(&relays, DHT_RELAYS_MAX * RPC_ADDR_LEN);
	put_lists(s, k, &addresses, &ways, &relays);
	p.has_holepunch = !k->us.open && !k->direct;
	p.holepunch.id = (uint64_t)(x - s->session);
	p.holepunch.relays = buf_view(&ways);
	p.addresses4 = buf_view(&addresses);
	p.relay_addresses = buf_view(&relays);
	p.has_relay_addresses = relays.len > 0;
	dht_payload_encode(b, &p);
	if (addresses.failed != ERR_OK || ways.failed != ERR_OK ||
	    relays.failed != ERR_OK)
		b->failed = ERR_NOMEM;
	buf_deinit(&addresses);
	buf_deinit(&ways);
	buf_deinit(&relays);
}

static bool
make_reply(struct dht_server *s, struct session *x, struct hand *k)
{
	struct buf payload, noise;
	struct err e;
	bool ok;

	buf_init(&payload, NOISE_PAYLOAD_MAX);
	buf_init(&noise, SERVER_REPLY_MAX);
	put_payload(s, x, k, &payload);
	ok = payload.failed == ERR_OK &&
	     noise_send(k->noise, buf_view(&payload), &noise, &e) == ERR_OK;
	if (ok) {
		memcpy(x->reply, noise.data, noise.len);
		x->len = noise.len;
	}
	buf_deinit(&payload);
	buf_deinit(&noise);
	return ok;
}

/* -- whom it costs -------------------------------------------------------- */

/* Of one host; of all who are not known; of one of our relays. */
static const struct limit_rate host = {DHT_SOURCE_RATE, DHT_SOURCE_BURST};
static const struct limit_rate all = {SERVER_DIRECT_RATE, SERVER_DIRECT_RATE};
static const struct limit_rate relay = {SERVER_RELAY_RATE, SERVER_RELAY_RATE};

/* On loopback every port is a host of its own. */
static struct addr
host_of(const struct addr *a)
{
	struct addr h = *a;

	if (h.family == 4 && h.ip[0] == 127) {
		h.family = 6;
		h.ip[4] = (uint8_t)(h.port >> 8);
		h.ip[5] = (uint8_t)h.port;
	}
	return h;
}

/* Who is no relay of ours may have invented the client: he pays himself. What
 * comes through a relay of ours is kept apart, so that a flood of strangers
 * does not shut it out, nor one relay another. */
static bool
may_pay(struct dht_server *s, const struct hand *k)
{
	struct addr from = host_of(&k->in->from);
	struct addr client = host_of(&k->client);

	if (k->direct || !announcer_is_relay(&s->announcer, &k->in->from))
		return limit_take(&s->strangers, &from, &host, &all, s->now);
	return limit_take(&s->clients, &client, &host, NULL, s->now) &&
	       limit_take(&s->relays, &from, &relay, NULL, s->now);
}

/* -- a new one ------------------------------------------------------------ */

/* True: the other side proved who it is, and said what it wants. */
static bool
read_noise(struct dht_server *s, struct hand *k)
{
	struct err e;

	if (direct_noise(&k->noise, &s->pair, NULL, &e) != ERR_OK) {
		k->noise = NULL;
		return false;
	}
	if (noise_recv(k->noise, k->h->noise, &k->payload, &e) != ERR_OK ||
	    !dht_payload_decode(&k->theirs, buf_view(&k->payload)))
		return false;
	if (k->theirs.version != DHT_VERSION)
		k->error = DHT_ERROR_VERSION_MISMATCH;
	else if (!k->theirs.has_udx)
		k->error = DHT_ERROR_ABORTED;
	return noise_remote(k->noise) != NULL;
}

static bool
is_open(const struct hand *k)
{
	return k->direct || k->theirs.firewall == DHT_FIREWALL_OPEN;
}

/* Both behind one public address: the client pings our server socket, so the
 * answer must come from there and not from the socket of the punch. */
static bool
is_neighbour(const struct hand *k)
{
	struct addr theirs[HELLO_ADDRS_MAX];
	size_t n;

	if (!addr_same_host(&k->client, &k->in->m.to))
		return false;
	n = hello_list(k->theirs.addresses4, theirs, HELLO_ADDRS_MAX);
	return hello_match(k->us.address, k->us.n, theirs, n) != NULL;
}

static bool
prepare_punch(struct dht_server *s, struct session *x,
    const struct noise_keys *keys, const struct hand *k)
{
	struct err e;

	if (punch_payload_secret(&x->secret, keys->hash, &e) != ERR_OK)
		return false;
	x->remote = k->theirs.firewall < DHT_FIREWALL_RANDOM
			? (enum dht_firewall)k->theirs.firewall
			: DHT_FIREWALL_RANDOM;
	x->answers_there = !is_neighbour(k);
	server_punch_open(s, x);
	return true;
}

/* Everything is ready: answer, and say that a stream may be connected. */
static void
accept(struct dht_server *s, struct session *x, struct hand *k)
{
	struct dht_peer_found f = {.sock = hello_sock(s->d)};
	struct err e;

	if (!make_reply(s, x, k) ||
	    direct_finish(&f.peer, k->noise, &k->theirs, &k->client,
		&k->in->m.to, &e) != ERR_OK) {
		s->o.failed(s->o.ctx, x->udx_id, "out of memory");
		return;
	}
	f.path = k->direct ? DHT_DIRECT : DHT_OPEN;
	if (k->direct)
		f.sock = k->in->sock;
	x->waits = !is_open(k);
	if (x->waits) {
		f.peer.addr = (struct addr){0};
		f.has_relay = k->theirs.has_relay_through && !k->us.open;
		f.relay.key = k->theirs.relay_through.key;
		f.relay.token = k->theirs.relay_through.token;
		if (!k->us.open && prepare_punch(s, x, &f.peer.keys, k))
			f.path = DHT_PUNCHED;
	}
	x->state = SESSION_FLYING;
	x->expires = s->now + SERVER_WAIT_US;
	s->flying++;
	answer(s, x, k->h, k->in);
	s->o.connected(s->o.ctx, x->udx_id, &f, s->now);
}

static void
remember(struct session *x, enum session_state state, uint64_t now)
{
	x->state = state;
	x->expires = now + DHT_REMEMBER_US;
}

static void
take(struct dht_server *s, struct session *x, struct hand *k)
{
	if (k->error != DHT_ERROR_NONE) {
		if (make_reply(s, x, k)) {
			remember(x, SESSION_SETTLED, s->now);
			answer(s, x, k->h, k->in);
		}
		return;
	}
	x->udx_id =
	    s->o.offer(s->o.ctx, noise_remote(k->noise), &k->client, s->now);
	if (s->closed)
		return;
	if (x->udx_id == 0)
		remember(x, SESSION_REFUSED, s->now);
	else
		accept(s, x, k);
}

static void
start(struct dht_server *s, const struct b32 *hash, struct hand *k)
{
	struct session *x = room(s);

	if (x == NULL || !may_pay(s, k))
		return;
	server_give_up(s, x, "too many others");
	if (s->closed)
		return;
	*x = (struct session){.hash = *hash,
	    .since = s->now,
	    .from = k->in->from,
	    .client = k->client};
	buf_init(&k->payload, NOISE_PAYLOAD_MAX);
	hello_get(s->d, &k->us);
	if (read_noise(s, k))
		take(s, x, k);
	noise_free(k->noise);
	buf_deinit(&k->payload);
}

/* Is it one that may be answered, by the way it came? An answer goes to who
 * sent it, or, for a second relay, where one of our relays says. */
static bool
passable(struct dht_server *s, const struct dht_handshake *h,
    const struct rpc_incoming *in)
{
	bool local = rpc_addr_reserved(&in->from);

	if (in->from.port == 0)
		return false;
	if (h->mode == DHT_FROM_CLIENT)
		return h->peer.family == 0;
	if (h->peer.family == 0 || h->peer.port == 0 ||
	    (rpc_addr_reserved(&h->peer) && !local))
		return false;
	if (h->mode == DHT_FROM_RELAY)
		return true;
	return h->mode == DHT_FROM_SECOND_RELAY && h->relay.family != 0 &&
	       h->relay.port != 0 && (local || !rpc_addr_reserved(&h->relay)) &&
	       announcer_is_relay(&s->announcer, &in->from);
}

void
server_handshake(struct dht_server *s, const struct dht_handshake *h,
    const struct rpc_incoming *in)
{
	struct hand k = {.h = h,
	    .in = in,
	    .direct = h->mode == DHT_FROM_CLIENT,
	    .error = DHT_ERROR_NONE};
	struct session *x;
	struct b32 hash;

	if (h->noise.len == 0 || !passable(s, h, in))
		return;
	k.client = k.direct ? in->from : h->peer;
	hash_data(&hash, h->noise);
	x = find(s, &hash);
	if (x == NULL)
		start(s, &hash, &k);
	else if (x->state != SESSION_REFUSED)
		answer(s, x, h, in);
}
