/* A listening server: its life. */
#include <stdlib.h>

#include "crypto/secret.h"
#include "net/dht/server_impl.h"

/* -- sessions ------------------------------------------------------------- */

void
server_settle(struct dht_server *s, struct session *x)
{
	if (x->state != SESSION_FLYING)
		return;
	server_punch_close(s, x);
	secret_free(&x->secret);
	x->state = SESSION_SETTLED;
	x->expires = s->now + DHT_REMEMBER_US;
	s->flying--;
}

void
server_give_up(struct dht_server *s, struct session *x, const char *why)
{
	bool waits = x->waits;

	if (x->state != SESSION_FLYING)
		return;
	server_settle(s, x);
	if (waits)
		s->o.failed(s->o.ctx, x->udx_id, why);
}

static struct session *
flying(struct dht_server *s, uint32_t udx_id)
{
	for (size_t i = 0; i < DHT_HANDSHAKES_MAX; i++)
		if (s->session[i].state == SESSION_FLYING &&
		    s->session[i].udx_id == udx_id)
			return &s->session[i];
	return NULL;
}

void
dht_server_settled(struct dht_server *s, uint32_t udx_id)
{
	struct session *x = flying(s, udx_id);

	if (x != NULL)
		server_settle(s, x);
}

void
dht_server_udx(struct dht_server *s, uint32_t udx_id, uint32_t sock)
{
	struct session *x = flying(s, udx_id);

	if (x == NULL)
		return;
	if (x->punch != NULL)
		punch_give_sock(x->punch, sock);
	server_settle(s, x);
}

size_t
dht_server_relays(
    const struct dht_server *s, struct addr out[static DHT_RELAYS_MAX])
{
	return announcer_addresses(&s->announcer, out);
}

/* -- as a user of the node ------------------------------------------------ */

static struct dht_server *
server_of(struct node_user *u)
{
	return (struct dht_server *)u;
}

static void
on_handshake(struct node_user *u, const struct dht_handshake *h,
    const struct rpc_incoming *in)
{
	server_of(u)->now = in->now;
	server_handshake(server_of(u), h, in);
}

static void
on_holepunch(struct node_user *u, const struct dht_holepunch *h,
    const struct rpc_incoming *in)
{
	server_of(u)->now = in->now;
	server_holepunch(server_of(u), h, in);
}

static bool
on_punched(struct node_user *u, uint32_t sock, struct view datagram,
    const struct addr *from, uint64_t now)
{
	struct dht_server *s = server_of(u);

	if (s->punches == 0)
		return false;
	for (size_t i = 0; i < DHT_HANDSHAKES_MAX; i++) {
		struct punch *p = s->session[i].punch;

		if (p == NULL || !punch_has_sock(p, sock))
			continue;
		if (datagram.len == 1)
			punch_recv(p, sock, from, now);
		return true;
	}
	return false;
}

static void
on_event(struct node_user *u, enum rpc_event ev)
{
	struct dht_server *s = server_of(u);

	switch (ev) {
	case RPC_READY:
		if (s->announcer.now.n == 0)
			announcer_refresh(&s->announcer);
		return;
	case RPC_ADDRESS:
		announcer_moved(&s->announcer);
		return;
	case RPC_WAKEUP:
		announcer_refresh(&s->announcer);
		return;
	case RPC_PERSISTENT:
	case RPC_EPHEMERAL:
		return;
	}
}

static uint64_t
sessions_turn(struct dht_server *s)
{
	uint64_t deadline = UINT64_MAX, next;

	for (size_t i = 0; i < DHT_HANDSHAKES_MAX && s->flying > 0; i++) {
		struct session *x = &s->session[i];

		if (x->state == SESSION_FLYING && s->now >= x->expires)
			server_give_up(s, x, "nothing came from it");
		if (s->closed)
			break;
		if (x->state != SESSION_FLYING)
			continue;
		next = server_punch_turn(s, x);
		if (s->closed)
			break;
		if (x->state == SESSION_FLYING && x->expires < next)
			next = x->expires;
		if (x->state == SESSION_FLYING && next < deadline)
			deadline = next;
	}
	return deadline;
}

static void
retire(struct dht_server *s)
{
	void (*done)(void *ctx) = s->close_done;

	node_retire(s->d, &s->user);
	if (done != NULL)
		done(s->close_ctx);
}

static uint64_t
on_turn(struct node_user *u, uint64_t now)
{
	struct dht_server *s = server_of(u);
	uint64_t deadline, next;

	s->now = now;
	deadline = announcer_turn(&s->announcer, now);
	if (s->closed) {
		if (announcer_closed(&s->announcer))
			retire(s);
		return deadline;
	}
	next = sessions_turn(s);
	if (next < deadline)
		deadline = next;
	if (s->announcer.news && !s->closed) {
		s->announcer.news = false;
		if (s->o.announced != NULL)
			s->o.announced(s->o.ctx, now);
	}
	return deadline;
}

static void
drop_sessions(struct dht_server *s)
{
	for (size_t i = 0; i < DHT_HANDSHAKES_MAX; i++) {
		server_settle(s, &s->session[i]);
		s->session[i].state = SESSION_FREE;
	}
}

static void
on_free(struct node_user *u)
{
	struct dht_server *s = server_of(u);

	drop_sessions(s);
	announcer_deinit(&s->announcer);
	sign_pair_free(&s->pair);
	free(s);
}

static const struct node_user_ops OPS = {.handshake = on_handshake,
    .holepunch = on_holepunch,
    .punched = on_punched,
    .turn = on_turn,
    .event = on_event,
    .free = on_free};

enum err_code
dht_listen_start(struct dht_server **out, struct dht *d,
    const struct dht_server_opts *o, uint64_t now, struct err *e)
{
	struct dht_server *s;
	struct b32 target;
	enum err_code rc;

	direct_target(&target, &o->pair->pub);
	if (node_server(d, &target) != NULL)
		return err_set(
		    e, ERR_EXISTS, "a server listens under this key already");
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return err_nomem(e);
	if ((rc = sign_pair_copy(&s->pair, o->pair, e)) != ERR_OK) {
		free(s);
		return rc;
	}
	s->d = d;
	s->o = *o;
	s->o.pair = &s->pair;
	s->now = now;
	s->user.ops = &OPS;
	s->user.serves = true;
	s->user.key = s->pair.pub;
	limit_init(&s->strangers);
	limit_init(&s->relays);
	limit_init(&s->clients);
	secret_random(&s->token_key, sizeof(s->token_key));
	announcer_init(&s->announcer, d, &s->pair, now);
	node_add(d, &s->user);
	*out = s;
	return ERR_OK;
}

void
dht_server_close(
    struct dht_server *s, void (*done)(void *ctx), void *ctx, uint64_t now)
{
	if (s->closed)
		return;
	s->closed = true;
	s->now = now;
	s->close_done = done;
	s->close_ctx = ctx;
	s->user.serves = false;
	drop_sessions(s);
	announcer_close(&s->announcer, now);
}
