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

struct common_net {
	struct cli *cli;
	struct store *store;
	struct peer_node *node; /* NULL: no peers */
	struct common_rate down, up;
	uint64_t shown;	   /* time of the last stats event */
	uint64_t least_us; /* between two of them */
	struct peers peers;
};

/* A store that may have to take blocks of peers must be writable, and may be
 * new. */
enum store_mode common_net_mode(
    const struct cli_list *peers, enum store_mode mode);
/* The words of --peer; at has room for PEER_AT_MAX. ERR_USAGE names one that
 * is no peer. */
NODISCARD enum err_code common_net_words(
    struct peer_at *at, const struct cli_list *peers, struct err *e);
/* Without peers nothing is opened, and everything below does nothing.
 * ERR_USAGE: peers with --offline, or one that is no peer. Ends with
 * common_net_close() in any case. */
NODISCARD enum err_code common_net_open(struct common_net *out, struct cli *c,
    struct store *s, const struct cli_list *peers, struct err *e);
void common_net_close(struct common_net *n);
/* NULL without peers. */
const struct fetch *common_net_fetch(struct common_net *n);
const struct peers *common_net_peers(struct common_net *n);

/* Make both cores of a drive known here, as long as the link asks or, without
 * a version, as long as peers have them. When nobody answers and the store
 * has what the link names, that is a warning. */
NODISCARD enum err_code common_net_drive(
    struct common_net *n, const struct pear_link *link, struct err *e);
NODISCARD enum err_code common_net_core(struct common_net *n,
    const struct b32 *key, uint64_t length, struct err *e);

/* The store was changed by this command: tell the peers. */
NODISCARD enum err_code common_net_changed(struct common_net *n, struct err *e);

/* "peers", "download" and "upload" of a stats event. */
json_t *common_net_stats(struct common_net *n);
/* Bytes a second of a direction, now. */
double common_rate_look(struct common_rate *r, uint64_t bytes, uint64_t now);

#endif
