/* Lookups, announcements, and servers by their key. */
#include "net/dht/search.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "crypto/hash.h"

/* -- what all searches share ---------------------------------------------- */

struct dht_search *
search_new(struct dht *d, const struct search_ops *ops)
{
	struct dht_search *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->d = d;
	s->ops = ops;
	buf_init(&s->value, RPC_PACKET_MAX);
	buf_init(&s->put, RPC_PACKET_MAX);
	s->next = d->searches;
	if (s->next != NULL)
		s->next->prev = s;
	d->searches = s;
	return s;
}

static void
search_free(struct dht_search *s)
{
	if (s->next != NULL)
		s->next->prev = s->prev;
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		s->d->searches = s->next;
	buf_deinit(&s->value);
	buf_deinit(&s->put);
	free(s);
}

void
search_free_all(struct dht *d)
{
	while (d->searches != NULL)
		search_free(d->searches);
}

void
dht_search_cancel(struct dht_search *s)
{
	if (s->query != NULL)
		rpc_query_cancel(s->query);
	s->query = NULL;
	for (size_t i = 0; i < s->nstale; i++)
		if (s->request[i] != 0)
			rpc_forget(s->d->rpc, s->request[i]);
	s->nstale = 0;
	s->cancelled = true;
	if (!s->inside)
		search_free(s);
}

static void
on_reply(void *ctx, const struct rpc_reply *r)
{
	struct dht_search *s = ctx;

	s->inside = true;
	s->ops->reply(s, r);
	s->inside = false;
	if (s->cancelled)
		search_free(s);
}

static bool
on_commit(void *ctx, const struct rpc_node *n, struct rpc_ask *ask)
{
	struct dht_search *s = ctx;

	buf_reset(&s->value);
	s->ops->commit(s, n);
	if (s->value.failed != ERR_OK)
		return false;
	ask->command = s->ops->put;
	ask->has_target = true;
	ask->target = s->target;
	ask->has_token = true;
	ask->token = n->token;
	ask->value = buf_view(&s->value);
	return true;
}

static void
on_done(void *ctx, const struct rpc_node *closest, size_t n, size_t answers,
    size_t commits, uint64_t now)
{
	struct dht_search *s = ctx;

	(void)answers;
	s->query = NULL;
	s->nclosest = n < RPC_K ? n : RPC_K;
	for (size_t i = 0; i < s->nclosest; i++)
		s->closest[i] = closest[i];
	s->commits = commits;
	s->ops->done(s, now);
}

enum err_code
search_start(struct dht_search **out, struct dht_search *s,
    const struct addr *start, size_t nstart, uint64_t now, struct err *e)
{
	const struct rpc_query_opts q = {.command = s->ops->ask,
	    .target = s->target,
	    .value = buf_view(&s->value),
	    .start = start,
	    .nstart = nstart,
	    .reply = on_reply,
	    .commit = s->ops->commit != NULL ? on_commit : NULL,
	    .done = on_done,
	    .ctx = s};
	enum err_code rc;

	if ((rc = buf_check(&s->value, e)) != ERR_OK ||
	    (rc = rpc_query_start(&s->query, s->d->rpc, &q, now, e)) !=
		ERR_OK) {
		search_free(s);
		return rc;
	}
	*out = s;
	return ERR_OK;
}

/* -- the end of a search for records -------------------------------------- */

static void
records_end(struct dht_search *s, uint64_t now)
{
	const struct dht_search_opts o = s->o;

	s->inside = true;
	if (o.done != NULL)
		o.done(o.ctx, s->closest, s->nclosest, s->commits, now);
	search_free(s);
}

static bool
is_closest(const struct dht_search *s, const struct rpc_node *n)
{
	for (size_t i = 0; i < s->nclosest; i++)
		if (addr_eq(&s->closest[i].addr, &n->addr))
			return true;
	return false;
}

static void
on_unannounced(void *ctx, const struct rpc_reply *r)
{
	struct dht_search *s = ctx;

	s->pending--;
	if (r->m != NULL && r->m->error == RPC_OK && s->ops->commit == NULL)
		s->commits++;
	if (s->pending == 0)
		records_end(s, r->now);
}

static bool
unannounce_at(struct dht_search *s, size_t i, uint64_t now)
{
	const struct rpc_node *n = &s->stale[i];
	struct rpc_ask ask = {.to = n->addr,
	    .sock = UINT32_MAX,
	    .has_target = true,
	    .has_token = true,
	    .command = DHT_UNANNOUNCE,
	    .target = s->target,
	    .token = n->token,
	    .done = on_unannounced,
	    .ctx = s};
	struct err e = ERR_INIT;

	buf_reset(&s->value);
	search_announce_value(
	    &s->value, DHT_UNANNOUNCE, &s->target, n, s->o.pair, NULL, 0);
	ask.value = buf_view(&s->value);
	return s->value.failed == ERR_OK &&
	       rpc_request(s->d->rpc, &ask, now, &s->request[i], &e) == ERR_OK;
}

/* Old records are taken back, but not where a new one has just replaced it:
 * the two packets could pass each other on the way. */
static void
records_done(struct dht_search *s, uint64_t now)
{
	bool announced = s->ops->commit != NULL;

	s->pending = 1; /* not before all are asked */
	for (size_t i = 0; i < s->nstale; i++) {
		if (announced && is_closest(s, &s->stale[i]))
			continue;
		if (unannounce_at(s, i, now))
			s->pending++;
	}
	if (--s->pending == 0)
		records_end(s, now);
}

/* -- replies -------------------------------------------------------------- */

/* Addresses that nobody can have are left out. */
static void
record_of(struct dht_record *out, const struct dht_peer_record *p,
    const struct addr *from)
{
	size_t n = p->relays.len / RPC_ADDR_LEN;
	struct addr a;

	memset(out, 0, sizeof(*out));
	out->key = p->key;
	out->from = *from;
	for (size_t i = 0; i < n && out->nrelays < DHT_RELAYS_MAX; i++) {
		rpc_addr_at(p->relays, i, &a);
		if (a.family == 4 && a.port != 0)
			out->relay[out->nrelays++] = a;
	}
}

static void
tell(struct dht_search *s, const struct dht_peer_record *p,
    const struct rpc_reply *r)
{
	struct dht_record record;

	if (s->o.found == NULL || s->cancelled)
		return;
	record_of(&record, p, &r->from);
	s->o.found(s->o.ctx, &record, r->now);
}

/* A node that tells a record of ours, or so many that ours may be among
 * those it did not tell. */
static void
note_stale(
    struct dht_search *s, const struct dht_lookup *l, const struct rpc_reply *r)
{
	bool own = l->n >= RECORDS_PICK;
	struct rpc_node *n;

	for (size_t i = 0; i < l->n && !own; i++)
		own = b32_eq(&l->peer[i].key, &s->o.pair->pub);
	if (!own || s->nstale == SEARCH_STALE_MAX || !r->m->has_token ||
	    !rpc_id_valid(r->m, &r->from))
		return;
	n = &s->stale[s->nstale];
	n->id = r->m->id;
	n->addr = r->from;
	n->has_token = true;
	n->token = r->m->token;
	s->request[s->nstale++] = 0;
}

static void
lookup_reply(struct dht_search *s, const struct rpc_reply *r)
{
	struct dht_lookup l;

	if (r->m->value.len == 0 || !dht_lookup_decode(&l, r->m->value))
		return;
	if (s->o.pair != NULL && s->o.clear)
		note_stale(s, &l, r);
	for (size_t i = 0; i < l.n; i++)
		tell(s, &l.peer[i], r);
}

static void
find_peer_reply(struct dht_search *s, const struct rpc_reply *r)
{
	struct dht_peer_record p;
	struct b32 h;

	if (r->m->value.len == 0 || !dht_peer_record_decode(&p, r->m->value))
		return;
	hash_data(&h, view_b32(&p.key));
	if (b32_eq(&h, &s->target))
		tell(s, &p, r);
}

/* -- announcements -------------------------------------------------------- */

void
search_announce_value(struct buf *b, enum dht_command c,
    const struct b32 *target, const struct rpc_node *n,
    const struct sign_pair *pair, const struct addr *relay, size_t nrelays)
{
	struct dht_announce a = {.has_peer = true, .has_signature = true};
	uint8_t text[DHT_SIGNABLE_LEN], sig[SIGN_LEN];
	struct buf list;

	buf_init(&list, DHT_RELAYS_MAX * RPC_ADDR_LEN);
	for (size_t i = 0; i < nrelays && i < DHT_RELAYS_MAX; i++)
		rpc_addr_put(&list, &relay[i]);
	a.peer.key = pair->pub;
	a.peer.relays = buf_view(&list);
	dht_announce_signable(text, c, target, &n->id, &n->token, &a);
	sign_make(sig, view_of(text, sizeof(text)), pair);
	a.signature = view_of(sig, sizeof(sig));
	if (list.failed != ERR_OK)
		b->failed = list.failed;
	else
		dht_announce_encode(b, &a);
	buf_deinit(&list);
}

static void
announce_commit(struct dht_search *s, const struct rpc_node *n)
{
	search_announce_value(&s->value, DHT_ANNOUNCE, &s->target, n, s->o.pair,
	    s->relay, s->o.nrelays);
}

/* -- the contract --------------------------------------------------------- */

static const struct search_ops LOOKUP = {
    .ask = DHT_LOOKUP, .reply = lookup_reply, .done = records_done};
static const struct search_ops ANNOUNCE = {.ask = DHT_LOOKUP,
    .put = DHT_ANNOUNCE,
    .reply = lookup_reply,
    .commit = announce_commit,
    .done = records_done};
static const struct search_ops FIND_PEER = {
    .ask = DHT_FIND_PEER, .reply = find_peer_reply, .done = records_done};

static enum err_code
start_records(struct dht_search **out, struct dht *d,
    const struct search_ops *ops, const struct dht_search_opts *o, uint64_t now,
    struct err *e)
{
	struct dht_search *s = search_new(d, ops);

	if (s == NULL)
		return err_nomem(e);
	s->target = o->topic;
	s->o = *o;
	s->o.start = NULL; /* the query copies them */
	s->o.relay = NULL;
	s->o.nrelays =
	    o->nrelays < DHT_RELAYS_MAX ? o->nrelays : DHT_RELAYS_MAX;
	for (size_t i = 0; i < s->o.nrelays; i++)
		s->relay[i] = o->relay[i];
	/* at this node too */
	if (o->pair != NULL && o->clear)
		dht_serve_forget(d, &o->topic, &o->pair->pub);
	return search_start(out, s, o->start, o->nstart, now, e);
}

enum err_code
dht_lookup(struct dht_search **out, struct dht *d,
    const struct dht_search_opts *o, uint64_t now, struct err *e)
{
	return start_records(
	    out, d, o->pair != NULL ? &ANNOUNCE : &LOOKUP, o, now, e);
}

enum err_code
dht_unannounce(struct dht_search **out, struct dht *d,
    const struct dht_search_opts *o, uint64_t now, struct err *e)
{
	struct dht_search_opts clear = *o;

	bug_if(o->pair == NULL);
	clear.clear = true;
	return start_records(out, d, &LOOKUP, &clear, now, e);
}

enum err_code
dht_find_peer(struct dht_search **out, struct dht *d,
    const struct dht_search_opts *o, uint64_t now, struct err *e)
{
	struct dht_search_opts look = *o;

	look.pair = NULL;
	return start_records(out, d, &FIND_PEER, &look, now, e);
}
