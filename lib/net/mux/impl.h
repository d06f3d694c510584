/*
 * impl: what the files of mux share. Private.
 *
 * Numbers: a side numbers the channels it opens; messages carry the sender's
 * number. local[n - 1] is what we opened as n, remote[n - 1] what the other
 * side did. A local number is free again when both sides know that its
 * channel is over: a channel that we close before the other side has answered
 * stays as a ghost until it does.
 */
#ifndef NET_MUX_IMPL_H
#define NET_MUX_IMPL_H

#include "codec/dec.h"
#include "net/mux/mux.h"

struct mux_channel {
	struct mux *mux;
	struct mux_channel *next; /* in mux.dead */
	void *user;
	uint64_t local, remote; /* numbers; remote 0: not answered yet */
	uint64_t serial;	/* order of opening */
	bool ghost;
	uint8_t protocol[MUX_PROTOCOL_MAX], id[MUX_ID_MAX];
	size_t nprotocol, nid;
};

struct mux_remote {
	bool used;
	struct mux_channel *ch; /* NULL and used: being offered */
};

/* Frames of ours: a list of whole ones, and the one that grows. */
struct mux_frame {
	struct mux_frame *next;
	uint8_t *data;
	size_t len;
};

struct mux_out {
	struct mux_frame *first, **last;
	size_t whole;	  /* bytes in the list */
	struct buf b;	  /* MUX_FRAME_HEAD free bytes, then a batch */
	uint64_t channel; /* of the batch's last message */
	bool single;	  /* b holds one message that is no batch */
	size_t at;	  /* of the message under way, 0: none */
	enum err_code failed;
};

struct mux {
	struct mux_limits limits;
	struct mux_channel **local;
	size_t nlocal, local_cap, nchannels;
	uint64_t *free;
	size_t nfree, free_cap;
	struct mux_remote *remote;
	size_t nremote, remote_cap;
	uint64_t serial;
	struct mux_channel *dead; /* freed at the next mux_next */
	struct mux_scan in;	  /* the frame being read */
	/* the open that waits for an answer */
	bool offering;
	uint64_t offer;
	struct view offer_protocol, offer_id, offer_handshake;
	struct mux_channel *accepted; /* to be told as opened */
	size_t rejects;		      /* since all frames were taken */
	struct mux_out out;
};

/* out.c */
void mux_out_init(struct mux *m);
void mux_out_deinit(struct mux *m);
/* A message for a channel number; 0 is the control channel. */
struct buf *mux_out_begin(
    struct mux *m, uint64_t channel, uint64_t type, size_t size);

#endif
