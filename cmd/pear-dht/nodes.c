/*
 * The network thread: some nodes, two sockets each. Between the start and the
 * stop only its handlers touch them; the main thread gets notes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "cmd/pear-dht/dht_cmd.h"
#include "crypto/hash.h"
#include "net/io/io.h"

struct node {
	struct dht_nodes *all;
	size_t number;
	struct dht *dht;
	struct io_socket *sock[2]; /* RPC_SOCK_CLIENT, RPC_SOCK_SERVER */
	struct addr at;
	struct b32 id;
	bool has_id;
	bool dirty; /* something came: a turn is due */
	uint64_t deadline;
};

struct dht_nodes {
	struct io *io;
	struct io_queue *out;
	struct io_item *list; /* notes of the main thread */
	struct dht_plan plan;
	struct node node[DHT_NODES_MAX];
	size_t n;
	bool asked; /* the search has begun */
	uint64_t report;
	struct dht_state told;
};

/* -- notes ---------------------------------------------------------------- */

/* No memory: one report less. */
static struct dht_note *
note_new(enum dht_note_kind kind)
{
	struct dht_note *n = calloc(1, sizeof(*n));

	if (n != NULL)
		n->kind = kind;
	return n;
}

static void
tell(struct dht_nodes *all, struct dht_note *n)
{
	if (n != NULL)
		(void)io_queue_push(all->out, &n->item);
}

static void
state_of(struct dht_nodes *all, struct dht_state *s)
{
	struct rpc_about about;
	struct dht_stored stored;

	memset(s, 0, sizeof(*s));
	s->running = all->n;
	for (size_t i = 0; i < all->n; i++) {
		rpc_about(dht_rpc(all->node[i].dht), &about);
		dht_stored(all->node[i].dht, &stored);
		s->persistent += about.persistent;
		if (about.nodes > s->known)
			s->known = about.nodes;
		s->stored.peers += stored.peers;
		s->stored.servers += stored.servers;
		s->stored.mutables += stored.mutables;
		s->stored.immutables += stored.immutables;
	}
}

/* Only what is new, and not too often. */
static void
report(struct dht_nodes *all, uint64_t now)
{
	struct dht_note *n;
	struct dht_state s;

	if (now < all->report)
		return;
	all->report = now + all->plan.interval_us;
	state_of(all, &s);
	if (memcmp(&s, &all->told, sizeof(s)) == 0)
		return;
	all->told = s;
	if ((n = note_new(NOTE_STATE)) != NULL)
		n->state = s;
	tell(all, n);
}

/* -- the search ----------------------------------------------------------- */

static void
on_found(void *ctx, const struct dht_record *r, uint64_t now)
{
	struct dht_note *n = note_new(NOTE_FOUND);

	(void)now;
	if (n != NULL)
		n->record = *r;
	tell(ctx, n);
}

static void
on_done(void *ctx, const struct rpc_node *closest, size_t n, size_t commits,
    uint64_t now)
{
	struct dht_note *note = note_new(NOTE_DONE);

	(void)closest;
	(void)commits;
	(void)now;
	bug_if(note == NULL); /* nothing would ever end */
	note->answers = n;
	tell(ctx, note);
}

static void
ask(struct dht_nodes *all, uint64_t now)
{
	struct dht_search_opts o = {.topic = all->plan.key,
	    .found = on_found,
	    .done = on_done,
	    .ctx = all};
	struct err e = ERR_INIT;
	struct dht_search *s;
	enum err_code rc;

	all->asked = true;
	if (all->plan.job == DHT_FIND_JOB) {
		hash_data(&o.topic, view_b32(&all->plan.key));
		rc = dht_find_peer(&s, all->node[0].dht, &o, now, &e);
	} else {
		rc = dht_lookup(&s, all->node[0].dht, &o, now, &e);
	}
	if (rc != ERR_OK)
		on_done(all, NULL, 0, 0, now);
}

/* -- the nodes ------------------------------------------------------------ */

static void
on_send(void *ctx, uint32_t sock, const struct addr *to, struct view d,
    unsigned ttl)
{
	struct node *n = ctx;
	size_t len = d.len;

	bug_if(sock > RPC_SOCK_SERVER);
	if (ttl != 0)
		(void)io_send_ttl(n->sock[sock], d, to, ttl);
	else
		(void)io_send(n->sock[sock], d.ptr, &len, len, to);
}

static void
on_event(void *ctx, enum rpc_event ev)
{
	struct node *n = ctx;
	struct rpc_about about;
	struct dht_note *note;

	if (ev != RPC_PERSISTENT || n->dht == NULL || n->has_id)
		return;
	rpc_about(dht_rpc(n->dht), &about);
	if ((note = note_new(NOTE_PERSISTENT)) == NULL)
		return;
	note->node = n->number;
	note->addr = about.self;
	note->id = about.id;
	tell(n->all, note);
}

static uint64_t
wall_ms(void *ctx)
{
	(void)ctx;
	return io_wall_ms();
}

/* -- the thread ----------------------------------------------------------- */

static void
on_datagram(void *ctx, struct io_socket *s, struct view d,
    const struct addr *from, uint64_t now)
{
	struct dht_nodes *all = ctx;
	struct node *n;

	for (size_t i = 0; i < all->n; i++) {
		n = &all->node[i];
		for (uint32_t k = 0; k < 2; k++) {
			if (n->sock[k] != s)
				continue;
			dht_recv(n->dht, k, d, from, now);
			n->dirty = true;
			return;
		}
	}
}

static uint64_t
turn_node(struct node *n, uint64_t now)
{
	if (n->dirty || now >= n->deadline) {
		n->dirty = false;
		n->deadline = dht_turn(n->dht, now);
	}
	return n->deadline;
}

/* A search begins when the node knows others: a turn may have told so. */
static uint64_t
on_turn(void *ctx, uint64_t now)
{
	struct dht_nodes *all = ctx;
	uint64_t deadline = UINT64_MAX, next;
	struct rpc_about about;

	for (size_t i = 0; i < all->n; i++) {
		next = turn_node(&all->node[i], now);
		if (next < deadline)
			deadline = next;
	}
	if (all->plan.job == DHT_SERVE) {
		report(all, now);
		return deadline < all->report ? deadline : all->report;
	}
	rpc_about(dht_rpc(all->node[0].dht), &about);
	if (about.ready && !all->asked) {
		ask(all, now);
		all->node[0].dirty = true;
		deadline = turn_node(&all->node[0], now);
	}
	return deadline;
}

/* -- starting ------------------------------------------------------------- */

/* The port that is asked for, or the first usual one that is free, or any. */
static enum err_code
open_server(struct dht_nodes *all, struct node *n, struct err *e)
{
	struct addr at = all->plan.host;
	enum err_code rc = ERR_IO;

	if (all->plan.fixed_port || all->plan.job != DHT_SERVE)
		return io_socket_open(&n->sock[1], all->io, &at, e);
	for (uint16_t i = 0; i <= DHT_PORTS && rc == ERR_IO; i++) {
		at.port = i < DHT_PORTS ? (uint16_t)(DHT_PORT + i) : 0;
		rc = io_socket_open(&n->sock[1], all->io, &at, e);
	}
	return rc;
}

static enum err_code
open_node(struct dht_nodes *all, struct node *n, struct err *e)
{
	const struct dht_env env = {
	    .ctx = n, .send = on_send, .event = on_event, .wall_ms = wall_ms};
	const struct dht_plan *p = &all->plan;
	struct dht_opts o = {
	    .rpc = {.role = p->job == DHT_SERVE ? RPC_SERVER : RPC_CLIENT_ONLY,
		.bootstrap = p->bootstrap,
		.nbootstrap = p->nbootstrap}};
	struct addr client = p->host, self = p->self;
	struct rpc_about about;
	enum err_code rc;

	client.port = 0;
	if ((rc = io_socket_open(&n->sock[0], all->io, &client, e)) != ERR_OK ||
	    (rc = open_server(all, n, e)) != ERR_OK)
		return rc;
	io_socket_addr(n->sock[1], &n->at);
	if (self.port == 0)
		self.port = n->at.port;
	o.rpc.port = n->at.port;
	if (p->has_self && p->job == DHT_SERVE) {
		o.rpc.self = &self;
		o.rpc.open = true;
	}
	/* the nodes of a network on this machine begin with the first */
	if (n->number > 0 && p->nbootstrap == 0) {
		o.rpc.bootstrap = &all->node[0].at;
		o.rpc.nbootstrap = 1;
	}
	if ((rc = dht_new(&n->dht, &o, &env, io_now(), e)) != ERR_OK)
		return rc;
	/* one that knows its address has its id at once */
	n->deadline = dht_turn(n->dht, io_now());
	rpc_about(dht_rpc(n->dht), &about);
	n->has_id = about.persistent;
	n->id = about.id;
	return ERR_OK;
}

enum err_code
dht_nodes_start(struct dht_nodes **out, const struct dht_plan *p, struct err *e)
{
	static const struct io_handler handler = {
	    .datagram = on_datagram, .turn = on_turn};
	struct dht_nodes *all = calloc(1, sizeof(*all));
	enum err_code rc;

	if (all == NULL)
		return err_nomem(e);
	all->plan = *p;
	if ((rc = io_queue_new(&all->out, e)) == ERR_OK)
		rc = io_new(&all->io, &handler, all, e);
	while (rc == ERR_OK && all->n < p->nodes) {
		all->node[all->n].all = all;
		all->node[all->n].number = all->n;
		rc = open_node(all, &all->node[all->n], e);
		all->n++;
	}
	if (rc == ERR_OK)
		rc = io_start(all->io, e);
	if (rc != ERR_OK) {
		dht_nodes_stop(all);
		return rc;
	}
	*out = all;
	return ERR_OK;
}

void
dht_nodes_stop(struct dht_nodes *all)
{
	struct io_item *it, *next;

	if (all == NULL)
		return;
	if (all->io != NULL)
		io_stop(all->io);
	for (size_t i = 0; i < all->n; i++)
		dht_free(all->node[i].dht);
	io_free(all->io);
	for (it = all->list; it != NULL; it = next) {
		next = it->next;
		free(it);
	}
	if (all->out != NULL) {
		for (it = io_queue_take(all->out); it != NULL; it = next) {
			next = it->next;
			free(it);
		}
		io_queue_free(all->out);
	}
	free(all);
}

bool
dht_nodes_at(
    const struct dht_nodes *all, size_t i, struct addr *addr, struct b32 *id)
{
	*addr = all->node[i].at;
	*id = all->node[i].id;
	return all->node[i].has_id;
}

struct dht_note *
dht_nodes_wait(struct dht_nodes *all, uint64_t until)
{
	struct io_item *it;

	if (all->list == NULL) {
		io_queue_wait(all->out, until);
		all->list = io_queue_take(all->out);
	}
	if ((it = all->list) == NULL)
		return NULL;
	all->list = it->next;
	return (struct dht_note *)(void *)it;
}
