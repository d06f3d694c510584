/*
 * Congestion control: BBR version 1 in bytes and microseconds (network.md
 * 1.6). It estimates what the path carries (the highest delivery rate of the
 * last ten round trips) and its shortest round trip, and keeps about their
 * product in flight.
 *
 * Different from the original:
 *  - Round trips shorter than a millisecond count as one: what limits there
 *    is the loops of the two sides, not the path. Ten ticks of the bandwidth
 *    filter last at least 250 ms, so that a peer that was not scheduled for
 *    a while is not taken for a slow path.
 *  - Packets lost at random do not hold back: packet conservation starts
 *    only where a round trip loses more than LOSS_HEAVY.
 *  - PROBE_RTT goes down to half of what the path holds, not to four
 *    packets.
 */
#include "net/udx/impl.h"

#define GAIN 1000 /* gains are in thousandths */
#define GAIN_HIGH 2885
#define GAIN_CWND 2000
#define CYCLE_LEN 8
#define DRAIN_PERCENT 99
#define PHASE_ROUNDS 4
#define FULL_GROWTH 1250
#define FULL_ROUNDS 3
#define CWND_INITIAL 10 /* packets */
#define CWND_MIN 4
#define RTT_KEPT (10 * SECOND)
#define RTT_CLOSE 100
#define PROBE_RTT_TIME (200 * MILLISECOND)
#define TICK (25 * MILLISECOND)
#define TICKS 10
#define LOSS_HEAVY 200 /* per mille of a round trip */
#define LOSS_SHORT 20
#define LOSS_PACKETS 16
#define EXTRA_ROUNDS 5
#define EXTRA_TIME (100 * MILLISECOND)
#define QUANTUM_MAX 65536
#define BANDWIDTH_MAX UINT64_C(1000000000000)
#define PACING_MIN 10000 /* bytes a second: a division by it is safe */

static const uint32_t cycle_gain[CYCLE_LEN] = {
    1250, 750, 1000, 1000, 1000, 1000, 1000, 1000};

static uint64_t
clamp(uint64_t v, uint64_t lo, uint64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

static uint64_t
larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t
packet(const struct udx *u)
{
	return u->mtu.size;
}

static uint64_t
bandwidth(const struct udx *u)
{
	return u->cc.bandwidth.s[0].value;
}

/* Of a path without queue. Where packets overtake each other, it is jitter
 * and not a queue that makes round trips longer than the shortest. */
static uint64_t
round_trip(const struct udx *u)
{
	uint64_t rtt = u->cc.min_rtt, more = u->rtx.late;

	if (rtt == UDX_NEVER)
		rtt = u->rtx.srtt;
	if (more > 0 && u->rtx.srtt > rtt)
		rtt += clamp(more, 0, u->rtx.srtt - rtt);
	return clamp(rtt, RTT_FLOOR, RTT_KEPT);
}

/* What the path holds, times gain. */
static uint64_t
bdp(const struct udx *u, uint64_t gain)
{
	if (bandwidth(u) == 0)
		return CWND_INITIAL * packet(u) * gain / GAIN;
	return bandwidth(u) * round_trip(u) / SECOND * gain / GAIN;
}

uint64_t
udx_cc_quantum(const struct udx *u)
{
	/* a quarter of a millisecond, so that trains are worth a call */
	return clamp(u->cc.pacing / 4000, 2 * packet(u), QUANTUM_MAX / 2);
}

/* Timers of owners have a resolution of a millisecond. */
uint64_t
udx_cc_burst(const struct udx *u)
{
	uint64_t least = CWND_INITIAL * packet(u);

	return clamp(u->cc.pacing / 500, least, UINT32_MAX);
}

static uint64_t
extra_acked(const struct udx *u)
{
	const struct cc *c = &u->cc;
	uint64_t extra = c->extra[0] > c->extra[1] ? c->extra[0] : c->extra[1];

	if (!c->full)
		return 0;
	return clamp(extra, 0, bandwidth(u) / (SECOND / EXTRA_TIME));
}

static uint64_t
target(const struct udx *u, uint64_t gain)
{
	uint64_t train = clamp(u->cc.pacing / 1000, packet(u), QUANTUM_MAX);
	uint64_t t = bdp(u, gain) + 3 * train + extra_acked(u);

	if (u->cc.ceiling != 0 && t > u->cc.ceiling)
		t = u->cc.ceiling;
	return clamp(t, CWND_MIN * packet(u), UINT32_MAX);
}

static uint64_t
pacing_gain(const struct cc *c)
{
	switch (c->mode) {
	case CC_STARTUP:
		return GAIN_HIGH;
	case CC_DRAIN:
		return GAIN * GAIN / GAIN_HIGH;
	case CC_PROBE_BW:
		return cycle_gain[c->cycle];
	case CC_PROBE_RTT:
		break;
	}
	return GAIN;
}

static uint64_t
cwnd_gain(const struct cc *c)
{
	switch (c->mode) {
	case CC_STARTUP:
	case CC_DRAIN:
		return GAIN_HIGH;
	case CC_PROBE_BW:
		return GAIN_CWND;
	case CC_PROBE_RTT:
		break;
	}
	return GAIN;
}

static void
set_pacing(struct udx *u)
{
	struct cc *c = &u->cc;
	uint64_t rate;

	if (bandwidth(u) == 0)
		return;
	rate = bandwidth(u) / 1000 * pacing_gain(c);
	/* a queue is drained slowly */
	if (u->rtx.srtt > round_trip(u) + round_trip(u) / 4)
		rate = rate / 100 * DRAIN_PERCENT;
	if (rate < PACING_MIN)
		rate = PACING_MIN;
	if (c->full || rate > c->pacing)
		c->pacing = rate;
}

void
udx_cc_init(struct udx *u)
{
	struct cc *c = &u->cc;

	*c = (struct cc){.mode = CC_STARTUP, .min_rtt = UDX_NEVER};
	c->cwnd = CWND_INITIAL * packet(u);
	c->pacing = c->cwnd * 1000 * GAIN_HIGH / GAIN;
	c->refilled_at = c->tick_at = u->now;
	c->tokens = (int64_t)c->cwnd;
}

/* What was learned of the old path is a start, no more. */
void
udx_cc_restart(struct udx *u)
{
	struct cc *c = &u->cc;

	c->mode = CC_STARTUP;
	c->full = false;
	c->full_bandwidth = 0;
	c->full_rounds = 0;
	c->min_rtt = UDX_NEVER;
	c->ceiling = 0;
}

void
udx_cc_refill(struct udx *u)
{
	struct cc *c = &u->cc;
	uint64_t since = u->now - c->refilled_at, more;
	int64_t burst = (int64_t)udx_cc_burst(u);

	if (since >= SECOND) {
		c->tokens = burst;
		c->refilled_at = u->now;
		return;
	}
	more = c->pacing * since / SECOND;
	if (more == 0)
		return;
	c->tokens += (int64_t)more;
	c->refilled_at += more * SECOND / c->pacing;
	if (c->tokens >= burst) {
		c->tokens = burst;
		c->refilled_at = u->now;
	}
}

void
udx_cc_idle(struct udx *u)
{
	u->cc.idle_restart = u->rate.app_limited != 0;
}

/* -- the model ------------------------------------------------------------ */

/* A round trip that lost this much: something on the way holds less than
 * the model says, a short queue or the socket buffer of the remote. One round
 * of packet conservation, and a ceiling that is raised slowly. */
static void
judge_losses(struct udx *u)
{
	struct cc *c = &u->cc;
	/* what is found lost was sent in the round before */
	uint64_t acked = larger(c->round_acked, c->last_acked);
	uint64_t flight = larger(c->round_flight, c->last_flight);
	uint64_t all = c->round_lost + acked;
	uint64_t share = all > 0 ? c->round_lost * 1000 / all : 0;
	uint64_t to = flight - flight / 8;
	/* On a short path nothing is lost at random. */
	uint64_t heavy = c->min_rtt < RTT_FLOOR ? LOSS_SHORT : LOSS_HEAVY;

	c->conserve = share > heavy && c->round_lost > LOSS_PACKETS * packet(u);
	if (c->conserve && c->full && (c->ceiling == 0 || to < c->ceiling))
		c->ceiling = to;
	c->last_acked = c->round_acked;
	c->last_flight = c->round_flight;
	c->round_lost = c->round_acked = c->round_flight = 0;
}

static void
update_round(struct udx *u, const struct sample *s)
{
	struct cc *c = &u->cc;

	c->round_start = s->valid && s->prior_delivered >= c->round_end;
	if (!c->round_start)
		return;
	c->round_end = u->rate.delivered;
	judge_losses(u);
	if (u->now - c->tick_at >= TICK) {
		c->tick++;
		c->tick_at = u->now;
	}
}

static void
update_bandwidth(struct udx *u, const struct sample *s)
{
	uint64_t bw = clamp(s->bandwidth, 0, BANDWIDTH_MAX);

	if (bw == 0 || (s->app_limited && bw < bandwidth(u)))
		return;
	udx_rate_max(&u->cc.bandwidth, TICKS, u->cc.tick, bw);
}

/* How much more than expected is acknowledged at once. */
static void
update_extra(struct udx *u, const struct sample *s)
{
	struct cc *c = &u->cc;
	uint64_t expected, since = u->now - c->epoch_at;

	if (c->round_start && ++c->extra_rounds >= EXTRA_ROUNDS) {
		c->extra_rounds = 0;
		c->extra[1] = c->extra[0];
		c->extra[0] = 0;
	}
	if (since > SECOND)
		since = SECOND;
	expected = bandwidth(u) * since / SECOND;
	if (c->epoch_acked <= expected) {
		c->epoch_acked = expected = 0;
		c->epoch_at = u->now;
	}
	c->epoch_acked += s->acked;
	if (c->epoch_acked - expected > c->extra[0])
		c->extra[0] = clamp(c->epoch_acked - expected, 0, c->cwnd);
}

static void
check_full(struct udx *u, const struct sample *s)
{
	struct cc *c = &u->cc;

	if (c->full || !c->round_start || s->app_limited)
		return;
	if (bandwidth(u) >= c->full_bandwidth * FULL_GROWTH / GAIN) {
		c->full_bandwidth = bandwidth(u);
		c->full_rounds = 0;
		return;
	}
	c->full = ++c->full_rounds >= FULL_ROUNDS;
}

/* -- modes ---------------------------------------------------------------- */

static void
enter_probe_bw(struct udx *u)
{
	struct cc *c = &u->cc;

	/* Anywhere but in the draining phase; streams differ. */
	c->mode = CC_PROBE_BW;
	c->cycle = (2 + u->opts.local_id % (CYCLE_LEN - 1)) % CYCLE_LEN;
	c->cycle_at = u->now;
}

/* Once in a cycle a little more is tried. */
static void
raise_ceiling(struct udx *u)
{
	struct cc *c = &u->cc;

	c->ceiling += c->ceiling / 8 + packet(u);
	if (c->ceiling > bdp(u, 2 * GAIN_CWND))
		c->ceiling = 0;
}

static void
update_cycle(struct udx *u, const struct sample *s)
{
	struct cc *c = &u->cc;
	uint64_t gain = cycle_gain[c->cycle];
	uint64_t since = u->now - c->cycle_at;
	bool next = since > round_trip(u);

	if (c->mode != CC_PROBE_BW)
		return;
	/* until what is probed for is in flight, or the queue of that is
	 * gone; but not for ever */
	if (gain > GAIN)
		next =
		    next && (s->lost > 0 || s->flight_before >= bdp(u, gain) ||
				since > PHASE_ROUNDS * round_trip(u));
	else if (gain < GAIN)
		next = s->flight_before <= bdp(u, GAIN) ||
		       since > PHASE_ROUNDS * round_trip(u);
	if (!next)
		return;
	c->cycle = (c->cycle + 1) % CYCLE_LEN;
	c->cycle_at = u->now;
	if (c->cycle == 0 && c->ceiling != 0)
		raise_ceiling(u);
}

static void
update_mode(struct udx *u)
{
	struct cc *c = &u->cc;

	if (c->mode == CC_STARTUP && c->full)
		c->mode = CC_DRAIN;
	if (c->mode == CC_DRAIN && u->snd.flight_wire <= bdp(u, GAIN))
		enter_probe_bw(u);
}

static uint64_t
probe_rtt_cwnd(const struct udx *u)
{
	return clamp(bdp(u, GAIN / 2), CWND_MIN * packet(u), UINT32_MAX);
}

static void
save_cwnd(struct cc *c)
{
	if (c->recovery || c->mode == CC_PROBE_RTT) {
		if (c->prior_cwnd < c->cwnd)
			c->prior_cwnd = c->cwnd;
	} else {
		c->prior_cwnd = c->cwnd;
	}
}

static void
leave_probe_rtt(struct udx *u)
{
	struct cc *c = &u->cc;

	c->min_rtt_at = u->now;
	if (c->cwnd < c->prior_cwnd)
		c->cwnd = c->prior_cwnd;
	if (c->full)
		enter_probe_bw(u);
	else
		c->mode = CC_STARTUP;
}

static void
update_probe_rtt(struct udx *u)
{
	struct cc *c = &u->cc;

	udx_rate_app_limited(u);
	if (c->probe_rtt_until == 0) {
		if (u->snd.flight_wire > probe_rtt_cwnd(u))
			return;
		c->probe_rtt_until = u->now + PROBE_RTT_TIME;
		c->probe_rtt_round = false;
		c->round_end = u->rate.delivered;
		return;
	}
	if (c->round_start)
		c->probe_rtt_round = true;
	if (c->probe_rtt_round && u->now > c->probe_rtt_until)
		leave_probe_rtt(u);
}

static void
update_min_rtt(struct udx *u, const struct sample *s)
{
	struct cc *c = &u->cc;
	bool expired =
	    c->min_rtt != UDX_NEVER && u->now > c->min_rtt_at + RTT_KEPT;

	if (s->rtt == 0)
		expired = false;
	else if (s->rtt <= c->min_rtt || expired)
		c->min_rtt = s->rtt;
	/* Close to it is as good: no need to slow down and look. */
	if (s->rtt != 0 && s->rtt <= c->min_rtt + c->min_rtt / 16 + RTT_CLOSE)
		c->min_rtt_at = u->now;
	if (expired && !c->idle_restart && c->mode != CC_PROBE_RTT) {
		save_cwnd(c);
		c->mode = CC_PROBE_RTT;
		c->probe_rtt_until = 0;
	}
	if (c->mode == CC_PROBE_RTT)
		update_probe_rtt(u);
	if (s->acked > 0)
		c->idle_restart = false;
}

/* -- the window ----------------------------------------------------------- */

static void
update_recovery(struct udx *u, const struct sample *s)
{
	struct cc *c = &u->cc;

	c->round_lost += s->lost;
	c->round_acked += s->acked;
	c->round_flight = larger(c->round_flight, s->flight_before);
	if (c->recovery && !udx_seq_before(u->snd.una, c->recovery_end)) {
		c->recovery = c->conserve = false;
		if (c->cwnd < c->prior_cwnd)
			c->cwnd = c->prior_cwnd;
	}
	if (s->lost > 0 && !c->recovery) {
		save_cwnd(c);
		c->recovery = true;
		c->recovery_end = u->snd.nxt;
	}
	if (c->conserve && c->round_start)
		c->cwnd = u->snd.flight_wire + s->acked;
}

static void
update_cwnd(struct udx *u, const struct sample *s)
{
	struct cc *c = &u->cc;
	uint64_t goal = target(u, cwnd_gain(c));
	uint64_t least = CWND_MIN * packet(u);

	if (c->conserve) {
		if (c->cwnd < u->snd.flight_wire + s->acked)
			c->cwnd = u->snd.flight_wire + s->acked;
	} else if (c->full) {
		c->cwnd += s->acked;
		if (c->cwnd > goal)
			c->cwnd = goal;
	} else if (c->cwnd < goal ||
		   u->rate.delivered < CWND_INITIAL * packet(u)) {
		c->cwnd += s->acked;
	}
	if (c->mode == CC_PROBE_RTT && c->cwnd > probe_rtt_cwnd(u))
		c->cwnd = probe_rtt_cwnd(u);
	c->cwnd = clamp(c->cwnd, least, UINT32_MAX);
}

void
udx_cc_acked(struct udx *u, const struct sample *s)
{
	update_round(u, s);
	update_bandwidth(u, s);
	update_extra(u, s);
	update_cycle(u, s);
	check_full(u, s);
	update_mode(u);
	update_min_rtt(u, s);
	set_pacing(u);
	update_recovery(u, s);
	update_cwnd(u, s);
}

/* Nothing came for a second: begin with one packet, but remember. */
void
udx_cc_timeout(struct udx *u)
{
	struct cc *c = &u->cc;

	save_cwnd(c);
	c->recovery = true;
	c->conserve = false;
	c->recovery_end = u->snd.nxt;
	c->full_bandwidth = 0;
	c->full_rounds = 0;
	c->cwnd = u->snd.flight_wire + packet(u);
}
