/* One core on one connection: what each side says of itself. */
#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "crypto/hash.h"
#include "replicate/impl.h"

static const char protocol[] = "hypercore/alpha";

/* Proof that the sender, on this side of this connection, knows the key. */
static void
capability(struct b32 *out, const struct replicate_peer *p,
    const struct b32 *key, bool initiator)
{
	const struct view part[2] = {
	    view_b32(initiator ? &HASH_NS_REPLICATE_INITIATOR
			       : &HASH_NS_REPLICATE_RESPONDER),
	    view_b32(key)};

	hash_keyed64_batch(out, p->hash, part, 2);
}

/* -- life ----------------------------------------------------------------- */

static void
link_in(struct session *s)
{
	struct replicate_peer *p = s->peer;
	struct replicate_core *c = s->core;

	s->core_next = c->sessions;
	if (c->sessions != NULL)
		c->sessions->core_prev = s;
	c->sessions = s;
	c->nsessions++;
	s->peer_next = p->sessions;
	if (p->sessions != NULL)
		p->sessions->peer_prev = s;
	p->sessions = s;
	p->nsessions++;
	p->nopening++;
	p->nserved += s->served;
}

static void
link_out(struct session *s)
{
	struct replicate_peer *p = s->peer;
	struct replicate_core *c = s->core;

	if (s->core_prev != NULL)
		s->core_prev->core_next = s->core_next;
	else
		c->sessions = s->core_next;
	if (s->core_next != NULL)
		s->core_next->core_prev = s->core_prev;
	c->nsessions--;
	if (s->peer_prev != NULL)
		s->peer_prev->peer_next = s->peer_next;
	else
		p->sessions = s->peer_next;
	if (s->peer_next != NULL)
		s->peer_next->peer_prev = s->peer_prev;
	p->nsessions--;
	p->nopening -= !s->open;
	p->nserved -= s->served;
}

enum err_code
session_new(struct session **out, struct replicate_peer *p,
    struct replicate_core *c, struct err *e)
{
	struct message_handshake h = {.seeks = true};
	struct session *s = calloc(1, sizeof(*s));
	struct buf b;
	enum err_code rc;

	if (s == NULL)
		return err_nomem(e);
	s->peer = p;
	s->core = c;
	s->ours = c->local;
	s->served = !c->local;
	s->can_upgrade = s->uploading = s->downloading = true;
	remote_init(&s->has);
	capability(&h.capability, p, core_key(c->core), p->o.initiator);
	conn_stir(p);
	buf_init(&b, MUX_HANDSHAKE_MAX);
	message_put_handshake(&b, &h);
	if ((rc = buf_check(&b, e)) == ERR_OK)
		rc = mux_open(p->mux, view_str(protocol),
		    view_b32(core_discovery_key(c->core)), buf_view(&b), s,
		    &s->ch, e);
	buf_deinit(&b);
	if (rc != ERR_OK) {
		free(s);
		return rc;
	}
	link_in(s);
	*out = s;
	return ERR_OK;
}

enum err_code
session_offer(struct replicate_peer *p, struct replicate_core *c, struct err *e)
{
	static const struct err none = ERR_INIT;
	struct session *s;
	enum err_code rc = session_new(&s, p, c, e);

	if (rc != ERR_LIMIT)
		return rc;
	*e = none;
	return ERR_OK;
}

void
session_free(struct session *s, enum session_end end)
{
	struct replicate_core *c = s->core;
	struct replicate_peer *p = s->peer;

	asked_over_all(s);
	serve_forget(s);
	if (s->open)
		events_add(c, p, REPLICATE_CLOSED, 0, 0, NULL);
	if (end == SESSION_CLOSE) {
		conn_stir(p);
		mux_close(p->mux, s->ch);
	}
	link_out(s);
	remote_deinit(&s->has);
	wants_deinit(&s->wants);
	requests_deinit(&s->out);
	free(s->segment);
	free(s);
	replicate_wake(c);
}

void
session_serve(struct session *s, bool counts)
{
	s->peer->nserved += (uint32_t)counts - (uint32_t)s->served;
	s->served = counts;
}

struct session *
session_find(const struct replicate_core *c, const struct replicate_peer *p)
{
	struct session *s;

	if (c->nsessions < p->nsessions) {
		for (s = c->sessions; s != NULL; s = s->core_next)
			if (s->peer == p)
				return s;
		return NULL;
	}
	for (s = p->sessions; s != NULL; s = s->peer_next)
		if (s->core == c)
			return s;
	return NULL;
}

/* -- sending -------------------------------------------------------------- */

struct buf *
session_begin(struct session *s, enum message_type t, size_t size)
{
	return mux_begin(s->ch, t, size);
}

void
session_end(struct session *s)
{
	enum err_code rc = mux_end(s->peer->mux, NULL);

	conn_stir(s->peer);
	if (rc != ERR_OK)
		s->peer->failed = rc;
}

void
session_sync(struct session *s)
{
	const struct replicate_core *c = s->core;
	const struct core_head *h = core_head(c->core);
	const struct manifest *m = core_manifest(c->core);
	struct message_sync sync = {.uploading = true,
	    .downloading = replicate_active(c),
	    .fork = h->fork,
	    .length = h->length};

	if (h->fork != s->fork)
		s->can_upgrade = false;
	sync.can_upgrade = s->can_upgrade;
	sync.remote_length = h->fork == s->fork ? s->length : 0;
	sync.has_manifest = m != NULL && !manifest_compat(m, core_key(c->core));
	message_put_sync(session_begin(s, MESSAGE_SYNC, 32), &sync);
	session_end(s);
}

static void
send_range(struct session *s, uint64_t start, uint64_t length, bool drop)
{
	struct message_range m = {drop, start, length};

	message_put_range(session_begin(s, MESSAGE_RANGE, 32), &m);
	session_end(s);
}

/* Does c store all the roots of a shorter length of its own fork? */
static bool
can_build(struct replicate_core *c, uint64_t length, uint64_t fork)
{
	const struct core_head *h = core_head(c->core);
	uint64_t root[FLAT_ROOTS_MAX];
	struct node node;
	struct want w;
	size_t n;

	if (fork != h->fork)
		return false;
	if (length == 0)
		return true;
	if (length >= h->length)
		return false;
	replicate_warm(c);
	n = flat_roots(length, root);
	for (size_t i = 0; i < n; i++)
		if (core_node(c->core, root[i], &node, &w, NULL) != ERR_OK)
			return false;
	return true;
}

void
session_signal(struct session *s)
{
	const struct core_head *h = core_head(s->core->core);

	if (!s->open)
		return;
	if (h->fork == s->fork && h->length > s->length && !s->can_upgrade) {
		if (!can_build(s->core, s->length, s->fork))
			return;
		s->can_upgrade = true;
	}
	session_sync(s);
}

/* What hypercore tells whom: everything near the end, full contiguity, and
 * what was asked for; nothing that the other side has. */
void
session_have(struct session *s, uint64_t start, uint64_t length, bool drop)
{
	const struct core_head *h = core_head(s->core->core);
	bool full = h->contiguous == h->length;

	if (!s->open || length == 0)
		return;
	if (drop) {
		send_range(s, start, length, true);
		return;
	}
	if (!full && start + LAST_BLOCKS < h->length &&
	    !wants_range(&s->wants, start, length))
		return;
	if (full && s->signaled < h->length) {
		s->signaled = h->length;
		send_range(s, 0, h->length, false);
		return;
	}
	if (full) {
		start = 0;
		length = h->length;
	}
	if (!remote_has_range(&s->has, start, length))
		send_range(s, start, length, false);
}

/* -- opening -------------------------------------------------------------- */

enum err_code
session_opened(struct session *s, struct view handshake, struct err *e)
{
	const struct core_head *h = core_head(s->core->core);
	struct message_handshake m;
	struct b32 expected;
	struct dec d;

	dec_init(&d, handshake);
	if (!message_dec_handshake(&d, &m))
		return dec_error(&d, "handshake of a channel", e);
	capability(
	    &expected, s->peer, core_key(s->core->core), !s->peer->o.initiator);
	if (!b32_eq(&expected, &m.capability))
		return err_set(e, ERR_VERIFY,
		    "a peer opened a core without knowing its key");
	s->open = true;
	s->peer->nopening--;
	session_sync(s);
	if (h->contiguous > 0)
		session_have(s, 0, h->contiguous, false);
	events_add(s->core, s->peer, REPLICATE_OPENED, 0, 0, NULL);
	replicate_wake(s->core);
	return ERR_OK;
}

bool
session_idle(struct session *s)
{
	if (s->core->r->o.keep || !s->open || !s->synced || s->downloading ||
	    replicate_active(s->core))
		return false;
	session_free(s, SESSION_CLOSE);
	return true;
}

/* -- what the remote says ------------------------------------------------- */

static enum err_code
on_sync(struct session *s, const struct message_sync *m)
{
	struct replicate_core *c = s->core;
	const struct core_head *h = core_head(c->core);
	bool moved = m->length != s->length || !s->synced;
	bool same = m->fork == h->fork;

	if (m->length != s->length || m->fork != s->fork) {
		s->refused_length = 0;
		if (m->fork != s->fork)
			asked_cancel_all(s);
		events_add(c, s->peer, REPLICATE_REMOTE, 0, 0, NULL);
	}
	s->synced = true;
	s->fork = m->fork;
	s->length = m->length;
	s->can_upgrade_us = m->can_upgrade;
	s->uploading = m->uploading;
	s->downloading = m->downloading;
	s->has_manifest = m->has_manifest;
	s->acked = same ? m->remote_length : 0;
	if (session_idle(s))
		return ERR_OK;
	if (moved && same)
		s->can_upgrade = can_build(c, m->length, m->fork);
	else if (!same)
		s->can_upgrade = false;
	if (same && h->length > s->length)
		session_signal(s);
	s->scan = 0;
	replicate_wake(c);
	return ERR_OK;
}

static void
on_range(struct session *s, const struct message_range *m)
{
	uint64_t before = s->has.contiguous;

	remote_range(&s->has, m);
	if (s->has.contiguous != before)
		events_add(s->core, s->peer, REPLICATE_REMOTE, 0, 0, NULL);
	if (m->drop)
		return;
	if (m->start < s->scan)
		s->scan = m->start;
	replicate_wake(s->core);
}

static void
on_bitfield(struct session *s, const struct message_bitfield *m)
{
	remote_bitfield(&s->has, m);
	if (m->start < s->scan)
		s->scan = m->start;
	replicate_wake(s->core);
}

/* A message before the channel is open on our side is impossible: the mux
 * opens it first. */
enum err_code
session_message(
    struct session *s, uint64_t type, struct view body, struct err *e)
{
	union {
		struct message_sync sync;
		struct message_request request;
		struct message_no_data no_data;
		struct message_want want;
		struct message_bitfield bitfield;
		struct message_range range;
		uint64_t id;
	} m;
	struct dec d;

	dec_init(&d, body);
	switch (type) {
	case MESSAGE_SYNC:
		if (message_dec_sync(&d, &m.sync))
			return on_sync(s, &m.sync);
		break;
	case MESSAGE_REQUEST:
		if (message_dec_request(&d, &m.request))
			return serve_request(s, &m.request, e);
		break;
	case MESSAGE_CANCEL:
		if (message_dec_cancel(&d, &m.id))
			serve_cancel(s, m.id);
		break;
	case MESSAGE_DATA:
		return answers_data(s, body, e);
	case MESSAGE_NO_DATA:
		if (message_dec_no_data(&d, &m.no_data))
			return answers_no_data(s, &m.no_data, e);
		break;
	case MESSAGE_WANT:
		if (message_dec_want(&d, &m.want))
			return serve_want(s, &m.want, e);
		break;
	case MESSAGE_UNWANT:
		if (message_dec_want(&d, &m.want))
			wants_remove(&s->wants, &m.want);
		break;
	case MESSAGE_BITFIELD:
		if (message_dec_bitfield(&d, &m.bitfield))
			on_bitfield(s, &m.bitfield);
		break;
	case MESSAGE_RANGE:
		if (message_dec_range(&d, &m.range))
			on_range(s, &m.range);
		break;
	default:
		/* extensions, and what newer peers say */
		return ERR_OK;
	}
	return dec_ok(&d) ? ERR_OK : dec_error(&d, "message", e);
}
