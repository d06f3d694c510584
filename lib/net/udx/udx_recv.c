/*
 * Packets in: what is next in order is lent out of the datagram, what came
 * too early is copied once into a ring of slots, bounded in bytes by the
 * window and in packets by its size.
 */
#include "net/udx/impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"

#define SLOTS_MIN 64
#define SPAN_MIN 1024
#define SPAN_MAX 65536
#define SMALL_PACKET 256 /* bytes of window for each slot */

static struct slot *
slot_at(const struct rcv *r, uint32_t seq)
{
	return &r->ring[seq & (r->cap - 1)];
}

/* How far beyond `read` a packet may be. */
static uint32_t
span_max(const struct udx *u)
{
	uint32_t span = u->opts.recv_window / SMALL_PACKET;

	if (span < SPAN_MIN)
		return SPAN_MIN;
	return span < SPAN_MAX ? span : SPAN_MAX;
}

static bool
reserve(struct udx *u, uint32_t seq)
{
	struct rcv *r = &u->rcv;
	uint32_t span = seq - r->read + 1, cap = r->cap;
	struct slot *ring;

	if (span > span_max(u))
		return false;
	if (span <= cap)
		return true;
	for (cap = cap == 0 ? SLOTS_MIN : cap; cap < span;)
		cap *= 2;
	ring = calloc(cap, sizeof(*ring));
	if (ring == NULL)
		return false;
	for (uint32_t i = 0; i < r->cap; i++)
		ring[(r->read + i) & (cap - 1)] = *slot_at(r, r->read + i);
	free(r->ring);
	r->ring = ring;
	r->cap = cap;
	return true;
}

static size_t
data_len(const struct udx_packet *p)
{
	return (p->type & UDX_DATA) != 0 ? p->payload.len : 0;
}

static bool
store(struct udx *u, uint32_t seq, const struct udx_packet *p)
{
	size_t len = data_len(p);
	uint8_t *copy = NULL;

	if (!reserve(u, seq))
		return false;
	if (len > 0) {
		copy = malloc(len);
		if (copy == NULL)
			return false;
		memcpy(copy, p->payload.ptr, len);
	}
	*slot_at(&u->rcv, seq) = (struct slot){copy, (uint16_t)len};
	return true;
}

static size_t
buffered(const struct udx *u)
{
	return u->rcv.uncredited + u->rcv.ready + u->rcv.held;
}

uint32_t
udx_recv_window(const struct udx *u)
{
	size_t used = buffered(u);

	return used < u->opts.recv_window
		   ? (uint32_t)(u->opts.recv_window - used)
		   : 0;
}

/* What followed the packet that just came is in order now. */
static void
advance(struct udx *u)
{
	struct rcv *r = &u->rcv;
	uint32_t to;

	r->nxt++;
	if (r->have.n == 0 || r->have.r[0].start != r->nxt)
		return;
	to = r->have.r[0].end;
	for (; r->nxt != to; r->nxt++) {
		r->held -= slot_at(r, r->nxt)->len;
		r->ready += slot_at(r, r->nxt)->len;
	}
	udx_ranges_trim(&r->have, r->nxt);
}

/* The next packet: it may pass the window by one datagram, because a window
 * that is not 0 lets the remote send one. */
static bool
take_next(struct udx *u, const struct udx_packet *p)
{
	struct rcv *r = &u->rcv;
	size_t len = data_len(p);

	if (r->uncredited + r->ready + len >
	    (size_t)u->opts.recv_window + UDX_RECEIVE_MAX)
		return false;
	if (r->read == r->nxt) {
		r->has_direct = true;
		r->direct = view_of(p->payload.ptr, len);
	} else {
		if (!store(u, p->seq, p))
			return false;
		r->ready += len;
	}
	if (r->have.n > 0)
		u->reply.due = true;
	advance(u);
	if (++u->reply.owed >= ACK_EVERY)
		u->reply.due = true;
	return true;
}

static bool
take_early(struct udx *u, const struct udx_packet *p)
{
	struct rcv *r = &u->rcv;
	size_t len = data_len(p);

	if (buffered(u) + len > u->opts.recv_window)
		return false;
	if (!store(u, p->seq, p))
		return false;
	if (!udx_ranges_add(&r->have, p->seq, p->seq + 1)) {
		free(slot_at(r, p->seq)->data);
		*slot_at(r, p->seq) = (struct slot){NULL, 0};
		return false;
	}
	r->held += len;
	udx_reply_touch(u, p->seq);
	return true;
}

/* There is one END and nothing behind it. */
static bool
end_fits(const struct rcv *r, const struct udx_packet *p)
{
	if (r->end_known)
		return !udx_seq_before(r->end, p->seq) &&
		       ((p->type & UDX_END) == 0 || p->seq == r->end);
	return (p->type & UDX_END) == 0 || r->have.n == 0 ||
	       udx_seq_before(r->have.r[r->have.n - 1].start, p->seq);
}

static void
recv_data(struct udx *u, const struct udx_packet *p)
{
	struct rcv *r = &u->rcv;
	bool taken;

	if (udx_seq_before(p->seq, r->nxt) ||
	    udx_ranges_has(&r->have, p->seq)) {
		u->stats.duplicates++;
		u->reply.due = true;
		return;
	}
	if (!end_fits(r, p))
		return;
	taken = p->seq == r->nxt ? take_next(u, p) : take_early(u, p);
	if (p->seq != r->nxt - 1)
		u->reply.due = true;
	if (!taken)
		return;
	u->stats.bytes_received += data_len(p);
	if ((p->type & UDX_END) != 0) {
		r->end_known = true;
		r->end = p->seq;
		u->reply.due = true;
	}
}

/* Gives back what udx_read and udx_read_message lent. */
static void
take_back(struct rcv *r)
{
	free(r->lent);
	free(r->lent_message);
	r->lent = NULL;
	r->lent_message = NULL;
}

static bool
is_dead(const struct udx *u)
{
	return u->reason != UDX_LIVE && u->reason != UDX_FINISHED;
}

static void
dispatch(struct udx *u, const struct udx_packet *p)
{
	if ((p->type & UDX_HEARTBEAT) != 0) {
		u->reply.due = true;
		return;
	}
	if ((p->type & UDX_DESTROY) != 0 &&
	    !udx_seq_before(p->seq, u->rcv.nxt)) {
		udx_close(u, UDX_RESET);
		return;
	}
	if ((p->type & (UDX_DATA | UDX_END)) != 0)
		recv_data(u, p);
	if ((p->type & UDX_MESSAGE) != 0)
		(void)udx_messages_put(&u->rcv.messages, p->payload);
	udx_ack_process(u, p);
}

void
udx_recv(
    struct udx *u, struct view datagram, const struct addr *from, uint64_t now)
{
	struct udx_packet p;

	(void)from; /* streams are told apart by their id alone (1.2) */
	udx_tick(u, now);
	bug_if(u->rcv.has_direct);
	take_back(&u->rcv);
	if (is_dead(u) || !udx_packet_parse(&p, datagram) ||
	    p.remote_id != u->opts.local_id)
		return;
	u->stats.packets_received++;
	u->active_at = u->now;
	if (u->relay_to != NULL) {
		udx_relay_recv(u, datagram);
		if ((p.type & UDX_DESTROY) != 0)
			udx_close(u, UDX_RESET);
		return;
	}
	if (u->reason == UDX_FINISHED) {
		/* The last acknowledgement was lost: say it again. */
		if ((p.type & (UDX_DATA | UDX_END)) != 0)
			u->reply.due = true;
		return;
	}
	dispatch(u, &p);
}

void
udx_batch_end(struct udx *u, uint64_t now)
{
	udx_tick(u, now);
	if (u->reply.owed > 0)
		u->reply.due = true;
}

static void
release_slots(struct rcv *r)
{
	if (r->read != r->nxt || r->have.n > 0)
		return;
	free(r->ring);
	r->ring = NULL;
	r->cap = 0;
}

static struct view
read_slot(struct rcv *r)
{
	struct slot *s = slot_at(r, r->read);
	struct view v = view_of(s->data, s->len);

	r->lent = s->data;
	r->ready -= s->len;
	*s = (struct slot){NULL, 0};
	return v;
}

bool
udx_read(struct udx *u, struct view *out)
{
	struct rcv *r = &u->rcv;
	struct view v = VIEW_EMPTY;

	free(r->lent);
	r->lent = NULL;
	while (r->read != r->nxt && v.len == 0) {
		if (r->has_direct) {
			v = r->direct;
			r->has_direct = false;
		} else {
			v = read_slot(r);
		}
		r->read++;
	}
	release_slots(r);
	if (v.len == 0) {
		udx_close_if_done(u);
		return false;
	}
	r->uncredited += v.len;
	*out = v;
	return true;
}

bool
udx_read_ended(const struct udx *u)
{
	return u->rcv.end_known && u->rcv.read == u->rcv.end + 1;
}

/* The remote learns of more room when it had none, or of a quarter. */
void
udx_credit(struct udx *u, size_t n, uint64_t now)
{
	uint32_t window, told = u->reply.window;

	udx_tick(u, now);
	bug_if(n > u->rcv.uncredited);
	u->rcv.uncredited -= n;
	window = udx_recv_window(u);
	if (window > told && (window - told >= u->opts.recv_window / 4 ||
				 (told == 0 && window >= UDX_RECEIVE_MAX)))
		u->reply.due = true;
}

bool
udx_read_message(struct udx *u, struct view *out)
{
	struct message m;

	free(u->rcv.lent_message);
	u->rcv.lent_message = NULL;
	if (!udx_messages_take(&u->rcv.messages, &m))
		return false;
	u->rcv.lent_message = m.data;
	*out = view_of(m.data, m.len);
	return true;
}

void
udx_recv_free(struct udx *u)
{
	udx_recv_drop(u);
	take_back(&u->rcv);
}

void
udx_recv_drop(struct udx *u)
{
	struct rcv *r = &u->rcv;

	for (uint32_t i = 0; i < r->cap; i++)
		free(r->ring[i].data);
	free(r->ring);
	r->ring = NULL;
	r->cap = 0;
	r->has_direct = false;
	r->nxt = r->read;
	r->ready = r->held = 0;
	udx_ranges_deinit(&r->have);
	udx_messages_free(&r->messages);
}
