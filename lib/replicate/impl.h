/*
 * impl: what the files of replicate share. Private.
 *
 * A struct replicate_core is a core with a handle for reading. While
 * something is fetched for it, it also has a writer (a second handle, which
 * holds the lock) and an intake on it. A session is one core on one
 * connection: a mux channel. Sessions hang in the list of their core and in
 * that of their peer; whoever removes one gives its requests back.
 *
 * Block sets of a core with goals: `here` is what is stored or collected,
 * page by page as it is looked at; `asked` is what is outstanding somewhere.
 * Invariant: asked blocks are in the request table of at least one session.
 */
#ifndef REPLICATE_IMPL_H
#define REPLICATE_IMPL_H

#include "core/fork.h"
#include "core/proof.h"
#include "net/mux/mux.h"
#include "replicate/channel.h"
#include "replicate/message.h"
#include "replicate/remote.h"
#include "replicate/replicate.h"
#include "replicate/wants.h"

/* Cores a peer may open that nobody else did, if the owner says nothing. */
#define SERVED_MAX 256
#define QUEUE_MAX (REPLICATE_REQUESTS_MAX + 16)
#define QUEUE_IDS 1024
#define SLOTS_MAX 1024	/* requests and cancelled ones of a session */
#define REFUSALS_MAX 32 /* noData of one kind before it is left alone */
#define REOPENS_MAX 64	/* channels of a peer reopened after idling */
#define LAST_BLOCKS 256 /* near the end all is announced */
#define WARM_MAX 64
#define OFFERS_MAX 64 /* channels of a peer that it has not answered */
#define WINDOW_MIN 16
#define NEEDS_MAX 4096
#define HINT_BLOCKS 64
#define FULL_PAUSE_US 5000000 /* after the disk was full */
#define FULL_PAUSE_MAX_US 40000000
#define LOCK_PAUSE_US 1000000 /* after another process held the core */
#define FAIR_FIRST_US 250000  /* of a peer that has not answered yet */
#define COMMIT_BYTES (16u << 20)
#define COMMIT_US 500000
#define REQUEST_US 10000000

/* -- our requests of one session (requests.c) ----------------------------- */

enum request_kind {
	REQUEST_FREE,
	REQUEST_BLOCK,
	REQUEST_UPGRADE,
	REQUEST_FORK, /* an upgrade from nothing, of a higher fork */
	REQUEST_HASH, /* a question of core/fork.h */
	REQUEST_CANCELLED
};

struct request {
	uint64_t index; /* block, flat index, start of an upgrade */
	uint64_t sent;
	uint64_t cancels; /* of the session, before it was sent */
	enum request_kind kind;
	bool shared;	     /* another peer was asked too */
	uint16_t prev, next; /* ids; in order of sending or cancelling */
};

/* Ids are positions + 1. */
struct requests {
	struct request *slot;
	size_t cap;
	uint16_t free, first, last, first_cancelled, last_cancelled;
	uint32_t n; /* outstanding */
	uint64_t cancels;
};

/* 0: no slot is free, or no memory. */
uint16_t requests_add(
    struct requests *t, enum request_kind kind, uint64_t index, uint64_t now);
/* No request more, until an answer frees a slot. */
bool requests_full(const struct requests *t);
/* The outstanding or cancelled request of this id, or NULL. */
struct request *requests_get(struct requests *t, uint64_t id);
/* It was answered: what was cancelled before it was sent is free as well. */
void requests_done(struct requests *t, uint16_t id);
/* It was cancelled on the wire: the id rests until a round trip is over. */
void requests_cancel(struct requests *t, uint16_t id);
/* As if it were sent now. */
void requests_touch(struct requests *t, uint16_t id, uint64_t now);
uint16_t requests_first(const struct requests *t); /* oldest; 0: none */
uint16_t requests_after(const struct requests *t, uint16_t id);
void requests_deinit(struct requests *t);

/* -- their requests (serve.c) --------------------------------------------- */

struct serve_entry {
	bool dead; /* cancelled */
	bool want; /* a span to describe, not a request */
	union {
		struct message_request q;
		struct message_want w;
	} u;
};

struct serve_queue {
	struct serve_entry *entry; /* a ring */
	size_t cap, first, n;
	uint32_t live;
	uint64_t ids[QUEUE_IDS / 64]; /* small ids that are in it */
};

struct serve_late { /* an answer that waits, so that nonsense is slow */
	uint64_t id, due;
};

/* -- sessions (session.c) ------------------------------------------------- */

struct session {
	struct replicate_peer *peer;
	struct replicate_core *core;
	struct mux_channel *ch;
	struct session *core_prev, *core_next, *peer_prev, *peer_next;
	bool open;   /* on both sides, and the remote knows the key */
	bool served; /* counts against served_max for the peer */
	bool ours;   /* we opened it for our own sake */
	/* as the remote says */
	bool synced, can_upgrade_us, uploading, downloading, has_manifest;
	uint64_t fork, length, acked;
	struct remote has;
	struct wants wants;
	/* as we say */
	bool can_upgrade;
	uint64_t signaled; /* the contiguous length when all was here */
	uint64_t *segment; /* spans we asked to be told about */
	size_t nsegments, segments_cap;
	/* serving */
	struct serve_queue queue;
	struct serve_late *late;
	size_t nlate, late_cap;
	uint32_t invalid;
	struct session *serve_next; /* while a step serves */
	struct session *up_next;    /* of those a step has served */
	uint64_t up_blocks, up_bytes;
	/* fetching */
	struct requests out;
	uint64_t scan;		 /* nothing to ask for below */
	uint64_t rooted;	 /* a length whose roots are known to be here */
	bool upgrading;		 /* was asked for a longer head */
	uint64_t refused_length; /* no upgrade to this one */
	uint64_t failed_fork;	 /* nor to this fork */
	uint32_t refusals[3];	 /* by reason */
	bool paused;		 /* is not asked any more */
	bool checking;		 /* was asked to show its history */
	struct session *fill_next; /* while requests are spread */
};

/* -- peers (conn.c) ------------------------------------------------------- */

struct replicate_peer {
	struct replicate *r;
	struct replicate_peer *prev, *next;
	struct replicate_peer *busy_prev, *busy_next;
	bool busy; /* may have something to send, or to be served */
	struct mux *mux;
	struct replicate_peer_opts o;
	uint8_t hash[64];
	size_t credit;
	enum err_code failed; /* it could not be written to */
	struct session *sessions;
	struct replicate_peer *serve_next; /* while a step serves */
	struct session *serving;
	uint32_t nsessions, nserved, reopens;
	uint32_t nopening;	      /* sessions that are not open yet */
	struct replicate_core *offer; /* the next one; NULL: all were */
	struct replicate_channel *channel[REPLICATE_CHANNELS_MAX];
	size_t nchannels;
	uint32_t queued;      /* live entries of all queues */
	uint32_t outstanding; /* requests of ours */
	/* answers: see window.c */
	uint64_t least_us, usual_us;
	double rate;	      /* bytes per us */
	uint64_t block_bytes; /* usual size */
	uint64_t mark_at, mark_bytes;
	bool limited;	   /* the window was full since the mark */
	uint32_t unheeded; /* requests it lost since its last answer */
	struct replicate_peer_stats stats;
};

/* -- cores ---------------------------------------------------------------- */

struct goal {
	uint64_t start, end; /* UINT64_MAX: as far as the core goes */
	uint64_t left;	     /* blocks of it that are not here */
};

struct goals {
	bool follow;
	uint64_t reach;
	struct goal *range; /* disjoint, ascending */
	size_t n, cap;
	uint64_t left; /* of all ranges */
	uint64_t *need;
	size_t nneeds, needs_cap;
	uint64_t next_need; /* behind the last one */
	uint64_t hint_start, hint_end;
	bool told; /* that they are met */
};

struct run {
	uint64_t start, length;
};

struct replicate_core {
	struct replicate *r;
	struct replicate_core *prev, *next; /* of all */
	struct replicate_core *chain;	    /* in the hash table */
	uint64_t serial;		    /* `next` has a smaller one */
	struct replicate_core *busy_prev, *busy_next;
	struct replicate_core *warm_prev, *warm_next;
	bool warm;	/* read lately: its handle may hold caches */
	bool busy;	/* in the list of those with work */
	bool attention; /* something happened: look what to ask for */
	uint64_t wake;	/* look then, anyway */
	bool local;	/* opened here, not only served */
	bool gone;	/* closed, waits for its events to be taken */
	bool conflict;
	struct core *core;
	struct core_head told; /* what peers were told */
	uint64_t told_count;   /* blocks here, then; partial cores only */
	struct session *sessions;
	uint32_t nsessions, nevents;
	struct goals goals;
	/* fetching; writer NULL: not now */
	struct core *writer;
	struct core_intake *in;
	uint64_t lock_again; /* not before */
	bool lock_told;
	struct bitmap here, asked;
	uint64_t generation; /* of the store, when `here` was right */
	uint32_t outstanding;
	uint32_t upgrades;	/* requests for a longer head */
	uint64_t upgrade_again; /* when to ask others, too */
	/* collected since the last commit */
	bool dirty, urgent, grown;
	uint64_t dirty_since, dirty_bytes, dirty_blocks;
	struct run *run;
	size_t nruns, runs_cap;
	/* a higher fork */
	struct core_fork *fork;
	struct session *forking; /* who was asked about it */
	uint64_t bytes_in, bytes_out, blocks_in, blocks_out;
};

/* Blocks of frames at hand, hashed together before they are looked at. */
#define AHEAD_MAX 32
struct ahead {
	struct view block[AHEAD_MAX];
	struct b32 leaf[AHEAD_MAX];
	size_t n;
	size_t next; /* the first that was not asked for */
};

/* An event that waits; few have a text. */
struct event {
	enum replicate_kind kind;
	struct replicate_core *core;
	struct replicate_peer *peer;
	uint64_t blocks, bytes;
	char *text; /* NULL: none */
};

struct replicate {
	struct store *store;
	struct replicate_opts o;
	struct replicate_peer *peers, *busy_peers;
	const struct replicate_protocol *protocol[REPLICATE_PROTOCOLS_MAX];
	size_t nprotocols;
	struct session *uploads; /* within a step */
	uint32_t nlate;		 /* delayed answers, of all sessions */
	struct replicate_core *cores, *busy;
	struct replicate_core *warm, *cold; /* first and last of the warm */
	size_t nwarm;
	struct replicate_core **table;
	size_t ntable, ncores;
	uint64_t serial;
	uint32_t served_max;
	uint64_t now;
	uint64_t full_until; /* the disk was full: wait */
	uint64_t full_pause; /* so long; then try with one block; 0: no */
	struct event *event;
	size_t nevents, event_at, events_cap;
	bool event_lost; /* no memory to keep one */
	/* one of each is enough, and they are large */
	struct core_proof proof;
	struct manifest manifest;
	struct core_verified verified;
	struct buf value;
	struct ahead ahead;
};

/* ahead.c */
/* Hash the blocks that the first few of n > 0 frames of p answer requests
 * with. Returns how many frames, at least 1. The bytes must stay as they are
 * until ahead_forget(). */
size_t ahead_look(struct replicate_peer *p, const struct view *frame, size_t n);
/* The leaf of these very bytes, in this very place; NULL: not known. */
const struct b32 *ahead_leaf(struct replicate *r, struct view block);
void ahead_forget(struct replicate *r);

/* events.c */
void events_add(struct replicate_core *c, struct replicate_peer *p,
    enum replicate_kind kind, uint64_t blocks, uint64_t bytes,
    const char *text);
void events_free(struct replicate *r);
void events_forget_peer(struct replicate *r, const struct replicate_peer *p);

/* conn.c */
/* It has something to send, or requests that wait, or cannot be written to. */
void conn_stir(struct replicate_peer *p);
/* The first of those; the ones that have nothing any more are left out. */
struct replicate_peer *conn_busy(struct replicate *r);

/* replicate.c */
struct replicate_core *replicate_by_dkey(
    struct replicate *r, const struct b32 *dkey);
NODISCARD enum err_code replicate_core_add(struct replicate *r,
    const struct b32 *key, struct replicate_core **out, struct err *e);
/* Look at it in the next step. */
void replicate_wake(struct replicate_core *c);
/* It is read now. The one that was not for longest rests: what its handle
 * holds to read faster is for WARM_MAX cores only. */
void replicate_warm(struct replicate_core *c);
/* Does it take part for its own sake (network.md 6.5 "downloading")? */
bool replicate_active(const struct replicate_core *c);

/* session.c */
NODISCARD enum err_code session_new(struct session **out,
    struct replicate_peer *p, struct replicate_core *c, struct err *e);
/* The same, unless the connection has no more channels: then it is up to the
 * remote to ask for the core. */
NODISCARD enum err_code session_offer(
    struct replicate_peer *p, struct replicate_core *c, struct err *e);
/* Its requests go back; the channel is closed if it is not over already. */
enum session_end { SESSION_CLOSE, SESSION_OVER };
void session_free(struct session *s, enum session_end end);
/* Does it count against what the peer may have served? */
void session_serve(struct session *s, bool counts);
struct session *session_find(
    const struct replicate_core *c, const struct replicate_peer *p);
NODISCARD enum err_code session_opened(
    struct session *s, struct view handshake, struct err *e);
NODISCARD enum err_code session_message(
    struct session *s, uint64_t type, struct view body, struct err *e);
void session_sync(struct session *s);
/* Our length or fork moved, or what we do: as signalUpgrade. */
void session_signal(struct session *s);
/* Blocks are here, or (drop) not any more: told if it matters. */
void session_have(
    struct session *s, uint64_t start, uint64_t length, bool drop);
/* Close if neither side wants anything. True: s is gone. */
bool session_idle(struct session *s);

/* A message: append the body to what begin gives. */
struct buf *session_begin(struct session *s, enum message_type t, size_t size);
void session_end(struct session *s);

/* serve.c */
NODISCARD enum err_code serve_request(
    struct session *s, const struct message_request *q, struct err *e);
void serve_cancel(struct session *s, uint64_t id);
NODISCARD enum err_code serve_want(
    struct session *s, const struct message_want *w, struct err *e);
/* Answers while there is credit; *more: there was more to do. */
NODISCARD enum err_code serve_step(
    struct replicate *r, bool *more, struct err *e);
uint64_t serve_deadline(const struct replicate *r);
void serve_forget(struct session *s);
/* Send the proof of our history unasked. */
void serve_history(struct session *s, uint64_t length);

/* goals.c */
/* Blocks in reach now end here: with what is collected. */
uint64_t goals_length(const struct replicate_core *c);
uint64_t goals_fork(const struct replicate_core *c);
/* Position of the first range that ends behind block i. */
size_t goals_from(const struct goals *g, uint64_t i);
uint64_t goals_end(const struct replicate_core *c, const struct goal *g);
/* Is a longer head wanted than is here or collected? */
bool goals_longer(const struct replicate_core *c);
bool goals_any(const struct replicate_core *c);
bool goals_met(struct replicate_core *c);
/* Block i was taken. */
void goals_taken(struct replicate_core *c, uint64_t i);
/* The collected length moved; ranges that reach behind it. */
void goals_grown(struct replicate_core *c, uint64_t from, uint64_t to);
/* Count again, after others may have changed the store. */
NODISCARD enum err_code goals_recount(struct replicate_core *c, struct err *e);
/* After a commit: drop what is met, tell when all is. */
void goals_settle(struct replicate_core *c);
/* Block i was here and is not any more: wait for it, unless a range does. */
NODISCARD enum err_code goals_repair(
    struct replicate_core *c, uint64_t i, struct err *e);
void goals_clear(struct replicate_core *c);

/* collect.c */
/* The writer and its intake. ERR_LOCKED: somebody else has it. */
NODISCARD enum err_code collect_begin(struct replicate_core *c, struct err *e);
/* The page of `here` that holds block i is loaded. */
NODISCARD enum err_code collect_look(
    struct replicate_core *c, uint64_t i, struct err *e);
NODISCARD enum err_code collect_proof(struct session *s,
    const struct core_proof *p, enum core_outcome *outcome, struct err *e);
bool collect_due(struct replicate_core *c);
NODISCARD enum err_code collect_commit(struct replicate_core *c, struct err *e);
/* No intake any more, committed or not; the writer stays. */
void collect_drop(struct replicate_core *c);
/* Neither: the lock is free. */
void collect_end(struct replicate_core *c);
/* Tell peers how the committed core differs from what they were told. */
NODISCARD enum err_code collect_tell(struct replicate_core *c, struct err *e);
/* ERR_NOSPACE is no end: pause. Anything else is passed on. */
NODISCARD enum err_code collect_trouble(
    struct replicate_core *c, enum err_code rc, struct err *e);

/* window.c: how much a peer is asked for at once */
uint32_t window_size(const struct replicate_peer *p);
uint64_t window_fair(const struct replicate_peer *p); /* us for an answer */
void window_answer(struct replicate_peer *p, uint64_t took, size_t bytes);
/* It did not answer in this time, and will not be waited for. */
void window_lost(struct replicate_peer *p, uint64_t waited);
/* It let a request time out; it answered one, in time or not. */
void window_timeout(struct replicate_peer *p);
void window_heard(struct replicate_peer *p);
/* It does not answer lately: asked for one block at a time, after all others,
 * and for nothing that another could be asked for. */
bool window_silent(const struct replicate_peer *p);

/* asked.c */
/* The id for the wire; 0: no room. */
uint16_t asked_add(struct session *s, enum request_kind kind, uint64_t index);
void asked_send(struct session *s, uint16_t id, const struct core_request *part,
    uint64_t priority);
/* The id under which s is asked for block i, or 0. */
uint16_t asked_of(struct session *s, uint64_t i);
/* A request is over: answered, with or without use. What is not here now is
 * open again; others that were asked for the same are not any more if it is
 * here. */
void asked_over(struct session *s, uint16_t id);
void asked_over_all(struct session *s); /* the channel is gone */
/* Not answered, and not wanted any more: also on the wire. */
void asked_cancel(struct session *s, uint16_t id);
void asked_cancel_all(struct session *s);
/* Others that were asked for a longer head. */
void asked_cancel_upgrades(struct replicate_core *c);
/* When another may be asked for what q asks s for; when the first asking was
 * shared already, much later. In either case before q times out. */
uint64_t asked_late(const struct session *s, const struct request *q);
void asked_timeouts(struct replicate_core *c);
uint64_t asked_deadline(const struct replicate_core *c);

/* download.c */
NODISCARD enum err_code download_schedule(
    struct replicate_core *c, struct err *e);
/* Blocks from i on are to be looked at again by all. */
void download_rescan(struct replicate_core *c, uint64_t i);

/* answers.c */
NODISCARD enum err_code answers_data(
    struct session *s, struct view body, struct err *e);
NODISCARD enum err_code answers_no_data(
    struct session *s, const struct message_no_data *m, struct err *e);
/* s lied: it is not asked again, and has to show its history. */
void answers_blame(struct session *s, const struct err *why);
/* Is this data a block that was asked for? Changes nothing but r->proof. */
bool answers_block(struct session *s, struct view body, struct view *block);

/* forks.c */
/* Is there a higher fork to ask about, or to go on with? */
bool forks_possible(const struct replicate_core *c);
/* Ask somebody with a higher fork, or go on with the one under way. */
NODISCARD enum err_code forks_schedule(struct replicate_core *c, struct err *e);
NODISCARD enum err_code forks_proof(
    struct session *s, const struct core_proof *p, struct err *e);
NODISCARD enum err_code forks_answer(
    struct session *s, const struct core_proof *p, struct err *e);
/* A history shown unasked or on request: two of one length? */
NODISCARD enum err_code forks_history(
    struct session *s, const struct core_proof *p, struct err *e);

#endif
