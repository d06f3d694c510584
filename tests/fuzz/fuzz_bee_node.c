/*
 * Bee blocks from a stranger. The input is a row of blocks, each with its
 * length as 2 bytes little endian in front. Each block alone: what decodes
 * must encode and decode to the same again. All together, behind a header:
 * a core that every reader must survive with bounded work.
 */
#include "tests/unit/bee/fake_core.h"

#include "bee/bee.h"
#include "codec/dec.h"

#define BLOCKS_MAX 64
#define READS_MAX 200000 /* far above 64 levels for each of 64 keys */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
same_level(const struct bee_level *a, const struct bee_level *b)
{
	return a->nkeys == b->nkeys && a->nchildren == b->nchildren &&
	       memcmp(a->key, b->key, a->nkeys * sizeof(a->key[0])) == 0 &&
	       memcmp(a->child, b->child, a->nchildren * sizeof(a->child[0])) ==
		   0;
}

static void
round_trip(struct view bytes)
{
	struct bee_level level, again;
	struct bee_block block, copy;
	struct err e = ERR_INIT;
	struct buf index, out;

	if (bee_block_decode(&block, bytes, &e) != ERR_OK)
		return;
	buf_init(&index, 1 << 20);
	buf_init(&out, 1 << 21);
	for (size_t i = 0; i < block.nlevels; i++) {
		if (bee_block_level(&block, i, &level, &e) != ERR_OK)
			goto out;
		bee_level_encode(&index, &level);
	}
	bee_block_encode(&out, buf_view(&index), block.key,
	    block.has_value ? &block.value : NULL);
	check_ok(bee_block_decode(&copy, buf_view(&out), &e), &e);
	check(view_eq(copy.key, block.key));
	check(copy.has_value == block.has_value);
	check(view_eq(copy.value, block.value));
	check(copy.nlevels == block.nlevels);
	for (size_t i = 0; i < block.nlevels; i++) {
		check_ok(bee_block_level(&block, i, &level, &e), &e);
		check_ok(bee_block_level(&copy, i, &again, &e), &e);
		check(same_level(&level, &again));
	}
out:
	buf_deinit(&index);
	buf_deinit(&out);
}

static void
header(struct view bytes)
{
	struct err e = ERR_INIT;
	struct bee_header h, copy;
	struct buf out;

	if (bee_header_decode(&h, bytes, &e) != ERR_OK)
		return;
	buf_init(&out, 1 << 20);
	bee_header_encode(&out, &h);
	check_ok(bee_header_decode(&copy, buf_view(&out), &e), &e);
	check(copy.has_metadata == h.has_metadata);
	check(view_eq(copy.content_feed, h.content_feed));
	check(view_eq(copy.user_data, h.user_data));
	buf_deinit(&out);
}

static void
walk(struct core *c, enum bee_order order)
{
	struct bee_range r = BEE_RANGE_ALL;
	struct err e = ERR_INIT;
	struct bee_entry entry;
	struct bee_iter *it;
	struct want w;
	struct bee *b;
	bool more;

	r.order = order;
	check_ok(bee_open(&b, c, c->n, &e), &e);
	check_ok(bee_iter_open(&it, b, &r, &e), &e);
	while (bee_iter_next(it, &more, &entry, &w, &e) == ERR_OK && more)
		;
	bee_iter_close(it);
	bee_close(b);
}

static void
diff(struct core *c)
{
	struct bee_range r = BEE_RANGE_ALL;
	struct bee_entry left, right;
	struct err e = ERR_INIT;
	struct bee_diff *d;
	struct bee *a, *b;
	struct want w;
	bool more;

	check_ok(bee_open(&a, c, c->n - c->n / 4, &e), &e);
	check_ok(bee_open(&b, c, c->n, &e), &e);
	check_ok(bee_diff_open(&d, a, b, &r, &e), &e);
	while (bee_diff_next(d, &more, &left, &right, &w, &e) == ERR_OK && more)
		;
	bee_diff_close(d);
	bee_close(a);
	bee_close(b);
}

/* Every key there is: read it, then write on top of the tree. */
static void
get_and_write(struct core *c)
{
	struct bee_header h = {.has_metadata = true};
	struct core_batch cb = {c};
	struct err e = ERR_INIT;
	struct bee_entry entry;
	struct bee_batch *batch;
	struct want w;
	struct bee *b;
	size_t n = c->n;

	check_ok(bee_open(&b, c, n, &e), &e);
	check_ok(bee_batch_new(&batch, c, &cb, &h, &e), &e);
	for (size_t i = 1; i < n; i++) {
		struct bee_block block;
		enum err_code rc;

		if (bee_block_decode(&block, fake_view(c, i), &e) != ERR_OK)
			continue;
		if (bee_get(b, block.key, &entry, &w, &e) == ERR_OK)
			check(view_eq(entry.key, block.key));
		rc = i % 2 == 0
			 ? bee_batch_del(batch, block.key, &w, &e)
			 : bee_batch_put(batch, block.key, block.key, &w, &e);
		check(rc == ERR_OK || rc == ERR_FORMAT);
	}
	check_ok(bee_batch_flush(batch, &e), &e);
	bee_batch_free(batch);
	bee_close(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char hyperbee[] = "\n\010hyperbee\022";
	struct core c = {.n = 0};
	struct err e = ERR_INIT;
	struct want w;
	struct dec d;

	header(view_of(data, size));
	fake_add(&c, view_of(hyperbee, sizeof(hyperbee)));
	dec_init(&d, view_of(data, size));
	while (dec_left(&d) >= 2 && c.n <= BLOCKS_MAX) {
		size_t n = dec_u16le(&d);
		struct view v =
		    dec_fixed(&d, n < dec_left(&d) ? n : dec_left(&d));

		round_trip(v);
		fake_add(&c, v);
	}
	fake_commit(&c);
	walk(&c, BEE_ASCENDING);
	walk(&c, BEE_DESCENDING);
	diff(&c);
	(void)(bee_check_version(&c, c.n, &w, &e) == ERR_OK);
	get_and_write(&c);
	check(c.reads < READS_MAX);
	fake_free(&c);
	return 0;
}
