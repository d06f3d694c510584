/*
 * udx: a reliable ordered byte stream, and unreliable messages, over
 * datagrams (network.md section 1; udx-native@1.21.3, libudx).
 *
 * A pure machine: no socket, clock, thread or global. The owner hands in
 * datagrams and the time (microseconds of a clock that never goes back), and
 * takes out datagrams, bytes and a deadline. Nothing is called back. One
 * thread at a time. There is no handshake: both sides learn the other's
 * stream id and address elsewhere.
 *
 *	udx_new(&u, &opts, now, e);
 *	udx_connect(u, remote_id, &addr, now);
 *	for each datagram with udx_peek(d, &id) and id == ours:
 *		udx_recv(u, d, &from, now);
 *		while (udx_read(u, &v))		// in order, borrowed
 *			consume(v);
 *	udx_credit(u, n, now);			// bytes let go of
 *	while (udx_poll(u, now, buf, sizeof(buf), &out))
 *		transmit(buf, out);		// after every change
 *	arm a timer for udx_deadline(u), then udx_poll again
 *
 * Ends: a stream closes in order once its own END is acknowledged and the
 * remote END was read; udx_reason() says why it closed. One that finished
 * goes on to acknowledge what is sent again: an owner that keeps it (and
 * polls it) for a second or two spares the other side a wait. What was lent
 * by udx_read stays valid when the stream closes.
 */
#ifndef NET_UDX_UDX_H
#define NET_UDX_UDX_H

#include "base/addr.h"

#define UDX_HEADER 20
#define UDX_DATAGRAM_MAX 1472 /* never more is sent in one datagram */
#define UDX_TRAIN_MAX 65507   /* what one udx_poll may fill */
#define UDX_NEVER UINT64_MAX

struct udx;

struct udx_opts {
	uint32_t local_id; /* what the remote puts into its packets */
	/* Bytes buffered here at most; 0: 4 MiB. A transfer gets no more than
	 * one window in a round trip, and a quarter of that where packets are
	 * lost: 16 MiB for bulk over long distances. */
	uint32_t recv_window;
	/* Bytes in flight at most, whatever the congestion control finds;
	 * 0: 16 MiB. May be changed later with udx_set_send_limit(). */
	uint32_t send_limit;
	uint16_t mtu_max;      /* IP packet; 0: 1500. At most 1500 */
	uint16_t segments_max; /* datagrams in a train; 0: 44 */
	uint32_t keepalive_ms; /* HEARTBEAT when idle; 0: none (as HyperDHT) */
};

enum udx_reason {
	UDX_LIVE,
	UDX_FINISHED,  /* both sides ended, everything is acknowledged */
	UDX_DESTROYED, /* by udx_destroy */
	UDX_RESET,     /* the remote sent DESTROY */
	UDX_TIMED_OUT  /* a packet was not acknowledged six times over */
};

NODISCARD enum err_code udx_new(
    struct udx **out, const struct udx_opts *o, uint64_t now, struct err *e);
void udx_free(struct udx *u); /* NULL is fine */

/* Start sending. Data that arrived before is there already. */
void udx_connect(
    struct udx *u, uint32_t remote_id, const struct addr *to, uint64_t now);
/* Everything new goes to another place at once; what is in flight is resent
 * where it first went. The MTU search starts again. */
void udx_change_remote(
    struct udx *u, uint32_t remote_id, const struct addr *to, uint64_t now);
bool udx_change_done(const struct udx *u); /* all of before is acked */
/* The place before is gone: what is resent goes to the new one, too. */
void udx_change_force(struct udx *u);
/* From now on every datagram for `from` is forwarded to the remote of `to`
 * with its stream id replaced (relay); DESTROY closes `from` silently. */
void udx_relay_to(struct udx *from, struct udx *to);

/* Is it a UDX datagram? The stream id it is for. */
bool udx_peek(struct view datagram, uint32_t *id);

/* A datagram for this stream. Anything that does not fit is dropped; the
 * work is bounded by its size. `last` of a receive batch is sent by
 * udx_batch_end(). */
void udx_recv(
    struct udx *u, struct view datagram, const struct addr *from, uint64_t now);
/* No more datagrams for now: the acknowledgement that udx_recv owes (one for
 * up to 16 packets, at once when something is missing) may go out. */
void udx_batch_end(struct udx *u, uint64_t now);
/* The next bytes in order; valid until the next udx_recv or udx_read. Call
 * until false after every udx_recv. */
bool udx_read(struct udx *u, struct view *out);
/* The reader is done with n of the bytes read: the window opens again. */
void udx_credit(struct udx *u, size_t n, uint64_t now);
bool udx_read_ended(const struct udx *u); /* END came and all was read */
/* Unreliable messages; at most 64 wait, more are dropped. Borrowed until the
 * next udx_recv. */
bool udx_read_message(struct udx *u, struct view *out);

/* Queue bytes; takes the malloc'ed memory over, after an error too, and frees
 * it once it is acknowledged or the stream is gone. Bytes [skip, len) are
 * sent. ERR_INVALID: the stream has ended. */
NODISCARD enum err_code udx_write(
    struct udx *u, uint8_t *data, size_t skip, size_t len, struct err *e);
/* At most UDX_DATAGRAM_MAX - UDX_HEADER bytes, and 64 that wait (ERR_LIMIT);
 * sent once or not at all. */
NODISCARD enum err_code udx_send_message(
    struct udx *u, struct view message, struct err *e);
size_t udx_unsent(const struct udx *u);	   /* queued and not sent once */
size_t udx_in_flight(const struct udx *u); /* bytes sent, not acknowledged */
void udx_set_send_limit(struct udx *u, uint32_t bytes);
void udx_end(struct udx *u);	 /* after what is queued: END */
void udx_destroy(struct udx *u); /* one DESTROY packet, then nothing */

struct udx_out {
	struct addr to;
	size_t len;	/* bytes in buf: a train of datagrams, */
	size_t segment; /* each this long, the last one perhaps shorter */
	/* Large datagrams seem to vanish: send these so that the network may
	 * fragment them. Else it must not (the MTU search). */
	bool fragment;
};
/* The next train to transmit, at most min(cap, UDX_TRAIN_MAX) bytes; false:
 * nothing now. Also runs the timers that are due. cap >= UDX_DATAGRAM_MAX. */
bool udx_poll(
    struct udx *u, uint64_t now, uint8_t *buf, size_t cap, struct udx_out *out);
/* The path refused a datagram of this size (EMSGSIZE): the MTU search ends
 * below it. A train the socket could not take at once is the owner's to send
 * later: no udx_poll before it went. */
void udx_too_big(struct udx *u, size_t datagram);
/* When udx_poll has something to do again; UDX_NEVER: not by time alone. */
uint64_t udx_deadline(const struct udx *u);

enum udx_reason udx_reason(const struct udx *u); /* UDX_LIVE: not closed */
const char *udx_reason_text(enum udx_reason r);

struct udx_stats {
	uint64_t bytes_sent, bytes_received; /* stream payload, resends too */
	uint64_t packets_sent, packets_received, packets_resent;
	uint64_t packets_lost; /* declared lost */
	uint64_t acks_sent, timeouts, tail_probes, duplicates;
	uint64_t srtt_us, min_rtt_us, rto_us;
	uint64_t bandwidth; /* estimate, bytes a second, headers included */
	uint32_t cwnd;	    /* bytes, headers included */
	uint16_t mtu;
};
void udx_stats(const struct udx *u, struct udx_stats *out);

#endif
