/* Verifying heads: proofs of signing.json, cores of keys.json, and the
 * rules of quorums and prologues one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>

#include "core/manifest.h"
#include "crypto/hash.h"
#include "support/vec.h"

#define SIGNERS 3

static struct sign_pair pair[SIGNERS];
static struct tree tree; /* five blocks */

static int
setup(void **state)
{
	struct node made[FLAT_ROOTS_MAX];
	struct err e = ERR_INIT;
	struct b32 seed, leaf;

	(void)state;
	for (size_t i = 0; i < SIGNERS; i++) {
		memset(seed.b, (int)(i + 1), 32);
		check_ok(sign_pair_seed(&pair[i], &seed, &e), &e);
	}
	tree_init(&tree);
	for (size_t i = 0; i < 5; i++) {
		hash_leaf(&leaf, view_str("block"));
		(void)tree_append(&tree, 5, &leaf, made);
	}
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIGNERS; i++)
		sign_pair_free(&pair[i]);
	return 0;
}

/* Two of the three must sign. */
static void
quorum_manifest(struct manifest *m, unsigned version)
{
	manifest_single(m, &pair[0].pub);
	m->version = version;
	m->quorum = 2;
	m->nsigners = SIGNERS;
	for (size_t i = 0; i < SIGNERS; i++) {
		m->signer[i].ns = HASH_NS_DEFAULT;
		m->signer[i].pub = pair[i].pub;
	}
}

static void
sign_part(struct manifest_part *p, const struct manifest *m, size_t signer,
    uint64_t fork)
{
	uint8_t msg[MANIFEST_SIGNABLE_MAX];
	struct b32 key, hash;
	size_t n;

	memset(p, 0, sizeof(*p));
	manifest_key(&key, m);
	tree_hash(&tree, &hash);
	n = manifest_signable(msg, m, &key, signer, &hash, tree.length, fork);
	p->signer = signer;
	sign_make(p->signature, view_of(msg, n), &pair[signer]);
}

static enum err_code
judge(const struct manifest *m, const struct manifest_part *parts, size_t n,
    uint64_t fork)
{
	struct err e = ERR_INIT;
	enum err_code rc;
	struct b32 key;
	struct buf b;

	buf_init(&b, MANIFEST_PROOF_MAX);
	manifest_key(&key, m);
	manifest_assemble(&b, m, parts, n);
	check_ok(buf_check(&b, &e), &e);
	rc = manifest_verify(m, &key, &tree, fork, buf_view(&b), &e);
	buf_deinit(&b);
	return rc;
}

static void
test_quorum_in_every_version(void **state)
{
	static struct manifest m;
	struct manifest_part p[3];

	(void)state;
	for (unsigned version = 0; version <= 3; version++) {
		quorum_manifest(&m, version);
		for (size_t i = 0; i < 3; i++)
			sign_part(&p[i], &m, i, 7);
		check_code(judge(&m, p, 2, 7), ERR_OK);
		check_code(judge(&m, p + 1, 2, 7), ERR_OK);
		check_code(judge(&m, p, 3, 7), ERR_OK);
		check_code(judge(&m, p, 2, 8), ERR_VERIFY);
		check_code(judge(&m, p, 1, 7), ERR_VERIFY);
		check_code(judge(&m, p, 0, 7), ERR_VERIFY);
		p[1] = p[0]; /* twice the same */
		check_code(judge(&m, p, 2, 7), ERR_VERIFY);
		check_code(judge(&m, p, 3, 7), ERR_VERIFY);
		p[1].signer = 1; /* under another's number */
		check_code(judge(&m, p, 2, 7), ERR_VERIFY);
		p[1].signer = SIGNERS;
		check_code(judge(&m, p, 2, 7), ERR_VERIFY);
		p[1].signer = (UINT64_C(1) << 53) - 1;
		check_code(judge(&m, p, 2, 7), ERR_VERIFY);
	}
}

/* A wrong proof behind the quorum is not looked at; one inside it spoils
 * the whole, even if enough good ones follow. */
static void
test_only_the_first_quorum(void **state)
{
	static struct manifest m;
	struct manifest_part p[3];

	(void)state;
	quorum_manifest(&m, 1);
	for (size_t i = 0; i < 3; i++)
		sign_part(&p[i], &m, i, 0);
	p[2].signature[5] ^= 1;
	check_code(judge(&m, p, 3, 0), ERR_OK);
	p[2].signature[5] ^= 1;
	p[0].signature[5] ^= 1;
	check_code(judge(&m, p, 3, 0), ERR_VERIFY);
}

static void
test_quorum_zero(void **state)
{
	static struct manifest m;
	struct manifest_part p[1];

	(void)state;
	quorum_manifest(&m, 1);
	m.quorum = 0;
	sign_part(&p[0], &m, 0, 0);
	check_code(judge(&m, p, 1, 0), ERR_VERIFY);
	check_code(judge(&m, p, 0, 0), ERR_VERIFY);
}

/* A patch without permission is ignored: the plain head must be signed. */
static void
test_patch_without_permission(void **state)
{
	static struct manifest m;
	struct manifest_part p[2];

	(void)state;
	quorum_manifest(&m, 1);
	sign_part(&p[0], &m, 0, 0);
	sign_part(&p[1], &m, 1, 0);
	p[1].patch = 3;
	check_code(judge(&m, p, 2, 0), ERR_OK);
	m.allow_patch = true;
	sign_part(&p[0], &m, 0, 0);
	sign_part(&p[1], &m, 1, 0);
	check_code(judge(&m, p, 2, 0), ERR_OK);
	p[1].patch = 3; /* and now its nodes are missing */
	check_code(judge(&m, p, 2, 0), ERR_VERIFY);
	p[1].patch = (UINT64_C(1) << 53) - 1;
	check_code(judge(&m, p, 2, 0), ERR_VERIFY);
}

static void
test_prologue(void **state)
{
	static struct manifest m;
	struct manifest_part p[2];
	struct err e = ERR_INIT;
	struct b32 key;

	(void)state;
	quorum_manifest(&m, 1);
	m.has_prologue = true;
	m.prologue_length = tree.length;
	tree_hash(&tree, &m.prologue_hash);
	manifest_key(&key, &m);
	check_ok(manifest_verify(&m, &key, &tree, 0, VIEW_EMPTY, &e), &e);
	m.prologue_length++; /* below it nothing is valid, signed or not */
	sign_part(&p[0], &m, 0, 0);
	sign_part(&p[1], &m, 1, 0);
	check_code(judge(&m, p, 2, 0), ERR_VERIFY);
	m.prologue_length = tree.length - 1; /* beyond it the quorum counts */
	sign_part(&p[0], &m, 0, 0);
	sign_part(&p[1], &m, 1, 0);
	check_code(judge(&m, p, 2, 0), ERR_OK);
	check_code(judge(&m, p, 1, 0), ERR_VERIFY);
	m.prologue_length = tree.length;
	m.prologue_hash.b[0] ^= 1;
	manifest_key(&key, &m);
	check_code(
	    manifest_verify(&m, &key, &tree, 0, VIEW_EMPTY, &e), ERR_VERIFY);
}

/* Only a core with one signer signs alone. */
static void
test_signing_refused(void **state)
{
	static struct manifest m;
	struct sign_pair public_only = {pair[0].pub, {NULL, 0}};
	struct err e = ERR_INIT;
	struct b32 key, hash;
	struct buf b;

	(void)state;
	buf_init(&b, MANIFEST_PROOF_MAX);
	tree_hash(&tree, &hash);
	quorum_manifest(&m, 1);
	manifest_key(&key, &m);
	check_code(manifest_sign(&b, &m, &key, &pair[0], &hash, 5, 0, &e),
	    ERR_UNSUPPORTED);
	manifest_single(&m, &pair[0].pub);
	manifest_key(&key, &m);
	check_code(manifest_sign(&b, &m, &key, &pair[1], &hash, 5, 0, &e),
	    ERR_READONLY);
	check_code(manifest_sign(&b, &m, &key, &public_only, &hash, 5, 0, &e),
	    ERR_READONLY);
	check(b.len == 0);
	check_ok(manifest_sign(&b, &m, &key, &pair[0], &hash, 5, 0, &e), &e);
	check_ok(manifest_verify(&m, &key, &tree, 0, buf_view(&b), &e), &e);
	buf_deinit(&b);
}

/* Judge a proof of signing.json whose tree hash is known but not its
 * nodes: each signature alone, in the order of the proof. */
static void
check_by_hash(const struct manifest *m, const json_t *row)
{
	struct view sig = vec_hex_at(row, "signature");
	uint8_t msg[MANIFEST_SIGNABLE_MAX];
	struct manifest_part p[2];
	struct b32 key, hash;
	struct buf b;
	size_t n;

	check(sig.len == 1 + 2 * (1 + SIGN_LEN + 1) + 1);
	vec_b32_at(row, "key", &key);
	vec_b32_at(row, "treeHash", &hash);
	for (size_t i = 0; i < 2; i++) {
		struct view one = view_sub(sig, 1 + i * (SIGN_LEN + 2), 65);

		p[i] = (struct manifest_part){.signer = one.ptr[0]};
		memcpy(p[i].signature, one.ptr + 1, SIGN_LEN);
		n = manifest_signable(
		    msg, m, &key, one.ptr[0], &hash, vec_num(row, "length"), 0);
		check(sign_verify(view_sub(one, 1, SIGN_LEN), view_of(msg, n),
		    &m->signer[one.ptr[0]].pub));
	}
	buf_init(&b, MANIFEST_PROOF_MAX);
	manifest_assemble(&b, m, p, 2);
	check_same(buf_view(&b), sig);
	buf_deinit(&b);
}

static void
test_assembled_proofs(void **state)
{
	json_t *vectors = vec_load("signing"), *row, *block;
	json_t *link = vec_at(vectors, "multisigLink");
	static struct manifest db, blobs;
	struct node made[FLAT_ROOTS_MAX];
	struct err e = ERR_INIT;
	struct tree t;
	struct b32 key;
	size_t i, hashed = 0, whole = 0;

	(void)state;
	check_ok(
	    manifest_decode(&db, vec_hex_at(link, "encodedManifest"), &e), &e);
	manifest_key(&key, &db);
	check_same(view_b32(&key), vec_hex_at(link, "key"));
	check_ok(manifest_blobs(&blobs, &db, &key, &e), &e);
	tree_init(&t);
	json_array_foreach(
	    vec_at(vec_at(vectors, "source"), "dbBlocks"), i, block)
	{
		struct view v = vec_hex(json_string_value(block));
		struct b32 leaf;

		hash_leaf(&leaf, v);
		(void)tree_append(&t, v.len, &leaf, made);
	}
	json_array_foreach(vec_at(vectors, "proofs"), i, row)
	{
		struct b32 of, blobs_key;

		vec_b32_at(row, "key", &of);
		manifest_key(&blobs_key, &blobs);
		if (json_object_get(row, "fork") != NULL) {
			check(b32_eq(&of, &key) || b32_eq(&of, &blobs_key));
			check_by_hash(b32_eq(&of, &key) ? &db : &blobs, row);
			hashed++;
		}
		if (!b32_eq(&of, &key) || vec_num(row, "length") != t.length)
			continue;
		check_ok(manifest_verify(&db, &key, &t, 0,
			     vec_hex_at(row, "signature"), &e),
		    &e);
		check_code(manifest_verify(&db, &key, &t, 1,
			       vec_hex_at(row, "signature"), &e),
		    ERR_VERIFY);
		whole++;
	}
	check(hashed == 2 && whole == 2);
	json_decref(vectors);
}

static void
test_cores_of_a_store(void **state)
{
	json_t *keys = vec_load("keys"), *row, *m, *signer;
	static struct manifest made;
	struct b32 key, pub, disc;
	size_t i, single = 0;

	(void)state;
	json_array_foreach(vec_at(keys, "cores"), i, row)
	{
		vec_b32_at(row, "key", &key);
		hash_discovery_key(&disc, &key);
		check_same(view_b32(&disc), vec_hex_at(row, "discoveryKey"));
		m = json_object_get(row, "manifest");
		if (!json_is_object(m))
			continue; /* unknown */
		signer = json_array_get(vec_at(m, "signers"), 0);
		if (!view_eq(view_b32(&HASH_NS_DEFAULT),
			vec_hex_at(signer, "namespace")))
			continue; /* a blobs core */
		vec_b32_at(signer, "publicKey", &pub);
		manifest_single(&made, &pub);
		check(!manifest_compat(&made, &key));
		manifest_key(&disc, &made);
		check(b32_eq(&disc, &key));
		single++;
	}
	check(single >= 4);
	json_decref(keys);
}

static void
test_compat_drive(void **state)
{
	json_t *keys = vec_load("keys");
	json_t *row = vec_at(keys, "compatDrive");
	static struct manifest db, blobs;
	struct err e = ERR_INIT;
	struct b32 key;

	(void)state;
	vec_b32_at(row, "dbKey", &key);
	manifest_single(&db, &key);
	check(manifest_compat(&db, &key));
	check_code(manifest_blobs(&blobs, &db, &key, &e), ERR_UNSUPPORTED);
	json_decref(keys);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_quorum_in_every_version),
	    cmocka_unit_test(test_only_the_first_quorum),
	    cmocka_unit_test(test_quorum_zero),
	    cmocka_unit_test(test_patch_without_permission),
	    cmocka_unit_test(test_prologue),
	    cmocka_unit_test(test_signing_refused),
	    cmocka_unit_test(test_assembled_proofs),
	    cmocka_unit_test(test_cores_of_a_store),
	    cmocka_unit_test(test_compat_drive),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
