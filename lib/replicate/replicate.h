/*
 * replicate: cores exchanged with peers (network.md sections 5.3 and 6;
 * hypercore@11.37.1 lib/replicator.js), as a machine over frames and time.
 *
 * A struct replicate stands for one store. Connections are added as peers;
 * each carries any number of cores, one mux channel a core. Cores of the
 * store are served when a remote asks for them by discovery key; cores that
 * were opened here are offered on every connection, and fetched according to
 * their goals. It belongs to the thread of its store, which is why it has no
 * socket and no clock: the owner moves frames and calls replicate_step().
 *
 *	replicate_new(&r, store, &opts, e);
 *	replicate_open(r, &key, &c, e); replicate_download(c, 0, UINT64_MAX);
 *	replicate_peer_add(r, &po, now, &p, e);
 *	for ever:
 *		rc = replicate_peer_recv(p, frame, now, e); // not OK: drop it
 *		replicate_step(r, now, e);
 *		while (replicate_peer_take(p, &data, &len)) ...
 *		while (replicate_next(r, &ev)) ...
 *		wait until replicate_deadline(r) or the next frame
 *
 * Times are microseconds of a clock that never goes back.
 *
 * What holds: nothing is stored, counted or announced before its proof was
 * verified, and nothing is announced before it is durable. A block is stored
 * only if it was asked for. A peer that sends what cannot be is an error of
 * replicate_peer_recv (drop the connection; the text says why) or, for data
 * that does not verify, loses that core (REPLICATE_BLAMED); every request it
 * held goes to others. Per peer and core there is a bounded table for each
 * kind of state. A block here that does not match its hash is never served:
 * it is told (REPLICATE_TROUBLE), not here any more, and if its core is open
 * it is fetched from whoever has it.
 */
#ifndef REPLICATE_REPLICATE_H
#define REPLICATE_REPLICATE_H

#include "core/core.h"

#define REPLICATE_REQUESTS_MAX 512 /* outstanding, of a peer, each way */
#define REPLICATE_INVALID_MAX 64   /* nonsense requests before a cut */

struct replicate;
struct replicate_peer;
struct replicate_core;

struct replicate_opts {
	bool serve;	       /* answer for all cores of the store, not only
				* for those that are open here */
	bool keep;	       /* do not close idle channels */
	uint64_t commit_bytes; /* stored in one step; 0: 16 MiB */
	uint64_t commit_us;    /* or after this time; 0: 500 ms */
	uint64_t request_us;   /* a request unanswered for so long, while others
				* could answer, goes elsewhere; 0: 10 s */
};

NODISCARD enum err_code replicate_new(struct replicate **out, struct store *s,
    const struct replicate_opts *o, struct err *e);
/* Commits nothing: what was verified and not yet committed is forgotten.
 * Close peers and cores first, or let this do it. */
void replicate_free(struct replicate *r);

/* -- connections ---------------------------------------------------------- */

struct replicate_peer_opts {
	bool initiator;
	const uint8_t *hash; /* 64 bytes: the connection's handshake hash */
	struct b32 key;	     /* the remote's, for reports */
	void *user;
};

NODISCARD enum err_code replicate_peer_add(struct replicate *r,
    const struct replicate_peer_opts *o, uint64_t now,
    struct replicate_peer **out, struct err *e);
/* The connection is gone: all its requests return to the pool. Frees p. */
void replicate_peer_remove(struct replicate_peer *p, uint64_t now);
void *replicate_peer_user(const struct replicate_peer *p);
/* A whole frame. Not ERR_OK: the peer's fault unless ERR_NOMEM, ERR_IO,
 * ERR_NOSPACE or ERR_CORRUPT, which are ours. Call replicate_peer_remove(). */
NODISCARD enum err_code replicate_peer_recv(
    struct replicate_peer *p, struct view frame, uint64_t now, struct err *e);
/* Frames that came one after the other, until the first error: faster, the
 * blocks in them are hashed together. */
NODISCARD enum err_code replicate_peer_recv_all(struct replicate_peer *p,
    const struct view *frame, size_t n, uint64_t now, struct err *e);
/* The next frame to send: content [MUX_FRAME_HEAD, + len) of malloc'ed data,
 * the caller's now. */
bool replicate_peer_take(struct replicate_peer *p, uint8_t **data, size_t *len);
/* Those who may have frames to take or requests to be served, one after the
 * other; NULL begins and ends. No peer may be added or removed meanwhile. */
struct replicate_peer *replicate_peer_busy(
    struct replicate *r, const struct replicate_peer *p);
/* How many bytes the connection will take for now: blocks are served while
 * this is above 0. Small messages are always written. Starts at 256 KiB. */
void replicate_peer_credit(struct replicate_peer *p, size_t bytes);

struct replicate_peer_stats {
	uint64_t blocks_in, bytes_in;	/* verified and new */
	uint64_t blocks_out, bytes_out; /* served */
	uint64_t wasted;		/* answers that were no use */
	uint64_t rtt_us;		/* least time of an answer lately */
	uint32_t outstanding;		/* our requests */
	uint32_t queued;		/* requests of theirs */
	uint32_t channels;
};
void replicate_peer_stats(
    const struct replicate_peer *p, struct replicate_peer_stats *out);

/* -- cores ---------------------------------------------------------------- */

/* Take part in a core: it is offered to all peers, now and later (to each a
 * few at a time, as it answers), and its
 * channels stay open until replicate_close() (an open core counts as
 * "downloading", as an open session does for hypercore). A key that the store
 * does not know is added to it. Twice gives the same core. */
NODISCARD enum err_code replicate_open(struct replicate *r,
    const struct b32 *key, struct replicate_core **out, struct err *e);
/* By key, or NULL. */
struct replicate_core *replicate_find(
    struct replicate *r, const struct b32 *key);
/* All open cores, one after the other; NULL begins and ends. */
struct replicate_core *replicate_each(
    struct replicate *r, const struct replicate_core *c);
/* Its goals are dropped and its channels closed; served again if asked. */
void replicate_close(struct replicate_core *c);
/* Its goals are dropped, and it is only served: to those who go on with it on
 * the channels they have, and to those who ask. c is not the caller's any
 * more; it is freed when nobody uses it. */
void replicate_release(struct replicate_core *c);
/* Open here or only served to somebody now, by discovery key; NULL: neither.
 * For looking at: valid until the next replicate_step(). */
struct replicate_core *replicate_peek(
    struct replicate *r, const struct b32 *dkey);
/* How many cores that are not open here a peer may have us serve at a time;
 * 256 unless it is said. */
void replicate_serve_most(struct replicate *r, uint32_t cores);

/* Goals. They last until met, or until replicate_close(). The core's writer
 * lock is held only while something is fetched; ERR_LOCKED: another process,
 * or another handle of this one, writes the core. ERR_READONLY: it is writable
 * here, and takes no longer head from others. ERR_CONFLICT: frozen. */
/* Follow the longest signed length that peers have. */
void replicate_follow(struct replicate_core *c, bool on);
/* At least this length, nodes and signature only. */
void replicate_reach(struct replicate_core *c, uint64_t length);
/* Blocks [start, end), lowest first; UINT64_MAX: as far as the core goes,
 * also later. Implies following if the end is not known yet. */
NODISCARD enum err_code replicate_download(
    struct replicate_core *c, uint64_t start, uint64_t end, struct err *e);
/* What a read misses, before everything else, and when reads go on one after
 * the other, some blocks behind it. WANT_REPAIR: e is as the read left it, and
 * stays so (ERR_CORRUPT) if the block cannot be given up to be fetched. */
NODISCARD enum err_code replicate_need(
    struct replicate_core *c, const struct want *w, struct err *e);
/* Is it here and durable now? */
bool replicate_here(struct replicate_core *c, const struct want *w);
void replicate_forget(struct replicate_core *c); /* all goals */

/* The local handle, for reading, moved on by replication; do not change it.
 * Stays the same until replicate_close(). */
struct core *replicate_core_handle(struct replicate_core *c);
/* Another process, or another handle of this one, changed the store: look
 * again and announce what is new. NULL: all open cores. */
NODISCARD enum err_code replicate_changed(
    struct replicate *r, struct replicate_core *c, uint64_t now, struct err *e);

struct replicate_status {
	struct core_head head; /* committed */
	uint32_t peers;	       /* channels open for it */
	uint32_t told;	       /* of these: have said their length */
	uint32_t full;	       /* of these: remote contiguous == length */
	uint64_t longest;      /* greatest length any of them says */
	uint64_t highest;      /* greatest fork */
	uint64_t wanted;       /* blocks of the goals not here yet */
	uint64_t outstanding;  /* of them asked for */
	uint64_t available;    /* of them known to be at some peer */
	uint64_t bytes_in, bytes_out, blocks_in, blocks_out;
	bool conflict; /* two signed histories: frozen */
};
void replicate_status(struct replicate_core *c, struct replicate_status *out);
/* How many peers are still to say what they have of c, or that they do not
 * have it. */
uint32_t replicate_pending(struct replicate_core *c);
/* How many peers have all of c, and all of `also`, if that is not NULL. */
uint32_t replicate_copies(
    struct replicate_core *c, struct replicate_core *also);
/* Nothing is fetched for now, because the disk has no room. */
bool replicate_disk_full(const struct replicate *r);
/* What peers said of core c: length and contiguous length of the i-th open
 * channel; false past the last. */
bool replicate_remote(struct replicate_core *c, size_t i, struct b32 *peer,
    uint64_t *length, uint64_t *contiguous, uint64_t *fork);

/* -- work ----------------------------------------------------------------- */

/* A bounded slice: requests made and answered, commits, timeouts. *more: call
 * again at once. An error is local and final (disk, store): stop. */
NODISCARD enum err_code replicate_step(
    struct replicate *r, uint64_t now, bool *more, struct err *e);
/* Commit what was verified so far. */
NODISCARD enum err_code replicate_flush(
    struct replicate *r, uint64_t now, struct err *e);
uint64_t replicate_deadline(const struct replicate *r); /* UINT64_MAX: none */

enum replicate_kind {
	REPLICATE_OPENED,   /* a channel for core is open with peer */
	REPLICATE_CLOSED,   /* and gone again */
	REPLICATE_REJECTED, /* peer does not have core */
	REPLICATE_REMOTE,   /* peer's length, fork or contiguous moved */
	REPLICATE_HEAD,	    /* core is longer, or on a new fork; durable */
	REPLICATE_BLOCKS,   /* blocks were stored; durable */
	REPLICATE_DONE,	    /* every goal of core is met */
	REPLICATE_UPLOADED, /* blocks were served to peer */
	REPLICATE_BLAMED,   /* peer sent what does not verify: text */
	REPLICATE_CONFLICT, /* two signed histories of one length: text */
	REPLICATE_TROUBLE   /* here, and not the end: the disk is full, another
			     * process holds core, a block does not match its
			     * hash: text. What can go on goes on. */
};

struct replicate_event {
	enum replicate_kind kind;
	struct replicate_core *core;
	struct replicate_peer *peer; /* NULL if none, or gone */
	uint64_t blocks, bytes;	     /* BLOCKS, UPLOADED */
	char text[512];		     /* BLAMED, CONFLICT, TROUBLE */
};
/* Events of one kind for one core and peer are merged while they wait. */
bool replicate_next(struct replicate *r, struct replicate_event *out);

#endif
