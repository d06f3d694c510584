/*
 * A naive twin of a bee: an array of keys, values and blocks, sorted. With
 * the writer beside it, and the checks that hold for both. Include after
 * fake_core.h in the test program itself.
 */
#ifndef TESTS_BEE_MODEL_H
#define TESTS_BEE_MODEL_H

#include "bee/bee.h"
#include "tests/unit/bee/fake_core.h"

#define MODEL_KEYS 4096 /* key i is the text "kNNNN" */

struct model {
	uint64_t seq[MODEL_KEYS]; /* 0: not there */
	uint32_t value[MODEL_KEYS];
	size_t keys; /* that are in use, <= MODEL_KEYS */
};

static inline struct view
model_key(char out[static 8], size_t i)
{
	out[0] = 'k';
	for (size_t d = 4; d > 0; d--, i /= 10)
		out[d] = (char)('0' + i % 10);
	return view_of(out, 5);
}

static inline void
model_put(struct model *m, struct bee_batch *b, size_t i, uint32_t value,
    uint64_t *seq)
{
	struct err e = ERR_INIT;
	enum err_code rc;
	struct want w;
	char key[8];

	until_here(rc, bee_batch_put(b, model_key(key, i),
			   view_of(&value, sizeof(value)), &w, &e));
	check_ok(rc, &e);
	m->seq[i] = (*seq)++;
	m->value[i] = value;
}

static inline void
model_del(struct model *m, struct bee_batch *b, size_t i, uint64_t *seq)
{
	struct err e = ERR_INIT;
	enum err_code rc;
	struct want w;
	char key[8];

	until_here(rc, bee_batch_del(b, model_key(key, i), &w, &e));
	check_ok(rc, &e);
	if (m->seq[i] != 0)
		(*seq)++;
	m->seq[i] = 0;
}

static inline void
model_check_entry(
    const struct model *m, size_t i, const struct bee_entry *entry)
{
	char key[8];

	check(entry->seq == m->seq[i]);
	check_same(entry->key, model_key(key, i));
	check_same(entry->value, view_of(&m->value[i], sizeof(m->value[i])));
}

/* The whole listing of a checkout at `version`. */
static inline void
model_check_listing(const struct model *m, struct core *c, uint64_t version)
{
	struct bee_range all = BEE_RANGE_ALL;
	struct err e = ERR_INIT;
	struct bee_entry entry;
	struct bee_iter *it;
	struct bee *b;
	enum err_code rc;
	struct want w;
	bool more;

	check_ok(bee_open(&b, c, version, &e), &e);
	check_ok(bee_iter_open(&it, b, &all, &e), &e);
	for (size_t i = 0; i < m->keys; i++) {
		if (m->seq[i] == 0)
			continue;
		until_here(rc, bee_iter_next(it, &more, &entry, &w, &e));
		check_ok(rc, &e);
		check(more);
		model_check_entry(m, i, &entry);
	}
	until_here(rc, bee_iter_next(it, &more, &entry, &w, &e));
	check_ok(rc, &e);
	check(!more);
	bee_iter_close(it);
	bee_close(b);
}

/* A small generator, so that a run depends on its seed alone. */
static inline uint32_t
model_random(uint32_t *s, uint32_t below)
{
	*s ^= *s << 13;
	*s ^= *s >> 17;
	*s ^= *s << 5;
	return *s % below;
}

#endif
