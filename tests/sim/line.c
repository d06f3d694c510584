#include "tests/sim/line.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"

#define MILLION 1000000
#define IP_UDP 28
#define HEADER 20
#define BURST_TIME 300000

uint64_t
line_random(struct line_random *r)
{
	uint64_t z = (r->s += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint64_t
line_below(struct line_random *r, uint64_t n)
{
	return n == 0 ? 0 : line_random(r) % n;
}

bool
line_chance(struct line_random *r, uint32_t per_million)
{
	return line_below(r, MILLION) < per_million;
}

void
line_init(struct line *l, const struct line_conf *c, uint64_t seed)
{
	memset(l, 0, sizeof(*l));
	l->conf = *c;
	l->random.s = seed;
}

void
line_deinit(struct line *l)
{
	while (l->n > 0)
		free(l->heap[--l->n]);
	while (l->nspare > 0)
		free(l->spare[--l->nspare]);
	free(l->heap);
	free(l->spare);
}

static bool
before(const struct line_cell *a, const struct line_cell *b)
{
	return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void
reserve(struct line *l)
{
	if (l->n + l->nspare < l->cap)
		return;
	l->cap = l->cap == 0 ? 1024 : l->cap * 2;
	l->heap = realloc(l->heap, l->cap * sizeof(struct line_cell *));
	l->spare = realloc(l->spare, l->cap * sizeof(struct line_cell *));
	bug_if(l->heap == NULL || l->spare == NULL);
}

static void
push(struct line *l, struct line_cell *c)
{
	size_t i = l->n++;

	for (; i > 0 && before(c, l->heap[(i - 1) / 2]); i = (i - 1) / 2)
		l->heap[i] = l->heap[(i - 1) / 2];
	l->heap[i] = c;
}

const struct line_cell *
line_peek(const struct line *l)
{
	return l->n > 0 ? l->heap[0] : NULL;
}

struct line_cell *
line_take(struct line *l)
{
	struct line_cell *top = l->heap[0], *last = l->heap[--l->n];
	size_t i = 0, k;

	for (; (k = 2 * i + 1) < l->n; i = k) {
		if (k + 1 < l->n && before(l->heap[k + 1], l->heap[k]))
			k++;
		if (!before(l->heap[k], last))
			break;
		l->heap[i] = l->heap[k];
	}
	l->heap[i] = last;
	return top;
}

void
line_give_back(struct line *l, struct line_cell *c)
{
	l->spare[l->nspare++] = c;
}

static void
deliver(struct line *l, uint64_t at, struct view d)
{
	struct line_cell *c;

	reserve(l);
	c = l->nspare > 0 ? l->spare[--l->nspare] : malloc(sizeof(*c));
	bug_if(c == NULL || d.len > LINE_DATAGRAM);
	c->at = at + line_below(&l->random, l->conf.jitter);
	c->order = l->order++;
	c->len = d.len;
	memcpy(c->bytes, d.ptr, d.len);
	push(l, c);
}

static bool
is_lost(struct line *l, uint64_t now, size_t len, bool fragment)
{
	const struct line_conf *c = &l->conf;
	bool lost = line_chance(&l->random, c->loss);

	if (l->burst_left > 0 && now < l->burst_until) {
		l->burst_left--;
		lost = true;
	} else if (line_chance(&l->random, c->burst)) {
		l->burst_left =
		    (uint32_t)line_below(&l->random, 2 * c->burst_len);
		l->burst_until = now + BURST_TIME;
		lost = true;
	}
	if (!fragment && c->mtu > 0 && now >= c->mtu_from &&
	    len + IP_UDP > c->mtu)
		lost = true;
	return lost || (now >= c->dark && now - c->dark < c->dark_len);
}

/* When the bottleneck has sent it; UINT64_MAX: its queue is full. */
static uint64_t
transmit(struct line *l, uint64_t now, size_t len)
{
	uint64_t *busy = &l->busy;

	if (l->conf.rate == 0)
		return now;
	if (*busy < now)
		*busy = now;
	if ((*busy - now) * l->conf.rate / MILLION > l->conf.queue)
		return UINT64_MAX;
	*busy += (len + IP_UDP) * MILLION / l->conf.rate;
	return *busy;
}

void
line_send(struct line *l, uint64_t now, struct view d, bool fragment)
{
	bool lost = is_lost(l, now, d.len, fragment);
	uint64_t at = lost ? UINT64_MAX : transmit(l, now, d.len);

	l->sent++;
	if (at == UINT64_MAX) {
		l->lost++;
		l->lost_data += d.len > HEADER && (d.ptr[2] & 3) != 0;
		return;
	}
	at += l->conf.delay;
	deliver(l, at, d);
	if (line_chance(&l->random, l->conf.duplicate))
		deliver(l, at, d);
}
