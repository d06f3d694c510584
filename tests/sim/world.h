/*
 * world: two machines with a stream each, their owners, and the line between
 * them. An owner writes, ends, reads and gives credit; it runs its machine
 * when something arrives or a timer fires, not more often than its loop
 * turns.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "net/udx/udx.h"
#include "tests/sim/line.h"

struct world_side {
	uint64_t total;	       /* bytes to write */
	uint64_t write_max;    /* in one buffer */
	uint64_t queue;	       /* stop writing above this many unsent */
	uint64_t end_delay;    /* microseconds after the last write */
	uint64_t credit_delay; /* how long bytes read are held back */
	uint64_t timer;	       /* resolution of its timer */
	uint64_t turn;	       /* a turn of its loop takes this long */
	struct udx_opts opts;
};

struct world_conf {
	struct line_conf line;
	struct world_side side[2];
	uint64_t seed;
	uint64_t limit; /* simulated time after which it is stuck */
};

struct world_result {
	enum udx_reason reason[2];
	bool wrong_bytes, stuck, storm;
	bool complete[2]; /* the side wrote all, the other read all */
	uint64_t read[2], done_at[2]; /* when the last byte was read */
	uint64_t ended_at;
	uint64_t hash; /* of every datagram that arrived */
	uint64_t lost_data[2];
	struct udx_stats stats[2];
};

void world_run(const struct world_conf *c, struct world_result *r);

#endif
