/*
 * Manifests and signatures from a stranger. The input is a manifest and,
 * behind it, a stored signature. What decodes must encode and decode to the
 * same again, under the same key; and nobody holds a secret key here, so a
 * signature may only be believed if the prologue vouches for the tree.
 */
#include <stdlib.h>
#include <string.h>

#include "codec/dec.h"
#include "core/manifest.h"
#include "crypto/hash.h"
#include "support/vec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
round_trip(const struct manifest *m)
{
	static struct manifest copy;
	struct err e = ERR_INIT;
	struct b32 key, again;
	struct buf a, b;

	buf_init(&a, MANIFEST_ENCODED_MAX);
	buf_init(&b, MANIFEST_ENCODED_MAX);
	manifest_encode(&a, m);
	check_ok(buf_check(&a, &e), &e); /* the maxima fit together */
	check_ok(manifest_decode(&copy, buf_view(&a), &e), &e);
	check(memcmp(&copy, m, sizeof(copy)) == 0);
	manifest_encode(&b, &copy);
	check_same(buf_view(&a), buf_view(&b));
	manifest_key(&key, m);
	manifest_key(&again, &copy);
	check(b32_eq(&key, &again));
	buf_deinit(&a);
	buf_deinit(&b);
}

static void
grow(struct tree *t, size_t blocks)
{
	struct node made[FLAT_ROOTS_MAX];
	struct b32 leaf;

	tree_init(t);
	hash_leaf(&leaf, view_str("block"));
	for (size_t i = 0; i < blocks; i++)
		(void)tree_append(t, 5, &leaf, made);
}

/* One byte chooses the length of the tree, 0 to 20. */
static void
judge(const struct manifest *m, struct dec *d)
{
	size_t blocks = dec_u8(d) % 21;
	struct view signature = dec_rest(d);
	struct err e = ERR_INIT;
	enum err_code rc;
	struct tree t;
	struct b32 key;

	grow(&t, blocks);
	manifest_key(&key, m);
	rc = manifest_verify(m, &key, &t, 0, signature, &e);
	check(rc == ERR_OK || rc == ERR_VERIFY || rc == ERR_FORMAT);
	check(rc != ERR_OK || (m->has_prologue && m->version > 0 &&
				  m->prologue_length == blocks));
}

/* The blobs manifest follows from any other, and names other keys. */
static void
derive(const struct manifest *m)
{
	static struct manifest blobs;
	struct err e = ERR_INIT;
	struct b32 key, of;
	enum err_code rc;

	manifest_key(&key, m);
	rc = manifest_blobs(&blobs, m, &key, &e);
	check(rc == ERR_OK || rc == ERR_UNSUPPORTED);
	if (rc != ERR_OK)
		return;
	check_ok(manifest_check(&blobs, &e), &e);
	manifest_key(&of, &blobs);
	check(m->nsigners == 0 || !b32_eq(&of, &key));
	round_trip(&blobs);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct manifest m;
	struct err e = ERR_INIT;
	struct dec d;

	dec_init(&d, view_of(data, size));
	if (!manifest_dec(&d, &m))
		return 0;
	round_trip(&m);
	if (manifest_check(&m, &e) != ERR_OK)
		return 0;
	derive(&m);
	if (dec_left(&d) > 0)
		judge(&m, &d);
	return 0;
}
