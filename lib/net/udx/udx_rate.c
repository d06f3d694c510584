/*
 * Delivery rate samples: how much arrived between the sending of a packet
 * and its acknowledgement, over the longer of the time it took to send and
 * the time it took to be acknowledged.
 */
#include "net/udx/impl.h"

static void
begin_epoch(struct udx *u)
{
	u->rate.epoch_at = u->now;
	u->rate.epoch_delivered = u->rate.delivered;
	u->rate.epoch_limited = u->rate.app_limited != 0;
}

void
udx_rate_sent(struct udx *u, struct pkt *p)
{
	struct rate *r = &u->rate;

	if (u->snd.flight.count == 0) {
		r->first_sent = r->delivered_at = u->now;
		if (r->app_limited != 0)
			begin_epoch(u);
	}
	p->first_sent = r->first_sent;
	p->delivered_at = r->delivered_at;
	p->delivered = r->delivered;
	if (r->app_limited != 0)
		p->flags |= PKT_APP_LIMITED;
	else
		p->flags = (uint8_t)(p->flags & ~PKT_APP_LIMITED);
}

/* The sample is that of the packet sent last among those acknowledged. */
void
udx_rate_delivered(struct udx *u, const struct pkt *p, struct sample *s)
{
	struct rate *r = &u->rate;

	r->delivered += (uint64_t)p->len + PACKET_OVERHEAD;
	r->delivered_at = u->now;
	/* Its first copy arrived: the times are those of the second. */
	if (udx_rtx_first_copy(u, p))
		return;
	if (s->valid && p->delivered < s->prior_delivered)
		return;
	s->valid = true;
	s->prior_delivered = p->delivered;
	s->prior_at = p->delivered_at;
	s->send_elapsed = p->sent - p->first_sent;
	s->app_limited = (p->flags & PKT_APP_LIMITED) != 0;
	r->first_sent = p->sent;
}

/* Where a round trip is shorter than a millisecond, many packets share one
 * time, and a sample of a packet says anything. Count what a millisecond
 * brings instead. */
static void
short_path(struct udx *u, struct sample *s)
{
	struct rate *r = &u->rate;
	uint64_t elapsed = u->now - r->epoch_at;

	if (elapsed < RTT_FLOOR)
		return;
	s->bandwidth = (r->delivered - r->epoch_delivered) * SECOND / elapsed;
	s->app_limited = r->epoch_limited;
	begin_epoch(u);
}

void
udx_rate_finish(struct udx *u, struct sample *s)
{
	struct rate *r = &u->rate;
	uint64_t elapsed;

	if (r->app_limited != 0 && r->delivered > r->app_limited)
		r->app_limited = 0;
	if (u->cc.min_rtt < RTT_FLOOR) {
		short_path(u, s);
		return;
	}
	if (!s->valid)
		return;
	elapsed = u->now - s->prior_at;
	if (elapsed < s->send_elapsed)
		elapsed = s->send_elapsed;
	/* Shorter than a round trip: an artefact of bunched datagrams. */
	if (elapsed < RTT_FLOOR ||
	    (u->cc.min_rtt != UDX_NEVER && elapsed < u->cc.min_rtt))
		return;
	s->bandwidth = (r->delivered - s->prior_delivered) * SECOND / elapsed;
}

/* From here on the sender does not use what the path could carry. */
void
udx_rate_app_limited(struct udx *u)
{
	uint64_t until = u->rate.delivered + u->snd.flight_wire;

	u->rate.app_limited = until > 0 ? until : 1;
	u->rate.epoch_limited = true;
}

static void
set_from(struct max_filter *f, uint32_t i, uint64_t at, uint64_t value)
{
	for (; i < 3; i++) {
		f->s[i].at = at;
		f->s[i].value = value;
	}
}

void
udx_rate_max(struct max_filter *f, uint64_t window, uint64_t at, uint64_t value)
{
	if (value >= f->s[0].value || at - f->s[2].at > window) {
		set_from(f, 0, at, value);
		return;
	}
	if (value >= f->s[1].value)
		set_from(f, 1, at, value);
	else if (value >= f->s[2].value)
		set_from(f, 2, at, value);
	if (at - f->s[0].at > window) {
		f->s[0] = f->s[1];
		f->s[1] = f->s[2];
		set_from(f, 2, at, value);
		if (at - f->s[0].at > window) {
			f->s[0] = f->s[1];
			f->s[1] = f->s[2];
		}
	} else if (f->s[1].at == f->s[0].at && at - f->s[1].at > window / 4) {
		set_from(f, 1, at, value);
	} else if (f->s[2].at == f->s[1].at && at - f->s[2].at > window / 2) {
		set_from(f, 2, at, value);
	}
}
