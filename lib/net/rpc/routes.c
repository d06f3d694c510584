#include "net/rpc/routes.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"

void
routes_init(struct routes *t, const struct b32 *id)
{
	memset(t, 0, sizeof(*t));
	t->id = *id;
}

void
routes_deinit(struct routes *t)
{
	struct route *n = t->oldest;

	while (n != NULL) {
		struct route *next = n->newer;

		free(n);
		n = next;
	}
	routes_init(t, &t->id);
}

int
routes_cmp(const struct b32 *target, const struct b32 *a, const struct b32 *b)
{
	for (size_t i = 0; i < sizeof(a->b); i++) {
		int x = a->b[i] ^ target->b[i], y = b->b[i] ^ target->b[i];

		if (x != y)
			return x - y;
	}
	return 0;
}

/* The first bit in which two ids differ; the last one if in none. */
static size_t
diff(const struct b32 *a, const struct b32 *b)
{
	for (size_t i = 0; i < sizeof(a->b); i++) {
		unsigned x = a->b[i] ^ b->b[i];
		size_t bit = 8 * i;

		if (x == 0)
			continue;
		while ((x & 0x80) == 0) {
			x <<= 1;
			bit++;
		}
		return bit;
	}
	return ROUTES_ROWS - 1;
}

/* Where an id is in its row, or would be. */
static size_t
place(const struct routes_row *row, const struct b32 *id)
{
	size_t i = 0;

	while (
	    i < row->n && memcmp(row->node[i]->id.b, id->b, sizeof(id->b)) < 0)
		i++;
	return i;
}

const struct routes_row *
routes_row(const struct routes *t, const struct b32 *id)
{
	return &t->row[diff(&t->id, id)];
}

struct route *
routes_get(const struct routes *t, const struct b32 *id)
{
	const struct routes_row *row = routes_row(t, id);
	size_t i = place(row, id);

	if (i == row->n || !b32_eq(&row->node[i]->id, id))
		return NULL;
	return row->node[i];
}

/* -- the order of hearing -------------------------------------------------- */

static void
list_add(struct routes *t, struct route *n)
{
	n->older = t->latest;
	n->newer = NULL;
	if (t->latest != NULL)
		t->latest->newer = n;
	else
		t->oldest = n;
	t->latest = n;
}

static void
list_remove(struct routes *t, struct route *n)
{
	if (n->older != NULL)
		n->older->newer = n->newer;
	else
		t->oldest = n->newer;
	if (n->newer != NULL)
		n->newer->older = n->older;
	else
		t->latest = n->older;
}

void
routes_touch(struct routes *t, struct route *n)
{
	list_remove(t, n);
	list_add(t, n);
}

/* -- rows ------------------------------------------------------------------ */

static bool
row_put(struct routes *t, struct route *n)
{
	struct routes_row *row = &t->row[diff(&t->id, &n->id)];
	size_t i = place(row, &n->id);

	if (row->n == ROUTES_K || b32_eq(&t->id, &n->id))
		return false;
	memmove(&row->node[i + 1], &row->node[i],
	    (row->n - i) * sizeof(struct route *));
	row->node[i] = n;
	row->n++;
	t->n++;
	return true;
}

struct route *
routes_add(struct routes *t, const struct b32 *id, const struct addr *addr)
{
	struct route *n;

	if (routes_get(t, id) != NULL || (n = calloc(1, sizeof(*n))) == NULL)
		return NULL;
	n->id = *id;
	n->addr = *addr;
	if (!row_put(t, n)) {
		free(n);
		return NULL;
	}
	list_add(t, n);
	return n;
}

void
routes_remove(struct routes *t, struct route *n)
{
	struct routes_row *row = &t->row[diff(&t->id, &n->id)];
	size_t i = place(row, &n->id);

	bug_if(i == row->n || row->node[i] != n);
	row->n--;
	memmove(&row->node[i], &row->node[i + 1],
	    (row->n - i) * sizeof(struct route *));
	list_remove(t, n);
	t->n--;
	free(n);
}

void
routes_rekey(struct routes *t, const struct b32 *id)
{
	struct route *n = t->oldest, *next;

	routes_init(t, id);
	for (; n != NULL; n = next) {
		next = n->newer;
		if (row_put(t, n))
			list_add(t, n);
		else
			free(n);
	}
}

struct route *
routes_at(const struct routes *t, size_t i)
{
	const struct routes_row *row = t->row;

	bug_if(i >= t->n);
	while (i >= row->n) {
		i -= row->n;
		row++;
	}
	return row->node[i];
}

/* -- the nearest ----------------------------------------------------------- */

struct nearest {
	const struct b32 *target;
	struct route **out;
	size_t n, k;
};

static void
nearest_add(struct nearest *s, struct route *n)
{
	size_t i = s->n;

	if (i == s->k) {
		if (routes_cmp(s->target, &n->id, &s->out[i - 1]->id) >= 0)
			return;
		i--;
	} else {
		s->n++;
	}
	for (; i > 0; i--) {
		if (routes_cmp(s->target, &s->out[i - 1]->id, &n->id) < 0)
			break;
		s->out[i] = s->out[i - 1];
	}
	s->out[i] = n;
}

static void
nearest_row(struct nearest *s, const struct routes_row *row)
{
	for (size_t i = 0; i < row->n; i++)
		nearest_add(s, row->node[i]);
}

/*
 * Nodes of the target's own row share more bits with it than the own id does;
 * those of all later rows share exactly as many; those of each row before
 * share fewer, the less the earlier.
 */
size_t
routes_closest(const struct routes *t, const struct b32 *target,
    struct route **out, size_t k)
{
	struct nearest s = {target, out, 0, k};
	size_t d = diff(&t->id, target);

	if (k == 0)
		return 0;
	nearest_row(&s, &t->row[d]);
	if (s.n < k)
		for (size_t i = d + 1; i < ROUTES_ROWS; i++)
			nearest_row(&s, &t->row[i]);
	for (size_t i = d; i > 0 && s.n < k; i--)
		nearest_row(&s, &t->row[i - 1]);
	return s.n;
}
