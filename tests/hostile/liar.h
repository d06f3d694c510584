/*
 * liar: a peer that speaks the protocol and lies, for tests. Frames go out
 * through `send` and come in through liar_recv(); whether there are sockets
 * between is the owner's affair, so a lie runs against replication alone and
 * against whole processes.
 *
 * A lie is a row of a table: what it says at the beginning, once the channel
 * of the core is open, and to each request. What it does not bend is answered
 * truly, from a store that has everything.
 */
#ifndef TESTS_HOSTILE_LIAR_H
#define TESTS_HOSTILE_LIAR_H

#include "core/fork.h"
#include "replicate/message.h"

struct liar;

/* Whom it lies to: one that serves, or one that downloads. */
enum lie_victim { TO_SEEDER, TO_READER };

/* What must happen to the liar. */
enum lie_end {
	LIE_DROPPED, /* the connection ends, for the reason of the table */
	LIE_BLAMED,  /* the core is taken from it, for that reason */
	LIE_IGNORED, /* nothing: it was no use, and no harm */
	LIE_ANY	     /* either; only others must not notice */
};

struct lie {
	const char *name;
	enum lie_victim victim;
	enum lie_end end;
	const char *reason; /* part of the text of the end; NULL: any */
	void (*begin)(struct liar *l);	/* NULL: liar_open() to a seeder */
	void (*opened)(struct liar *l); /* NULL: liar_hello() to a reader */
	/* Change an answer before it goes; NULL: none. */
	void (*bend)(struct liar *l, struct core_proof *p);
	/* Instead of an answer; false: answer after all. */
	bool (*request)(struct liar *l, const struct message_request *q);
	void (*tick)(struct liar *l); /* now and then, while it is there */
	unsigned kind; /* for functions that serve several lies */
	bool slow;     /* minutes until the end: virtual time only */
};

struct liar {
	const struct lie *lie;
	struct core *core; /* the truth */
	struct b32 key, dkey;
	bool initiator;
	uint8_t hash[64]; /* of the connection */
	void (*send)(void *ctx, struct view frame);
	void *ctx;
	bool dropped; /* the owner says so: nothing is sent any more */
	/* state */
	uint64_t channel; /* the victim's number; 0: not open there */
	bool open;	  /* ours */
	uint64_t told;	  /* length of the victim that we acknowledged */
	unsigned requests, step;
	uint64_t last_id;
	struct buf frame, value;
	struct core_proof *proof;
	/* blocks that the victim asked for */
	bool asked[4096];
};

/* The tables; ended by a row without name. */
extern const struct lie lies_frame[], lies_ask[], lies_proof[], lies_say[];

NODISCARD enum err_code liar_init(struct liar *l, const struct lie *lie,
    struct core *truth, bool initiator, const uint8_t hash[static 64],
    struct err *e);
void liar_deinit(struct liar *l);
void liar_begin(struct liar *l);
void liar_recv(struct liar *l, struct view frame);
void liar_tick(struct liar *l);

/* -- what lies are made of ------------------------------------------------ */

/* An empty frame to append to, then liar_send(). */
struct buf *liar_frame(struct liar *l);
void liar_send(struct liar *l);
void liar_hex(struct liar *l, const char *hex); /* a whole frame */
/* The same, with the head of a message of our first channel. */
struct buf *liar_message(struct liar *l, unsigned type);
void liar_uint(struct buf *b, uint64_t n); /* any 64 bits */

void liar_capability(const struct liar *l, struct b32 *out);
void liar_open(struct liar *l);
/* What a peer that has everything says first, of length and fork as given. */
void liar_hello_as(struct liar *l, uint64_t fork, uint64_t length);
void liar_hello(struct liar *l);
/* The true answer to q, bent. */
void liar_answer(struct liar *l, const struct message_request *q);
void liar_data(struct liar *l, uint64_t id, const struct core_proof *p);
/* A true proof of a block, up to its root, in l->proof. */
void liar_prove(struct liar *l, uint64_t block);
void liar_sync(
    struct liar *l, uint64_t fork, uint64_t length, uint64_t remote_length);
void liar_range(struct liar *l, bool drop, uint64_t start, uint64_t length);
void liar_request(struct liar *l, uint64_t id, const struct core_request *q);

#endif
