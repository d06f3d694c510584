/*
 * Two streams on one line of 20 Mbit/s: each gets its part, together they
 * fill it, whatever the queue and whoever came first.
 */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"

#define SECOND 1000000
#define RATE 2500000
#define BEST (RATE * 1452.0 / 1500) /* payload */
#define LENGTH (60 * (uint64_t)SECOND)
#define CHUNK 65536
#define IDS 10 /* senders are 10 and 11, their receivers 20 and 21 */

struct pipe {
	struct udx *from, *to;
	uint64_t got, at_half;
};

struct road {
	struct line there, back;
	struct pipe pipe[2];
	uint64_t now;
	uint8_t *train;
};

static struct udx *
make(uint32_t id, uint32_t remote)
{
	struct udx_opts o = {.local_id = id, .recv_window = 16u << 20};
	struct addr to = {.family = 4};
	struct err e = ERR_INIT;
	struct udx *u;

	bug_if(udx_new(&u, &o, 0, &e) != ERR_OK);
	udx_connect(u, remote, &to, 0);
	return u;
}

static void
write_more(struct udx *u)
{
	struct err e = ERR_INIT;

	while (udx_unsent(u) < 16 * CHUNK) {
		uint8_t *data = calloc(1, CHUNK);

		bug_if(data == NULL);
		bug_if(udx_write(u, data, 0, CHUNK, &e) != ERR_OK);
	}
}

static void
transmit(struct road *r, struct udx *u, struct line *l)
{
	struct udx_out out;

	udx_batch_end(u, r->now);
	while (udx_poll(u, r->now, r->train, UDX_TRAIN_MAX, &out))
		for (size_t at = 0; at < out.len; at += out.segment)
			line_send(l, r->now,
			    view_sub(
				view_of(r->train, out.len), at, out.segment),
			    out.fragment);
}

static void
receive(struct road *r, struct line *l)
{
	static const struct addr nobody = {.family = 4};
	struct view v;
	uint32_t id;

	while (line_peek(l) != NULL && line_peek(l)->at <= r->now) {
		struct line_cell *c = line_take(l);
		struct view d = view_of(c->bytes, c->len);
		struct pipe *p;

		bug_if(!udx_peek(d, &id));
		p = &r->pipe[id % IDS];
		udx_recv(id < 2 * IDS ? p->from : p->to, d, &nobody, r->now);
		while (udx_read(p->to, &v)) {
			p->got += v.len;
			udx_credit(p->to, v.len, r->now);
		}
		line_give_back(l, c);
	}
}

static uint64_t
next_time(const struct road *r)
{
	uint64_t at = r->now + SECOND / 10, d;

	if (line_peek(&r->there) != NULL && line_peek(&r->there)->at < at)
		at = line_peek(&r->there)->at;
	if (line_peek(&r->back) != NULL && line_peek(&r->back)->at < at)
		at = line_peek(&r->back)->at;
	for (int i = 0; i < 2; i++) {
		d = udx_deadline(r->pipe[i].from);
		at = d < at ? d : at;
	}
	return at > r->now ? at : r->now + 1;
}

/* The second stream begins `late` microseconds after the first. */
static void
run(struct road *r, uint64_t late)
{
	while (r->now < LENGTH) {
		receive(r, &r->there);
		receive(r, &r->back);
		for (int i = 0; i < 2; i++) {
			struct pipe *p = &r->pipe[i];

			if (i == 0 || r->now >= late)
				write_more(p->from);
			transmit(r, p->from, &r->there);
			transmit(r, p->to, &r->back);
			if (r->now < LENGTH / 2)
				p->at_half = p->got;
		}
		r->now = next_time(r);
	}
}

static bool
share(uint64_t queue, uint64_t late)
{
	struct line_conf there = {.delay = 20000, .rate = RATE, .queue = queue};
	struct line_conf back = {.delay = 20000};
	struct road r = {.now = 1};
	double part[2], use, least;

	line_init(&r.there, &there, 1);
	line_init(&r.back, &back, 2);
	r.train = malloc(UDX_TRAIN_MAX);
	bug_if(r.train == NULL);
	for (uint32_t i = 0; i < 2; i++) {
		r.pipe[i].from = make(IDS + i, 2 * IDS + i);
		r.pipe[i].to = make(2 * IDS + i, IDS + i);
	}
	run(&r, late);
	for (int i = 0; i < 2; i++) {
		part[i] = (double)(r.pipe[i].got - r.pipe[i].at_half);
		udx_free(r.pipe[i].from);
		udx_free(r.pipe[i].to);
	}
	line_deinit(&r.there);
	line_deinit(&r.back);
	free(r.train);
	use = (part[0] + part[1]) / (BEST * LENGTH / 2 / SECOND);
	printf("two streams, queue %3llu ms, second %s: %2.0f %% to %2.0f %%, "
	       "use %.0f %%\n",
	    (unsigned long long)(queue * 1000 / RATE),
	    late > 0 ? "later" : "too  ", 100 * part[0] / (part[0] + part[1]),
	    100 * part[1] / (part[0] + part[1]), 100 * use);
	least = part[0] < part[1] ? part[0] : part[1];
	return use > 0.9 && least >= 0.35 * (part[0] + part[1]);
}

void
share_run(struct sim_count *n)
{
	static const uint64_t queues[] = {37500, 100000, 500000};

	for (size_t i = 0; i < 3; i++) {
		sim_count(n, share(queues[i], 0));
		sim_count(n, share(queues[i], 10 * (uint64_t)SECOND));
	}
}
