/* One persistent node, asked packet by packet; what it sends is kept. */
#ifndef TESTS_DHT_LONE_H
#define TESTS_DHT_LONE_H

#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "net/dht/node_impl.h"
#include "support/vec.h"

#define LONE_SENT 8
#define LONE_WALL_MS UINT64_C(1700000000000)

struct lone_packet {
	struct addr to;
	uint32_t sock;
	size_t len;
	uint8_t data[RPC_PACKET_MAX];
};

struct lone {
	struct dht *d;
	struct addr self, client; /* client: who asks */
	uint64_t now;
	uint16_t tid;
	struct b32 id; /* of the node */
	struct lone_packet sent[LONE_SENT];
	size_t nsent;
	struct rpc_message m; /* the last packet that was sent */
};

static inline struct addr
lone_addr(unsigned a, unsigned d, unsigned port)
{
	struct addr x = {.family = 4, .port = (uint16_t)port};

	x.ip[0] = (uint8_t)a;
	x.ip[1] = 1;
	x.ip[3] = (uint8_t)d;
	return x;
}

static inline void
lone_send(void *ctx, uint32_t sock, const struct addr *to, struct view v,
    unsigned ttl)
{
	struct lone *l = ctx;
	struct lone_packet *p = &l->sent[l->nsent++];

	check(l->nsent <= LONE_SENT && v.len <= sizeof(p->data) && ttl == 0);
	p->to = *to;
	p->sock = sock;
	p->len = v.len;
	memcpy(p->data, v.ptr, v.len);
	check(rpc_decode(&l->m, view_of(p->data, p->len)));
}

static inline uint64_t
lone_wall(void *ctx)
{
	(void)ctx;
	return LONE_WALL_MS;
}

static inline struct lone *
lone_new(enum rpc_role role)
{
	struct lone *l = calloc(1, sizeof(*l));
	const struct dht_env env = {
	    .ctx = l, .send = lone_send, .wall_ms = lone_wall};
	struct dht_opts o = {.rpc = {.role = role, .open = true}};
	struct err e = ERR_INIT;
	struct rpc_about about;

	check(l != NULL);
	l->now = 1000000;
	l->self = lone_addr(80, 1, 4000);
	l->client = lone_addr(80, 2, 5000);
	o.rpc.port = l->self.port;
	o.rpc.self = role == RPC_SERVER ? &l->self : NULL;
	check_ok(dht_new(&l->d, &o, &env, l->now, &e), &e);
	(void)dht_turn(l->d, l->now);
	rpc_about(dht_rpc(l->d), &about);
	check(about.persistent == (role == RPC_SERVER));
	l->id = about.id;
	l->nsent = 0;
	return l;
}

static inline void
lone_free(struct lone *l)
{
	dht_free(l->d);
	free(l);
}

/* A request of l->client. True: it was answered, to him; l->m is the answer.
 * What else is sent is not counted. */
static inline bool
lone_ask(struct lone *l, uint64_t command, const struct b32 *target,
    const struct b32 *token, struct view value)
{
	struct rpc_message m = {.tid = ++l->tid,
	    .to = l->self,
	    .command = command,
	    .has_target = target != NULL,
	    .has_token = token != NULL,
	    .value = value};
	struct buf b;

	if (target != NULL)
		m.target = *target;
	if (token != NULL)
		m.token = *token;
	buf_init(&b, 4096);
	rpc_encode(&b, &m);
	check(b.failed == ERR_OK);
	l->nsent = 0;
	dht_recv(l->d, RPC_SOCK_SERVER, buf_view(&b), &l->client, l->now);
	buf_deinit(&b);
	return l->nsent == 1 && l->m.reply && l->m.tid == l->tid &&
	       addr_eq(&l->sent[0].to, &l->client);
}

/* A token for the client. */
static inline struct b32
lone_token(struct lone *l, const struct b32 *target)
{
	check(lone_ask(l, DHT_FIND_PEER, target, NULL, VIEW_EMPTY));
	check(l->m.has_token && l->m.has_id);
	return l->m.token;
}

static inline struct sign_pair
lone_pair(uint8_t seed)
{
	const struct b32 s = {{seed}};
	struct err e = ERR_INIT;
	struct sign_pair p;

	check_ok(sign_pair_seed(&p, &s, &e), &e);
	return p;
}

/* ANNOUNCE or UNANNOUNCE by pair, with everything right. */
static inline bool
lone_announce(struct lone *l, enum dht_command c, const struct b32 *target,
    const struct sign_pair *pair, const struct addr *relay, size_t nrelays)
{
	struct rpc_node n = {.id = l->id, .token = lone_token(l, target)};
	struct buf b;
	bool taken;

	buf_init(&b, 1000);
	search_announce_value(&b, c, target, &n, pair, relay, nrelays);
	taken = lone_ask(l, c, target, &n.token, buf_view(&b));
	buf_deinit(&b);
	return taken;
}

#endif
