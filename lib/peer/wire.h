/*
 * wire: the network side of lib/peer. It lives on the network thread and
 * owns sockets, handshakes, streams and ciphers; the other side, on the
 * thread of the store, owns everything that knows cores. They talk in items
 * through two queues and share nothing else but two byte counts of each
 * connection. Private to lib/peer.
 *
 * A connection belongs to the wire. After WIRE_CLOSED the other side says
 * wire_release(), and only then it is freed.
 *
 * Memory: frames of a connection that wait for the other side are bounded,
 * because its receive window opens only while they are few; so is what waits
 * to be sent, because WIRE_ROOM tells when there is room.
 */
#ifndef PEER_WIRE_H
#define PEER_WIRE_H

#include "crypto/sign.h"
#include "net/io/queue.h"
#include "net/mux/mux.h"
#include "peer/node.h"

/* What a small frame costs here, beside its bytes. */
#define WIRE_FRAME_COST 192
#define WIRE_TEXT 200

struct wire;
struct wire_conn;

enum wire_kind {
	WIRE_OPENED,  /* conn: the handshake is over */
	WIRE_FRAME,   /* conn, data, head, len: give back with wire_done() */
	WIRE_ROOM,    /* conn: there is room to send again */
	WIRE_CLOSED,  /* conn: gone; text says why */
	WIRE_FAILED,  /* dial, or key: nobody there; text says why */
	WIRE_CHANGED, /* the watched folder changed */
	WIRE_LOOKED,  /* topic */
	WIRE_MET,     /* topic: its key only; somebody of it is connected */
	WIRE_NETWORK, /* network: something is new */
	WIRE_QUIET    /* everything was taken back: see wire_quit() */
};

#define WIRE_KNOWN_MAX 64 /* nodes for next time */

/* All of what the store's side knows of the DHT. */
struct wire_network {
	struct peer_network about;
	struct addr known[WIRE_KNOWN_MAX];
	size_t nknown;
};

struct wire_event {
	struct io_item item;
	enum wire_kind kind;
	struct wire_conn *conn;
	uint8_t *data;
	size_t head, len;
	uint32_t dial; /* of wire_dial(); 0: found by topic */
	bool quiet;    /* CLOSED: nobody was told that it was open */
	/* parts of the event: */
	char *text; /* CLOSED, FAILED: WIRE_TEXT bytes */
	union {
		void *part;
		struct b32 *key; /* FAILED */
		struct peer_topic *topic;
		struct wire_network *network;
	};
};

/* Set before WIRE_OPENED, constant after it. */
struct wire_about {
	struct b32 key; /* the remote's */
	uint8_t hash[64];
	struct addr addr;
	bool initiator;
	uint32_t dial; /* 0: it came to us */
};

struct wire_discovery {
	const struct addr *bootstrap, *known;
	size_t nbootstrap, nknown;
	uint32_t peers_max, sought_max;
	const struct b32 *relay; /* to meet at; NULL: none of ours */
};

struct wire_opts {
	const struct addr *listen;		/* NULL: only dial */
	bool dial4, dial6;			/* families to dial */
	const struct wire_discovery *discovery; /* NULL: none */
	uint64_t up_max, down_max;		/* bytes a second; 0: any */
	const struct sign_pair *pair;
	const char *watch; /* folder, or NULL */
	uint32_t connections_max;
};

NODISCARD enum err_code wire_open(
    struct wire **out, const struct wire_opts *o, struct err *e);
/* Ends the thread; what is still open is forgotten. NULL is fine. */
void wire_close(struct wire *w);
/* False: opts.watch could not be watched, WIRE_CHANGED will not come. */
bool wire_watches(const struct wire *w);
/* Where it listens. */
void wire_addr(const struct wire *w, struct addr *out);

/* All below from the other side's thread. */
/* The event is the caller's: free() it, and its data. */
struct wire_event *wire_next(struct wire *w);
/* The same if it is a frame of c and here already, else NULL. */
struct wire_event *wire_next_frame(struct wire *w, const struct wire_conn *c);
void wire_wait(struct wire *w, uint64_t until);
NODISCARD enum err_code wire_dial(struct wire *w, uint32_t dial,
    const struct addr *to, const struct b32 *key, struct err *e);
const struct wire_about *wire_about(const struct wire_conn *c);
void *wire_user(const struct wire_conn *c);
void wire_set_user(struct wire_conn *c, void *user);
/* Takes the frame over: plaintext [MUX_FRAME_HEAD, + len), with room for the
 * cipher. */
NODISCARD enum err_code wire_write(struct wire *w, struct wire_conn *c,
    uint8_t *data, size_t len, struct err *e);
/* Bytes that may be written for now. 0: WIRE_ROOM will come. */
size_t wire_room(struct wire *w, struct wire_conn *c);
/* A WIRE_FRAME of that length was dealt with. */
void wire_done(struct wire *w, struct wire_conn *c, size_t len);
/* Begin to close: gracefully, or at once. WIRE_CLOSED follows. */
void wire_drop(struct wire *w, struct wire_conn *c, bool graceful);
/* After WIRE_CLOSED: c is not used any more. */
void wire_release(struct wire *w, struct wire_conn *c);
void wire_flush(struct wire *w); /* wake the network thread if needed */

/* Finding; all need opts.discovery. */
NODISCARD enum err_code wire_join(
    struct wire *w, const struct b32 *topic, int flags, struct err *e);
NODISCARD enum err_code wire_leave(
    struct wire *w, const struct b32 *topic, struct err *e);
NODISCARD enum err_code wire_refresh(
    struct wire *w, const struct b32 *topic, struct err *e);
NODISCARD enum err_code wire_join_peer(
    struct wire *w, const struct b32 *key, struct err *e);
/* Be found by our key, whether or not a topic is announced. */
NODISCARD enum err_code wire_serve(struct wire *w, struct err *e);
/* No connection with it for ten minutes. */
NODISCARD enum err_code wire_ban(
    struct wire *w, const struct b32 *key, struct err *e);
/* Take back what was announced; WIRE_QUIET follows. */
NODISCARD enum err_code wire_quit(struct wire *w, struct err *e);

#endif
