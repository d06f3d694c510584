/* Topics of a node, and what the network says of itself. */
#include <stdlib.h>
#include <string.h>

#include "net/io/io.h"
#include "peer/node_impl.h"

#define REMEMBER_US (600 * UINT64_C(1000000))

static struct topic **
bucket_of(const struct peer_node *n, const struct b32 *key)
{
	uint64_t x;

	memcpy(&x, key->b, sizeof(x));
	return &n->topic[x & (TOPIC_BUCKETS - 1)];
}

static struct topic *
find(const struct peer_node *n, const struct b32 *key)
{
	struct topic *t = n->topic == NULL ? NULL : *bucket_of(n, key);

	while (t != NULL && !b32_eq(&t->key, key))
		t = t->chain;
	return t;
}

/* All of them, one after the other; NULL begins and ends. */
static struct topic *
each(const struct peer_node *n, const struct topic *t)
{
	size_t i = 0;

	if (n->topic == NULL)
		return NULL;
	if (t != NULL && t->chain != NULL)
		return t->chain;
	if (t != NULL)
		i = (size_t)(bucket_of(n, &t->key) - n->topic) + 1;
	while (i < TOPIC_BUCKETS && n->topic[i] == NULL)
		i++;
	return i < TOPIC_BUCKETS ? n->topic[i] : NULL;
}

static enum err_code
add(struct peer_node *n, const struct b32 *key, struct topic **out,
    struct err *e)
{
	struct topic *t = calloc(1, sizeof(*t)), **at = bucket_of(n, key);

	if (t == NULL)
		return err_nomem(e);
	t->key = *key;
	t->chain = *at;
	*at = t;
	*out = t;
	return ERR_OK;
}

static void
forget(struct peer_node *n, struct topic *t)
{
	struct topic **at = bucket_of(n, &t->key);

	while (*at != t)
		at = &(*at)->chain;
	*at = t->chain;
	free(t);
}

void
peer_topics_free(struct peer_node *n)
{
	for (size_t i = 0; n->topic != NULL && i < TOPIC_BUCKETS; i++)
		while (n->topic[i] != NULL)
			forget(n, n->topic[i]);
	free(n->topic);
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
	rc = wire_leave(n->wire, topic, e);
	if (rc == ERR_OK)
		forget(n, t);
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
	*out = (struct peer_topic){.topic = t->key,
	    .found = t->found,
	    .announced = t->announced,
	    .next = t->next};
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
	return t->looked != 0 && (t->found == 0 || n->heard > t->looked);
}

bool
peer_looked(const struct peer_node *n)
{
	for (const struct topic *t = each(n, NULL); t != NULL; t = each(n, t))
		if (!looked(n, t))
			return false;
	return n->network.dialling == 0;
}

bool
peer_tried(const struct peer_node *n, const struct b32 *topic)
{
	const struct topic *t = find(n, topic);

	if (t == NULL)
		return peer_looked(n);
	if (t->looked != 0 && t->found == 0)
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

	for (const struct topic *t = each(n, NULL); t != NULL; t = each(n, t))
		if (t->found > most)
			most = t->found;
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
	t->found = (uint32_t)ev->topic->found;
	t->announced = (uint32_t)ev->topic->announced;
	t->next = ev->topic->next;
	if (t->looked == 0)
		t->looked = io_now();
	if (n->o.event != NULL)
		n->o.event(n->o.ctx, &out);
}

void
peer_on_met(struct peer_node *n, const struct wire_event *ev)
{
	struct peer_event out = {.kind = PEER_MET, .topic = ev->topic};

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
