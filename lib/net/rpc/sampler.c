#include "net/rpc/sampler.h"

#include <string.h>

#include "base/bug.h"

#define LOOK_BACK 4

void
sampler_init(struct sampler *s)
{
	memset(s, 0, sizeof(*s));
	s->both = s->host = SAMPLER_NONE;
}

static uint8_t
fresh(struct sampler *s, const struct addr *a)
{
	for (uint8_t i = 0; i < SAMPLER_POOL; i++) {
		struct sampler_entry *p = &s->pool[i];

		if (p->hits > 0 || i == s->both || i == s->host)
			continue;
		p->addr = *a;
		p->hits = 1;
		return i;
	}
	bug("more entries than the ring can name");
}

/* One more hit for one of the last few entries that is the same, at `back`
 * places before the top and every second one before; else a new entry. An
 * older one does not count: it would have to be told often enough again. */
static uint8_t
bump(struct sampler *s, const struct addr *a, unsigned back)
{
	for (unsigned i = 0; i < LOOK_BACK; i++) {
		unsigned j = (s->top - back - 2 * i) & (SAMPLER_RING - 1);
		struct sampler_entry *p;

		if (j >= s->n)
			break;
		p = &s->pool[s->ring[j]];
		if (addr_eq(&p->addr, a)) {
			p->hits++;
			return s->ring[j];
		}
	}
	return fresh(s, a);
}

static void
put(struct sampler *s, uint8_t entry)
{
	if (s->n == SAMPLER_RING) {
		s->top &= SAMPLER_RING - 1;
		s->pool[s->ring[s->top]].hits--;
	} else {
		s->n++;
	}
	s->ring[s->top++] = entry;
}

static unsigned
threshold(unsigned n)
{
	return n - (n < 4 ? 0 : n < 8 ? 1 : n < 12 ? 2 : 3);
}

static void
better(const struct sampler *s, uint8_t *best, uint8_t i)
{
	if (*best == SAMPLER_NONE || s->pool[*best].hits < s->pool[i].hits)
		*best = i;
}

bool
sampler_add(struct sampler *s, const struct addr *a)
{
	struct addr host = *a, before = s->addr;
	uint8_t i, j;

	host.port = 0;
	i = bump(s, a, 2);
	j = bump(s, &host, 1);
	put(s, i);
	put(s, j);
	s->size = s->n / 2;
	better(s, &s->both, i);
	better(s, &s->host, j);
	if (s->pool[s->both].hits >= threshold(s->size))
		s->addr = s->pool[s->both].addr;
	else if (s->pool[s->host].hits >= threshold(s->size))
		s->addr = s->pool[s->host].addr;
	else
		s->addr = (struct addr){0};
	return !addr_eq(&before, &s->addr);
}
