/*
 * Proofs: the input is a data message (network.md 6.1), possibly behind
 * changes that the fuzzer makes, judged against the trees of a core whose
 * blocks are "block i". The fuzzer has no key, so whatever it sends:
 * an upgrade that holds must give the one tree that was signed, and nodes
 * that hold must be the true ones.
 *
 *	byte 0: blocks the verifier has (mod 21)   rest: the message
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/dec.h"
#include "core/proof.h"
#include "crypto/hash.h"

#define LEN 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tree trees[LEN + 1];
static struct node nodes[2 * LEN];
static struct manifest manifest;
static struct b32 key;

static void
make_core(void)
{
	struct node made[FLAT_ROOTS_MAX];
	struct sign_pair pair;
	struct b32 seed, leaf;
	char text[64];
	size_t n;

	memset(seed.b, 9, sizeof(seed.b));
	if (sign_pair_seed(&pair, &seed, NULL) != ERR_OK)
		abort();
	manifest_single(&manifest, &pair.pub);
	manifest_key(&key, &manifest);
	sign_pair_free(&pair);
	tree_init(&trees[0]);
	for (unsigned i = 0; i < LEN; i++) {
		int len = snprintf(text, sizeof(text), "block %u%.*s", i,
		    (int)(i % 11), "...........");

		trees[i + 1] = trees[i];
		hash_leaf(&leaf, view_of(text, (size_t)len));
		n = tree_append(&trees[i + 1], (uint64_t)len, &leaf, made);
		while (n-- > 0)
			nodes[made[n].index] = made[n];
	}
}

static void
dec_nodes(struct dec *d, struct core_nodes *list)
{
	list->n = dec_count(d, CORE_PROOF_NODES_MAX);
	for (size_t i = 0; i < list->n; i++) {
		list->node[i].index = dec_uint(d);
		list->node[i].size = dec_uint(d);
		dec_b32(d, &list->node[i].hash);
	}
}

static void
dec_proof(struct dec *d, struct core_proof *p)
{
	uint64_t flags = dec_uint(d);

	memset(p, 0, sizeof(*p));
	(void)dec_uint(d);
	p->fork = dec_uint(d);
	p->has_block = (flags & 1) != 0;
	p->has_hash = (flags & 2) != 0;
	p->has_seek = (flags & 4) != 0;
	p->has_upgrade = (flags & 8) != 0;
	if (p->has_block) {
		p->block_index = dec_uint(d);
		p->block = dec_bytes(d, 1 << 20);
		dec_nodes(d, &p->block_nodes);
	}
	if (p->has_hash) {
		p->hash_index = dec_uint(d);
		dec_nodes(d, &p->hash_nodes);
	}
	if (p->has_seek) {
		p->seek_bytes = dec_uint(d);
		dec_nodes(d, &p->seek_nodes);
	}
	if (!p->has_upgrade)
		return;
	p->upgrade_start = dec_uint(d);
	p->upgrade_length = dec_uint(d);
	dec_nodes(d, &p->upgrade_nodes);
	dec_nodes(d, &p->additional_nodes);
	p->signature = dec_bytes(d, MANIFEST_PROOF_MAX);
}

static void
check_upgrade(const struct core_verified *v)
{
	struct b32 a, b;

	if (v->tree.length > LEN)
		abort();
	tree_hash(&v->tree, &a);
	tree_hash(&trees[v->tree.length], &b);
	if (!b32_eq(&a, &b) ||
	    v->tree.byte_length != trees[v->tree.length].byte_length)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct core_proof p;
	static struct core_verified v;
	struct core_trust t = {&key, &manifest, 0, NULL};
	struct dec d;

	if (manifest.nsigners == 0)
		make_core();
	dec_init(&d, view_of(data, size));
	t.tree = &trees[dec_u8(&d) % (LEN + 1)];
	dec_proof(&d, &p);
	if (!dec_ok(&d))
		return 0;
	if (core_proof_verify(&v, &p, &t, NULL) != ERR_OK ||
	    v.verdict == CORE_PROOF_STALE)
		return 0;
	if (v.n > CORE_VERIFIED_MAX || v.upgraded != p.has_upgrade)
		abort();
	if (v.upgraded)
		check_upgrade(&v);
	if (v.has_anchor && (v.anchor.index >= 2 * LEN ||
				!node_eq(&v.anchor, &nodes[v.anchor.index])))
		return 0;
	for (size_t i = 0; i < v.n; i++)
		if (v.node[i].index >= 2 * LEN ||
		    !node_eq(&v.node[i], &nodes[v.node[i].index]))
			abort();
	return 0;
}
