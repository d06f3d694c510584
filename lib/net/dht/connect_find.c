/* A connect, until the server answers: who knows it, and handshakes through
 * them. The server takes the same first message for one, through however many
 * relays it comes. */
#include "net/dht/connect_impl.h"

/* -- the first message ---------------------------------------------------- */

static void
put_payload(struct buf *b, struct dht_connect *c)
{
	struct dht_payload p = {.version = DHT_VERSION,
	    .has_udx = true,
	    .udx.id = c->o.udx_id,
	    .has_secret_stream = true};
	struct buf addresses;
	struct hello h;

	if (c->o.propose != NULL) {
		p.has_relay_through = true;
		p.relay_through.key = c->propose.key;
		p.relay_through.token = c->propose.token;
	}

	hello_get(c->d, &h);
	p.firewall = c->firewall = hello_firewall(&h);
	buf_init(&addresses, HELLO_ADDRS_MAX * RPC_ADDR_LEN);
	hello_put(&addresses, h.address, c->o.local ? h.n : h.open);
	p.addresses4 = buf_view(&addresses);
	dht_payload_encode(b, &p);
	if (addresses.failed != ERR_OK)
		b->failed = addresses.failed;
	buf_deinit(&addresses);
}

static enum err_code
make_request(struct dht_connect *c, struct err *e)
{
	struct dht_handshake h = {.mode = DHT_FROM_CLIENT};
	struct buf payload, noise;
	enum err_code rc;

	buf_init(&payload, NOISE_PAYLOAD_MAX);
	buf_init(&noise, NOISE_MESSAGE_MAX);
	put_payload(&payload, c);
	if ((rc = buf_check(&payload, e)) == ERR_OK &&
	    (rc = direct_noise(&c->noise, &c->pair, &c->o.remote, e)) ==
		ERR_OK &&
	    (rc = noise_send(c->noise, buf_view(&payload), &noise, e)) ==
		ERR_OK) {
		h.noise = buf_view(&noise);
		dht_handshake_encode(&c->request, &h);
		rc = buf_check(&c->request, e);
	}
	buf_deinit(&payload);
	buf_deinit(&noise);
	return rc;
}

/* -- the answer ----------------------------------------------------------- */

static void
keep_ways(struct connect_shaken *s, const struct dht_payload *p)
{
	struct view list = p->holepunch.relays;
	size_t n = list.len / DHT_RELAY_INFO_LEN;
	struct connect_way way;

	s->id = p->holepunch.id;
	for (size_t i = 0; i < n && s->nways < CONNECT_RELAYS_MAX; i++) {
		rpc_addr_at(list, 2 * i, &way.relay);
		rpc_addr_at(list, 2 * i + 1, &way.server);
		if (node_may_send(&way.relay, &s->relay))
			s->way[s->nways++] = way;
	}
	s->has_ways = s->nways > 0;
}

struct addr
connect_where(const struct addr *server, const struct addr *relay)
{
	static const struct addr none;

	return node_may_send(server, relay) ? *server : none;
}

/* The relays to ask next time: the server's own list is from its point of
 * view, which is better than ours. */
static void
keep_relays(struct dht_connect *c, const struct dht_payload *p)
{
	struct addr relay[DHT_RELAYS_MAX], a;
	size_t told = p->relay_addresses.len / RPC_ADDR_LEN, n = 0;

	for (size_t i = 0; i < told && n < DHT_RELAYS_MAX; i++) {
		rpc_addr_at(p->relay_addresses, i, &a);
		if (node_may_send(&a, &c->s.relay))
			relay[n++] = a;
	}
	if (n == 0)
		relay[n++] = c->s.relay;
	commons_remember(c->d->commons, &c->o.remote, relay, n);
}

static bool
finish(struct dht_connect *c, const struct dht_payload *p)
{
	struct err e;

	if (direct_finish(&c->peer, c->noise, p, &c->s.server, &c->s.self,
		&e) != ERR_OK ||
	    punch_payload_secret(&c->secret, c->peer.keys.hash, &e) != ERR_OK)
		return false;
	c->s.firewall = p->firewall < DHT_FIREWALL_RANDOM
			    ? (enum dht_firewall)p->firewall
			    : DHT_FIREWALL_RANDOM;
	c->s.naddresses =
	    hello_list(p->addresses4, c->s.address, CONNECT_ADDRS_MAX);
	keep_ways(&c->s, p);
	keep_relays(c, p);
	return true;
}

/* The server's word goes before ours, as it does with the original. */
static void
propose_relay(struct dht_connect *c, const struct dht_payload *p)
{
	struct dht_relaying r = {
	    .key = p->relay_through.key, .token = p->relay_through.token};
	struct dht_peer peer;
	struct err e;

	if (c->o.meet == NULL || connect_is_direct(c))
		return;
	if (!p->has_relay_through) {
		if (c->o.propose == NULL)
			return;
		r = c->propose;
		r.initiator = true;
	}
	if (direct_finish(&peer, c->noise, p, &c->s.server, &c->s.self, &e) ==
	    ERR_OK)
		c->o.meet(c->o.ctx, &r, &peer, c->now);
}

/* It is proven that the holder of the key says this. */
static void
conclude(struct dht_connect *c, struct view payload)
{
	struct dht_payload p;

	if (!dht_payload_decode(&p, payload) || p.version != DHT_VERSION ||
	    p.error != DHT_ERROR_NONE || !p.has_udx)
		connect_fail(c, DHT_PEER_REFUSED);
	else if (!finish(c, &p))
		connect_fail(c, DHT_CONNECT_FAILED);
	else {
		propose_relay(c, &p);
		if (c->state == CONNECT_ENDED) /* cancelled by who was told */
			return;
		connect_find_stop(c);
		connect_choose(c);
	}
}

/* True: this was the answer; what follows has been decided. */
static bool
read_answer(struct dht_connect *c, const struct rpc_reply *reply)
{
	struct dht_handshake h;
	struct buf payload;
	struct err e;
	bool ok;

	if (reply->m == NULL || reply->m->error != RPC_OK ||
	    !dht_handshake_decode(&h, reply->m->value) || h.mode != DHT_REPLY ||
	    h.noise.len == 0)
		return false;
	buf_init(&payload, NOISE_PAYLOAD_MAX);
	ok = noise_recv(c->noise, h.noise, &payload, &e) == ERR_OK;
	if (ok) {
		c->s.relay = reply->from;
		c->s.relayed = h.peer.family != 0;
		c->s.server = reply->from;
		if (c->s.relayed)
			c->s.server = connect_where(&h.peer, &reply->from);
		c->s.self = reply->m->to;
		c->s.sock = reply->sock;
		conclude(c, buf_view(&payload));
	}
	buf_deinit(&payload);
	return ok;
}

/* -- handshakes under way ------------------------------------------------- */

static void pump(struct dht_connect *c);

static void
on_handshake(void *ctx, const struct rpc_reply *reply)
{
	struct connect_flight *f = ctx;
	struct dht_connect *c = f->connect;

	f->request = 0;
	c->now = reply->now;
	if (!read_answer(c, reply))
		pump(c);
}

static bool
fly(struct dht_connect *c, struct connect_flight *f, const struct addr *relay)
{
	const struct rpc_ask ask = {.to = *relay,
	    .sock = UINT32_MAX,
	    .command = DHT_PEER_HANDSHAKE,
	    .has_target = true,
	    .target = c->target,
	    .value = buf_view(&c->request),
	    .done = on_handshake,
	    .ctx = f};
	struct err e;

	f->connect = c;
	f->relay = *relay;
	return rpc_request(c->d->rpc, &ask, c->now, &f->request, &e) == ERR_OK;
}

/* The next relay that this flight may try; NULL: none now. */
static const struct addr *
next_relay(struct dht_connect *c, struct connect_flight *f)
{
	bool given = c->next_given < c->ngiven;

	for (size_t i = 0; i < CONNECT_FLIGHTS; i++)
		if (c->flight[i].request != 0 && c->flight[i].given)
			given = false;
	f->given = given;
	if (given)
		return &c->given[c->next_given++];
	if (c->next_found < c->nfound)
		return &c->found[c->next_found++];
	return NULL;
}

static void
pump(struct dht_connect *c)
{
	size_t flights = c->ngiven > 0 ? CONNECT_FLIGHTS : CONNECT_FLIGHTS - 1;
	const struct addr *relay;
	bool flying = false;

	for (size_t i = 0; i < flights; i++) {
		struct connect_flight *f = &c->flight[i];

		while (f->request == 0 && (relay = next_relay(c, f)) != NULL)
			(void)fly(c, f, relay);
		flying = flying || f->request != 0;
	}
	if (!flying && c->query == NULL)
		connect_fail(
		    c, c->nfound > 0 ? DHT_PEER_SILENT : DHT_PEER_NOT_FOUND);
}

/* -- who knows the server ------------------------------------------------- */

static bool
is_new(const struct dht_connect *c, const struct addr *a)
{
	for (size_t i = 0; i < c->ngiven; i++)
		if (addr_eq(&c->given[i], a))
			return false;
	for (size_t i = 0; i < c->nfound; i++)
		if (addr_eq(&c->found[i], a))
			return false;
	return true;
}

static void
on_reply(void *ctx, const struct rpc_reply *reply)
{
	struct dht_connect *c = ctx;
	struct dht_peer_record r;

	c->now = reply->now;
	if (reply->m->value.len == 0 ||
	    !dht_peer_record_decode(&r, reply->m->value) ||
	    !b32_eq(&r.key, &c->o.remote) || c->nfound == RPC_K)
		return;
	if (!is_new(c, &reply->from))
		return;
	c->found[c->nfound++] = reply->from;
	pump(c);
}

static void
on_searched(void *ctx, const struct rpc_node *closest, size_t n, size_t answers,
    size_t commits, uint64_t now)
{
	struct dht_connect *c = ctx;

	(void)closest, (void)n, (void)answers, (void)commits;
	c->query = NULL;
	c->now = now;
	pump(c);
}

static void
take_given(struct dht_connect *c)
{
	struct addr known[DHT_RELAYS_MAX], route;
	size_t n;

	if (router_route(c->d, &c->target, c->now, &route)) {
		c->given[c->ngiven++] = route;
		return;
	}
	for (size_t i = 0; i < c->o.nrelays && i < CONNECT_RELAYS_MAX; i++)
		c->given[c->ngiven++] = c->o.relay[i];
	if (c->ngiven > 0)
		return;
	n = commons_recall(c->d->commons, &c->o.remote, known);
	while (c->ngiven < n) {
		c->given[c->ngiven] = known[c->ngiven];
		c->ngiven++;
	}
}

enum err_code
connect_find(struct dht_connect *c, struct err *e)
{
	struct rpc_query_opts q = {.command = DHT_FIND_PEER,
	    .target = c->target,
	    .reply = on_reply,
	    .done = on_searched,
	    .ctx = c};
	enum err_code rc;

	if ((rc = make_request(c, e)) != ERR_OK)
		return rc;
	take_given(c);
	q.start = c->given;
	q.nstart = c->ngiven;
	if ((rc = rpc_query_start(&c->query, c->d->rpc, &q, c->now, e)) !=
	    ERR_OK)
		return rc;
	pump(c);
	return ERR_OK;
}

void
connect_find_stop(struct dht_connect *c)
{
	for (size_t i = 0; i < CONNECT_FLIGHTS; i++) {
		if (c->flight[i].request != 0)
			rpc_forget(c->d->rpc, c->flight[i].request);
		c->flight[i].request = 0;
	}
	if (c->query != NULL)
		rpc_query_cancel(c->query);
	c->query = NULL;
	noise_free(c->noise);
	c->noise = NULL;
}
