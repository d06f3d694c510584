/* wire_impl: what the files of wire share. Private. */
#ifndef PEER_WIRE_IMPL_H
#define PEER_WIRE_IMPL_H

#include "net/io/io.h"
#include "net/secret/secret_stream.h"
#include "net/udx/udx.h"
#include "peer/wire.h"

#define SECOND UINT64_C(1000000)
#define KEEPALIVE_US (5 * SECOND) /* as HyperDHT sets it */
#define OPEN_US (15 * SECOND)	  /* to say hello on a new stream */
/* Plaintext that waits to be sent, and frames that wait to be read. */
#define OUT_ROOM (1u << 20)
#define OUT_ROOM_SHARED (8u << 20)
#define OUT_ROOM_LEAST (128u << 10)
/* In flight: what we send, and what may be sent to us. Who dials is the one
 * that fetches, and may be far away. */
#define SEND_MOST (16u << 20)
#define SEND_SHARED (16u << 20)
#define SEND_LEAST (256u << 10)
#define WINDOW_DIALLED (16u << 20)
#define WINDOW_ACCEPTED (2u << 20)
/* A finished stream goes on answering for so long: the other side's last
 * packet may not have heard us. */
#define LINGER_US (3 * SECOND / 2)
#define IN_ROOM (4u << 20)
#define IN_ROOM_SHARED (32u << 20)
#define IN_ROOM_LEAST (128u << 10)
#define EARLY_MAX (256u << 10)

enum conn_state {
	CONN_OPENING, /* the cipher has not heard from the other side */
	CONN_OPEN,
	CONN_CLOSED /* told, waits for wire_release() */
};

struct wire_conn {
	struct wire_conn *next; /* in its bucket */
	struct wire *wire;
	/* between the threads, atomic: bytes handed over and not dealt with */
	size_t inbox, outbox;
	bool thirsty; /* the other side waits for room */
	/* of the other side */
	void *user;
	/* constant once it is open */
	struct wire_about about;
	/* of the network thread */
	enum conn_state state;
	uint32_t id; /* our stream id */
	struct udx *udx;
	struct wire_event *last; /* WIRE_CLOSED, made in time */
	struct secret_stream *secret;
	struct io_socket *sock;
	size_t at;	  /* in wire.conn */
	size_t sealed;	  /* bytes of outbox inside the stream */
	struct buf early; /* bytes from before the cipher was there */
	size_t debt;	  /* read and not credited */
	uint64_t opened, wrote;
	uint64_t deadline;
	bool dirty; /* to be pumped in this turn */
	bool ending;
	bool released;
	uint64_t gone; /* released: when it is freed */
};

/* One command to the network thread. */
enum wire_order { WIRE_DIAL, WIRE_WRITE, WIRE_DROP, WIRE_RELEASE };

struct wire_command {
	struct io_item item;
	enum wire_order order;
	struct wire_conn *conn;
	uint8_t *data; /* WRITE: the frame */
	size_t len;
	bool graceful;
	uint32_t dial;
	struct peer_at at; /* DIAL */
};

#define WIRE_BUCKETS 256 /* power of two */

/* What the kernel did not take: sent before anything else. */
struct wire_held {
	uint8_t *buf;
	size_t len, segment;
	struct addr to;
};

struct wire {
	struct io *io;
	struct io_queue *in;	   /* of wire_command, to the network thread */
	struct io_queue *out;	   /* of wire_event, to the other side */
	struct io_socket *sock[2]; /* IPv4, IPv6 */
	struct wire_held held[2];
	struct sign_pair pair;
	struct io_item *taken; /* events taken by the other side */
	struct io_list orders; /* of the other side, until it flushes */
	bool woken;	       /* the network thread has something to do */
	uint32_t max;
	size_t room; /* OUT_ROOM, shared; atomic */
	/* network thread */
	struct io_list events; /* of this turn */
	struct wire_conn *bucket[WIRE_BUCKETS];
	struct wire_conn **conn;
	size_t nconns, cap;
	uint8_t *train; /* UDX_TRAIN_MAX */
	bool leaving;
	struct handshakes *hands;
};

/* wire_conn.c: [network thread] */
NODISCARD enum err_code wire_conn_new(struct wire_conn **out, struct wire *w,
    struct io_socket *s, bool initiator, struct err *e);
/* The stream may start: keys are known. */
NODISCARD enum err_code wire_conn_start(struct wire_conn *c, uint32_t remote_id,
    const struct addr *to, const struct noise_keys *keys, uint64_t now,
    struct err *e);
/* The other side has let go: freed in a turn soon. */
void wire_conn_release(struct wire_conn *c, uint64_t now);
void wire_conn_free(struct wire_conn *c);
struct wire_conn *wire_conn_find(struct wire *w, uint32_t id);
void wire_conn_recv(
    struct wire_conn *c, struct view d, const struct addr *from, uint64_t now);
void wire_conn_write(
    struct wire_conn *c, uint8_t *data, size_t len, uint64_t now);
void wire_conn_close(struct wire_conn *c, const char *text);
void wire_conn_pump(struct wire_conn *c, uint64_t now);
void wire_tell(struct wire *w, struct wire_event *ev);
NODISCARD struct wire_event *wire_event_new(
    enum wire_kind kind, struct wire_conn *c);
/* Send a train, or hold what does not go. False: nothing more for now. */
bool wire_transmit(struct wire *w, struct io_socket *s, const uint8_t *buf,
    size_t len, size_t segment, const struct addr *to, struct udx *u);

/* wire_hands.c: handshakes. [network thread] */
NODISCARD enum err_code wire_hands_new(
    struct handshakes **out, struct wire *w, bool listen, struct err *e);
void wire_hands_free(struct handshakes *h);
void wire_hands_recv(struct handshakes *h, struct io_socket *s, struct view d,
    const struct addr *from, uint64_t now);
void wire_hands_dial(struct handshakes *h, uint32_t dial,
    const struct peer_at *at, uint64_t now);
/* A stream that came to us is open, or gone. */
void wire_hands_settled(struct handshakes *h, uint32_t id);
/* Runs what is due; the next deadline. */
uint64_t wire_hands_turn(struct handshakes *h, uint64_t now);

#endif
