#include <stdlib.h>
#include <string.h>

#include "net/rpc/impl.h"

#define SLOT_MAX 80 /* sent in one slot */
#define TOTAL_MAX (2 * SLOT_MAX)
#define REQUESTS_MAX 16384 /* of 65,536 tids */

/* In requests.by_tid from its start to its end, and in one of the lists. */
struct request {
	uint64_t number; /* the tid is its lowest 16 bits */
	uint16_t tid;
	bool on_line; /* in `sent`, else in `waiting` */
	struct request *chain;
	struct request *prev, *next;
	struct addr to;
	uint32_t sock;
	unsigned sends, sent;
	uint64_t sent_at;
	void (*again)(void *ctx, const struct addr *to);
	void (*done)(void *ctx, const struct rpc_reply *reply);
	void *ctx;
	size_t len;
	uint8_t packet[];
};

/* -- lists ----------------------------------------------------------------- */

static void
list_add(struct request_list *l, struct request *q)
{
	q->prev = l->last;
	q->next = NULL;
	if (l->last != NULL)
		l->last->next = q;
	else
		l->first = q;
	l->last = q;
}

static void
list_remove(struct request_list *l, struct request *q)
{
	if (q->prev != NULL)
		q->prev->next = q->next;
	else
		l->first = q->next;
	if (q->next != NULL)
		q->next->prev = q->prev;
	else
		l->last = q->prev;
}

static void
leave_list(struct requests *s, struct request *q)
{
	list_remove(q->on_line ? &s->sent : &s->waiting, q);
	s->nsent -= q->on_line;
	q->on_line = false;
}

static struct request **
chain_of(struct requests *s, uint16_t tid)
{
	return &s->by_tid[tid % RPC_TID_CHAINS];
}

static struct request *
by_tid(const struct requests *s, uint16_t tid)
{
	struct request *q = s->by_tid[tid % RPC_TID_CHAINS];

	while (q != NULL && q->tid != tid)
		q = q->chain;
	return q;
}

/* -- the line: so many requests in a slot of time -------------------------- */

static void
line_turn(struct requests *s, uint64_t now)
{
	for (int i = 0; i < RPC_SLOTS && now >= s->slot_end; i++) {
		s->at = (s->at + 1) % RPC_SLOTS;
		s->total -= s->slot[s->at];
		s->slot[s->at] = 0;
		s->slot_end += RPC_SLOT_US;
	}
	if (now >= s->slot_end)
		s->slot_end = now + RPC_SLOT_US;
}

static bool
line_full(const struct requests *s)
{
	return s->slot[s->at] >= SLOT_MAX || s->total >= TOTAL_MAX;
}

/* What was answered, or given up, makes room. */
static void
line_free(struct requests *s)
{
	if (s->slot[s->at] == 0)
		return;
	s->slot[s->at]--;
	s->total--;
}

static void
transmit(struct rpc *r, struct request *q, uint64_t now)
{
	struct requests *s = &r->requests;

	q->on_line = true;
	q->sent++;
	q->sent_at = now;
	s->nsent++;
	list_add(&s->sent, q);
	s->slot[s->at]++;
	s->total++;
	r->env.send(r->env.ctx, q->sock, &q->to, view_of(q->packet, q->len));
}

/* Nobody overtakes those that wait. */
static void
send_or_wait(struct rpc *r, struct request *q, uint64_t now)
{
	struct requests *s = &r->requests;

	if (s->waiting.first != NULL || line_full(s))
		list_add(&s->waiting, q);
	else
		transmit(r, q, now);
}

static void
send_waiting(struct rpc *r, uint64_t now)
{
	struct requests *s = &r->requests;
	struct request *q;

	while ((q = s->waiting.first) != NULL && !line_full(s)) {
		list_remove(&s->waiting, q);
		transmit(r, q, now);
	}
}

/* -- start and end --------------------------------------------------------- */

static uint16_t
fresh_tid(struct rpc *r)
{
	uint16_t tid = (uint16_t)rpc_random(r, 65536);

	while (by_tid(&r->requests, tid) != NULL)
		tid++;
	return tid;
}

static enum err_code
encode(struct rpc *r, const struct rpc_ask *ask, uint32_t sock, uint16_t tid,
    struct err *e)
{
	struct rpc_message m = {.tid = tid,
	    .to = ask->to,
	    .internal = ask->internal,
	    .command = ask->command,
	    .has_target = ask->has_target,
	    .target = ask->target,
	    .has_token = ask->has_token,
	    .token = ask->token,
	    .value = ask->value};

	m.has_id = r->reach.persistent && sock == RPC_SOCK_SERVER;
	m.id = r->routes.id;
	buf_reset(&r->out);
	rpc_encode(&r->out, &m);
	return buf_check(&r->out, e);
}

static struct request *
make(struct rpc *r, const struct rpc_ask *ask, struct err *e)
{
	uint32_t sock = ask->sock == UINT32_MAX ? rpc_sock(r) : ask->sock;
	uint16_t tid = fresh_tid(r);
	struct request *q;

	if (encode(r, ask, sock, tid, e) != ERR_OK)
		return NULL;
	if ((q = malloc(sizeof(*q) + r->out.len)) == NULL) {
		(void)!err_nomem(e);
		return NULL;
	}
	*q = (struct request){.number = ++r->number << 16 | tid,
	    .tid = tid,
	    .to = ask->to,
	    .sock = sock,
	    .sends = ask->sends > 0 ? ask->sends : RPC_SENDS,
	    .done = ask->done,
	    .ctx = ask->ctx,
	    .len = r->out.len};
	memcpy(q->packet, r->out.data, r->out.len);
	return q;
}

enum err_code
rpc_request_start(struct rpc *r, const struct rpc_ask *ask,
    void (*again)(void *ctx, const struct addr *to), uint64_t now,
    uint64_t *out, struct err *e)
{
	struct requests *s = &r->requests;
	struct request *q, **chain;
	char text[ADDR_TEXT];

	if (ask->to.family != 4 || ask->to.port == 0)
		return err_set(e, ERR_INVALID,
		    "%s is not an address to send a request to",
		    addr_format(text, &ask->to));
	if (s->n == REQUESTS_MAX)
		return err_set(
		    e, ERR_LIMIT, "%d requests are under way", REQUESTS_MAX);
	if ((q = make(r, ask, e)) == NULL)
		return err_wrap(
		    e, "request to %s", addr_format(text, &ask->to));
	q->again = again;
	chain = chain_of(s, q->tid);
	q->chain = *chain;
	*chain = q;
	s->n++;
	*out = q->number;
	line_turn(s, now);
	send_or_wait(r, q, now);
	return ERR_OK;
}

enum err_code
rpc_request(struct rpc *r, const struct rpc_ask *ask, uint64_t now,
    uint64_t *out, struct err *e)
{
	return rpc_request_start(r, ask, NULL, now, out, e);
}

/* Out of everything; what comes for it now is for nobody. */
static void
unlink_request(struct rpc *r, struct request *q)
{
	struct requests *s = &r->requests;
	struct request **at = chain_of(s, q->tid);

	while (*at != q)
		at = &(*at)->chain;
	*at = q->chain;
	s->n--;
	if (q->on_line)
		line_free(s);
	leave_list(s, q);
}

void
rpc_forget(struct rpc *r, uint64_t request)
{
	struct request *q = by_tid(&r->requests, (uint16_t)request);

	if (q == NULL || q->number != request)
		return;
	unlink_request(r, q);
	free(q);
}

uint64_t
rpc_request_find(const struct rpc *r, uint16_t tid, const struct addr *from)
{
	const struct request *q = by_tid(&r->requests, tid);

	if (q == NULL || q->sent == 0 || !addr_eq(&q->to, from))
		return 0;
	return q->number;
}

/* Out of everything already: it may be freed. */
static void
tell(
    struct request *q, const struct rpc_message *m, uint32_t sock, uint64_t now)
{
	struct rpc_reply reply = {.m = m,
	    .from = q->to,
	    .sock = sock,
	    .rtt_us = now - q->sent_at,
	    .now = now};
	void (*done)(void *ctx, const struct rpc_reply *reply) = q->done;
	void *ctx = q->ctx;

	free(q);
	if (done != NULL)
		done(ctx, &reply);
}

void
rpc_request_answer(struct rpc *r, uint64_t number, const struct rpc_message *m,
    uint32_t sock, uint64_t now)
{
	struct request *q = by_tid(&r->requests, (uint16_t)number);

	if (q == NULL || q->number != number)
		return;
	unlink_request(r, q);
	tell(q, m, sock, now);
}

/* -- time ------------------------------------------------------------------ */

static void
give_up(struct rpc *r, struct request *q, uint64_t now)
{
	unlink_request(r, q);
	r->upkeep.failures++;
	if (q->sends >= RPC_SENDS)
		rpc_heard_nothing(r, &q->to);
	tell(q, NULL, q->sock, now);
}

/* Its second is over. `again` comes last: it may end the request. */
static void
expire(struct rpc *r, struct request *q, uint64_t now)
{
	bool first = q->sent == 1;

	if (q->sent >= q->sends) {
		give_up(r, q, now);
		return;
	}
	leave_list(&r->requests, q);
	send_or_wait(r, q, now);
	if (first && q->again != NULL)
		q->again(q->ctx, &q->to);
}

void
rpc_requests_turn(struct rpc *r, uint64_t now)
{
	struct requests *s = &r->requests;
	struct request *q;

	line_turn(s, now);
	send_waiting(r, now);
	while (
	    (q = s->sent.first) != NULL && now - q->sent_at >= RPC_TIMEOUT_US)
		expire(r, q, now);
	send_waiting(r, now);
}

uint64_t
rpc_requests_deadline(const struct rpc *r)
{
	const struct requests *s = &r->requests;
	uint64_t due = UINT64_MAX;

	if (s->waiting.first != NULL)
		due = s->slot_end;
	if (s->sent.first != NULL &&
	    s->sent.first->sent_at + RPC_TIMEOUT_US < due)
		due = s->sent.first->sent_at + RPC_TIMEOUT_US;
	return due;
}

void
rpc_requests_free(struct rpc *r)
{
	struct requests *s = &r->requests;
	struct request_list *lists[] = {&s->waiting, &s->sent};

	for (size_t i = 0; i < 2; i++)
		for (struct request *q = lists[i]->first, *next; q != NULL;
		     q = next) {
			next = q->next;
			free(q);
		}
}
