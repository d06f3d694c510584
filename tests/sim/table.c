/* The table of throughput: 40 ms round trip, what a bulk transfer gets. */
#include "tests/sim/sim.h"

#include <stdio.h>

#define MEGABYTE 1000000
#define TOTAL (100 * (uint64_t)MEGABYTE)
#define RUNS 10
#define WINDOW (16u << 20)

struct row {
	const char *name;
	struct line_conf line;
	double median, worst; /* MB/s to reach */
};

#define HALF 20000
#define LINE20 .rate = 2500000, .queue = 500000

static const struct row rows[] = {
    {"no loss", {.delay = HALF}, 100, 100},
    {"1 % loss", {.delay = HALF, .loss = 10000}, 75, 55},
    {"5 % loss", {.delay = HALF, .loss = 50000}, 35, 25},
    {"10 % loss", {.delay = HALF, .loss = 100000}, 20, 14},
    {"20 Mbit/s", {.delay = HALF, LINE20}, 2.40, 2.38},
    {"20 Mbit/s, 1 %", {.delay = HALF, .loss = 10000, LINE20}, 2.35, 2.30},
    {"20 Mbit/s, 5 %", {.delay = HALF, .loss = 50000, LINE20}, 2.30, 2.20},
    {"20 Mbit/s, short", {.delay = HALF, .rate = 2500000, .queue = 37500}, 2.25,
	2.20},
    {"one machine", {.delay = 15, .rate = 500000000, .queue = 4000000}, 450,
	450},
    {"small buffer", {.delay = 15, .rate = 300000000, .queue = 200000}, 200,
	180},
    {"jitter 50 ms", {.delay = HALF, .jitter = 50000}, 50, 50},
};

static void
bulk(struct world_conf *c, const struct row *row, uint64_t seed)
{
	*c = (struct world_conf){
	    .line = row->line, .seed = seed, .limit = 600000000};
	for (int i = 0; i < 2; i++)
		c->side[i] = (struct world_side){.write_max = 131072,
		    .queue = 4 << 20,
		    .timer = 1000,
		    .turn = 100,
		    .opts.recv_window = WINDOW};
	c->side[0].total = row->line.rate != 0 ? TOTAL : TOTAL;
}

/* Resent more than 1.3 times what was lost. */
static bool
wasteful(const struct row *row, const struct world_result *r)
{
	uint64_t resent = r->stats[0].packets_resent;

	if (row->line.jitter != 0)
		return resent * 100 > r->stats[0].packets_sent;
	return resent * 10 > r->lost_data[0] * 13 + 100;
}

static void
sort(double *v, int n)
{
	for (int i = 1; i < n; i++) {
		double x = v[i];
		int k = i;

		for (; k > 0 && v[k - 1] > x; k--)
			v[k] = v[k - 1];
		v[k] = x;
	}
}

static bool
run_row(const struct row *row)
{
	uint64_t resent = 0, lost = 0;
	double rate[RUNS];
	bool good = true;

	for (int i = 0; i < RUNS; i++) {
		struct world_result r;
		struct world_conf c;

		bulk(&c, row, (uint64_t)i + 1);
		world_run(&c, &r);
		good = good && r.complete[0] && !r.wrong_bytes && !r.storm &&
		       !wasteful(row, &r);
		rate[i] = (double)r.read[1] / (double)(r.done_at[1] + 1);
		resent += r.stats[0].packets_resent;
		lost += r.lost_data[0];
	}
	sort(rate, RUNS);
	good = good && rate[RUNS / 2] >= row->median && rate[0] >= row->worst;
	printf("%-16s %8.2f %8.2f %8.2f %8.2f %9llu %9llu  %s\n", row->name,
	    rate[RUNS / 2], rate[0], row->median, row->worst,
	    (unsigned long long)resent, (unsigned long long)lost,
	    good ? "ok" : "FAILED");
	return good;
}

void
table_run(struct sim_count *n)
{
	printf("%-16s %8s %8s %8s %8s %9s %9s\n", "40 ms, MB/s", "median",
	    "worst", "wanted", "at least", "resent", "lost");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		sim_count(n, run_row(&rows[i]));
}
