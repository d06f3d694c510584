/* The node: what comes in goes to whom it concerns. */
#include "net/dht/dht.h"

#include <stdlib.h>

#include "base/bug.h"
#include "crypto/hash.h"
#include "net/dht/commons.h"
#include "net/dht/node_impl.h"

bool
node_may_send(const struct addr *to, const struct addr *by)
{
	return to->family == 4 && to->port != 0 &&
	       (!rpc_addr_reserved(to) ||
		   (by->family == 4 && rpc_addr_reserved(by)));
}

/* -- servers and connects ------------------------------------------------- */

void
node_add(struct dht *d, struct node_user *u)
{
	u->retired = false;
	if (u->serves)
		hash_data(&u->target, view_b32(&u->key));
	u->next = d->users;
	d->users = u;
}

void
node_retire(struct dht *d, struct node_user *u)
{
	u->retired = true;
	d->sweep = true;
}

struct node_user *
node_server(struct dht *d, const struct b32 *target)
{
	struct node_user *u;

	for (u = d->users; u != NULL; u = u->next)
		if (u->serves && !u->retired && b32_eq(&u->target, target))
			return u;
	return NULL;
}

static void
sweep(struct dht *d)
{
	struct node_user **p = &d->users, *u;

	d->sweep = false;
	while ((u = *p) != NULL) {
		if (!u->retired) {
			p = &u->next;
			continue;
		}
		*p = u->next;
		u->ops->free(u);
	}
}

static uint64_t
users_turn(struct dht *d, uint64_t now)
{
	uint64_t deadline = UINT64_MAX, next;

	/* those that are added meanwhile come first, and not in this round */
	for (struct node_user *u = d->users; u != NULL; u = u->next) {
		if (u->retired || u->ops->turn == NULL)
			continue;
		next = u->ops->turn(u, now);
		if (!u->retired && next < deadline)
			deadline = next;
	}
	return deadline;
}

/* -- what rpc says -------------------------------------------------------- */

static void
on_send(void *ctx, uint32_t sock, const struct addr *to, struct view packet)
{
	struct dht *d = ctx;

	d->env.send(d->env.ctx, sock, to, packet, 0);
}

static void
on_event(void *ctx, enum rpc_event ev)
{
	struct dht *d = ctx;

	for (struct node_user *u = d->users; u != NULL; u = u->next)
		if (!u->retired && u->ops->event != NULL)
			u->ops->event(u, ev);
	if (d->env.event != NULL)
		d->env.event(d->env.ctx, ev);
}

static void
on_request(void *ctx, const struct rpc_incoming *in)
{
	struct dht *d = ctx;

	if (in->m.command == DHT_PEER_HANDSHAKE)
		router_handshake(d, in);
	else if (in->m.command == DHT_PEER_HOLEPUNCH)
		router_holepunch(d, in);
	else
		dht_serve_request(d, in);
}

/* -- life ----------------------------------------------------------------- */

enum err_code
dht_new(struct dht **out, const struct dht_opts *o, const struct dht_env *env,
    uint64_t now, struct err *e)
{
	struct dht *d = calloc(1, sizeof(*d));
	const struct rpc_env renv = {d, on_send, on_request, on_event};
	enum err_code rc;

	if (d == NULL)
		return err_nomem(e);
	d->env = *env;
	if ((d->commons = commons_new()) == NULL) {
		dht_free(d);
		return err_nomem(e);
	}
	if ((rc = records_new(&d->records, o->records_max, e)) != ERR_OK ||
	    (rc = rpc_new(&d->rpc, &o->rpc, &renv, now, e)) != ERR_OK) {
		dht_free(d);
		return rc;
	}
	*out = d;
	return ERR_OK;
}

void
dht_free(struct dht *d)
{
	if (d == NULL)
		return;
	for (struct node_user *u = d->users; u != NULL; u = u->next)
		u->retired = true;
	sweep(d);
	rpc_free(d->rpc);
	search_free_all(d);
	records_free(d->records);
	commons_free(d->commons);
	free(d);
}

void
dht_recv(struct dht *d, uint32_t sock, struct view datagram,
    const struct addr *from, uint64_t now)
{
	if (rpc_peek(datagram)) {
		rpc_recv(d->rpc, sock, datagram, from, now);
		return;
	}
	for (struct node_user *u = d->users; u != NULL; u = u->next)
		if (!u->retired && u->ops->punched != NULL &&
		    u->ops->punched(u, sock, datagram, from, now))
			return;
}

uint64_t
dht_turn(struct dht *d, uint64_t now)
{
	uint64_t deadline, next;

	/* what is over by now is told first: users may act upon it, and ask
	 * for more, which has deadlines of its own */
	(void)rpc_turn(d->rpc, now);
	deadline = users_turn(d, now);
	if ((next = rpc_turn(d->rpc, now)) < deadline)
		deadline = next;
	if ((next = records_turn(d->records, now)) < deadline)
		deadline = next;
	if (d->sweep)
		sweep(d);
	return deadline;
}

struct rpc *
dht_rpc(struct dht *d)
{
	return d->rpc;
}

void
dht_stored(const struct dht *d, struct dht_stored *out)
{
	out->peers = records_count(d->records, RECORDS_PEER);
	out->servers = records_count(d->records, RECORDS_ROUTE);
	out->mutables = records_count(d->records, RECORDS_MUTABLE);
	out->immutables = records_count(d->records, RECORDS_IMMUTABLE);
}
