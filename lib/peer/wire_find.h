/* wire_find: what the files of the finding share. Private to lib/peer. */
#ifndef PEER_WIRE_FIND_H
#define PEER_WIRE_FIND_H

#include "peer/wire_impl.h"
#include "swarm/swarm.h"

#define INTERFACES_MAX 16

/* A peer that is being dialled. */
struct seek {
	struct finding *finding;
	struct wire_conn *conn;
	struct dht_connect *connect; /* NULL: it has ended */
	struct b32 key;
	bool proposed;	      /* to meet at our relay */
	bool admitted;	      /* open through a relay; another way is sought */
	enum dht_failure why; /* it ended, and the relay is left */
	const char *unmet;    /* why not even there; NULL: not known */
};

struct finding {
	struct wire *wire;
	struct dht *dht;
	struct swarm *swarm;
	struct dht_server *server; /* NULL: until something is announced */
	struct addr interface[INTERFACES_MAX];
	size_t ninterfaces;
	uint64_t look;	 /* at the interfaces */
	uint64_t asleep; /* how long the machine was, since it started */
	bool changed;	 /* the other side has something to hear */
	uint64_t told;
	int quitting; /* parts that have not said that they are done */
	bool has_relay;
	struct b32 relay;	 /* where we propose to meet */
	struct through *through; /* all of wire_relay.c */
};

/* wire_seek.c */
/* Both of struct swarm_env. */
bool wire_seek_dial(void *ctx, const struct swarm_peer_about *p, uint64_t now);
void wire_seek_undial(void *ctx, const struct b32 *key);
/* A dial is over, well or badly, and nobody asked to hear of it. */
void wire_seek_end(struct wire_conn *c);
void wire_seek_stop_awaiting(struct wire_conn *c);
/* It is open: no dial goes on but one for a better way. */
void wire_seek_opened(struct wire_conn *c);
/* Nothing came of the relay, and perhaps of nothing else before. */
void wire_seek_unmet(struct wire_conn *c, const char *why, uint64_t now);
/* A socket of hole punching is the connection's from now on; the one before
 * goes. */
void wire_seek_take_sock(struct wire_conn *c, struct wire_sock *s);
/* Its socket and address are known. */
void wire_seek_start(struct finding *f, struct wire_conn *c,
    struct wire_sock *s, const struct dht_peer *p, const struct addr *to,
    uint64_t now);
/* Answer under our key from now on. */
NODISCARD enum err_code wire_seek_listen(
    struct finding *f, uint64_t now, struct err *e);

/* wire_find.c */
void wire_find_changed(struct finding *f);
void wire_find_failed(
    struct finding *f, const struct b32 *key, const char *text);

#endif
