/* Connections: frames in and out, and which channels they carry. */
#include <stdlib.h>
#include <string.h>

#include "replicate/channel_impl.h"

/* -- offers --------------------------------------------------------------- */

/* The cores that are open here, a few at a time: most peers have few of
 * them, and each that waits for an answer costs memory on both sides. */
static enum err_code
offer_some(struct replicate_peer *p, struct err *e)
{
	enum err_code rc = ERR_OK;
	struct replicate_core *c;

	while (rc == ERR_OK && p->nopening < OFFERS_MAX &&
	       (c = p->offer) != NULL) {
		p->offer = c->next;
		if (c->local && !c->conflict && session_find(c, p) == NULL)
			rc = session_offer(p, c, e);
	}
	return rc;
}

/* -- who has something to do ---------------------------------------------- */

void
conn_stir(struct replicate_peer *p)
{
	struct replicate *r = p->r;

	if (p->busy)
		return;
	p->busy = true;
	p->busy_prev = NULL;
	p->busy_next = r->busy_peers;
	if (r->busy_peers != NULL)
		r->busy_peers->busy_prev = p;
	r->busy_peers = p;
}

static void
calm(struct replicate_peer *p)
{
	if (!p->busy)
		return;
	if (p->busy_prev != NULL)
		p->busy_prev->busy_next = p->busy_next;
	else
		p->r->busy_peers = p->busy_next;
	if (p->busy_next != NULL)
		p->busy_next->busy_prev = p->busy_prev;
	p->busy = false;
}

struct replicate_peer *
conn_busy(struct replicate *r)
{
	struct replicate_peer *p, *next;

	for (p = r->busy_peers; p != NULL; p = next) {
		next = p->busy_next;
		if (p->queued == 0 && p->failed == ERR_OK &&
		    mux_waiting(p->mux) == 0)
			calm(p);
	}
	return r->busy_peers;
}

struct replicate_peer *
replicate_peer_busy(struct replicate *r, const struct replicate_peer *p)
{
	return p == NULL ? r->busy_peers : p->busy_next;
}

/* -- life ----------------------------------------------------------------- */

enum err_code
replicate_peer_add(struct replicate *r, const struct replicate_peer_opts *o,
    uint64_t now, struct replicate_peer **out, struct err *e)
{
	struct replicate_peer *p = calloc(1, sizeof(*p));
	enum err_code rc;

	if (p == NULL)
		return err_nomem(e);
	r->now = now;
	p->r = r;
	p->o = *o;
	memcpy(p->hash, o->hash, sizeof(p->hash));
	p->o.hash = p->hash;
	p->credit = 256u << 10;
	p->block_bytes = 65536;
	if ((rc = mux_new(&p->mux, NULL, e)) != ERR_OK) {
		free(p);
		return rc;
	}
	p->next = r->peers;
	if (r->peers != NULL)
		r->peers->prev = p;
	r->peers = p;
	conn_stir(p);
	p->offer = r->cores;
	if ((rc = offer_some(p, e)) != ERR_OK) {
		replicate_peer_remove(p, now);
		return rc;
	}
	*out = p;
	return ERR_OK;
}

void
replicate_peer_remove(struct replicate_peer *p, uint64_t now)
{
	struct replicate *r = p->r;

	r->now = now;
	while (p->sessions != NULL)
		session_free(p->sessions, SESSION_OVER);
	channel_forget(p);
	calm(p);
	events_forget_peer(r, p);
	if (p->prev != NULL)
		p->prev->next = p->next;
	else
		r->peers = p->next;
	if (p->next != NULL)
		p->next->prev = p->prev;
	mux_free(p->mux);
	free(p);
}

void *
replicate_peer_user(const struct replicate_peer *p)
{
	return p->o.user;
}

bool
replicate_peer_take(struct replicate_peer *p, uint8_t **data, size_t *len)
{
	return p->failed == ERR_OK && mux_take(p->mux, data, len);
}

void
replicate_peer_credit(struct replicate_peer *p, size_t bytes)
{
	p->credit = bytes;
}

void
replicate_peer_stats(
    const struct replicate_peer *p, struct replicate_peer_stats *out)
{
	*out = p->stats;
	out->rtt_us = p->least_us;
	out->outstanding = p->outstanding;
	out->queued = p->queued;
	out->channels = p->nsessions;
}

/* -- channels ------------------------------------------------------------- */

static bool
is_ours(struct view protocol)
{
	return view_eq(protocol, view_str("hypercore/alpha")) ||
	       view_eq(protocol, view_str("hypercore"));
}

/* The remote opens a core: one of ours, or one of the store. */
static enum err_code
on_offered(struct replicate_peer *p, const struct mux_event *ev, struct err *e)
{
	static const struct err none = ERR_INIT;
	struct replicate *r = p->r;
	struct replicate_core *c;
	struct session *s;
	struct b32 dkey, key;
	enum err_code rc;

	if (!is_ours(ev->protocol))
		return channel_offered(p, ev, e);
	if (ev->id.len != sizeof(dkey.b))
		return ERR_OK; /* refused by the mux */
	memcpy(dkey.b, ev->id.ptr, sizeof(dkey.b));
	c = replicate_by_dkey(r, &dkey);
	if (c == NULL) {
		if (!r->o.serve || p->nserved >= r->served_max)
			return ERR_OK;
		rc = core_find(r->store, &dkey, &key, e);
		if (rc == ERR_OK)
			rc = replicate_core_add(r, &key, &c, e);
		if (rc == ERR_NOMEM)
			return rc;
		*e = none;
		if (rc != ERR_OK)
			return ERR_OK;
	}
	if (c->conflict || (!c->local && !r->o.serve) ||
	    session_find(c, p) != NULL)
		return ERR_OK;
	return session_new(&s, p, c, e);
}

/* The remote is done, but we are not: it closed because it thought both
 * were. */
static enum err_code
on_closed(struct session *s, struct err *e)
{
	struct replicate_peer *p = s->peer;
	struct replicate_core *c = s->core;
	bool again = s->open && s->synced && !s->downloading && s->uploading &&
		     replicate_active(c) && !c->conflict &&
		     p->reopens < REOPENS_MAX;

	session_free(s, SESSION_OVER);
	if (!again)
		return ERR_OK;
	p->reopens++;
	return session_new(&s, p, c, e);
}

static enum err_code
dispatch(struct replicate_peer *p, const struct mux_event *ev, struct err *e)
{
	struct session *s = ev->user;
	struct replicate_channel *c = channel_of(p, ev);

	if (c != NULL)
		return channel_event(c, ev, e);
	switch (ev->kind) {
	case MUX_OFFERED:
		return on_offered(p, ev, e);
	case MUX_OPENED:
		return session_opened(s, ev->handshake, e);
	case MUX_MESSAGE:
		return session_message(s, ev->type, ev->body, e);
	case MUX_REJECTED:
		events_add(s->core, p, REPLICATE_REJECTED, 0, 0, NULL);
		session_free(s, SESSION_OVER);
		return ERR_OK;
	case MUX_CLOSED:
		return on_closed(s, e);
	}
	return ERR_OK;
}

static enum err_code
check_failed(const struct replicate_peer *p, struct err *e)
{
	if (p->failed == ERR_OK)
		return ERR_OK;
	if (p->failed == ERR_NOMEM)
		return err_nomem(e);
	return err_set(e, p->failed, "a peer asked %d times for what cannot be",
	    REPLICATE_INVALID_MAX);
}

static enum err_code
take_frame(struct replicate_peer *p, struct view frame, struct err *e)
{
	struct mux_event ev;
	enum err_code rc;

	if ((rc = check_failed(p, e)) != ERR_OK ||
	    (rc = mux_recv(p->mux, frame, e)) != ERR_OK)
		return rc;
	while (mux_next(p->mux, &ev, e))
		if ((rc = dispatch(p, &ev, e)) != ERR_OK)
			return rc;
	if (e->code != ERR_OK || (rc = offer_some(p, e)) != ERR_OK)
		return e->code;
	return check_failed(p, e);
}

enum err_code
replicate_peer_recv_all(struct replicate_peer *p, const struct view *frame,
    size_t n, uint64_t now, struct err *e)
{
	enum err_code rc = ERR_OK;
	size_t seen = 0;

	p->r->now = now;
	conn_stir(p);
	for (size_t i = 0; i < n && rc == ERR_OK; i++) {
		if (i == seen)
			seen += ahead_look(p, frame + i, n - i);
		rc = take_frame(p, frame[i], e);
	}
	/* the frames go back to their owner */
	ahead_forget(p->r);
	return rc;
}

enum err_code
replicate_peer_recv(
    struct replicate_peer *p, struct view frame, uint64_t now, struct err *e)
{
	return replicate_peer_recv_all(p, &frame, 1, now, e);
}
