/* What is known of a core, here and elsewhere. */
#include "replicate/replicate.h"

#include <string.h>

#include "replicate/impl.h"

/* What open channels say of blocks [64 * w, 64 * w + 64) together. */
static uint64_t
somebody_has(struct replicate_core *c, uint64_t w)
{
	uint64_t bits = 0;

	for (struct session *s = c->sessions; s != NULL; s = s->core_next)
		if (s->open)
			bits |= remote_word(&s->has, w);
	return bits;
}

static uint64_t
available_in(struct replicate_core *c, uint64_t start, uint64_t end)
{
	uint64_t sum = 0, bits, stop;

	for (; start < end; start = stop) {
		stop = (start / 64 + 1) * 64;
		if (collect_look(c, start, NULL) != ERR_OK)
			continue;
		bits = somebody_has(c, start / 64) &
		       ~bitmap_word(&c->here, start / 64) &
		       (UINT64_MAX << (start % 64));
		if (stop > end)
			bits &= (UINT64_C(1) << (end % 64)) - 1;
		sum += (uint64_t)__builtin_popcountll(bits);
	}
	return sum;
}

static bool
somebody_has_all(const struct replicate_core *c, uint64_t end)
{
	for (struct session *s = c->sessions; s != NULL; s = s->core_next)
		if (s->open && s->has.contiguous >= end)
			return true;
	return false;
}

/* Blocks of the goals that are not here and that some peer has. */
static uint64_t
count_available(struct replicate_core *c)
{
	uint64_t sum = 0, end, length = goals_length(c);

	for (size_t i = 0; i < c->goals.n; i++) {
		end = goals_end(c, &c->goals.range[i]);
		if (somebody_has_all(c, end))
			sum += c->goals.range[i].left;
		else
			sum += available_in(c, c->goals.range[i].start,
			    end < length ? end : length);
	}
	return sum;
}

void
replicate_status(struct replicate_core *c, struct replicate_status *out)
{
	const struct core_head *h = core_head(c->core);
	struct session *s;

	*out = (struct replicate_status){.head = *h,
	    .wanted = c->goals.left + c->goals.nneeds,
	    .outstanding = c->outstanding,
	    .bytes_in = c->bytes_in,
	    .bytes_out = c->bytes_out,
	    .blocks_in = c->blocks_in,
	    .blocks_out = c->blocks_out,
	    .conflict = c->conflict};
	for (s = c->sessions; s != NULL; s = s->core_next) {
		if (!s->open)
			continue;
		out->peers++;
		out->told += s->synced;
		out->full += s->synced && s->length == h->length &&
			     remote_contiguous(&s->has) == h->length;
		if (s->length > out->longest)
			out->longest = s->length;
		if (s->fork > out->highest)
			out->highest = s->fork;
	}
	out->available = c->goals.left > 0 ? count_available(c) : 0;
}

uint32_t
replicate_pending(struct replicate_core *c)
{
	uint32_t n = 0;

	for (struct session *s = c->sessions; s != NULL; s = s->core_next)
		n += !s->synced;
	if (!c->local || c->conflict)
		return n;
	for (struct replicate_peer *p = c->r->peers; p != NULL; p = p->next)
		n += p->offer != NULL && p->offer->serial >= c->serial &&
		     session_find(c, p) == NULL;
	return n;
}

static bool
has_all(struct session *s)
{
	const struct core_head *h;

	if (s == NULL || !s->open)
		return false;
	h = core_head(s->core->core);
	return s->fork == h->fork && remote_contiguous(&s->has) >= h->length;
}

uint32_t
replicate_copies(struct replicate_core *c, struct replicate_core *also)
{
	uint32_t n = 0;

	if (also != NULL && core_head(also->core)->length == 0)
		also = NULL;
	for (struct session *s = c->sessions; s != NULL; s = s->core_next)
		n += has_all(s) &&
		     (also == NULL || has_all(session_find(also, s->peer)));
	return n;
}

bool
replicate_disk_full(const struct replicate *r)
{
	return r->full_pause != 0;
}

bool
replicate_remote(struct replicate_core *c, size_t i, struct b32 *peer,
    uint64_t *length, uint64_t *contiguous, uint64_t *fork)
{
	struct session *s;

	for (s = c->sessions; s != NULL; s = s->core_next)
		if (s->open && i-- == 0)
			break;
	if (s == NULL)
		return false;
	*peer = s->peer->o.key;
	*length = s->length;
	*contiguous = remote_contiguous(&s->has);
	*fork = s->fork;
	return true;
}
