/*
 * A connect that knows the server's answer: which way to take (network.md
 * 3.6), and the rounds of a hole punch (3.8).
 *
 *	PROBE	ask the server, through a relay of its own, what its NAT is
 *	PAUSE	it does not know yet, or ports would have to be guessed, but
 *		a byte may come through in the meantime
 *	JUDGE	what our own NAT is; once more with a new socket if unstable
 *	ROUND	tell it, through the relay that answered us, to punch now
 *	PUNCH	until a byte comes
 */
#include "crypto/hash.h"
#include "net/dht/connect_impl.h"

#define PASSIVE_US UINT64_C(10000000)
#define PAUSE_US UINT64_C(1000000)
#define HOPE_US UINT64_C(250000)

/* -- a round -------------------------------------------------------------- */

static void on_round(void *ctx, const struct rpc_reply *reply);

/* Ask relay to pass p on to the server, as that relay sees it. */
static void
send_round(struct dht_connect *c, const struct connect_way *way,
    struct punch_payload *p)
{
	struct dht_holepunch h = {
	    .mode = DHT_FROM_CLIENT, .id = c->s.id, .peer = way->server};
	struct rpc_ask ask = {.to = way->relay,
	    .sock = punch_sock(c->punch),
	    .command = DHT_PEER_HOLEPUNCH,
	    .has_target = true,
	    .target = c->target,
	    .done = on_round,
	    .ctx = c};
	struct buf box, value;
	struct err e;

	p->round = c->round++;
	buf_init(&box, PUNCH_BOX_MAX);
	buf_init(&value, RPC_PACKET_MAX);
	punch_payload_seal(&box, p, &c->secret);
	h.payload = buf_view(&box);
	dht_holepunch_encode(&value, &h);
	ask.value = buf_view(&value);
	if (box.failed != ERR_OK || value.failed != ERR_OK ||
	    rpc_request(c->d->rpc, &ask, c->now, &c->asked, &e) != ERR_OK)
		c->asked = 0;
	buf_deinit(&box);
	buf_deinit(&value);
	if (c->asked == 0)
		connect_fail(c, DHT_CONNECT_FAILED);
}

/* What we say about ourselves. */
static void
say_nat(const struct dht_connect *c, struct punch_payload *p)
{
	const struct nat *n = &c->punch->nat;

	p->firewall = n->firewall;
	p->has_addresses = n->firewall != DHT_FIREWALL_UNKNOWN;
	for (size_t i = 0; i < n->naddresses; i++)
		p->address[i] = n->address[i];
	p->naddresses = n->naddresses;
}

static void
probe(struct dht_connect *c)
{
	struct punch_payload p = {.remote = c->s.server};

	/* our NAT lets the server's first byte in from now on */
	punch_byte(c->punch, &c->s.server, PUNCH_NEAR);
	say_nat(c, &p);
	c->state = CONNECT_PROBE;
	send_round(c, &c->way, &p);
}

/* The server may let go of its side; nobody waits for an answer. */
static void
give_up(struct dht_connect *c, enum dht_failure why)
{
	struct punch_payload p = {.error = DHT_ERROR_ABORTED};

	send_round(c, &c->way, &p);
	connect_fail(c, why);
}

/* The server's addresses of the hosts that the relay saw it at are good for
 * random ports if it gives our token back: it is there. */
static void
make_token(const struct dht_connect *c, struct b32 *out)
{
	hash_keyed(out, &c->token, view_of(c->s.server.ip, 4));
}

static void
start_round(struct dht_connect *c)
{
	struct connect_way way = {c->s.relay, c->s.server};
	struct punch_payload p = {.punching = true, .has_token = true};

	c->punch->nat.frozen = true;
	if (punch_needs_random(c->punch) &&
	    !punch_take_random(c->punch, c->now)) {
		give_up(c, DHT_PUNCH_FAILED);
		return;
	}
	say_nat(c, &p);
	make_token(c, &p.token);
	p.has_remote_token = c->has_remote_token;
	p.remote_token = c->remote_token;
	if (c->silent > 0)
		way = c->way;
	c->state = CONNECT_ROUND;
	send_round(c, &way, &p);
}

/* -- our NAT -------------------------------------------------------------- */

/* Before ports are guessed: a NAT that lets in all ports of a host that was
 * sent something needs no guess, and what was sent with the probe is that
 * something. Who is behind the random one sends. */
static void
hope(struct dht_connect *c)
{
	c->hoped = true;
	if (c->punch->nat.firewall == DHT_FIREWALL_RANDOM)
		punch_byte(c->punch, &c->s.server, PUNCH_FAR);
	c->state = CONNECT_PAUSE;
	c->deadline = c->now + HOPE_US;
}

static void
judged(struct dht_connect *c)
{
	enum dht_firewall ours = c->punch->nat.firewall;
	enum dht_firewall theirs = c->punch->remote_firewall;

	if (!c->probed_again &&
	    (theirs == DHT_FIREWALL_UNKNOWN || !c->has_remote_token)) {
		c->probed_again = true;
		probe(c);
	} else if (ours == DHT_FIREWALL_UNKNOWN ||
		   theirs == DHT_FIREWALL_UNKNOWN) {
		give_up(c, DHT_PUNCH_FAILED);
	} else if (ours == DHT_FIREWALL_RANDOM &&
		   theirs == DHT_FIREWALL_RANDOM) {
		give_up(c, DHT_CANNOT_PUNCH);
	} else if (punch_needs_random(c->punch) && !c->hoped) {
		hope(c);
	} else {
		start_round(c);
	}
}

static void
judge(struct dht_connect *c)
{
	enum punch_allow allow =
	    c->state == CONNECT_JUDGE ? PUNCH_KEEP : PUNCH_REOPEN;

	switch (punch_nat(c->punch, allow, c->now)) {
	case PUNCH_ASKING:
		return;
	case PUNCH_STABLE:
		if (c->state == CONNECT_JUDGE_AGAIN) {
			c->probed_again = true;
			probe(c); /* from the new socket */
			return;
		}
		judged(c);
		return;
	case PUNCH_UNSTABLE:
		if (c->state == CONNECT_JUDGE_AGAIN) {
			judged(c);
			return;
		}
		c->state = CONNECT_JUDGE_AGAIN;
		judge(c);
		return;
	}
}

/* -- answers -------------------------------------------------------------- */

/* The relay of the server that we have in common with it may know a better
 * address of it than the handshake told: it took another socket. */
static void
on_probed(struct dht_connect *c, const struct punch_payload *said,
    const struct addr *server)
{
	c->has_remote_token = said->has_token;
	c->remote_token = said->token;
	if (addr_eq(&c->way.relay, &c->s.relay) && server->family != 0 &&
	    !addr_eq(server, &c->s.server)) {
		c->s.server = *server;
		c->way.server = *server;
		punch_byte(c->punch, server, PUNCH_NEAR);
	}
	c->state = CONNECT_JUDGE;
	if (c->punch->remote_firewall == DHT_FIREWALL_UNKNOWN) {
		c->state = CONNECT_PAUSE;
		c->deadline = c->now + PAUSE_US;
		return;
	}
	judge(c);
}

static void
on_started(struct dht_connect *c)
{
	if (!c->punch->remote_punching || !punch_start(c->punch, c->now)) {
		connect_fail(c, DHT_PUNCH_FAILED);
		return;
	}
	c->state = CONNECT_PUNCH;
}

/* The relay is gone, or the line is bad: another one of the server's, each
 * at most once. */
static void
ask_elsewhere(struct dht_connect *c)
{
	if (++c->silent > c->s.nways) {
		connect_fail(c, DHT_PUNCH_FAILED);
		return;
	}
	for (size_t i = 0; i < c->s.nways; i++) {
		if (!addr_eq(&c->s.way[i].relay, &c->way.relay))
			continue;
		c->way = c->s.way[(i + 1) % c->s.nways];
		break;
	}
	if (c->state == CONNECT_ROUND)
		start_round(c);
	else
		probe(c);
}

static bool
read_round(struct dht_connect *c, const struct rpc_message *m,
    struct dht_holepunch *h, struct punch_payload *said)
{
	return m->error == RPC_OK && dht_holepunch_decode(h, m->value) &&
	       h->mode == DHT_REPLY &&
	       punch_payload_open(said, h->payload, &c->secret) &&
	       said->error == DHT_ERROR_NONE;
}

static void
on_round(void *ctx, const struct rpc_reply *reply)
{
	struct dht_connect *c = ctx;
	struct punch_payload said;
	struct dht_holepunch h;
	struct b32 token;
	bool proven;

	c->asked = 0;
	c->now = reply->now;
	if (reply->m == NULL) {
		ask_elsewhere(c);
		return;
	}
	if (!read_round(c, reply->m, &h, &said)) {
		connect_fail(c, DHT_PUNCH_FAILED);
		return;
	}
	make_token(c, &token);
	proven = c->state == CONNECT_ROUND && said.has_remote_token &&
		 b32_eq(&said.remote_token, &token);
	punch_update(c->punch, &said, &c->s.server, proven);
	if (h.peer.family == 0)
		h.peer = reply->from;
	h.peer = connect_where(&h.peer, &reply->from);
	if (c->state == CONNECT_ROUND) {
		on_started(c);
		return;
	}
	nat_add(&c->punch->nat, &reply->m->to, &reply->from);
	on_probed(c, &said, &h.peer);
}

/* -- the choice ----------------------------------------------------------- */

static void
on_pong(void *ctx, const struct rpc_reply *reply)
{
	struct dht_connect *c = ctx;

	c->ping = 0;
	c->now = reply->now;
	if (reply->m != NULL)
		connect_done(c, RPC_SOCK_SERVER, &c->neighbour, DHT_LAN);
	else if (c->punch == NULL)
		connect_fail(c, DHT_CONNECT_FAILED);
}

/* Both are behind one public address: the server may be a neighbour, and a
 * punch need not come back through that NAT. */
static void
try_neighbour(struct dht_connect *c)
{
	struct rpc_ask ask = {.sock = UINT32_MAX,
	    .internal = true,
	    .command = RPC_PING,
	    .done = on_pong,
	    .ctx = c};
	const struct addr *best;
	struct hello h;
	struct err e;

	if (c->s.naddresses == 0)
		return;
	hello_get(c->d, &h);
	best = hello_match(h.address, h.n, c->s.address, c->s.naddresses);
	c->neighbour = best != NULL ? *best : c->s.address[0];
	ask.to = c->neighbour;
	if (c->neighbour.port == 0 ||
	    rpc_request(c->d->rpc, &ask, c->now, &c->ping, &e) != ERR_OK)
		c->ping = 0;
}

static void
start_punch(struct dht_connect *c)
{
	struct err e;

	c->state = CONNECT_PUNCH; /* without one: the neighbour is left */
	if (punch_new(&c->punch, c->d, PUNCH_FIRST, c->s.firewall, c->now,
		&e) != ERR_OK) {
		if (c->ping == 0)
			connect_fail(c, DHT_CONNECT_FAILED);
		return;
	}
	c->way = c->s.way[0];
	for (size_t i = 0; i < c->s.nways; i++) {
		if (!addr_eq(&c->s.way[i].relay, &c->s.relay))
			continue;
		c->way = c->s.way[i];
		break;
	}
	probe(c);
}

/* Where an open server is: the first of its addresses that is one for
 * everybody, else where the relay saw it; it may not have told. */
static const struct addr *
public_address(const struct connect_shaken *s)
{
	for (size_t i = 0; i < s->naddresses; i++)
		if (s->address[i].port != 0 &&
		    !rpc_addr_reserved(&s->address[i]))
			return &s->address[i];
	return &s->server;
}

bool
connect_is_direct(const struct dht_connect *c)
{
	return c->early.family != 0 || !c->s.relayed || !c->s.has_ways ||
	       c->s.firewall == DHT_FIREWALL_OPEN ||
	       c->firewall == DHT_FIREWALL_OPEN;
}

/* An open server has connected its stream to where the handshake came from:
 * the socket that asked, whatever was found out about ours since. */
void
connect_choose(struct dht_connect *c)
{
	struct connect_shaken *s = &c->s;

	if (c->early.family != 0) {
		connect_done(c, c->early_sock, &c->early,
		    s->relayed ? DHT_OPEN : DHT_DIRECT);
	} else if (!s->relayed) {
		connect_done(c, s->sock, &s->relay, DHT_DIRECT);
	} else if (s->firewall == DHT_FIREWALL_OPEN || !s->has_ways) {
		if (public_address(s)->family == 0)
			connect_fail(c, DHT_CANNOT_PUNCH);
		else
			connect_done(c, s->sock, public_address(s), DHT_OPEN);
	} else if (c->firewall == DHT_FIREWALL_OPEN) {
		c->state = CONNECT_PASSIVE;
		c->deadline = c->now + PASSIVE_US;
	} else {
		if (c->o.local && addr_same_host(&s->self, &s->server))
			try_neighbour(c);
		start_punch(c);
	}
}

uint64_t
connect_way_turn(struct dht_connect *c)
{
	uint64_t next = UINT64_MAX, due;

	if (c->state == CONNECT_PASSIVE || c->state == CONNECT_PAUSE) {
		if (c->now < c->deadline)
			next = c->deadline;
		else if (c->state == CONNECT_PASSIVE)
			connect_fail(c, DHT_PUNCH_FAILED);
		else
			c->state = CONNECT_JUDGE;
	}
	if (c->state == CONNECT_JUDGE || c->state == CONNECT_JUDGE_AGAIN)
		judge(c);
	if (c->punch == NULL)
		return next;
	due = punch_turn(c->punch, c->now);
	if (c->punch->state == PUNCH_THROUGH) {
		struct addr from = c->punch->from;

		connect_done(c, punch_sock(c->punch), &from, DHT_PUNCHED);
		return UINT64_MAX;
	}
	if (c->punch->state == PUNCH_EXHAUSTED) {
		connect_fail(c, DHT_PUNCH_FAILED);
		return UINT64_MAX;
	}
	return due < next ? due : next;
}

void
connect_way_stop(struct dht_connect *c)
{
	if (c->ping != 0)
		rpc_forget(c->d->rpc, c->ping);
	if (c->asked != 0)
		rpc_forget(c->d->rpc, c->asked);
	c->ping = c->asked = 0;
	punch_free(c->punch, c->now);
	c->punch = NULL;
}
