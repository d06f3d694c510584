/* Which answers count, and the signature made of them. */
#include "support/msgfix.h"

#include "codec/dec.h"
#include "crypto/hash.h"
#include "multisig/quorum.h"

enum { MOST = 8 };

static struct quorum_verdict verdict[MOST];

static void
judge(struct quorum *q, const struct request *req, const struct response *res,
    size_t n)
{
	check(n <= MOST);
	memset(verdict, 0xff, sizeof(verdict)); /* nothing is left as it was */
	quorum_judge(q, verdict, req, res, n);
}

static void
assemble(struct buf *out, const struct quorum *q, const struct request *req,
    const struct response *res, size_t which)
{
	struct err e = ERR_INIT;

	buf_init(out, MANIFEST_PROOF_MAX);
	check_ok(quorum_assemble(out, q, req, res, which, &e), &e);
}

/* Signatures as hyper-multisig and hypercore assemble them. */
static void
test_vectors(void **state)
{
	static const struct {
		const char *label, *request, *response;
		size_t signer[2];
		size_t which;
	} row[] = {
	    {"drive metadata core, signers 1 and 3", "drive, version 3",
		"drive, version 3", {0, 2}, 0},
	    {"drive blobs core, signers 1 and 3", "drive, version 3",
		"drive, version 3", {0, 2}, 1},
	    {"core request (length 3), signers 2 and 3", "core, version 3",
		"core, version 3", {1, 2}, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const json_t *want = msg_row("proofs", row[i].label, 0);
		struct response res[2];
		struct request req;
		struct quorum q;
		struct buf sig;

		msg_request(&req, row[i].request);
		/* the order of the answers is that of the manifest anyway */
		msg_response(&res[1], row[i].response, row[i].signer[0]);
		msg_response(&res[0], row[i].response, row[i].signer[1]);
		judge(&q, &req, res, 2);
		check(q.have == 2 && q.need == 2);
		assemble(&sig, &q, &req, res, row[i].which);
		check_same(buf_view(&sig), vec_hex_at(want, "signature"));
		buf_deinit(&sig);
		check_same(row[i].which == 0 ? view_b32(&req.key)
					     : view_b32(&req.blobs_key),
		    vec_hex_at(want, "key"));
	}
}

/* All three signed: two are enough, and only two are written, where the
 * reference writes three. */
static void
test_exactly_need(void **state)
{
	struct response res[3];
	struct request req;
	struct quorum q;
	struct buf sig;

	(void)state;
	msg_request(&req, "drive, version 3");
	for (size_t i = 0; i < 3; i++)
		msg_response(&res[i], "drive, version 3", i);
	judge(&q, &req, res, 3);
	check(q.have == 3 && q.need == 2);
	assemble(&sig, &q, &req, res, 0);
	check(sig.len == 1 + 2 * (1 + 64 + 1) + 1);
	check(sig.data[0] == 2 && sig.data[1] == 0 && sig.data[67] == 1);
	check_same(view_of(sig.data + 2, 64), view_of(res[0].signature[0], 64));
	buf_deinit(&sig);
}

/* A tree of `n` equal blocks, and the hash that a request names. */
static void
grow(struct tree *t, struct b32 *hash, uint64_t n)
{
	struct node made[FLAT_ROOTS_MAX];
	struct b32 leaf;

	tree_init(t);
	hash_leaf(&leaf, view_str("block"));
	for (uint64_t i = 0; i < n; i++)
		(void)tree_append(t, 5, &leaf, made);
	tree_hash(t, hash);
}

static void
holds(const struct request *req, const struct tree *t, struct view sig,
    size_t which)
{
	const struct manifest *m = &req->manifest;
	struct manifest blobs;
	struct err e = ERR_INIT;

	if (which == 0) {
		check_ok(
		    manifest_verify(m, &req->key, t, req->fork, sig, &e), &e);
		return;
	}
	check_ok(manifest_blobs(&blobs, m, &req->key, &e), &e);
	check_ok(
	    manifest_verify(&blobs, &req->blobs_key, t, req->fork, sig, &e),
	    &e);
}

/* Every subset of five signers, 3 of 5, answering in two orders: at the
 * quorum it holds against the trees, below it says how many are missing. */
static void
test_every_subset(void **state)
{
	struct request req;
	struct tree db, blobs;
	struct err e = ERR_INIT;
	struct buf b;

	(void)state;
	msg_make(&req, REQUEST_DRIVE, 3, 5, 3);
	grow(&db, &req.tree_hash, req.length);
	grow(&blobs, &req.blobs_tree_hash, req.blobs_length);
	buf_init(&b, REQUEST_MAX);
	check_ok(request_seal(&req, &b, &e), &e);
	buf_deinit(&b);
	for (unsigned set = 0; set < 64; set++) {
		struct response res[5];
		struct quorum q;
		struct buf sig;
		size_t n = 0;

		for (unsigned i = 0; i < 5; i++) {
			unsigned k = (set & 32) ? i : 4 - i;

			if (set & 1u << k)
				res[n++] = msg_answer(&req, k + 1);
		}
		judge(&q, &req, res, n);
		check(q.have == n && q.need == 3);
		for (size_t which = 0; which < 2; which++) {
			buf_init(&sig, MANIFEST_PROOF_MAX);
			if (n < 3) {
				char text[64];

				(void)snprintf(text, sizeof(text),
				    "Insufficient quorum: %zu / 3", n);
				check_code(quorum_assemble(
					       &sig, &q, &req, res, which, &e),
				    ERR_VERIFY);
				check(strcmp(e.msg, text) == 0);
				check(sig.len == 0);
			} else {
				check_ok(quorum_assemble(
					     &sig, &q, &req, res, which, &e),
				    &e);
				holds(&req, which == 0 ? &db : &blobs,
				    buf_view(&sig), which);
			}
			buf_deinit(&sig);
		}
	}
}

/* Strangers, doubles, answers to another request, a missing signature: each
 * is named, none counts, and the good ones among them do. */
static void
test_bad_ones_among_good(void **state)
{
	struct request req, other;
	struct response res[7];
	struct quorum q;
	struct buf sig;

	(void)state;
	msg_make(&req, REQUEST_DRIVE, 3, 3, 2);
	msg_make(&other, REQUEST_DRIVE, 2, 4, 2);
	res[0] = msg_answer(&req, 3);
	res[0].n = 1; /* contents unsigned */
	res[1] = msg_answer(&other, 1);
	res[2] = msg_answer(&other, 4);
	res[2].request_hash = req.hash;
	res[3] = msg_answer(&req, 2);
	res[4] = res[3];
	res[5] = msg_answer(&req, 3);
	res[6] = msg_answer(&req, 3);
	res[6].signature[1][5] ^= 1;
	judge(&q, &req, res, 7);
	check(q.have == 2 && q.need == 2);
	check(verdict[0].state == QUORUM_BAD);
	check(strstr(verdict[0].e.msg, "signature count") != NULL);
	check(b32_eq(&verdict[0].pub, &res[0].pub));
	check(verdict[1].state == QUORUM_BAD);
	check(strstr(verdict[1].e.msg, "not made over this") != NULL);
	check(verdict[2].state == QUORUM_BAD);
	check(strstr(verdict[2].e.msg, "not a declared signer") != NULL);
	check(verdict[3].state == QUORUM_GOOD && verdict[3].signer == 1);
	check(verdict[4].state == QUORUM_DUPLICATE && verdict[4].same == 3);
	check(verdict[4].signer == 1);
	check(verdict[5].state == QUORUM_GOOD && verdict[5].signer == 2);
	check(verdict[6].state == QUORUM_BAD);
	check(strstr(verdict[6].e.msg, "Invalid signature!") != NULL);
	check(
	    q.by_signer[0] == -1 && q.by_signer[1] == 3 && q.by_signer[2] == 5);
	assemble(&sig, &q, &req, res, 1);
	check(sig.data[1] == 1 && sig.data[67] == 2);
	buf_deinit(&sig);
}

/* One signer's answer, many times, is one. */
static void
test_doubles_are_one(void **state)
{
	struct request req;
	struct response res[MOST];
	struct err e = ERR_INIT;
	struct quorum q;
	struct buf sig;

	(void)state;
	msg_make(&req, REQUEST_CORE, 2, 3, 2);
	for (size_t i = 0; i < MOST; i++)
		res[i] = msg_answer(&req, 1);
	judge(&q, &req, res, MOST);
	check(q.have == 1);
	buf_init(&sig, MANIFEST_PROOF_MAX);
	check_code(quorum_assemble(&sig, &q, &req, res, 0, &e), ERR_VERIFY);
	check(strcmp(e.msg, "Insufficient quorum: 1 / 2") == 0);
	buf_deinit(&sig);
}

/* A manifest that names one key twice cannot be satisfied by one person,
 * and one that asks for nobody is never satisfied. */
static void
test_odd_manifests(void **state)
{
	struct request req;
	struct response res[2];
	struct err e = ERR_INIT;
	struct quorum q;
	struct buf sig, b;

	(void)state;
	msg_make(&req, REQUEST_CORE, 3, 2, 2);
	req.manifest.signer[1].pub = req.manifest.signer[0].pub;
	buf_init(&b, REQUEST_MAX);
	buf_init(&sig, MANIFEST_PROOF_MAX);
	check_ok(request_seal(&req, &b, &e), &e);
	res[0] = res[1] = msg_answer(&req, 1);
	judge(&q, &req, res, 2);
	check(q.have == 1);
	check_code(quorum_assemble(&sig, &q, &req, res, 0, &e), ERR_VERIFY);
	buf_reset(&b);
	req.manifest.quorum = 0;
	check_ok(request_seal(&req, &b, &e), &e);
	judge(&q, &req, res, 0);
	check_code(quorum_assemble(&sig, &q, &req, res, 0, &e), ERR_VERIFY);
	check(strcmp(e.msg, "Insufficient quorum: 0 / 0") == 0);
	check(sig.len == 0);
	buf_deinit(&sig);
	buf_deinit(&b);
}

/* A source that was truncated once has fork 1. With the target's fork in the
 * request the answers hold; with its own they do not, for the target. */
static void
test_forked_source(void **state)
{
	const json_t *rows = vec_at(msg_vectors, "forkedSource");

	(void)state;
	check(json_array_size(rows) == 2);
	for (size_t i = 0; i < 2; i++) {
		const json_t *row = json_array_get(rows, i);
		const json_t *sigs = vec_at(row, "signatures");
		bool committed =
		    strstr(vec_str(row, "result"), "committed at") != NULL;
		struct err e = ERR_INIT;
		struct request req, target;
		size_t good = 0, for_target = 0;

		check_ok(
		    request_decode(&req, vec_hex_at(row, "request"), &e), &e);
		check(req.fork == vec_num(row, "requestFork"));
		target = req;
		target.fork = 0;
		for (unsigned k = 0; k < json_array_size(sigs); k++) {
			struct view sig =
			    vec_hex(json_string_value(json_array_get(sigs, k)));
			struct response res = {.version = req.version, .n = 1};

			for (unsigned s = 1; s <= 3; s++) {
				struct sign_pair pair = msg_pair(s);

				res.pub = pair.pub;
				sign_pair_free(&pair);
				res.request_hash = req.hash;
				memcpy(res.signature[0], sig.ptr, SIGN_LEN);
				good += response_verify(
					    &res, &req, NULL, NULL) == ERR_OK;
				for_target += response_verify(&res, &target,
						  NULL, NULL) == ERR_OK;
			}
		}
		check(good == 2);
		check(for_target == (committed ? 2 : 0));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_exactly_need),
	    cmocka_unit_test(test_every_subset),
	    cmocka_unit_test(test_bad_ones_among_good),
	    cmocka_unit_test(test_doubles_are_one),
	    cmocka_unit_test(test_odd_manifests),
	    cmocka_unit_test(test_forked_source),
	};

	return cmocka_run_group_tests(tests, msg_setup, msg_teardown);
}
