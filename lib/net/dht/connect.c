/* A connect: its life. */
#include <stdlib.h>

#include "base/bug.h"
#include "net/dht/connect_impl.h"

/* Nothing of it is under way any more; what is left is memory. */
static void
stop(struct dht_connect *c)
{
	c->state = CONNECT_ENDED;
	connect_find_stop(c);
	connect_way_stop(c);
	dht_peer_free(&c->peer);
	secret_free(&c->secret);
	node_retire(c->d, &c->user);
}

void
connect_done(struct dht_connect *c, uint32_t sock, const struct addr *to,
    enum dht_path path)
{
	struct dht_peer_found f = {.peer = c->peer, .sock = sock, .path = path};

	bug_if(c->state == CONNECT_ENDED || c->peer.keys.tx.ptr == NULL);
	f.peer.addr = *to;
	c->peer = (struct dht_peer){0};
	if (c->punch != NULL)
		punch_give_sock(c->punch, sock);
	stop(c);
	c->o.connected(c->o.ctx, &f, c->now);
}

void
connect_fail(struct dht_connect *c, enum dht_failure why)
{
	if (c->state == CONNECT_ENDED)
		return;
	stop(c);
	c->o.failed(c->o.ctx, why, c->now);
}

void
dht_connect_cancel(struct dht_connect *c)
{
	if (c->state != CONNECT_ENDED)
		stop(c);
}

void
dht_connect_udx(
    struct dht_connect *c, uint32_t sock, const struct addr *from, uint64_t now)
{
	enum dht_path path = DHT_OPEN;

	if (c->state == CONNECT_ENDED)
		return;
	c->now = now;
	if (c->state == CONNECT_FINDING) {
		c->early = *from;
		c->early_sock = sock;
		return;
	}
	if (c->punch != NULL && punch_has_sock(c->punch, sock))
		path = DHT_PUNCHED;
	connect_done(c, sock, from, path);
}

const char *
dht_failure_text(enum dht_failure f)
{
	switch (f) {
	case DHT_PEER_NOT_FOUND:
		return "nobody knows it";
	case DHT_PEER_SILENT:
		return "it does not answer";
	case DHT_PEER_REFUSED:
		return "it refuses, or speaks another version of the protocol";
	case DHT_CANNOT_PUNCH:
		return "no way through both its NAT and ours";
	case DHT_PUNCH_FAILED:
		return "nothing came through its NAT or ours";
	case DHT_CONNECT_FAILED:
		return "out of memory or sockets";
	}
	bug("failure %d", (int)f);
}

/* -- as a user of the node ------------------------------------------------ */

static struct dht_connect *
connect_of(struct node_user *u)
{
	return (struct dht_connect *)u;
}

static bool
on_punched(struct node_user *u, uint32_t sock, struct view datagram,
    const struct addr *from, uint64_t now)
{
	struct dht_connect *c = connect_of(u);

	if (c->punch == NULL || !punch_has_sock(c->punch, sock))
		return false;
	if (datagram.len == 1)
		punch_recv(c->punch, sock, from, now);
	return true;
}

static uint64_t
on_turn(struct node_user *u, uint64_t now)
{
	struct dht_connect *c = connect_of(u);

	c->now = now;
	switch (c->state) {
	case CONNECT_FINDING: /* its requests have their own deadlines */
	case CONNECT_ENDED:
		return UINT64_MAX;
	case CONNECT_PASSIVE:
	case CONNECT_PROBE:
	case CONNECT_PAUSE:
	case CONNECT_JUDGE:
	case CONNECT_JUDGE_AGAIN:
	case CONNECT_ROUND:
	case CONNECT_PUNCH:
		return connect_way_turn(c);
	}
	bug("connect state %d", (int)c->state);
}

static void
on_free(struct node_user *u)
{
	struct dht_connect *c = connect_of(u);

	connect_find_stop(c);
	connect_way_stop(c);
	dht_peer_free(&c->peer);
	secret_free(&c->secret);
	sign_pair_free(&c->pair);
	buf_deinit(&c->request);
	free(c);
}

static const struct node_user_ops OPS = {
    .punched = on_punched, .turn = on_turn, .free = on_free};

enum err_code
dht_connect_start(struct dht_connect **out, struct dht *d,
    const struct dht_connect_opts *o, uint64_t now, struct err *e)
{
	struct dht_connect *c = calloc(1, sizeof(*c));
	enum err_code rc;

	if (c == NULL)
		return err_nomem(e);
	c->user.ops = &OPS;
	c->d = d;
	c->o = *o;
	if (o->propose != NULL) {
		c->propose = *o->propose;
		c->o.propose = &c->propose;
	}
	c->now = now;
	c->state = CONNECT_FINDING;
	buf_init(&c->request, RPC_PACKET_MAX);
	direct_target(&c->target, &o->remote);
	secret_random(&c->token, sizeof(c->token));
	if ((rc = sign_pair_copy(&c->pair, o->pair, e)) != ERR_OK ||
	    (rc = connect_find(c, e)) != ERR_OK) {
		on_free(&c->user);
		return err_wrap(e, "connect");
	}
	c->o.pair = &c->pair;
	node_add(d, &c->user);
	*out = c;
	return ERR_OK;
}
