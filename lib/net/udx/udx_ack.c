/*
 * Acknowledgements in. Each packet is visited once when it is acknowledged:
 * ranges are compared with what was told before, and only what is new costs
 * anything, so the work follows what was sent and not what a stranger says.
 */
#include "net/udx/impl.h"

/* A packet arrived there: out of the list it is in. */
static void
deliver(struct udx *u, uint32_t seq, struct sample *s)
{
	struct pkt *p = udx_ring_at(u, seq);

	if ((p->flags & PKT_SACKED) != 0)
		return;
	if ((p->flags & PKT_LOST) != 0) {
		udx_ring_remove(u, &u->snd.lost, seq);
	} else {
		udx_ring_remove(u, &u->snd.flight, seq);
		u->snd.flight_wire -= (uint64_t)p->len + PACKET_OVERHEAD;
	}
	u->snd.outstanding -= p->len;
	s->acked += (uint64_t)p->len + PACKET_OVERHEAD;
	udx_rate_delivered(u, p, s);
	udx_rtx_delivered(u, seq, p, s);
	udx_mtu_acked(u, seq, p);
	p->flags = (uint8_t)((p->flags & ~PKT_LOST) | PKT_SACKED);
}

static void
advance(struct udx *u, uint32_t ack, struct sample *s)
{
	struct snd *q = &u->snd;

	for (; q->una != ack; q->una++)
		deliver(u, q->una, s);
	udx_ranges_trim(&q->sacked, ack);
	udx_queue_release(
	    u, ack == q->nxt ? q->next : udx_ring_at(u, ack)->offset);
	while (u->nold > 0 && !udx_seq_before(ack, u->old[0].until)) {
		u->nold--;
		for (uint32_t i = 0; i < u->nold; i++)
			u->old[i] = u->old[i + 1];
	}
}

/* [start, end) without what is known already. */
static void
deliver_range(struct udx *u, struct udx_range r, struct sample *s)
{
	struct udx_ranges *known = &u->snd.sacked;
	uint32_t i = udx_ranges_find(known, r.start), seq = r.start;

	while (seq != r.end) {
		uint32_t stop = r.end, next = r.end;

		if (i < known->n && udx_seq_before(known->r[i].start, r.end)) {
			stop = known->r[i].start;
			next = known->r[i].end;
			i++;
		}
		for (; udx_seq_before(seq, stop); seq++)
			deliver(u, seq, s);
		if (udx_seq_before(seq, next))
			seq = udx_seq_before(next, r.end) ? next : r.end;
	}
	/* Without memory the packets are marked all the same. */
	(void)udx_ranges_add(known, r.start, r.end);
}

/* What an honest receiver can say: above ack, and sent. */
static bool
range_fits(const struct udx *u, struct udx_range r)
{
	/* As distances from una: the order of a wrapping counter is not
	 * transitive, and these numbers may be anything. */
	uint32_t start = r.start - u->snd.una, end = r.end - u->snd.una;

	return start > 0 && start < end && end <= u->snd.nxt - u->snd.una;
}

/* Only from a packet that is not older than the one that told it last. */
static void
update_window(struct udx *u, const struct udx_packet *p)
{
	struct snd *q = &u->snd;

	if (udx_seq_before(p->seq, q->win_seq) ||
	    (p->seq == q->win_seq && udx_seq_before(p->ack, q->win_ack)))
		return;
	q->window = p->window;
	q->win_seq = p->seq;
	q->win_ack = p->ack;
}

/* The END is acknowledged, the remote's is still to come: say once more what
 * was received (1.7). */
static void
after_end(struct udx *u)
{
	if (u->snd.end_sent && u->snd.una == u->snd.nxt)
		u->reply.due = true;
	udx_close_if_done(u);
}

void
udx_ack_process(struct udx *u, const struct udx_packet *p)
{
	struct snd *q = &u->snd;
	struct sample s = {.flight_before = q->flight_wire};
	bool advanced = p->ack != q->una;

	if (p->ack - q->una > q->nxt - q->una)
		return;
	update_window(u, p);
	u->unanswered = 0;
	if (advanced)
		advance(u, p->ack, &s);
	for (size_t i = 0; i < udx_packet_ranges(p); i++) {
		struct udx_range r = udx_packet_range(p, i);

		if (range_fits(u, r))
			deliver_range(u, r, &s);
	}
	/* also when all of it was told by ranges before: the timers follow una */
	if (s.acked > 0 || advanced)
		udx_rtx_acked(u, &s);
	if (s.acked > 0) {
		udx_rate_finish(u, &s);
		udx_cc_acked(u, &s);
	}
	if (advanced) {
		udx_ring_shrink(u);
		after_end(u);
	}
}
