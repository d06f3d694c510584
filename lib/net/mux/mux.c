/* Channels, and what the other side says. */
#include "net/mux/mux.h"

#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "base/bug.h"
#include "codec/enc.h"
#include "net/mux/impl.h"

/* Answers that may wait for the transport, if the other side does not read. */
#define REJECTS_MAX 65536

enum control { BATCH, OPEN, REJECT, CLOSE };

/* -- life ----------------------------------------------------------------- */

enum err_code
mux_new(struct mux **out, const struct mux_limits *l, struct err *e)
{
	struct mux *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return err_nomem(e);
	if (l != NULL)
		m->limits = *l;
	if (m->limits.channels == 0)
		m->limits.channels = MUX_CHANNELS_MAX;
	if (m->limits.message == 0)
		m->limits.message = (16u << 20) - 64;
	if (m->limits.batch == 0)
		m->limits.batch = 128u << 10;
	mux_out_init(m);
	*out = m;
	return ERR_OK;
}

static void
bury(struct mux *m)
{
	struct mux_channel *ch;

	while ((ch = m->dead) != NULL) {
		m->dead = ch->next;
		free(ch);
	}
}

void
mux_free(struct mux *m)
{
	if (m == NULL)
		return;
	bury(m);
	for (size_t i = 0; i < m->nlocal; i++)
		free(m->local[i]);
	mux_out_deinit(m);
	free(m->local);
	free(m->free);
	free(m->remote);
	free(m);
}

/* -- numbers -------------------------------------------------------------- */

static enum err_code
take_number(struct mux *m, struct mux_channel *ch, struct err *e)
{
	if (m->nchannels >= m->limits.channels)
		return err_set(
		    e, ERR_LIMIT, "more than %u channels", m->limits.channels);
	if (m->nfree > 0) {
		ch->local = m->free[--m->nfree];
	} else {
		/* room to give it back is made now: closing never fails */
		if (!ARR_RESERVE(m->local, m->nlocal + 1, m->local_cap) ||
		    !ARR_RESERVE(m->free, m->nlocal + 1, m->free_cap))
			return err_nomem(e);
		ch->local = ++m->nlocal;
	}
	m->local[ch->local - 1] = ch;
	m->nchannels++;
	return ERR_OK;
}

/* Both sides know that the channel is over. */
static void
drop_number(struct mux *m, struct mux_channel *ch)
{
	m->local[ch->local - 1] = NULL;
	m->free[m->nfree++] = ch->local;
	m->nchannels--;
	if (ch->remote != 0)
		m->remote[ch->remote - 1] = (struct mux_remote){false, NULL};
}

static void
kill_channel(struct mux *m, struct mux_channel *ch)
{
	drop_number(m, ch);
	ch->next = m->dead;
	m->dead = ch;
}

/* The number of an open: one of those before that is not in use, or the next
 * one. */
static bool
remote_number(struct mux *m, uint64_t n)
{
	if (n == 0 || n > m->nremote + 1 || n > m->limits.channels)
		return false;
	if (n == m->nremote + 1) {
		if (!ARR_RESERVE(m->remote, m->nremote + 1, m->remote_cap))
			return false;
		m->remote[m->nremote++] = (struct mux_remote){false, NULL};
	}
	return !m->remote[n - 1].used;
}

/* -- opening and closing -------------------------------------------------- */

static void
control_number(struct mux *m, enum control type, uint64_t n)
{
	enc_uint(mux_out_begin(m, 0, type, 0), n);
	/* a failure shows in the next message of the owner */
	(void)!mux_end(m, NULL);
}

static enum err_code
send_open(struct mux *m, const struct mux_channel *ch, struct view handshake,
    struct err *e)
{
	struct buf *b = mux_out_begin(m, 0, OPEN, handshake.len);

	enc_uint(b, ch->local);
	enc_bytes(b, view_of(ch->protocol, ch->nprotocol));
	enc_bytes(b, view_of(ch->id, ch->nid));
	enc_fixed(b, handshake);
	return mux_end(m, e);
}

static bool
same_pair(const struct mux_channel *ch, struct view protocol, struct view id)
{
	return view_eq(view_of(ch->protocol, ch->nprotocol), protocol) &&
	       view_eq(view_of(ch->id, ch->nid), id);
}

static void
accept_offer(struct mux *m, struct mux_channel *ch)
{
	if (!m->offering || !same_pair(ch, m->offer_protocol, m->offer_id))
		return;
	m->offering = false;
	ch->remote = m->offer;
	m->remote[m->offer - 1].ch = ch;
	m->accepted = ch;
}

enum err_code
mux_open(struct mux *m, struct view protocol, struct view id,
    struct view handshake, void *user, struct mux_channel **out, struct err *e)
{
	struct mux_channel *ch;
	enum err_code rc;

	bug_if(protocol.len > MUX_PROTOCOL_MAX || id.len > MUX_ID_MAX ||
	       handshake.len > MUX_HANDSHAKE_MAX);
	if ((ch = calloc(1, sizeof(*ch))) == NULL)
		return err_nomem(e);
	ch->mux = m;
	ch->user = user;
	ch->serial = ++m->serial;
	ch->nprotocol = protocol.len;
	ch->nid = id.len;
	if (protocol.len != 0)
		memcpy(ch->protocol, protocol.ptr, protocol.len);
	if (id.len != 0)
		memcpy(ch->id, id.ptr, id.len);
	if ((rc = take_number(m, ch, e)) != ERR_OK) {
		free(ch);
		return rc;
	}
	if ((rc = send_open(m, ch, handshake, e)) != ERR_OK) {
		drop_number(m, ch);
		free(ch);
		return rc;
	}
	accept_offer(m, ch);
	*out = ch;
	return ERR_OK;
}

static void
reject_number(struct mux *m, uint64_t n)
{
	m->remote[n - 1] = (struct mux_remote){false, NULL};
	m->rejects++;
	control_number(m, REJECT, n);
}

void
mux_reject(struct mux *m)
{
	bug_if(!m->offering);
	m->offering = false;
	reject_number(m, m->offer);
}

void
mux_close(struct mux *m, struct mux_channel *ch)
{
	control_number(m, CLOSE, ch->local);
	ch->user = NULL;
	if (m->accepted == ch)
		m->accepted = NULL;
	if (ch->remote == 0)
		ch->ghost = true;
	else
		kill_channel(m, ch);
}

bool
mux_is_open(const struct mux_channel *ch)
{
	return ch->remote != 0;
}

/* -- what the other side says --------------------------------------------- */

/* The oldest channel of ours that waits for this pair, ghosts too. */
static struct mux_channel *
waiting_for(struct mux *m, struct view protocol, struct view id)
{
	struct mux_channel *best = NULL, *ch;

	for (size_t i = 0; i < m->nlocal; i++) {
		ch = m->local[i];
		if (ch != NULL && ch->remote == 0 &&
		    (best == NULL || ch->serial < best->serial) &&
		    same_pair(ch, protocol, id))
			best = ch;
	}
	return best;
}

/* Nothing that anybody here speaks. */
static bool
too_long(const struct mux_event *ev)
{
	return ev->protocol.len > MUX_PROTOCOL_MAX || ev->id.len > MUX_ID_MAX ||
	       ev->handshake.len > MUX_HANDSHAKE_MAX;
}

/* True: ev is filled. */
static bool
on_open(struct mux *m, struct dec *d, struct mux_event *ev)
{
	uint64_t n = dec_uint(d);
	struct mux_channel *ch;

	ev->protocol = dec_bytes(d, dec_left(d));
	ev->id = dec_bytes(d, dec_left(d));
	ev->handshake = dec_rest(d);
	if (!dec_ok(d))
		return false;
	if (!remote_number(m, n)) {
		dec_fail(d, "a channel number out of order");
		return false;
	}
	ch = waiting_for(m, ev->protocol, ev->id);
	if (ch != NULL && ch->ghost) {
		/* The original forgets a close that comes before it has
		 * decided, and would take the number's next open for an
		 * error: say it again, before the number is used again. */
		control_number(m, CLOSE, ch->local);
		kill_channel(m, ch);
		return false;
	}
	if (ch == NULL && too_long(ev)) {
		reject_number(m, n);
		return false;
	}
	m->remote[n - 1] = (struct mux_remote){true, ch};
	if (ch != NULL) {
		ch->remote = n;
		ev->kind = MUX_OPENED;
		ev->ch = ch;
		ev->user = ch->user;
		return true;
	}
	m->offering = true;
	m->offer = n;
	m->offer_protocol = ev->protocol;
	m->offer_id = ev->id;
	m->offer_handshake = ev->handshake;
	ev->kind = MUX_OFFERED;
	return true;
}

static bool
over(struct mux *m, struct mux_channel *ch, enum mux_kind kind,
    struct mux_event *ev)
{
	bool ghost = ch->ghost;

	ev->kind = kind;
	ev->ch = ch;
	ev->user = ch->user;
	kill_channel(m, ch);
	return !ghost;
}

static bool
on_reject(struct mux *m, struct dec *d, struct mux_event *ev)
{
	uint64_t n = dec_uint(d);
	struct mux_channel *ch =
	    n > 0 && n <= m->nlocal ? m->local[n - 1] : NULL;

	if (dec_ok(d) && (ch == NULL || ch->remote != 0))
		dec_fail(d, "a rejection of no open channel");
	return dec_ok(d) && over(m, ch, MUX_REJECTED, ev);
}

static bool
on_close(struct mux *m, struct dec *d, struct mux_event *ev)
{
	uint64_t n = dec_uint(d);

	if (!dec_ok(d) || n == 0 || n > m->nremote ||
	    m->remote[n - 1].ch == NULL)
		return false;
	return over(m, m->remote[n - 1].ch, MUX_CLOSED, ev);
}

static bool
on_control(struct mux *m, struct dec *d, uint64_t type, struct mux_event *ev)
{
	switch (type) {
	case OPEN:
		return on_open(m, d, ev);
	case REJECT:
		return on_reject(m, d, ev);
	case CLOSE:
		return on_close(m, d, ev);
	case BATCH:
		dec_fail(d, "a batch in a batch");
		return false;
	default:
		return false; /* newer than we are */
	}
}

/* For a channel that is open; one that was closed meanwhile is no fault. */
static bool
is_message(const struct mux *m, uint64_t channel, uint64_t type, struct dec *d,
    struct mux_event *ev)
{
	struct mux_channel *ch;

	ch = channel <= m->nremote ? m->remote[channel - 1].ch : NULL;
	if (ch == NULL)
		return false;
	ev->kind = MUX_MESSAGE;
	ev->ch = ch;
	ev->user = ch->user;
	ev->type = type;
	ev->body = dec_rest(d);
	return true;
}

static bool
on_message(struct mux *m, uint64_t channel, struct dec *d, struct mux_event *ev)
{
	uint64_t type = dec_uint(d);

	if (!dec_ok(d))
		return false;
	return channel == 0 ? on_control(m, d, type, ev)
			    : is_message(m, channel, type, d, ev);
}

void
mux_scan_init(struct mux_scan *s, struct view frame)
{
	struct dec *d = &s->frame, type;

	dec_init(d, frame);
	s->batch = false;
	s->channel = 0;
	s->reading = frame.len != 0;
	if (!s->reading)
		return;
	s->channel = dec_uint(d);
	type = *d;
	if (s->channel == 0 && dec_uint(&type) == BATCH && dec_ok(&type)) {
		*d = type;
		s->batch = true;
		s->channel = dec_uint(d);
	}
	s->reading = dec_ok(d);
}

enum err_code
mux_recv(struct mux *m, struct view frame, struct err *e)
{
	bug_if(m->in.reading);
	bury(m);
	mux_scan_init(&m->in, frame);
	return dec_ok(&m->in.frame) ? ERR_OK
				    : dec_error(&m->in.frame, "frame", e);
}

/* The next message of the frame. False: there is none. */
static bool
next_message(struct mux_scan *s, struct dec *one)
{
	struct dec *d = &s->frame;
	uint64_t len;

	if (!s->batch) {
		s->reading = false;
		dec_init(one, dec_rest(d));
		return true;
	}
	while (dec_ok(d) && dec_left(d) > 0) {
		if ((len = dec_uint(d)) == 0) {
			s->channel = dec_uint(d);
			continue;
		}
		/* the last length may claim more than there is */
		if (len > dec_left(d))
			len = dec_left(d);
		dec_init(one, dec_fixed(d, (size_t)len));
		return dec_ok(d);
	}
	s->reading = false;
	return false;
}

bool
mux_scan_next(struct mux_scan *s, const struct mux *m, struct mux_event *ev)
{
	struct dec one;
	uint64_t type;

	while (s->reading && next_message(s, &one)) {
		type = dec_uint(&one);
		memset(ev, 0, sizeof(*ev));
		if (dec_ok(&one) && s->channel != 0 &&
		    is_message(m, s->channel, type, &one, ev))
			return true;
	}
	return false;
}

bool
mux_next(struct mux *m, struct mux_event *ev, struct err *e)
{
	struct dec one;

	e->code = ERR_OK;
	bury(m);
	if (m->offering)
		mux_reject(m);
	memset(ev, 0, sizeof(*ev));
	if (m->accepted != NULL) {
		ev->kind = MUX_OPENED;
		ev->ch = m->accepted;
		ev->user = m->accepted->user;
		ev->protocol = m->offer_protocol;
		ev->id = m->offer_id;
		ev->handshake = m->offer_handshake;
		m->accepted = NULL;
		return true;
	}
	while (m->in.reading && next_message(&m->in, &one)) {
		if (on_message(m, m->in.channel, &one, ev))
			return true;
		if (!dec_ok(&one)) {
			m->in.reading = false;
			(void)!dec_error(&one, "frame", e);
			return false;
		}
		if (m->rejects > REJECTS_MAX)
			break;
	}
	if (!dec_ok(&m->in.frame))
		(void)!dec_error(&m->in.frame, "frame", e);
	else if (m->rejects > REJECTS_MAX)
		(void)!err_set(e, ERR_LIMIT,
		    "%zu rejected channels, and no answer is read", m->rejects);
	m->in.reading = false;
	return false;
}
