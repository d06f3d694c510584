/*
 * quorum: judge a pile of responses (commands.md 9.6 rows 10, 11; 9.9.3).
 * Pure. Only distinct signers of the request's manifest whose signatures
 * over this request hold are counted.
 */
#ifndef MULTISIG_QUORUM_H
#define MULTISIG_QUORUM_H

#include "multisig/response.h"

#define QUORUM_RESPONSES_MAX 4096

enum quorum_state {
	QUORUM_GOOD,
	QUORUM_DUPLICATE, /* this signer answered already; counts once */
	QUORUM_BAD	  /* e says why: stranger, other request, wrong */
};

struct quorum_verdict {
	enum quorum_state state;
	struct b32 pub;
	size_t signer; /* GOOD, DUPLICATE: index in the manifest */
	size_t same;   /* DUPLICATE: the earlier response */
	struct err e;  /* BAD */
};

struct quorum {
	uint64_t need, have;
	/* by signer of the manifest: which response holds, -1 none */
	long by_signer[MANIFEST_SIGNERS_MAX];
};

/* verdict: n of them, the caller's. Never fails as such: a bad response is a
 * verdict. */
void quorum_judge(struct quorum *q, struct quorum_verdict *verdict,
    const struct request *req, const struct response *res, size_t n);

/* The stored signature of the request's core `which` (0 or 1): exactly
 * `need` good ones in manifest order (data-formats 2.4, 2.5). ERR_VERIFY
 * "Insufficient quorum: <have> / <need>". */
NODISCARD enum err_code quorum_assemble(struct buf *out, const struct quorum *q,
    const struct request *req, const struct response *res, size_t which,
    struct err *e);

#endif
