/*
 * Trains of DATA: packets are cut from the queue, or cut again from it, into
 * the caller's buffer, as many of one size as cwnd, pacing and the remote
 * window allow.
 *
 * An END goes in a packet of its own: all data may then be known to have
 * arrived while the END is not (udx_rtx.c).
 */
#include "net/udx/impl.h"

#include <string.h>

#define WAKE_MIN 200 /* no deadline of pacing is nearer */

struct train {
	uint8_t *buf;
	size_t cap, len;
	size_t segment; /* of the first datagram; 0: none yet */
	uint32_t n;
	bool full;     /* nothing may follow: the last one was shorter */
	bool fragment; /* and so may the network, smaller */
	const struct path *path;
};

uint16_t
udx_send_payload_max(const struct udx *u)
{
	uint16_t ip = u->path.to.family == 6 ? IP6_UDP : IP4_UDP;

	return (uint16_t)(u->mtu.size - ip - UDX_HEADER);
}

const struct path *
udx_send_path(const struct udx *u, uint32_t seq)
{
	for (uint32_t i = 0; i < u->nold; i++)
		if (udx_seq_before(seq, u->old[i].until))
			return &u->old[i];
	return &u->path;
}

static bool
cwnd_allows(const struct udx *u, size_t wire)
{
	uint64_t limit = u->cc.cwnd;

	if (limit > u->opts.send_limit)
		limit = u->opts.send_limit;
	return u->snd.flight.count == 0 || u->snd.flight_wire + wire <= limit;
}

/* A window that is not 0 lets one packet through, as the original does. */
static bool
window_allows(const struct udx *u, size_t len)
{
	const struct snd *q = &u->snd;

	if (q->outstanding == 0)
		return q->window > 0 || len == 0;
	return q->outstanding + len <= q->window;
}

static size_t
next_len(const struct udx *u)
{
	uint64_t left = u->snd.queued - u->snd.next;
	uint16_t max = udx_send_payload_max(u);

	return left < max ? (size_t)left : max;
}

/* Is there a packet never sent, that the remote has room for? */
bool
udx_send_has_new(const struct udx *u)
{
	const struct snd *q = &u->snd;

	if (q->next < q->queued)
		return window_allows(u, next_len(u));
	return q->ending && !q->end_sent;
}

/* Where the datagram goes in the train, or NULL: it does not fit. */
static uint8_t *
train_room(struct train *t, size_t size, const struct path *path)
{
	if (t->n > 0 && (size > t->segment || path != t->path))
		return NULL;
	if (size > t->cap - t->len)
		return NULL;
	if (t->n++ == 0) {
		t->segment = size;
		t->path = path;
	}
	t->full = size < t->segment;
	t->len += size;
	return t->buf + (t->len - size);
}

static void
write_packet(struct udx *u, uint8_t *out, uint32_t seq, uint8_t padding)
{
	struct pkt *p = udx_ring_at(u, seq);
	uint8_t type = (p->flags & PKT_END) != 0 ? UDX_END : UDX_DATA;

	udx_reply_header(u, type, seq, udx_send_path(u, seq), out);
	out[3] = padding;
	memset(out + UDX_HEADER, 0, padding);
	udx_queue_copy(u, p, out + UDX_HEADER + padding);
}

/* It is in flight from now on. */
static void
launch(struct udx *u, uint32_t seq)
{
	struct pkt *p = udx_ring_at(u, seq);
	uint64_t wire = (uint64_t)p->len + PACKET_OVERHEAD;

	if (u->snd.flight.count == 0)
		udx_cc_idle(u);
	udx_rate_sent(u, p);
	p->sent = u->now;
	if ((p->flags & PKT_RESENT) == 0)
		p->born = u->now;
	udx_ring_append(u, &u->snd.flight, seq);
	u->snd.flight_wire += wire;
	u->cc.tokens -= (int64_t)wire;
	u->rtx.force = false;
	u->active_at = u->now;
	u->stats.packets_sent++;
	u->stats.bytes_sent += p->len;
	udx_rtx_sent(u);
}

static bool
may_launch(const struct udx *u, size_t len)
{
	if (u->rtx.force)
		return true;
	return u->cc.tokens > 0 && cwnd_allows(u, len + PACKET_OVERHEAD);
}

static bool
resend_next(struct udx *u, struct train *t)
{
	uint32_t seq = u->snd.lost.head;
	struct pkt *p = udx_ring_at(u, seq);
	bool fragment;
	uint8_t *at;

	if (!may_launch(u, p->len))
		return false;
	fragment = udx_mtu_fragment(u, p);
	if (t->n > 0 && fragment != t->fragment)
		return false;
	at = train_room(t, UDX_HEADER + (size_t)p->len, udx_send_path(u, seq));
	if (at == NULL)
		return false;
	t->fragment = fragment;
	udx_ring_remove(u, &u->snd.lost, seq);
	p->flags = (uint8_t)((p->flags & PKT_END) | PKT_RESENT);
	if (fragment)
		p->flags |= PKT_FRAGMENT;
	write_packet(u, at, seq, 0);
	launch(u, seq);
	u->stats.packets_resent++;
	return true;
}

static bool
send_next(struct udx *u, struct train *t)
{
	size_t len = next_len(u);
	uint8_t padding = t->n == 0 && len > 0 ? udx_mtu_padding(u) : 0;
	uint32_t seq = u->snd.nxt;
	struct train before = *t;
	struct pkt *p;
	uint8_t *at;

	if (t->fragment || !udx_send_has_new(u) || !may_launch(u, len))
		return false;
	at = train_room(t, UDX_HEADER + len + padding, &u->path);
	if (at == NULL)
		return false;
	p = udx_ring_push(u);
	if (p == NULL) {
		/* No memory: try again in a while, not at once. */
		*t = before;
		u->cc.tokens = 0;
		u->rtx.force = false;
		return false;
	}
	p->len = (uint16_t)len;
	udx_queue_take(u, p);
	u->snd.outstanding += len;
	if (len == 0) {
		p->flags = PKT_END;
		u->snd.end_sent = true;
	}
	if (padding > 0) {
		p->flags |= PKT_PROBE;
		udx_mtu_probe_sent(u, seq, padding);
		t->full = true;
	}
	write_packet(u, at, seq, padding);
	launch(u, seq);
	return true;
}

/* Wire bytes that wait and that cwnd and window would let go; stops counting
 * at `enough`. */
static uint64_t
waiting(const struct udx *u, uint64_t enough)
{
	const struct snd *q = &u->snd;
	uint64_t n = 0, fits;

	if (q->lost.count > 0) {
		if (!cwnd_allows(
			u, udx_ring_at(u, q->lost.head)->len + PACKET_OVERHEAD))
			return 0;
		n = (uint64_t)q->lost.count * PACKET_OVERHEAD;
	}
	if (udx_send_has_new(u) &&
	    (q->lost.count > 0 ||
		cwnd_allows(u, next_len(u) + PACKET_OVERHEAD)))
		n += q->queued - q->next + PACKET_OVERHEAD;
	fits = u->cc.cwnd > q->flight_wire ? u->cc.cwnd - q->flight_wire : 1;
	if (n > fits)
		n = fits;
	return n < enough ? n : enough;
}

/* Tokens to have before a train leaves: all that waits, or a good train. */
static int64_t
tokens_wanted(const struct udx *u)
{
	return (int64_t)waiting(u, udx_cc_quantum(u));
}

uint64_t
udx_send_at(const struct udx *u)
{
	int64_t wanted = tokens_wanted(u), missing;
	uint64_t at;

	if (u->rtx.force && (u->snd.lost.count > 0 || udx_send_has_new(u)))
		return u->now;
	if (wanted == 0)
		return UDX_NEVER;
	missing = wanted - u->cc.tokens;
	if (missing <= 0)
		return u->now;
	at = u->cc.refilled_at + (uint64_t)missing * SECOND / u->cc.pacing + 1;
	return at > u->now + WAKE_MIN ? at : u->now + WAKE_MIN;
}

bool
udx_send_train(struct udx *u, uint8_t *buf, size_t cap, struct udx_out *out)
{
	struct train t = {
	    .buf = buf, .cap = cap < UDX_TRAIN_MAX ? cap : UDX_TRAIN_MAX};
	uint32_t max = u->opts.segments_max;

	udx_cc_refill(u);
	if (udx_send_at(u) > u->now)
		return false;
	while (t.n < max && !t.full &&
	       (u->snd.lost.count > 0 ? resend_next(u, &t) : send_next(u, &t)))
		;
	if (u->snd.lost.count == 0 && !udx_send_has_new(u) &&
	    cwnd_allows(u, udx_send_payload_max(u)))
		udx_rate_app_limited(u);
	if (t.n == 0)
		return false;
	*out = (struct udx_out){t.path->to, t.len, t.segment, t.fragment};
	return true;
}

enum err_code
udx_send_message(struct udx *u, struct view message, struct err *e)
{
	if (message.len > UDX_DATAGRAM_MAX - UDX_HEADER)
		return err_set(e, ERR_LIMIT,
		    "message of %zu bytes, at most %d fit", message.len,
		    UDX_DATAGRAM_MAX - UDX_HEADER);
	if (u->reason != UDX_LIVE)
		return err_set(e, ERR_INVALID, "stream has ended");
	if (!udx_messages_put(&u->snd.messages, message))
		return err_set(e, ERR_LIMIT, "too many messages wait");
	return ERR_OK;
}
