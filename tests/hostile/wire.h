/*
 * wire: a liar with a socket. Handshake, stream and cipher are the project's
 * own, one layer of them can be bent: what goes out passes through `tap`, and
 * a lie may take over at any step. Blocking, one connection, one thread.
 */
#ifndef TESTS_HOSTILE_WIRE_H
#define TESTS_HOSTILE_WIRE_H

#include "liar.h"
#include "net/dht/direct.h"
#include "net/secret/secret_stream.h"
#include "net/udx/udx.h"

struct wire;

struct wire_lie {
	const char *name;
	enum lie_end end;
	const char *reason;
	/* Each takes over where it is set; else the honest thing is done. */
	void (*dial)(struct wire *w);	/* instead of a handshake */
	void (*stream)(struct wire *w); /* instead of the cipher's header */
	void (*open)(struct wire *w);	/* the connection is open both ways */
	/* A datagram that goes out, to be changed; false: it does not go. */
	bool (*tap)(struct wire *w, uint8_t *p, size_t n);
	const struct lie *says; /* then, on a channel of the core */
	unsigned kind;
	enum { AT_ONCE, LATE } when; /* LATE: the end takes many seconds */
	bool no_client;		     /* the core is not opened after the lie */
};

struct wire {
	int fd;
	struct addr to;
	struct sign_pair pair;
	struct b32 remote; /* the key of the victim */
	uint32_t id, remote_id;
	struct dht_dial *dial;
	struct dht_listen *listen;
	struct udx *udx;
	struct secret_stream *secret;
	struct noise_keys keys;
	bool connected, told;
	const struct wire_lie *lie;
	struct lie plain; /* what it says inside, if not lie->says */
	const struct lie *inner;
	struct core *truth;
	struct liar liar;
	bool talking; /* liar is set up */
	bool closed;
	unsigned taps;
	uint8_t train[UDX_TRAIN_MAX];
};

extern const struct wire_lie lies_packet[], lies_stream[], lies_hand[];

uint64_t wire_now(void);
/* host: 127.0.0.N. seed: who it is. */
NODISCARD enum err_code wire_init(
    struct wire *w, unsigned host, uint64_t seed, struct err *e);
void wire_deinit(struct wire *w);
void wire_to(struct wire *w, const struct addr *to, const struct b32 *key);
NODISCARD enum err_code wire_listen(struct wire *w, struct err *e);
uint16_t wire_port(const struct wire *w);
/* Begin to dial; the rest happens in wire_turn(). */
NODISCARD enum err_code wire_handshake(struct wire *w, struct err *e);
/* Up to `ms` of waiting, then whatever is due. */
void wire_turn(struct wire *w, int ms);
/* Turns, for so long or until the connection is over. */
void wire_run(struct wire *w, unsigned ms);

/* -- what lies are made of ------------------------------------------------ */

void wire_datagram(struct wire *w, struct view v);
/* A packet of the stream as it is, behind the header of this type. */
void wire_packet(struct wire *w, uint8_t type, uint32_t seq, uint32_t ack,
    uint32_t window, struct view rest);
/* Bytes of the stream, not encrypted. */
void wire_bytes(struct wire *w, struct view v);
/* A frame, encrypted. */
void wire_frame(struct wire *w, struct view plain);
/* The sealed bytes of a frame. */
void wire_seal(struct wire *w, struct view plain, struct buf *out);
/* The header of the cipher that should be sent first. */
void wire_header(struct wire *w, struct buf *out);
void wire_destroy(struct wire *w); /* DESTROY, and nothing after it */

#endif
