/*
 * direct: a HyperDHT connection to or from a known address, without any
 * other node (network.md 3.3, 3.4, 3.6: "direct"; hyperdht@6.34.0). Two pure
 * machines: no socket, clock or thread; microseconds of the clock that udx.h
 * uses. One thread at a time.
 *
 * The dialling side:
 *
 *	dht_dial_new(&d, &opts, now, e);
 *	while (dht_dial_poll(d, now, &packet)) transmit(opts.to, packet);
 *	datagrams that are not UDX: dht_dial_recv(d, v, from)
 *	dht_dial_state(d): DHT_DONE -> dht_dial_take(d, &peer)
 *	timer: dht_dial_deadline(d), then dht_dial_poll again
 *
 * The answering side, for datagrams that no dial took:
 *
 *	switch (dht_listen_recv(l, v, from, now)) {
 *	case DHT_NONE:   break;
 *	case DHT_ANSWER: transmit(from, dht_listen_packet(l)); break;
 *	case DHT_OFFER:  dht_listen_offer(l): who; make a stream, then
 *		dht_listen_accept(l, id, &peer, e), transmit the packet;
 *		or dht_listen_refuse(l): nothing is sent
 *	}
 *
 * The accepting side connects its stream to peer.addr at once; the dialling
 * side does so with dht_dial_take(). Bytes of the other side may come before
 * that: keep them.
 *
 * Answers are never larger than what they answer.
 */
#ifndef NET_DHT_DIRECT_H
#define NET_DHT_DIRECT_H

#include "base/addr.h"
#include "net/noise/noise.h"

#define DHT_PACKET_MAX 1400
#define DHT_SENDS 4 /* one a second */
#define DHT_HANDSHAKES_MAX 256
#define DHT_SOURCE_RATE 8 /* handshakes a second from one host, */
#define DHT_SOURCE_BURST 64
#define DHT_RATE 500 /* and from all together: each costs four DHs */
#define DHT_REMEMBER_US UINT64_C(10000000)
#define DHT_PATIENCE_US UINT64_C(300000)

/* What a finished handshake gives. */
struct dht_peer {
	struct noise_keys keys; /* keys.remote: who it is */
	uint32_t udx_id;	/* the other side's stream */
	struct addr addr;	/* where it is */
	struct addr self;	/* where it saw us; family 0: not told */
	bool reusable;		/* it would take a second stream (feature) */
};
void dht_peer_free(struct dht_peer *p); /* wipes the keys */

/* -- dialling ------------------------------------------------------------- */

enum dht_dial_state {
	DHT_DIALLING,
	DHT_DONE,
	DHT_SILENT,	  /* nothing came that was an answer */
	DHT_UNVERIFIED,	  /* answers came, none from the holder of that key */
	DHT_REFUSED,	  /* it says that it is not the one, or an error */
	DHT_INCOMPATIBLE, /* it speaks another version */
	DHT_NO_MEMORY
};

struct dht_dial;

struct dht_dial_opts {
	const struct sign_pair *pair; /* who we are; copied */
	struct b32 remote;	      /* whom we expect */
	struct addr to;
	uint32_t udx_id;	 /* our stream */
	const struct addr *self; /* our address if known (IPv4); NULL: no */
};

NODISCARD enum err_code dht_dial_new(struct dht_dial **out,
    const struct dht_dial_opts *o, uint64_t now, struct err *e);
void dht_dial_free(struct dht_dial *d); /* NULL is fine */
/* A packet to send to opts.to now? Borrowed until dht_dial_free. Runs the
 * timer that is due. */
bool dht_dial_poll(struct dht_dial *d, uint64_t now, struct view *packet);
uint64_t dht_dial_deadline(const struct dht_dial *d); /* UINT64_MAX: none */
/* A datagram. True: it is an answer to this dial, or pretends to be; a forged
 * one changes nothing but the state after the last second. */
bool dht_dial_recv(
    struct dht_dial *d, struct view datagram, const struct addr *from);
enum dht_dial_state dht_dial_state(const struct dht_dial *d);
const char *dht_dial_text(enum dht_dial_state s); /* for people */
/* Once, when DHT_DONE; the caller frees it. */
void dht_dial_take(struct dht_dial *d, struct dht_peer *out);

/* -- listening ------------------------------------------------------------ */

struct dht_listen;

struct dht_listen_opts {
	const struct sign_pair *pair; /* the server's key pair; copied */
	const struct addr *self; /* its public address (IPv4); NULL: unknown */
};

enum dht_listen_kind {
	DHT_NONE,   /* not for us, or not to be answered */
	DHT_ANSWER, /* dht_listen_packet() is to be sent back */
	DHT_OFFER   /* somebody proved who he is: accept or refuse */
};

struct dht_offer {
	struct b32 remote;
	struct addr addr;
	uint32_t udx_id;
};

NODISCARD enum err_code dht_listen_new(
    struct dht_listen **out, const struct dht_listen_opts *o, struct err *e);
void dht_listen_free(struct dht_listen *l); /* NULL is fine */
enum dht_listen_kind dht_listen_recv(struct dht_listen *l, struct view datagram,
    const struct addr *from, uint64_t now);
const struct dht_offer *dht_listen_offer(const struct dht_listen *l);
/* udx_id: our stream. The same request gets the same answer for
 * DHT_REMEMBER_US. */
NODISCARD enum err_code dht_listen_accept(
    struct dht_listen *l, uint32_t udx_id, struct dht_peer *out, struct err *e);
/* Also what an offer not accepted before the next dht_listen_recv gets: its
 * repetitions are not answered. */
void dht_listen_refuse(struct dht_listen *l);
/* Valid until the next call. */
struct view dht_listen_packet(const struct dht_listen *l);
/* The connection of our stream is open, or given up: it does not count as in
 * flight any more. At most DHT_HANDSHAKES_MAX are; one more takes the place of
 * the oldest after DHT_PATIENCE_US, and is not answered before. The owner ends
 * streams that nobody comes to. */
void dht_listen_settled(struct dht_listen *l, uint32_t udx_id);

#endif
