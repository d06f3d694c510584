/* sim: what the simulator's programs share. */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "tests/sim/world.h"

struct sim_count {
	unsigned passed, failed;
};

void sim_count(struct sim_count *n, bool good);
void table_run(struct sim_count *n);
void share_run(struct sim_count *n);
void lookups_run(struct sim_count *n, uint64_t seed);

#endif
