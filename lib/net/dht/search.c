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
	buf_init(&s->made, RPC_PACKET_MAX);
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
	buf_deinit(&s->made);
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
	for (size_t i = 0; i < s->nrequests; i++)
		rpc_forget(s->d->rpc, s->request[i]);
	s->nrequests = 0;
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

static void
on_done(void *ctx, const struct rpc_node *closest, size_t n, size_t answers,
    size_t commits, uint64_t now)
{
	struct dht_search *s = ctx;

	(void)answers;
	(void)commits;
	s->query = NULL;
	s->nclosest = n < RPC_K ? n : RPC_K;
	for (size_t i = 0; i < s->nclosest; i++)
		s->closest[i] = closest[i];
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

/* -- requests to the nodes that were found -------------------------------- */

static void
one_less(struct dht_search *s, uint64_t now)
{
	if (--s->pending > 0)
		return;
	s->nrequests = 0;
	s->then(s, now);
}

static void
on_answer(void *ctx, const struct rpc_reply *r)
{
	struct dht_search *s = ctx;

	s->commits += r->m != NULL && r->m->error == RPC_OK;
	one_less(s, r->now);
}

static bool
put_at(struct dht_search *s, const struct rpc_node *n, enum dht_command put,
    uint64_t now)
{
	const struct rpc_ask ask = {.to = n->addr,
	    .sock = UINT32_MAX,
	    .has_target = true,
	    .has_token = true,
	    .command = put,
	    .target = s->target,
	    .token = n->token,
	    .value = buf_view(&s->value),
	    .done = on_answer,
	    .ctx = s};
	struct err e = ERR_INIT;

	return s->value.failed == ERR_OK &&
	       rpc_request(s->d->rpc, &ask, now, &s->request[s->nrequests],
		   &e) == ERR_OK;
}

void
search_put(struct dht_search *s, const struct search_step *step, uint64_t now)
{
	bug_if(step->n > SEARCH_REQUESTS_MAX);
	s->then = step->then;
	s->commits = s->nrequests = 0;
	s->pending = 1; /* not before all are asked */
	for (size_t i = 0; i < step->n; i++) {
		if (!step->node[i].has_token)
			continue;
		buf_reset(&s->value);
		step->value(s, &step->node[i]);
		if (put_at(s, &step->node[i], step->put, now)) {
			s->nrequests++;
			s->pending++;
		}
	}
	one_less(s, now);
}

/* -- replies -------------------------------------------------------------- */

/* Without addresses that nobody can have, or not for us. */
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
		if (node_may_send(&a, from))
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
	s->nstale++;
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
announce_value(struct dht_search *s, const struct rpc_node *n)
{
	search_announce_value(&s->value, DHT_ANNOUNCE, &s->target, n, s->o.pair,
	    s->relay, s->o.nrelays);
}

static void
unannounce_value(struct dht_search *s, const struct rpc_node *n)
{
	search_announce_value(
	    &s->value, DHT_UNANNOUNCE, &s->target, n, s->o.pair, NULL, 0);
}

/* -- the end -------------------------------------------------------------- */

static void
records_end(struct dht_search *s, uint64_t now)
{
	const struct dht_search_opts o = s->o;

	s->inside = true;
	if (o.done != NULL)
		o.done(o.ctx, s->closest, s->nclosest, s->commits, now);
	search_free(s);
}

static void
announce(struct dht_search *s, uint64_t now)
{
	const struct search_step step = {
	    DHT_ANNOUNCE, s->closest, s->nclosest, announce_value, records_end};

	search_put(s, &step, now);
}

/* What is old is gone before the new comes: nodes of the original keep both
 * otherwise. */
static void
announce_done(struct dht_search *s, uint64_t now)
{
	const struct search_step step = {
	    DHT_UNANNOUNCE, s->stale, s->nstale, unannounce_value, announce};

	search_put(s, &step, now);
}

static void
unannounce_done(struct dht_search *s, uint64_t now)
{
	const struct search_step step = {
	    DHT_UNANNOUNCE, s->stale, s->nstale, unannounce_value, records_end};

	search_put(s, &step, now);
}

/* -- the contract --------------------------------------------------------- */

static const struct search_ops LOOKUP = {
    .ask = DHT_LOOKUP, .reply = lookup_reply, .done = records_end};
static const struct search_ops ANNOUNCE = {
    .ask = DHT_LOOKUP, .reply = lookup_reply, .done = announce_done};
static const struct search_ops UNANNOUNCE = {
    .ask = DHT_LOOKUP, .reply = lookup_reply, .done = unannounce_done};
static const struct search_ops FIND_PEER = {
    .ask = DHT_FIND_PEER, .reply = find_peer_reply, .done = records_end};

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
	return start_records(out, d, &UNANNOUNCE, &clear, now, e);
}

enum err_code
dht_find_peer(struct dht_search **out, struct dht *d,
    const struct dht_search_opts *o, uint64_t now, struct err *e)
{
	struct dht_search_opts look = *o;

	look.pair = NULL;
	return start_records(out, d, &FIND_PEER, &look, now, e);
}
