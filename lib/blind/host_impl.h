/* host_impl: what the files of host share. Private. */
#ifndef BLIND_HOST_IMPL_H
#define BLIND_HOST_IMPL_H

#include "blind/host.h"
#include "blind/message.h"

struct kept {
	struct blind_record record; /* key, priority, announce, times */
	bool over;		    /* told that it does not fit */
	uint64_t reserved;	    /* bytes set aside */
};

struct blind_host {
	struct replicate *r;
	struct store *store;
	struct blind_host_opts o;
	struct b32 *allow, *trust;
	struct replicate_protocol rpc, muxer;
	struct kept *kept;
	size_t n, cap;
	uint64_t reserved; /* of all */
	struct b32 denied; /* who was denied last, and why */
	const char *denied_code;
};

/* Why not. */
struct denial {
	const char *code, *text;
};

/* host.c */
bool host_trusts(const struct blind_host *h, const struct b32 *peer);
struct kept *host_find(struct blind_host *h, const struct b32 *key);
/* Keep a core; *why set: refused. *out is valid until the next call. */
NODISCARD enum err_code host_add(struct blind_host *h, const struct b32 *peer,
    const struct blind_add *add, struct kept **out, struct denial *why,
    struct err *e);
/* Forget a core and its bytes; *was: it was there. */
NODISCARD enum err_code host_delete(struct blind_host *h,
    const struct b32 *peer, const struct b32 *key, bool *was,
    struct denial *why, struct err *e);

/* host_list.c: the list in the store */
NODISCARD enum err_code host_list_put(
    struct blind_host *h, const struct blind_record *r, struct err *e);
NODISCARD enum err_code host_list_del(
    struct blind_host *h, const struct b32 *key, struct err *e);
/* Calls for each of the list. */
NODISCARD enum err_code host_list_load(struct blind_host *h, struct err *e);
/* One that was read: into h->kept. */
NODISCARD enum err_code host_restore(
    struct blind_host *h, const struct blind_record *r, struct err *e);

/* host_hear.c: the channels */
NODISCARD enum err_code host_hear_init(struct blind_host *h, struct err *e);

#endif
