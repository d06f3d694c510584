/*
 * rpc: a node of the Kademlia network, as a pure machine (network.md 2;
 * dht-rpc@6.27.0): requests with retries, answers to the internal commands,
 * tokens, routing table and its upkeep, knowledge of the own address and
 * firewall, and whether to be persistent. No socket, clock or thread;
 * microseconds of a clock that never goes back. One thread at a time.
 *
 *	rpc_new(&r, &opts, &env, now, e);
 *	rpc_recv(r, sock, datagram, &from, now);  // if rpc_peek(datagram)
 *	deadline = rpc_turn(r, now);		  // after every change
 *
 * What is sent leaves by env.send at once, from inside the calls. Callbacks
 * may call anything of this header but rpc_free(). They are told once.
 *
 * IPv4 only, as the protocol is. A packet never makes the node contact port
 * 0, itself, or, told by a host that is not local, a reserved address.
 * Answers of its own are at most four times as large as the question. A host
 * of the public internet gets 100 answers a second, and 1,000 at once.
 *
 * rpc_new() sends nothing: the bootstrap begins with the first rpc_turn(). A
 * clock that stands still while the machine sleeps cannot tell RPC_WAKEUP:
 * call rpc_renew() then.
 */
#ifndef NET_RPC_RPC_H
#define NET_RPC_RPC_H

#include "net/rpc/message.h"

#define RPC_K 20    /* nodes of a row, and closest nodes of a query */
#define RPC_SENDS 4 /* of a request, one a second; queries: 6 */
#define RPC_TIMEOUT_US 1000000
#define RPC_BOOTSTRAP_MAX 32

/* Two sockets that every node has; more belong to who opened them. */
enum { RPC_SOCK_CLIENT, RPC_SOCK_SERVER, RPC_SOCK_OTHER };

struct rpc;

/* Somebody asks: valid during the callback only, but rpc_answer() needs no
 * more than this struct and the views it was made of. */
struct rpc_incoming {
	struct rpc_message m; /* m.has_id: the id is that of its source */
	struct addr from;
	uint32_t sock; /* it came to this one: answer from it */
	bool proven;   /* it holds a token that is right: from is real */
	uint64_t now;
};

enum rpc_event {
	RPC_READY,	/* bootstrapped, with or without success */
	RPC_PERSISTENT, /* has an id now, see rpc_about() */
	RPC_EPHEMERAL,	/* has none any more */
	RPC_ADDRESS,	/* the own address or firewall is known anew */
	RPC_WAKEUP	/* the machine slept: everything is old */
};

struct rpc_env {
	void *ctx;
	void (*send)(void *ctx, uint32_t sock, const struct addr *to,
	    struct view packet);
	/* A request that is not internal, with a right token or without one.
	 * Nothing done: no answer. NULL: all are unknown commands. */
	void (*request)(void *ctx, const struct rpc_incoming *in);
	void (*event)(void *ctx, enum rpc_event ev); /* may be NULL */
};

enum rpc_role {
	RPC_ADAPTIVE,	 /* persistent after 20 minutes of being reachable */
	RPC_CLIENT_ONLY, /* never */
	RPC_SERVER	 /* as soon as the address is known and reachable */
};

struct rpc_opts {
	enum rpc_role role;
	/* The public address of the server socket, if it is known to the
	 * operator: persistent at once with RPC_SERVER and `open`. NULL: found
	 * out (by the first node of a network, from the second one). */
	const struct addr *self;
	uint16_t port;		      /* of the server socket */
	bool open;		      /* take it for reachable without a test */
	const struct addr *bootstrap; /* copied; none: a network of its own */
	size_t nbootstrap;
	const struct addr *known; /* nodes of last time; copied, may be old */
	size_t nknown;
	const struct b32 *seed; /* for tests; NULL: the system's randomness */
};

NODISCARD enum err_code rpc_new(struct rpc **out, const struct rpc_opts *o,
    const struct rpc_env *env, uint64_t now, struct err *e);
/* Requests and queries that are under way are forgotten, untold. */
void rpc_free(struct rpc *r); /* NULL is fine */
void rpc_recv(struct rpc *r, uint32_t sock, struct view datagram,
    const struct addr *from, uint64_t now);
uint64_t rpc_turn(struct rpc *r, uint64_t now); /* the next deadline */
/* The network changed (another interface, address): test everything again. */
void rpc_renew(struct rpc *r, uint64_t now);

/* -- what it knows -------------------------------------------------------- */

struct rpc_about {
	bool ready, firewalled, persistent;
	struct addr self; /* as others see it; family 0: unknown; port 0: it
			   * differs from node to node ("random" NAT) */
	unsigned samples; /* answers that say so; one alone does not differ */
	struct b32 id;	  /* if persistent */
	size_t nodes;	  /* in the table */
	bool online;	  /* some of the last requests were answered */
};
void rpc_about(const struct rpc *r, struct rpc_about *out);
/* Up to n addresses of nodes heard of lately, the freshest first, for
 * rpc_opts.known of next time. Returns how many. */
size_t rpc_known(const struct rpc *r, struct addr *out, size_t n);
/* Is it one nobody can reach from elsewhere (private, loopback, ...)? */
bool rpc_addr_reserved(const struct addr *a);

/* -- requests ------------------------------------------------------------- */

struct rpc_reply {
	const struct rpc_message *m; /* NULL: nobody answered */
	struct addr from;	     /* the node that was asked */
	uint32_t sock;		     /* the answer came to this one */
	uint64_t rtt_us;	     /* since its last sending */
	uint64_t now;
};

struct rpc_ask {
	struct addr to;
	uint32_t sock; /* UINT32_MAX: the one that fits (2.3) */
	bool internal, has_target, has_token;
	uint64_t command;
	struct b32 target, token;
	struct view value; /* copied */
	unsigned sends;	   /* 0: RPC_SENDS */
	/* Once, from rpc_recv or rpc_turn; not after rpc_forget(). */
	void (*done)(void *ctx, const struct rpc_reply *reply);
	void *ctx;
};

/* A number that names the request; never 0. ERR_INVALID: no such address;
 * ERR_LIMIT: the value is too large, or too many requests are under way. Sent
 * at once, or when the line has room. Only the node that was asked can answer,
 * from the address that was asked; a relay does so for whom it asks. */
NODISCARD enum err_code rpc_request(struct rpc *r, const struct rpc_ask *ask,
    uint64_t now, uint64_t *out, struct err *e);
void rpc_forget(struct rpc *r, uint64_t request); /* done or unknown: fine */

enum rpc_answer_flags { RPC_NO_TOKEN = 1, RPC_NO_CLOSER = 2 };
/* The answer, with a token and closer nodes if there is a target. Without
 * closer nodes if it is too large with them; not at all if it still is. */
void rpc_answer(struct rpc *r, const struct rpc_incoming *in,
    enum rpc_error error, struct view value, int flags);
/* Pass something on as a packet of its own with a tid of somebody else:
 * requests (and the last hop's reply) of relays (3.4). m.to is set here; the
 * id is added where it belongs. sock: RPC_SOCK_SERVER, or where it came. */
void rpc_pass(struct rpc *r, uint32_t sock, const struct addr *to,
    const struct rpc_message *m);

/* -- queries (2.6) -------------------------------------------------------- */

struct rpc_query;

/* A node that answered, with a valid id; sorted by distance at the end. */
struct rpc_node {
	struct b32 id;
	struct addr addr;
	bool has_token;
	struct b32 token;
};

struct rpc_query_opts {
	bool internal;
	uint64_t command;
	struct b32 target;
	struct view value;	  /* copied */
	const struct addr *start; /* beside the table: closest of last time */
	size_t nstart;
	bool background; /* concurrency 2 instead of 10 */
	/* Each answer without an error, as it comes. May be NULL. */
	void (*reply)(void *ctx, const struct rpc_reply *reply);
	/* Fill in the request that commits at a node (to and token are set);
	 * false: none. NULL: the query does not commit. */
	bool (*commit)(
	    void *ctx, const struct rpc_node *n, struct rpc_ask *ask);
	/* The end: the closest nodes (at most RPC_K), how many answered, and
	 * how many commits were answered well. Not after a cancel. The query
	 * is freed behind it. */
	void (*done)(void *ctx, const struct rpc_node *closest, size_t n,
	    size_t answers, size_t commits, uint64_t now);
	void *ctx;
};

/* Value that commit() points ask.value to must live until it returns. */
NODISCARD enum err_code rpc_query_start(struct rpc_query **out, struct rpc *r,
    const struct rpc_query_opts *o, uint64_t now, struct err *e);
void rpc_query_cancel(struct rpc_query *q); /* before done */

#endif
