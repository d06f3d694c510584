/*
 * host: a blind peer. It keeps cores for those who may ask, on the channels of
 * a struct replicate (network.md 7.4), and needs nothing but their keys: what
 * is in them stays unread.
 *
 *	blind_host_new(&h, r, store, &opts, e);
 *	blind_host_turn(h, e);		// when anything has happened
 *
 * Who may ask: the keys allowed and the keys trusted, nobody else; announcing
 * (BLIND_KEPT says so) and deleting are for those trusted. A request that is
 * refused is answered with REQUEST_ERROR, and a cause that has a code:
 * NOT_ALLOWED, NOT_TRUSTED, QUOTA_EXCEEDED, TOO_MANY_CORES, NOT_STORED, IN_USE.
 *
 * The quota is bytes of blocks, and is never passed: a core is fetched once
 * all bytes of its signed length were set aside (`reserved`), so the sum of
 * what is set aside is at least what is on disk, and the same when all of it
 * is here. What does not fit is known and followed, but not fetched
 * (BLIND_OVER), until something is deleted. Cores that were asked for are
 * remembered in the store.
 */
#ifndef BLIND_HOST_H
#define BLIND_HOST_H

#include "replicate/channel.h"

#define BLIND_KEPT_MAX 65536 /* cores */

struct blind_host;

enum blind_host_kind {
	BLIND_KEPT,  /* core is kept from now on; announce: as asked for */
	BLIND_OVER,  /* core would pass the quota */
	BLIND_GONE,  /* core was deleted */
	BLIND_DENIED /* peer was refused: code, text */
};

struct blind_host_event {
	enum blind_host_kind kind;
	const struct b32 *peer; /* NULL: known from an earlier run */
	const struct b32 *core;
	bool announce;
	const char *code, *text;
};

struct blind_host_opts {
	struct b32 self; /* our public key, by which we are asked */
	const struct b32 *allow, *trust; /* copied */
	size_t nallow, ntrust;
	uint64_t quota;		   /* bytes; 0: none */
	uint64_t (*unix_ms)(void); /* for the records that are answered */
	/* Is this core kept for another reason? Then it is not deleted. */
	bool (*in_use)(void *ctx, const struct b32 *key);
	void (*event)(void *ctx, const struct blind_host_event *ev);
	void *ctx;
};

/* Opens what earlier runs were asked for. */
NODISCARD enum err_code blind_host_new(struct blind_host **out,
    struct replicate *r, struct store *s, const struct blind_host_opts *o,
    struct err *e);
/* After replicate_free(); NULL is fine. */
void blind_host_free(struct blind_host *h);
/* Fetches what fits; in the state of now. */
NODISCARD enum err_code blind_host_turn(struct blind_host *h, struct err *e);

struct blind_host_stats {
	size_t cores;
	uint64_t reserved; /* bytes set aside, at most the quota */
	uint64_t over;	   /* cores that do not fit */
};
void blind_host_stats(const struct blind_host *h, struct blind_host_stats *out);
/* The bytes that are really here, block by block: slow. */
NODISCARD enum err_code blind_host_scan(
    const struct blind_host *h, uint64_t *bytes, struct err *e);

#endif
