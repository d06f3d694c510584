/*
 * When a packet is lost, and when silence is too long (network.md 1.4):
 * RACK (something sent later arrived), a tail loss probe (nothing arrived
 * for two round trips) and RTO (nothing arrived for a second).
 *
 * Better than the original: with jitter, the wait for stragglers grows to
 * what was seen (`late`), so that reordering alone resends next to nothing.
 */
#include "net/udx/impl.h"

#define RTO_MIN SECOND
#define RTO_MAX (30 * SECOND)
#define RTT_SLEEP (5 * SECOND) /* above: perhaps the machine slept */
#define TIMEOUTS_MAX 6
#define END_TIMEOUTS_MAX 3
#define SACKED_ENOUGH 3
#define TAIL_MIN (2 * MILLISECOND) /* the remote's loop needs its time */
#define PROBES_MAX 8
#define LATE_KEPT (10 * SECOND)

void
udx_rtx_init(struct udx *u)
{
	u->rtx = (struct rtx){.rto = RTO_MIN,
	    .rto_at = UDX_NEVER,
	    .rack_at = UDX_NEVER,
	    .tlp_at = UDX_NEVER};
}

static uint64_t
clamp(uint64_t v, uint64_t lo, uint64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

static void
rtt_sample(struct rtx *r, uint64_t rtt)
{
	uint64_t off;

	if (rtt == 0)
		rtt = 1;
	if (r->srtt == 0) {
		r->srtt = rtt;
		r->rttvar = rtt / 2;
	} else {
		if (rtt > RTT_SLEEP && rtt > r->srtt + 5 * r->rttvar)
			rtt = r->srtt + 5 * r->rttvar;
		off = r->srtt > rtt ? r->srtt - rtt : rtt - r->srtt;
		r->rttvar = (3 * r->rttvar + off) / 4;
		r->srtt = (7 * r->srtt + rtt) / 8;
		if (r->srtt == 0)
			r->srtt = 1;
	}
	r->rto = clamp(r->srtt + 4 * r->rttvar, RTO_MIN, RTO_MAX);
}

static void
came_late(struct udx *u, uint64_t rtt)
{
	struct rtx *r = &u->rtx;
	uint64_t late = rtt > r->rack_rtt ? rtt - r->rack_rtt : 0;

	if (r->rack_rtt == 0)
		return;
	r->reordering = true;
	if (late < r->late)
		return;
	r->late = late;
	r->late_at = u->now;
}

bool
udx_rtx_first_copy(const struct udx *u, const struct pkt *p)
{
	return (p->flags & PKT_RESENT) != 0 && u->cc.min_rtt != UDX_NEVER &&
	       u->now - p->sent < u->cc.min_rtt;
}

/* The last sent packet of those delivered so far is what RACK compares
 * with; one that came after its successors shows how long to wait. */
void
udx_rtx_delivered(
    struct udx *u, uint32_t seq, const struct pkt *p, struct sample *s)
{
	struct rtx *r = &u->rtx;
	uint64_t rtt = u->now - p->sent;
	bool resent = (p->flags & PKT_RESENT) != 0;

	r->probes = 0;
	if (udx_rtx_first_copy(u, p)) {
		came_late(u, u->now - p->born);
		return;
	}
	if (!resent)
		s->rtt = rtt > 0 ? rtt : 1;
	if (p->sent > r->rack_sent ||
	    (p->sent == r->rack_sent && !udx_seq_before(seq, r->rack_seq))) {
		r->rack_sent = p->sent;
		r->rack_seq = seq;
		r->rack_rtt = rtt;
	} else if (!resent) {
		came_late(u, rtt);
	}
}

/* How long after its successors a packet may come. */
static uint64_t
reorder_window(struct udx *u)
{
	struct rtx *r = &u->rtx;
	uint64_t w = u->cc.min_rtt == UDX_NEVER ? 0 : u->cc.min_rtt / 4;

	if (u->now - r->late_at > LATE_KEPT) {
		r->late -= r->late / 4;
		r->late_at = u->now;
	}
	if (!r->reordering &&
	    (u->cc.recovery || u->snd.nxt - u->snd.una - u->snd.flight.count -
				       u->snd.lost.count >=
				   SACKED_ENOUGH))
		return 0;
	w = w < r->srtt ? w : r->srtt;
	return clamp(r->late + r->late / 4, w, 2 * r->srtt + 1);
}

void
udx_rtx_mark_lost(struct udx *u, uint32_t seq, struct sample *s)
{
	struct pkt *p = udx_ring_at(u, seq);
	uint64_t wire = (uint64_t)p->len + PACKET_OVERHEAD;

	udx_ring_remove(u, &u->snd.flight, seq);
	udx_ring_append(u, &u->snd.lost, seq);
	p->flags |= PKT_LOST;
	u->snd.flight_wire -= wire;
	u->stats.packets_lost++;
	if ((p->flags & PKT_PROBE) != 0)
		udx_mtu_lost(u, seq);
	else
		s->lost += wire;
}

/* The list is in order of sending: the first that may still come ends it. */
static void
rack(struct udx *u, struct sample *s)
{
	struct rtx *r = &u->rtx;
	uint64_t wait = r->rack_rtt + reorder_window(u);

	r->rack_at = UDX_NEVER;
	while (u->snd.flight.count > 0) {
		uint32_t seq = u->snd.flight.head;
		const struct pkt *p = udx_ring_at(u, seq);

		if (p->sent > r->rack_sent ||
		    (p->sent == r->rack_sent &&
			!udx_seq_before(seq, r->rack_seq)))
			return;
		if (p->sent + wait > u->now) {
			r->rack_at = p->sent + wait;
			return;
		}
		udx_rtx_mark_lost(u, seq, s);
	}
}

/* A tail probe where nothing else is going to tell. The original sends one,
 * and none in recovery; but what is lost again at the end of a transfer
 * would then wait for the RTO, of a second at least. So they are repeated,
 * each after twice the time. */
static void
arm_tail(struct udx *u)
{
	struct rtx *r = &u->rtx;
	uint64_t wait = 2 * r->srtt + TAIL_MIN;

	r->tlp_at = UDX_NEVER;
	if (r->srtt == 0 || r->probes >= PROBES_MAX ||
	    u->snd.flight.count == 0 || r->rack_at != UDX_NEVER)
		return;
	r->tlp_at = u->now + (wait << r->probes);
	if (r->tlp_at > r->rto_at)
		r->tlp_at = UDX_NEVER;
}

void
udx_rtx_sent(struct udx *u)
{
	if (u->rtx.rto_at == UDX_NEVER)
		u->rtx.rto_at = u->now + u->rtx.rto;
	arm_tail(u);
}

void
udx_rtx_acked(struct udx *u, struct sample *s)
{
	struct rtx *r = &u->rtx;

	if (s->rtt != 0)
		rtt_sample(r, s->rtt);
	r->rto_at = u->snd.una == u->snd.nxt ? UDX_NEVER : u->now + r->rto;
	rack(u, s);
	arm_tail(u);
}

static void
tail_probe(struct udx *u)
{
	struct snd *q = &u->snd;
	struct rtx *r = &u->rtx;
	struct pkt *p;
	uint32_t seq;

	r->tlp_at = UDX_NEVER;
	if (q->flight.count == 0)
		return;
	r->probes++;
	r->force = true;
	u->stats.tail_probes++;
	if (udx_send_has_new(u))
		return;
	seq = q->flight.tail;
	p = udx_ring_at(u, seq);
	udx_ring_remove(u, &q->flight, seq);
	udx_ring_prepend(u, &q->lost, seq);
	q->flight_wire -= (uint64_t)p->len + PACKET_OVERHEAD;
	p->flags |= PKT_LOST;
	if ((p->flags & PKT_PROBE) != 0)
		udx_mtu_lost(u, seq);
}

/* The head was told to be there already and is not acknowledged: the remote
 * has dropped what it had, or never had it. Believe none of it. */
static void
forget_sacked(struct udx *u)
{
	struct snd *q = &u->snd;

	for (uint32_t seq = q->una; seq != q->nxt; seq++) {
		struct pkt *p = udx_ring_at(u, seq);

		if ((p->flags & PKT_SACKED) == 0)
			continue;
		p->flags =
		    (uint8_t)((p->flags & ~PKT_SACKED) | PKT_LOST | PKT_RESENT);
		udx_ring_append(u, &q->lost, seq);
		q->outstanding += p->len;
	}
	udx_ranges_deinit(&q->sacked);
}

/* Everything that had its time is lost; of it one packet goes out at once,
 * the others as acknowledgements come. */
static void
mark_old(struct udx *u, struct sample *s)
{
	struct rtx *r = &u->rtx;
	uint64_t patience = r->srtt == 0 ? r->rto : r->srtt + r->srtt / 4;

	while (u->snd.flight.count > 0) {
		uint32_t seq = u->snd.flight.head;

		if (udx_ring_at(u, seq)->sent + patience > u->now)
			return;
		udx_rtx_mark_lost(u, seq, s);
	}
}

/* The packet that timed out is the next to go. */
static void
head_first(struct udx *u)
{
	struct snd *q = &u->snd;
	struct pkt *head = udx_ring_at(u, q->una);

	if ((head->flags & PKT_LOST) == 0) {
		udx_ring_remove(u, &q->flight, q->una);
		q->flight_wire -= (uint64_t)head->len + PACKET_OVERHEAD;
		head->flags |= PKT_LOST;
		u->stats.packets_lost++;
	} else {
		udx_ring_remove(u, &q->lost, q->una);
	}
	udx_ring_prepend(u, &q->lost, q->una);
}

static bool
only_end_left(const struct udx *u)
{
	const struct pkt *head = udx_ring_at(u, u->snd.una);

	return u->snd.nxt - u->snd.una == 1 && (head->flags & PKT_END) != 0 &&
	       udx_read_ended(u);
}

static void
timeout(struct udx *u)
{
	struct sample s = {0};
	struct rtx *r = &u->rtx;
	struct pkt *head = udx_ring_at(u, u->snd.una);

	/* All data went both ways and the remote is gone: its last word was
	 * lost, as nothing is kept of a closed stream. */
	if (only_end_left(u) && head->timeouts >= END_TIMEOUTS_MAX) {
		udx_close(u, UDX_FINISHED);
		return;
	}
	if (head->timeouts >= TIMEOUTS_MAX) {
		udx_close(u, UDX_TIMED_OUT);
		return;
	}
	u->stats.timeouts++;
	if ((head->flags & PKT_SACKED) != 0)
		forget_sacked(u);
	head->timeouts++;
	mark_old(u, &s);
	head_first(u);
	r->rto_at = u->now + 2 * r->rto;
	r->tlp_at = r->rack_at = UDX_NEVER;
	r->force = true;
	udx_cc_timeout(u);
}

void
udx_rtx_run(struct udx *u)
{
	struct sample s = {.flight_before = u->snd.flight_wire};
	struct rtx *r = &u->rtx;

	if (u->now >= r->rto_at) {
		timeout(u);
		return;
	}
	if (u->now >= r->rack_at) {
		rack(u, &s);
		if (s.lost > 0)
			udx_cc_acked(u, &s);
	}
	if (u->now >= r->tlp_at)
		tail_probe(u);
}
