/* bee/replay.c: which keys are live, and which lengths are versions. (All
 * lengths of all golden sequences are checked in test_batch.c.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bee/replay.h"
#include "tests/unit/bee/fake_core.h"
#include "tests/unit/bee/model.h"

/* Many more operations than live keys: old facts must go, and memory with
 * them. */
static void
test_live_keys(void **state)
{
	static uint64_t seq_of[MODEL_KEYS];
	struct err e = ERR_INIT;
	struct bee_replay r;
	uint32_t s = 11;
	size_t n = 0;
	char key[8];

	(void)state;
	bee_replay_init(&r);
	for (uint64_t seq = 1; seq < 60000; seq++) {
		uint32_t k = model_random(&s, 300);
		bool live = model_random(&s, 3) > 0;

		check_ok(
		    bee_replay_add(&r, model_key(key, k), seq, live, &e), &e);
		seq_of[k] = live ? seq : 0;
		check(r.cap <= 2 * 4096);
	}
	check_ok(bee_replay_settle(&r, &e), &e);
	for (size_t k = 0; k < 300; k++) {
		if (seq_of[k] == 0)
			continue;
		check(n < r.n && r.fact[n].seq == seq_of[k]);
		check_same(r.fact[n++].key, model_key(key, k));
	}
	check(n == r.n);
	check(r.arena.total <= 65536);
	bee_replay_deinit(&r);
}

static void
test_many_live_keys(void **state)
{
	struct err e = ERR_INIT;
	struct bee_replay r;
	uint32_t key;

	(void)state;
	bee_replay_init(&r);
	for (key = 0; key < 30000; key++)
		check_ok(bee_replay_add(
			     &r, view_of(&key, sizeof(key)), key + 1, true, &e),
		    &e);
	check_ok(bee_replay_settle(&r, &e), &e);
	check(r.n == 30000);
	for (size_t i = 1; i < r.n; i++)
		check(view_cmp(r.fact[i - 1].key, r.fact[i].key) < 0);
	bee_replay_deinit(&r);
}

static void
test_lengths(void **state)
{
	struct bee_header h = {.has_metadata = true};
	struct core core = {.n = 0};
	struct core_batch cb = {&core};
	struct err e = ERR_INIT;
	struct model m = {.keys = 100};
	struct bee_batch *b;
	uint64_t seq = 1;
	struct want w;

	(void)state;
	check_ok(bee_check_version(&core, 0, &w, &e), &e);
	check_ok(bee_batch_new(&b, &core, &cb, &h, &e), &e);
	for (size_t i = 0; i < 40; i++)
		model_put(&m, b, i, 1, &seq);
	check_ok(bee_batch_flush(b, &e), &e);
	fake_commit(&core);
	bee_batch_free(b);
	check_ok(bee_check_version(&core, 1, &w, &e), &e);
	for (uint64_t v = 2; v < 41; v++)
		check_code(bee_check_version(&core, v, &w, &e), ERR_INVALID);
	check_ok(bee_check_version(&core, 41, &w, &e), &e);
	check_code(bee_check_version(&core, 42, &w, &e), ERR_LIMIT);

	/* missing blocks are asked for in order, before any work */
	fake_forget(&core);
	for (uint64_t i = 0; i < 41; i++) {
		uint64_t reads = core.reads;

		check_code(
		    bee_check_version(&core, 41, &w, &e), ERR_NEED_BLOCK);
		check(w.index == i && core.reads == reads);
	}
	check_ok(bee_check_version(&core, 41, &w, &e), &e);

	/* a broken block is told from a length inside a batch */
	core.block[17].p[0] ^= 1;
	check_code(bee_check_version(&core, 41, &w, &e), ERR_FORMAT);
	check(strstr(e.msg, "block 17") != NULL);
	core.block[17].p[0] ^= 1;
	core.block[0].p[3] ^= 1;
	check_code(bee_check_version(&core, 1, &w, &e), ERR_FORMAT);
	fake_free(&core);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_live_keys),
	    cmocka_unit_test(test_many_live_keys),
	    cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
