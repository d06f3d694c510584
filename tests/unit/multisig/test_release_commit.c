/* Commits: first and later ones, again, half-way, at once, interrupted. */
#include "tests/unit/multisig/relfix.h"

/* -- the ordinary road ------------------------------------------------------- */

static void
first_and_second(void **state)
{
	struct relfix x;

	(void)state;
	relfix_open(&x);
	relfix_put(&x, "/a", 3, 100000);
	relfix_release(&x, true);
	relfix_expect_released(&x);
	check(!relfix_journal(&x));
	check(x.r.nparts == 2 && x.r.quorum.have == 2 && x.r.quorum.need == 2);
	check(x.r.part[0].before.length == 0);
	check(x.r.part[0].after.length == x.req.length);
	check(x.r.part[1].after.length == x.req.blobs_length);
	check(b32_eq(&x.r.part[1].after.tree_hash, &x.req.blobs_tree_hash));
	check(x.seen[RELEASE_VERIFY_COMMITTABLE] == 1);
	check(x.seen[RELEASE_RESPONSE] == 2);
	check(x.seen[RELEASE_COMMIT_START] == 1);
	check(x.seen[RELEASE_VERIFY_COMMITTED] == 0);

	relfix_put(&x, "/b", 2, 5000);
	relfix_release(&x, false);
	relfix_expect_released(&x);
	check(x.r.part[0].before.length > 0);
	check(x.r.part[0].before.length < x.req.length);
	relfix_close(&x);
}

/* The release ends where the request says, however long the source is now. */
static void
source_has_grown(void **state)
{
	struct relfix x;

	(void)state;
	relfix_open(&x);
	relfix_put(&x, "/a", 2, 1000);
	relfix_request(&x);
	relfix_sign(&x, 3);
	relfix_put(&x, "/b", 2, 1000);
	x.o.first_commit = true;
	check_ok(relfix_verify(&x), &x.e);
	check_ok(relfix_run(&x), &x.e);
	relfix_expect_released(&x);
	check(x.r.part[0].source.length > x.req.length);
	relfix_close(&x);
}

static void
verify_writes_nothing(void **state)
{
	struct relfix x;

	(void)state;
	relfix_open(&x);
	relfix_put(&x, "/a", 2, 1000);
	relfix_request(&x);
	relfix_sign(&x, 2);
	x.o.first_commit = true;
	check_ok(relfix_verify(&x), &x.e);
	check(!x.r.committed && !x.r.already);
	check(x.r.part[0].after.length == x.req.length);
	check(x.r.part[0].signature.len > 0 && x.r.part[1].signature.len > 0);
	check(relfix_length(&x, &x.c.key) == 0);
	check(relfix_length(&x, &x.c.blobs_key) == 0);
	check(!relfix_journal(&x));
	/* below the quorum: fine too, but there is nothing to show */
	relfix_sign(&x, 1);
	check_ok(relfix_verify(&x), &x.e);
	check(x.r.quorum.have == 1 && x.r.part[0].signature.len == 0);
	x.nres = 0;
	check_ok(relfix_verify(&x), &x.e);
	check(x.r.quorum.have == 0);
	relfix_close(&x);
}

/* Any two of three, in any order, give the same trees. */
static void
every_subset(void **state)
{
	static const size_t pick[][3] = {
	    {2, 0, 1}, {2, 1, 0}, {2, 0, 2}, {2, 2, 1}, {3, 0, 1}};
	struct relfix x;

	(void)state;
	for (size_t i = 0; i < sizeof(pick) / sizeof(*pick); i++) {
		relfix_open(&x);
		relfix_put(&x, "/a", 2, 1000);
		relfix_request(&x);
		for (size_t k = 0; k < pick[i][0]; k++)
			check_ok(response_make(&x.res[k], &x.req,
				     &x.pair[k < 2 ? pick[i][k + 1] : 2], &x.e),
			    &x.e);
		x.nres = pick[i][0];
		x.o.first_commit = true;
		check_ok(relfix_run(&x), &x.e);
		check(x.r.quorum.have == pick[i][0]);
		relfix_expect_released(&x);
		relfix_close(&x);
	}
}

static void
again_is_done(void **state)
{
	struct relfix x;
	struct request old;
	struct buf bytes;

	(void)state;
	relfix_open(&x);
	relfix_put(&x, "/a", 2, 1000);
	relfix_release(&x, true);
	for (int first = 0; first < 2; first++) {
		x.o.first_commit = first == 1;
		check_ok(relfix_run(&x), &x.e);
		check(x.r.already && !x.r.committed);
		check(x.r.part[0].done && x.r.part[1].done);
		check_ok(relfix_verify(&x), &x.e);
		check(x.r.already);
	}
	x.o.first_commit = false;
	/* an older request is done as well: nothing rolls back */
	old = x.req;
	bytes = x.bytes;
	buf_init(&x.bytes, REQUEST_MAX);
	relfix_put(&x, "/b", 2, 1000);
	relfix_release(&x, false);
	buf_deinit(&x.bytes);
	x.bytes = bytes;
	x.req = old;
	relfix_sign(&x, 2);
	check_ok(relfix_run(&x), &x.e);
	check(x.r.already && !x.r.committed);
	check(relfix_length(&x, &x.c.key) > x.req.length);
	relfix_close(&x);
}

/* -- odd shapes ----------------------------------------------------------------- */

/* Without the last file the metadata needs fewer contents than are there. */
static void
delete_only(void **state)
{
	struct relfix x;
	uint64_t had;

	(void)state;
	relfix_open(&x);
	relfix_put(&x, "/a", 3, 100000);
	relfix_release(&x, true);
	had = x.req.blobs_length;
	drivefix_begin(&x.src, BLOBS_SHARED);
	drivefix_del(&x.src, "/a2");
	drivefix_commit(&x.src);
	relfix_release(&x, false);
	check(x.req.blobs_length < had);
	check(x.r.part[1].done && !x.r.part[0].done);
	check(relfix_length(&x, &x.c.blobs_key) == had);
	relfix_expect(&x, &x.c.key, x.req.length, &x.req.tree_hash);
	relfix_close(&x);
}

/* Links need no contents; those come with the second release. */
static void
contents_come_later(void **state)
{
	struct relfix x;

	(void)state;
	relfix_open(&x);
	drivefix_begin(&x.src, BLOBS_SHARED);
	drivefix_link(&x.src, "/l", "a0");
	drivefix_commit(&x.src);
	relfix_release(&x, true);
	check(x.req.blobs_length == 0 && x.r.part[1].done);
	relfix_put(&x, "/a", 1, 1000);
	relfix_release(&x, false);
	check(x.req.blobs_length > 0);
	relfix_expect_released(&x);
	relfix_close(&x);
}

/* What a tool leaves that commits one core after the other. */
static void
half_committed(void **state)
{
	struct relfix x;
	struct core_batch *b = NULL;
	struct core *c = NULL, *from;
	struct manifest m;
	struct view signature;
	struct core_commit commit = {
	    .batch = &b, .nbatch = 1, .signature = &signature};
	struct want w;

	(void)state;
	relfix_open(&x);
	relfix_put(&x, "/a", 2, 1000);
	relfix_request(&x);
	relfix_sign(&x, 2);
	x.o.first_commit = true;
	check_ok(relfix_verify(&x), &x.e);
	signature = buf_view(&x.r.part[1].signature);
	check_ok(manifest_blobs(&m, &x.c.manifest, &x.c.key, &x.e), &x.e);
	check_ok(core_add(x.o.store, &m, &x.c.blobs_key, NULL, &x.e), &x.e);
	check_ok(
	    core_open(&c, x.o.store, &x.c.blobs_key, CORE_REPLICA, &x.e), &x.e);
	b = fix_batch(c);
	from = hyperdrive_blobs(x.src.d);
	check_ok(core_batch_copy(b, from, x.req.blobs_length, &w, &x.e), &x.e);
	check_ok(core_commit(&commit, &x.e), &x.e);
	core_batch_free(b);
	core_close(c);

	check_ok(relfix_run(&x), &x.e);
	check(x.r.part[1].done && !x.r.part[0].done && x.r.committed);
	relfix_expect_released(&x);
	relfix_close(&x);
}

/* A core alone, without a drive's second one. */
static void
core_release(struct relfix *x, uint64_t blocks)
{
	struct err e = ERR_INIT;
	struct fix f = x->src.f;
	struct sign_pair pair;
	struct core *c;
	struct b32 seed;

	memset(seed.b, 77, sizeof(seed.b));
	check_ok(sign_pair_seed(&pair, &seed, &e), &e);
	manifest_single(&f.m, &pair.pub);
	manifest_key(&f.key, &f.m);
	check_ok(core_add(f.s, &f.m, &f.key, &pair, &e), &e);
	c = fix_core(&f, CORE_WRITE);
	fix_append(c, blocks);
	core_close(c);
	sign_pair_free(&pair);
	x->o.kind = REQUEST_CORE;
	x->c.type = CONFIG_TYPE_CORE;
	x->o.source = f.key;
	relfix_release(x, x->o.first_commit);
}

static void
core_alone(void **state)
{
	struct relfix x;

	(void)state;
	relfix_open(&x);
	x.o.first_commit = true;
	core_release(&x, 20);
	check(x.r.nparts == 1 && x.r.part[0].after.length == 20);
	relfix_expect(&x, &x.c.key, 20, &x.req.tree_hash);
	check(relfix_length(&x, &x.c.blobs_key) == 0);
	core_release(&x, 300);
	relfix_expect(&x, &x.c.key, 320, &x.req.tree_hash);
	relfix_close(&x);
}

/* -- cut short ------------------------------------------------------------------- */

static void
open_journal(struct relfix *x, enum journal_phase phase, bool first)
{
	struct journal j;

	journal_init(&j);
	j.key = x->c.key;
	j.source = x->o.source;
	j.request_hash = x->req.hash;
	j.phase = phase;
	j.first = first;
	buf_append(&j.request, buf_view(&x->bytes));
	check_ok(journal_write(&j, x->o.store, NULL, &x->e), &x->e);
	journal_deinit(&j);
}

static void
resume_verified(void **state)
{
	struct relfix x;

	(void)state;
	relfix_open(&x);
	relfix_put(&x, "/a", 2, 1000);
	relfix_request(&x);
	relfix_sign(&x, 2);
	open_journal(&x, JOURNAL_VERIFIED, true);
	/* no flag: the journal knows that it was the first commit */
	check_ok(relfix_run(&x), &x.e);
	check(x.seen[RELEASE_RESUMED] == 1 && x.r.committed);
	relfix_expect_released(&x);
	check(!relfix_journal(&x));
	relfix_close(&x);
}

static void
resume_committed(void **state)
{
	struct relfix x;

	(void)state;
	relfix_open(&x);
	relfix_put(&x, "/a", 2, 1000);
	relfix_request(&x);
	relfix_sign(&x, 2);
	x.o.first_commit = true;
	x.o.min_full = 2;
	x.o.peers = &x.peers;
	x.of_source = (struct peers_answer){2, 2, x.req.length, 2};
	/* two rounds without seeders, then Ctrl-C: it moved, and stays open */
	x.stop_after = 4;
	check_code(relfix_run(&x), ERR_PEERS);
	check(strcmp(x.e.tag, "COMMIT_INCOMPLETE") == 0);
	check(x.r.committed && x.seen[RELEASE_VERIFY_COMMITTED] == 1);
	check(relfix_journal(&x));
	relfix_expect_released(&x);
	/* verify says that it is done, and leaves the journal to commit */
	x.stop = false;
	check_ok(relfix_verify(&x), &x.e);
	check(x.r.already && relfix_journal(&x));
	/* nobody to ask: still open */
	x.o.peers = NULL;
	check_code(relfix_run(&x), ERR_PEERS);
	check(strcmp(x.e.tag, "COMMIT_INCOMPLETE") == 0);
	check(x.r.already && !x.r.committed && relfix_journal(&x));
	x.o.peers = &x.peers;
	x.of_target = (struct peers_answer){2, 2, x.req.length, 2};
	check_ok(relfix_run(&x), &x.e);
	check(x.seen[RELEASE_RESUMED] == 1);
	check(x.seen[RELEASE_VERIFY_COMMITTED] == 1);
	check(!relfix_journal(&x));
	relfix_close(&x);
}

/* Whoever was asked for an empty target leaves its key in the store. */
static void
known_by_key(void **state)
{
	struct relfix x;

	(void)state;
	relfix_begin(&x);
	check_ok(core_add(x.o.store, NULL, &x.c.key, NULL, &x.e), &x.e);
	check_ok(core_add(x.o.store, NULL, &x.c.blobs_key, NULL, &x.e), &x.e);
	check_ok(relfix_verify(&x), &x.e);
	check_ok(relfix_run(&x), &x.e);
	check(x.r.committed);
	relfix_expect_released(&x);
	relfix_close(&x);
}

/* Seeders come one after the other; each is told. */
static void
one_more(struct relfix *x, const struct release_event *ev)
{
	if (ev->kind == RELEASE_VERIFY_COMMITTED)
		x->of_target = (struct peers_answer){1, 1, x->req.length, 1};
	if (ev->kind != RELEASE_SEEDERS)
		return;
	check(ev->total == 2 && ev->done == x->of_target.full);
	check(strcmp(ev->id, x->of_target.peers == 3 ? "blobs" : "db") == 0);
	if (++x->of_target.full > 2) {
		x->of_target.full = 1;
		x->of_target.peers = 3; /* the contents now */
	}
}

static void
seeders_come(void **state)
{
	struct relfix x;

	(void)state;
	relfix_begin(&x);
	x.o.min_full = 2;
	x.o.peers = &x.peers;
	x.of_source = (struct peers_answer){2, 2, x.req.length, 2};
	x.on = one_more;
	check_ok(relfix_run(&x), &x.e);
	check(x.r.committed && !relfix_journal(&x));
	check(x.seen[RELEASE_SEEDERS] == 4); /* 1 and 2, of each core */
	/* each time one more than there are is asked for */
	check(x.question[x.asked - 2].want_full == 1);
	check(x.question[x.asked - 1].want_full == 2);
	relfix_close(&x);
}

static void
other_journal(void **state)
{
	struct relfix x;

	(void)state;
	relfix_open(&x);
	relfix_put(&x, "/a", 2, 1000);
	relfix_request(&x);
	open_journal(&x, JOURNAL_VERIFIED, true);
	relfix_put(&x, "/b", 2, 1000);
	relfix_request(&x);
	relfix_sign(&x, 2);
	x.o.first_commit = true;
	check_code(relfix_run(&x), ERR_CONFLICT);
	check(strcmp(x.e.tag, "COMMIT_INCOMPLETE") == 0);
	check(relfix_journal(&x) && relfix_length(&x, &x.c.key) == 0);
	relfix_close(&x);
}

static void
stop_at_progress(struct relfix *x, const struct release_event *ev)
{
	if (ev->kind == RELEASE_PROGRESS)
		x->stop = true;
}

static void
interrupted(void **state)
{
	struct relfix x;

	(void)state;
	relfix_open(&x);
	relfix_put(&x, "/a", 4, 1000);
	relfix_request(&x);
	relfix_sign(&x, 2);
	x.o.first_commit = true;
	x.on = stop_at_progress;
	check_code(relfix_run(&x), ERR_INTERRUPTED);
	check(!x.r.committed && !relfix_journal(&x));
	check(relfix_length(&x, &x.c.key) == 0);
	x.on = NULL;
	x.stop = false;
	check_ok(relfix_run(&x), &x.e);
	relfix_expect_released(&x);
	relfix_close(&x);
}

/* -- at once --------------------------------------------------------------------- */

struct rival {
	struct request req;
	struct buf bytes;
	struct response res[2];
	bool ran;
};
static struct rival rival;

/* Someone commits the rival's request while this one has been judged. */
static void
overtake(struct relfix *x, const struct release_event *ev)
{
	struct release_report r;
	struct release_opts o = x->o;
	struct err e = ERR_INIT;

	if (ev->kind != RELEASE_COMMIT_START || rival.ran)
		return;
	rival.ran = true;
	o.event = NULL;
	release_report_init(&r);
	check_ok(release_run(&o, &rival.req, buf_view(&rival.bytes), rival.res,
		     2, &r, &e),
	    &e);
	check(r.committed);
	release_report_deinit(&r);
}

static void
keep_rival(struct relfix *x)
{
	rival.req = x->req;
	rival.ran = false;
	buf_init(&rival.bytes, REQUEST_MAX);
	buf_append(&rival.bytes, buf_view(&x->bytes));
	for (size_t i = 0; i < 2; i++)
		rival.res[i] = x->res[i];
}

static void
same_at_once(void **state)
{
	struct relfix x;

	(void)state;
	relfix_open(&x);
	relfix_put(&x, "/a", 2, 1000);
	relfix_request(&x);
	relfix_sign(&x, 2);
	keep_rival(&x);
	x.o.first_commit = true;
	x.on = overtake;
	check_ok(relfix_run(&x), &x.e);
	check(rival.ran && x.r.already && !x.r.committed);
	relfix_expect_released(&x);
	check(!relfix_journal(&x));
	buf_deinit(&rival.bytes);
	relfix_close(&x);
}

/* What was judged is no longer what is there, even if it would fit. */
static void
others_at_once(void **state)
{
	struct relfix x;

	(void)state;
	relfix_open(&x);
	relfix_put(&x, "/a", 2, 1000);
	relfix_release(&x, true);
	relfix_put(&x, "/b", 2, 1000);
	relfix_request(&x);
	relfix_sign(&x, 2);
	keep_rival(&x);
	relfix_put(&x, "/c", 2, 1000);
	relfix_request(&x);
	relfix_sign(&x, 2);
	x.on = overtake;
	check_code(relfix_run(&x), ERR_CONFLICT);
	check(strstr(x.e.msg, "target moved") != NULL);
	check(rival.ran && !x.r.committed && !relfix_journal(&x));
	relfix_expect(&x, &x.c.key, rival.req.length, &rival.req.tree_hash);
	/* judged anew it is fine */
	check_ok(relfix_run(&x), &x.e);
	relfix_expect_released(&x);
	buf_deinit(&rival.bytes);
	relfix_close(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(first_and_second),
	    cmocka_unit_test(source_has_grown),
	    cmocka_unit_test(verify_writes_nothing),
	    cmocka_unit_test(every_subset),
	    cmocka_unit_test(again_is_done),
	    cmocka_unit_test(delete_only),
	    cmocka_unit_test(contents_come_later),
	    cmocka_unit_test(half_committed),
	    cmocka_unit_test(core_alone),
	    cmocka_unit_test(resume_verified),
	    cmocka_unit_test(resume_committed),
	    cmocka_unit_test(known_by_key),
	    cmocka_unit_test(seeders_come),
	    cmocka_unit_test(other_journal),
	    cmocka_unit_test(interrupted),
	    cmocka_unit_test(same_at_once),
	    cmocka_unit_test(others_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
