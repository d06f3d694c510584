/*
 * look: lookups of a lab's machine, and what they tell.
 */
#ifndef TESTS_RPC_LOOK_H
#define TESTS_RPC_LOOK_H

#include "lab.h"

#define FIND 3

struct end {
	struct lab *l;
	struct rpc_query *q;
	size_t replies, ends, n, answers, commits;
	struct rpc_node closest[RPC_K];
	size_t cancel_at; /* the reply, 0: never */
	bool refuse;	  /* commit at nobody */
	size_t asked;	  /* to commit */
	struct b32 token; /* the last one to commit with */
};

static struct b32 target; /* of every lookup; set by main() */

static inline void
reply(void *ctx, const struct rpc_reply *r)
{
	struct end *e = ctx;

	check(r->m != NULL && r->m->error == RPC_OK);
	if (++e->replies == e->cancel_at)
		rpc_query_cancel(e->q);
}

static inline void
done(void *ctx, const struct rpc_node *closest, size_t n, size_t answers,
    size_t commits, uint64_t now)
{
	struct end *e = ctx;

	check(now == e->l->now && n <= RPC_K);
	memcpy(e->closest, closest, n * sizeof(*closest));
	e->n = n;
	e->answers = answers;
	e->commits = commits;
	e->ends++;
}

static inline bool
commit(void *ctx, const struct rpc_node *n, struct rpc_ask *ask)
{
	struct end *e = ctx;

	check(addr_eq(&ask->to, &n->addr) && ask->has_token == n->has_token);
	check(b32_eq(&ask->target, &target) && ask->command == FIND);
	ask->value = view_str("kept");
	e->token = n->token;
	e->asked++;
	return !e->refuse;
}

static inline struct rpc_query_opts
opts(struct end *e)
{
	return (struct rpc_query_opts){.command = FIND,
	    .target = target,
	    .reply = reply,
	    .done = done,
	    .ctx = e};
}

static inline void
start(struct lab *l, const struct rpc_query_opts *o, struct end *e)
{
	struct err err = ERR_INIT;

	e->l = l;
	check_ok(rpc_query_start(&e->q, l->r, o, l->now, &err), &err);
	check(e->ends == 0);
}

/* Answer with these addresses, and a token. */
static inline void
say_closer(
    struct lab *l, const struct lab_packet *p, const struct addr *a, size_t n)
{
	struct rpc_message m = lab_reply_of(p);
	struct buf b;

	buf_init(&b, RPC_PACKET_MAX);
	for (size_t i = 0; i < n; i++)
		rpc_addr_put(&b, &a[i]);
	m.closer = buf_view(&b);
	m.has_token = true;
	m.token.b[0] = p->to.ip[3];
	lab_say(l, p->sock, &p->to, &m);
	buf_deinit(&b);
}

#endif
