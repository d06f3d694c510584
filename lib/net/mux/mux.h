/*
 * mux: many channels on one connection (network.md section 5.1, 5.2;
 * protomux@3.12.1), as a pure machine over whole frames.
 *
 *	mux_new(&m, &limits, e);
 *	mux_recv(m, frame, e);			// then, until false:
 *	while (mux_next(m, &ev, e)) ...		// ev borrows from the frame
 *	mux_open(m, protocol, id, handshake, user, &ch, e);
 *	b = mux_begin(ch, type); ...append...; mux_end(m);
 *	while (mux_take(m, &frame)) ...		// frames to send
 *
 * A channel exists when both sides opened the same (protocol, id). An open
 * that no local channel waits for is MUX_OFFERED: answer with mux_open of the
 * same pair before the next mux_next, and MUX_OPENED follows; anything else
 * rejects it. What the remote sent behind its open comes after that.
 *
 * Messages of ours are collected into batches: all that is written between
 * two mux_take travels in as few frames as the limit allows.
 *
 * Limits hold memory: channels, and rejects that nobody takes. An open with a
 * longer protocol, id or handshake than the maxima is rejected. A frame that
 * cannot be decoded or a limit passed by the remote is ERR_FORMAT or
 * ERR_LIMIT from mux_recv or mux_next: the connection must be dropped.
 */
#ifndef NET_MUX_MUX_H
#define NET_MUX_MUX_H

#include "base/buf.h"
#include "codec/dec.h"

#define MUX_CHANNELS_MAX 4096
#define MUX_BATCH_MAX (8u << 20)
#define MUX_PROTOCOL_MAX 64
#define MUX_ID_MAX 64
#define MUX_HANDSHAKE_MAX 1024
/* Free bytes that every frame of mux_take has before and behind it, for the
 * transport to encrypt in place. */
#define MUX_FRAME_HEAD 4
#define MUX_FRAME_TAIL 16

struct mux;
struct mux_channel;

struct mux_limits {
	uint32_t channels; /* 0: MUX_CHANNELS_MAX */
	uint32_t message;  /* bytes of a message sent; 0: 16 MiB - 64 */
	/* a frame is cut when it has more than this; 0: 128 KiB */
	uint32_t batch;
};

enum mux_kind {
	MUX_OFFERED,  /* the remote opened (protocol, id): accept or reject */
	MUX_OPENED,   /* ch is open on both sides; handshake of the remote */
	MUX_MESSAGE,  /* type and body for ch */
	MUX_REJECTED, /* ch is gone: the remote does not want it */
	MUX_CLOSED    /* ch is gone: the remote closed it */
};

/* After MUX_REJECTED and MUX_CLOSED the channel is freed at the next
 * mux_next or mux_recv; drop the pointer. */
struct mux_event {
	enum mux_kind kind;
	struct mux_channel *ch;		     /* NULL for MUX_OFFERED */
	void *user;			     /* of ch */
	struct view protocol, id, handshake; /* MUX_OFFERED, MUX_OPENED */
	uint64_t type;			     /* MUX_MESSAGE */
	struct view body;
};

NODISCARD enum err_code mux_new(
    struct mux **out, const struct mux_limits *l, struct err *e);
void mux_free(struct mux *m); /* with all channels; NULL is fine */

/* One whole frame, borrowed until mux_next returned false. */
NODISCARD enum err_code mux_recv(
    struct mux *m, struct view frame, struct err *e);
/* False: nothing more, or e->code is set (the connection is to be dropped;
 * e is cleared at entry). */
bool mux_next(struct mux *m, struct mux_event *ev, struct err *e);

/* A frame that mux_recv will be given later, looked at before: its messages
 * for channels that are open now, as MUX_MESSAGE. Nothing changes, errors
 * end it, and what is said about channels in between is not seen. */
struct mux_scan {
	struct dec frame; /* what is left of it */
	bool reading, batch;
	uint64_t channel; /* of the batch's next messages */
};
void mux_scan_init(struct mux_scan *s, struct view frame);
bool mux_scan_next(
    struct mux_scan *s, const struct mux *m, struct mux_event *ev);

/* Open a channel. Messages may be sent at once. Channels of one pair match
 * in the order of their opening. user is handed back with events. */
NODISCARD enum err_code mux_open(struct mux *m, struct view protocol,
    struct view id, struct view handshake, void *user, struct mux_channel **out,
    struct err *e);
/* Refuse the open of the last MUX_OFFERED. */
void mux_reject(struct mux *m);
void mux_close(struct mux *m, struct mux_channel *ch); /* frees ch */
bool mux_is_open(const struct mux_channel *ch);	       /* on both sides */

/* A message of ours: append the body to what mux_begin returns, no other
 * call on m in between. Room for `size` bytes is made at once (a hint).
 * mux_cancel instead of mux_end forgets it. */
struct buf *mux_begin(struct mux_channel *ch, uint64_t type, size_t size);
NODISCARD enum err_code mux_end(struct mux *m, struct err *e);
void mux_cancel(struct mux *m);

/* The next frame to send; the caller frees data. The frame is
 * [MUX_FRAME_HEAD, MUX_FRAME_HEAD + len), with MUX_FRAME_TAIL free bytes. */
bool mux_take(struct mux *m, uint8_t **data, size_t *len);
size_t mux_waiting(const struct mux *m); /* bytes not taken yet */

#endif
