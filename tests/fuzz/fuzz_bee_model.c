/*
 * Random operations on a bee beside a sorted array. Byte 0 chooses how many
 * keys there are; then two bytes an operation: what, and which key. After
 * each flush a fresh checkout must list what the array holds; at the end
 * each flush must be a version, neighbours must differ as the arrays do, and
 * a second run must give the same bytes.
 */
#include "tests/unit/bee/fake_core.h"
#include "tests/unit/bee/model.h"

#include "codec/dec.h"

#define FLUSHES_MAX 24
#define OPS_MAX 600

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct core core;
	struct model m, before; /* at the last flush, and the one before */
	uint64_t version[FLUSHES_MAX];
	size_t n;
	bool only_bytes; /* the checks were done in another run */
};

static void
check_diff(struct run *r)
{
	uint64_t left = r->n < 2 ? 0 : r->version[r->n - 2];
	struct bee_range all = BEE_RANGE_ALL;
	struct bee_entry le, re;
	struct err e = ERR_INIT;
	struct bee_diff *d;
	struct bee *a, *b;
	enum err_code rc;
	struct want w;
	bool more;

	check_ok(bee_open(&a, &r->core, left, &e), &e);
	check_ok(bee_open(&b, &r->core, r->core.n, &e), &e);
	check_ok(bee_diff_open(&d, a, b, &all, &e), &e);
	for (size_t i = 0; i < r->m.keys; i++) {
		if (r->before.seq[i] == r->m.seq[i])
			continue;
		until_here(rc, bee_diff_next(d, &more, &le, &re, &w, &e));
		check_ok(rc, &e);
		check(more && le.seq == r->before.seq[i] &&
		      re.seq == r->m.seq[i]);
	}
	until_here(rc, bee_diff_next(d, &more, &le, &re, &w, &e));
	check_ok(rc, &e);
	check(!more);
	bee_diff_close(d);
	bee_close(a);
	bee_close(b);
}

static void
flush(struct run *r, struct bee_batch *b)
{
	struct err e = ERR_INIT;
	uint64_t length = r->core.n;
	enum err_code rc;
	struct want w;

	check_ok(bee_batch_flush(b, &e), &e);
	fake_commit(&r->core);
	if (r->core.n == length && r->n > 0)
		return; /* no operation did anything */
	r->version[r->n++] = r->core.n;
	if (r->only_bytes)
		return;
	model_check_listing(&r->m, &r->core, r->core.n);
	until_here(rc, bee_check_version(&r->core, r->core.n, &w, &e));
	check_ok(rc, &e);
	check_diff(r);
	r->before = r->m;
}

/* Operations 0-99 put, 100-199 del, 200-254 flush; 255 drops the batch and
 * its nodes after a flush, and its blocks have to be fetched. */
static void
run_ops(struct run *r, struct view ops)
{
	struct bee_header h = {.has_metadata = true};
	struct core_batch cb = {&r->core};
	struct err e = ERR_INIT;
	uint64_t seq = 1;
	struct bee_batch *b;
	struct dec d;

	dec_init(&d, ops);
	r->m.keys = r->before.keys = (size_t)dec_u8(&d) * 2 + 1;
	check_ok(bee_batch_new(&b, &r->core, &cb, &h, &e), &e);
	for (size_t i = 0; i < OPS_MAX && dec_left(&d) >= 2; i++) {
		uint8_t what = dec_u8(&d);
		size_t key = (size_t)dec_u8(&d) * 2 % r->m.keys;

		if (what < 100)
			model_put(&r->m, b, key, what, &seq);
		else if (what < 200)
			model_del(&r->m, b, key, &seq);
		else if (r->n < FLUSHES_MAX - 1)
			flush(r, b);
		if (what == 255 && r->core.head.length == r->core.n &&
		    seq == r->core.n) {
			bee_batch_free(b);
			check_ok(bee_batch_new(&b, &r->core, &cb, &h, &e), &e);
			fake_forget(&r->core);
		}
	}
	flush(r, b);
	bee_batch_free(b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run a, b;

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	run_ops(&a, view_of(data, size));
	b.only_bytes = true;
	run_ops(&b, view_of(data, size));
	check(a.core.n == b.core.n);
	for (size_t i = 0; i < a.core.n; i++)
		check_same(fake_view(&a.core, i), fake_view(&b.core, i));
	fake_free(&a.core);
	fake_free(&b.core);
	return 0;
}
