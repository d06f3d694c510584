/* Opening and closing a node, and questions about it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/z32.h"
#include "net/io/io.h"
#include "peer/node_impl.h"

/* -- life ----------------------------------------------------------------- */

static void
discover(struct peer_node *n, struct wire_discovery *out)
{
	const struct peer_discovery *d = n->o.discovery;

	if (d->remember)
		known_read(&n->known, store_dir(n->o.store), n->bootstrap,
		    d->nbootstrap);
	*out = (struct wire_discovery){.bootstrap = n->bootstrap,
	    .nbootstrap = d->nbootstrap,
	    .known = n->known.node,
	    .nknown = n->known.n,
	    .peers_max = d->peers_max,
	    .sought_max = d->sought_max,
	    .relay = d->relay};
}

/* The list is the node's own from now on. */
static enum err_code
copy_discovery(struct peer_node *n, struct err *e)
{
	size_t bytes;

	if (n->o.discovery == NULL)
		return ERR_OK;
	n->discovery = *n->o.discovery;
	bytes = n->discovery.nbootstrap * sizeof(struct addr);
	if ((n->bootstrap = malloc(bytes + 1)) == NULL)
		return err_nomem(e);
	if (bytes > 0)
		memcpy(n->bootstrap, n->discovery.bootstrap, bytes);
	n->discovery.bootstrap = n->bootstrap;
	if (n->discovery.relay != NULL) {
		n->relay = *n->discovery.relay;
		n->discovery.relay = &n->relay;
	}
	n->o.discovery = &n->discovery;
	n->topic = calloc(TOPIC_BUCKETS, sizeof(struct topic *));
	return n->topic == NULL ? err_nomem(e) : ERR_OK;
}

static enum err_code
start(struct peer_node *n, struct err *e)
{
	struct replicate_opts ro = {.serve = n->o.serve};
	struct wire_opts wo = {.listen = n->o.listen,
	    .pair = &n->pair,
	    .connections_max = n->o.connections_max != 0
				   ? n->o.connections_max
				   : PEER_CONNECTIONS_MAX};
	struct wire_discovery wd;
	struct b32 seed;
	char watch[4096];
	enum err_code rc;

	for (size_t i = 0; i < n->o.nat; i++) {
		n->dial[i].at = n->o.at[i];
		n->dial[i].delay = REDIAL_FIRST_US;
		wo.dial4 = wo.dial4 || n->o.at[i].addr.family == 4;
		wo.dial6 = wo.dial6 || n->o.at[i].addr.family == 6;
	}
	if (n->o.pair != NULL) {
		rc = sign_pair_copy(&n->pair, n->o.pair, e);
	} else {
		secret_random(&seed, sizeof(seed));
		rc = sign_pair_seed(&n->pair, &seed, e);
		secret_wipe(&seed, sizeof(seed));
	}
	if (rc != ERR_OK)
		return rc;
	if (snprintf(watch, sizeof(watch), "%s/index", store_dir(n->o.store)) <
	    (int)sizeof(watch))
		wo.watch = watch;
	if ((rc = replicate_new(&n->repl, n->o.store, &ro, e)) != ERR_OK)
		return rc;
	wo.up_max = n->o.up_max;
	wo.down_max = n->o.down_max;
	if (n->o.discovery != NULL) {
		discover(n, &wd);
		wo.discovery = &wd;
	}
	return wire_open(&n->wire, &wo, e);
}

enum err_code
peer_open(struct peer_node **out, const struct peer_opts *o, struct err *e)
{
	struct peer_node *n;
	enum err_code rc;

	if (o->nat > PEER_AT_MAX)
		return err_set(e, ERR_USAGE, "more than %d peers", PEER_AT_MAX);
	if ((n = calloc(1, sizeof(*n))) == NULL)
		return err_nomem(e);
	n->o = *o;
	if (n->o.patience_us == 0)
		n->o.patience_us = PATIENCE_US;
	peer_fetch_init(n);
	n->dial = calloc(o->nat + 1, sizeof(*n->dial));
	rc = n->dial == NULL ? err_nomem(e) : copy_discovery(n, e);
	if (rc == ERR_OK)
		rc = start(n, e);
	if (rc != ERR_OK) {
		peer_close(n);
		return rc;
	}
	*out = n;
	return ERR_OK;
}

/* Every connection ends in order; the network thread gets a moment to say
 * so, and whoever does not hear it finds out by itself. */
static void
goodbye(struct peer_node *n)
{
	uint64_t now = io_now(), until = now + GOODBYE_US;
	uint64_t quiet = now + QUIET_US;
	struct err e = ERR_INIT;
	struct wire_event *ev;

	for (size_t i = 0; i < n->nlinks; i++) {
		if (n->link[i]->peer == NULL)
			continue;
		peer_retire(n, n->link[i], now);
		wire_drop(n->wire, n->link[i]->conn, true);
	}
	n->o.event = NULL;
	n->o.nat = 0;
	n->quiet = n->o.discovery == NULL || wire_quit(n->wire, &e) != ERR_OK;
	wire_flush(n->wire);
	while ((n->nlinks > 0 && io_now() < until) ||
	       (!n->quiet && io_now() < quiet)) {
		if ((ev = wire_next(n->wire)) == NULL) {
			wire_wait(n->wire, n->quiet ? until : quiet);
			continue;
		}
		n->quiet = n->quiet || ev->kind == WIRE_QUIET;
		if (ev->kind == WIRE_CLOSED) {
			ev->dial = 0;
			peer_closed(n, ev, now);
		}
		free(ev->data);
		free(ev);
	}
}

void
peer_close(struct peer_node *n)
{
	struct err e = ERR_INIT;

	if (n == NULL)
		return;
	/* what cannot be committed now is fetched again another time */
	if (n->repl != NULL && replicate_flush(n->repl, io_now(), &e) != ERR_OK)
		e.code = ERR_OK;
	if (n->wire != NULL)
		goodbye(n);
	peer_remember(n);
	while (n->nlinks > 0)
		free(n->link[--n->nlinks]);
	wire_close(n->wire);
	replicate_free(n->repl);
	sign_pair_free(&n->pair);
	free(n->link);
	free(n->dial);
	peer_topics_free(n);
	free(n->bootstrap);
	free(n);
}

/* -- questions ------------------------------------------------------------ */

struct replicate *
peer_replicate(struct peer_node *n)
{
	return n->repl;
}

const struct fetch *
peer_fetch(struct peer_node *n)
{
	return &n->fetch;
}

bool
peer_address(const struct peer_node *n, struct addr *out)
{
	if (n->o.listen == NULL)
		return false;
	wire_addr(n->wire, out);
	return true;
}

const struct b32 *
peer_key(const struct peer_node *n)
{
	return &n->pair.pub;
}

size_t
peer_connections(const struct peer_node *n)
{
	size_t live = 0;

	for (size_t i = 0; i < n->nlinks; i++)
		live += n->link[i]->peer != NULL;
	return live;
}

static bool
all_dialled(const struct peer_node *n)
{
	for (size_t i = 0; i < n->o.nat; i++)
		if (!n->dial[i].tried)
			return false;
	return true;
}

bool
peer_settled(const struct peer_node *n)
{
	return all_dialled(n) && peer_looked(n);
}

bool
peer_all_told(struct peer_node *n, struct replicate_core *c)
{
	return (n->o.discovery == NULL || n->network.online) &&
	       peer_settled(n) && replicate_pending(c) == 0;
}

bool
peer_hopeless(const struct peer_node *n)
{
	return peer_connections(n) == 0 && n->o.listen == NULL &&
	       n->o.discovery == NULL && peer_settled(n) && !n->ever;
}

static enum err_code
nobody_found(const struct peer_node *n, const char *name, struct err *e)
{
	char missed[Z32_KEY_LEN + 1];

	if (!n->network.online)
		return err_set(e, ERR_PEERS,
		    "core %s: the DHT does not answer; is there a network?",
		    name);
	if (peer_found(n) == 0)
		return err_set(e, ERR_PEERS,
		    "core %s: nobody announces it; is it being seeded?", name);
	if (n->missed_why[0] == '\0')
		return err_set(e, ERR_PEERS,
		    "core %s: announced by %zu peers, none of which could be "
		    "reached",
		    name, peer_found(n));
	return err_set(e, ERR_PEERS,
	    "core %s: announced by %zu peers, none of which could be reached "
	    "(%s: %s)",
	    name, peer_found(n), z32_key(missed, &n->missed), n->missed_why);
}

enum err_code
peer_nobody(struct peer_node *n, const struct b32 *key, struct err *e)
{
	char name[Z32_KEY_LEN + 1], at[ADDR_TEXT];
	const struct dial *d = n->dial;

	z32_key(name, key);
	if (peer_connections(n) > 0)
		return err_set(e, ERR_PEERS,
		    "core %s: none of the %zu connected peers could give it",
		    name, peer_connections(n));
	for (size_t i = 0; i < n->o.nat; i++)
		if (n->dial[i].text[0] != '\0')
			d = &n->dial[i];
	if (n->o.discovery != NULL && d->text[0] == '\0')
		return nobody_found(n, name, e);
	if (n->o.nat == 0)
		return err_set(
		    e, ERR_PEERS, "core %s: no peer is connected", name);
	return err_set(e, ERR_PEERS,
	    "core %s: no peer could be reached (%s: %s)", name,
	    addr_format(at, &d->at.addr),
	    d->text[0] != '\0' ? d->text : "no answer");
}
