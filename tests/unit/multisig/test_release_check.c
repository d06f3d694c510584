/* Refusals: each with its code, and nothing written. */
#include "tests/unit/multisig/relfix.h"

#include "codec/z32.h"

static void
expect_untouched(struct relfix *x)
{
	check(!x->r.committed && !relfix_journal(x));
	check(relfix_length(x, &x->c.key) == 0);
	check(relfix_length(x, &x->c.blobs_key) == 0);
}

/* -- requests that lie ------------------------------------------------------- */

static void
lie_length(struct relfix *x)
{
	x->req.length += 10;
}

static void
lie_tree(struct relfix *x)
{
	x->req.tree_hash.b[0] ^= 1;
}

static void
lie_blobs_tree(struct relfix *x)
{
	x->req.blobs_tree_hash.b[31] ^= 1;
}

static void
lie_blobs_long(struct relfix *x)
{
	x->req.blobs_length += 1;
}

static void
lie_fork(struct relfix *x)
{
	x->req.fork = 1;
}

static void
lie_kind(struct relfix *x)
{
	x->req.kind = REQUEST_CORE;
	x->req.blobs_length = 0;
}

static void
lie_key(struct relfix *x)
{
	struct config other;

	relfix_config(&other, x->pair, "example/other");
	x->req.manifest = other.manifest;
}

static void
lie_order(struct relfix *x)
{
	struct manifest_signer s = x->req.manifest.signer[0];

	x->req.manifest.signer[0] = x->req.manifest.signer[1];
	x->req.manifest.signer[1] = s;
}

static void
lie_quorum(struct relfix *x)
{
	x->req.manifest.quorum = 1;
}

static void
lying_requests(void **state)
{
	static const struct {
		void (*lie)(struct relfix *x);
		enum err_code code;
		const char *tag, *id;
	} row[] = {
	    {lie_length, ERR_PEERS, "SOURCE_CORE_TOO_SMALL", ": db "},
	    {lie_tree, ERR_VERIFY, "SRC_KEY_MISMATCH", ": db "},
	    {lie_blobs_tree, ERR_VERIFY, "SRC_KEY_MISMATCH", ": blobs "},
	    {lie_blobs_long, ERR_PEERS, "SOURCE_CORE_TOO_SMALL", ": blobs "},
	    {lie_fork, ERR_CONFLICT, "FORK_MISMATCH", ""},
	    {lie_kind, ERR_VERIFY, "TYPE_MISMATCH", ""},
	    {lie_key, ERR_VERIFY, "REQUEST_FOR_OTHER_KEY", ""},
	    {lie_order, ERR_VERIFY, "REQUEST_FOR_OTHER_KEY", ""},
	    {lie_quorum, ERR_VERIFY, "REQUEST_FOR_OTHER_KEY", ""},
	};
	struct relfix x;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		relfix_begin(&x);
		row[i].lie(&x);
		relfix_seal(&x);
		relfix_sign(&x, 2);
		relfix_expect_refused(&x, row[i].code, row[i].tag);
		check(strstr(x.e.msg, row[i].id) != NULL);
		/* no force makes it right */
		x.o.force_dangerous = true;
		relfix_expect_refused(&x, row[i].code, row[i].tag);
		expect_untouched(&x);
		relfix_close(&x);
	}
}

/* Fewer contents than the metadata of that length points into. */
static void
contents_cut(void **state)
{
	struct relfix x;
	struct tree t;
	struct want w;

	(void)state;
	relfix_begin(&x);
	x.req.blobs_length--;
	check_ok(core_tree_at(hyperdrive_blobs(x.src.d), x.req.blobs_length, &t,
		     &w, &x.e),
	    &x.e);
	tree_hash(&t, &x.req.blobs_tree_hash);
	relfix_seal(&x);
	relfix_sign(&x, 2);
	check_code(relfix_run(&x), ERR_VERIFY);
	check(strstr(x.e.msg, "its metadata needs") != NULL);
	expect_untouched(&x);
	relfix_close(&x);
}

/* In the middle of a change there is no version. */
static void
no_version(void **state)
{
	struct relfix x;
	struct tree t;
	struct want w;

	(void)state;
	relfix_begin(&x);
	x.req.length--;
	check_ok(
	    core_tree_at(hyperdrive_db(x.src.d), x.req.length, &t, &w, &x.e),
	    &x.e);
	tree_hash(&t, &x.req.tree_hash);
	relfix_seal(&x);
	relfix_sign(&x, 2);
	check_code(relfix_run(&x), ERR_INVALID);
	expect_untouched(&x);
	check_code(
	    release_request(&x.o, x.req.length, 3, &x.req, &x.bytes, &x.e),
	    ERR_INVALID);
	relfix_close(&x);
}

/* -- responses ------------------------------------------------------------------ */

static void
add_stranger(struct relfix *x)
{
	x->res[1] = x->res[0];
	memset(x->res[1].pub.b, 9, 32);
}

static void
add_forged(struct relfix *x)
{
	x->res[1].signature[1][5] ^= 1;
}

static void
add_short(struct relfix *x)
{
	x->res[1].n = 1;
}

static void
add_foreign(struct relfix *x)
{
	x->res[1].request_hash.b[0] ^= 1;
}

static void
add_swapped(struct relfix *x)
{
	uint8_t s[SIGN_LEN];

	memcpy(s, x->res[1].signature[0], SIGN_LEN);
	memcpy(x->res[1].signature[0], x->res[1].signature[1], SIGN_LEN);
	memcpy(x->res[1].signature[1], s, SIGN_LEN);
}

static void
bad_responses(void **state)
{
	static void (*const spoil[])(struct relfix * x) = {
	    add_stranger, add_forged, add_short, add_foreign, add_swapped};
	char key[Z32_KEY_LEN + 1];
	struct relfix x;

	(void)state;
	for (size_t i = 0; i < sizeof(spoil) / sizeof(*spoil); i++) {
		relfix_begin(&x);
		relfix_sign(&x, 3); /* enough without the bad one */
		spoil[i](&x);
		for (int dry = 0; dry < 2; dry++) {
			check_code(dry ? relfix_verify(&x) : relfix_run(&x),
			    ERR_VERIFY);
			check(strstr(x.e.msg, "response 2 ") != NULL);
			check(strstr(x.e.msg, z32_key(key, &x.res[1].pub)) !=
			      NULL);
			check(x.seen[RELEASE_RESPONSE] == 3);
			expect_untouched(&x);
		}
		relfix_close(&x);
	}
}

static void
too_few_responses(void **state)
{
	struct relfix x;

	(void)state;
	relfix_begin(&x);
	relfix_sign(&x, 1);
	x.res[1] = x.res[0]; /* the same once more counts once */
	x.res[2] = x.res[0];
	for (x.nres = 0; x.nres < 4; x.nres++) {
		check_code(relfix_run(&x), ERR_VERIFY);
		check(strcmp(x.e.msg, x.nres == 0
					  ? "Insufficient quorum: 0 / 2"
					  : "Insufficient quorum: 1 / 2") == 0);
		expect_untouched(&x);
		check_ok(relfix_verify(&x), &x.e);
		check(x.r.quorum.have == (x.nres > 0));
	}
	relfix_close(&x);
}

/* -- peers ---------------------------------------------------------------------- */

static void
seeding(void **state)
{
	static const struct {
		struct peers_answer source, target;
		const char *tag; /* NULL: fine */
		const char *text;
	} row[] = {
	    {{1, 1, 9, 1}, {2, 2, 0, 2}, "SOURCE_CORE_INSUFFICIENT_PEERS",
		": Source core is not well seeded (1/2 peers)"},
	    {{2, 1, 9, 2}, {2, 2, 0, 2}, "SOURCE_CORE_NOT_FULLY_SEEDED",
		": db Source core is not yet fully downloaded by sufficient "
		"seeders (1/2)"},
	    {{2, 2, 9, 2}, {1, 1, 0, 1}, "TARGET_CORE_INSUFFICIENT_PEERS",
		": db Target core is not well seeded (1/2 peers)"},
	    {{2, 2, 9, 2}, {2, 1, 0, 2}, "TARGET_CORE_NOT_FULLY_SEEDED",
		": db Target core is not yet fully downloaded by sufficient "
		"seeders (1/2)"},
	    {{2, 2, 9, 2}, {2, 2, 0, 2}, NULL, NULL},
	};
	struct relfix x;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		relfix_begin(&x);
		check_ok(relfix_run(&x), &x.e);
		x.o.first_commit = false;
		relfix_put(&x, "/b", 1, 1000);
		relfix_request(&x);
		relfix_sign(&x, 2);
		x.o.min_peers = x.o.min_full = 2;
		x.o.peers = &x.peers;
		x.of_source = row[i].source;
		x.of_target = row[i].target;
		if (row[i].tag != NULL) {
			relfix_expect_refused(&x, ERR_PEERS, row[i].tag);
			check(strstr(x.e.msg, row[i].text) != NULL);
			x.o.force_dangerous = true;
		}
		check_ok(relfix_run(&x), &x.e);
		check(x.r.committed && !relfix_journal(&x));
		relfix_close(&x);
	}
}

static void
half_seeded_target_by_wish(void **state)
{
	struct relfix x;

	(void)state;
	relfix_begin(&x);
	check_ok(relfix_run(&x), &x.e);
	x.o.first_commit = false;
	relfix_put(&x, "/b", 1, 1000);
	relfix_request(&x);
	relfix_sign(&x, 2);
	x.o.min_peers = x.o.min_full = 2;
	x.o.peers = &x.peers;
	x.of_source = (struct peers_answer){2, 2, 9, 2};
	x.of_target = (struct peers_answer){2, 0, 0, 2};
	relfix_expect_refused(&x, ERR_PEERS, "TARGET_CORE_NOT_FULLY_SEEDED");
	x.o.skip_target_well_seeded = true;
	check_ok(relfix_verify(&x), &x.e);
	relfix_close(&x);
}

/* Nobody to ask is not the same as nobody needed. */
static void
offline(void **state)
{
	struct relfix x;

	(void)state;
	relfix_begin(&x);
	x.o.min_peers = 2;
	relfix_expect_refused(&x, ERR_PEERS, "SOURCE_CORE_INSUFFICIENT_PEERS");
	expect_untouched(&x);
	relfix_close(&x);
}

/* -- first commits -------------------------------------------------------------- */

static void
first_or_not(void **state)
{
	struct relfix x;

	(void)state;
	relfix_begin(&x);
	/* without the flag: an unknown target */
	x.o.first_commit = false;
	relfix_expect_refused(&x, ERR_PEERS, "TARGET_CORE_INSUFFICIENT_PEERS");
	check(strstr(x.e.msg, "--first-commit") != NULL);
	expect_untouched(&x);
	/* with the flag: somebody has blocks of it */
	x.o.first_commit = true;
	x.o.peers = &x.peers;
	x.of_target = (struct peers_answer){1, 0, 7, 1};
	relfix_expect_refused(&x, ERR_CONFLICT, "TARGET_NOT_EMPTY");
	expect_untouched(&x);
	/* nobody has */
	x.of_target = (struct peers_answer){3, 0, 0, 3};
	check_ok(relfix_run(&x), &x.e);
	/* with the flag, and blocks are here */
	relfix_put(&x, "/b", 1, 1000);
	relfix_request(&x);
	relfix_sign(&x, 2);
	relfix_expect_refused(&x, ERR_CONFLICT, "TARGET_NOT_EMPTY");
	relfix_close(&x);
}

/* Whoever can be found is asked for an empty target, for longer than checks
 * wait; what is asked of a source is a full copy. */
static void
questions(void **state)
{
	struct peers_question *q;
	struct relfix x;

	(void)state;
	relfix_begin(&x);
	x.o.peers = &x.peers;
	x.o.min_peers = x.o.min_full = 2;
	x.o.timeout_ms = 5;
	x.o.look_ms = 15;
	x.of_source = (struct peers_answer){2, 2, 9, 2};
	x.of_target = (struct peers_answer){2, 2, 0, 2};
	check_ok(relfix_verify(&x), &x.e);
	check(x.asked == 3); /* source, target, contents of the source */
	q = &x.question[0];
	check(q->until == PEERS_ENOUGH && q->timeout_ms == 5);
	check(q->want_peers == 2 && q->want_full == 2);
	check(b32_eq(&q->key, &x.o.source) && q->length == x.req.length);
	q = &x.question[1];
	check(q->until == PEERS_KNOWN && q->timeout_ms == 15);
	check(b32_eq(&q->key, &x.c.key) && q->length == 0);
	check(x.question[2].length == x.req.blobs_length);
	relfix_close(&x);
}

/* Without the flag: peers of the target must say that it is empty. */
static void
found_first(void **state)
{
	static const struct {
		uint64_t min_peers;
		struct peers_answer target;
		bool fine;
	} row[] = {
	    {2, {2, 2, 0, 2}, true}, {2, {3, 3, 0, 2}, true},
	    {2, {2, 2, 0, 1}, false}, /* one has not spoken yet */
	    {2, {1, 1, 0, 1}, false},
	    {2, {2, 2, 4, 2}, false}, /* one has something */
	    {0, {0, 0, 0, 0}, false}, /* nobody knows */
	};
	struct relfix x;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		relfix_begin(&x);
		x.o.peers = &x.peers;
		x.o.first_commit = false;
		x.o.find_first = true;
		x.o.min_peers = row[i].min_peers;
		x.of_source = (struct peers_answer){2, 2, 9, 2};
		x.of_target = row[i].target;
		if (row[i].fine) {
			check_ok(relfix_run(&x), &x.e);
			check(x.r.committed && x.seen[RELEASE_FIRST] == 1);
		} else {
			relfix_expect_refused(
			    &x, ERR_PEERS, "TARGET_CORE_INSUFFICIENT_PEERS");
			check(x.seen[RELEASE_FIRST] == 0);
		}
		relfix_close(&x);
	}
}

/* -- targets that hold something else --------------------------------------------- */

/* The same store, another source: seed 6. */
static void
switch_source(struct relfix *x, struct hyperdrive **d, struct b32 *key)
{
	struct err e = ERR_INIT;
	struct sign_pair pair;
	struct manifest m;

	drivefix_pair(&pair, 6);
	manifest_single(&m, &pair.pub);
	manifest_key(key, &m);
	check_ok(core_add(x->o.store, &m, key, &pair, &e), &e);
	check_ok(hyperdrive_open(d, x->o.store, key, CORE_WRITE, &e), &e);
	sign_pair_free(&pair);
	x->o.source = *key;
}

static void
other_history(void **state)
{
	struct hyperdrive *own, *other;
	struct relfix x;
	struct b32 key;

	(void)state;
	relfix_begin(&x);
	check_ok(relfix_run(&x), &x.e);
	x.o.first_commit = false;
	own = x.src.d;
	switch_source(&x, &other, &key);
	x.src.d = other;
	relfix_put(&x, "/z", 1, 1000);
	/* the target is longer than all of this source */
	x.o.force = true;
	check_code(
	    release_request(&x.o, 0, 3, &x.req, &x.bytes, &x.e), ERR_CONFLICT);
	check(strcmp(x.e.tag, "INCOMPATIBLE_SOURCE_AND_TARGET") == 0);
	x.req.length = core_head(hyperdrive_db(other))->length;
	x.req.tree_hash = core_head(hyperdrive_db(other))->tree_hash;
	x.req.blobs_length = core_head(hyperdrive_blobs(other))->length;
	x.req.blobs_tree_hash = core_head(hyperdrive_blobs(other))->tree_hash;
	relfix_seal(&x);
	relfix_sign(&x, 2);
	relfix_expect_refused(&x, ERR_CONFLICT, "TARGET_CORE_TOO_BIG");
	/* it grows beyond the target, and still begins otherwise */
	relfix_put(&x, "/y", 5, 1000);
	x.req.length = core_head(hyperdrive_db(other))->length;
	x.req.tree_hash = core_head(hyperdrive_db(other))->tree_hash;
	x.req.blobs_length = core_head(hyperdrive_blobs(other))->length;
	x.req.blobs_tree_hash = core_head(hyperdrive_blobs(other))->tree_hash;
	relfix_seal(&x);
	relfix_sign(&x, 2);
	relfix_expect_refused(
	    &x, ERR_CONFLICT, "INCOMPATIBLE_SOURCE_AND_TARGET");
	check(strstr(x.e.msg, "tree hash") != NULL);
	x.o.force_dangerous = true;
	relfix_expect_refused(
	    &x, ERR_CONFLICT, "INCOMPATIBLE_SOURCE_AND_TARGET");
	x.src.d = own;
	hyperdrive_close(other);
	relfix_close(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lying_requests),
	    cmocka_unit_test(contents_cut),
	    cmocka_unit_test(no_version),
	    cmocka_unit_test(bad_responses),
	    cmocka_unit_test(too_few_responses),
	    cmocka_unit_test(seeding),
	    cmocka_unit_test(half_seeded_target_by_wish),
	    cmocka_unit_test(offline),
	    cmocka_unit_test(first_or_not),
	    cmocka_unit_test(questions),
	    cmocka_unit_test(found_first),
	    cmocka_unit_test(other_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
