/*
 * Path MTU (network.md 1.5): a full packet is padded to the size to try and
 * is not padded when it is sent again, so a probe that vanishes costs no
 * more than a lost packet. The first probe tries as much as padding allows
 * (1200, 1455, 1500), then the gap is halved; the original goes in steps of
 * 32, which takes ten round trips instead of two.
 *
 * Black hole: a packet that timed out twice is sent again in a way that lets
 * the network fragment it. If that helps, new packets get the base size, or
 * in the end what every host must take, and whatever in flight is larger may
 * be fragmented as well.
 */
#include "net/udx/impl.h"

#define MTU_BASE 1200
#define MTU_FLOOR 576
#define MTU_STEP 8 /* nearer than this is not worth a probe */
#define TRIES_MAX 3
#define SUSPECT_TIMEOUTS 2

void
udx_mtu_restart(struct udx *u)
{
	uint16_t max = u->opts.mtu_max;

	u->mtu = (struct mtu){
	    .size = max < MTU_BASE ? max : MTU_BASE,
	    .max = max,
	};
}

static uint16_t
next_size(const struct mtu *m)
{
	uint32_t top = m->failed == 0 ? m->max : m->failed - 1u;
	uint32_t size = m->failed == 0 ? top : (m->size + m->failed + 1u) / 2;

	if (size > m->size + (uint32_t)UDX_PADDING_MAX)
		size = m->size + (uint32_t)UDX_PADDING_MAX;
	if (size > top)
		size = top;
	return (uint16_t)size;
}

uint8_t
udx_mtu_padding(const struct udx *u)
{
	const struct mtu *m = &u->mtu;
	uint64_t left = u->snd.queued - u->snd.next;
	uint16_t size = next_size(m);

	if (!m->confirmed || m->probing != 0 || u->snd.lost.count > 0 ||
	    left < udx_send_payload_max(u))
		return 0;
	if (size < m->size + MTU_STEP)
		return 0;
	return (uint8_t)(size - m->size);
}

void
udx_mtu_probe_sent(struct udx *u, uint32_t seq, uint8_t padding)
{
	u->mtu.probing = (uint16_t)(u->mtu.size + padding);
	u->mtu.probe = seq;
}

static void
failed_at(struct mtu *m, uint16_t size)
{
	if (m->failed == 0 || size < m->failed)
		m->failed = size;
	m->tries = 0;
}

static void
fall(struct mtu *m)
{
	failed_at(m, m->size);
	m->size = m->size > MTU_BASE ? MTU_BASE : MTU_FLOOR;
	m->probing = 0;
}

/* A packet passed in fragments that twice did not pass whole. */
static void
swallowed(struct mtu *m, const struct pkt *p)
{
	if (p->len + PACKET_OVERHEAD > MTU_FLOOR)
		while (m->size >= p->len + PACKET_OVERHEAD)
			fall(m);
}

/* Twice not acknowledged, or larger than what is known to pass: from here on
 * the network may cut it. Its bytes cannot be cut anew, because packets
 * after it may have arrived. */
bool
udx_mtu_fragment(const struct udx *u, const struct pkt *p)
{
	uint32_t size = (uint32_t)p->len + PACKET_OVERHEAD;

	return size > MTU_FLOOR &&
	       (size > u->mtu.size || p->timeouts >= SUSPECT_TIMEOUTS);
}

void
udx_mtu_acked(struct udx *u, uint32_t seq, const struct pkt *p)
{
	struct mtu *m = &u->mtu;

	if (!u->nold)
		m->confirmed = true;
	if ((p->flags & PKT_FRAGMENT) != 0)
		swallowed(m, p);
	if ((p->flags & PKT_PROBE) == 0 || m->probing == 0 || seq != m->probe)
		return;
	m->size = m->probing;
	m->probing = 0;
	m->tries = 0;
}

void
udx_mtu_lost(struct udx *u, uint32_t seq)
{
	struct mtu *m = &u->mtu;
	uint16_t size = m->probing;

	if (size == 0 || seq != m->probe)
		return;
	m->probing = 0;
	if (++m->tries == TRIES_MAX)
		failed_at(m, size);
}

void
udx_too_big(struct udx *u, size_t datagram)
{
	uint16_t ip = u->path.to.family == 6 ? IP6_UDP : IP4_UDP;
	struct mtu *m = &u->mtu;
	struct sample s = {0};
	size_t size = datagram + ip;

	/* more than the largest is never tried, so nothing is learnt of it */
	if (u->reason != UDX_LIVE || size <= MTU_FLOOR || size > m->max)
		return;
	failed_at(m, (uint16_t)size);
	if (m->probing >= size) {
		const struct pkt *p = udx_ring_at(u, m->probe);

		m->probing = 0;
		if ((p->flags & (PKT_LOST | PKT_SACKED)) == 0)
			udx_rtx_mark_lost(u, m->probe, &s);
	}
	while (m->size >= size)
		fall(m);
}
