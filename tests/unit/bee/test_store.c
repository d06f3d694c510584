/* The whole room on real cores: golden sequences through a store, with a
 * reopening in the middle, and through a dry batch. */
#include "tests/unit/core/fix.h"

#include "bee/bee.h"

struct writer {
	struct fix fix;
	struct core *core;
	struct core_batch *cb;
	struct bee_batch *bee;
	struct bee_header header;
};

static void
writer_open(struct writer *x)
{
	struct err e = ERR_INIT;

	x->core = fix_core(&x->fix, CORE_WRITE);
	x->cb = fix_batch(x->core);
	check_ok(bee_batch_new(&x->bee, x->core, x->cb, &x->header, &e), &e);
}

static void
writer_close(struct writer *x)
{
	bee_batch_free(x->bee);
	core_batch_free(x->cb);
	core_close(x->core);
}

/* Whatever was flushed becomes durable, and everything is opened anew. */
static void
writer_again(struct writer *x)
{
	if (core_batch_length(x->cb) > core_head(x->core)->length)
		fix_commit(x->cb);
	writer_close(x);
	fix_again(&x->fix);
	writer_open(x);
}

static void
do_op(struct bee_batch *b, const json_t *op, bool *in_batch)
{
	const char *name = json_string_value(json_array_get(op, 0));
	const char *k = json_string_value(json_array_get(op, 1));
	const char *v = json_string_value(json_array_get(op, 2));
	struct err e = ERR_INIT;
	struct want w;

	if (strcmp(name, "batch") == 0)
		*in_batch = true;
	else if (strcmp(name, "flush") == 0)
		*in_batch = false;
	else if (strcmp(name, "put") == 0)
		check_ok(
		    bee_batch_put(b, view_str(k), view_str(v), &w, &e), &e);
	else
		check_ok(bee_batch_del(b, view_str(k), &w, &e), &e);
	if (!*in_batch)
		check_ok(bee_batch_flush(b, &e), &e);
}

static struct bee_header
header_of(const json_t *s, struct b32 *feed)
{
	struct bee_header h = {.has_metadata = false};

	memset(feed->b, 0xcd, sizeof(feed->b));
	if (strstr(vec_str(s, "label"), "metadata") != NULL) {
		h.has_metadata = true;
		h.content_feed = view_b32(feed);
	}
	return h;
}

static void
check_reader(struct core *c, const json_t *s)
{
	struct bee_range all = BEE_RANGE_ALL;
	uint64_t length = vec_num(s, "length"), n = 0;
	struct err e = ERR_INIT;
	struct bee_entry entry, again;
	struct bee_iter *it;
	struct bee *b, *g;
	struct want w;
	bool more;

	check(core_head(c)->length == length);
	check(core_head(c)->byte_length == vec_num(s, "byteLength"));
	if (length > 0)
		check_view_hex(
		    view_b32(&core_head(c)->tree_hash), vec_str(s, "treeHash"));
	check_ok(bee_check_version(c, length, &w, &e), &e);
	check_ok(bee_open(&b, c, length, &e), &e);
	check_ok(bee_open(&g, c, length, &e), &e);
	check_ok(bee_iter_open(&it, b, &all, &e), &e);
	for (;; n++) {
		check_ok(bee_iter_next(it, &more, &entry, &w, &e), &e);
		if (!more)
			break;
		check_ok(bee_get(g, entry.key, &again, &w, &e), &e);
		check(again.seq == entry.seq);
		check_same(again.key, entry.key);
		check_same(again.value, entry.value);
	}
	check(n == vec_num(s, "keys"));
	bee_iter_close(it);
	bee_close(b);
	bee_close(g);
}

static void
test_golden_cores(void **state)
{
	json_t *file = vec_load("hyperbee"), *s, *op;
	size_t i, j;

	(void)state;
	json_array_foreach(vec_at(file, "sequences"), i, s)
	{
		size_t nops = json_array_size(vec_at(s, "ops"));
		struct writer x = {.core = NULL};
		bool in_batch = false, reopened = false;
		struct b32 feed;

		fix_open(&x.fix, (uint8_t)i, true);
		x.header = header_of(s, &feed);
		writer_open(&x);
		json_array_foreach(vec_at(s, "ops"), j, op)
		{
			do_op(x.bee, op, &in_batch);
			if (!in_batch && !reopened && j >= nops / 2) {
				reopened = true;
				writer_again(&x);
			}
		}
		writer_again(&x);
		check_reader(x.core, s);
		writer_close(&x);
		fix_close(&x.fix);
	}
	json_decref(file);
}

/* A core that does not exist yet: same lengths and tree hash, no store. */
static void
test_golden_cores_dry(void **state)
{
	json_t *file = vec_load("hyperbee"), *s, *op;
	size_t i, j;

	(void)state;
	json_array_foreach(vec_at(file, "sequences"), i, s)
	{
		struct err e = ERR_INIT;
		struct core_batch *cb;
		struct bee_header h;
		struct bee_batch *b;
		struct b32 feed, hash;
		bool in_batch = false;

		h = header_of(s, &feed);
		check_ok(core_batch_new_empty(&cb, &e), &e);
		check_ok(bee_batch_new(&b, NULL, cb, &h, &e), &e);
		json_array_foreach(vec_at(s, "ops"), j, op)
		    do_op(b, op, &in_batch);
		check(core_batch_length(cb) == vec_num(s, "length"));
		check(core_batch_byte_length(cb) == vec_num(s, "byteLength"));
		core_batch_tree_hash(cb, &hash);
		check_view_hex(view_b32(&hash), vec_str(s, "treeHash"));
		bee_batch_free(b);
		core_batch_free(cb);
	}
	json_decref(file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_golden_cores),
	    cmocka_unit_test(test_golden_cores_dry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
