/* The table of our requests to one peer for one core. */
#include <stdlib.h>

#include "replicate/impl.h"

/* Slot 0 stands for id 1. Free slots hang on `next`. */
static bool
grow(struct requests *t)
{
	size_t cap = t->cap == 0 ? WINDOW_MIN : t->cap * 2;
	struct request *slot;

	if (cap > SLOTS_MAX)
		return false;
	slot = realloc(t->slot, cap * sizeof(*slot));
	if (slot == NULL)
		return false;
	t->slot = slot;
	for (size_t i = cap; i > t->cap; i--) {
		slot[i - 1] =
		    (struct request){.kind = REQUEST_FREE, .next = t->free};
		t->free = (uint16_t)i;
	}
	t->cap = cap;
	return true;
}

static void
append(struct requests *t, uint16_t id, uint16_t *first, uint16_t *last)
{
	struct request *q = &t->slot[id - 1];

	q->prev = *last;
	q->next = 0;
	if (*last != 0)
		t->slot[*last - 1].next = id;
	else
		*first = id;
	*last = id;
}

static void
take_out(struct requests *t, uint16_t id, uint16_t *first, uint16_t *last)
{
	struct request *q = &t->slot[id - 1];

	if (q->prev != 0)
		t->slot[q->prev - 1].next = q->next;
	else
		*first = q->next;
	if (q->next != 0)
		t->slot[q->next - 1].prev = q->prev;
	else
		*last = q->prev;
}

static void
release(struct requests *t, uint16_t id)
{
	t->slot[id - 1] =
	    (struct request){.kind = REQUEST_FREE, .next = t->free};
	t->free = id;
}

bool
requests_full(const struct requests *t)
{
	return t->free == 0 && t->cap == SLOTS_MAX;
}

uint16_t
requests_add(
    struct requests *t, enum request_kind kind, uint64_t index, uint64_t now)
{
	uint16_t id;

	if (t->free == 0 && !grow(t))
		return 0;
	id = t->free;
	t->free = t->slot[id - 1].next;
	t->slot[id - 1] = (struct request){
	    .index = index, .sent = now, .cancels = t->cancels, .kind = kind};
	append(t, id, &t->first, &t->last);
	t->n++;
	return id;
}

struct request *
requests_get(struct requests *t, uint64_t id)
{
	if (id == 0 || id > t->cap || t->slot[id - 1].kind == REQUEST_FREE)
		return NULL;
	return &t->slot[id - 1];
}

/* The remote reads our messages in order. If it answers a request that was
 * sent behind a cancel, it has seen the cancel, and says no more to it. */
static void
round_trip(struct requests *t, uint64_t cancels)
{
	uint16_t id;

	while ((id = t->first_cancelled) != 0 &&
	       t->slot[id - 1].cancels <= cancels) {
		take_out(t, id, &t->first_cancelled, &t->last_cancelled);
		release(t, id);
	}
}

void
requests_done(struct requests *t, uint16_t id)
{
	uint64_t cancels = t->slot[id - 1].cancels;

	if (t->slot[id - 1].kind == REQUEST_CANCELLED) {
		take_out(t, id, &t->first_cancelled, &t->last_cancelled);
		release(t, id);
		return;
	}
	take_out(t, id, &t->first, &t->last);
	t->n--;
	release(t, id);
	round_trip(t, cancels);
}

void
requests_cancel(struct requests *t, uint16_t id)
{
	take_out(t, id, &t->first, &t->last);
	t->n--;
	t->slot[id - 1].kind = REQUEST_CANCELLED;
	t->slot[id - 1].cancels = ++t->cancels;
	append(t, id, &t->first_cancelled, &t->last_cancelled);
}

void
requests_touch(struct requests *t, uint16_t id, uint64_t now)
{
	take_out(t, id, &t->first, &t->last);
	t->slot[id - 1].sent = now;
	append(t, id, &t->first, &t->last);
}

uint16_t
requests_first(const struct requests *t)
{
	return t->first;
}

uint16_t
requests_after(const struct requests *t, uint16_t id)
{
	return t->slot[id - 1].next;
}

void
requests_deinit(struct requests *t)
{
	free(t->slot);
	*t = (struct requests){0};
}
