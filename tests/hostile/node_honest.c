#include "node_honest.h"

#include <stdio.h>
#include <stdlib.h>

#include "peer/node.h"

struct honest {
	struct store *store;
	struct peer_node *node;
	struct b32 topic;
	uint64_t asked, joined; /* 0: not yet */
};

static void
on_event(void *ctx, const struct peer_event *ev)
{
	struct honest *h = ctx;

	if (ev->kind == PEER_JOINED && h->joined == 0)
		h->joined = peer_now();
}

enum err_code
honest_open(struct honest **out, const struct node_target *t, unsigned number,
    struct err *e)
{
	const struct peer_discovery d = {
	    .bootstrap = &t->bootstrap, .nbootstrap = 1};
	struct peer_opts o = {.discovery = &d, .event = on_event};
	struct store_opts so = {.mode = STORE_CREATE};
	struct honest *h = calloc(1, sizeof(*h));
	char dir[4096];
	enum err_code rc;

	if (h == NULL)
		return err_nomem(e);
	(void)snprintf(dir, sizeof(dir), "%s/guest-%u", t->t.dir, number);
	so.dir = dir;
	h->topic = t->topic;
	if ((rc = store_open(&h->store, &so, e)) == ERR_OK) {
		o.store = h->store;
		o.ctx = h;
		rc = peer_open(&h->node, &o, e);
	}
	if (rc != ERR_OK) {
		honest_close(h);
		return rc;
	}
	*out = h;
	return ERR_OK;
}

bool
honest_waits(const struct honest *h)
{
	return h->joined == 0;
}

void
honest_turn(struct honest *h)
{
	struct peer_network net;
	struct err e = ERR_INIT;

	if (peer_turn(h->node, peer_now() + 1000, &e) != ERR_OK)
		return;
	peer_network(h->node, &net);
	if (h->asked != 0 || !net.ready)
		return;
	h->asked = peer_now();
	if (peer_join(h->node, &h->topic, PEER_CLIENT, &e) != ERR_OK)
		h->asked = 0;
}

uint64_t
honest_took(const struct honest *h)
{
	if (h->asked == 0)
		return UINT64_MAX;
	return (h->joined != 0 ? h->joined : peer_now()) - h->asked;
}

void
honest_close(struct honest *h)
{
	peer_close(h->node);
	store_close(h->store);
	free(h);
}
