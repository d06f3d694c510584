/* node: lies told to the DHT of a seeder that runs. */
#ifndef TESTS_HOSTILE_NODE_H
#define TESTS_HOSTILE_NODE_H

#include "base/err.h"
#include "sockets.h"

struct node_target {
	struct target t;       /* at, key, pid, check, dir, only, counts */
	struct addr bootstrap; /* of the private DHT it is announced in */
	struct b32 topic;
};

/* Every lie; an honest peer that knows nothing but the link fetches during
 * each. */
NODISCARD enum err_code node_lies(struct node_target *t, struct err *e);

#endif
