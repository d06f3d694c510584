#include "provfix.h"

#include "drive/need.h"
#include "drive/same.h"

/* Two drives of one store, with contents cut at 64 KiB and by content. */
struct fixture {
	struct stagefix x;
	struct hyperdrive *d[2];
	struct bee *at[2];
	struct same_opts o;
	size_t polls, stop_at;
};

static bool
stop(void *ctx)
{
	struct fixture *f = ctx;

	return ++f->polls == f->stop_at;
}

static void
put(struct fixture *f, const char *name, size_t n, size_t other)
{
	char *p = malloc(n + 1);

	check(p != NULL);
	for (size_t i = 0; i < n; i++)
		p[i] = (char)('a' + (i * 2654435761u >> 13) % 26);
	p[n] = '\0';
	if (other < n)
		p[other] = '!';
	fix_put_file(fix_path(f->x.app, name), p, 0644);
	free(p);
}

static void
stage(struct fixture *f, size_t i, enum stage_chunking chunking)
{
	f->x.o.chunking = chunking;
	if (i > 0)
		stagefix_drive(&f->x, 8);
	f->x.o.key = f->x.key;
	check_ok(stagefix_try(&f->x), &f->x.e);
	check_ok(store_refresh(f->x.s, &f->x.e), &f->x.e);
	check_ok(
	    hyperdrive_open(&f->d[i], f->x.s, &f->x.key, CORE_READ, &f->x.e),
	    &f->x.e);
	check_ok(
	    hyperdrive_at(f->d[i], core_head(hyperdrive_db(f->d[i]))->length,
		&f->at[i], &f->x.e),
	    &f->x.e);
}

static void
begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	stagefix_open(&f->x);
	f->o = (struct same_opts){NULL, stop, f};
}

static void
end(struct fixture *f)
{
	for (size_t i = 0; i < 2; i++) {
		bee_close(f->at[i]);
		hyperdrive_close(f->d[i]);
	}
	stagefix_close(&f->x);
}

static enum err_code
compare(struct fixture *f, const char *a, const char *b, bool *same)
{
	const char *const name[2] = {a, b};
	struct same_side side[2];
	struct entry en[2];
	enum err_code rc;
	struct want w;

	for (size_t i = 0; i < 2; i++) {
		check_ok(hyperdrive_entry(f->at[i], view_str(name[i]), &en[i],
			     NULL, &w, &f->x.e),
		    &f->x.e);
		side[i] =
		    (struct same_side){hyperdrive_blobs(f->d[i]), &en[i].blob};
	}
	f->polls = 0;
	rc = same_content(&f->o, &side[0], &side[1], same, &f->x.e);
	entry_deinit(&en[0]);
	entry_deinit(&en[1]);
	return rc;
}

static void
test_cuts(void **state)
{
	static const enum stage_chunking cut[] = {
	    STAGE_CHUNKING_FIXED, STAGE_CHUNKING_CDC, STAGE_CHUNKING_PEAR};
	struct fixture f;
	bool same;

	(void)state;
	for (size_t i = 0; i < 9; i++) {
		begin(&f);
		put(&f, "a", 300000, SIZE_MAX);
		put(&f, "last", 300000, 299999);
		put(&f, "middle", 300000, 150000);
		put(&f, "shorter", 299999, SIZE_MAX);
		put(&f, "none", 0, SIZE_MAX);
		stage(&f, 0, cut[i / 3]);
		stage(&f, 1, cut[i % 3]);
		check_ok(compare(&f, "/a", "/a", &same), &f.x.e);
		assert_true(same);
		check_ok(compare(&f, "/a", "/last", &same), &f.x.e);
		assert_false(same);
		check_ok(compare(&f, "/middle", "/a", &same), &f.x.e);
		assert_false(same);
		check_ok(compare(&f, "/a", "/shorter", &same), &f.x.e);
		assert_false(same);
		check_ok(compare(&f, "/none", "/a", &same), &f.x.e);
		assert_false(same);
		check_ok(compare(&f, "/none", "/none", &same), &f.x.e);
		assert_true(same);
		end(&f);
	}
}

static void
clear(struct fixture *f, size_t i)
{
	struct b32 key = *core_key(hyperdrive_db(f->d[i]));
	struct hyperdrive *d;

	check_ok(
	    hyperdrive_open(&d, f->x.s, &key, CORE_WRITE, &f->x.e), &f->x.e);
	check_ok(core_clear(hyperdrive_blobs(d), 0,
		     core_head(hyperdrive_blobs(d))->length, &f->x.e),
	    &f->x.e);
	hyperdrive_close(d);
	check_ok(store_refresh(f->x.s, &f->x.e), &f->x.e);
	check_ok(core_refresh(hyperdrive_blobs(f->d[i]), &f->x.e), &f->x.e);
}

static enum err_code
nobody(void *ctx, const struct want *w, struct err *e)
{
	*(struct want *)ctx = *w;
	return err_set(e, ERR_PEERS, "nobody");
}

/* Equal leaves need no bytes; where the cut differs they are asked for. */
static void
test_bytes_elsewhere(void **state)
{
	struct want asked = {.index = 77};
	const struct fetch fetch = {.get = nobody, .ctx = &asked};
	struct fixture f;
	bool same;

	(void)state;
	begin(&f);
	put(&f, "a", 300000, SIZE_MAX);
	stage(&f, 0, STAGE_CHUNKING_FIXED);
	stage(&f, 1, STAGE_CHUNKING_FIXED);
	clear(&f, 0);
	clear(&f, 1);
	check_ok(compare(&f, "/a", "/a", &same), &f.x.e);
	assert_true(same);
	end(&f);
	begin(&f);
	put(&f, "a", 300000, SIZE_MAX);
	stage(&f, 0, STAGE_CHUNKING_FIXED);
	stage(&f, 1, STAGE_CHUNKING_CDC);
	clear(&f, 0);
	assert_int_equal(compare(&f, "/a", "/a", &same), ERR_PEERS);
	assert_string_equal(f.x.e.tag, "ERR_NOT_FOUND");
	f.o.fetch = &fetch;
	assert_int_equal(compare(&f, "/a", "/a", &same), ERR_PEERS);
	assert_string_equal(f.x.e.msg, "nobody");
	assert_int_equal(asked.kind, WANT_BLOCK);
	assert_int_equal(asked.index, 0);
	end(&f);
}

static void
test_stopped(void **state)
{
	struct fixture f;
	bool same;

	(void)state;
	begin(&f);
	put(&f, "a", 300000, SIZE_MAX);
	stage(&f, 0, STAGE_CHUNKING_FIXED);
	stage(&f, 1, STAGE_CHUNKING_FIXED);
	f.stop_at = 3;
	assert_int_equal(compare(&f, "/a", "/a", &same), ERR_INTERRUPTED);
	end(&f);
}

/* A map that lies about the size of a block. */
static void
test_lying_map(void **state)
{
	struct blobs_ref ref = {0, 5};
	struct fixture f;
	struct node leaf;

	(void)state;
	begin(&f);
	put(&f, "a", 10, SIZE_MAX);
	stage(&f, 0, STAGE_CHUNKING_FIXED);
	assert_int_equal(
	    need_leaf(hyperdrive_blobs(f.d[0]), &ref, &leaf, NULL, &f.x.e),
	    ERR_FORMAT);
	assert_string_equal(f.x.e.msg, "block 0 has 10 bytes, not 5");
	ref.size = 10;
	check_ok(need_leaf(hyperdrive_blobs(f.d[0]), &ref, &leaf, NULL, &f.x.e),
	    &f.x.e);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cuts),
	    cmocka_unit_test(test_bytes_elsewhere),
	    cmocka_unit_test(test_stopped),
	    cmocka_unit_test(test_lying_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
