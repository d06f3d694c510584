#include "fix.h"

enum { BLOCKS = 13 };

/* Two cores in one store: the fixture's with blocks, and an empty one. */
struct pair {
	struct fix f;
	struct core *from, *to;
	struct core_batch *b;
	struct err e;
};

static void
pair_open(struct pair *x)
{
	struct manifest m;
	struct sign_pair pair;
	struct b32 seed = {{42}}, key;

	memset(x, 0, sizeof(*x));
	fix_open(&x->f, 3, true);
	x->from = fix_core(&x->f, CORE_WRITE);
	fix_append(x->from, BLOCKS);
	check_ok(sign_pair_seed(&pair, &seed, &x->e), &x->e);
	manifest_single(&m, &pair.pub);
	manifest_key(&key, &m);
	check_ok(core_add(x->f.s, &m, &key, &pair, &x->e), &x->e);
	sign_pair_free(&pair);
	check_ok(core_open(&x->to, x->f.s, &key, CORE_WRITE, &x->e), &x->e);
}

static void
pair_batch(struct pair *x, enum core_batch_mode mode)
{
	core_batch_free(x->b);
	x->b = NULL;
	check_ok(core_batch_new(&x->b, x->to, mode, &x->e), &x->e);
}

static void
pair_close(struct pair *x)
{
	core_batch_free(x->b);
	core_close(x->from);
	core_close(x->to);
	fix_close(&x->f);
}

static void
expect_block(struct core_batch *b, uint64_t i)
{
	struct err e = ERR_INIT;
	char space[64];
	struct want w;
	struct buf got;

	buf_init(&got, 1 << 20);
	check_ok(core_batch_get(b, i, &got, &w, &e), &e);
	check_same(buf_view(&got), fix_block(i, space, sizeof(space)));
	buf_deinit(&got);
}

/* The tree is that of `from`, and every block can be read. */
static void
expect_copy(struct pair *x)
{
	struct b32 hash;

	check(core_batch_length(x->b) == BLOCKS);
	check(core_batch_byte_length(x->b) == core_head(x->from)->byte_length);
	core_batch_tree_hash(x->b, &hash);
	check(b32_eq(&hash, &core_head(x->from)->tree_hash));
	for (uint64_t i = 0; i < BLOCKS; i++)
		expect_block(x->b, i);
}

static void
test_real(void **state)
{
	struct pair x;
	struct want w;

	(void)state;
	pair_open(&x);
	pair_batch(&x, CORE_BATCH_REAL);
	check_ok(core_batch_copy(x.b, x.from, 5, &w, &x.e), &x.e);
	check(core_batch_length(x.b) == 5);
	/* what is there already is not copied again */
	check_ok(core_batch_copy(x.b, x.from, 3, &w, &x.e), &x.e);
	check_ok(core_batch_copy(x.b, x.from, BLOCKS, &w, &x.e), &x.e);
	expect_copy(&x);
	fix_commit(x.b);
	check(
	    b32_eq(&core_head(x.to)->tree_hash, &core_head(x.from)->tree_hash));
	check_ok(core_verify(x.to, &x.e), &x.e);
	pair_close(&x);
}

/* Behind what the core holds, and with blocks of its own behind it. */
static void
test_dry(void **state)
{
	struct buf got;
	struct pair x;
	struct want w;

	(void)state;
	pair_open(&x);
	pair_batch(&x, CORE_BATCH_REAL);
	check_ok(core_batch_copy(x.b, x.from, 4, &w, &x.e), &x.e);
	fix_commit(x.b);
	pair_batch(&x, CORE_BATCH_DRY);
	check_ok(core_batch_copy(x.b, x.from, 9, &w, &x.e), &x.e);
	check_ok(core_batch_copy(x.b, x.from, BLOCKS, &w, &x.e), &x.e);
	expect_copy(&x);
	check_ok(core_batch_append(x.b, view_str("own"), NULL, &x.e), &x.e);
	expect_block(x.b, BLOCKS - 1);
	buf_init(&got, 1 << 20);
	check_code(
	    core_batch_get(x.b, BLOCKS, &got, &w, &x.e), ERR_UNSUPPORTED);
	buf_deinit(&got);
	check(core_head(x.to)->length == 4);
	pair_close(&x);
}

/* In memory, of no store. */
static void
test_empty(void **state)
{
	struct pair x;
	struct want w;

	(void)state;
	pair_open(&x);
	check_ok(core_batch_new_empty(&x.b, &x.e), &x.e);
	check_ok(core_batch_copy(x.b, x.from, BLOCKS, &w, &x.e), &x.e);
	expect_copy(&x);
	pair_close(&x);
}

/* A block that is not here is asked for, also when it would not be read; what
 * came before it stays. */
static void
test_missing(void **state)
{
	enum core_batch_mode mode[] = {CORE_BATCH_REAL, CORE_BATCH_DRY};
	struct pair x;
	struct want w;

	(void)state;
	pair_open(&x);
	check_ok(core_clear(x.from, 6, 8, &x.e), &x.e);
	for (size_t i = 0; i < 2; i++) {
		pair_batch(&x, mode[i]);
		for (size_t n = 0; n < 2; n++) {
			check_code(
			    core_batch_copy(x.b, x.from, BLOCKS, &w, &x.e),
			    ERR_NEED_BLOCK);
			check(w.kind == WANT_BLOCK && w.index == 6);
			check(b32_eq(&w.key, core_key(x.from)));
			check(core_batch_length(x.b) == 6);
		}
		expect_block(x.b, 5);
	}
	pair_close(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_real),
	    cmocka_unit_test(test_dry),
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
