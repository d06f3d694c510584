/*
 * A server: hole punching (network.md 3.8). The client leads; each of its
 * messages is answered as soon as it is known what our own NAT is. All that
 * opens the way on our side are bytes: the first packet of the client's
 * stream tells where the way is.
 */
#include "crypto/hash.h"
#include "net/dht/server_impl.h"

void
server_pass(struct dht_server *s, uint32_t sock, const struct addr *to,
    uint16_t tid, enum dht_command c, const struct buf *value)
{
	const struct rpc_message m = {.tid = tid,
	    .command = (uint64_t)c,
	    .has_target = true,
	    .target = s->user.target,
	    .value = buf_view(value)};

	if (value->failed == ERR_OK)
		rpc_pass(s->d->rpc, sock, to, &m);
}

/* -- sockets -------------------------------------------------------------- */

void
server_punch_close(struct dht_server *s, struct session *x)
{
	if (x->punch == NULL)
		return;
	punch_free(x->punch, s->now);
	x->punch = NULL;
	x->question.waits = false;
	s->punches--;
}

/* The oldest that was opened for a client who has said nothing for so long. */
static struct session *
silent(struct dht_server *s, uint64_t patience)
{
	struct session *best = NULL;

	for (size_t i = 0; i < DHT_HANDSHAKES_MAX; i++) {
		struct session *x = &s->session[i];

		if (x->punch != NULL && !x->talked &&
		    s->now - x->since >= patience &&
		    (best == NULL || x->since < best->since))
			best = x;
	}
	return best;
}

/* Has its host, or the relay that it came through, more than its share? */
static bool
is_greedy(const struct dht_server *s, const struct session *x)
{
	size_t relay = 0, client = 0;

	for (size_t i = 0; i < DHT_HANDSHAKES_MAX; i++) {
		const struct session *y = &s->session[i];

		if (y->punch == NULL || !addr_same_host(&y->from, &x->from))
			continue;
		relay++;
		client += addr_same_host(&y->client, &x->client);
	}
	return relay > SERVER_PUNCHES_RELAY || client > SERVER_PUNCHES_CLIENT;
}

/* The oldest of those that have too many. To say something costs a client
 * next to nothing, so it does not keep the sockets from all others. */
static struct session *
greedy(struct dht_server *s)
{
	struct session *best = NULL;

	for (size_t i = 0; i < DHT_HANDSHAKES_MAX; i++) {
		struct session *x = &s->session[i];

		if (x->punch != NULL &&
		    s->now - x->since >= SERVER_PUNCH_PATIENCE_US &&
		    (best == NULL || x->since < best->since) && is_greedy(s, x))
			best = x;
	}
	return best;
}

static void
make_room(struct dht_server *s, uint64_t patience)
{
	struct session *other = silent(s, patience);

	if (other != NULL) {
		server_punch_close(s, other);
	} else if ((other = greedy(s)) != NULL) {
		server_punch_close(s, other);
		other->expires = s->now; /* given up in the next turn */
	}
}

void
server_punch_open(struct dht_server *s, struct session *x)
{
	/* a flood shall not open sockets, and ask nodes, at its own pace; who
	 * has proved that our answer reached him need not wait */
	uint64_t patience = x->talked ? 0 : SERVER_PUNCH_PATIENCE_US;
	struct err e;

	if (s->punches == SERVER_PUNCHES)
		make_room(s, patience);
	if (s->punches == SERVER_PUNCHES)
		return;
	if (punch_new(&x->punch, s->d, PUNCH_SECOND, x->remote, s->now, &e) ==
	    ERR_OK)
		s->punches++;
	else
		x->punch = NULL;
}

/* -- answers -------------------------------------------------------------- */

static void
reply(struct dht_server *s, const struct session *x,
    const struct session_question *q, uint32_t sock,
    const struct punch_payload *p)
{
	struct dht_holepunch h = {.mode = DHT_FROM_SERVER, .peer = q->peer};
	struct buf box, value;

	buf_init(&box, PUNCH_BOX_MAX);
	buf_init(&value, RPC_PACKET_MAX);
	punch_payload_seal(&box, p, &x->secret);
	h.payload = buf_view(&box);
	dht_holepunch_encode(&value, &h);
	if (box.failed == ERR_OK)
		server_pass(
		    s, sock, &q->from, q->tid, DHT_PEER_HOLEPUNCH, &value);
	buf_deinit(&box);
	buf_deinit(&value);
}

static void
refuse(struct dht_server *s, struct session *x,
    const struct session_question *q, enum dht_error error)
{
	const struct punch_payload p = {.error = error, .round = x->round};

	reply(s, x, q, q->sock, &p);
	server_give_up(s, x, "no way through the NATs");
}

/* Only who gets what the relay passes on to that host can give it back. */
static void
make_token(const struct dht_server *s, const struct session *x,
    const struct addr *peer, struct b32 *out)
{
	const struct view v[] = {view_of(peer->ip, 4), view_b32(&x->hash)};

	hash_keyed_batch(out, &s->token_key, v, 2);
}

static bool
is_ours(const struct nat *n, const struct addr *a)
{
	for (size_t i = 0; i < n->naddresses; i++)
		if (addr_eq(&n->address[i], a))
			return true;
	return false;
}

/* The client has opened its NAT for the address that it knows of us: if that
 * is what others see too, one byte is enough. If ours changes with everybody
 * whom we send to, one is still enough for a NAT that minds hosts only. */
static void
punch_fast(struct session *x, const struct session_question *q)
{
	const struct nat *n = &x->punch->nat;
	bool hits = false;

	switch (n->firewall) {
	case DHT_FIREWALL_UNKNOWN:
		return;
	case DHT_FIREWALL_OPEN:
	case DHT_FIREWALL_CONSISTENT:
		hits = is_ours(n, &q->said.remote);
		break;
	case DHT_FIREWALL_RANDOM:
		hits = addr_same_host(&n->address[0], &q->said.remote);
		break;
	}
	if (q->said.remote.family != 0 && hits)
		punch_byte(x->punch, &q->peer, PUNCH_FAR);
}

static void
answer(
    struct dht_server *s, struct session *x, const struct session_question *q)
{
	struct punch_payload p = {.round = x->round};
	struct punch *punch = x->punch;
	struct nat *n = &punch->nat;

	p.firewall = n->firewall;
	p.punching = punch->state != PUNCH_READY;
	p.has_addresses = n->firewall != DHT_FIREWALL_UNKNOWN;
	for (size_t i = 0; i < n->naddresses; i++)
		p.address[i] = n->address[i];
	p.naddresses = n->naddresses;
	p.has_token = announcer_is_relay(&s->announcer, &q->from);
	make_token(s, x, &q->peer, &p.token);
	p.has_remote_token = q->said.has_token;
	p.remote_token = q->said.token;
	n->frozen = n->frozen || n->firewall != DHT_FIREWALL_UNKNOWN;
	reply(s, x, q, punch_sock(punch), &p);
}

static void
respond(struct dht_server *s, struct session *x)
{
	struct session_question q = x->question;
	struct punch *p = x->punch;

	x->question.waits = false;
	punch_fast(x, &q);
	if (p->remote_punching) {
		if (punch_needs_random(p) && !punch_take_random(p, s->now)) {
			refuse(s, x, &q, DHT_ERROR_TRY_LATER);
			return;
		}
		if (!punch_start(p, s->now)) {
			refuse(s, x, &q, DHT_ERROR_ABORTED);
			return;
		}
		x->expires = UINT64_MAX; /* the punch has its own end */
	}
	answer(s, x, &q);
}

/* What our NAT is decides; if it cannot be told, a new socket may do better,
 * but not once the client says that it punches. */
static void
judge(struct dht_server *s, struct session *x)
{
	struct session_question *q = &x->question;

	switch (punch_nat(x->punch, q->allow, s->now)) {
	case PUNCH_ASKING:
		return;
	case PUNCH_STABLE:
		respond(s, x);
		return;
	case PUNCH_UNSTABLE:
		break;
	}
	if (x->punch->remote_punching) {
		respond(s, x);
	} else if (q->allow == PUNCH_KEEP) {
		q->allow = PUNCH_REOPEN;
		judge(s, x);
	} else {
		struct session_question copy = *q;

		refuse(s, x, &copy, DHT_ERROR_ABORTED);
	}
}

/* -- questions ------------------------------------------------------------ */

static void
take_said(struct dht_server *s, struct session *x, const struct addr *peer,
    const struct addr *relay, const struct punch_payload *said)
{
	struct b32 token;
	bool proven;

	make_token(s, x, peer, &token);
	proven = announcer_is_relay(&s->announcer, relay) &&
		 said->has_remote_token && b32_eq(&said->remote_token, &token);
	if (said->round < x->round)
		return;
	x->round = said->round;
	punch_update(x->punch, said, peer, proven);
}

void
server_holepunch(struct dht_server *s, const struct dht_holepunch *h,
    const struct rpc_incoming *in)
{
	struct session_question q = {.waits = true,
	    .from = in->from,
	    .peer = h->peer,
	    .sock = in->sock,
	    .tid = in->m.tid};
	struct session *x;

	if (h->id >= DHT_HANDSHAKES_MAX || h->peer.port == 0 ||
	    (rpc_addr_reserved(&h->peer) && !rpc_addr_reserved(&in->from)))
		return;
	x = &s->session[h->id];
	if (x->state != SESSION_FLYING || x->secret.ptr == NULL ||
	    !punch_payload_open(&q.said, h->payload, &x->secret))
		return;
	x->talked = true;
	if (x->punch == NULL)
		server_punch_open(s, x);
	if (x->punch == NULL || q.said.error != DHT_ERROR_NONE) {
		refuse(s, x, &q, DHT_ERROR_ABORTED);
		return;
	}
	if (punch_sock(x->punch) == in->sock)
		nat_add(&x->punch->nat, &in->m.to, &in->from);
	take_said(s, x, &h->peer, &in->from, &q.said);
	x->question = q;
	judge(s, x);
}

uint64_t
server_punch_turn(struct dht_server *s, struct session *x)
{
	uint64_t next;

	if (x->question.waits)
		judge(s, x);
	if (x->punch == NULL)
		return UINT64_MAX;
	next = punch_turn(x->punch, s->now);
	if (x->punch->state == PUNCH_EXHAUSTED) {
		server_give_up(s, x, "nothing came through the NATs");
		return UINT64_MAX;
	}
	return next;
}
