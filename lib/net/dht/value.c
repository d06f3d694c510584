/* Small values, signed (mutable) or named by their hash (immutable). */
#include "codec/enc.h"
#include "crypto/hash.h"
#include "net/dht/search.h"

static void
value_end(struct dht_search *s, uint64_t now)
{
	const struct dht_value_opts v = s->v;
	size_t commits = s->commits;

	(void)now;
	/* nothing of it is left to be cancelled */
	dht_search_cancel(s);
	if (v.done != NULL)
		v.done(v.ctx, commits);
}

static void
tell(struct dht_search *s, uint64_t seq, struct view value)
{
	s->found = true;
	s->v.seq = seq;
	if (s->v.found != NULL)
		s->v.found(s->v.ctx, seq, value);
}

static void
mutable_reply(struct dht_search *s, const struct rpc_reply *r)
{
	uint8_t text[DHT_SIGNABLE_LEN];
	struct dht_mutable m;

	if (r->m->value.len == 0 || !dht_mutable_decode(&m, r->m->value))
		return;
	if (m.seq < s->v.seq || (s->found && m.seq == s->v.seq) ||
	    m.value.len == 0)
		return;
	dht_mutable_signable(text, m.seq, m.value);
	if (sign_verify(m.signature, view_of(text, sizeof(text)), &s->v.key))
		tell(s, m.seq, m.value);
}

static void
immutable_reply(struct dht_search *s, const struct rpc_reply *r)
{
	struct b32 h;

	if (s->found || r->m->value.len == 0)
		return;
	hash_data(&h, r->m->value);
	if (b32_eq(&h, &s->target))
		tell(s, 0, r->m->value);
}

/* The same at every node: made when the search began. */
static void
same_value(struct dht_search *s, const struct rpc_node *n)
{
	(void)n;
	buf_append(&s->value, buf_view(&s->made));
}

static void
mutable_done(struct dht_search *s, uint64_t now)
{
	const struct search_step step = {
	    DHT_MUTABLE_PUT, s->closest, s->nclosest, same_value, value_end};

	search_put(s, &step, now);
}

static void
immutable_done(struct dht_search *s, uint64_t now)
{
	const struct search_step step = {
	    DHT_IMMUTABLE_PUT, s->closest, s->nclosest, same_value, value_end};

	search_put(s, &step, now);
}

static const struct search_ops MUTABLE = {
    .ask = DHT_MUTABLE_GET, .reply = mutable_reply, .done = value_end};
static const struct search_ops MUTABLE_PUT = {
    .ask = DHT_MUTABLE_GET, .reply = mutable_reply, .done = mutable_done};
static const struct search_ops IMMUTABLE = {
    .ask = DHT_IMMUTABLE_GET, .reply = immutable_reply, .done = value_end};
static const struct search_ops IMMUTABLE_PUT = {
    .ask = DHT_IMMUTABLE_GET, .reply = immutable_reply, .done = immutable_done};

static struct dht_search *
value_new(
    struct dht *d, const struct search_ops *ops, const struct dht_value_opts *o)
{
	struct dht_search *s = search_new(d, ops);

	if (s == NULL)
		return NULL;
	s->v = *o;
	s->v.pair = NULL;
	s->v.value = VIEW_EMPTY;
	return s;
}

enum err_code
dht_get(struct dht_search **out, struct dht *d, enum dht_value kind,
    const struct dht_value_opts *o, uint64_t now, struct err *e)
{
	struct dht_search *s =
	    value_new(d, kind == DHT_MUTABLE ? &MUTABLE : &IMMUTABLE, o);

	if (s == NULL)
		return err_nomem(e);
	s->target = o->key;
	if (kind == DHT_MUTABLE) {
		hash_data(&s->target, view_b32(&o->key));
		enc_uint(&s->value, o->seq);
	}
	return search_start(out, s, NULL, 0, now, e);
}

static void
make_mutable(struct dht_search *s, const struct dht_value_opts *o)
{
	uint8_t text[DHT_SIGNABLE_LEN], sig[SIGN_LEN];
	const struct dht_mutable m = {.key = o->pair->pub,
	    .seq = o->seq,
	    .value = o->value,
	    .signature = view_of(sig, sizeof(sig))};

	dht_mutable_signable(text, m.seq, m.value);
	sign_make(sig, view_of(text, sizeof(text)), o->pair);
	dht_mutable_put_encode(&s->made, &m);
	hash_data(&s->target, view_b32(&o->pair->pub));
	s->v.key = o->pair->pub;
	s->v.seq = 0; /* whatever there is */
	enc_uint(&s->value, 0);
}

enum err_code
dht_put(struct dht_search **out, struct dht *d, enum dht_value kind,
    const struct dht_value_opts *o, uint64_t now, struct err *e)
{
	struct dht_search *s;

	if (o->value.len == 0 || o->value.len > DHT_VALUE_MAX)
		return err_set(e, ERR_INVALID,
		    "a value of %zu bytes (1 to %d are possible)", o->value.len,
		    DHT_VALUE_MAX);
	s = value_new(
	    d, kind == DHT_MUTABLE ? &MUTABLE_PUT : &IMMUTABLE_PUT, o);
	if (s == NULL)
		return err_nomem(e);
	if (kind == DHT_MUTABLE) {
		make_mutable(s, o);
	} else {
		buf_append(&s->made, o->value);
		hash_data(&s->target, o->value);
	}
	if (s->made.failed != ERR_OK)
		s->value.failed = s->made.failed;
	return search_start(out, s, NULL, 0, now, e);
}
