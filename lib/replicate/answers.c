/* What others answer to our requests. */
#include <stdio.h>

#include "replicate/impl.h"

static void
leave_alone(struct session *s)
{
	s->paused = true;
	asked_cancel_all(s);
	replicate_wake(s->core);
}

/* It has to show its history from the start: two histories of one length are
 * told from a mere lie by that. */
static void
ask_history(struct session *s)
{
	uint64_t length = core_head(s->core->core)->length;
	struct core_request part = {.has_upgrade = true};

	part.upgrade_length = s->length < length ? s->length : length;
	if (s->checking || part.upgrade_length == 0)
		return;
	s->checking = true;
	asked_send(s, 0, &part, 0);
}

void
answers_blame(struct session *s, const struct err *why)
{
	s->peer->stats.wasted++;
	events_add(s->core, s->peer, REPLICATE_BLAMED, 0, 0, why->msg);
	leave_alone(s);
	ask_history(s);
}

/* No answer of use. `reason` as in noData. */
static void
refused(struct session *s, uint16_t id, unsigned reason)
{
	struct request q = s->out.slot[id - 1];
	struct err why = ERR_INIT;
	bool told = false;

	switch (q.kind) {
	case REQUEST_BLOCK:
		/* it may have said so after we asked: no fault of its */
		told = !remote_has(&s->has, q.index);
		if (!told)
			remote_deny(&s->has, q.index);
		break;
	case REQUEST_UPGRADE:
		s->refused_length = s->length;
		break;
	case REQUEST_FORK:
	case REQUEST_HASH:
		s->failed_fork = s->fork;
		break;
	case REQUEST_FREE:
	case REQUEST_CANCELLED:
		break;
	}
	asked_over(s, id);
	if (told || ++s->refusals[reason] < REFUSALS_MAX)
		return;
	(void)!err_set(&why, ERR_PEERS,
	    "a peer has refused %u times what it should have",
	    s->refusals[reason]);
	events_add(s->core, s->peer, REPLICATE_BLAMED, 0, 0, why.msg);
	leave_alone(s);
}

enum err_code
answers_no_data(
    struct session *s, const struct message_no_data *m, struct err *e)
{
	struct request *q = requests_get(&s->out, m->id);

	(void)e;
	if (q == NULL)
		return ERR_OK;
	window_heard(s->peer);
	replicate_wake(s->core);
	if (q->kind == REQUEST_CANCELLED)
		requests_done(&s->out, (uint16_t)m->id);
	else
		refused(s, (uint16_t)m->id,
		    m->reason <= MESSAGE_NOT_VALID ? (unsigned)m->reason : 0);
	return ERR_OK;
}

/* Nothing but what was asked for. */
static bool
matches(const struct session *s, const struct request *q,
    const struct core_proof *p)
{
	if (p->fork != s->fork || p->has_seek)
		return false;
	switch (q->kind) {
	case REQUEST_BLOCK:
		return p->has_block && p->block_index == q->index &&
		       !p->has_hash && !p->has_upgrade;
	case REQUEST_UPGRADE:
		return p->has_upgrade && p->upgrade_start == q->index &&
		       !p->has_block && !p->has_hash;
	case REQUEST_FORK:
		return p->has_upgrade && p->upgrade_start == 0 &&
		       !p->has_block && !p->has_hash;
	case REQUEST_HASH:
		return p->has_hash && p->hash_index == q->index &&
		       !p->has_block && !p->has_upgrade;
	case REQUEST_FREE:
	case REQUEST_CANCELLED:
		break;
	}
	return false;
}

/* It is stored, or not; the request is over either way. */
static enum err_code
take(struct session *s, uint16_t id, const struct core_proof *p, struct err *e)
{
	struct replicate_core *c = s->core;
	struct replicate_peer_stats *st = &s->peer->stats;
	static const struct err none = ERR_INIT;
	enum core_outcome outcome = CORE_IGNORED;
	enum err_code rc = collect_proof(s, p, &outcome, e);

	if (rc == ERR_CONFLICT) { /* not of the fork that was asked for */
		*e = none;
		refused(s, id, 0);
		return ERR_OK;
	}
	asked_over(s, id);
	if (rc == ERR_VERIFY) {
		answers_blame(s, e);
		*e = none;
		return ERR_OK;
	}
	if (rc != ERR_OK)
		return collect_trouble(c, rc, e);
	if (c->grown && c->upgrades > 0)
		asked_cancel_upgrades(c);
	if (outcome == CORE_IGNORED) {
		st->wasted++;
	} else if (p->has_block) {
		st->blocks_in++;
		st->bytes_in += p->block.len;
	}
	return ERR_OK;
}

static enum err_code
asked_for(
    struct session *s, uint16_t id, const struct core_proof *p, struct err *e)
{
	const struct request *q = &s->out.slot[id - 1];
	enum request_kind kind = q->kind;

	window_answer(s->peer, s->core->r->now - q->sent, p->block.len);
	if (!matches(s, q, p)) {
		s->peer->stats.wasted++;
		refused(s, id, 0);
		return ERR_OK;
	}
	if (s->core->r->now < s->core->r->full_until) {
		asked_over(s, id);
		return ERR_OK;
	}
	if (kind == REQUEST_BLOCK || kind == REQUEST_UPGRADE)
		return take(s, id, p, e);
	asked_over(s, id);
	return kind == REQUEST_FORK ? forks_proof(s, p, e)
				    : forks_answer(s, p, e);
}

bool
answers_block(struct session *s, struct view body, struct view *block)
{
	struct replicate *r = s->core->r;
	const struct request *q;
	struct dec d;
	uint64_t id;

	dec_init(&d, body);
	if (!message_dec_data(&d, &id, &r->proof, &r->manifest))
		return false;
	q = requests_get(&s->out, id);
	*block = r->proof.block;
	return q != NULL && q->kind == REQUEST_BLOCK &&
	       matches(s, q, &r->proof);
}

enum err_code
answers_data(struct session *s, struct view body, struct err *e)
{
	struct replicate *r = s->core->r;
	struct request *q;
	struct dec d;
	uint64_t id;

	dec_init(&d, body);
	if (!message_dec_data(&d, &id, &r->proof, &r->manifest))
		return dec_error(&d, "data", e);
	if (id == 0 && r->proof.has_upgrade && r->proof.upgrade_start == 0)
		return forks_history(s, &r->proof, e);
	q = requests_get(&s->out, id);
	if (q != NULL) {
		window_heard(s->peer);
		replicate_wake(s->core); /* it may be asked for more */
	}
	if (q != NULL && q->kind != REQUEST_CANCELLED)
		return asked_for(s, (uint16_t)id, &r->proof, e);
	s->peer->stats.wasted++;
	if (q != NULL)
		requests_done(&s->out, (uint16_t)id);
	return ERR_OK;
}
