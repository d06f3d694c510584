/*
 * mesh: many nodes of net/rpc in virtual time. A datagram is lost, or arrives
 * after a while, as the seed says. A node keeps one value per target: what
 * came with a right token.
 */
#ifndef TESTS_SIM_MESH_H
#define TESTS_SIM_MESH_H

#include "net/rpc/rpc.h"
#include "tests/sim/line.h"

#define MESH_MAX 512
#define MESH_VALUES 256 /* of one node; the oldest goes */
#define MESH_COMMAND 7

struct mesh_node {
	struct mesh *mesh;
	struct rpc *rpc;  /* NULL: gone */
	struct addr host; /* port: of the server socket; the client's is + 1 */
	struct b32 value[MESH_VALUES]; /* a value is its target's bytes */
	size_t nvalues;
	uint64_t due;
	bool ready, persistent;
};

struct mesh_event {
	uint64_t at, order;
	size_t to;     /* which node */
	uint32_t sock; /* UINT32_MAX: it is due, no datagram */
	struct addr from;
	size_t len;
	uint8_t *bytes;
};

struct mesh {
	struct line_random random;
	uint32_t loss; /* per million, of each datagram */
	uint64_t now, order;
	struct mesh_node *node;
	size_t n; /* ever started; node 0 is the bootstrap node */
	struct mesh_event *heap;
	size_t nheap, cap;
	uint64_t sent, bytes;
};

struct mesh_lookup {
	struct b32 target;
	bool over, found;
	size_t n, answers, commits;
	struct rpc_node closest[RPC_K];
	uint64_t began, took;
};

void mesh_init(struct mesh *m, uint64_t seed);
void mesh_deinit(struct mesh *m);
void mesh_start(struct mesh *m);	  /* one node more */
void mesh_stop(struct mesh *m, size_t i); /* without a word */
void mesh_run(struct mesh *m, uint64_t until);
/* A live node at random, never the bootstrap node. */
size_t mesh_any(struct mesh *m);
size_t mesh_live(const struct mesh *m);
void mesh_put(struct mesh *m, size_t i, struct mesh_lookup *l);
void mesh_get(struct mesh *m, size_t i, struct mesh_lookup *l);
/* How many of the live persistent nodes next to the target were found. */
size_t mesh_exact(const struct mesh *m, const struct mesh_lookup *l);

#endif
