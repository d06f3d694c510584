/* wire_impl: what the files of wire share. Private. */
#ifndef PEER_WIRE_IMPL_H
#define PEER_WIRE_IMPL_H

#include "net/io/io.h"
#include "net/secret/secret_stream.h"
#include "net/udx/udx.h"
#include "peer/wire.h"

struct seek;
struct finding;
struct through;

#define SECOND UINT64_C(1000000)
#define KEEPALIVE_US (5 * SECOND) /* as HyperDHT sets it */
#define OPEN_US (15 * SECOND)	  /* to say hello on a new stream */
#define AWAIT_US (60 * SECOND)	  /* for a hole; punching ends before */
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
#define WINDOW_LEAST (64u << 10)
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
	struct wire_sock *sock; /* NULL: not known before it starts */
	struct seek *seek;	/* being looked for in the DHT */
	/* Came through the DHT: its handshake has not settled. */
	bool offered;
	struct dht_peer *awaits; /* starts when the remote's first packet says
				  * where it is; NULL: does not wait */
	bool counted;		 /* by the swarm */
	bool used;		 /* bytes went both ways, and the swarm knows */
	bool doomed;		 /* by the swarm: closed at the next chance */
	bool second;		 /* there is another one to this peer */
	/* A relay between both sides (wire_relay.h). */
	struct through *through; /* NULL: none */
	bool borrows;		 /* its socket is that of the way there */
	bool link;		 /* it is such a way, and told to nobody: */
	struct through *serves;	 /* for this one; NULL: it hangs up, */
	uint64_t hang_up;	 /* or is closed by then; 0: no */
	size_t at;		 /* in wire.conn */
	size_t sealed;		 /* bytes of outbox inside the stream */
	struct buf early;	 /* bytes from before the cipher was there */
	size_t debt;		 /* read and not credited */
	uint64_t opened, wrote;
	uint64_t deadline;
	bool dirty; /* to be pumped in this turn */
	bool ending;
	bool released;
	uint64_t gone; /* released: when it is freed */
};

/* One command to the network thread. */
enum wire_order {
	WIRE_DIAL,
	WIRE_WRITE,
	WIRE_DROP,
	WIRE_RELEASE,
	WIRE_JOIN,
	WIRE_LEAVE,
	WIRE_JOIN_PEER,
	WIRE_SERVE,
	WIRE_REFRESH,
	WIRE_BAN,
	WIRE_QUIT
};

struct wire_command {
	struct io_item item;
	enum wire_order order;
	struct wire_conn *conn;
	uint8_t *data; /* WRITE: the frame */
	size_t len;
	bool graceful;
	uint32_t dial;
	struct peer_at at; /* DIAL; key: of topics and peers */
	int flags;	   /* JOIN */
};

#define WIRE_BUCKETS 256 /* power of two */

/* A socket. The three that every wire may have, and those of hole punching,
 * of which each belongs to one connection in the end. */
enum wire_fixed {
	WIRE_SOCK_CLIENT, /* of the DHT: RPC_SOCK_CLIENT */
	WIRE_SOCK_4,	  /* the listening one: RPC_SOCK_SERVER */
	WIRE_SOCK_6,
	WIRE_SOCK_FIXED
};

struct wire_sock {
	struct io_socket *io;
	uint32_t number; /* of the DHT; fixed ones: enum wire_fixed */
	bool owned;	 /* by a connection: goes with it */
	/* what the kernel did not take: sent before anything else */
	uint8_t *held;
	size_t len, segment;
	struct addr to;
};

/* So many bytes a second, with a little credit saved up. What was taken
 * beyond it (a datagram is sent whole) is owed. */
struct wire_rate {
	uint64_t rate; /* 0: no limit; at most WIRE_RATE_MAX */
	uint64_t at;
	int64_t credit; /* millionths of a byte: nothing is ever rounded */
};
#define WIRE_RATE_MAX (UINT64_C(1) << 40)
#define WIRE_RATE_BYTE INT64_C(1000000)

struct wire {
	struct io *io;
	struct io_queue *in;  /* of wire_command, to the network thread */
	struct io_queue *out; /* of wire_event, to the other side */
	struct wire_sock *fixed[WIRE_SOCK_FIXED]; /* NULL: not open */
	struct sign_pair pair;
	struct io_item *taken; /* events taken by the other side */
	struct io_list orders; /* of the other side, until it flushes */
	bool woken;	       /* the network thread has something to do */
	bool watches;	       /* fixed from the opening on */
	uint32_t max;
	size_t room; /* OUT_ROOM, shared; atomic */
	/* network thread */
	struct io_list events; /* of this turn */
	struct wire_conn *bucket[WIRE_BUCKETS];
	struct wire_conn **conn;
	size_t nconns, cap;
	size_t turns;
	uint8_t *train;		 /* UDX_TRAIN_MAX */
	struct wire_sock **sock; /* all that are open, the fixed ones first */
	size_t nsocks, socks_cap;
	uint32_t sock_number; /* of the last one that was opened */
	struct wire_rate up, down;
	enum wire_fixed listens;
	struct handshakes *hands;
	struct finding *finding; /* NULL: only addresses given by hand */
};

/* wire_sock.c: sockets. [network thread] */
NODISCARD enum err_code wire_sock_open(struct wire_sock **out, struct wire *w,
    enum wire_fixed fixed, const struct addr *at, struct err *e);
/* One of hole punching, beside the main one; NULL: not possible now. */
struct wire_sock *wire_sock_more(struct wire *w);
void wire_sock_close(struct wire *w, struct wire_sock *s);
void wire_sock_close_all(struct wire *w); /* frees only: io closes them */
/* By the socket a datagram came from, or its number; NULL: none. */
struct wire_sock *wire_sock_of(struct wire *w, const struct io_socket *s);
struct wire_sock *wire_sock_number(struct wire *w, uint32_t number);
void wire_sock_flush(struct wire *w); /* what was held */
/* Send a train, or hold what does not go. False: nothing more for now. */
bool wire_transmit(struct wire_sock *s, const uint8_t *buf, size_t len,
    size_t segment, const struct addr *to, struct udx *u);
/* Bytes that may pass now; they count once they are taken. */
size_t wire_rate_room(struct wire_rate *r, uint64_t now);
void wire_rate_take(struct wire_rate *r, size_t bytes);
/* When there is room again. */
uint64_t wire_rate_next(const struct wire_rate *r, uint64_t now);

/* wire_conn.c: [network thread] */
NODISCARD enum err_code wire_conn_new(struct wire_conn **out, struct wire *w,
    struct wire_sock *s, bool initiator, struct err *e);
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
/* wire_hands.c: handshakes. [network thread] */
NODISCARD enum err_code wire_hands_new(
    struct handshakes **out, struct wire *w, bool listen, struct err *e);
void wire_hands_free(struct handshakes *h);
/* False: it is nobody's. */
bool wire_hands_recv(struct handshakes *h, struct wire_sock *s, struct view d,
    const struct addr *from, uint64_t now);
void wire_hands_dial(struct handshakes *h, uint32_t dial,
    const struct peer_at *at, uint64_t now);
/* A stream that came to us is open, or gone. */
void wire_hands_settled(struct handshakes *h, uint32_t id);
/* Strangers may take half of the places at most until they have proved that
 * they are there: a flood of handshakes shuts out nobody. False: no place for
 * another one now. In wire_seek.c. */
bool wire_seek_make_way(struct wire *w, uint64_t now);
/* Runs what is due; the next deadline. */
uint64_t wire_hands_turn(struct handshakes *h, uint64_t now);

/* wire_find.c: the DHT and the swarm. [network thread] */
NODISCARD enum err_code wire_find_new(struct finding **out, struct wire *w,
    const struct wire_discovery *o, struct err *e);
/* Connections are freed before, with their seeks. */
void wire_find_free(struct finding *f);
void wire_find_recv(struct finding *f, struct wire_sock *s, struct view d,
    const struct addr *from, uint64_t now);
uint64_t wire_find_turn(struct finding *f, uint64_t now);
void wire_find_obey(
    struct finding *f, const struct wire_command *cmd, uint64_t now);
/* A UDX packet for a connection that has not started. */
void wire_find_packet(struct finding *f, struct wire_conn *c,
    struct wire_sock *s, const struct addr *from, uint64_t now);
/* The cipher is open. False: it is one too many, and to be closed. */
bool wire_find_admit(struct finding *f, struct wire_conn *c, uint64_t now);
void wire_find_used(struct finding *f, struct wire_conn *c);
/* Open, closed or given up: its handshake is over. */
void wire_find_settled(struct finding *f, struct wire_conn *c);
void wire_find_closed(struct finding *f, struct wire_conn *c, uint64_t now);

#endif
