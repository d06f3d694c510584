/* How many peers have a core: what a release asks before it moves. */
#include <string.h>

#include "cli/stop.h"
#include "cmd/common/net.h"

static void
count_now(struct replicate_core *c, const struct peers_question *q,
    struct peers_answer *out)
{
	uint64_t length, contiguous, fork;
	struct b32 who;

	*out = (struct peers_answer){0, 0, 0};
	for (size_t i = 0;
	     replicate_remote(c, i, &who, &length, &contiguous, &fork); i++) {
		out->peers++;
		out->full += contiguous >= q->length;
		if (length > out->longest)
			out->longest = length;
	}
}

static enum err_code
count(void *ctx, const struct peers_question *q, struct peers_answer *out,
    struct err *e)
{
	struct common_net *n = ctx;
	uint64_t until = peer_now() + q->timeout_ms * 1000;
	struct replicate_core *c;
	enum err_code rc;

	if ((rc = common_net_start(n, e)) != ERR_OK)
		return rc;
	rc = replicate_open(peer_replicate(n->node), &q->key, &c, e);
	if (rc != ERR_OK)
		return rc;
	for (;;) {
		count_now(c, q, out);
		if ((out->peers >= q->want_peers &&
			out->full >= q->want_full) ||
		    peer_now() >= until)
			return ERR_OK;
		if ((rc = peer_turn(n->node, until, e)) != ERR_OK)
			return rc;
	}
}

static enum err_code
update(void *ctx, const struct b32 *key, uint64_t length, uint64_t timeout_ms,
    struct err *e)
{
	(void)timeout_ms;
	return common_net_core(ctx, key, length, COMMON_IF_THERE, e);
}

void
common_net_counts(struct common_net *n)
{
	n->peers = (struct peers){.count = count, .update = update, .ctx = n};
}
