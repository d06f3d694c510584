#include "bee/replay.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/arr.h"
#include "bee/bee.h"
#include "bee/tree.h"

#define LIMIT_MIN 4096

void
bee_replay_init(struct bee_replay *r)
{
	*r = (struct bee_replay){.limit = LIMIT_MIN};
	bee_arena_init(&r->arena);
}

void
bee_replay_deinit(struct bee_replay *r)
{
	bee_arena_deinit(&r->arena);
	free(r->fact);
	r->fact = NULL;
}

/* By key, and the latest block of a key first. */
static int
by_key(const void *a, const void *b)
{
	const struct bee_fact *x = a, *y = b;
	int c = view_cmp(x->key, y->key);

	if (c != 0)
		return c;
	return x->seq > y->seq ? -1 : x->seq < y->seq;
}

enum err_code
bee_replay_settle(struct bee_replay *r, struct err *e)
{
	struct bee_arena old = r->arena;
	enum err_code rc = ERR_OK;
	struct view key = VIEW_EMPTY;
	size_t n = 0;

	if (r->n > 0)
		qsort(r->fact, r->n, sizeof(*r->fact), by_key);
	bee_arena_init(&r->arena);
	for (size_t i = 0; i < r->n && rc == ERR_OK; i++) {
		struct bee_fact *f = &r->fact[i];

		if (i > 0 && view_eq(f->key, key))
			continue;
		key = f->key;
		if (!f->live)
			continue;
		r->fact[n] = *f;
		if (!bee_arena_copy(&r->arena, key, &r->fact[n++].key))
			rc = err_nomem(e);
	}
	r->n = rc == ERR_OK ? n : 0;
	bee_arena_deinit(&old);
	return rc;
}

enum err_code
bee_replay_add(struct bee_replay *r, struct view key, uint64_t seq, bool live,
    struct err *e)
{
	struct bee_fact f = {.seq = seq, .live = live};
	enum err_code rc;

	if (r->n >= r->limit) {
		if ((rc = bee_replay_settle(r, e)) != ERR_OK)
			return rc;
		r->limit = r->n < LIMIT_MIN / 2 ? LIMIT_MIN : r->n * 2;
	}
	if (!ARR_RESERVE(r->fact, r->n + 1, r->cap) ||
	    !bee_arena_copy(&r->arena, key, &f.key))
		return err_nomem(e);
	r->fact[r->n++] = f;
	return ERR_OK;
}

/* Read every block below `version`, with all its levels. */
static enum err_code
replay_blocks(struct bee_replay *r, struct bee_tree *t, uint64_t version,
    struct want *w, struct err *e)
{
	struct bee_block block;
	struct bee_level level;
	enum err_code rc;

	for (uint64_t seq = 1; seq < version; seq++) {
		rc = bee_tree_block(t, seq, &t->block, &block, w, e);
		if (rc != ERR_OK)
			return rc;
		for (size_t i = 0; i < block.nlevels; i++)
			if (bee_block_level(&block, i, &level, e) != ERR_OK)
				return bee_tree_wrap(t, seq, e);
		rc = bee_replay_add(r, block.key, seq, block.has_value, e);
		if (rc != ERR_OK)
			return rc;
	}
	return bee_replay_settle(r, e);
}

static enum err_code
not_a_version(uint64_t version, struct err *e)
{
	return err_set(e, ERR_INVALID,
	    "length %" PRIu64 " lies inside a batch: it is no version",
	    version);
}

/* The walk from the root must give exactly the facts. All blocks decode by
 * now, so a walk that stumbles started at a stray level. */
static enum err_code
compare_walk(
    const struct bee_replay *r, struct bee *b, struct want *w, struct err *e)
{
	struct bee_range all = BEE_RANGE_ALL;
	uint64_t version = bee_version(b);
	struct bee_entry entry;
	struct bee_iter *it;
	enum err_code rc;
	bool more, same;
	size_t n = 0;

	if ((rc = bee_iter_open(&it, b, &all, e)) != ERR_OK)
		return rc;
	do {
		rc = bee_iter_next(it, &more, &entry, w, e);
		if (rc != ERR_OK || !more)
			break;
		same = n < r->n && r->fact[n].seq == entry.seq &&
		       view_eq(r->fact[n].key, entry.key);
		n++;
	} while (same);
	bee_iter_close(it);
	if (rc == ERR_FORMAT || (rc == ERR_OK && (more || n != r->n)))
		return not_a_version(version, e);
	return rc;
}

/* A missing block is found before any work is done, so that a caller who
 * fetches one after another does not pay for all of it each time. */
static enum err_code
need_all(struct core *c, uint64_t version, struct buf *mem, struct want *w,
    struct err *e)
{
	uint64_t i = 0;

	while (i < version && core_has(c, i))
		i++;
	return i < version ? core_get(c, i, mem, w, e) : ERR_OK;
}

enum err_code
bee_check_version(
    struct core *c, uint64_t version, struct want *w, struct err *e)
{
	struct bee_header header;
	struct bee_replay r;
	struct buf mem;
	struct bee_tree t;
	struct bee *b;
	enum err_code rc;

	if ((rc = bee_open(&b, c, version, e)) != ERR_OK)
		return rc;
	bee_replay_init(&r);
	bee_tree_init(&t, BEE_TREE_READ, c, NULL);
	buf_init(&mem, CORE_BLOCK_MAX);
	rc = need_all(c, version, &mem, w, e);
	buf_reset(&mem);
	if (rc == ERR_OK && version > 0)
		rc = bee_get_header(b, &header, &mem, w, e);
	if (rc == ERR_OK && version > 1)
		rc = replay_blocks(&r, &t, version, w, e);
	if (rc == ERR_OK && version > 1)
		rc = compare_walk(&r, b, w, e);
	buf_deinit(&mem);
	bee_tree_deinit(&t);
	bee_replay_deinit(&r);
	bee_close(b);
	return rc;
}
