/*
 * manifest: who may sign a core, and how (data-formats 2.2 to 2.5, 2.7;
 * hypercore@11.37.1 lib/caps, messages, verifier, multisig). Pure.
 */
#ifndef CORE_MANIFEST_H
#define CORE_MANIFEST_H

#include "base/buf.h"
#include "crypto/sign.h"
#include "merkle/tree.h"

#define MANIFEST_SIGNERS_MAX 64 /* more is ERR_LIMIT */
#define MANIFEST_LINKED_MAX 64
#define MANIFEST_USER_DATA_MAX 4096
#define MANIFEST_ENCODED_MAX 16384
#define MANIFEST_PROOF_MAX 65536 /* bytes of an encoded multisig proof */

struct manifest_signer {
	struct b32 ns;
	struct b32 pub;
};

struct manifest {
	unsigned version; /* 0 to 3 */
	bool allow_patch;
	uint64_t quorum;
	size_t nsigners;
	struct manifest_signer signer[MANIFEST_SIGNERS_MAX];
	bool has_prologue;
	struct b32 prologue_hash;
	uint64_t prologue_length;
	bool has_linked; /* an empty list is encoded, and counts in the key */
	size_t nlinked;
	struct b32 linked[MANIFEST_LINKED_MAX];
	bool has_user_data; /* likewise */
	size_t user_data_len;
	uint8_t user_data[MANIFEST_USER_DATA_MAX];
};

/* Version 1, quorum 1, one signer in the default namespace: what corestore
 * makes for a key pair. */
void manifest_single(struct manifest *m, const struct b32 *pub);

void manifest_encode(struct buf *b, const struct manifest *m);
/* The whole view must be one manifest. */
NODISCARD enum err_code manifest_decode(
    struct manifest *m, struct view v, struct err *e);
struct dec;
/* One manifest at the cursor (requests, proofs); false: d failed. */
bool manifest_dec(struct dec *d, struct manifest *m);
/* The rules of 2.2 (quorum <= signers, linked only from version 2, ...). */
NODISCARD enum err_code manifest_check(const struct manifest *m, struct err *e);
/* Core key: H(MANIFEST || encoding). */
void manifest_key(struct b32 *out, const struct manifest *m);
/* One signer and the key is its public key. */
bool manifest_compat(const struct manifest *m, const struct b32 *key);
/* The manifest of a drive's blobs core (2.7). ERR_UNSUPPORTED for version 0
 * and compat cores. */
NODISCARD enum err_code manifest_blobs(struct manifest *out,
    const struct manifest *db, const struct b32 *db_key, struct err *e);

/* The message a signer signs (2.3): 112 bytes, 80 for compat. `signer`
 * matters for version 0 only. Returns its length. */
#define MANIFEST_SIGNABLE_MAX 112
size_t manifest_signable(uint8_t out[static MANIFEST_SIGNABLE_MAX],
    const struct manifest *m, const struct b32 *key, size_t signer,
    const struct b32 *tree_hash, uint64_t length, uint64_t fork);

/* Sign with a pair that is one of the signers, and encode the signature as
 * it is stored (2.4) for a core with one signer. ERR_READONLY if the pair is
 * no signer, ERR_UNSUPPORTED with several signers (see multisig). */
NODISCARD enum err_code manifest_sign(struct buf *out, const struct manifest *m,
    const struct b32 *key, const struct sign_pair *pair,
    const struct b32 *tree_hash, uint64_t length, uint64_t fork, struct err *e);

/* Is `signature` (stored form) valid for this head? (2.5). ERR_VERIFY with
 * the reason, ERR_FORMAT if it does not decode. */
NODISCARD enum err_code manifest_verify(const struct manifest *m,
    const struct b32 *key, const struct tree *tree, uint64_t fork,
    struct view signature, struct err *e);

/* Parts of an assembled multisig proof (2.4). */
struct manifest_part {
	uint64_t signer;
	uint8_t signature[SIGN_LEN];
	uint64_t patch; /* blocks beyond the length that were signed */
	const struct node *nodes; /* upgrade nodes of the patch, borrowed */
	size_t nnodes;
};
/* In the order given; nodes de-duplicated by index. */
void manifest_assemble(struct buf *out, const struct manifest *m,
    const struct manifest_part *parts, size_t n);

#endif
