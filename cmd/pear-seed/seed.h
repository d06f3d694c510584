/*
 * pear-seed: keep drives available (commands.md 4).
 *
 * One loop (seed.c) over one node of lib/peer. Which drives are kept, and
 * which of them are open, is in drives.h; list.c reads --list, stored.c
 * finds what --all means; goal.c knows when to end. stats.c takes a snapshot
 * once a second at least, of which render.c and table.c make lines, web.c
 * pages and service.c a status. Only the snapshot is seen by another thread.
 */
#ifndef CMD_PEAR_SEED_H
#define CMD_PEAR_SEED_H

#include "cmd/common/net.h"
#include "cmd/pear-seed/drives.h"
#include "cmd/pear-seed/keymap.h"
#include "monitor/history.h"
#include "monitor/monitor.h"
#include "net/io/notify.h"

struct seed_args {
	struct cli_list links, peers, until, http_names;
	struct cli_list blind_peers, blind_allow, blind_trust;
	const char *blind_quota;
	bool serve_blind;
	const char *listen, *list, *http, *limit_up, *limit_down;
	bool all, http_remote;
	struct cli_int interval, copies, timeout, connections, open;
};

extern const struct cli_spec seed_spec;
void seed_args_deinit(struct seed_args *a);

/* limit.c: "500kB", "2MB", "1000": bytes a second, 1000-based; NULL: 0, no
 * limit. ERR_USAGE names the option. */
NODISCARD enum err_code limit_parse(
    uint64_t *out, const char *option, const char *text, struct err *e);

/* list.c: the file of --list */
struct list {
	bool known; /* it was there, and looked like this: */
	int64_t mtime_s, mtime_ns, size;
	uint64_t inode;
	bool unsettled; /* has changed: read when it stays so for a second */
	uint64_t next;	/* time of the next look */
};
NODISCARD enum err_code list_read(struct seeder *s, struct err *e);
/* Looks once a second; what is wrong is a warning. */
NODISCARD enum err_code list_turn(struct seeder *s, bool now, struct err *e);

/* stored.c: every drive of the store */
struct stored_core {
	struct b32 key;
	uint64_t length;
};

struct stored {
	uint64_t generation, next;
	bool scanned;
	/* those of the last scan; read up to `at` */
	struct stored_core *core;
	size_t n, cap, at;
	bool full;	    /* no memory for more */
	struct keymap seen; /* cores that are no drives; value: the length */
};
NODISCARD enum err_code stored_turn(struct seeder *s, struct err *e);
/* When a scan under way goes on; UINT64_MAX: there is none. */
uint64_t stored_due(const struct stored *st);
void stored_forget(struct stored *st);

/* goal.c: --until-sync, --until-copies, --timeout */
struct goal {
	struct b32 *until; /* peers that must have everything */
	size_t nuntil, synced;
	uint64_t copies, shown; /* shown: copies at the last line */
	uint64_t end;		/* peer_now(); 0: never */
	bool look;		/* peers moved */
};
NODISCARD enum err_code goal_read(struct seeder *s, struct err *e);
/* *met: end well. ERR_PEERS: the time is over. */
NODISCARD enum err_code goal_check(struct seeder *s, bool *met, struct err *e);
/* How many peers have all of a drive. */
size_t goal_copies(const struct drive *d);

/* memory.c: what a crowd leaves behind */
struct memory {
	size_t most;   /* peers, and drives read, since the last time */
	uint64_t due;  /* when it is given back; 0: not now */
	uint64_t last; /* when it was */
};
void memory_turn(struct seeder *s);

/* -- the seeder ----------------------------------------------------------- */

struct web;
struct blind;

/* Lines that were printed: again only when they change. */
struct said_network {
	bool said, moving;
	uint32_t connections;
	uint64_t bytes_in, bytes_out;
};

struct said {
	struct said_network network;
	char trouble[256];
	uint64_t trouble_at;
	bool disk_full;
	bool network_known, firewalled, consistent, offline;
};

struct seeder {
	struct cli *c;
	const struct seed_args *a;
	struct store *store;
	struct sign_pair pair;
	struct peer_node *node;
	bool discovers; /* peers are looked for */
	struct drives drives;
	struct list list;
	struct stored stored;
	struct goal goal;
	struct said said;
	struct memory memory;
	struct monitor_snapshot snap;
	struct common_rate down, up;
	struct web *web;
	struct blind *blind;
	struct notify notify;
	uint64_t started, next_sample, next_stats, interval_us, next_dog;
	bool running; /* faults of a single drive are no end any more */
	bool redraw;  /* a line went over the table */
};

/* seed.c */
NODISCARD enum err_code seed_run(
    struct cli *c, const struct seed_args *a, struct err *e);

/* blind.c: --blind-peer, --serve-blind */
NODISCARD enum err_code blind_check(const struct seed_args *a, struct err *e);
NODISCARD enum err_code blind_open(struct seeder *s, struct err *e);
void blind_close(struct blind *b); /* after the node */
/* ERR_PEERS: what is still missing at the end of --timeout. */
NODISCARD enum err_code blind_late(const struct seeder *s, struct err *e);
void blind_joined(struct seeder *s, const struct b32 *peer);
void blind_changed(struct seeder *s); /* look at the next turn */
/* *met: all blind peers have everything, and nothing else is to do. */
NODISCARD enum err_code blind_turn(struct seeder *s, bool *met, struct err *e);

/* stats.c: fills s->snap */
NODISCARD enum err_code stats_sample(struct seeder *s, struct err *e);

/* render.c: events and lines */
void render_start(struct seeder *s);
void render_drive(struct seeder *s, const struct drive *d, const char *what);
void render_keys(struct seeder *s, const struct drive *d);
void render_contents(struct seeder *s, const struct drive *d);
void render_length(struct seeder *s, struct drive *d);
void render_peer(struct seeder *s, const struct peer_event *ev);
void render_stats(struct seeder *s);
void render_synced(struct seeder *s, const struct b32 *peer);
void render_copies(struct seeder *s, uint64_t copies);
void render_disk(struct seeder *s);
void render_looked(struct seeder *s, const struct peer_topic *t);
void render_network(struct seeder *s);

/* table.c: the table on a terminal */
void table_show(struct seeder *s);

/* web.c: --http */
/* The address it names, if it was given. ERR_USAGE. */
NODISCARD enum err_code web_check(
    const struct seeder *s, struct addr *at, struct err *e);
NODISCARD enum err_code web_open(struct seeder *s, struct err *e);
NODISCARD enum err_code web_publish(struct seeder *s, struct err *e);
void web_close(struct web *w);

/* service.c: the service manager */
NODISCARD enum err_code service_open(struct seeder *s, struct err *e);
void service_ready(struct seeder *s);
/* A sign of life, when one is due. */
void service_turn(struct seeder *s);
void service_status(struct seeder *s);
void service_close(struct seeder *s);

#endif
