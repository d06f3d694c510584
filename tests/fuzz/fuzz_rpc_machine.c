/*
 * A node of the DHT, and whatever may come by datagram. Input: commands of
 * one byte, some with arguments. The node never sends to port 0, to itself,
 * or to where no host can be; an answer is at most four times as large as its
 * question; memory and work have an end; its deadlines move on.
 */
#include <string.h>

#include "codec/dec.h"
#include "net/rpc/impl.h"
#include "support/vec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEPT 64
#define QUERIES 4
#define PORT 49737
#define FACTOR 4
#define HEADERS 28 /* of IP and UDP */

struct kept {
	struct rpc_message m;
	uint32_t sock;
	struct addr to;
};

struct slot {
	struct world *world;
	struct rpc_query *q; /* NULL: none */
};

struct world {
	struct rpc *r;
	uint64_t now;
	struct kept kept[KEPT]; /* requests of the node, the last ones */
	size_t nkept;
	size_t question; /* length of the datagram under way, 0: none */
	uint64_t request;
	struct slot slot[QUERIES];
	size_t sent;
	bool self_known;
};

static const struct addr self = {4, PORT, {8, 9, 9, 9}};

/* Half of them public, one private, one on the loopback. */
static struct addr
host_of(uint8_t i)
{
	struct addr a = {4, 1000, {8, 0, 0, (uint8_t)(i & 31)}};

	if ((i & 0xc0) == 0x40)
		a.ip[0] = 10;
	if ((i & 0xc0) == 0x80)
		a.ip[0] = 127;
	return a;
}

static void
on_send(void *ctx, uint32_t sock, const struct addr *to, struct view packet)
{
	struct world *w = ctx;
	struct rpc_message m;
	struct kept *k;

	check(packet.len <= RPC_PACKET_MAX && rpc_decode(&m, packet));
	check(to->family == 4 && to->port != 0 && addr_eq(&m.to, to));
	check(!m.has_id || sock == RPC_SOCK_SERVER);
	check(++w->sent < 100000);
	if (m.reply) {
		check(w->question == 0 ||
		      packet.len + HEADERS <= FACTOR * (w->question + HEADERS));
		return;
	}
	check(!w->self_known || !addr_eq(to, &self));
	check(to->ip[0] != 0 && to->ip[0] < 224);
	k = &w->kept[w->nkept++ % KEPT];
	k->m = m;
	k->m.value = k->m.closer = VIEW_EMPTY;
	k->sock = sock;
	k->to = *to;
}

static void
on_request(void *ctx, const struct rpc_incoming *in)
{
	struct world *w = ctx;

	check(!in->proven || in->m.has_token);
	if (in->m.command == 9)
		rpc_pass(w->r, RPC_SOCK_SERVER, &in->from, &in->m);
	else
		rpc_answer(w->r, in, RPC_OK, VIEW_EMPTY, 0);
}

static void
on_event(void *ctx, enum rpc_event ev)
{
	struct world *w = ctx;
	struct rpc_about a;

	rpc_about(w->r, &a);
	check(ev != RPC_PERSISTENT || a.persistent);
	check(ev != RPC_EPHEMERAL || !a.persistent);
}

static void
on_done(void *ctx, const struct rpc_node *closest, size_t n, size_t answers,
    size_t commits, uint64_t now)
{
	struct slot *s = ctx;

	check(n <= RPC_K && n <= answers && commits <= n);
	check(now == s->world->now);
	for (size_t i = 0; i < n; i++) {
		struct b32 id;

		rpc_node_id(&id, &closest[i].addr);
		check(b32_eq(&id, &closest[i].id));
	}
	s->q = NULL;
}

static void
on_reply(void *ctx, const struct rpc_reply *reply)
{
	struct slot *s = ctx;

	check(reply->m != NULL && reply->m->error == 0);
	if (reply->m->value.len == 1) {
		rpc_query_cancel(s->q);
		s->q = NULL;
	}
}

static bool
on_commit(void *ctx, const struct rpc_node *n, struct rpc_ask *ask)
{
	(void)ctx;
	ask->value = view_str("v");
	return n->has_token;
}

/* -- commands ---------------------------------------------------------------- */

static void
datagram(struct world *w, struct dec *d)
{
	struct addr from = host_of(dec_u8(d));
	uint32_t sock = dec_u8(d) & 1;
	struct view v = dec_bytes(d, 2000);

	w->question = v.len;
	rpc_recv(w->r, sock, v, &from, w->now);
	w->question = 0;
}

/* A request with all that belongs to it. */
static void
request(struct world *w, struct dec *d)
{
	struct addr from = host_of(dec_u8(d));
	uint8_t f = dec_u8(d);
	struct rpc_message m = {.tid = f,
	    .has_id = (f & 1) != 0,
	    .internal = (f & 2) != 0,
	    .has_target = (f & 4) != 0,
	    .has_token = (f & 8) != 0,
	    .command = dec_u8(d) % 10};
	struct buf b;

	rpc_node_id(&m.id, &from);
	m.target.b[0] = f;
	if (m.has_token)
		tokens_make(&w->r->tokens, &from, w->now, &m.token);
	m.value = dec_bytes(d, 64);
	buf_init(&b, RPC_PACKET_MAX);
	rpc_encode(&b, &m);
	w->question = b.len;
	rpc_recv(w->r, RPC_SOCK_SERVER, buf_view(&b), &from, w->now);
	w->question = 0;
	buf_deinit(&b);
}

/* An answer to one of the last requests, true or not. */
static void
reply(struct world *w, struct dec *d)
{
	const struct kept *k = &w->kept[dec_u8(d) % KEPT];
	uint8_t f = dec_u8(d);
	struct rpc_message m = {.reply = true,
	    .tid = k->m.tid,
	    .has_id = (f & 1) != 0,
	    .has_token = (f & 2) != 0,
	    .error = (f & 4) != 0 ? f >> 6 : 0};
	struct addr from = (f & 8) != 0 ? host_of(f) : k->to;
	struct buf b;

	if (from.family != 4)
		return;
	rpc_node_id(&m.id, &from);
	m.to = (f & 16) != 0 ? self : host_of(f);
	m.closer = dec_bytes(d, 40 * RPC_ADDR_LEN);
	m.closer.len -= m.closer.len % RPC_ADDR_LEN;
	m.value = dec_bytes(d, 3);
	buf_init(&b, RPC_PACKET_MAX);
	rpc_encode(&b, &m);
	rpc_recv(w->r, (f & 32) != 0 ? RPC_SOCK_SERVER : k->sock, buf_view(&b),
	    &from, w->now);
	buf_deinit(&b);
}

static void
turn(struct world *w, uint64_t step)
{
	uint64_t due;

	w->now += step;
	due = rpc_turn(w->r, w->now);
	if (due <= w->now)
		due = rpc_turn(w->r, w->now);
	check(due > w->now && due <= w->now + RPC_TICK_US);
}

static void
query(struct world *w, uint8_t c)
{
	struct slot *s = &w->slot[(c >> 1) % QUERIES];
	struct addr near = host_of(c);
	struct rpc_query_opts o = {.internal = (c & 1) != 0,
	    .command = c & 7,
	    .start = &near,
	    .nstart = 1,
	    .background = (c & 16) != 0,
	    .reply = on_reply,
	    .commit = (c & 32) != 0 ? on_commit : NULL,
	    .done = on_done,
	    .ctx = s};
	struct err e = ERR_INIT;

	o.target.b[0] = c;
	s->world = w;
	if (s->q != NULL)
		rpc_query_cancel(s->q);
	s->q = NULL;
	check_ok(rpc_query_start(&s->q, w->r, &o, w->now, &e), &e);
}

static void
ask(struct world *w, uint8_t c)
{
	struct rpc_ask a = {.to = host_of(c),
	    .sock = UINT32_MAX,
	    .internal = (c & 1) != 0,
	    .command = c & 7};
	struct err e = ERR_INIT;

	rpc_forget(w->r, (c & 2) != 0 ? w->request : c);
	check_ok(rpc_request(w->r, &a, w->now, &w->request, &e), &e);
}

static void
command(struct world *w, struct dec *d)
{
	uint8_t c = dec_u8(d);

	switch (c % 8) {
	case 0:
		datagram(w, d);
		break;
	case 1:
		request(w, d);
		break;
	case 2:
	case 3:
		reply(w, d);
		break;
	case 4:
		turn(w, (uint64_t)dec_u8(d) * 20000);
		break;
	case 5:
		turn(w, (uint64_t)dec_u8(d) * RPC_SECOND);
		break;
	case 6:
		query(w, dec_u8(d));
		break;
	default:
		if (c == 0xff)
			rpc_renew(w->r, w->now);
		ask(w, dec_u8(d));
		break;
	}
	check(w->r->routes.n <= ROUTES_ROWS * ROUTES_K);
}

static void
world_new(struct world *w, uint8_t how)
{
	static const struct b32 seed = {{1}};
	struct addr boot = host_of(1);
	struct rpc_env env = {w, on_send, on_request, on_event};
	struct rpc_opts o = {.role = how % 3,
	    .port = PORT,
	    .open = (how & 4) != 0,
	    .bootstrap = &boot,
	    .nbootstrap = 1,
	    .seed = &seed};
	struct err e = ERR_INIT;

	memset(w, 0, sizeof(*w));
	w->now = RPC_SECOND;
	w->self_known = (how & 8) != 0;
	if (w->self_known)
		o.self = &self;
	check_ok(rpc_new(&w->r, &o, &env, w->now, &e), &e);
	turn(w, 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w;
	struct dec d;

	dec_init(&d, view_of(data, size));
	world_new(&w, dec_u8(&d));
	for (size_t n = 0; n < 200 && dec_ok(&d) && dec_left(&d) > 0; n++)
		command(&w, &d);
	for (size_t n = 0; n < 12; n++)
		turn(&w, RPC_SECOND);
	rpc_free(w.r);
	return 0;
}
