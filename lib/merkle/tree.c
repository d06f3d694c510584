#include "merkle/tree.h"

#include <string.h>

#include "crypto/hash.h"

void
tree_init(struct tree *t)
{
	t->length = t->byte_length = 0;
	t->nroots = 0;
}

enum err_code
tree_from_roots(struct tree *t, uint64_t length, const struct node *roots,
    size_t n, struct err *e)
{
	uint64_t want[FLAT_ROOTS_MAX];

	if (length > UINT64_C(1) << 53 || flat_roots(length, want) != n)
		return err_set(e, ERR_FORMAT,
		    "%zu roots are not those of length %llu", n,
		    (unsigned long long)length);
	tree_init(t);
	for (size_t i = 0; i < n; i++) {
		if (roots[i].index != want[i])
			return err_set(e, ERR_FORMAT,
			    "node %llu is no root of length %llu",
			    (unsigned long long)roots[i].index,
			    (unsigned long long)length);
		t->root[i] = roots[i];
		t->byte_length += roots[i].size;
	}
	t->length = length;
	t->nroots = n;
	return ERR_OK;
}

void
node_parent(struct node *out, const struct node *left, const struct node *right)
{
	struct node p = {.index = flat_parent(left->index),
	    .size = left->size + right->size};

	hash_parent(&p.hash, p.size, &left->hash, &right->hash);
	*out = p;
}

bool
node_eq(const struct node *a, const struct node *b)
{
	return a->index == b->index && a->size == b->size &&
	       b32_eq(&a->hash, &b->hash);
}

size_t
tree_append(struct tree *t, uint64_t size, const struct b32 *leaf,
    struct node made[static FLAT_ROOTS_MAX])
{
	struct node at = {.index = 2 * t->length, .size = size, .hash = *leaf};
	size_t n = 0;

	made[n++] = at;
	while (t->nroots > 0 &&
	       flat_sibling(at.index) == t->root[t->nroots - 1].index) {
		node_parent(&at, &t->root[--t->nroots], &at);
		made[n++] = at;
	}
	t->root[t->nroots++] = at;
	t->length++;
	t->byte_length += size;
	return n;
}

static void
put_le64(uint8_t *p, uint64_t n)
{
	for (size_t i = 0; i < 8; i++)
		p[i] = (uint8_t)(n >> (8 * i));
}

void
tree_hash(const struct tree *t, struct b32 *out)
{
	static const uint8_t type = 2;
	struct hash_state s;
	uint8_t numbers[16];

	hash_init(&s);
	hash_update(&s, view_of(&type, 1));
	for (size_t i = 0; i < t->nroots; i++) {
		put_le64(numbers, t->root[i].index);
		put_le64(numbers + 8, t->root[i].size);
		hash_update(&s, view_b32(&t->root[i].hash));
		hash_update(&s, view_of(numbers, sizeof(numbers)));
	}
	hash_final(&s, out);
}

size_t
tree_upgrade_set(uint64_t a, uint64_t b, uint64_t out[static TREE_UPGRADE_MAX])
{
	uint64_t roots[FLAT_ROOTS_MAX], at;
	size_t n = 0, nroots = flat_roots(b, roots), i = 0;

	if (a > 0 && a < b) {
		while (flat_right_span(roots[i]) < 2 * a - 2)
			i++;
		for (at = 2 * a - 2; at != roots[i]; at = flat_parent(at))
			if (flat_sibling(at) > 2 * a - 2)
				out[n++] = flat_sibling(at);
		i++;
	}
	if (a >= b)
		return 0;
	while (i < nroots)
		out[n++] = roots[i++];
	return n;
}
