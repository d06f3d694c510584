/*
 * What the files of this room share: the state of one stream. Times are
 * microseconds, "wire" bytes count IP, UDP and UDX headers. Sequence numbers
 * count packets and wrap; stream offsets count bytes and do not.
 *
 *	udx.c		life, ends, order of what udx_poll sends, deadline
 *	udx_recv.c	packets in: order, window, what is read
 *	udx_reply.c	acknowledgements out
 *	udx_ack.c	acknowledgements in
 *	udx_queue.c	owned buffers that wait or are not acknowledged
 *	udx_ring.c	packet records and the two lists they are in
 *	udx_send.c	trains, pacing, messages
 *	udx_rtx.c	RTT, RTO, RACK, tail loss probe
 *	udx_rate.c	delivery rate samples
 *	udx_cc.c	congestion control (BBR)
 *	udx_mtu.c	path MTU
 *	udx_relay.c	forwarding
 */
#ifndef NET_UDX_IMPL_H
#define NET_UDX_IMPL_H

#include "net/udx/udx.h"
#include "net/udx/udx_packet.h"
#include "net/udx/udx_ranges.h"

#define MILLISECOND 1000
#define SECOND 1000000

#define IP4_UDP 28
#define IP6_UDP 48
#define PACKET_OVERHEAD (UDX_HEADER + IP4_UDP) /* in wire bytes */
#define MESSAGES_MAX 64
#define RTT_FLOOR MILLISECOND /* shorter: what the loops do dominates */
#define OLD_PATHS_MAX 4
#define TOUCHED_MAX 64
#define ACK_EVERY 16 /* in-order packets one acknowledgement stands for */

/* -- what was sent -------------------------------------------------------- */

enum pkt_flag {
	PKT_END = 1,
	PKT_SACKED = 2,
	PKT_LOST = 4,	/* in the list `lost`, to be sent again */
	PKT_RESENT = 8, /* more than once: its times tell little */
	PKT_PROBE = 16, /* padded to probe the MTU */
	PKT_APP_LIMITED = 32,
	PKT_FRAGMENT = 64 /* sent so that the network may cut it */
};

/* A packet from una to nxt. It is in exactly one of: the list `flight` (in
 * order of `sent`), the list `lost`, or marked SACKED. */
struct pkt {
	uint64_t offset;       /* of its first byte in the stream */
	uint64_t born, sent;   /* when: the first and the last time */
	uint64_t delivered;    /* struct rate when it was sent: */
	uint64_t delivered_at; /* three values a rate sample needs */
	uint64_t first_sent;
	uint32_t chunk; /* where the first byte is */
	uint32_t prev, next;
	uint16_t len; /* payload */
	uint8_t flags;
	uint8_t timeouts; /* saturating */
};

struct pkt_list {
	uint32_t head, tail; /* sequence numbers, valid while count > 0 */
	uint32_t count;
};

/* Owned bytes: stream offset o is data[skip + (o - start)]. */
struct chunk {
	uint8_t *data;
	size_t skip;
	uint64_t start, end;
};

struct message {
	uint8_t *data;
	size_t len;
};

struct messages {
	struct message *m; /* MESSAGES_MAX of them, NULL while never used */
	uint32_t first, n;
};

struct path {
	struct addr to;
	uint32_t remote_id;
	uint32_t until; /* an old path: the first packet not sent on it */
};

struct snd {
	uint32_t una, nxt; /* oldest not acknowledged; next new */
	struct pkt *ring;  /* by seq & (cap - 1) */
	uint32_t cap;	   /* power of two, >= nxt - una */
	struct pkt_list flight, lost;
	struct udx_ranges sacked;
	uint64_t flight_wire; /* of `flight` */
	uint64_t outstanding; /* payload of `flight` and `lost` */

	struct chunk *chunk; /* by number & (chunk_cap - 1) */
	uint32_t chunk_cap, chunk_first, chunk_end;
	uint32_t chunk_next; /* holds `next`, or == chunk_end */
	uint64_t next;	     /* offset of the first byte never sent */
	uint64_t queued;     /* offset behind the last byte written */

	uint32_t window;	   /* the remote's, bytes */
	uint32_t win_seq, win_ack; /* of the packet that told it */
	bool ending, end_sent;
	struct messages messages;
};

/* -- what was received ---------------------------------------------------- */

struct slot {
	uint8_t *data; /* NULL when there are no bytes */
	uint16_t len;
};

/* read <= nxt. [read, nxt) was received in order and waits for udx_read: one
 * packet in `direct`, or in slots. Above nxt, `have` says what the slots
 * hold. */
struct rcv {
	uint32_t nxt, read;
	uint32_t end; /* number of the END, if end_known */
	bool end_known;
	bool has_direct;
	struct view direct; /* borrowed from the datagram of this udx_recv */
	struct slot *ring;
	uint32_t cap;  /* power of two or 0, > highest - read */
	uint8_t *lent; /* memory of the slot read last */
	struct udx_ranges have;
	size_t ready, held; /* bytes in slots below nxt; above it */
	size_t uncredited;  /* bytes read, not let go of */
	struct messages messages;
	uint8_t *lent_message;
};

/* The acknowledgement this side owes. */
struct reply {
	bool due, second;	       /* second: of the two datagrams of one */
	uint32_t owed;		       /* in-order packets since the last */
	uint32_t window;	       /* told last */
	uint32_t touched[TOUCHED_MAX]; /* runs out of order since */
	uint32_t ntouched, turn;
};

/* -- timing --------------------------------------------------------------- */

/* Windowed maximum: the three best of ever later parts of the window. */
struct max_filter {
	struct {
		uint64_t value, at;
	} s[3];
};

struct rate {
	uint64_t delivered; /* wire bytes acknowledged in all */
	uint64_t delivered_at;
	uint64_t first_sent;  /* of the sample that runs */
	uint64_t app_limited; /* `delivered` up to which samples are; or 0 */
	uint64_t epoch_at, epoch_delivered; /* on short paths */
	bool epoch_limited;
};

/* What one acknowledgement told. */
struct sample {
	bool valid; /* prior_* and send_elapsed are of a packet */
	bool app_limited;
	uint64_t acked; /* wire bytes */
	uint64_t lost;	/* wire bytes found lost */
	uint64_t prior_delivered, prior_at, send_elapsed;
	uint64_t flight_before; /* wire bytes */
	uint64_t rtt;		/* 0: none */
	uint64_t bandwidth;	/* bytes a second; 0: none */
};

struct rtx {
	uint64_t srtt, rttvar, rto; /* srtt 0: no sample yet */
	uint64_t rto_at, rack_at, tlp_at;
	uint64_t rack_sent, rack_rtt; /* latest sent packet delivered */
	uint32_t rack_seq;
	uint64_t late; /* how much later than its successors one came */
	uint64_t late_at;
	bool reordering; /* was seen at all */
	uint32_t probes; /* tail probes since something arrived */
	bool force;	 /* one packet whatever cwnd and pacing say */
};

enum cc_mode { CC_STARTUP, CC_DRAIN, CC_PROBE_BW, CC_PROBE_RTT };

struct cc {
	enum cc_mode mode;
	uint64_t cwnd, prior_cwnd; /* wire bytes */
	uint64_t pacing;	   /* wire bytes a second */
	int64_t tokens;
	uint64_t refilled_at;
	struct max_filter bandwidth; /* over ticks */
	uint64_t tick, tick_at;	     /* a round trip, at least 25 ms */
	uint64_t min_rtt, min_rtt_at;
	uint64_t round_end; /* `delivered` at which the round trip ends */
	bool round_start;
	uint64_t full_bandwidth;
	uint32_t full_rounds;
	bool full;
	uint32_t cycle;
	uint64_t cycle_at;
	uint64_t probe_rtt_until; /* 0: not down to its window yet */
	bool probe_rtt_round, idle_restart;
	uint64_t ceiling; /* of cwnd, after heavy loss; 0: none */
	bool recovery, conserve;
	uint32_t recovery_end;
	uint64_t round_lost, round_acked, round_flight; /* flight: most */
	uint64_t last_acked, last_flight;	  /* of the round before */
	uint64_t extra[2], epoch_at, epoch_acked; /* ack aggregation */
	uint32_t extra_rounds;
};

struct mtu {
	uint16_t size;	  /* IP packet that is known to pass */
	uint16_t max;	  /* never more */
	uint16_t failed;  /* smallest size known not to pass; 0: none */
	uint16_t probing; /* size of the probe in flight; 0: none */
	uint32_t probe;	  /* its number */
	uint8_t tries;
	bool confirmed; /* something was acknowledged on this path */
};

/* -- the stream ----------------------------------------------------------- */

struct udx {
	struct udx_opts opts;
	enum udx_reason reason;
	uint64_t now; /* of the latest call that told */
	bool connected;
	bool destroy_owed, heartbeat_owed;
	struct path path;
	struct path old[OLD_PATHS_MAX]; /* oldest first */
	uint32_t nold;
	struct snd snd;
	struct rcv rcv;
	struct reply reply;
	struct rate rate;
	struct rtx rtx;
	struct cc cc;
	struct mtu mtu;
	uint64_t active_at;  /* something was sent or came */
	uint64_t window_at;  /* next question for a window; NEVER */
	uint32_t unanswered; /* such questions in a row */
	struct udx *relay_to, *relay_from;
	struct buf *relayed; /* datagrams to forward, NULL: none yet */
	struct udx_stats stats;
};

/* udx.c */
void udx_close(struct udx *u, enum udx_reason why);
void udx_close_if_done(struct udx *u);
void udx_tick(struct udx *u, uint64_t now); /* moves u->now, never back */

/* udx_ring.c: `seq` is from una to nxt */
struct pkt *udx_ring_at(const struct udx *u, uint32_t seq);
/* A zeroed record for nxt, which moves on; NULL: no memory. */
struct pkt *udx_ring_push(struct udx *u);
void udx_ring_shrink(struct udx *u);
void udx_ring_append(struct udx *u, struct pkt_list *l, uint32_t seq);
void udx_ring_prepend(struct udx *u, struct pkt_list *l, uint32_t seq);
void udx_ring_remove(struct udx *u, struct pkt_list *l, uint32_t seq);

/* udx_queue.c */
void udx_queue_take(struct udx *u, struct pkt *p); /* p->len bytes at next */
void udx_queue_copy(const struct udx *u, const struct pkt *p, uint8_t *out);
void udx_queue_release(struct udx *u, uint64_t offset); /* all before it */
void udx_queue_free(struct udx *u);

/* A copy joins the messages; false: full, or no memory. */
bool udx_messages_put(struct messages *q, struct view v);
bool udx_messages_take(struct messages *q, struct message *out);
void udx_messages_free(struct messages *q);

/* udx_recv.c */
void udx_recv_free(struct udx *u);
void udx_recv_drop(struct udx *u); /* all but what is lent */
uint32_t udx_recv_window(const struct udx *u);

/* udx_reply.c */
void udx_reply_touch(struct udx *u, uint32_t seq);
void udx_reply_header(struct udx *u, uint8_t type, uint32_t seq,
    const struct path *to, uint8_t *out);
/* A bare acknowledgement, with ranges if any; returns its length. */
size_t udx_reply_make(struct udx *u, uint8_t *buf);

/* udx_ack.c */
void udx_ack_process(struct udx *u, const struct udx_packet *p);

/* udx_send.c */
bool udx_send_has_new(const struct udx *u); /* and the window is open */
uint16_t udx_send_payload_max(const struct udx *u);
const struct path *udx_send_path(const struct udx *u, uint32_t seq);
bool udx_send_train(
    struct udx *u, uint8_t *buf, size_t cap, struct udx_out *out);
/* When a train may leave; now: at once; UDX_NEVER: not by time alone. */
uint64_t udx_send_at(const struct udx *u);

/* udx_rtx.c */
void udx_rtx_init(struct udx *u);
void udx_rtx_sent(struct udx *u);
/* Sent again, and acknowledged sooner than that could be. */
bool udx_rtx_first_copy(const struct udx *u, const struct pkt *p);
void udx_rtx_delivered(
    struct udx *u, uint32_t seq, const struct pkt *p, struct sample *s);
void udx_rtx_acked(struct udx *u, struct sample *s); /* losses, timers */
void udx_rtx_run(struct udx *u);		     /* timers that are due */
void udx_rtx_mark_lost(struct udx *u, uint32_t seq, struct sample *s);

/* udx_rate.c */
void udx_rate_sent(struct udx *u, struct pkt *p);
void udx_rate_delivered(struct udx *u, const struct pkt *p, struct sample *s);
void udx_rate_finish(struct udx *u, struct sample *s);
void udx_rate_app_limited(struct udx *u);
void udx_rate_max(
    struct max_filter *f, uint64_t window, uint64_t at, uint64_t value);

/* udx_cc.c */
void udx_cc_init(struct udx *u);
void udx_cc_restart(struct udx *u); /* another path */
void udx_cc_idle(struct udx *u);    /* the first packet after a pause */
void udx_cc_refill(struct udx *u);  /* pacing tokens up to now */
uint64_t udx_cc_burst(const struct udx *u);
uint64_t udx_cc_quantum(const struct udx *u); /* a train worth waiting for */
void udx_cc_acked(struct udx *u, const struct sample *s);
void udx_cc_timeout(struct udx *u);

/* udx_mtu.c */
void udx_mtu_restart(struct udx *u);
/* Padding that makes a full new packet a probe; 0: no probe now. */
uint8_t udx_mtu_padding(const struct udx *u);
void udx_mtu_probe_sent(struct udx *u, uint32_t seq, uint8_t padding);
void udx_mtu_acked(struct udx *u, uint32_t seq, const struct pkt *p);
void udx_mtu_lost(struct udx *u, uint32_t seq);
bool udx_mtu_fragment(const struct udx *u, const struct pkt *p);

/* udx_relay.c */
void udx_relay_recv(struct udx *u, struct view datagram);
bool udx_relay_poll(
    struct udx *u, uint8_t *buf, size_t cap, struct udx_out *out);
void udx_relay_free(struct udx *u);

#endif
