/*
 * Acknowledgements out: everything below `nxt`, and ranges that came out of
 * order. Those that changed since the last one go first; the others take
 * turns, so that a lost acknowledgement is made good soon. The original sends
 * 50 ranges and takes any number; 66 fit into the smallest MTU. With more, a
 * second datagram follows: on a long path with 5 % loss that saves one
 * resend in six.
 */
#include "net/udx/impl.h"

#define RANGES_SENT 66

/* A run of packets is noted by its last one. With more runs than fit, the
 * oldest are left to their turn. */
void
udx_reply_touch(struct udx *u, uint32_t seq)
{
	struct reply *a = &u->reply;

	if (a->ntouched == 0 ||
	    a->touched[(a->ntouched - 1) % TOUCHED_MAX] != seq - 1)
		a->ntouched++;
	a->touched[(a->ntouched - 1) % TOUCHED_MAX] = seq;
}

/* The header of any packet is an acknowledgement as well. */
void
udx_reply_header(struct udx *u, uint8_t type, uint32_t seq,
    const struct path *to, uint8_t *out)
{
	struct udx_packet p = {.type = type,
	    .remote_id = to->remote_id,
	    .window = udx_recv_window(u),
	    .seq = seq,
	    .ack = u->rcv.nxt};

	u->reply.window = p.window;
	udx_packet_header(out, &p);
}

/* Inserts i into the sorted list of n, once; returns the new n. */
static uint32_t
pick(uint32_t *list, uint32_t n, uint32_t i)
{
	uint32_t at = n;

	while (at > 0 && list[at - 1] > i)
		at--;
	if (at > 0 && list[at - 1] == i)
		return n;
	for (uint32_t k = n; k > at; k--)
		list[k] = list[k - 1];
	list[at] = i;
	return n + 1;
}

/* Numbers of the ranges to send, ascending. */
static uint32_t
choose(struct udx *u, uint32_t list[static RANGES_SENT])
{
	const struct udx_ranges *have = &u->rcv.have;
	struct reply *a = &u->reply;
	uint32_t n = 0, touched = a->ntouched;

	if (touched > TOUCHED_MAX)
		touched = TOUCHED_MAX;
	for (uint32_t i = 0; i < touched && have->n > RANGES_SENT; i++) {
		uint32_t at = udx_ranges_find(have, a->touched[i]);

		if (udx_ranges_has(have, a->touched[i]))
			n = pick(list, n, at);
	}
	for (uint32_t i = 0; i < have->n && n < RANGES_SENT; i++)
		n = pick(list, n, a->turn++ % have->n);
	a->ntouched = 0;
	return n;
}

size_t
udx_reply_make(struct udx *u, uint8_t *buf)
{
	const struct udx_ranges *have = &u->rcv.have;
	uint32_t list[RANGES_SENT], n = 0;
	size_t len = UDX_HEADER;

	if (have->n > 0)
		n = choose(u, list);
	udx_reply_header(u, n > 0 ? UDX_SACK : 0, u->snd.nxt, &u->path, buf);
	for (uint32_t i = 0; i < n; i++) {
		udx_packet_put_range(buf + len, have->r[list[i]]);
		len += UDX_RANGE_BYTES;
	}
	u->reply.due = have->n > RANGES_SENT && !u->reply.second;
	u->reply.second = u->reply.due;
	u->reply.owed = 0;
	u->stats.acks_sent++;
	return len;
}
