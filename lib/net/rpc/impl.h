/*
 * impl: what the files of the machine share. Private to the room.
 *
 *	rpc.c	    packets in and out, the internal commands
 *	requests.c  requests under way: when they are sent, and again
 *	query.c	    lookups
 *	upkeep.c    the table: who enters, who is asked whether it lives; ticks
 *	reach.c	    bootstrap, address, firewall, ephemeral or persistent
 */
#ifndef NET_RPC_IMPL_H
#define NET_RPC_IMPL_H

#include "net/rpc/limit.h"
#include "net/rpc/routes.h"
#include "net/rpc/rpc.h"
#include "net/rpc/sampler.h"
#include "net/rpc/tokens.h"

#define RPC_SECOND UINT64_C(1000000)
#define RPC_TICK_US (5 * RPC_SECOND)
#define RPC_SLOT_US UINT64_C(750000)
#define RPC_SLOTS 4
#define RPC_TID_CHAINS 256
#define RPC_DELAYED_MAX 128 /* answers that wait (DELAYED_PING) */
#define RPC_GREETS_MAX 16   /* strangers that are asked for a sign of life */
#define RPC_SWAPS_MAX 3	    /* full rows whose oldest node is asked */
#define RPC_CHECKS_MAX 10   /* nodes said to be down, asked at once */
#define RPC_SAMPLES_MAX RPC_BOOTSTRAP_MAX

/* -- requests.c ------------------------------------------------------------ */

struct request;

struct request_list {
	struct request *first, *last;
};

struct requests {
	struct request *by_tid[RPC_TID_CHAINS];
	/* waiting for the line; sent, in the order of their deadlines */
	struct request_list waiting, sent;
	size_t n, nsent;
	/* what was sent in this slot and the three before, less answers */
	unsigned slot[RPC_SLOTS], total, at;
	uint64_t slot_end;
};

/* As rpc_request(); `again`, unless NULL, is told when the first sending had
 * no answer within its second. */
NODISCARD enum err_code rpc_request_start(struct rpc *r,
    const struct rpc_ask *ask, void (*again)(void *ctx, const struct addr *to),
    uint64_t now, uint64_t *out, struct err *e);
/* The number of the request that a reply from `from` answers; 0: none. */
uint64_t rpc_request_find(
    const struct rpc *r, uint16_t tid, const struct addr *from);
/* It is told, and over. One that was forgotten meanwhile: nothing. */
void rpc_request_answer(struct rpc *r, uint64_t number,
    const struct rpc_message *m, uint32_t sock, uint64_t now);
void rpc_requests_turn(struct rpc *r, uint64_t now);
uint64_t rpc_requests_deadline(const struct rpc *r);
void rpc_requests_free(struct rpc *r);

/* -- upkeep.c -------------------------------------------------------------- */

struct swap { /* `old` lives, or `fresh` takes its place */
	bool used;
	struct addr old, fresh;
};

struct upkeep {
	uint64_t tick, next, last; /* number; times of the next, the last */
	unsigned refresh;	   /* ticks until the table is refreshed */
	unsigned young; /* looks for neighbours since it is persistent */
	uint64_t look;	/* when the next one is */
	struct rpc_query *query; /* that does it, or NULL */
	unsigned checks;
	struct swap swap[RPC_SWAPS_MAX];
	struct addr greet[RPC_GREETS_MAX]; /* family 0: free */
	unsigned hints;			   /* DOWN_HINTs sent this tick */
	/* answers and failures, at the last tick and now */
	uint64_t answers, failures, answers_then, failures_then;
	unsigned silent; /* ticks without any answer, in a row */
	bool online;
};

void rpc_upkeep_init(struct rpc *r, const struct rpc_opts *o, uint64_t now);
void rpc_upkeep_turn(struct rpc *r, uint64_t now);
uint64_t rpc_upkeep_deadline(const struct rpc *r);
/* A valid request, a reply: what they say about the table and ourselves. */
void rpc_heard_request(
    struct rpc *r, const struct rpc_incoming *in, uint64_t now);
void rpc_heard_reply(struct rpc *r, uint32_t sock, const struct rpc_message *m,
    const struct addr *from, uint64_t now);
/* Somebody says that a node is down. */
void rpc_heard_down(struct rpc *r, const struct addr *node, uint64_t now);
/* A request was sent in vain as often as it may be. */
void rpc_heard_nothing(struct rpc *r, const struct addr *to);
void rpc_refresh(struct rpc *r, uint64_t now);
/* A query keeps the table fresh as well. */
void rpc_queried(struct rpc *r);

/* -- reach.c --------------------------------------------------------------- */

enum boot {
	BOOT_NEW,   /* nothing was sent yet */
	BOOT_FIRST, /* the first query */
	BOOT_TEST,  /* the firewall */
	BOOT_AGAIN, /* the second query, as the node we are now */
	BOOT_DONE
};

enum reach_aim { REACH_FIREWALL, REACH_PERSISTENT };

struct reach {
	enum boot boot;
	struct rpc_query *query; /* of the bootstrap, or NULL */
	bool told_ready;
	bool quick_sent, quick_passed; /* the one PING_NAT of the bootstrap */
	/* it was in vain, or for another network: again, once there are more
	 * answers than `heard` */
	bool again;
	uint64_t heard;
	bool firewalled, persistent;
	struct sampler nat;
	/* nodes without an id that nat has a sample of */
	struct addr sample[RPC_SAMPLES_MAX];
	size_t nsample;
	unsigned stable;    /* ticks until the next test, if ephemeral */
	struct addr tested; /* the host at the last test for persistence */

	/* a test under way: `asked` nodes, `missing` of them not heard yet */
	bool testing;
	enum reach_aim aim;
	unsigned asked, missing, passed;
	struct sampler probe;
	struct addr host; /* nat's, when the test began */
};

void rpc_reach_init(struct rpc *r, const struct rpc_opts *o);
void rpc_reach_turn(struct rpc *r, uint64_t now);
void rpc_reach_tick(struct rpc *r, uint64_t now);
void rpc_reach_wakeup(struct rpc *r);
/* Another says that this is our address. */
void rpc_reach_sample(struct rpc *r, const struct addr *self);
/* The same of a node that has no id: of a few only. */
void rpc_reach_bare_sample(
    struct rpc *r, const struct addr *from, const struct addr *self);
void rpc_reach_renew(struct rpc *r, uint64_t now);
/* The own address as far as it is known: see rpc_about.self. */
const struct addr *rpc_reach_self(const struct rpc *r);

/* -- rpc.c ----------------------------------------------------------------- */

struct delayed { /* a DELAYED_PING's answer */
	uint64_t due;
	uint32_t sock;
	uint16_t tid;
	struct addr to;
};

struct rpc {
	struct rpc_env env;
	enum rpc_role role;
	uint16_t port;
	bool open;
	struct addr self; /* family 0: found out */
	struct addr bootstrap[RPC_BOOTSTRAP_MAX];
	size_t nbootstrap;

	struct b32 seed; /* of everything random, with a count */
	uint64_t nrandom;
	uint64_t number; /* of the last request */

	struct tokens tokens;
	struct limit limit;
	struct routes routes;
	struct requests requests;
	struct upkeep upkeep;
	struct reach reach;
	struct rpc_query *queries;
	struct delayed delayed[RPC_DELAYED_MAX];
	size_t ndelayed;
	struct buf out; /* the answer under way */
};

void rpc_random32(struct rpc *r, struct b32 *out);
uint64_t rpc_random(struct rpc *r, uint64_t below);
void rpc_tell(struct rpc *r, enum rpc_event ev);
/* The socket requests leave from: that which answers come back to. */
uint32_t rpc_sock(const struct rpc *r);
/* Puts the id in where it belongs, and sends. False: too large. */
bool rpc_transmit(struct rpc *r, uint32_t sock, const struct addr *to,
    const struct rpc_message *m);
/* Is it our own address? */
bool rpc_is_self(const struct rpc *r, const struct addr *a);

/* -- query.c --------------------------------------------------------------- */

void rpc_queries_turn(struct rpc *r, uint64_t now);
bool rpc_queries_due(const struct rpc *r);
void rpc_queries_free(struct rpc *r);

/* -- address.c ------------------------------------------------------------- */

/* May a node contact `a` because `from` told it? */
bool rpc_addr_believed(const struct addr *a, const struct addr *from);

#endif
