/* Answering requests and wants, peer after peer, one block at a time. */
#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "base/bug.h"
#include "replicate/repair.h"

#define STEP_ANSWERS 256
#define RING_MAX (2 * QUEUE_MAX)

/* -- the queue ------------------------------------------------------------ */

static struct serve_entry *
at(struct serve_queue *q, size_t i)
{
	return &q->entry[(q->first + i) % q->cap];
}

/* Small ids are known exactly, others need a look. */
static bool
id_maybe(const struct serve_queue *q, uint64_t id)
{
	return id >= QUEUE_IDS || (q->ids[id / 64] >> (id % 64) & 1) != 0;
}

static void
id_set(struct serve_queue *q, uint64_t id, bool here)
{
	uint64_t bit = UINT64_C(1) << (id % 64);

	if (id >= QUEUE_IDS)
		return;
	if (here)
		q->ids[id / 64] |= bit;
	else
		q->ids[id / 64] &= ~bit;
}

static void
squeeze(struct serve_queue *q)
{
	size_t kept = 0;

	for (size_t i = 0; i < q->n; i++)
		if (!at(q, i)->dead)
			*at(q, kept++) = *at(q, i);
	q->n = kept;
}

static bool
make_room(struct serve_queue *q)
{
	size_t cap = q->cap == 0 ? 16 : 2 * q->cap;
	struct serve_entry *entry;

	if (q->n < q->cap)
		return true;
	squeeze(q);
	if (q->n < q->cap)
		return true;
	entry = calloc(cap, sizeof(*entry));
	if (entry == NULL)
		return false;
	for (size_t i = 0; i < q->n; i++)
		entry[i] = *at(q, i);
	free(q->entry);
	q->entry = entry;
	q->cap = cap;
	q->first = 0;
	return true;
}

static enum err_code
enqueue(struct session *s, const struct serve_entry *entry, bool urgent,
    struct err *e)
{
	struct serve_queue *q = &s->queue;

	if (q->live >= QUEUE_MAX)
		return err_set(e, ERR_LIMIT,
		    "a peer has more than %d requests open", QUEUE_MAX);
	if (!make_room(q))
		return err_nomem(e);
	if (urgent) {
		q->first = (q->first + q->cap - 1) % q->cap;
		*at(q, 0) = *entry;
	} else {
		*at(q, q->n) = *entry;
	}
	q->n++;
	q->live++;
	s->peer->queued++;
	return ERR_OK;
}

static bool
dequeue(struct session *s, struct serve_entry *out)
{
	struct serve_queue *q = &s->queue;

	while (q->n > 0) {
		*out = *at(q, 0);
		q->first = (q->first + 1) % q->cap;
		q->n--;
		if (out->dead)
			continue;
		q->live--;
		s->peer->queued--;
		if (!out->want)
			id_set(q, out->u.q.id, false);
		return true;
	}
	return false;
}

enum err_code
serve_request(struct session *s, const struct message_request *q, struct err *e)
{
	struct serve_entry entry = {.u.q = *q};
	enum err_code rc;

	/* the same id again takes the place of the first */
	serve_cancel(s, q->id);
	if (s->core->conflict)
		return ERR_OK;
	if ((rc = enqueue(s, &entry, q->priority > 0, e)) == ERR_OK)
		id_set(&s->queue, q->id, true);
	return rc;
}

void
serve_cancel(struct session *s, uint64_t id)
{
	struct serve_queue *q = &s->queue;
	struct serve_entry *x;

	for (size_t i = 0; i < s->nlate; i++)
		if (s->late[i].id == id) {
			memmove(&s->late[i], &s->late[i + 1],
			    (--s->nlate - i) * sizeof(*s->late));
			s->core->r->nlate--;
			break;
		}
	if (!id_maybe(q, id))
		return;
	for (size_t i = 0; i < q->n; i++) {
		x = at(q, i);
		if (x->dead || x->want || x->u.q.id != id)
			continue;
		x->dead = true;
		q->live--;
		s->peer->queued--;
	}
	id_set(q, id, false);
}

enum err_code
serve_want(struct session *s, const struct message_want *w, struct err *e)
{
	struct serve_entry entry = {.want = true, .u.w = *w};
	bool answer;
	enum err_code rc = wants_add(&s->wants, w, &answer, e);

	if (rc != ERR_OK || !answer)
		return rc;
	return enqueue(s, &entry, false, e);
}

void
serve_forget(struct session *s)
{
	s->peer->queued -= s->queue.live;
	s->core->r->nlate -= (uint32_t)s->nlate;
	free(s->queue.entry);
	free(s->late);
	s->queue = (struct serve_queue){0};
	s->late = NULL;
	s->nlate = s->late_cap = 0;
}

/* -- answers -------------------------------------------------------------- */

static void
spend(struct replicate_peer *p, size_t n)
{
	p->credit -= n < p->credit ? n : p->credit;
}

static void
send_no_data(struct session *s, uint64_t id, uint64_t reason)
{
	struct message_no_data m = {id, reason};

	message_put_no_data(session_begin(s, MESSAGE_NO_DATA, 16), &m);
	session_end(s);
}

static void
send_data(struct session *s, uint64_t id, const struct core_proof *p)
{
	size_t size = message_data_size(p);

	message_put_data(session_begin(s, MESSAGE_DATA, size), id, p);
	session_end(s);
	spend(s->peer, size);
	if (!p->has_block)
		return;
	if (s->up_blocks == 0) {
		s->up_next = s->core->r->uploads;
		s->core->r->uploads = s;
	}
	s->up_blocks++;
	s->up_bytes += p->block.len;
}

/* Not here, or of another fork; but a manifest that is asked for is sent. */
static void
not_available(struct session *s, const struct message_request *q)
{
	struct replicate_core *c = s->core;
	struct core_proof *p = &c->r->proof;
	struct core_request only = {.manifest = true};
	struct want w;

	if (q->part.manifest &&
	    core_proof_make(p, &c->r->value, c->core, &only, &w, NULL) ==
		ERR_OK &&
	    p->manifest != NULL)
		send_data(s, q->id, p);
	else
		send_no_data(s, q->id, MESSAGE_NOT_AVAILABLE);
}

/* Nonsense is answered slowly, and not for ever. */
static enum err_code
not_valid(struct session *s, uint64_t id, struct err *e)
{
	uint64_t wait;

	s->invalid++;
	if (s->invalid >= REPLICATE_INVALID_MAX) {
		s->peer->failed = ERR_LIMIT;
		return ERR_OK;
	}
	wait = s->invalid < 2	 ? 200000
	       : s->invalid < 5	 ? 500000
	       : s->invalid < 40 ? 1000000
				 : 5000000;
	if (!ARR_RESERVE(s->late, s->nlate + 1, s->late_cap))
		return err_nomem(e);
	s->late[s->nlate++] = (struct serve_late){id, s->core->r->now + wait};
	s->core->r->nlate++;
	return ERR_OK;
}

/* Reading our own store failed. Only the lack of memory is an end. */
static enum err_code
unreadable(struct session *s, enum err_code rc, struct err *e)
{
	struct err again = ERR_INIT;

	if (rc == ERR_NOMEM)
		return rc;
	if (rc == ERR_CHANGED) { /* others truncated: the next one is right */
		rc = core_refresh(s->core->core, e);
		return rc == ERR_OK ? collect_tell(s->core, e) : rc;
	}
	events_add(s->core, NULL, REPLICATE_TROUBLE, 0, 0, e->msg);
	*e = again;
	return ERR_OK;
}

static enum err_code
answer(struct session *s, const struct message_request *q, struct err *e)
{
	struct replicate_core *c = s->core;
	struct core_proof *p = &c->r->proof;
	struct want w = {.kind = WANT_BLOCK};
	enum err_code rc;

	if (q->fork != core_head(c->core)->fork ||
	    (q->part.has_block && !core_has(c->core, q->part.block_index))) {
		not_available(s, q);
		return ERR_OK;
	}
	rc = core_proof_make(p, &c->r->value, c->core, &q->part, &w, e);
	if (rc == ERR_OK) {
		p->fork = q->fork;
		send_data(s, q->id, p);
		return ERR_OK;
	}
	if (rc == ERR_INVALID) {
		e->code = ERR_OK;
		return not_valid(s, q->id, e);
	}
	if (rc == ERR_CORRUPT && w.kind == WANT_REPAIR)
		rc = repair_block(c, w.index, e);
	else if (rc != ERR_NEED_BLOCK && rc != ERR_LIMIT)
		rc = unreadable(s, rc, e);
	else
		rc = ERR_OK;
	if (rc != ERR_OK)
		return rc;
	e->code = ERR_OK;
	not_available(s, q);
	return ERR_OK;
}

/* The bits of [start, end), start a multiple of 32. */
static enum err_code
send_bits(struct session *s, uint64_t start, uint64_t end, struct err *e)
{
	struct message_bitfield m = {.start = start};
	struct buf *b = &s->core->r->value;
	uint8_t page[CORE_BITS_BLOCKS / 8];
	uint64_t at_page, from, to, some = 0;
	enum err_code rc;

	buf_reset(b);
	end = (end + 31) / 32 * 32;
	for (uint64_t i = start; i < end; i = at_page + to) {
		at_page = i / CORE_BITS_BLOCKS * CORE_BITS_BLOCKS;
		from = i - at_page;
		to = end - at_page < CORE_BITS_BLOCKS ? end - at_page
						      : CORE_BITS_BLOCKS;
		rc = core_bits(
		    s->core->core, at_page / CORE_BITS_BLOCKS, page, e);
		if (rc != ERR_OK)
			return unreadable(s, rc, e);
		for (uint64_t k = from / 8; k < to / 8; k++)
			some |= page[k];
		buf_append(b, view_of(page + from / 8, (to - from) / 8));
	}
	m.words = buf_view(b);
	if (some == 0 || buf_check(b, e) != ERR_OK)
		return some == 0 ? ERR_OK : e->code;
	message_put_bitfield(
	    session_begin(s, MESSAGE_BITFIELD, b->len + 32), &m);
	session_end(s);
	spend(s->peer, b->len);
	return ERR_OK;
}

static void
send_range(struct session *s, uint64_t start, uint64_t length)
{
	struct message_range m = {false, start, length};

	message_put_range(session_begin(s, MESSAGE_RANGE, 32), &m);
	session_end(s);
}

/* One block of [start, end), whichever is the first. */
static enum err_code
send_any(struct session *s, uint64_t start, uint64_t end, struct err *e)
{
	uint8_t page[CORE_BITS_BLOCKS / 8];
	uint64_t no = UINT64_MAX, k;
	enum err_code rc;

	for (uint64_t i = start; i < end && i < start + WANTS_SPAN; i++) {
		if (i / CORE_BITS_BLOCKS != no) {
			no = i / CORE_BITS_BLOCKS;
			rc = core_bits(s->core->core, no, page, e);
			if (rc != ERR_OK)
				return unreadable(s, rc, e);
		}
		k = i % CORE_BITS_BLOCKS;
		if ((page[k / 8] >> (k % 8) & 1) == 0)
			continue;
		send_range(s, i, 1);
		return ERR_OK;
	}
	return ERR_OK;
}

static enum err_code
describe(struct session *s, const struct message_want *w, struct err *e)
{
	const struct core_head *h = core_head(s->core->core);
	uint64_t start = w->start, end = w->start + w->length, stop;
	enum err_code rc = ERR_OK;

	if (end < h->contiguous || h->contiguous == h->length ||
	    (w->any && start < h->contiguous)) {
		send_range(s, 0, h->contiguous);
		return ERR_OK;
	}
	if (end > h->length)
		end = h->length;
	if (w->any)
		return send_any(s, start, end, e);
	for (start = start / 32 * 32; rc == ERR_OK && start < end;
	     start = stop) {
		stop = (start / WANTS_SPAN + 1) * WANTS_SPAN;
		if (stop > end)
			stop = end;
		rc = send_bits(s, start, stop, e);
	}
	return rc;
}

void
serve_history(struct session *s, uint64_t length)
{
	struct message_request q = {.fork = s->fork,
	    .part = {.has_upgrade = true, .upgrade_length = length}};
	struct core_proof *p = &s->core->r->proof;
	struct want w;

	if (length == 0 || core_proof_make(p, &s->core->r->value, s->core->core,
			       &q.part, &w, NULL) != ERR_OK)
		return;
	send_data(s, 0, p);
}

/* -- steps ---------------------------------------------------------------- */

static void
send_late(struct replicate *r)
{
	struct session *s;
	size_t n;

	for (struct replicate_peer *p = r->peers; p != NULL; p = p->next)
		for (s = p->sessions; s != NULL; s = s->peer_next) {
			for (n = 0; n < s->nlate && s->late[n].due <= r->now;
			     n++)
				send_no_data(
				    s, s->late[n].id, MESSAGE_NOT_VALID);
			if (n == 0)
				continue;
			r->nlate -= (uint32_t)n;
			s->nlate -= n;
			memmove(
			    s->late, s->late + n, s->nlate * sizeof(*s->late));
		}
}

uint64_t
serve_deadline(const struct replicate *r)
{
	uint64_t at_least = UINT64_MAX;
	struct session *s;

	if (r->nlate == 0)
		return UINT64_MAX;
	for (struct replicate_peer *p = r->peers; p != NULL; p = p->next)
		for (s = p->sessions; s != NULL; s = s->peer_next)
			if (s->nlate > 0 && s->late[0].due < at_least)
				at_least = s->late[0].due;
	return at_least;
}

/* Sessions of p that have something queued, in a ring. */
static void
gather_sessions(struct replicate_peer *p)
{
	struct session *last = NULL;

	p->serving = NULL;
	for (struct session *s = p->sessions; s != NULL; s = s->peer_next) {
		if (s->queue.live == 0)
			continue;
		s->serve_next = p->serving;
		if (last == NULL)
			last = s;
		p->serving = s;
	}
	if (last != NULL)
		last->serve_next = p->serving;
}

static struct replicate_peer *
gather(struct replicate *r)
{
	struct replicate_peer *list = NULL;

	for (struct replicate_peer *p = conn_busy(r); p != NULL;
	     p = p->busy_next) {
		if (p->queued == 0 || p->credit == 0 || p->failed != ERR_OK)
			continue;
		gather_sessions(p);
		p->serve_next = list;
		list = p;
	}
	return list;
}

/* One entry of the peer's next session. */
static enum err_code
serve_one(struct replicate_peer *p, struct err *e)
{
	struct serve_entry entry;
	struct session *s;

	do
		p->serving = p->serving->serve_next;
	while (p->serving->queue.live == 0);
	s = p->serving;
	replicate_warm(s->core);
	if (!dequeue(s, &entry))
		bug("a count of requests is wrong");
	if (entry.want)
		return describe(s, &entry.u.w, e);
	return answer(s, &entry.u.q, e);
}

static void
tell_uploads(struct replicate *r)
{
	struct session *s;

	while ((s = r->uploads) != NULL) {
		r->uploads = s->up_next;
		s->peer->stats.blocks_out += s->up_blocks;
		s->peer->stats.bytes_out += s->up_bytes;
		s->core->blocks_out += s->up_blocks;
		s->core->bytes_out += s->up_bytes;
		events_add(s->core, s->peer, REPLICATE_UPLOADED, s->up_blocks,
		    s->up_bytes, NULL);
		s->up_blocks = s->up_bytes = 0;
	}
}

enum err_code
serve_step(struct replicate *r, bool *more, struct err *e)
{
	struct replicate_peer *all = gather(r), **link, *p;
	enum err_code rc = ERR_OK;
	int n = 0;

	if (r->nlate > 0)
		send_late(r);
	while (all != NULL && rc == ERR_OK && n < STEP_ANSWERS) {
		for (link = &all; (p = *link) != NULL && rc == ERR_OK; n++) {
			rc = serve_one(p, e);
			if (p->queued > 0 && p->credit > 0 &&
			    p->failed == ERR_OK)
				link = &p->serve_next;
			else
				*link = p->serve_next;
		}
	}
	tell_uploads(r);
	if (all != NULL)
		*more = true;
	return rc;
}
