/* The routing table against a plain list of nodes, and its order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "net/rpc/message.h"
#include "net/rpc/routes.h"
#include "support/dice.h"
#include "support/vec.h"

#define NODES 3000

static void
node(size_t i, struct addr *a, struct b32 *id)
{
	*a = (struct addr){
	    4, 1000, {9, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
	rpc_node_id(id, a);
}

/* The bit in which they first differ. */
static size_t
shared(const struct b32 *a, const struct b32 *b)
{
	size_t i = 0;

	while (i < 256 && ((a->b[i / 8] ^ b->b[i / 8]) >> (7 - i % 8) & 1) == 0)
		i++;
	return i;
}

/* The twin: who is in, in the order of hearing. */
struct twin {
	struct b32 own;
	size_t in[NODES], n;
};

static size_t
twin_find(const struct twin *w, size_t i)
{
	size_t at = 0;

	while (at < w->n && w->in[at] != i)
		at++;
	return at;
}

static void
twin_remove(struct twin *w, size_t at)
{
	w->n--;
	memmove(&w->in[at], &w->in[at + 1], (w->n - at) * sizeof(w->in[0]));
}

static bool
twin_add(struct twin *w, size_t i)
{
	size_t row = 0;
	struct addr a;
	struct b32 id, x;

	node(i, &a, &id);
	if (twin_find(w, i) < w->n)
		return false;
	for (size_t j = 0; j < w->n; j++) {
		node(w->in[j], &a, &x);
		row += shared(&w->own, &x) == shared(&w->own, &id);
	}
	if (row >= ROUTES_K)
		return false;
	w->in[w->n++] = i;
	return true;
}

/* The k nearest are those that fewer than k are nearer than. */
static void
same_closest(const struct routes *t, const struct twin *w, size_t k)
{
	struct route *got[64];
	struct b32 target, id;
	struct addr a;
	size_t n;

	for (size_t i = 0; i < 32; i++)
		target.b[i] = (uint8_t)any(256);
	if (any(4) == 0)
		target = w->own;
	n = routes_closest(t, &target, got, k);
	check(n == (w->n < k ? w->n : k));
	for (size_t i = 1; i < n; i++)
		check(routes_cmp(&target, &got[i - 1]->id, &got[i]->id) < 0);
	for (size_t i = 0; i < w->n && n > 0; i++) {
		bool in = false;

		node(w->in[i], &a, &id);
		for (size_t j = 0; j < n; j++)
			in = in || b32_eq(&got[j]->id, &id);
		check(in || (n == k &&
				routes_cmp(&target, &id, &got[n - 1]->id) > 0));
	}
}

static void
same(const struct routes *t, const struct twin *w)
{
	const struct route *x = t->oldest;
	struct addr a;
	struct b32 id;

	check(t->n == w->n);
	for (size_t i = 0; i < w->n; i++, x = x->newer) {
		node(w->in[i], &a, &id);
		check(b32_eq(&x->id, &id) && addr_eq(&x->addr, &a));
		check(routes_get(t, &id) == x);
	}
	check(x == NULL);
	x = t->latest;
	for (size_t i = w->n; i > 0; i--, x = x->older)
		check(x != NULL);
	check(x == NULL);
	same_closest(t, w, 1 + any(ROUTES_K));
}

static void
step(struct routes *t, struct twin *w)
{
	size_t i = any(NODES), at = twin_find(w, i);
	struct route *x;
	struct addr a;
	struct b32 id;

	node(i, &a, &id);
	x = routes_get(t, &id);
	check((x != NULL) == (at < w->n));
	if (x == NULL || any(8) == 0) {
		check((routes_add(t, &id, &a) != NULL) == twin_add(w, i));
	} else if (any(2) == 0) {
		routes_remove(t, x);
		twin_remove(w, at);
	} else {
		routes_touch(t, x);
		twin_remove(w, at);
		w->in[w->n++] = i;
	}
}

/* As if its nodes came again, the oldest first. */
static void
rekey(struct routes *t, struct twin *w)
{
	static struct twin old;
	struct b32 id;
	struct addr a;

	node(NODES + any(1000), &a, &id);
	old = *w;
	*w = (struct twin){.own = id};
	for (size_t i = 0; i < old.n; i++)
		(void)twin_add(w, old.in[i]);
	routes_rekey(t, &id);
}

static void
test_model(void **state)
{
	static struct routes t;
	static struct twin w;
	struct addr a;

	(void)state;
	node(NODES, &a, &w.own);
	routes_init(&t, &w.own);
	for (size_t i = 0; i < 6000; i++) {
		step(&t, &w);
		if (i % 50 == 0)
			same(&t, &w);
		if (i % 1600 == 1599)
			rekey(&t, &w);
	}
	same(&t, &w);
	check(t.n > 60);
	routes_deinit(&t);
	check(t.n == 0 && t.oldest == NULL);
	check(routes_closest(&t, &w.own, NULL, 0) == 0);
}

static void
test_own(void **state)
{
	static struct routes t;
	struct addr a;
	struct b32 id, other;

	(void)state;
	node(1, &a, &id);
	routes_init(&t, &id);
	check(routes_add(&t, &id, &a) == NULL && t.n == 0);
	/* who is made the own node leaves the table */
	node(2, &a, &other);
	check(routes_add(&t, &other, &a) != NULL);
	routes_rekey(&t, &other);
	check(t.n == 0 && t.latest == NULL);
	routes_deinit(&t);
}

static void
test_at(void **state)
{
	static struct routes t;
	struct b32 id, own = {{0}};
	struct addr a;
	size_t seen = 0;

	(void)state;
	routes_init(&t, &own);
	for (size_t i = 0; i < 100; i++) {
		node(i, &a, &id);
		(void)routes_add(&t, &id, &a);
	}
	for (size_t i = 0; i < t.n; i++) {
		struct route *x = routes_at(&t, i);

		check(routes_get(&t, &x->id) == x && x->seen == 0);
		x->seen = 1;
		seen++;
	}
	check(seen == t.n && seen > 60);
	routes_deinit(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_model),
	    cmocka_unit_test(test_own),
	    cmocka_unit_test(test_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
