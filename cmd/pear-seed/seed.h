/* pear-seed: keep drives available (commands.md 4). */
#ifndef CMD_PEAR_SEED_H
#define CMD_PEAR_SEED_H

#include "cmd/common/net.h"

struct seed_args {
	struct cli_list links, peers, until;
	const char *listen;
	struct cli_int interval;
};

extern const struct cli_spec seed_spec;
void seed_args_deinit(struct seed_args *a);

/* One drive that is kept. */
struct seed {
	struct pear_link link;
	struct replicate_core *db, *blobs; /* blobs NULL: not known yet */
	struct b32 blobs_key;
	struct b32 topic; /* discovery key of db */
	bool look;	  /* db has changed: the blobs core may be known */
	uint64_t shown_length;
	struct common_rate down, up;
};

struct seeder {
	struct cli *c;
	const struct seed_args *a;
	struct store *store;
	struct sign_pair pair;
	struct peer_node *node;
	struct seed *seed;
	size_t n;
	struct b32 *until; /* peers that must have everything */
	size_t nuntil, synced;
	uint64_t next_stats, interval_us;
	char *line; /* network line that was printed last */
};

/* seed.c */
NODISCARD enum err_code seed_run(
    struct cli *c, const struct seed_args *a, struct err *e);

/* seed_render.c: events and lines */
void seed_render_start(struct seeder *s);
void seed_render_contents(struct seeder *s, const struct seed *d);
void seed_render_peer(struct seeder *s, const struct peer_event *ev);
void seed_render_core(struct seeder *s, const struct replicate_event *ev);
void seed_render_stats(struct seeder *s);
void seed_render_synced(struct seeder *s, const struct b32 *peer);

#endif
