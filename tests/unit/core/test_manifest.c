/* Manifests, signables, signatures and multisig proofs against crypto.json,
 * keys.json and signing.json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/manifest.h"
#include "crypto/hash.h"
#include "support/vectors.h"

/* A manifest from its JSON form in the vectors. */
static void
from_json(struct manifest *m, const json_t *j)
{
	json_t *signer, *linked, *prologue = json_object_get(j, "prologue");
	size_t i;

	memset(m, 0, sizeof(*m));
	m->version = (unsigned)vec_num(j, "version");
	m->allow_patch = json_is_true(json_object_get(j, "allowPatch"));
	m->quorum = vec_num(j, "quorum");
	json_array_foreach(vec_at(j, "signers"), i, signer)
	{
		vec_b32_at(signer, "namespace", &m->signer[i].ns);
		vec_b32_at(signer, "publicKey", &m->signer[i].pub);
		m->nsigners = i + 1;
	}
	if (json_is_object(prologue)) {
		m->has_prologue = true;
		vec_b32_at(prologue, "hash", &m->prologue_hash);
		m->prologue_length = vec_num(prologue, "length");
	}
	if (json_is_array(json_object_get(j, "linked")))
		json_array_foreach(json_object_get(j, "linked"), i, linked)
		{
			memcpy(m->linked[i].b,
			    vec_hex(json_string_value(linked)).ptr, 32);
			m->nlinked = i + 1;
			m->has_linked = true;
		}
	if (json_is_string(json_object_get(j, "userData"))) {
		struct view v = vec_hex_at(j, "userData");

		memcpy(m->user_data, v.ptr, v.len);
		m->user_data_len = v.len;
		m->has_user_data = true;
	}
}

static void
test_encode_and_key(void **state)
{
	static struct manifest m, back;
	struct err e = ERR_INIT;
	struct b32 key;
	struct buf b;
	json_t *row;
	size_t i;

	(void)state;
	buf_init(&b, MANIFEST_ENCODED_MAX);
	json_array_foreach(vec_at(vectors, "manifests"), i, row)
	{
		if (json_object_get(row, "manifest") == NULL)
			continue; /* refused: test_refused */
		from_json(&m, vec_at(row, "manifest"));
		buf_reset(&b);
		manifest_encode(&b, &m);
		check_same(buf_view(&b), vec_hex_at(row, "encoded"));
		manifest_key(&key, &m);
		check_same(view_b32(&key), vec_hex_at(row, "hash"));
		check_ok(manifest_decode(&back, buf_view(&b), &e), &e);
		check_ok(manifest_check(&back, &e), &e);
		manifest_key(&key, &back);
		check_same(view_b32(&key), vec_hex_at(row, "hash"));
		for (size_t cut = 0; cut < b.len; cut++)
			check_code(
			    manifest_decode(&back, view_of(b.data, cut), &e),
			    ERR_FORMAT);
	}
	buf_deinit(&b);
}

/* The tree of the first `length` of the vectors' blocks. */
static void
tree_of(struct tree *t, uint64_t length)
{
	struct node made[FLAT_ROOTS_MAX];
	struct b32 leaf;

	tree_init(t);
	for (size_t i = 0; i < length; i++) {
		struct view b = vec_hex(json_string_value(
		    json_array_get(vec_at(vectors, "blocks"), i)));

		hash_leaf(&leaf, b);
		(void)tree_append(t, b.len, &leaf, made);
	}
}

static bool
has_key(const struct manifest *m, const struct b32 *key)
{
	struct b32 got;

	manifest_key(&got, m);
	return b32_eq(&got, key);
}

/* The manifest that belongs to a vector row: one of the manifests, one of
 * them with patches allowed, in version 0, or the compat one. */
static void
manifest_of(struct manifest *m, const struct b32 *key)
{
	json_t *row;
	size_t i;

	json_array_foreach(vec_at(vectors, "manifests"), i, row)
	{
		if (json_object_get(row, "manifest") == NULL)
			continue;
		from_json(m, vec_at(row, "manifest"));
		if (has_key(m, key))
			return;
		m->allow_patch = true;
		if (has_key(m, key))
			return;
		m->allow_patch = false;
		m->version = 0;
		for (size_t k = 0; k < m->nsigners; k++)
			m->signer[k].ns = HASH_NS_DEFAULT;
		if (has_key(m, key))
			return;
	}
	manifest_single(m, key);
}

static void
test_signatures(void **state)
{
	static struct manifest m;
	struct err e = ERR_INIT;
	struct tree t;
	json_t *row;
	size_t i;

	(void)state;
	json_array_foreach(vec_at(vectors, "signatures"), i, row)
	{
		uint64_t length = vec_num(row, "length");
		uint64_t fork = vec_num(row, "fork");
		struct view sig = vec_hex_at(row, "signature");
		uint8_t msg[MANIFEST_SIGNABLE_MAX], bad[128];
		struct b32 key, hash;
		size_t n;

		vec_b32_at(row, "key", &key);
		manifest_of(&m, &key);
		tree_of(&t, length);
		tree_hash(&t, &hash);
		n = manifest_signable(msg, &m, &key, 0, &hash, length, fork);
		if (strstr(vec_str(row, "label"), "legacy") == NULL)
			check_same(
			    view_of(msg, n), vec_hex_at(row, "signable"));
		check_ok(manifest_verify(&m, &key, &t, fork, sig, &e), &e);
		check_code(manifest_verify(&m, &key, &t, fork + 1, sig, &e),
		    ERR_VERIFY);
		memcpy(bad, sig.ptr, sig.len);
		bad[sig.len / 2] ^= 1;
		check_code(manifest_verify(
			       &m, &key, &t, fork, view_of(bad, sig.len), &e),
		    ERR_VERIFY);
	}
}

/* Signing again gives the very bytes: Ed25519 is deterministic. */
static void
test_signing(void **state)
{
	static struct manifest m;
	struct err e = ERR_INIT;
	struct tree t;
	json_t *row, *pair;
	size_t i, k, made = 0;
	struct buf b;

	(void)state;
	buf_init(&b, MANIFEST_PROOF_MAX);
	json_array_foreach(vec_at(vectors, "signatures"), i, row)
	{
		struct b32 key, hash, seed;

		if (strstr(vec_str(row, "label"), "legacy") != NULL)
			continue;
		vec_b32_at(row, "key", &key);
		manifest_of(&m, &key);
		tree_of(&t, vec_num(row, "length"));
		tree_hash(&t, &hash);
		json_array_foreach(vec_at(vectors, "keyPairs"), k, pair)
		{
			struct sign_pair p;

			vec_b32_at(pair, "seed", &seed);
			check_ok(sign_pair_seed(&p, &seed, &e), &e);
			check_same(
			    view_b32(&p.pub), vec_hex_at(pair, "publicKey"));
			check_same(
			    secret_view(&p.sec), vec_hex_at(pair, "secretKey"));
			assert_true(sign_pair_valid(&p));
			buf_reset(&b);
			if (b32_eq(&p.pub, &m.signer[0].pub)) {
				check_ok(
				    manifest_sign(&b, &m, &key, &p, &hash,
					t.length, vec_num(row, "fork"), &e),
				    &e);
				check_same(
				    buf_view(&b), vec_hex_at(row, "signature"));
				made++;
			} else {
				check_code(manifest_sign(&b, &m, &key, &p,
					       &hash, t.length, 0, &e),
				    ERR_READONLY);
			}
			sign_pair_free(&p);
		}
	}
	assert_true(made >= 6);
	buf_deinit(&b);
}

static void
test_multisig_proofs(void **state)
{
	static struct manifest m;
	struct err e = ERR_INIT;
	struct tree t;
	json_t *row;
	size_t i, good = 0, bad = 0;

	(void)state;
	json_array_foreach(vec_at(vectors, "multisig"), i, row)
	{
		enum err_code rc;
		struct b32 key;

		if (json_object_get(row, "proof") == NULL)
			continue;
		vec_b32_at(row, "key", &key);
		manifest_of(&m, &key);
		assert_true(m.nsigners == 3);
		tree_of(&t, vec_num(row, "length"));
		rc = manifest_verify(
		    &m, &key, &t, 0, vec_hex_at(row, "proof"), &e);
		if (json_is_true(vec_at(row, "verifies"))) {
			check_ok(rc, &e);
			good++;
		} else {
			check_code(rc, ERR_VERIFY);
			bad++;
		}
	}
	assert_true(good >= 8 && bad >= 8);
}

/* Nodes of a patch that do not belong there are never believed. */
static void
test_patch_with_wrong_nodes(void **state)
{
	static struct manifest m;
	struct err e = ERR_INIT;
	struct tree t;
	json_t *row;
	size_t i, tried = 0;

	(void)state;
	json_array_foreach(vec_at(vectors, "multisig"), i, row)
	{
		struct view proof;
		struct b32 key;
		uint8_t *copy;

		if (strstr(vec_str(row, "note"), "patched") == NULL)
			continue;
		vec_b32_at(row, "key", &key);
		manifest_of(&m, &key);
		tree_of(&t, vec_num(row, "length"));
		proof = vec_hex_at(row, "proof");
		copy = malloc(proof.len);
		for (size_t at = 0; at < proof.len; at++) {
			memcpy(copy, proof.ptr, proof.len);
			copy[at] ^= 0x20;
			assert_true(
			    manifest_verify(&m, &key, &t, 0,
				view_of(copy, proof.len), &e) != ERR_OK);
			check_code(manifest_verify(
				       &m, &key, &t, 0, view_of(copy, at), &e),
			    at == 0 ? ERR_VERIFY : ERR_FORMAT);
			tried++;
		}
		free(copy);
	}
	assert_true(tried > 300);
}

static void
test_assemble(void **state)
{
	static struct manifest m;
	json_t *row, *part = NULL, *nd;
	struct manifest_part in[2];
	struct node nodes[16];
	size_t i, n = 0;
	struct b32 key;
	struct buf b;

	(void)state;
	json_array_foreach(vec_at(vectors, "multisig"), i,
	    row) if (strstr(vec_str(row, "note"), "partialSignature")) part =
	    row;
	json_array_foreach(vec_at(part, "nodes"), n, nd)
	{
		nodes[n].index = vec_num(nd, "index");
		nodes[n].size = vec_num(nd, "size");
		vec_b32_at(nd, "hash", &nodes[n].hash);
	}
	json_array_foreach(vec_at(vectors, "multisig"), i, row)
	{
		struct view want;

		if (strstr(vec_str(row, "note"), "signer 0 signed 13") == NULL)
			continue;
		vec_b32_at(row, "key", &key);
		manifest_of(&m, &key);
		want = vec_hex_at(row, "proof");
		in[0] = (struct manifest_part){.signer = want.ptr[1]};
		memcpy(in[0].signature, want.ptr + 2, SIGN_LEN);
		in[1] = (struct manifest_part){.signer = 0,
		    .patch = vec_num(part, "patch"),
		    .nodes = nodes,
		    .nnodes = n};
		memcpy(in[1].signature, vec_hex_at(part, "signature").ptr,
		    SIGN_LEN);
		buf_init(&b, MANIFEST_PROOF_MAX);
		manifest_assemble(&b, &m, in, 2);
		check_same(buf_view(&b), want);
		buf_deinit(&b);
	}
}

static void
test_blobs_manifests(void **state)
{
	static struct manifest db, blobs;
	json_t *keys = vec_load("keys"), *row;
	struct err e = ERR_INIT;
	struct b32 key, got;
	size_t i;

	(void)state;
	json_array_foreach(vec_at(keys, "contentManifests"), i, row)
	{
		from_json(&db, vec_at(row, "db"));
		vec_b32_at(row, "dbKey", &key);
		if (json_is_null(json_object_get(row, "blobs"))) {
			check_code(manifest_blobs(&blobs, &db, &key, &e),
			    ERR_UNSUPPORTED);
			continue;
		}
		check_ok(manifest_blobs(&blobs, &db, &key, &e), &e);
		manifest_key(&got, &blobs);
		check_same(view_b32(&got), vec_hex_at(row, "blobsKey"));
	}
	json_decref(keys);
}

static void
test_names(void **state)
{
	json_t *keys = vec_load("keys"), *row;
	struct err e = ERR_INIT;
	struct secret primary;
	static struct manifest m;
	size_t i;

	(void)state;
	check_ok(secret_copy(&primary, vec_hex_at(keys, "primaryKey"), &e), &e);
	json_array_foreach(vec_at(keys, "names"), i, row)
	{
		struct sign_pair p;
		struct b32 ns, key;

		vec_b32_at(row, "namespace", &ns);
		check_ok(sign_pair_derive(&p, &primary, &ns,
			     view_str(vec_str(row, "name")), &e),
		    &e);
		check_same(view_b32(&p.pub), vec_hex_at(row, "publicKey"));
		manifest_single(&m, &p.pub);
		manifest_key(&key, &m);
		check_same(view_b32(&key), vec_hex_at(row, "key"));
		hash_discovery_key(&ns, &key);
		check_same(view_b32(&ns), vec_hex_at(row, "discoveryKey"));
		sign_pair_free(&p);
	}
	secret_free(&primary);
	json_decref(keys);
}

/* Empty optional fields stay: they count in the key. */
static void
test_empty_fields_kept(void **state)
{
	static const char *const table[] = {
	    "0200000000", "020400000000", "020800000000", "020c0000000000"};
	static struct manifest m;
	struct err e = ERR_INIT;
	struct buf b;

	(void)state;
	buf_init(&b, MANIFEST_ENCODED_MAX);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		buf_reset(&b);
		check_ok(manifest_decode(&m, vec_hex(table[i]), &e), &e);
		manifest_encode(&b, &m);
		check_view_hex(buf_view(&b), table[i]);
	}
	buf_deinit(&b);
}

static void
test_refused(void **state)
{
	static struct manifest m;
	struct err e = ERR_INIT;
	struct b32 pub = {{1}};

	(void)state;
	manifest_single(&m, &pub);
	m.quorum = 2;
	check_code(manifest_check(&m, &e), ERR_INVALID);
	m.quorum = 1;
	m.has_user_data = true;
	check_code(manifest_check(&m, &e), ERR_INVALID);
	m.version = 2;
	check_ok(manifest_check(&m, &e), &e);
	check_code(manifest_decode(&m, vec_hex("04000001"), &e), ERR_FORMAT);
	check_code(manifest_decode(&m, vec_hex("0100000141"), &e), ERR_FORMAT);
	check_code(manifest_decode(&m, vec_hex("0100010100"), &e), ERR_FORMAT);
	check_code(manifest_decode(&m, vec_hex("000003"), &e), ERR_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_encode_and_key),
	    cmocka_unit_test(test_signatures),
	    cmocka_unit_test(test_signing),
	    cmocka_unit_test(test_multisig_proofs),
	    cmocka_unit_test(test_patch_with_wrong_nodes),
	    cmocka_unit_test(test_assemble),
	    cmocka_unit_test(test_blobs_manifests),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_empty_fields_kept),
	    cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, vectors_setup, vectors_teardown);
}
