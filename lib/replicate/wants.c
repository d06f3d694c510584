#include "replicate/wants.h"

#include <stdlib.h>

#include "base/arr.h"

void
wants_deinit(struct wants *w)
{
	free(w->span);
	*w = (struct wants){0};
}

/* A power of two, at a multiple of itself. */
static bool
regular(const struct message_want *m)
{
	return m->length >= WANTS_SPAN_MIN && m->length <= WANTS_SPAN &&
	       (m->length & (m->length - 1)) == 0 &&
	       (m->start & (m->length - 1)) == 0;
}

/* Is there a span of this length, or room for one more length? */
static bool
size_fits(const struct wants *w, uint64_t length)
{
	uint64_t seen[WANTS_SIZES];
	size_t n = 0, k;

	for (size_t i = 0; i < w->n; i++) {
		for (k = 0; k < n && seen[k] != w->span[i].length; k++)
			;
		if (k == n)
			seen[n++] = w->span[i].length;
	}
	for (k = 0; k < n; k++)
		if (seen[k] == length)
			return true;
	return n < WANTS_SIZES;
}

static bool
known(const struct wants *w, uint64_t start, uint64_t length)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->span[i].start == start && w->span[i].length == length)
			return true;
	return false;
}

static void
add_any(struct wants *w, const struct message_want *m)
{
	if (w->nany < WANTS_ANY_MAX)
		w->any[w->nany++] = (struct wants_span){m->start, m->length};
	else
		w->all = true;
}

enum err_code
wants_add(
    struct wants *w, const struct message_want *m, bool *answer, struct err *e)
{
	*answer = m->any || m->length <= WANTS_SPAN;
	if (m->any) {
		add_any(w, m);
		return ERR_OK;
	}
	if (!*answer || known(w, m->start, m->length))
		return ERR_OK;
	if (!regular(m) || w->n == WANTS_MAX || !size_fits(w, m->length)) {
		w->all = true;
		return ERR_OK;
	}
	if (!ARR_RESERVE(w->span, w->n + 1, w->cap))
		return err_nomem(e);
	w->span[w->n++] = (struct wants_span){m->start, m->length};
	return ERR_OK;
}

void
wants_remove(struct wants *w, const struct message_want *m)
{
	struct wants_span *list = m->any ? w->any : w->span;
	size_t *n = m->any ? &w->nany : &w->n;

	for (size_t i = 0; i < *n; i++)
		if (list[i].start == m->start && list[i].length == m->length) {
			list[i] = list[--*n];
			return;
		}
}

static bool
meets(const struct wants_span *s, uint64_t start, uint64_t end)
{
	return s->start < end && start < s->start + s->length;
}

bool
wants_range(const struct wants *w, uint64_t start, uint64_t length)
{
	uint64_t end = start + length;

	for (size_t i = 0; i < w->n; i++)
		if (meets(&w->span[i], start, end))
			return true;
	for (size_t i = 0; i < w->nany; i++)
		if (meets(&w->any[i], start, end))
			return true;
	return w->all;
}
