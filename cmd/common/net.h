/*
 * net: a command that may ask peers, or serve them. Options, progress and
 * events are the same everywhere.
 */
#ifndef CMD_COMMON_NET_H
#define CMD_COMMON_NET_H

#include "cli/cli.h"
#include "multisig/peers.h"
#include "pear/link.h"
#include "peer/node.h"

#define COMMON_PEER_OPTION(type, field) \
	{ \
		"peer", 0, CLI_LIST, offsetof(type, field), "<host:port:key>", \
		    "Fetch what is missing from this peer (repeatable)", NULL \
	}

/* What one direction did since the last look. */
struct common_rate {
	uint64_t at, bytes; /* at the last look */
	double speed;	    /* bytes a second, smoothed */
};

#define COMMON_NODES_MAX 32 /* of a bootstrap list */
#define COMMON_TOPICS_MAX 8

struct common_net {
	struct cli *cli;
	struct store *store;
	struct peer_node *node; /* NULL: nothing was asked of peers yet */
	bool offline;		/* nothing will be */
	struct peer_at at[PEER_AT_MAX];
	size_t nat;
	const char *const *nodes; /* lists of the nodes to begin with */
	size_t nnodes;
	struct addr bootstrap[COMMON_NODES_MAX]; /* of the start on */
	struct b32 relay; /* what discovery.relay points to */
	struct peer_discovery discovery;
	bool discovers;
	struct b32 topic[COMMON_TOPICS_MAX];
	size_t ntopics;
	struct fetch fetch; /* opens the node when something is missing */
	struct common_rate down, up;
	uint64_t shown;	   /* time of the last stats event */
	uint64_t least_us; /* between two of them */
	struct peers peers;
	bool knows_own;
	struct b32 own; /* who serves this store, when it is served */
};

/* A store that may have to take blocks of peers must be writable, and may be
 * new. */
enum store_mode common_net_mode(
    const struct cli *c, const struct cli_list *peers, enum store_mode mode);
/* The words of --peer; at has room for PEER_AT_MAX. ERR_USAGE names one that
 * is no peer. */
NODISCARD enum err_code common_net_words(
    struct peer_at *at, const struct cli_list *peers, struct err *e);
/* "host:port,...": names are looked up, and left out if nobody knows them.
 * "none": no DHT, only peers that are given by hand; NULL or empty: the public
 * one. out has room for COMMON_NODES_MAX; *none is set for "none". ERR_USAGE;
 * ERR_PEERS if no node is left. */
NODISCARD enum err_code common_net_bootstrap(
    struct addr *out, size_t *n, bool *none, const char *text, struct err *e);
/* The same for n, from several lists, which live as long as n: read now, names
 * are looked up when something is asked of peers for the first time. */
NODISCARD enum err_code common_net_nodes(struct common_net *n,
    const char *const *nodes, size_t count, struct err *e);
/* Look them up. */
NODISCARD enum err_code common_net_names(struct common_net *n, struct err *e);
/* The key of a blind relay, for peers that no way is found to through both
 * NATs; d->relay points to *key. NULL or empty: none. ERR_USAGE. */
NODISCARD enum err_code common_net_relay(
    struct peer_discovery *d, struct b32 *key, const char *text, struct err *e);
/* No socket is opened before something is asked of peers, and none ever with
 * --offline or when the store can only be read. ERR_USAGE: peers with
 * --offline, or one that is no peer. Ends with common_net_close() in any
 * case. */
NODISCARD enum err_code common_net_open(struct common_net *out, struct cli *c,
    struct store *s, const struct cli_list *peers, struct err *e);
void common_net_close(struct common_net *n);
/* NULL if nothing will be asked. */
const struct fetch *common_net_fetch(struct common_net *n);
const struct peers *common_net_peers(struct common_net *n);
/* Open the node now, unless offline; n->node says whether. */
NODISCARD enum err_code common_net_start(struct common_net *n, struct err *e);

/* Take part in the topic of a core or drive: PEER_CLIENT, PEER_SERVER. */
NODISCARD enum err_code common_net_join(
    struct common_net *n, const struct b32 *key, int flags, struct err *e);
/* Look for the peers of a core or drive, from now on, or from the start of
 * the node on. */
NODISCARD enum err_code common_net_topic(
    struct common_net *n, const struct b32 *key, struct err *e);
/* Serve until asked to stop, which is no error. */
NODISCARD enum err_code common_net_serve(struct common_net *n, struct err *e);
enum common_need {
	COMMON_NEED,	/* ERR_PEERS if nobody gives it and it is not here */
	COMMON_IF_THERE /* perhaps nobody has it yet: found out soon */
};
/* Make both cores of a drive known here, as long as the link asks or, without
 * a version, as long as peers have them. What this store writes itself, and a
 * version that is here, needs nobody. When nobody answers and the store has
 * what the link names, that is a warning. */
NODISCARD enum err_code common_net_drive(struct common_net *n,
    const struct pear_link *link, enum common_need need, struct err *e);
NODISCARD enum err_code common_net_core(struct common_net *n,
    const struct b32 *key, uint64_t length, enum common_need need,
    struct err *e);

/* The store was changed by this command: tell the peers. */
NODISCARD enum err_code common_net_changed(struct common_net *n, struct err *e);

/* "peers", "download" and "upload" of a stats event. */
json_t *common_net_stats(struct common_net *n);
/* For net_peers.c, which counts them for a release. */
void common_net_counts(struct common_net *n);
/* Bytes a second of a direction, now. */
double common_rate_look(struct common_rate *r, uint64_t bytes, uint64_t now);

#endif
