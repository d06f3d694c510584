#include "net/udx/impl.h"

#include <stdlib.h>

#include "base/bug.h"

#define WINDOW_DEFAULT (4u << 20)
#define SEND_LIMIT_DEFAULT (16u << 20)
#define MTU_MAX (UDX_DATAGRAM_MAX + IP4_UDP)
#define MTU_MIN 576
#define SEGMENTS_DEFAULT 44
#define UNANSWERED_MAX 7

static void
defaults(struct udx_opts *o)
{
	if (o->recv_window == 0)
		o->recv_window = WINDOW_DEFAULT;
	if (o->send_limit == 0)
		o->send_limit = SEND_LIMIT_DEFAULT;
	if (o->mtu_max == 0 || o->mtu_max > MTU_MAX)
		o->mtu_max = MTU_MAX;
	if (o->mtu_max < MTU_MIN)
		o->mtu_max = MTU_MIN;
	if (o->segments_max == 0)
		o->segments_max = SEGMENTS_DEFAULT;
}

enum err_code
udx_new(struct udx **out, const struct udx_opts *o, uint64_t now, struct err *e)
{
	struct udx *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return err_nomem(e);
	u->opts = *o;
	defaults(&u->opts);
	u->now = u->active_at = now;
	u->window_at = UDX_NEVER;
	u->snd.window = WINDOW_DEFAULT;
	u->reply.window = u->opts.recv_window;
	udx_mtu_restart(u);
	udx_rtx_init(u);
	udx_cc_init(u);
	*out = u;
	return ERR_OK;
}

/* Everything but what is lent to the reader. */
static void
drop(struct udx *u)
{
	udx_queue_free(u);
	udx_messages_free(&u->snd.messages);
	udx_ranges_deinit(&u->snd.sacked);
	free(u->snd.ring);
	u->snd.ring = NULL;
	u->snd.cap = 0;
	u->snd.una = u->snd.nxt;
	u->snd.flight.count = u->snd.lost.count = 0;
	u->snd.flight_wire = u->snd.outstanding = 0;
	u->heartbeat_owed = false;
	u->window_at = UDX_NEVER;
	u->rtx.rto_at = u->rtx.rack_at = u->rtx.tlp_at = UDX_NEVER;
	udx_recv_drop(u);
}

void
udx_free(struct udx *u)
{
	if (u == NULL)
		return;
	drop(u);
	udx_recv_free(u);
	udx_relay_free(u);
	if (u->relay_from != NULL)
		udx_relay_free(u->relay_from);
	free(u);
}

void
udx_tick(struct udx *u, uint64_t now)
{
	if (now > u->now)
		u->now = now;
}

void
udx_close(struct udx *u, enum udx_reason why)
{
	if (u->reason != UDX_LIVE)
		return;
	u->reason = why;
	drop(u);
}

void
udx_close_if_done(struct udx *u)
{
	if (u->snd.end_sent && u->snd.una == u->snd.nxt && udx_read_ended(u))
		udx_close(u, UDX_FINISHED);
}

void
udx_connect(
    struct udx *u, uint32_t remote_id, const struct addr *to, uint64_t now)
{
	udx_tick(u, now);
	bug_if(u->connected);
	u->connected = true;
	u->path = (struct path){.to = *to, .remote_id = remote_id};
	u->cc.refilled_at = u->active_at = u->now;
}

/* Too many changes at once: the oldest place is given up, its packets are
 * resent to the next one. */
static void
keep_path(struct udx *u)
{
	if (u->snd.una == u->snd.nxt)
		return;
	if (u->nold == OLD_PATHS_MAX) {
		u->nold--;
		for (uint32_t i = 0; i < u->nold; i++)
			u->old[i] = u->old[i + 1];
	}
	u->old[u->nold] = u->path;
	u->old[u->nold++].until = u->snd.nxt;
}

void
udx_change_remote(
    struct udx *u, uint32_t remote_id, const struct addr *to, uint64_t now)
{
	udx_tick(u, now);
	bug_if(!u->connected);
	keep_path(u);
	u->path = (struct path){.to = *to, .remote_id = remote_id};
	udx_mtu_restart(u);
	udx_cc_restart(u);
}

void
udx_change_force(struct udx *u)
{
	u->nold = 0;
}

bool
udx_change_done(const struct udx *u)
{
	return u->nold == 0;
}

size_t
udx_unsent(const struct udx *u)
{
	return (size_t)(u->snd.queued - u->snd.next);
}

size_t
udx_in_flight(const struct udx *u)
{
	return (size_t)u->snd.outstanding;
}

void
udx_set_send_limit(struct udx *u, uint32_t bytes)
{
	u->opts.send_limit = bytes > 0 ? bytes : SEND_LIMIT_DEFAULT;
}

void
udx_end(struct udx *u)
{
	u->snd.ending = true;
}

void
udx_destroy(struct udx *u)
{
	if (u->reason != UDX_LIVE)
		return;
	udx_close(u, UDX_DESTROYED);
	u->destroy_owed = u->connected;
}

enum udx_reason
udx_reason(const struct udx *u)
{
	return u->reason;
}

const char *
udx_reason_text(enum udx_reason r)
{
	switch (r) {
	case UDX_LIVE:
		return "open";
	case UDX_FINISHED:
		return "finished";
	case UDX_DESTROYED:
		return "closed here";
	case UDX_RESET:
		return "connection reset by peer";
	case UDX_TIMED_OUT:
		return "connection timed out";
	}
	return "unknown";
}

void
udx_stats(const struct udx *u, struct udx_stats *out)
{
	*out = u->stats;
	out->srtt_us = u->rtx.srtt;
	out->min_rtt_us = u->cc.min_rtt == UDX_NEVER ? 0 : u->cc.min_rtt;
	out->rto_us = u->rtx.rto;
	out->bandwidth = u->cc.bandwidth.s[0].value;
	out->cwnd = (uint32_t)u->cc.cwnd;
	out->mtu = u->mtu.size;
}

/* -- what goes out -------------------------------------------------------- */

static bool
emit(struct udx_out *out, const struct udx *u, size_t len)
{
	*out = (struct udx_out){u->path.to, len, len, false};
	return true;
}

static size_t
make_bare(struct udx *u, uint8_t type, uint8_t *buf)
{
	udx_reply_header(u, type, u->snd.nxt, &u->path, buf);
	return UDX_HEADER;
}

static size_t
make_message(struct udx *u, uint8_t *buf)
{
	struct message m;

	if (!udx_messages_take(&u->snd.messages, &m))
		return 0;
	(void)make_bare(u, UDX_MESSAGE, buf);
	for (size_t i = 0; i < m.len; i++)
		buf[UDX_HEADER + i] = m.data[i];
	free(m.data);
	return UDX_HEADER + m.len;
}

/* Data waits for a window that is shut: ask again and again (1.3). */
static bool
window_shut(const struct udx *u)
{
	const struct snd *q = &u->snd;

	return q->window == 0 && q->una == q->nxt && q->next < q->queued;
}

static void
ask_for_window(struct udx *u)
{
	if (!window_shut(u)) {
		u->window_at = UDX_NEVER;
		u->unanswered = 0;
		return;
	}
	if (u->window_at != UDX_NEVER && u->now < u->window_at)
		return;
	if (u->unanswered++ == UNANSWERED_MAX) {
		udx_close(u, UDX_TIMED_OUT);
		return;
	}
	u->window_at = u->now + 2 * u->rtx.rto;
	u->heartbeat_owed = true;
}

static uint64_t
keepalive_at(const struct udx *u)
{
	if (u->opts.keepalive_ms == 0 || u->snd.una != u->snd.nxt)
		return UDX_NEVER;
	return u->active_at + (uint64_t)u->opts.keepalive_ms * MILLISECOND;
}

static void
run_timers(struct udx *u)
{
	udx_rtx_run(u);
	if (u->reason != UDX_LIVE)
		return;
	ask_for_window(u);
	if (u->reason == UDX_LIVE && u->now >= keepalive_at(u)) {
		u->heartbeat_owed = true;
		u->active_at = u->now;
	}
}

static bool
poll_closed(struct udx *u, uint8_t *buf, struct udx_out *out)
{
	if (u->destroy_owed) {
		u->destroy_owed = false;
		return emit(out, u, make_bare(u, UDX_DESTROY, buf));
	}
	if (u->reason == UDX_FINISHED && u->reply.due)
		return emit(out, u, udx_reply_make(u, buf));
	return false;
}

/* One datagram: acknowledgements with ranges first, since data cannot carry
 * them. One without is carried by the data that follows, if there is any. */
static size_t
make_control(struct udx *u, uint8_t *buf)
{
	if (u->reply.due && u->rcv.have.n > 0)
		return udx_reply_make(u, buf);
	if (u->heartbeat_owed) {
		u->heartbeat_owed = false;
		return make_bare(u, UDX_HEARTBEAT, buf);
	}
	return make_message(u, buf);
}

bool
udx_poll(
    struct udx *u, uint64_t now, uint8_t *buf, size_t cap, struct udx_out *out)
{
	size_t len;

	udx_tick(u, now);
	bug_if(cap < UDX_DATAGRAM_MAX);
	if (!u->connected)
		return false;
	if (u->relay_to != NULL)
		return udx_relay_poll(u, buf, cap, out);
	if (u->reason == UDX_LIVE)
		run_timers(u);
	if (u->reason != UDX_LIVE)
		return poll_closed(u, buf, out);
	len = make_control(u, buf);
	if (len > 0)
		return emit(out, u, len);
	if (udx_send_train(u, buf, cap, out)) {
		u->reply.due = false;
		u->reply.owed = 0;
		return true;
	}
	if (u->reply.due)
		return emit(out, u, udx_reply_make(u, buf));
	return false;
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t
udx_deadline(const struct udx *u)
{
	uint64_t at = UDX_NEVER;

	if (!u->connected)
		return at;
	if (u->relay_to != NULL)
		return u->relayed != NULL ? u->now : at;
	if (u->reason != UDX_LIVE)
		return u->destroy_owed ||
			       (u->reason == UDX_FINISHED && u->reply.due)
			   ? u->now
			   : at;
	if (u->reply.due || u->heartbeat_owed || u->snd.messages.n > 0 ||
	    (window_shut(u) && u->window_at == UDX_NEVER))
		return u->now;
	at = earlier(at, u->rtx.rto_at);
	at = earlier(at, u->rtx.rack_at);
	at = earlier(at, u->rtx.tlp_at);
	at = earlier(at, window_shut(u) ? u->window_at : UDX_NEVER);
	at = earlier(at, keepalive_at(u));
	return earlier(at, udx_send_at(u));
}
