/*
 * server_impl: a listening server, as its files see it. Private.
 *
 * server.c	life, and what it is told from outside
 * server_hands.c	handshakes: PEER_HANDSHAKE
 * server_punch.c	hole punching: PEER_HOLEPUNCH
 *
 * A table of fixed size holds every first message that was taken, for as long
 * as the same may come again. Strangers cannot make it grow: a message costs
 * an entry only after its sender's host had one left to spend (limit.h), and
 * of the sockets for punching each server has at most SERVER_PUNCHES.
 */
#ifndef NET_DHT_SERVER_IMPL_H
#define NET_DHT_SERVER_IMPL_H

#include "net/dht/announcer.h"
#include "net/dht/hello.h"
#include "net/dht/impl.h"
#include "net/dht/punch.h"
#include "net/rpc/limit.h"

#define SERVER_PUNCHES 32
/* With more of them, a host or a relay makes room for others. */
#define SERVER_PUNCHES_CLIENT (SERVER_PUNCHES / 8)
#define SERVER_PUNCHES_RELAY (SERVER_PUNCHES / 2)
#define SERVER_REPLY_MAX 512 /* noise 2 with all its lists */
#define SERVER_WAIT_US UINT64_C(10000000)
/* In a flood: how long one keeps its entry, and its socket, at least. The
 * first packet of an honest client is here in that time. */
#define SERVER_PATIENCE_US UINT64_C(300000)
#define SERVER_PUNCH_PATIENCE_US UINT64_C(2000000)
/* Handshakes a second: of all who come directly, and of each relay. */
#define SERVER_DIRECT_RATE 250
#define SERVER_RELAY_RATE 128

enum session_state {
	SESSION_FREE,
	SESSION_FLYING,	 /* answered, its stream is not open yet */
	SESSION_SETTLED, /* open, given up, or an error was the answer */
	SESSION_REFUSED
};

/* A hole punch message that waits until we know what our NAT is. */
struct session_question {
	bool waits;
	enum punch_allow allow;
	struct punch_payload said;
	struct addr from, peer; /* the relay, and the client as it sees it */
	uint32_t sock;
	uint16_t tid;
};

/* One first message. Its index in the table is its id for hole punching. */
struct session {
	enum session_state state;
	struct b32 hash;	  /* of noise 1 */
	struct addr from, client; /* who sent it, and for whom */
	uint32_t udx_id;
	bool waits; /* FLYING: its address is not known yet */
	uint64_t since, expires;
	size_t len;
	uint8_t reply[SERVER_REPLY_MAX];
	/* hole punching, if secret is there */
	struct secret secret;
	enum dht_firewall remote;
	struct punch *punch; /* NULL: none yet, or not any more */
	bool answers_there;  /* from the socket of the punch */
	bool talked;	     /* a hole punch message proved the client */
	uint64_t round;
	struct session_question question;
};

struct dht_server {
	struct node_user user; /* first */
	struct dht *d;
	struct sign_pair pair;
	struct dht_server_opts o;
	struct announcer announcer;
	/* direct clients and unknown relays; our relays; their clients */
	struct limit strangers, relays, clients;
	struct b32 token_key;
	uint64_t now; /* of the last call */
	bool closed;
	void (*close_done)(void *ctx);
	void *close_ctx;
	size_t flying, punches;
	struct session session[DHT_HANDSHAKES_MAX];
};

/* server.c */
void server_settle(struct dht_server *s, struct session *x);
/* Let its stream go, if that waits. */
void server_give_up(struct dht_server *s, struct session *x, const char *why);

/* server_hands.c */
void server_handshake(struct dht_server *s, const struct dht_handshake *h,
    const struct rpc_incoming *in);

/* server_punch.c */
/* A socket to punch with, if there is one for this session. */
void server_punch_open(struct dht_server *s, struct session *x);
void server_punch_close(struct dht_server *s, struct session *x);
void server_holepunch(struct dht_server *s, const struct dht_holepunch *h,
    const struct rpc_incoming *in);
/* What is due; the next deadline. It may end the session. */
uint64_t server_punch_turn(struct dht_server *s, struct session *x);
/* PEER_HANDSHAKE or PEER_HOLEPUNCH back to a relay, for it to pass on. */
void server_pass(struct dht_server *s, uint32_t sock, const struct addr *to,
    uint16_t tid, enum dht_command c, const struct buf *value);

#endif
