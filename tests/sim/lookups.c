/*
 * A network of 200 nodes whose datagrams get lost: values are put, 30 % of
 * the nodes go without a word while as many new ones come, and others look
 * the values up. MESH=n repeats one seed and tells more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/mesh.h"
#include "tests/sim/sim.h"

#define SECOND UINT64_C(1000000)
#define NODES 200
#define CHURN 60 /* of them */
#define LOOKUPS 1000
#define AT_ONCE 20

struct outcome {
	size_t ready, persistent; /* nodes, after a minute */
	size_t found, over, exact, closest, commits;
	uint64_t longest, sum; /* of the gets, in microseconds */
	uint64_t packets;      /* sent, a lookup */
};

static const struct {
	uint32_t loss; /* per million */
	size_t found;  /* of LOOKUPS, at least */
	size_t exact;  /* per cent of the nodes found, at least */
	size_t joined; /* persistent nodes, at least */
} rows[] = {
    {0, LOOKUPS, 97, NODES},
    {50000, LOOKUPS - LOOKUPS / 100, 95, NODES - 4},
    {200000, LOOKUPS - LOOKUPS / 10, 85, NODES - 20},
};

static void
begin(struct mesh *m, struct outcome *o)
{
	for (size_t i = 0; i < NODES; i++) {
		mesh_start(m);
		mesh_run(m, m->now + SECOND / 5);
	}
	mesh_run(m, m->now + 90 * SECOND);
	for (size_t i = 0; i < m->n; i++) {
		o->ready += m->node[i].ready;
		o->persistent += m->node[i].persistent;
	}
}

static void
random_target(struct mesh *m, struct b32 *out)
{
	for (size_t i = 0; i < sizeof(out->b); i += 8) {
		uint64_t x = line_random(&m->random);

		memcpy(&out->b[i], &x, 8);
	}
}

static void
put_all(struct mesh *m, struct mesh_lookup *l, struct outcome *o)
{
	for (size_t i = 0; i < LOOKUPS; i++) {
		random_target(m, &l[i].target);
		mesh_put(m, mesh_any(m), &l[i]);
		if (i % AT_ONCE == AT_ONCE - 1)
			mesh_run(m, m->now + 2 * SECOND);
	}
	mesh_run(m, m->now + 60 * SECOND);
	for (size_t i = 0; i < LOOKUPS; i++)
		o->commits += l[i].commits;
}

/* Within two minutes; the bootstrap node stays. */
static void
churn(struct mesh *m)
{
	for (size_t i = 0; i < CHURN; i++) {
		mesh_stop(m, mesh_any(m));
		mesh_start(m);
		mesh_run(m, m->now + 2 * SECOND);
	}
}

static void
get_all(struct mesh *m, struct mesh_lookup *l, struct outcome *o)
{
	uint64_t before = m->sent;

	for (size_t i = 0; i < LOOKUPS; i++) {
		l[i].over = l[i].found = false;
		mesh_get(m, mesh_any(m), &l[i]);
		if (i % AT_ONCE == AT_ONCE - 1)
			mesh_run(m, m->now + 2 * SECOND);
	}
	mesh_run(m, m->now + 60 * SECOND);
	o->packets = (m->sent - before) / LOOKUPS;
	for (size_t i = 0; i < LOOKUPS; i++) {
		o->over += l[i].over;
		o->found += l[i].found;
		o->exact += mesh_exact(m, &l[i]);
		o->closest += l[i].n;
		o->sum += l[i].took;
		if (l[i].took > o->longest)
			o->longest = l[i].took;
	}
}

static void
play(uint64_t seed, uint32_t loss, struct outcome *o)
{
	struct mesh_lookup *l = calloc(LOOKUPS, sizeof(*l));
	struct mesh m;

	memset(o, 0, sizeof(*o));
	mesh_init(&m, seed);
	m.loss = loss;
	if (l == NULL)
		exit(1);
	begin(&m, o);
	put_all(&m, l, o);
	churn(&m);
	get_all(&m, l, o);
	mesh_deinit(&m);
	free(l);
}

static bool
good(const struct outcome *o, size_t row)
{
	return o->ready == NODES && o->persistent >= rows[row].joined &&
	       o->over == LOOKUPS && o->found >= rows[row].found &&
	       o->exact * 100 >= rows[row].exact * o->closest;
}

static void
describe(uint64_t seed, size_t row, const struct outcome *o)
{
	printf("lookups: loss %2u %%, churn %d %%, seed %llu: %zu of %d found, "
	       "%zu nodes persistent, %.1f kept each, %.1f %% of the closest "
	       "right, %.2f s in the mean, %.1f s at most, %llu packets each\n",
	    rows[row].loss / 10000, CHURN * 100 / NODES,
	    (unsigned long long)seed, o->found, LOOKUPS, o->persistent,
	    (double)o->commits / LOOKUPS,
	    100.0 * (double)o->exact / (double)o->closest,
	    (double)o->sum / LOOKUPS / 1e6, (double)o->longest / 1e6,
	    (unsigned long long)o->packets);
}

void
lookups_run(struct sim_count *n, uint64_t seed)
{
	struct outcome o;

	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
		bool fine;

		play(seed, rows[row].loss, &o);
		fine = good(&o, row);
		sim_count(n, fine);
		describe(seed, row, &o);
		if (!fine)
			printf("  too few of %s; again: MESH=%llu make sim\n",
			    o.over < LOOKUPS ? "them ended" : "something",
			    (unsigned long long)seed);
	}
}
