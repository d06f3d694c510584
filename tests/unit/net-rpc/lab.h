/*
 * lab: one machine, everything it sends, and what the test says to it in the
 * name of others. Hosts are named by a number: the node h is 9.0.0.h:1000.
 */
#ifndef TESTS_RPC_LAB_H
#define TESTS_RPC_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "net/rpc/impl.h"
#include "support/vec.h"

#define LAB_PORT 49737
#define LAB_UNKNOWN 99 /* a command that is refused */
#define LAB_SECOND UINT64_C(1000000)
#define LAB_TICK (5 * LAB_SECOND)

struct lab_packet {
	uint32_t sock;
	struct addr to;
	uint8_t bytes[RPC_PACKET_MAX];
	size_t len;
	struct rpc_message m;
	bool used; /* by lab_find() */
};

struct lab {
	struct rpc *r;
	uint64_t now, due;
	struct lab_packet *sent; /* since the last lab_clear() */
	size_t nsent;
	enum rpc_event event[64];
	size_t nevents;
	/* the last request that came through, and how many */
	struct rpc_incoming in;
	uint8_t value[RPC_PACKET_MAX];
	size_t requests;
	bool mute; /* answer no such request */
};

#define LAB_SENT_MAX 4096

static inline struct addr
lab_addr(unsigned h)
{
	return (struct addr){
	    4, 1000, {9, (uint8_t)(h >> 16), (uint8_t)(h >> 8), (uint8_t)h}};
}

static inline struct addr
lab_parse(const char *text)
{
	struct err e = ERR_INIT;
	struct addr a;

	check_ok(addr_parse(&a, view_str(text), &e), &e);
	return a;
}

static inline void
lab_send(void *ctx, uint32_t sock, const struct addr *to, struct view packet)
{
	struct lab *l = ctx;
	struct lab_packet *p = &l->sent[l->nsent++];

	check(l->nsent <= LAB_SENT_MAX && packet.len <= RPC_PACKET_MAX);
	check(to->family == 4 && to->port != 0);
	p->sock = sock;
	p->to = *to;
	p->used = false;
	p->len = packet.len;
	memcpy(p->bytes, packet.ptr, packet.len);
	check(rpc_decode(&p->m, view_of(p->bytes, p->len)));
	check(addr_eq(&p->m.to, to));
}

static inline void
lab_request(void *ctx, const struct rpc_incoming *in)
{
	struct lab *l = ctx;

	l->requests++;
	l->in = *in;
	if (in->m.command == LAB_UNKNOWN)
		rpc_answer(
		    l->r, in, RPC_UNKNOWN_COMMAND, VIEW_EMPTY, RPC_NO_TOKEN);
	else if (!l->mute)
		rpc_answer(l->r, in, RPC_OK, in->m.value, 0);
}

static inline void
lab_event(void *ctx, enum rpc_event ev)
{
	struct lab *l = ctx;

	check(l->nevents < 64);
	l->event[l->nevents++] = ev;
}

static inline size_t
lab_events(const struct lab *l, enum rpc_event ev)
{
	size_t n = 0;

	for (size_t i = 0; i < l->nevents; i++)
		n += l->event[i] == ev;
	return n;
}

static inline void
lab_turn(struct lab *l)
{
	l->due = rpc_turn(l->r, l->now);
}

/* A machine that nothing was said to yet. */
static inline void
lab_new(struct lab *l, const struct rpc_opts *opts)
{
	const struct b32 seed = {{1}};
	struct rpc_env env = {l, lab_send, lab_request, lab_event};
	struct rpc_opts o = *opts;
	struct err e = ERR_INIT;

	memset(l, 0, sizeof(*l));
	l->now = 1000 * LAB_SECOND;
	l->sent = calloc(LAB_SENT_MAX, sizeof(*l->sent));
	check(l->sent != NULL);
	o.port = o.port != 0 ? o.port : LAB_PORT;
	o.seed = &seed;
	check_ok(rpc_new(&l->r, &o, &env, l->now, &e), &e);
	/* what it says by itself is in the way: see test_neighbours */
	l->r->upkeep.young = 99;
}

static inline void
lab_free(struct lab *l)
{
	rpc_free(l->r);
	free(l->sent);
}

/* A persistent node, alone and ready. */
static inline void
lab_server(struct lab *l)
{
	struct addr self = lab_parse("9.9.9.9:49737");
	struct rpc_opts o = {.role = RPC_SERVER, .self = &self, .open = true};

	lab_new(l, &o);
	lab_turn(l);
	lab_turn(l);
	check(l->r->reach.boot == BOOT_DONE);
	l->nsent = 0;
}

/* Turn by turn until that time. */
static inline void
lab_until(struct lab *l, uint64_t until)
{
	lab_turn(l);
	while (l->due <= until) {
		l->now = l->due > l->now ? l->due : l->now;
		lab_turn(l);
	}
	l->now = until;
}

static inline void
lab_say(struct lab *l, uint32_t sock, const struct addr *from,
    const struct rpc_message *m)
{
	struct buf b;

	buf_init(&b, RPC_PACKET_MAX);
	rpc_encode(&b, m);
	check(b.failed == ERR_OK);
	rpc_recv(l->r, sock, buf_view(&b), from, l->now);
	buf_deinit(&b);
}

/* The answer of a node with an id to what was sent to it. */
static inline struct rpc_message
lab_reply_of(const struct lab_packet *p)
{
	struct rpc_message m = {.reply = true, .tid = p->m.tid, .has_id = true};

	m.to = lab_parse(
	    p->sock == RPC_SOCK_SERVER ? "9.9.9.9:49737" : "9.9.9.9:50000");
	rpc_node_id(&m.id, &p->to);
	return m;
}

static inline void
lab_answer(struct lab *l, const struct lab_packet *p)
{
	struct rpc_message m = lab_reply_of(p);

	lab_say(l, p->sock, &p->to, &m);
}

/* The first packet not found before that goes to that address. */
static inline struct lab_packet *
lab_find(struct lab *l, const struct addr *to)
{
	for (size_t i = 0; i < l->nsent; i++)
		if (!l->sent[i].used && addr_eq(&l->sent[i].to, to)) {
			l->sent[i].used = true;
			return &l->sent[i];
		}
	return NULL;
}

/* It heard of that node, which is in the table now. */
static inline void
lab_meet(struct lab *l, const struct addr *a)
{
	struct rpc_ask ask = {.to = *a, .sock = UINT32_MAX, .internal = true};
	struct err e = ERR_INIT;
	uint64_t number;

	check_ok(rpc_request(l->r, &ask, l->now, &number, &e), &e);
	lab_answer(l, &l->sent[l->nsent - 1]);
}

static inline bool
lab_knows(const struct lab *l, const struct addr *a)
{
	struct b32 id;

	rpc_node_id(&id, a);
	return routes_get(&l->r->routes, &id) != NULL;
}

#endif
