#include "provfix.h"

static void
rebuild(struct provfix *x, const struct b32 *production, uint64_t length,
    enum stage_chunking chunking, const struct b32 *like)
{
	struct provfix_state is = provfix_state(x, like);
	struct provision_rebuild o = {.store = x->st.s,
	    .length = length,
	    .dir = x->st.app,
	    .chunking = chunking,
	    .sharing = x->o.sharing};
	struct provision_drive got;

	if (production != NULL)
		o.production = *production;
	check_ok(drive_provision_rebuild(&o, &got, &x->e), &x->e);
	check(got.length == is.db.length);
	check(b32_eq(&got.tree_hash, &is.db.tree_hash));
	check(got.blobs_length == is.blobs.length);
	check(b32_eq(&got.blobs_hash, &is.blobs.tree_hash));
}

static void
rebuild_all(enum stage_chunking chunking, enum provision_sharing sharing)
{
	struct b32 target, production;
	struct provision_drive got;
	struct provfix_state is;
	struct provfix x;

	provfix_open(&x);
	x.o.sharing = sharing;
	x.st.o.chunking = chunking;
	target = provfix_drive(&x, 11);
	production = provfix_drive(&x, 12);
	provfix_first(&x);
	provfix_production(&x, NULL);
	provfix_run(&x, &target);
	rebuild(&x, NULL, 0, chunking, &target);
	provfix_release(&x, &target, &production);
	provfix_second(&x);
	provfix_production(&x, &production);
	provfix_run(&x, &target);
	rebuild(&x, &production, 7, chunking, &target);
	/* later, when production has gone on */
	provfix_release(&x, &target, &production);
	rebuild(&x, &production, 7, chunking, &target);
	rebuild(&x, &production, 13, chunking, &target);
	fix_put(x.st.app, "f a.txt=not what was staged");
	check_ok(
	    drive_provision_rebuild(&(struct provision_rebuild){.store = x.st.s,
					.production = production,
					.length = 7,
					.dir = x.st.app,
					.chunking = chunking,
					.sharing = sharing},
		&got, &x.e),
	    &x.e);
	is = provfix_state(&x, &target);
	check(!b32_eq(&got.blobs_hash, &is.blobs.tree_hash));
	provfix_close(&x);
}

static void
test_rebuild(void **state)
{
	(void)state;
	rebuild_all(STAGE_CHUNKING_CDC, PROVISION_SHARED);
	rebuild_all(STAGE_CHUNKING_FIXED, PROVISION_PLAIN);
	rebuild_all(STAGE_CHUNKING_PEAR, PROVISION_PLAIN);
	rebuild_all(STAGE_CHUNKING_PEAR_EXACT, PROVISION_SHARED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rebuild),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
