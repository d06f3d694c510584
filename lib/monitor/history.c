#include "monitor/history.h"

#include <inttypes.h>
#include <string.h>

/* -- rings ---------------------------------------------------------------- */

/* Everything between the newest and `at` is a gap. */
static struct history_point *
ring_at(struct history_ring *r, uint64_t at)
{
	uint64_t i = r->any ? r->last + 1 : at;

	if (r->any && at < r->last)
		return NULL;
	if (r->any && at - r->last > r->cap)
		i = at - r->cap + 1;
	for (; i <= at; i++)
		r->point[i % r->cap].known = false;
	r->last = at;
	r->any = true;
	return &r->point[at % r->cap];
}

void
history_init(struct history *h)
{
	memset(h, 0, sizeof(*h));
	h->seconds.point = h->second;
	h->seconds.cap = HISTORY_SECONDS;
	h->minutes.point = h->minute;
	h->minutes.cap = HISTORY_MINUTES;
}

/* -- adding --------------------------------------------------------------- */

static void
sum_add(struct history_sum *s, const struct history_point *p)
{
	uint32_t connections = s->n > 0 ? s->last.connections : 0;
	uint64_t rss = s->n > 0 ? s->last.rss_bytes : 0;

	s->n++;
	s->down += (double)p->down;
	s->up += (double)p->up;
	s->last = *p;
	if (s->last.connections < connections)
		s->last.connections = connections;
	if (s->last.rss_bytes < rss)
		s->last.rss_bytes = rss;
}

static void
minute_put(struct history *h)
{
	struct history_sum *s = &h->sum;
	struct history_point *p = ring_at(&h->minutes, s->minute);

	if (p == NULL || s->n == 0)
		return;
	*p = s->last;
	p->down = (float)(s->down / s->n);
	p->up = (float)(s->up / s->n);
	p->known = true;
}

void
history_add(struct history *h, uint64_t second, const struct history_point *p)
{
	bool again = h->seconds.any && second == h->seconds.last;
	struct history_point *at = ring_at(&h->seconds, second);

	if (at == NULL)
		return;
	*at = *p;
	at->known = true;
	if (again)
		return;
	if (second / 60 != h->sum.minute)
		memset(&h->sum, 0, sizeof(h->sum));
	h->sum.minute = second / 60;
	sum_add(&h->sum, p);
	/* the minute that runs is shown as far as it is known */
	minute_put(h);
}

/* -- printing ------------------------------------------------------------- */

enum field { DOWN, UP, CONNECTIONS, COMPLETE, RSS };

static void
value(struct buf *b, const struct history_point *p, enum field f)
{
	switch (f) {
	case DOWN:
		buf_printf(b, "%.0f", (double)p->down);
		break;
	case UP:
		buf_printf(b, "%.0f", (double)p->up);
		break;
	case CONNECTIONS:
		buf_printf(b, "%" PRIu32, p->connections);
		break;
	case COMPLETE:
		buf_printf(b, "%" PRIu32, p->complete);
		break;
	case RSS:
		buf_printf(b, "%" PRIu64, p->rss_bytes);
		break;
	}
}

static void
field_json(
    struct buf *b, const struct history_ring *r, const char *name, enum field f)
{
	const struct history_point *p;

	buf_printf(b, ",\"%s\":[", name);
	for (uint64_t i = 0; i < r->cap; i++) {
		/* slots that no second fell into yet are not known either */
		p = &r->point[(r->last + 1 + i) % r->cap];
		if (i > 0)
			buf_byte(b, ',');
		if (p->known)
			value(b, p, f);
		else
			buf_str(b, "null");
	}
	buf_byte(b, ']');
}

static void
ring_json(struct buf *b, const struct history_ring *r, const char *name,
    unsigned step)
{
	buf_printf(b, "\"%s\":{\"step\":%u", name, step);
	field_json(b, r, "down", DOWN);
	field_json(b, r, "up", UP);
	field_json(b, r, "connections", CONNECTIONS);
	field_json(b, r, "complete", COMPLETE);
	field_json(b, r, "memory", RSS);
	buf_byte(b, '}');
}

void
history_json(struct buf *b, const struct history *h)
{
	buf_byte(b, '{');
	ring_json(b, &h->seconds, "seconds", 1);
	buf_byte(b, ',');
	ring_json(b, &h->minutes, "minutes", 60);
	buf_byte(b, '}');
}
