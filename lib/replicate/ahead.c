/*
 * Looking ahead: blocks of frames that wait are hashed together, which is
 * faster than one by one. A leaf is kept with the place of the bytes it was
 * computed from and forgotten before these can change: it answers for nothing
 * else. Frames are judged later, one by one, as if nobody had looked.
 */
#include "crypto/hash_lanes.h"
#include "replicate/impl.h"

/* False: no room for more. */
static bool
note_blocks(struct replicate_peer *p, struct view frame)
{
	struct ahead *a = &p->r->ahead;
	struct mux_event ev;
	struct mux_scan scan;
	struct view block;

	mux_scan_init(&scan, frame);
	while (a->n < AHEAD_MAX && mux_scan_next(&scan, p->mux, &ev))
		if (ev.type == MESSAGE_DATA &&
		    answers_block(ev.user, ev.body, &block) && block.len > 0)
			a->block[a->n++] = block;
	return a->n < HASH_LANES_AHEAD;
}

size_t
ahead_look(struct replicate_peer *p, const struct view *frame, size_t n)
{
	struct ahead *a = &p->r->ahead;
	size_t seen = 0;

	a->n = a->next = 0;
	while (seen < n && note_blocks(p, frame[seen++]))
		;
	if (a->n < 2) /* later is as good */
		a->n = 0;
	hash_leaves(a->leaf, a->block, a->n);
	return seen;
}

const struct b32 *
ahead_leaf(struct replicate *r, struct view block)
{
	struct ahead *a = &r->ahead;

	if (block.len == 0)
		return NULL;
	for (size_t i = a->next; i < a->n; i++)
		if (a->block[i].ptr == block.ptr &&
		    a->block[i].len == block.len) {
			a->next = i + 1;
			return &a->leaf[i];
		}
	return NULL;
}

void
ahead_forget(struct replicate *r)
{
	r->ahead.n = r->ahead.next = 0;
}
