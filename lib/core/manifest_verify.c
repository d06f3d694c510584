/* Signing and verifying heads: data-formats 2.3 to 2.5. */
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "codec/dec.h"
#include "codec/enc.h"
#include "core/manifest.h"
#include "crypto/hash.h"

#define PROOF_PARTS_MAX (2 * MANIFEST_SIGNERS_MAX)
#define PROOF_NODES_MAX 1024

static void
put_le64(uint8_t *p, uint64_t n)
{
	for (size_t i = 0; i < 8; i++)
		p[i] = (uint8_t)(n >> (8 * i));
}

/* Does a signature stand alone, as 64 bytes? */
static bool
is_plain(const struct manifest *m, const struct b32 *key)
{
	return manifest_compat(m, key) ||
	       (m->version == 0 && m->nsigners == 1 && !m->allow_patch);
}

size_t
manifest_signable(uint8_t out[static MANIFEST_SIGNABLE_MAX],
    const struct manifest *m, const struct b32 *key, size_t signer,
    const struct b32 *tree_hash, uint64_t length, uint64_t fork)
{
	size_t n = 0;

	memcpy(out, HASH_NS_TREE.b, 32);
	n += 32;
	if (!manifest_compat(m, key)) {
		memcpy(out + n,
		    m->version == 0 ? m->signer[signer].ns.b : key->b, 32);
		n += 32;
	}
	memcpy(out + n, tree_hash->b, 32);
	put_le64(out + n + 32, length);
	put_le64(out + n + 40, fork);
	return n + 48;
}

enum err_code
manifest_sign(struct buf *out, const struct manifest *m, const struct b32 *key,
    const struct sign_pair *pair, const struct b32 *tree_hash, uint64_t length,
    uint64_t fork, struct err *e)
{
	uint8_t msg[MANIFEST_SIGNABLE_MAX];
	struct manifest_part part = {.signer = 0};
	size_t n;

	if (m->nsigners != 1)
		return err_set(e, ERR_UNSUPPORTED,
		    "a core with %zu signers needs their quorum", m->nsigners);
	if (pair->sec.ptr == NULL || !b32_eq(&m->signer[0].pub, &pair->pub))
		return err_set(
		    e, ERR_READONLY, "Public key is not a declared signer");
	n = manifest_signable(msg, m, key, 0, tree_hash, length, fork);
	sign_make(part.signature, view_of(msg, n), pair);
	if (is_plain(m, key))
		buf_append(out, view_of(part.signature, SIGN_LEN));
	else
		manifest_assemble(out, m, &part, 1);
	return buf_check(out, e);
}

/* The nodes of an assembled proof, each index once. */
struct node_list {
	const struct node **node;
	size_t n, cap;
};

/* Position of an equal (version 0) or same-index (version 1) node, added if
 * it is new. */
static size_t
add_node(struct node_list *l, const struct node *nd, unsigned version)
{
	for (size_t i = 0; i < l->n; i++)
		if (version == 0 ? node_eq(l->node[i], nd)
				 : l->node[i]->index == nd->index)
			return i;
	bug_if(l->n == l->cap);
	l->node[l->n] = nd;
	return l->n++;
}

static void
encode_part_v0(
    struct buf *b, struct node_list *l, const struct manifest_part *p)
{
	enc_uint(b, p->patch > 0);
	enc_uint(b, p->signer);
	enc_fixed(b, view_of(p->signature, SIGN_LEN));
	if (p->patch == 0)
		return;
	enc_uint(
	    b, p->nnodes == 0
		   ? 0
		   : flat_right_span(p->nodes[p->nnodes - 1].index) / 2 + 1);
	enc_uint(b, p->patch);
	enc_uint(b, p->nnodes);
	for (size_t i = 0; i < p->nnodes; i++)
		enc_uint(b, add_node(l, &p->nodes[i], 0));
}

static void
encode_part_v1(
    struct buf *b, struct node_list *l, const struct manifest_part *p)
{
	for (size_t i = 0; i < p->nnodes; i++)
		(void)add_node(l, &p->nodes[i], 1);
	enc_uint(b, p->signer);
	enc_fixed(b, view_of(p->signature, SIGN_LEN));
	enc_uint(b, p->patch);
}

void
manifest_assemble(struct buf *out, const struct manifest *m,
    const struct manifest_part *parts, size_t n)
{
	struct node_list l = {NULL, 0, 0};

	for (size_t i = 0; i < n; i++)
		l.cap += parts[i].nnodes;
	if (l.cap > 0 &&
	    (l.node = calloc(l.cap, sizeof(struct node *))) == NULL) {
		out->failed = ERR_NOMEM;
		return;
	}
	enc_uint(out, n);
	for (size_t i = 0; i < n; i++)
		if (m->version == 0)
			encode_part_v0(out, &l, &parts[i]);
		else
			encode_part_v1(out, &l, &parts[i]);
	enc_uint(out, l.n);
	for (size_t i = 0; i < l.n; i++) {
		enc_uint(out, l.node[i]->index);
		enc_uint(out, l.node[i]->size);
		enc_b32(out, &l.node[i]->hash);
	}
	free(l.node);
}

/* A decoded proof; signatures are borrowed. */
struct proof {
	size_t nparts, nnodes;
	struct {
		uint64_t signer, patch;
		struct view signature;
	} part[PROOF_PARTS_MAX];
	struct node node[PROOF_NODES_MAX];
};

static void
decode_part(struct dec *d, struct proof *p, size_t i, unsigned version)
{
	uint64_t flags = version == 0 ? dec_uint(d) : 0;
	size_t refs;

	p->part[i].patch = 0;
	p->part[i].signer = dec_uint(d);
	p->part[i].signature = dec_fixed(d, SIGN_LEN);
	if (version > 0) {
		p->part[i].patch = dec_uint(d);
	} else if (flags & 1) {
		(void)dec_uint(d); /* start */
		p->part[i].patch = dec_uint(d);
		refs = dec_count(d, PROOF_NODES_MAX);
		for (size_t k = 0; k < refs; k++)
			(void)dec_uint(d);
	}
}

/* Bytes behind the proof are ignored, as the reference does. */
static enum err_code
decode_proof(struct proof *p, struct view v, unsigned version, struct err *e)
{
	struct dec d;

	dec_init(&d, v);
	p->nparts = dec_count(&d, PROOF_PARTS_MAX);
	for (size_t i = 0; i < p->nparts; i++)
		decode_part(&d, p, i, version);
	p->nnodes = dec_count(&d, PROOF_NODES_MAX);
	for (size_t i = 0; i < p->nnodes; i++) {
		p->node[i].index = dec_uint(&d);
		p->node[i].size = dec_uint(&d);
		dec_b32(&d, &p->node[i].hash);
	}
	return dec_ok(&d) ? ERR_OK : dec_error(&d, "multisig proof", e);
}

/* The last node with this index wins, as in the reference's map. */
static const struct node *
find_node(const struct proof *p, uint64_t index)
{
	for (size_t i = p->nnodes; i > 0; i--)
		if (p->node[i - 1].index == index)
			return &p->node[i - 1];
	return NULL;
}

/* Fill the root `target` of the longer tree from the roots at the end of t
 * and nodes of the proof. *left = roots of t that are still unused. */
static bool
climb(const struct proof *p, const struct tree *t, uint64_t target,
    size_t *left, struct node *out)
{
	const struct node *other;
	struct node at = t->root[--*left];

	while (at.index != target) {
		uint64_t sibling = flat_sibling(at.index);

		if (sibling > at.index) {
			other = find_node(p, sibling);
			if (other == NULL)
				return false;
			node_parent(&at, &at, other);
		} else {
			if (*left == 0 || t->root[*left - 1].index != sibling)
				return false;
			node_parent(&at, &t->root[--*left], &at);
		}
	}
	*out = at;
	return true;
}

/* The tree `patch` blocks later, from the nodes of the proof (3.3). */
static bool
extend(struct tree *out, const struct tree *t, uint64_t patch,
    const struct proof *p)
{
	uint64_t index[FLAT_ROOTS_MAX], last = 2 * t->length - 2;
	struct node root[FLAT_ROOTS_MAX];
	size_t n, used = 0;

	if (patch > (UINT64_C(1) << 52) || t->length == 0 ||
	    t->length > (UINT64_C(1) << 52))
		return false;
	n = flat_roots(t->length + patch, index);
	for (size_t i = 0; i < n; i++) {
		const struct node *nd;
		size_t left = t->nroots;

		if (flat_right_span(index[i]) <= last) {
			root[i] = t->root[i];
			used = i + 1;
		} else if (flat_left_span(index[i]) <= last) {
			if (!climb(p, t, index[i], &left, &root[i]) ||
			    left != used)
				return false;
		} else {
			if ((nd = find_node(p, index[i])) == NULL)
				return false;
			root[i] = *nd;
		}
	}
	return tree_from_roots(out, t->length + patch, root, n, NULL) == ERR_OK;
}

struct head {
	const struct manifest *m;
	const struct b32 *key;
	const struct tree *tree;
	uint64_t fork;
};

static bool
signed_by(const struct head *h, const struct tree *t, size_t signer,
    struct view signature)
{
	uint8_t msg[MANIFEST_SIGNABLE_MAX];
	struct b32 hash;
	size_t n;

	tree_hash(t, &hash);
	n = manifest_signable(
	    msg, h->m, h->key, signer, &hash, t->length, h->fork);
	return sign_verify(
	    signature, view_of(msg, n), &h->m->signer[signer].pub);
}

static enum err_code
verify_part(const struct head *h, const struct proof *p, size_t i, bool *tried,
    struct err *e)
{
	const struct tree *t = h->tree;
	uint64_t signer = p->part[i].signer;
	struct tree longer;

	if (p->part[i].patch > 0 && h->m->allow_patch) {
		if (!extend(&longer, t, p->part[i].patch, p))
			return err_set(e, ERR_VERIFY,
			    "proof %zu: nodes of its patch do not fit", i);
		t = &longer;
	}
	if (signer >= h->m->nsigners || tried[signer])
		return err_set(e, ERR_VERIFY, "proof %zu: %s", i,
		    signer >= h->m->nsigners ? "no such signer"
					     : "signer counted twice");
	tried[signer] = true;
	if (!signed_by(h, t, (size_t)signer, p->part[i].signature))
		return err_set(
		    e, ERR_VERIFY, "proof %zu: signature does not hold", i);
	return ERR_OK;
}

/* Only the first quorum proofs are looked at. */
static enum err_code
verify_quorum(const struct head *h, struct view signature, struct err *e)
{
	bool tried[MANIFEST_SIGNERS_MAX] = {false};
	struct proof *p;
	enum err_code rc;

	if (h->m->quorum == 0 || signature.len == 0)
		return err_set(e, ERR_VERIFY, "nobody signed");
	if ((p = malloc(sizeof(*p))) == NULL)
		return err_nomem(e);
	rc = decode_proof(p, signature, h->m->version, e);
	if (rc == ERR_OK && p->nparts < h->m->quorum)
		rc =
		    err_set(e, ERR_VERIFY, "%zu signatures, the quorum is %llu",
			p->nparts, (unsigned long long)h->m->quorum);
	for (size_t i = 0; rc == ERR_OK && i < h->m->quorum; i++)
		rc = verify_part(h, p, i, tried, e);
	free(p);
	return rc;
}

/* Very old cores signed without the namespace; read only. */
static bool
legacy_signed(const struct head *h, struct view signature)
{
	uint8_t msg[48];
	struct b32 hash;

	tree_hash(h->tree, &hash);
	memcpy(msg, hash.b, 32);
	put_le64(msg + 32, h->tree->length);
	put_le64(msg + 40, h->fork);
	return sign_verify(
	    signature, view_of(msg, sizeof(msg)), &h->m->signer[0].pub);
}

enum err_code
manifest_verify(const struct manifest *m, const struct b32 *key,
    const struct tree *tree, uint64_t fork, struct view signature,
    struct err *e)
{
	const struct head h = {m, key, tree, fork};
	struct b32 hash;

	if (is_plain(m, key)) {
		if (signed_by(&h, tree, 0, signature) ||
		    (manifest_compat(m, key) && legacy_signed(&h, signature)))
			return ERR_OK;
		return err_set(e, ERR_VERIFY, "signature does not hold");
	}
	if (m->version > 0 && m->has_prologue &&
	    tree->length <= m->prologue_length) {
		tree_hash(tree, &hash);
		if (tree->length == m->prologue_length &&
		    b32_eq(&hash, &m->prologue_hash))
			return ERR_OK;
		return err_set(
		    e, ERR_VERIFY, "tree is not the manifest's prologue");
	}
	return verify_quorum(&h, signature, e);
}
