#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"

#define PATTERN 65521 /* prime: a misplaced packet shows */
#define START 5000000
#define SECOND 1000000
#define LONG (60 * (uint64_t)SECOND)
#define TIMER_TURNS_MAX 6000 /* in a simulated second */
#define CREDITS 64

struct credit {
	uint64_t at;
	size_t n;
};

struct machine {
	struct udx *u;
	const struct world_side *conf;
	uint64_t written, read, end_at;
	bool ended;
	uint64_t free_at; /* its loop is busy until then */
	uint64_t timer_at;
	uint64_t second, turns; /* turns by timer in that second */
	struct credit credit[CREDITS];
	size_t first, n;
	uint64_t done_at;
};

struct world {
	const struct world_conf *conf;
	struct world_result *out;
	struct machine m[2];
	struct line line[2]; /* by sender */
	struct line_random random;
	uint64_t now, closed_at;
	uint8_t *train;
};

static uint8_t pattern[2 * PATTERN];

static void
make_pattern(void)
{
	struct line_random r = {1};

	for (size_t i = 0; i < PATTERN; i++)
		pattern[i] = pattern[i + PATTERN] = (uint8_t)line_random(&r);
}

/* Where the bytes of a side at an offset are in the pattern. */
static const uint8_t *
expected(uint32_t side, uint64_t offset)
{
	return pattern + (offset + side * 4099) % PATTERN;
}

static uint8_t *
make_bytes(uint32_t side, uint64_t offset, size_t n)
{
	uint8_t *data = malloc(n);

	bug_if(data == NULL);
	for (size_t at = 0, step; at < n; at += step) {
		step = n - at < PATTERN ? n - at : PATTERN;
		memcpy(data + at, expected(side, offset + at), step);
	}
	return data;
}

static void
write_some(struct world *w, uint32_t side)
{
	struct machine *m = &w->m[side];
	const struct world_side *c = m->conf;
	struct err e = ERR_INIT;

	if (udx_reason(m->u) != UDX_LIVE)
		return;
	while (m->written < c->total && udx_unsent(m->u) < c->queue) {
		uint64_t n = 1 + line_below(&w->random, c->write_max);

		if (n > c->total - m->written)
			n = c->total - m->written;
		bug_if(udx_write(m->u, make_bytes(side, m->written, n), 0, n,
			   &e) != ERR_OK);
		m->written += n;
	}
	if (m->written == c->total && m->end_at == UDX_NEVER)
		m->end_at = w->now + c->end_delay;
	if (!m->ended && w->now >= m->end_at) {
		udx_end(m->u);
		m->ended = true;
	}
}

static void
hold_credit(struct world *w, struct machine *m, size_t n)
{
	struct credit *last;

	if (m->conf->credit_delay == 0) {
		udx_credit(m->u, n, w->now);
		return;
	}
	if (m->n == CREDITS) {
		last = &m->credit[(m->first + m->n - 1) % CREDITS];
		last->n += n;
		return;
	}
	last = &m->credit[(m->first + m->n++) % CREDITS];
	last->n = n;
	last->at = w->now + line_below(&w->random, m->conf->credit_delay);
}

static void
give_credit(struct world *w, struct machine *m)
{
	while (m->n > 0 && m->credit[m->first].at <= w->now) {
		size_t n = m->credit[m->first].n;

		m->first = (m->first + 1) % CREDITS;
		m->n--;
		if (udx_reason(m->u) == UDX_LIVE)
			udx_credit(m->u, n, w->now);
	}
}

static void
read_all(struct world *w, uint32_t side)
{
	struct machine *m = &w->m[side];
	struct view v;

	while (udx_read(m->u, &v)) {
		if (memcmp(v.ptr, expected(1 - side, m->read), v.len) != 0)
			w->out->wrong_bytes = true;
		m->read += v.len;
		m->done_at = w->now;
		hold_credit(w, m, v.len);
	}
}

static void
hash(struct world *w, const struct line_cell *c)
{
	uint64_t h = w->out->hash ^ c->at ^ (uint64_t)c->len << 40;

	for (size_t i = 0; i < c->len && i < 64; i++)
		h = (h ^ c->bytes[i]) * UINT64_C(0x100000001b3);
	w->out->hash = h;
}

/* All that has arrived by now. */
static bool
receive(struct world *w, uint32_t side)
{
	static const struct addr nobody = {.family = 4};
	struct line *l = &w->line[1 - side];
	bool any = false;

	while (line_peek(l) != NULL && line_peek(l)->at <= w->now) {
		struct line_cell *c = line_take(l);

		hash(w, c);
		udx_recv(
		    w->m[side].u, view_of(c->bytes, c->len), &nobody, w->now);
		read_all(w, side);
		line_give_back(l, c);
		any = true;
	}
	if (any)
		udx_batch_end(w->m[side].u, w->now);
	return any;
}

static void
transmit(struct world *w, uint32_t side)
{
	struct machine *m = &w->m[side];
	struct udx_out out;

	while (udx_poll(m->u, w->now, w->train, UDX_TRAIN_MAX, &out)) {
		for (size_t at = 0; at < out.len; at += out.segment)
			line_send(&w->line[side], w->now,
			    view_sub(
				view_of(w->train, out.len), at, out.segment),
			    out.fragment);
	}
}

static void
count_turn(struct world *w, struct machine *m)
{
	if (m->second != w->now / SECOND) {
		m->second = w->now / SECOND;
		m->turns = 0;
	}
	if (++m->turns > TIMER_TURNS_MAX)
		w->out->storm = true;
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void
arm(struct world *w, struct machine *m)
{
	uint64_t at = udx_deadline(m->u), step = m->conf->timer;

	if (!m->ended && udx_reason(m->u) == UDX_LIVE)
		at = earlier(at, m->end_at);
	if (m->n > 0)
		at = earlier(at, m->credit[m->first].at);
	if (at != UDX_NEVER && step > 1)
		at = (at + step - 1) / step * step;
	m->timer_at = at <= w->now ? w->now + 1 : at;
}

static void
turn(struct world *w, uint32_t side)
{
	struct machine *m = &w->m[side];
	bool got = receive(w, side);

	if (!got && w->now < m->timer_at)
		return;
	if (!got)
		count_turn(w, m);
	give_credit(w, m);
	write_some(w, side);
	transmit(w, side);
	arm(w, m);
	m->free_at = w->now + m->conf->turn;
}

/* When a side has something to do next and is free to. */
static uint64_t
next_time(const struct world *w)
{
	uint64_t at = UDX_NEVER;

	for (uint32_t i = 0; i < 2; i++) {
		const struct line_cell *c = line_peek(&w->line[1 - i]);
		uint64_t t = w->m[i].timer_at;

		if (c != NULL)
			t = earlier(t, c->at);
		if (t < w->m[i].free_at)
			t = w->m[i].free_at;
		at = earlier(at, t);
	}
	return at;
}

/* Both are closed, or one is and did not tell: the other has no way to
 * know. */
static bool
over(struct world *w)
{
	bool a = udx_reason(w->m[0].u) != UDX_LIVE;
	bool b = udx_reason(w->m[1].u) != UDX_LIVE;

	if ((a || b) && w->closed_at == 0)
		w->closed_at = w->now;
	return (a && b) || (w->closed_at != 0 && w->now > w->closed_at + LONG);
}

static void
loop(struct world *w)
{
	uint64_t stop = START + w->conf->limit, at;

	while (!over(w)) {
		for (uint32_t i = 0; i < 2; i++)
			if (w->now >= w->m[i].free_at)
				turn(w, i);
		at = next_time(w);
		if (at > stop || w->out->storm || w->out->wrong_bytes)
			break;
		w->now = at > w->now ? at : w->now;
	}
	w->out->stuck = udx_reason(w->m[0].u) == UDX_LIVE &&
			udx_reason(w->m[1].u) == UDX_LIVE;
	w->out->ended_at = w->now - START;
}

static void
start(struct world *w, uint32_t side)
{
	struct addr to = {.family = 4, .port = (uint16_t)(1000 + side)};
	struct machine *m = &w->m[side];
	struct udx_opts o;
	struct err e = ERR_INIT;

	m->conf = &w->conf->side[side];
	o = m->conf->opts;
	o.local_id = 100 + side;
	bug_if(udx_new(&m->u, &o, START, &e) != ERR_OK);
	udx_connect(m->u, 101 - side, &to, START);
	m->end_at = UDX_NEVER;
}

static void
finish(struct world *w)
{
	struct world_result *r = w->out;

	for (uint32_t i = 0; i < 2; i++) {
		struct machine *m = &w->m[i];

		r->reason[i] = udx_reason(m->u);
		r->read[i] = m->read;
		r->done_at[i] = m->done_at == 0 ? 0 : m->done_at - START;
		r->complete[i] = w->m[1 - i].read == m->conf->total;
		r->lost_data[i] = w->line[i].lost_data;
		udx_stats(m->u, &r->stats[i]);
		udx_free(m->u);
	}
}

void
world_run(const struct world_conf *c, struct world_result *r)
{
	struct world w = {.conf = c, .out = r, .now = START};

	if (pattern[PATTERN] == 0 && pattern[1] == 0)
		make_pattern();
	memset(r, 0, sizeof(*r));
	w.train = malloc(UDX_TRAIN_MAX);
	bug_if(w.train == NULL);
	w.random.s = c->seed ^ 0x5eed;
	for (uint32_t i = 0; i < 2; i++) {
		line_init(&w.line[i], &c->line, 2 * c->seed + i);
		start(&w, i);
	}
	loop(&w);
	finish(&w);
	line_deinit(&w.line[0]);
	line_deinit(&w.line[1]);
	free(w.train);
}
