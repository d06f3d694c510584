#include "bee/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 65536	  /* bytes of an ordinary chunk */
#define LARGE (CHUNK / 4) /* from here an object has its own chunk */

struct bee_chunk {
	struct bee_chunk *next;
	size_t used, cap;
	alignas(max_align_t) uint8_t data[];
};

void
bee_arena_init(struct bee_arena *a)
{
	a->head = NULL;
	a->total = 0;
}

static void
free_chunks(struct bee_arena *a, struct bee_chunk *c)
{
	while (c != NULL) {
		struct bee_chunk *next = c->next;

		a->total -= c->cap;
		free(c);
		c = next;
	}
}

void
bee_arena_deinit(struct bee_arena *a)
{
	free_chunks(a, a->head);
	bee_arena_init(a);
}

void
bee_arena_reset(struct bee_arena *a)
{
	if (a->head == NULL || a->head->cap != CHUNK) {
		bee_arena_deinit(a);
		return;
	}
	free_chunks(a, a->head->next);
	a->head->next = NULL;
	a->head->used = 0;
}

static struct bee_chunk *
new_chunk(struct bee_arena *a, size_t cap)
{
	struct bee_chunk *c;

	if (cap > SIZE_MAX - sizeof(*c) ||
	    (c = malloc(sizeof(*c) + cap)) == NULL)
		return NULL;
	c->next = NULL;
	c->used = 0;
	c->cap = cap;
	a->total += cap;
	return c;
}

/* n bytes at a multiple of align (a power of two). */
static uint8_t *
take(struct bee_arena *a, size_t n, size_t align)
{
	struct bee_chunk *c = a->head;
	uint8_t *p;

	if (n >= LARGE) {
		if ((c = new_chunk(a, n)) == NULL)
			return NULL;
		/* behind the head, which still has room */
		if (a->head != NULL) {
			c->next = a->head->next;
			a->head->next = c;
		} else {
			a->head = c;
		}
		c->used = n;
		return c->data;
	}
	if (c != NULL)
		c->used = (c->used + align - 1) & ~(align - 1);
	if (c == NULL || c->used > c->cap || n > c->cap - c->used) {
		if ((c = new_chunk(a, CHUNK)) == NULL)
			return NULL;
		c->next = a->head;
		a->head = c;
	}
	p = c->data + c->used;
	c->used += n;
	return p;
}

void *
bee_arena_alloc(struct bee_arena *a, size_t n)
{
	uint8_t *p = take(a, n, alignof(max_align_t));

	if (p != NULL)
		memset(p, 0, n);
	return p;
}

bool
bee_arena_copy(struct bee_arena *a, struct view v, struct view *out)
{
	uint8_t *p = take(a, v.len, 1);

	if (p == NULL)
		return false;
	if (v.len > 0)
		memcpy(p, v.ptr, v.len);
	*out = view_of(p, v.len);
	return true;
}
