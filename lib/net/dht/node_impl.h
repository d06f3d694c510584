/*
 * node_impl: a node, as the files of the room see it. Private.
 *
 * dht.c owns the node, hands datagrams out and runs the turns. It knows
 * servers and connects by one thing only, struct node_user: they embed one,
 * add it when they begin, and retire it when they end. A retired user is
 * called no more, and freed by its ops at the end of the next dht_turn() or
 * by dht_free(): so it may end from inside any call, its own included.
 *
 * Requests of others: rpc -> dht.c -> router.c (PEER_HANDSHAKE and
 * PEER_HOLEPUNCH: a server of ours first, else another node's) or serve.c
 * (the rest, if the node is persistent).
 */
#ifndef NET_DHT_NODE_IMPL_H
#define NET_DHT_NODE_IMPL_H

#include "net/dht/dht.h"
#include "net/dht/message.h"
#include "net/dht/records.h"

struct node_user;
struct commons; /* commons.h */

/* Any may be NULL but free. */
struct node_user_ops {
	/* Servers: PEER_HANDSHAKE for their target, of the modes FROM_CLIENT,
	 * FROM_RELAY, FROM_SECOND_RELAY; PEER_HOLEPUNCH of FROM_RELAY with
	 * h->peer. Answered with rpc_answer() or rpc_pass(), now or later
	 * (then from copies). */
	void (*handshake)(struct node_user *u, const struct dht_handshake *h,
	    const struct rpc_incoming *in);
	void (*holepunch)(struct node_user *u, const struct dht_holepunch *h,
	    const struct rpc_incoming *in);
	/* A datagram that is no packet of rpc: a punch. True: it was for this
	 * user, and nobody else is asked. */
	bool (*punched)(struct node_user *u, uint32_t sock,
	    struct view datagram, const struct addr *from, uint64_t now);
	/* Do what is due; the next deadline, UINT64_MAX: none. */
	uint64_t (*turn)(struct node_user *u, uint64_t now);
	void (*event)(struct node_user *u, enum rpc_event ev);
	void (*free)(struct node_user *u);
};

/* First member of a struct dht_server or dht_connect. */
struct node_user {
	const struct node_user_ops *ops;
	struct node_user *next;
	bool retired;
	bool serves;	   /* a server: the next two are set */
	struct b32 target; /* hash of key */
	struct b32 key;
};

struct dht {
	struct rpc *rpc;
	struct dht_env env;
	struct records *records;
	struct dht_search *searches; /* under way */
	struct node_user *users;     /* retired ones included */
	struct commons *commons;     /* what servers and connects share */
	/* the sweep of retired users is due */
	bool sweep;
};

/* May we send there because `by` told us of it? Nobody from elsewhere makes a
 * node send into its own network. */
bool node_may_send(const struct addr *to, const struct addr *by);

/* u->ops and, for a server, its key are set; target is set here. */
void node_add(struct dht *d, struct node_user *u);
void node_retire(struct dht *d, struct node_user *u);
/* The server of ours for a target; NULL: none. */
struct node_user *node_server(struct dht *d, const struct b32 *target);

/* -- router.c: others' handshakes ----------------------------------------- */

void router_handshake(struct dht *d, const struct rpc_incoming *in);
void router_holepunch(struct dht *d, const struct rpc_incoming *in);
/* The address that a server announced itself from, for connects of our own;
 * false: unknown. */
bool router_route(
    struct dht *d, const struct b32 *target, uint64_t now, struct addr *out);

/* -- serve.c: others' records --------------------------------------------- */

void dht_serve_request(struct dht *d, const struct rpc_incoming *in);
/* Records of a key under a target are no longer told. */
void dht_serve_forget(
    struct dht *d, const struct b32 *target, const struct b32 *key);

/* -- search.c ------------------------------------------------------------- */

/* An ANNOUNCE or UNANNOUNCE (c) of pair at one node, which gave the token in
 * n, as the value of a request; appended to b. For announcers. */
void search_announce_value(struct buf *b, enum dht_command c,
    const struct b32 *target, const struct rpc_node *n,
    const struct sign_pair *pair, const struct addr *relay, size_t nrelays);
void search_free_all(struct dht *d); /* untold */

#endif
