/*
 * request: what signers are asked to sign (data-formats 8.1, 8.2;
 * hypercore-signing-request@5.2.0). Pure. A request names a target by its
 * manifest, and for it a length and a tree hash; for a drive those of both
 * cores. It does not name the source. Text form: z-base-32 of the bytes.
 */
#ifndef MULTISIG_REQUEST_H
#define MULTISIG_REQUEST_H

#include "core/manifest.h"

#define REQUEST_VERSION_MAX 3
#define REQUEST_LEGACY 2    /* what hypercore-sign 3.0.0 can read */
#define REQUEST_MAX 20480   /* bytes; more is ERR_LIMIT */
#define REQUEST_CORES_MAX 2 /* metadata, contents */

enum request_kind { REQUEST_CORE, REQUEST_DRIVE };

/* About 10 KB: keep one, not an array on the stack. */
struct request {
	unsigned version; /* 0 to 3; below 3 without type byte */
	enum request_kind kind;
	uint64_t fork; /* of both cores */
	uint64_t length;
	struct b32 tree_hash;
	uint64_t blobs_length; /* REQUEST_DRIVE: else 0 */
	struct b32 blobs_tree_hash;
	struct manifest manifest; /* of the target */
	/* Derived when decoded or sealed: */
	struct b32 key;	    /* of the target */
	bool has_blobs_key; /* a drive with a manifest of version >= 1 */
	struct b32 blobs_key;
	struct b32 hash; /* of all bytes: what a response answers */
};

/* Appends the bytes of version, lengths, hashes, manifest and kind, and
 * fills in the derived fields. ERR_INVALID for length 0 or a bad manifest,
 * ERR_UNSUPPORTED for a drive whose manifest is of version 0. */
NODISCARD enum err_code request_seal(
    struct request *r, struct buf *out, struct err *e);

/* The whole view must be one request. The texts of the reference:
 * ERR_VERSION "Unknown signing request version: n"; ERR_FORMAT "Expected an
 * encoded request", "Refusing to sign length = 0", "Unparsed padding left in
 * request, bailing", else what does not decode. Versions 0 to 2 are alike. */
NODISCARD enum err_code request_decode(
    struct request *out, struct view bytes, struct err *e);
/* A text without the blanks and line ends around it. */
struct view request_trim(struct view v);
/* From z-base-32 text (blanks around it are dropped). bytes (reset here) gets
 * the decoded bytes, may be NULL. Never takes a response for a request. */
NODISCARD enum err_code request_parse(
    struct request *out, struct view text, struct buf *bytes, struct err *e);

/* Messages that the signer `pub` signs, one for each core: [0] the core or
 * metadata core, [1] the contents core. ERR_INVALID "Public key is not a
 * declared signer for this request"; ERR_UNSUPPORTED "Drive is not
 * compatible, needs v1 manifest". */
struct request_signable {
	size_t signer; /* index in the manifest */
	size_t n;      /* 1 for a core, 2 for a drive */
	struct request_message {
		uint8_t bytes[MANIFEST_SIGNABLE_MAX];
		size_t len;
	} message[REQUEST_CORES_MAX];
};
NODISCARD enum err_code request_signable(const struct request *r,
    const struct b32 *pub, struct request_signable *out, struct err *e);

#endif
