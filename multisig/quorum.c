#include "multisig/quorum.h"

#include <string.h>

static void
judge_one(struct quorum *q, struct quorum_verdict *v, const struct request *req,
    const struct response *res, size_t at)
{
	struct request_signable s;

	memset(v, 0, sizeof(*v));
	v->pub = res[at].pub;
	v->state = QUORUM_BAD;
	if (response_verify(&res[at], req, NULL, &v->e) != ERR_OK ||
	    request_signable(req, &res[at].pub, &s, &v->e) != ERR_OK)
		return;
	v->signer = s.signer;
	if (q->by_signer[s.signer] >= 0) {
		v->state = QUORUM_DUPLICATE;
		v->same = (size_t)q->by_signer[s.signer];
		return;
	}
	v->state = QUORUM_GOOD;
	q->by_signer[s.signer] = (long)at;
	q->have++;
}

void
quorum_judge(struct quorum *q, struct quorum_verdict *verdict,
    const struct request *req, const struct response *res, size_t n)
{
	q->need = req->manifest.quorum;
	q->have = 0;
	for (size_t i = 0; i < MANIFEST_SIGNERS_MAX; i++)
		q->by_signer[i] = -1;
	for (size_t i = 0; i < n; i++)
		judge_one(q, &verdict[i], req, res, i);
}

enum err_code
quorum_assemble(struct buf *out, const struct quorum *q,
    const struct request *req, const struct response *res, size_t which,
    struct err *e)
{
	struct manifest_part part[MANIFEST_SIGNERS_MAX];
	size_t n = 0;

	if (q->need == 0 || q->have < q->need)
		return err_set(e, ERR_VERIFY,
		    "Insufficient quorum: %llu / %llu",
		    (unsigned long long)q->have, (unsigned long long)q->need);
	memset(part, 0, sizeof(part));
	for (size_t i = 0; i < req->manifest.nsigners && n < q->need; i++) {
		if (q->by_signer[i] < 0)
			continue;
		part[n].signer = i;
		memcpy(part[n].signature, res[q->by_signer[i]].signature[which],
		    SIGN_LEN);
		n++;
	}
	manifest_assemble(out, &req->manifest, part, n);
	return buf_check(out, e);
}
