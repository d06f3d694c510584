/*
 * pear-dht: nodes of a DHT, or one question to it.
 *
 * The nodes live on the network thread (nodes.c), which hands what happens to
 * the main thread as notes; run.c waits for those, and render.c shows them.
 */
#ifndef CMD_PEAR_DHT_H
#define CMD_PEAR_DHT_H

#include "cli/cli.h"
#include "net/dht/dht.h"
#include "net/io/queue.h"

#define DHT_NODES_MAX 256
#define DHT_PORT 49737
#define DHT_PORTS 5 /* that are tried unless one is named */

struct dht_args {
	struct cli_list node;
	const char *host, *public, *lookup, *find;
	bool bootstrap;
	struct cli_int port, nodes, interval;
};

extern const struct cli_spec dht_spec;
void dht_args_deinit(struct dht_args *a);

enum dht_job { DHT_SERVE, DHT_LOOKUP_JOB, DHT_FIND_JOB };

/* What the words mean. */
struct dht_plan {
	enum dht_job job;
	struct addr host; /* to bind to; port 0: any, unless fixed */
	bool fixed_port, has_self;
	struct addr self; /* public address, if it is known */
	struct addr bootstrap[RPC_BOOTSTRAP_MAX];
	size_t nbootstrap;
	size_t nodes;
	struct b32 key; /* topic, or public key */
	uint64_t interval_us;
};
/* ERR_USAGE. */
NODISCARD enum err_code dht_plan(struct dht_plan *out, const struct cli *c,
    const struct dht_args *a, struct err *e);

/* -- what the network thread tells ---------------------------------------- */

struct dht_state { /* of all nodes together */
	size_t running, persistent;
	size_t known; /* nodes in the largest table */
	struct dht_stored stored;
};

enum dht_note_kind {
	NOTE_PERSISTENT, /* node, addr, id */
	NOTE_STATE,
	NOTE_FOUND, /* record */
	NOTE_DONE   /* the search is over; answers */
};

struct dht_note {
	struct io_item item; /* first */
	enum dht_note_kind kind;
	size_t node, answers;
	struct addr addr;
	struct b32 id;
	struct dht_state state;
	struct dht_record record;
};

struct dht_nodes;

NODISCARD enum err_code dht_nodes_start(
    struct dht_nodes **out, const struct dht_plan *p, struct err *e);
void dht_nodes_stop(struct dht_nodes *n); /* NULL is fine */
/* Where the i-th one listens, and its id if it has one. */
bool dht_nodes_at(
    const struct dht_nodes *n, size_t i, struct addr *addr, struct b32 *id);
/* The next note, or NULL after the wait; the caller frees it. */
struct dht_note *dht_nodes_wait(struct dht_nodes *n, uint64_t until);

/* -- the command ---------------------------------------------------------- */

NODISCARD enum err_code dht_run(
    struct cli *c, const struct dht_args *a, struct err *e);

void dht_render_start(
    struct cli *c, const struct dht_nodes *n, const struct dht_plan *p);
void dht_render_note(struct cli *c, const struct dht_note *n);

#endif
