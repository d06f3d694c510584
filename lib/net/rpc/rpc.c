#include <stdlib.h>
#include <string.h>

#include "codec/enc.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "net/rpc/impl.h"

#define DELAY_MAX_MS 10000

/* Requests of one host that are answered, a second and at once. Hosts that
 * are not of the public internet may hold whole networks of nodes. */
static const struct limit_rate limit_public = {100, 1000};
static const struct limit_rate limit_local = {20000, 100000};

/* -- life ------------------------------------------------------------------ */

void
rpc_random32(struct rpc *r, struct b32 *out)
{
	uint64_t n = r->nrandom++;

	hash_keyed(out, &r->seed, view_of(&n, sizeof(n)));
}

uint64_t
rpc_random(struct rpc *r, uint64_t below)
{
	struct b32 x;
	uint64_t n;

	rpc_random32(r, &x);
	memcpy(&n, x.b, sizeof(n));
	return n % below;
}

static void
take_opts(struct rpc *r, const struct rpc_opts *o)
{
	r->role = o->role;
	r->port = o->port;
	r->open = o->open;
	if (o->self != NULL)
		r->self = *o->self;
	r->nbootstrap = o->nbootstrap;
	if (r->nbootstrap > 0)
		memcpy(r->bootstrap, o->bootstrap,
		    r->nbootstrap * sizeof(r->bootstrap[0]));
	if (o->seed != NULL)
		r->seed = *o->seed;
	else
		secret_random(&r->seed, sizeof(r->seed));
}

enum err_code
rpc_new(struct rpc **out, const struct rpc_opts *o, const struct rpc_env *env,
    uint64_t now, struct err *e)
{
	struct b32 a, b;
	struct rpc *r;

	if (o->nbootstrap > RPC_BOOTSTRAP_MAX)
		return err_set(e, ERR_LIMIT,
		    "%zu bootstrap nodes, where %d are enough", o->nbootstrap,
		    RPC_BOOTSTRAP_MAX);
	if ((r = calloc(1, sizeof(*r))) == NULL)
		return err_nomem(e);
	r->env = *env;
	take_opts(r, o);
	rpc_random32(r, &a);
	rpc_random32(r, &b);
	tokens_init(&r->tokens, &a, &b, now);
	secret_wipe(&a, sizeof(a));
	secret_wipe(&b, sizeof(b));
	limit_init(&r->limit);
	rpc_random32(r, &a);
	routes_init(&r->routes, &a);
	buf_init(&r->out, RPC_PACKET_MAX);
	r->requests.slot_end = now + RPC_SLOT_US;
	rpc_reach_init(r, o);
	rpc_upkeep_init(r, o, now);
	*out = r;
	return ERR_OK;
}

void
rpc_free(struct rpc *r)
{
	if (r == NULL)
		return;
	rpc_queries_free(r);
	rpc_requests_free(r);
	routes_deinit(&r->routes);
	tokens_deinit(&r->tokens);
	buf_deinit(&r->out);
	secret_wipe(&r->seed, sizeof(r->seed));
	free(r);
}

void
rpc_tell(struct rpc *r, enum rpc_event ev)
{
	if (r->env.event != NULL)
		r->env.event(r->env.ctx, ev);
}

/* -- packets out ----------------------------------------------------------- */

uint32_t
rpc_sock(const struct rpc *r)
{
	return r->reach.firewalled ? RPC_SOCK_CLIENT : RPC_SOCK_SERVER;
}

bool
rpc_transmit(struct rpc *r, uint32_t sock, const struct addr *to,
    const struct rpc_message *m)
{
	struct rpc_message all = *m;

	all.to = *to;
	all.has_id = r->reach.persistent && sock == RPC_SOCK_SERVER;
	all.id = r->routes.id;
	buf_reset(&r->out);
	rpc_encode(&r->out, &all);
	if (r->out.failed != ERR_OK)
		return false;
	r->env.send(r->env.ctx, sock, to, buf_view(&r->out));
	return true;
}

void
rpc_pass(struct rpc *r, uint32_t sock, const struct addr *to,
    const struct rpc_message *m)
{
	(void)rpc_transmit(r, sock, to, m);
}

static void
closer_nodes(struct rpc *r, const struct b32 *target, struct buf *out)
{
	struct route *near[RPC_K];
	size_t n = routes_closest(&r->routes, target, near, RPC_K);

	for (size_t i = 0; i < n; i++)
		rpc_addr_put(out, &near[i]->addr);
}

void
rpc_answer(struct rpc *r, const struct rpc_incoming *in, enum rpc_error error,
    struct view value, int flags)
{
	struct rpc_message m = {.reply = true,
	    .tid = in->m.tid,
	    .error = error,
	    .value = value,
	    .has_token = (flags & RPC_NO_TOKEN) == 0};
	struct buf closer;

	buf_init(&closer, (size_t)RPC_K * RPC_ADDR_LEN);
	if (m.has_token)
		tokens_make(&r->tokens, &in->from, in->now, &m.token);
	if (in->m.has_target && (flags & RPC_NO_CLOSER) == 0)
		closer_nodes(r, &in->m.target, &closer);
	if (closer.failed == ERR_OK)
		m.closer = buf_view(&closer);
	if (!rpc_transmit(r, in->sock, &in->from, &m)) {
		m.closer = VIEW_EMPTY;
		(void)rpc_transmit(r, in->sock, &in->from, &m);
	}
	buf_deinit(&closer);
}

static void
unknown(struct rpc *r, const struct rpc_incoming *in)
{
	rpc_answer(r, in, RPC_UNKNOWN_COMMAND, VIEW_EMPTY, RPC_NO_TOKEN);
}

/* An answer that says no more than that we are here. */
static void
plain(struct rpc *r, const struct rpc_incoming *in)
{
	rpc_answer(r, in, RPC_OK, VIEW_EMPTY, RPC_NO_TOKEN | RPC_NO_CLOSER);
}

/* -- the internal commands (2.2) ------------------------------------------- */

static void
ping_nat(struct rpc *r, const struct rpc_incoming *in)
{
	struct rpc_incoming there = *in;
	struct dec d;

	dec_init(&d, in->m.value);
	there.from.port = dec_u16le(&d);
	if (dec_ok(&d) && there.from.port != 0)
		plain(r, &there);
}

static void
down_hint(struct rpc *r, const struct rpc_incoming *in)
{
	struct addr node;
	struct dec d;

	dec_init(&d, in->m.value);
	rpc_addr_get(&d, &node);
	if (!dec_ok(&d))
		return;
	rpc_heard_down(r, &node, in->now);
	plain(r, in);
}

static void
delayed_ping(struct rpc *r, const struct rpc_incoming *in)
{
	struct dec d;
	uint32_t ms;

	dec_init(&d, in->m.value);
	ms = dec_u32le(&d);
	if (!dec_ok(&d) || ms > DELAY_MAX_MS || r->ndelayed == RPC_DELAYED_MAX)
		return;
	r->delayed[r->ndelayed++] = (struct delayed){
	    in->now + ms * UINT64_C(1000), in->sock, in->m.tid, in->from};
}

static void
internal(struct rpc *r, const struct rpc_incoming *in)
{
	switch (in->m.command) {
	case RPC_PING:
		plain(r, in);
		break;
	case RPC_PING_NAT:
		ping_nat(r, in);
		break;
	case RPC_FIND_NODE:
		if (in->m.has_target)
			rpc_answer(r, in, RPC_OK, VIEW_EMPTY, RPC_NO_TOKEN);
		break;
	case RPC_DOWN_HINT:
		down_hint(r, in);
		break;
	case RPC_DELAYED_PING:
		delayed_ping(r, in);
		break;
	default:
		unknown(r, in);
		break;
	}
}

static void
delayed_turn(struct rpc *r, uint64_t now)
{
	const int flags = RPC_NO_TOKEN | RPC_NO_CLOSER;
	size_t i = 0;

	while (i < r->ndelayed) {
		struct delayed d = r->delayed[i];
		struct rpc_incoming in = {
		    .m = {.tid = d.tid}, .from = d.to, .sock = d.sock};

		if (d.due > now) {
			i++;
			continue;
		}
		r->delayed[i] = r->delayed[--r->ndelayed];
		rpc_answer(r, &in, RPC_OK, VIEW_EMPTY, flags);
	}
}

static uint64_t
delayed_deadline(const struct rpc *r)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < r->ndelayed; i++)
		if (r->delayed[i].due < due)
			due = r->delayed[i].due;
	return due;
}

/* -- packets in ------------------------------------------------------------ */

static bool
welcome(struct rpc *r, const struct addr *from, uint64_t now)
{
	return limit_take(&r->limit, from,
	    rpc_addr_reserved(from) ? &limit_local : &limit_public, NULL, now);
}

static void
recv_request(struct rpc *r, struct rpc_incoming *in)
{
	if (!welcome(r, &in->from, in->now))
		return;
	if (in->m.has_token) {
		if (!tokens_right(
			&r->tokens, &in->from, &in->m.token, in->now)) {
			rpc_answer(r, in, RPC_INVALID_TOKEN, VIEW_EMPTY, 0);
			return;
		}
		in->proven = true;
	}
	rpc_heard_request(r, in, in->now);
	if (in->m.internal)
		internal(r, in);
	else if (r->env.request != NULL)
		r->env.request(r->env.ctx, in);
	else
		unknown(r, in);
}

static void
recv_reply(struct rpc *r, uint32_t sock, const struct rpc_message *m,
    const struct addr *from, uint64_t now)
{
	uint64_t number = rpc_request_find(r, m->tid, from);

	if (number == 0)
		return;
	/* tells of a new address: who hears that may forget the request */
	rpc_heard_reply(r, sock, m, from, now);
	rpc_request_answer(r, number, m, sock, now);
}

void
rpc_recv(struct rpc *r, uint32_t sock, struct view datagram,
    const struct addr *from, uint64_t now)
{
	struct rpc_incoming in = {.from = *from, .sock = sock, .now = now};

	if (from->family != 4 || from->port == 0 ||
	    !rpc_decode(&in.m, datagram))
		return;
	in.m.has_id = rpc_id_valid(&in.m, from);
	if (in.m.reply)
		recv_reply(r, sock, &in.m, from, now);
	else
		recv_request(r, &in);
}

/* -- time ------------------------------------------------------------------ */

uint64_t
rpc_turn(struct rpc *r, uint64_t now)
{
	uint64_t due[2];
	uint64_t first;

	rpc_reach_turn(r, now);
	rpc_requests_turn(r, now);
	rpc_upkeep_turn(r, now);
	delayed_turn(r, now);
	rpc_queries_turn(r, now);
	if (rpc_queries_due(r))
		return now;
	first = rpc_upkeep_deadline(r);
	due[0] = rpc_requests_deadline(r);
	due[1] = delayed_deadline(r);
	for (size_t i = 0; i < 2; i++)
		if (due[i] < first)
			first = due[i];
	return first;
}

/* -- what it knows --------------------------------------------------------- */

bool
rpc_is_self(const struct rpc *r, const struct addr *a)
{
	const struct addr *self = rpc_reach_self(r);

	return self->family != 0 && self->port != 0 && addr_eq(self, a);
}

void
rpc_about(const struct rpc *r, struct rpc_about *out)
{
	*out = (struct rpc_about){.ready = r->reach.told_ready,
	    .firewalled = r->reach.firewalled,
	    .persistent = r->reach.persistent,
	    .self = *rpc_reach_self(r),
	    .samples = r->reach.nat.size,
	    .nodes = r->routes.n,
	    .online = r->upkeep.online && r->upkeep.answers > 0};
	if (out->persistent)
		out->id = r->routes.id;
}

size_t
rpc_known(const struct rpc *r, struct addr *out, size_t n)
{
	size_t i = 0;

	for (const struct route *x = r->routes.latest; x != NULL && i < n;
	     x = x->older)
		out[i++] = x->addr;
	return i;
}
