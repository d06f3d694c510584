/*
 * Handshakes and hole punch messages of others (network.md 3.4, 3.8): first a
 * server of ours, else whoever announced itself here. A relay keeps nothing:
 * what it passes on has the tid of the one that asked, and the reply finds
 * its way by the addresses inside.
 *
 * One packet in is at most one packet out, longer by two addresses. Nobody
 * from elsewhere makes the node send into its own network.
 */
#include "net/dht/node_impl.h"

bool
router_route(
    struct dht *d, const struct b32 *target, uint64_t now, struct addr *out)
{
	struct view record;

	return records_get(
	    d->records, RECORDS_ROUTE, target, now, &record, out);
}

/* May a packet of in->from make us send there? */
static bool
passable(struct dht *d, const struct rpc_incoming *in, const struct addr *to)
{
	struct rpc_about about;

	if (!node_may_send(to, &in->from))
		return false;
	rpc_about(d->rpc, &about);
	return !addr_eq(to, &about.self);
}

enum pass { PASS_REQUEST, PASS_REPLY };

static void
pass(struct dht *d, const struct rpc_incoming *in, enum pass how,
    const struct addr *to, const struct buf *value)
{
	const struct rpc_message m = {.reply = how == PASS_REPLY,
	    .tid = in->m.tid,
	    .command = in->m.command,
	    .has_target = how == PASS_REQUEST,
	    .target = in->m.target,
	    .value = buf_view(value)};

	/* one that does not fit is lost, like any packet may be */
	if (value->failed == ERR_OK && passable(d, in, to))
		rpc_pass(d->rpc, in->sock, to, &m);
}

/* -- PEER_HANDSHAKE ------------------------------------------------------- */

static void
pass_handshake(struct dht *d, const struct rpc_incoming *in, enum pass how,
    const struct addr *to, const struct dht_handshake *h)
{
	struct buf b;

	buf_init(&b, RPC_PACKET_MAX);
	dht_handshake_encode(&b, h);
	pass(d, in, how, to, &b);
	buf_deinit(&b);
}

static void
relay_handshake(
    struct dht *d, const struct dht_handshake *h, const struct rpc_incoming *in)
{
	struct dht_handshake next = {.noise = h->noise};
	struct addr to;
	bool route = router_route(d, &in->m.target, in->now, &to);

	switch ((enum dht_mode)h->mode) {
	case DHT_FROM_CLIENT:
		if (h->relay.family != 0)
			to = h->relay;
		else if (!route) {
			/* nodes that are closer may know more */
			rpc_answer(
			    d->rpc, in, RPC_OK, VIEW_EMPTY, RPC_NO_TOKEN);
			return;
		}
		next.mode = DHT_FROM_RELAY;
		next.peer = in->from;
		pass_handshake(d, in, PASS_REQUEST, &to, &next);
		return;
	case DHT_FROM_RELAY:
		if (!route || h->peer.family == 0)
			return;
		next.mode = DHT_FROM_SECOND_RELAY;
		next.peer = h->peer;
		next.relay = in->from;
		pass_handshake(d, in, PASS_REQUEST, &to, &next);
		return;
	case DHT_FROM_SERVER:
		next.mode = DHT_REPLY;
		next.peer = in->from;
		pass_handshake(d, in, PASS_REPLY, &h->peer, &next);
		return;
	case DHT_FROM_SECOND_RELAY:
	case DHT_REPLY:
		return;
	}
}

void
router_handshake(struct dht *d, const struct rpc_incoming *in)
{
	struct dht_handshake h;
	struct node_user *server;

	if (!in->m.has_target || !dht_handshake_decode(&h, in->m.value) ||
	    h.noise.len == 0)
		return;
	server = node_server(d, &in->m.target);
	if (server == NULL)
		relay_handshake(d, &h, in);
	else if (h.mode == DHT_FROM_CLIENT || h.mode == DHT_FROM_RELAY ||
		 h.mode == DHT_FROM_SECOND_RELAY)
		server->ops->handshake(server, &h, in);
}

/* -- PEER_HOLEPUNCH ------------------------------------------------------- */

static void
pass_holepunch(struct dht *d, const struct rpc_incoming *in, enum pass how,
    const struct addr *to, const struct dht_holepunch *h)
{
	struct buf b;

	buf_init(&b, RPC_PACKET_MAX);
	dht_holepunch_encode(&b, h);
	pass(d, in, how, to, &b);
	buf_deinit(&b);
}

void
router_holepunch(struct dht *d, const struct rpc_incoming *in)
{
	struct dht_holepunch h, next;
	struct node_user *server;
	struct addr to;

	if (!in->m.has_target || !dht_holepunch_decode(&h, in->m.value))
		return;
	next = h;
	next.peer = in->from;
	switch ((enum dht_mode)h.mode) {
	case DHT_FROM_CLIENT:
		to = h.peer;
		if (to.family == 0 &&
		    !router_route(d, &in->m.target, in->now, &to))
			return;
		next.mode = DHT_FROM_RELAY;
		pass_holepunch(d, in, PASS_REQUEST, &to, &next);
		return;
	case DHT_FROM_RELAY:
		server = node_server(d, &in->m.target);
		if (server != NULL && server->ops->holepunch != NULL &&
		    h.peer.family != 0)
			server->ops->holepunch(server, &h, in);
		return;
	case DHT_FROM_SERVER:
		next.mode = DHT_REPLY;
		pass_holepunch(d, in, PASS_REPLY, &h.peer, &next);
		return;
	case DHT_FROM_SECOND_RELAY:
	case DHT_REPLY:
		return;
	}
}
