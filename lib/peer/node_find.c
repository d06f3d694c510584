/* Topics of a node, and what the network says of itself. */
#include <stdlib.h>
#include <string.h>

#include "net/io/io.h"
#include "peer/node_impl.h"

#define REMEMBER_US (600 * UINT64_C(1000000))

static struct topic *
find(const struct peer_node *n, const struct b32 *key)
{
	for (size_t i = 0; i < n->ntopics; i++)
		if (b32_eq(&n->topic[i].about.topic, key))
			return &n->topic[i];
	return NULL;
}

static enum err_code
add(struct peer_node *n, const struct b32 *key, struct topic **out,
    struct err *e)
{
	size_t cap = n->topics_cap == 0 ? 8 : 2 * n->topics_cap;
	struct topic *grown;

	if (n->ntopics == n->topics_cap) {
		if ((grown = realloc(n->topic, cap * sizeof(*grown))) == NULL)
			return err_nomem(e);
		n->topic = grown;
		n->topics_cap = cap;
	}
	*out = &n->topic[n->ntopics++];
	**out = (struct topic){.about = {.topic = *key}};
	return ERR_OK;
}

enum err_code
peer_join(
    struct peer_node *n, const struct b32 *topic, int flags, struct err *e)
{
	struct topic *t = find(n, topic);
	enum err_code rc;

	if (n->o.discovery == NULL)
		return ERR_OK;
	if (t == NULL && (rc = add(n, topic, &t, e)) != ERR_OK)
		return rc;
	if (t->flags == flags)
		return ERR_OK;
	if ((rc = wire_join(n->wire, topic, flags, e)) == ERR_OK)
		t->flags = flags;
	wire_flush(n->wire);
	return rc;
}

enum err_code
peer_leave(struct peer_node *n, const struct b32 *topic, struct err *e)
{
	struct topic *t = find(n, topic);
	enum err_code rc;

	if (t == NULL)
		return ERR_OK;
	*t = n->topic[--n->ntopics];
	rc = wire_leave(n->wire, topic, e);
	wire_flush(n->wire);
	return rc;
}

enum err_code
peer_join_peer(struct peer_node *n, const struct b32 *key, struct err *e)
{
	enum err_code rc;

	if (n->o.discovery == NULL)
		return ERR_OK;
	rc = wire_join_peer(n->wire, key, e);
	wire_flush(n->wire);
	return rc;
}

enum err_code
peer_listen(struct peer_node *n, struct err *e)
{
	enum err_code rc;

	if (n->o.discovery == NULL)
		return ERR_OK;
	rc = wire_serve(n->wire, e);
	wire_flush(n->wire);
	return rc;
}

enum err_code
peer_refresh(struct peer_node *n, const struct b32 *topic, struct err *e)
{
	enum err_code rc;

	if (n->o.discovery == NULL)
		return ERR_OK;
	rc = wire_refresh(n->wire, topic, e);
	wire_flush(n->wire);
	return rc;
}

bool
peer_topic(
    const struct peer_node *n, const struct b32 *topic, struct peer_topic *out)
{
	const struct topic *t = find(n, topic);

	if (t == NULL || t->looked == 0)
		return false;
	*out = t->about;
	return true;
}

void
peer_network(struct peer_node *n, struct peer_network *out)
{
	*out = n->network;
}

/* The answer to the first look, and a later word of who is dialled. */
static bool
looked(const struct peer_node *n, const struct topic *t)
{
	if ((t->flags & PEER_CLIENT) == 0)
		return true;
	return t->looked != 0 && (t->about.found == 0 || n->heard > t->looked);
}

bool
peer_looked(const struct peer_node *n)
{
	for (size_t i = 0; i < n->ntopics; i++)
		if (!looked(n, &n->topic[i]))
			return false;
	return n->network.dialling == 0;
}

bool
peer_tried(const struct peer_node *n, const struct b32 *topic)
{
	const struct topic *t = find(n, topic);

	if (t == NULL)
		return peer_looked(n);
	if (t->looked != 0 && t->about.found == 0)
		return true;
	return looked(n, t) && n->network.dialling == 0;
}

bool
peer_ready(const struct peer_node *n)
{
	return peer_settled(n) || (n->o.discovery != NULL && n->joined != 0 &&
				      io_now() - n->joined > STRAGGLER_US);
}

size_t
peer_found(const struct peer_node *n)
{
	size_t most = 0;

	for (size_t i = 0; i < n->ntopics; i++)
		if (n->topic[i].about.found > most)
			most = n->topic[i].about.found;
	return most;
}

/* -- events of the wire --------------------------------------------------- */

void
peer_on_looked(struct peer_node *n, const struct wire_event *ev)
{
	struct peer_event out = {.kind = PEER_LOOKED, .topic = ev->topic};
	struct topic *t = find(n, &ev->topic->topic);

	if (t == NULL)
		return;
	t->about = *ev->topic;
	if (t->looked == 0)
		t->looked = io_now();
	if (n->o.event != NULL)
		n->o.event(n->o.ctx, &out);
}

/* A hint for next time: when it cannot be written, nothing is lost. */
void
peer_remember(struct peer_node *n)
{
	const struct peer_discovery *d = n->o.discovery;
	struct err e = ERR_INIT;

	if (d == NULL || !d->remember || n->known.n == 0 || !n->known_new)
		return;
	n->known_new = false;
	n->remembered = io_now();
	if (known_write(&n->known, store_dir(n->o.store), n->bootstrap,
		d->nbootstrap, &e) != ERR_OK)
		e.code = ERR_OK;
}

void
peer_on_network(struct peer_node *n, const struct wire_event *ev)
{
	struct peer_event out = {.kind = PEER_NETWORK};

	n->network = ev->network->about;
	n->heard = io_now();
	if (ev->network->nknown > 0) {
		n->known.n = ev->network->nknown;
		memcpy(n->known.node, ev->network->known,
		    n->known.n * sizeof(*n->known.node));
		n->known_new = true;
	}
	if (io_now() - n->remembered >= REMEMBER_US)
		peer_remember(n);
	if (n->o.event != NULL)
		n->o.event(n->o.ctx, &out);
}
