#include "multisig/peers.h"

enum err_code
peers_count(const struct peers *p, const struct peers_question *q,
    struct peers_answer *out, struct err *e)
{
	*out = (struct peers_answer){0, 0, 0, 0};
	return p == NULL ? ERR_OK : p->count(p->ctx, q, out, e);
}
