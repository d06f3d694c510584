/*
 * channel: other protocols on the connections of a struct replicate, such as
 * the one by which blind peers are asked (network.md 7.4). A protocol is made
 * known once; then channels of it are opened here, or offered by a remote and
 * taken if the protocol says so.
 *
 *	replicate_protocol(r, &protocol, e);
 *	replicate_channel_open(peer, &protocol, id, user, &ch, e);
 *	buf_append(replicate_channel_begin(ch, 0, size), ...);
 *	replicate_channel_end(ch);
 *
 * The functions of a protocol are called from within replicate_peer_recv()
 * and, for `closed`, replicate_peer_remove(). They may do anything but remove
 * a peer. State is bounded: so many protocols, so many channels a connection.
 */
#ifndef REPLICATE_CHANNEL_H
#define REPLICATE_CHANNEL_H

#include "replicate/replicate.h"

#define REPLICATE_PROTOCOLS_MAX 8
#define REPLICATE_CHANNELS_MAX 8 /* of a connection, besides cores */

struct replicate_channel;

struct replicate_protocol {
	const char *name;
	/* Take what a remote offers under this id, or not at all. */
	bool takes;
	struct view id;
	/* It was offered by the remote and is taken: set a user. */
	NODISCARD enum err_code (*taken)(
	    void *ctx, struct replicate_channel *ch, struct err *e);
	/* Not OK: the remote's fault unless ERR_NOMEM or ERR_IO; the
	 * connection is to be dropped. */
	NODISCARD enum err_code (*message)(void *ctx,
	    struct replicate_channel *ch, uint64_t type, struct view body,
	    struct err *e);
	/* Refused, closed by the remote, or the connection is over: ch is
	 * gone after this. Not called for replicate_channel_close(). */
	void (*closed)(void *ctx, struct replicate_channel *ch);
	void *ctx;
};

/* p is borrowed until replicate_free(). ERR_LIMIT: one too many. */
NODISCARD enum err_code replicate_protocol(
    struct replicate *r, const struct replicate_protocol *p, struct err *e);

/* Messages may be sent at once; a remote that does not want the channel closes
 * it. ERR_LIMIT: one too many. */
NODISCARD enum err_code replicate_channel_open(struct replicate_peer *peer,
    const struct replicate_protocol *p, struct view id, void *user,
    struct replicate_channel **out, struct err *e);
void replicate_channel_close(struct replicate_channel *ch); /* frees ch */
struct replicate_peer *replicate_channel_peer(
    const struct replicate_channel *ch);
void *replicate_channel_user(const struct replicate_channel *ch);
void replicate_channel_set_user(struct replicate_channel *ch, void *user);
/* A message: append the body to what begin gives. */
struct buf *replicate_channel_begin(
    struct replicate_channel *ch, uint64_t type, size_t size);
void replicate_channel_end(struct replicate_channel *ch);

/* The connection with this key, the latest; NULL: none. */
struct replicate_peer *replicate_peer_find(
    struct replicate *r, const struct b32 *key);
const struct b32 *replicate_peer_key(const struct replicate_peer *p);

#endif
