#include "net/dht/punch.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "crypto/secret.h"
#include "net/dht/commons.h"

#define SECOND_US UINT64_C(1000000)
#define PORTS_US UINT64_C(10000)   /* between bytes to random ports */
#define SOCKETS_US UINT64_C(20000) /* between bytes of many sockets */
#define FAR_EVERY 25		   /* of those bytes; see send_far() */
#define SETTLE_US UINT64_C(100000) /* after opening all the sockets */
#define PORT_FIRST 1000
#define UNPROVEN_EVERY 4 /* rounds */
#define NODES_MAX 32
#define NODES_MANY 8 /* then the freshest are left alone, */
#define NODES_SKIP 5 /* so many of them */

/* -- sockets -------------------------------------------------------------- */

enum err_code
punch_new(struct punch **out, struct dht *d, enum punch_role role,
    enum dht_firewall remote, uint64_t now, struct err *e)
{
	struct punch *p = calloc(1, sizeof(*p));
	struct rpc_about about;

	if (p == NULL || (p->sock = malloc(sizeof(*p->sock))) == NULL) {
		free(p);
		return err_nomem(e);
	}
	p->d = d;
	p->role = role;
	p->remote_firewall = remote;
	p->next = UINT64_MAX;
	p->sock[0] = commons_open(d->commons, &d->env);
	if (p->sock[0] == DHT_NO_SOCK) {
		punch_free(p, now);
		return err_set(e, ERR_LIMIT, "no socket for hole punching");
	}
	p->nsocks = 1;
	rpc_about(d->rpc, &about);
	nat_init(&p->nat, about.firewalled ? NAT_FIREWALLED : NAT_OPEN);
	(void)punch_nat(p, PUNCH_KEEP, now);
	*out = p;
	return ERR_OK;
}

static void
forget_questions(struct punch *p)
{
	for (size_t i = 0; i < NAT_SAMPLES; i++) {
		if (p->question[i].request != 0)
			rpc_forget(p->d->rpc, p->question[i].request);
		p->question[i].request = 0;
	}
}

static void
end_random(struct punch *p, uint64_t now)
{
	if (p->random)
		commons_random_give(p->d->commons, now);
	p->random = false;
}

void
punch_free(struct punch *p, uint64_t now)
{
	if (p == NULL)
		return;
	forget_questions(p);
	end_random(p, now);
	for (size_t i = 0; i < p->nsocks; i++)
		commons_close(p->d->commons, &p->d->env, p->sock[i]);
	free(p->sock);
	free(p);
}

uint32_t
punch_sock(const struct punch *p)
{
	return p->nsocks > 0 ? p->sock[0] : DHT_NO_SOCK;
}

bool
punch_has_sock(const struct punch *p, uint32_t sock)
{
	for (size_t i = 0; i < p->nsocks; i++)
		if (p->sock[i] == sock)
			return true;
	return false;
}

void
punch_give_sock(struct punch *p, uint32_t sock)
{
	for (size_t i = 0; i < p->nsocks; i++) {
		if (p->sock[i] != sock)
			continue;
		p->sock[i] = p->sock[--p->nsocks];
		commons_let_go(p->d->commons);
		return;
	}
}

/* -- what our NAT is ------------------------------------------------------ */

static void
on_answer(void *ctx, const struct rpc_reply *reply)
{
	struct punch_question *q = ctx;

	q->request = 0;
	if (reply->m != NULL)
		nat_add(&q->punch->nat, &reply->m->to, &reply->from);
}

static bool
was_asked(const struct punch *p, const struct addr *a)
{
	for (size_t i = 0; i < p->nasked; i++)
		if (addr_eq(&p->asked[i], a))
			return true;
	return nat_counted(&p->nat, a);
}

static bool
ask(struct punch *p, struct punch_question *q, const struct addr *a,
    uint64_t now)
{
	const struct rpc_ask o = {.to = *a,
	    .sock = p->sock[0],
	    .internal = true,
	    .command = RPC_PING,
	    .sends = 1,
	    .done = on_answer,
	    .ctx = q};
	struct err e;

	q->punch = p;
	p->asked[p->nasked++] = *a;
	return rpc_request(p->d->rpc, &o, now, &q->request, &e) == ERR_OK;
}

/* Ask as many nodes as answers are missing, none of them twice. */
static void
ask_some(struct punch *p, uint64_t now)
{
	struct addr node[NODES_MAX];
	size_t n = rpc_known(p->d->rpc, node, NODES_MAX), used = 0;
	size_t i = n >= NODES_MANY ? NODES_SKIP : 0;

	p->asks++;
	for (; i < n && p->nat.sampled + used < NAT_SAMPLES &&
	       p->nasked < PUNCH_ASKED_MAX;
	     i++)
		if (!was_asked(p, &node[i]) &&
		    ask(p, &p->question[used], &node[i], now))
			used++;
}

static bool
is_asking(const struct punch *p)
{
	for (size_t i = 0; i < NAT_SAMPLES; i++)
		if (p->question[i].request != 0)
			return true;
	return false;
}

static bool
is_unstable(const struct punch *p)
{
	return p->nat.firewall == DHT_FIREWALL_UNKNOWN ||
	       (p->nat.firewall == DHT_FIREWALL_RANDOM &&
		   p->remote_firewall >= DHT_FIREWALL_RANDOM);
}

/* A fresh socket in the place of the first, and everything asked anew. */
static bool
reopen(struct punch *p)
{
	uint32_t sock = commons_open(p->d->commons, &p->d->env);
	enum nat_reach reach = p->nat.reach;

	if (sock == DHT_NO_SOCK)
		return false;
	forget_questions(p);
	commons_close(p->d->commons, &p->d->env, p->sock[0]);
	p->sock[0] = sock;
	p->asks = 0;
	p->nasked = 0;
	nat_init(&p->nat, reach);
	return true;
}

enum punch_nat
punch_nat(struct punch *p, enum punch_allow allow, uint64_t now)
{
	while (!nat_known(&p->nat)) {
		if (is_asking(p))
			return PUNCH_ASKING;
		if (p->asks == 2)
			break;
		ask_some(p, now);
	}
	if (!is_unstable(p))
		return PUNCH_STABLE;
	if (allow == PUNCH_KEEP || p->reopens == PUNCH_REOPENS ||
	    p->state != PUNCH_READY || !reopen(p))
		return PUNCH_UNSTABLE;
	p->reopens++;
	ask_some(p, now);
	return PUNCH_ASKING;
}

/* -- the other end -------------------------------------------------------- */

static bool
host_proven(const struct punch *p, const struct addr *a)
{
	for (size_t i = 0; i < p->nremotes; i++)
		if (p->remote[i].proven &&
		    addr_same_host(&p->remote[i].addr, a))
			return true;
	return false;
}

/* As node_may_send(), but the port may be to be guessed. */
static bool
may_send(struct addr a, const struct addr *via)
{
	a.port = 1;
	return node_may_send(&a, via);
}

void
punch_update(struct punch *p, const struct punch_payload *said,
    const struct addr *via, bool proven)
{
	struct punch_remote remote[PUNCH_ADDRS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < said->naddresses; i++) {
		const struct addr *a = &said->address[i];

		if (!may_send(*a, via))
			continue;
		remote[n].addr = *a;
		remote[n++].proven =
		    (proven && addr_same_host(a, via)) || host_proven(p, a);
	}
	memcpy(p->remote, remote, n * sizeof(*remote));
	p->nremotes = n;
	p->remote_punching = said->punching;
	p->remote_firewall = said->firewall < DHT_FIREWALL_RANDOM
				 ? (enum dht_firewall)said->firewall
				 : DHT_FIREWALL_RANDOM;
}

static void
send_byte(
    struct punch *p, uint32_t sock, const struct addr *to, enum punch_far far)
{
	static const uint8_t zero = 0;

	if (to->port != 0)
		p->d->env.send(p->d->env.ctx, sock, to, view_of(&zero, 1),
		    far == PUNCH_NEAR ? PUNCH_TTL : 0);
}

void
punch_byte(struct punch *p, const struct addr *to, enum punch_far far)
{
	send_byte(p, p->sock[0], to, far);
}

/* -- punching ------------------------------------------------------------- */

static bool
is_random(enum dht_firewall f)
{
	return f >= DHT_FIREWALL_RANDOM;
}

bool
punch_needs_random(const struct punch *p)
{
	return is_random(p->nat.firewall) || is_random(p->remote_firewall);
}

bool
punch_take_random(struct punch *p, uint64_t now)
{
	if (!p->random)
		p->random = commons_random_take(p->d->commons, now);
	return p->random;
}

static bool
find_proven(struct punch *p)
{
	for (size_t i = 0; i < p->nremotes; i++) {
		if (!p->remote[i].proven)
			continue;
		p->proven = p->remote[i].addr;
		return true;
	}
	return false;
}

/* As many sockets as there may be: each is one more port of our NAT that a
 * byte may come to. */
static void
open_sockets(struct punch *p)
{
	uint32_t *all = realloc(p->sock, PUNCH_BIRTHDAY * sizeof(*all));

	if (all == NULL)
		return;
	p->sock = all;
	while (p->nsocks < PUNCH_BIRTHDAY) {
		uint32_t s = commons_open(p->d->commons, &p->d->env);

		if (s == DHT_NO_SOCK)
			return;
		p->sock[p->nsocks++] = s;
		send_byte(p, s, &p->proven, PUNCH_NEAR);
	}
}

/* Bytes that go no further than our own NAT leave the other one as it is. One
 * socket in 256 may spoil its port there, because if that NAT lets any of our
 * ports in, once its side has sent something to our host or at once, this is
 * the end of it, and nobody needs to guess. */
static void
send_far(struct punch *p)
{
	punch_byte(p, &p->proven, PUNCH_FAR);
}

static bool
start_random(struct punch *p, uint64_t now)
{
	if (is_random(p->nat.firewall) && is_random(p->remote_firewall))
		return false;
	if (!find_proven(p) || !punch_take_random(p, now))
		return false;
	if (is_random(p->remote_firewall)) {
		p->state = PUNCH_PORTS;
		p->next = now;
		return true;
	}
	p->state = PUNCH_SOCKETS;
	open_sockets(p);
	send_far(p);
	p->next = now + SETTLE_US;
	return true;
}

bool
punch_start(struct punch *p, uint64_t now)
{
	if (p->state != PUNCH_READY)
		return p->state != PUNCH_EXHAUSTED;
	if (p->nremotes == 0)
		return false;
	forget_questions(p);
	if (punch_needs_random(p))
		return start_random(p, now);
	if (p->nat.firewall == DHT_FIREWALL_UNKNOWN ||
	    p->remote_firewall == DHT_FIREWALL_UNKNOWN)
		return false;
	p->state = PUNCH_STEADY;
	/* the second has sent its first byte with the answer */
	p->next = p->role == PUNCH_SECOND ? now + SECOND_US : now;
	return true;
}

static void
through(struct punch *p, uint32_t sock, const struct addr *from, uint64_t now)
{
	for (size_t i = 0; i < p->nsocks; i++)
		if (p->sock[i] != sock)
			commons_close(p->d->commons, &p->d->env, p->sock[i]);
	p->sock[0] = sock;
	p->nsocks = 1;
	p->state = PUNCH_THROUGH;
	p->from = *from;
	p->next = UINT64_MAX;
	forget_questions(p);
	end_random(p, now);
}

void
punch_recv(
    struct punch *p, uint32_t sock, const struct addr *from, uint64_t now)
{
	switch (p->role) {
	case PUNCH_SECOND:
		send_byte(p, sock, from, PUNCH_FAR);
		return;
	case PUNCH_FIRST:
		if (p->state != PUNCH_THROUGH && p->state != PUNCH_EXHAUSTED)
			through(p, sock, from, now);
		return;
	}
}

static void
send_steady(struct punch *p)
{
	for (size_t i = 0; i < p->nremotes; i++)
		if (p->remote[i].proven || p->sent % UNPROVEN_EVERY == 0)
			punch_byte(p, &p->remote[i].addr, PUNCH_FAR);
}

static void
send_port(struct punch *p)
{
	struct addr to = p->proven;
	uint16_t r;

	/* a little more often the low ones: no matter */
	secret_random(&r, sizeof(r));
	to.port = (uint16_t)(PORT_FIRST + r % (UINT16_MAX + 1 - PORT_FIRST));
	punch_byte(p, &to, PUNCH_FAR);
}

static void
send_socket(struct punch *p)
{
	size_t i = (p->sent - 1) % p->nsocks;

	send_byte(p, p->sock[i], &p->proven,
	    p->sent <= p->nsocks ? PUNCH_NEAR : PUNCH_FAR);
	if (p->sent % FAR_EVERY == 1)
		send_far(p);
}

static uint64_t
pace(const struct punch *p)
{
	switch (p->state) {
	case PUNCH_PORTS:
		return PORTS_US;
	case PUNCH_SOCKETS:
		return SOCKETS_US;
	case PUNCH_READY:
	case PUNCH_STEADY:
	case PUNCH_THROUGH:
	case PUNCH_EXHAUSTED:
		return SECOND_US;
	}
	return SECOND_US;
}

uint64_t
punch_turn(struct punch *p, uint64_t now)
{
	bool steady = p->state == PUNCH_STEADY;

	if (now < p->next || p->nsocks == 0)
		return p->next;
	if (p->sent == (steady ? PUNCH_ROUNDS : PUNCH_RANDOMS)) {
		p->state = PUNCH_EXHAUSTED;
		p->next = UINT64_MAX;
		end_random(p, now);
		return p->next;
	}
	p->sent++;
	p->next = now + pace(p);
	switch (p->state) {
	case PUNCH_STEADY:
		send_steady(p);
		break;
	case PUNCH_PORTS:
		send_port(p);
		break;
	case PUNCH_SOCKETS:
		send_socket(p);
		break;
	case PUNCH_READY:
	case PUNCH_THROUGH:
	case PUNCH_EXHAUSTED:
		bug("nothing is due");
	}
	return p->next;
}
