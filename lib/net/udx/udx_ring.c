/*
 * Packet records in a ring that follows what is in flight, and the lists
 * through them. Lists name packets by number, so the ring may move.
 */
#include "net/udx/impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"

#define RING_MIN 16

struct pkt *
udx_ring_at(const struct udx *u, uint32_t seq)
{
	return &u->snd.ring[seq & (u->snd.cap - 1)];
}

static bool
resize(struct udx *u, uint32_t cap)
{
	struct snd *s = &u->snd;
	struct pkt *ring = malloc(cap * sizeof(*ring));

	if (ring == NULL)
		return false;
	for (uint32_t q = s->una; q != s->nxt; q++)
		ring[q & (cap - 1)] = *udx_ring_at(u, q);
	free(s->ring);
	s->ring = ring;
	s->cap = cap;
	return true;
}

struct pkt *
udx_ring_push(struct udx *u)
{
	struct snd *s = &u->snd;
	struct pkt *p;

	if (s->nxt - s->una == s->cap &&
	    !resize(u, s->cap == 0 ? RING_MIN : s->cap * 2))
		return NULL;
	p = udx_ring_at(u, s->nxt++);
	memset(p, 0, sizeof(*p));
	return p;
}

/* A quarter of what was needed once is kept: no growing and shrinking in
 * turns. Without memory for the smaller ring the larger one stays. */
void
udx_ring_shrink(struct udx *u)
{
	struct snd *s = &u->snd;
	uint32_t cap = s->cap;

	if (s->nxt == s->una)
		cap = cap < RING_MIN ? cap : RING_MIN;
	else if (s->nxt - s->una < cap / 8)
		cap /= 2;
	if (cap >= RING_MIN && cap < s->cap)
		(void)resize(u, cap);
}

void
udx_ring_append(struct udx *u, struct pkt_list *l, uint32_t seq)
{
	struct pkt *p = udx_ring_at(u, seq);

	p->prev = l->tail;
	if (l->count++ == 0)
		l->head = seq;
	else
		udx_ring_at(u, l->tail)->next = seq;
	l->tail = seq;
}

void
udx_ring_prepend(struct udx *u, struct pkt_list *l, uint32_t seq)
{
	struct pkt *p = udx_ring_at(u, seq);

	p->next = l->head;
	if (l->count++ == 0)
		l->tail = seq;
	else
		udx_ring_at(u, l->head)->prev = seq;
	l->head = seq;
}

void
udx_ring_remove(struct udx *u, struct pkt_list *l, uint32_t seq)
{
	struct pkt *p = udx_ring_at(u, seq);

	bug_if(l->count == 0);
	if (l->head == seq)
		l->head = p->next;
	else
		udx_ring_at(u, p->prev)->next = p->next;
	if (l->tail == seq)
		l->tail = p->prev;
	else
		udx_ring_at(u, p->next)->prev = p->prev;
	l->count--;
}
