/*
 * ask: blind peers are asked to keep cores (network.md 7.4). A machine over
 * the channels of a struct replicate: whoever owns the connections tells when
 * one is there, and sees to it that there are some.
 *
 *	blind_ask_new(&a, r, &opts, e);
 *	blind_ask_core(a, &key, e);		// any number, at any time
 *	blind_ask_joined(a, &peer, e);		// a connection is there
 *	blind_ask_turn(a);			// when anything has happened
 *
 * A core is open (replicate_open) while it is asked for: the blind peer
 * fetches it on the same connection. It has it (BLIND_ADDED) when it says so
 * of every block of the length that is here. What is not added when a
 * connection ends is asked for again on the next one.
 */
#ifndef BLIND_ASK_H
#define BLIND_ASK_H

#include "replicate/channel.h"

#define BLIND_PEERS_MAX 16

struct blind_ask;

enum blind_ask_kind {
	BLIND_ADDING,	  /* it is asked for core */
	BLIND_CONFIRMING, /* it agreed, and fetches it */
	BLIND_ADDED,	  /* it has it all */
	BLIND_REFUSED	  /* it does not want it: text, code */
};

struct blind_ask_event {
	enum blind_ask_kind kind;
	const struct b32 *peer, *core;
	struct view text, code; /* foreign bytes */
};

struct blind_ask_opts {
	const struct b32 *peer;
	size_t npeers;
	bool announce; /* honoured for those it trusts */
	void (*event)(void *ctx, const struct blind_ask_event *ev);
	void *ctx;
};

NODISCARD enum err_code blind_ask_new(struct blind_ask **out,
    struct replicate *r, const struct blind_ask_opts *o, struct err *e);
/* After replicate_free(); NULL is fine. */
void blind_ask_free(struct blind_ask *a);
/* Twice is once. */
NODISCARD enum err_code blind_ask_core(
    struct blind_ask *a, const struct b32 *key, struct err *e);
/* Anybody: strangers are ignored. */
NODISCARD enum err_code blind_ask_joined(
    struct blind_ask *a, const struct b32 *peer, struct err *e);
void blind_ask_turn(struct blind_ask *a);
/* Pairs of core and peer that are neither added nor refused. */
size_t blind_ask_left(const struct blind_ask *a);
size_t blind_ask_refused(const struct blind_ask *a);

#endif
