/* Answers that do not prove what they say. */
#include <string.h>

#include "liar.h"

/* -- blocks --------------------------------------------------------------- */

enum {
	BYTE_WRONG,
	BYTE_LESS,
	BYTE_MORE,
	NO_BYTES,
	OTHER_BLOCK,
	HUGE_BLOCK,
	OTHER_INDEX,
	FAR_INDEX
};

static void
bend_block(struct liar *l, struct core_proof *p)
{
	static uint8_t big[CORE_BLOCK_MAX];
	struct buf *v = &l->value;

	if (!p->has_block)
		return;
	switch (l->lie->kind) {
	case BYTE_WRONG:
		v->data[v->len / 2] ^= 1;
		break;
	case BYTE_LESS:
		v->len--;
		break;
	case BYTE_MORE:
		buf_byte(v, 0);
		break;
	case NO_BYTES:
		buf_reset(v);
		break;
	case OTHER_BLOCK:
		buf_reset(v);
		buf_str(v, "the bytes of another block");
		break;
	case OTHER_INDEX:
		p->block_index ^= 1;
		break;
	case FAR_INDEX:
		p->block_index = UINT64_C(1) << 50;
		break;
	case HUGE_BLOCK:
		p->block = view_of(big, sizeof(big));
		return;
	}
	p->block = buf_view(v);
}

/* -- nodes ---------------------------------------------------------------- */

enum {
	HASH_FIRST,
	HASH_LAST,
	SIZE_MORE,
	SIZE_HUGE,
	NODE_LESS,
	NODE_MORE,
	NODES_SWAPPED,
	INDEX_OTHER,
	INDEX_HUGE,
	NODES_128
};

static void
bend_list(struct core_nodes *n, unsigned kind)
{
	struct node spare;

	if (n->n == 0 || n->n + 1 >= CORE_PROOF_NODES_MAX)
		return;
	switch (kind) {
	case HASH_FIRST:
		n->node[0].hash.b[0] ^= 1;
		break;
	case HASH_LAST:
		n->node[n->n - 1].hash.b[31] ^= 0x80;
		break;
	case SIZE_MORE:
		n->node[0].size++;
		break;
	case SIZE_HUGE:
		n->node[0].size = DEC_UINT_MAX;
		break;
	case NODE_LESS:
		n->n--;
		break;
	case NODE_MORE:
		n->node[n->n] = n->node[n->n - 1];
		n->node[n->n++].index += 2;
		break;
	case NODES_SWAPPED:
		spare = n->node[0];
		n->node[0] = n->node[n->n - 1];
		n->node[n->n - 1] = spare;
		n->node[0].hash.b[1] ^= n->n == 1;
		break;
	case INDEX_OTHER:
		n->node[0].index += 4;
		break;
	case INDEX_HUGE:
		n->node[0].index = DEC_UINT_MAX;
		break;
	case NODES_128:
		while (n->n < CORE_PROOF_NODES_MAX) {
			n->node[n->n] = n->node[0];
			n->n++;
		}
		break;
	}
}

static void
bend_path(struct liar *l, struct core_proof *p)
{
	if (p->has_block && !p->has_upgrade)
		bend_list(&p->block_nodes, l->lie->kind);
}

static void
bend_upgrade(struct liar *l, struct core_proof *p)
{
	if (p->has_upgrade)
		bend_list(&p->upgrade_nodes, l->lie->kind);
}

/* -- heads ---------------------------------------------------------------- */

enum {
	SIGNATURE_BIT,
	SIGNATURE_NONE,
	SIGNATURE_SHORT,
	SIGNATURE_LONG,
	LONGER,
	SHORTER,
	LATER,
	FORK_MORE,
	FORK_HUGE,
	MORE_NODES,
	MANIFEST_OTHER,
	MANIFEST_EMPTY,
	WITHOUT_UPGRADE
};

static void
bend_signature(struct core_proof *p, unsigned kind)
{
	static uint8_t copy[2 * MANIFEST_PROOF_MAX];
	size_t n = p->signature.len;

	memset(copy, 0, sizeof(copy));
	memcpy(copy, p->signature.ptr, n);
	if (kind == SIGNATURE_BIT)
		copy[n / 2] ^= 1;
	else if (kind == SIGNATURE_SHORT)
		n--;
	else if (kind == SIGNATURE_LONG)
		n = sizeof(copy);
	else
		n = 0;
	p->signature = view_of(copy, n);
}

static void
bend_manifest(struct liar *l, struct core_proof *p)
{
	static struct manifest other;

	if (p->manifest == NULL)
		return;
	if (l->lie->kind == MANIFEST_EMPTY) {
		other = *p->manifest;
		other.nsigners = 0;
	} else {
		manifest_single(&other, &l->dkey);
	}
	p->manifest = &other;
}

static void
bend_head(struct liar *l, struct core_proof *p)
{
	if (!p->has_upgrade)
		return;
	switch (l->lie->kind) {
	case SIGNATURE_BIT:
	case SIGNATURE_NONE:
	case SIGNATURE_SHORT:
	case SIGNATURE_LONG:
		bend_signature(p, l->lie->kind);
		break;
	case LONGER:
		p->upgrade_length++;
		break;
	case SHORTER:
		p->upgrade_length /= 2;
		break;
	case LATER:
		p->upgrade_start++;
		break;
	case FORK_MORE:
		p->fork++;
		break;
	case FORK_HUGE:
		p->fork = DEC_UINT_MAX;
		break;
	case MORE_NODES:
		p->additional_nodes = p->upgrade_nodes;
		break;
	case MANIFEST_OTHER:
	case MANIFEST_EMPTY:
		bend_manifest(l, p);
		break;
	case WITHOUT_UPGRADE:
		p->has_upgrade = false;
		break;
	}
}

#define BENT(text, what, why, how, i) \
	{ \
		.name = text, .victim = TO_READER, .end = what, .reason = why, \
		.bend = how, .kind = i \
	}
#define BLOCK(i, text) BENT("block: " text, LIE_BLAMED, "", bend_block, i)
#define PATH(i, text) BENT("path: " text, LIE_BLAMED, "", bend_path, i)
#define ROOTS(i, text) BENT("roots: " text, LIE_BLAMED, "", bend_upgrade, i)
#define HEAD(i, text) BENT("head: " text, LIE_BLAMED, "", bend_head, i)

const struct lie lies_proof[] = {
    BLOCK(BYTE_WRONG, "a bit is wrong"),
    BLOCK(BYTE_LESS, "a byte is missing"),
    BLOCK(BYTE_MORE, "a byte too many"),
    BLOCK(NO_BYTES, "no bytes"),
    BLOCK(OTHER_BLOCK, "other bytes"),
    BLOCK(HUGE_BLOCK, "15 MiB"),
    BLOCK(OTHER_INDEX, "another index"),
    BLOCK(FAR_INDEX, "index 2^50"),
    PATH(HASH_FIRST, "first hash"),
    PATH(HASH_LAST, "last hash"),
    PATH(SIZE_MORE, "size"),
    PATH(SIZE_HUGE, "size 2^53"),
    PATH(NODE_LESS, "a node is missing"),
    PATH(NODE_MORE, "a node too many"),
    PATH(NODES_SWAPPED, "nodes swapped"),
    PATH(INDEX_OTHER, "index"),
    PATH(INDEX_HUGE, "index 2^53"),
    PATH(NODES_128, "128 nodes"),
    ROOTS(HASH_FIRST, "first hash"),
    ROOTS(HASH_LAST, "last hash"),
    ROOTS(SIZE_MORE, "size"),
    ROOTS(SIZE_HUGE, "size 2^53"),
    ROOTS(NODE_LESS, "a node is missing"),
    ROOTS(NODE_MORE, "a node too many"),
    ROOTS(NODES_SWAPPED, "nodes swapped"),
    ROOTS(INDEX_OTHER, "index"),
    ROOTS(NODES_128, "128 nodes"),
    HEAD(SIGNATURE_BIT, "a bit of the signature"),
    HEAD(SIGNATURE_NONE, "no signature"),
    HEAD(SIGNATURE_SHORT, "short signature"),
    BENT("head: signature of 128 KiB", LIE_DROPPED, "data", bend_head,
	SIGNATURE_LONG),
    HEAD(LONGER, "a block longer"),
    HEAD(SHORTER, "half as long"),
    BENT("head: from block 1", LIE_ANY, NULL, bend_head, LATER),
    BENT("head: next fork", LIE_ANY, NULL, bend_head, FORK_MORE),
    BENT("head: fork 2^53", LIE_ANY, NULL, bend_head, FORK_HUGE),
    HEAD(MORE_NODES, "roots twice"),
    HEAD(MANIFEST_OTHER, "another's manifest"),
    HEAD(MANIFEST_EMPTY, "manifest without signers"),
    BENT("head: none, though asked for", LIE_ANY, NULL, bend_head,
	WITHOUT_UPGRADE),
    {.name = NULL},
};
