/*
 * A core that is an array of blocks: what lib/bee asks of lib/core, without
 * a store, signatures or hashes. A block can be "elsewhere" until it was
 * asked for, and reads are counted. Include in the test program itself.
 */
#ifndef TESTS_FAKE_CORE_H
#define TESTS_FAKE_CORE_H

#include <stdlib.h>
#include <string.h>

#include "core/batch.h"
#include "tests/unit/support/vec.h"

struct fake_block {
	uint8_t *p;
	size_t len;
	bool elsewhere;
};

struct core {
	struct core_head head;
	struct b32 key;
	struct fake_block *block;
	size_t n, cap; /* n - head.length are pending in a batch */
	uint64_t reads;
	size_t refuse_at; /* append of this block fails; 0: none does */
};

struct core_batch {
	struct core *core;
};

static inline void
fake_add(struct core *c, struct view block)
{
	if (c->n == c->cap) {
		c->cap = c->cap == 0 ? 64 : c->cap * 2;
		c->block = realloc(c->block, c->cap * sizeof(*c->block));
		check(c->block != NULL);
	}
	c->block[c->n].p = malloc(block.len + 1);
	check(c->block[c->n].p != NULL);
	if (block.len > 0)
		memcpy(c->block[c->n].p, block.ptr, block.len);
	c->block[c->n].len = block.len;
	c->block[c->n].elsewhere = false;
	c->n++;
}

static inline void
fake_commit(struct core *c)
{
	c->head.length = c->n;
}

/* Blocks i and above are gone. */
static inline void
fake_cut(struct core *c, size_t n)
{
	while (c->n > n)
		free(c->block[--c->n].p);
	c->head.length = c->n;
}

static inline void
fake_free(struct core *c)
{
	fake_cut(c, 0);
	free(c->block);
	*c = (struct core){.n = 0};
}

/* From now on every block gives ERR_NEED_BLOCK the first time. */
static inline void
fake_forget(struct core *c)
{
	for (size_t i = 0; i < c->n; i++)
		c->block[i].elsewhere = true;
}

static inline struct view
fake_view(const struct core *c, size_t i)
{
	return view_of(c->block[i].p, c->block[i].len);
}

static inline enum err_code
fake_get(struct core *c, uint64_t i, uint64_t length, struct buf *out,
    struct want *w, struct err *e)
{
	if (i >= length)
		return err_set(e, ERR_LIMIT, "no such block");
	if (c->block[i].elsewhere) {
		c->block[i].elsewhere = false;
		w->key = c->key;
		w->kind = WANT_BLOCK;
		w->index = i;
		return err_set(e, ERR_NEED_BLOCK, "block is elsewhere");
	}
	c->reads++;
	buf_append(out, fake_view(c, i));
	return buf_check(out, e);
}

const struct core_head *
core_head(const struct core *c)
{
	return &c->head;
}

const struct b32 *
core_key(const struct core *c)
{
	return &c->key;
}

bool
core_has(struct core *c, uint64_t index)
{
	return index < c->head.length && !c->block[index].elsewhere;
}

enum err_code
core_get(struct core *c, uint64_t index, struct buf *out, struct want *w,
    struct err *e)
{
	return fake_get(c, index, c->head.length, out, w, e);
}

uint64_t
core_batch_length(const struct core_batch *b)
{
	return b->core->n;
}

enum err_code
core_batch_get(struct core_batch *b, uint64_t index, struct buf *out,
    struct want *w, struct err *e)
{
	return fake_get(b->core, index, b->core->n, out, w, e);
}

enum err_code
core_batch_append(
    struct core_batch *b, struct view block, uint64_t *index, struct err *e)
{
	if (b->core->n == b->core->refuse_at && b->core->n > 0)
		return err_set(e, ERR_NOSPACE, "disk is full");
	if (block.len > CORE_BLOCK_MAX)
		return err_set(e, ERR_LIMIT, "block too large");
	if (index != NULL)
		*index = b->core->n;
	fake_add(b->core, block);
	return ERR_OK;
}

/* A call again and again until its blocks are here. */
#define until_here(rc, call) \
	do \
		(rc) = (call); \
	while ((rc) == ERR_NEED_BLOCK)

#endif
