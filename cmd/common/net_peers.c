/* How many peers have a core: what a release asks before it moves. */
#include <stdlib.h>

#include "cli/stop.h"
#include "cmd/common/net.h"
#include "core/identity.h"

#define LOOK_MS 5000 /* between look-ups while too few are there */

/* One peer, however it is connected. */
struct seen {
	struct b32 who;
	uint64_t length, contiguous;
};

/* A seeder that serves this very store is no second copy. */
static enum err_code
know_own(struct common_net *n, struct err *e)
{
	struct secret primary = {NULL, 0};
	struct sign_pair pair;
	enum err_code rc;

	if (n->knows_own)
		return ERR_OK;
	rc = core_identity_get(&primary, n->store, e);
	secret_free(&primary);
	if (rc == ERR_OK && (rc = core_identity_derive(&pair, n->store,
				 view_str("hyperswarm"), e)) == ERR_OK) {
		n->own = pair.pub;
		sign_pair_free(&pair);
	} else if (rc == ERR_NOT_FOUND) {
		rc = ERR_OK; /* nobody serves it yet, under any name */
	}
	n->knows_own = rc == ERR_OK;
	return rc;
}

static void
note(struct seen *list, size_t *n, const struct seen *s)
{
	for (size_t i = 0; i < *n; i++) {
		if (!b32_eq(&list[i].who, &s->who))
			continue;
		if (s->length > list[i].length)
			list[i].length = s->length;
		if (s->contiguous > list[i].contiguous)
			list[i].contiguous = s->contiguous;
		return;
	}
	list[(*n)++] = *s;
}

static enum err_code
count_now(const struct common_net *n, struct replicate_core *c,
    const struct peers_question *q, struct peers_answer *out, struct err *e)
{
	struct replicate_status st;
	struct seen *list, s;
	uint64_t fork;
	size_t seen = 0;

	replicate_status(c, &st);
	if ((list = malloc((st.peers + 1) * sizeof(*list))) == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < st.peers && replicate_remote(c, i, &s.who,
					       &s.length, &s.contiguous, &fork);
	     i++)
		if (!b32_eq(&s.who, &n->own))
			note(list, &seen, &s);
	*out = (struct peers_answer){.peers = seen};
	for (size_t i = 0; i < seen; i++) {
		out->full += list[i].contiguous >= q->length;
		if (list[i].length > out->longest)
			out->longest = list[i].length;
	}
	/* who has not spoken yet is among those that count */
	if (seen > st.peers - st.told)
		out->told = seen - (st.peers - st.told);
	free(list);
	return ERR_OK;
}

static bool
is_answered(struct common_net *n, struct replicate_core *c,
    const struct peers_question *q, const struct peers_answer *a)
{
	switch (q->until) {
	case PEERS_ENOUGH:
		return a->peers >= q->want_peers && a->full >= q->want_full;
	case PEERS_KNOWN:
		return a->longest > q->length || peer_all_told(n->node, c);
	}
	return true;
}

/* Whoever has come since the last look-up is found by another one. */
static enum err_code
look_again(struct common_net *n, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; i < n->ntopics && rc == ERR_OK; i++)
		rc = peer_refresh(n->node, &n->topic[i], e);
	return rc;
}

static enum err_code
count(void *ctx, const struct peers_question *q, struct peers_answer *out,
    struct err *e)
{
	struct common_net *n = ctx;
	uint64_t now = peer_now(), until = now + q->timeout_ms * 1000;
	uint64_t again =
	    now + (q->timeout_ms < 2 * LOOK_MS ? q->timeout_ms * 500
					       : LOOK_MS * UINT64_C(1000));
	struct replicate_core *c;
	enum err_code rc;

	if ((rc = common_net_start(n, e)) != ERR_OK ||
	    (rc = know_own(n, e)) != ERR_OK ||
	    (rc = replicate_open(peer_replicate(n->node), &q->key, &c, e)) !=
		ERR_OK)
		return rc;
	for (;;) {
		if ((rc = count_now(n, c, q, out, e)) != ERR_OK ||
		    is_answered(n, c, q, out) || (now = peer_now()) >= until)
			break;
		if (now >= again) {
			again = now + LOOK_MS * UINT64_C(1000);
			if ((rc = look_again(n, e)) != ERR_OK)
				break;
		}
		rc = peer_turn(n->node, again < until ? again : until, e);
		if (rc != ERR_OK)
			break;
	}
	cli_status_clear(n->cli);
	return rc;
}

/* Longer, if anybody gives it in time. */
static enum err_code
update(void *ctx, const struct b32 *key, uint64_t length, uint64_t timeout_ms,
    struct err *e)
{
	struct common_net *n = ctx;
	uint64_t until = peer_now() + timeout_ms * 1000;
	struct replicate_status st;
	struct replicate_core *c;
	enum err_code rc;

	if ((rc = common_net_start(n, e)) != ERR_OK ||
	    (rc = replicate_open(peer_replicate(n->node), key, &c, e)) !=
		ERR_OK)
		return rc;
	replicate_reach(c, length);
	do
		replicate_status(c, &st);
	while (st.head.length < length && peer_now() < until &&
	       !(peer_all_told(n->node, c) && st.longest <= st.head.length) &&
	       (rc = peer_turn(n->node, until, e)) == ERR_OK);
	cli_status_clear(n->cli);
	return rc;
}

void
common_net_counts(struct common_net *n)
{
	n->peers = (struct peers){.count = count, .update = update, .ctx = n};
}
