#include "blind/ask.h"

#include <stdlib.h>

#include "base/arr.h"
#include "base/bug.h"
#include "blind/message.h"

enum state {
	WAITS,	    /* for a connection */
	ASKED,	    /* request `id` is out */
	CONFIRMING, /* granted; its blocks travel */
	ADDED,
	REFUSED
};

struct wish {
	enum state state;
	uint64_t id;
};

struct asked_peer {
	struct b32 key;
	struct replicate_channel *ch; /* NULL: not connected */
	uint64_t id;		      /* of the last request */
};

struct asked_core {
	struct b32 key;
	struct wish wish[BLIND_PEERS_MAX];
};

struct blind_ask {
	struct replicate *r;
	struct blind_ask_opts o;
	struct replicate_protocol protocol;
	struct asked_peer peer[BLIND_PEERS_MAX];
	size_t npeers;
	struct asked_core *core;
	size_t ncores, cap;
};

static void
tell(struct blind_ask *a, enum blind_ask_kind kind, const struct asked_peer *p,
    const struct asked_core *c, const struct blind_response *m)
{
	struct blind_ask_event ev = {
	    .kind = kind, .peer = &p->key, .core = &c->key};

	if (m != NULL) {
		ev.text = m->has_cause ? m->cause : m->text;
		ev.code = m->has_cause && m->cause_code.len > 0 ? m->cause_code
								: m->code;
	}
	a->o.event(a->o.ctx, &ev);
}

/* -- requests ------------------------------------------------------------- */

static enum err_code
send_add(struct blind_ask *a, struct asked_peer *p, struct asked_core *c,
    struct err *e)
{
	const struct blind_add add = {.key = c->key, .announce = a->o.announce};
	struct wish *w = &c->wish[p - a->peer];
	struct blind_request m = {.method = view_str("add-core")};
	struct buf value;
	enum err_code rc;

	buf_init(&value, BLIND_VALUE_MAX);
	blind_put_add(&value, &add);
	if ((rc = buf_check(&value, e)) == ERR_OK) {
		w->id = m.id = ++p->id;
		w->state = ASKED;
		m.value = buf_view(&value);
		blind_put_request(
		    replicate_channel_begin(p->ch, BLIND_REQUEST, 128), &m);
		replicate_channel_end(p->ch);
	}
	buf_deinit(&value);
	if (rc == ERR_OK)
		tell(a, BLIND_ADDING, p, c, NULL);
	return rc;
}

static void
granted(struct blind_ask *a, struct asked_peer *p, struct asked_core *c,
    const struct blind_response *m)
{
	struct wish *w = &c->wish[p - a->peer];

	w->state = m->error ? REFUSED : CONFIRMING;
	tell(a, m->error ? BLIND_REFUSED : BLIND_CONFIRMING, p, c, m);
}

/* -- the channel ---------------------------------------------------------- */

static enum err_code
on_message(void *ctx, struct replicate_channel *ch, uint64_t type,
    struct view body, struct err *e)
{
	struct blind_ask *a = ctx;
	struct asked_peer *p = replicate_channel_user(ch);
	size_t at = (size_t)(p - a->peer);
	struct blind_response m;
	struct dec d;

	if (type != BLIND_RESPONSE) /* it may ask us: there is no answer */
		return ERR_OK;
	dec_init(&d, body);
	if (!blind_dec_response(&d, &m))
		return dec_error(&d, "answer of a blind peer", e);
	for (size_t i = 0; i < a->ncores; i++)
		if (a->core[i].wish[at].state == ASKED &&
		    a->core[i].wish[at].id == m.id) {
			granted(a, p, &a->core[i], &m);
			break;
		}
	return ERR_OK;
}

static void
on_closed(void *ctx, struct replicate_channel *ch)
{
	struct blind_ask *a = ctx;
	struct asked_peer *p = replicate_channel_user(ch);
	struct wish *w;

	p->ch = NULL;
	for (size_t i = 0; i < a->ncores; i++) {
		w = &a->core[i].wish[p - a->peer];
		if (w->state != ADDED)
			w->state = WAITS;
	}
}

/* Nothing is taken that was not opened here. */
static enum err_code
on_taken(void *ctx, struct replicate_channel *ch, struct err *e)
{
	(void)ctx;
	(void)ch;
	(void)e;
	bug("a channel was taken that is never offered");
}

enum err_code
blind_ask_joined(struct blind_ask *a, const struct b32 *peer, struct err *e)
{
	struct replicate_peer *rp = replicate_peer_find(a->r, peer);
	enum err_code rc = ERR_OK;
	struct asked_peer *p;

	for (size_t i = 0; i < a->npeers && rc == ERR_OK; i++) {
		p = &a->peer[i];
		if (!b32_eq(&p->key, peer) || p->ch != NULL || rp == NULL)
			continue;
		rc = replicate_channel_open(
		    rp, &a->protocol, view_b32(&p->key), p, &p->ch, e);
		for (size_t k = 0; k < a->ncores && rc == ERR_OK; k++)
			if (a->core[k].wish[i].state == WAITS)
				rc = send_add(a, p, &a->core[k], e);
	}
	return rc;
}

/* -- life ----------------------------------------------------------------- */

enum err_code
blind_ask_new(struct blind_ask **out, struct replicate *r,
    const struct blind_ask_opts *o, struct err *e)
{
	struct blind_ask *a;
	enum err_code rc;

	if (o->npeers > BLIND_PEERS_MAX)
		return err_set(
		    e, ERR_USAGE, "more than %d blind peers", BLIND_PEERS_MAX);
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return err_nomem(e);
	a->r = r;
	a->o = *o;
	a->protocol = (struct replicate_protocol){.name = "protomux-rpc",
	    .taken = on_taken,
	    .message = on_message,
	    .closed = on_closed,
	    .ctx = a};
	for (size_t i = 0; i < o->npeers; i++)
		a->peer[a->npeers++].key = o->peer[i];
	if ((rc = replicate_protocol(r, &a->protocol, e)) != ERR_OK) {
		free(a);
		return rc;
	}
	*out = a;
	return ERR_OK;
}

void
blind_ask_free(struct blind_ask *a)
{
	if (a == NULL)
		return;
	free(a->core);
	free(a);
}

enum err_code
blind_ask_core(struct blind_ask *a, const struct b32 *key, struct err *e)
{
	struct replicate_core *open;
	struct asked_core *c;
	enum err_code rc;

	for (size_t i = 0; i < a->ncores; i++)
		if (b32_eq(&a->core[i].key, key))
			return ERR_OK;
	if (!ARR_RESERVE(a->core, a->ncores + 1, a->cap))
		return err_nomem(e);
	c = &a->core[a->ncores];
	*c = (struct asked_core){.key = *key};
	if ((rc = replicate_open(a->r, key, &open, e)) != ERR_OK)
		return rc;
	a->ncores++;
	for (size_t i = 0; i < a->npeers && rc == ERR_OK; i++)
		if (a->peer[i].ch != NULL)
			rc = send_add(a, &a->peer[i], c, e);
	return rc;
}

/* -- is it there? --------------------------------------------------------- */

static bool
has_all(struct replicate_core *c, const struct b32 *peer)
{
	const struct core_head *h = core_head(replicate_core_handle(c));
	uint64_t length, contiguous, fork;
	struct b32 who;

	for (size_t i = 0;
	     replicate_remote(c, i, &who, &length, &contiguous, &fork); i++)
		if (b32_eq(&who, peer))
			return h->length > 0 && fork == h->fork &&
			       contiguous >= h->length;
	return false;
}

void
blind_ask_turn(struct blind_ask *a)
{
	struct replicate_core *open;
	struct asked_core *c;

	for (size_t i = 0; i < a->ncores; i++) {
		c = &a->core[i];
		open = replicate_find(a->r, &c->key);
		for (size_t k = 0; k < a->npeers && open != NULL; k++) {
			if (c->wish[k].state != CONFIRMING ||
			    !has_all(open, &a->peer[k].key))
				continue;
			c->wish[k].state = ADDED;
			tell(a, BLIND_ADDED, &a->peer[k], c, NULL);
		}
	}
}

static size_t
count(const struct blind_ask *a, enum state from, enum state to)
{
	size_t n = 0;

	for (size_t i = 0; i < a->ncores; i++)
		for (size_t k = 0; k < a->npeers; k++)
			n += a->core[i].wish[k].state >= from &&
			     a->core[i].wish[k].state <= to;
	return n;
}

size_t
blind_ask_left(const struct blind_ask *a)
{
	return count(a, WAITS, CONFIRMING);
}

size_t
blind_ask_refused(const struct blind_ask *a)
{
	return count(a, REFUSED, REFUSED);
}
