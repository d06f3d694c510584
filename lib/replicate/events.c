/* Events wait until the owner takes them; equal ones are merged. */
#include <stdio.h>
#include <string.h>

#include "base/arr.h"
#include "replicate/impl.h"

/* How far back one looks for an event to merge with. */
#define MERGE_WINDOW 64

static struct replicate_event *
waiting(struct replicate *r, const struct replicate_core *c,
    const struct replicate_peer *p, enum replicate_kind kind)
{
	struct replicate_event *ev;
	size_t n = r->nevents;

	for (size_t i = 0; i < MERGE_WINDOW && n > r->event_at; i++) {
		ev = &r->event[--n];
		if (ev->core != c || ev->peer != p)
			continue;
		/* opened and closed keep their order */
		if (ev->kind == kind)
			return ev;
		if (ev->kind == REPLICATE_OPENED ||
		    ev->kind == REPLICATE_CLOSED)
			break;
	}
	return NULL;
}

void
events_add(struct replicate_core *c, struct replicate_peer *p,
    enum replicate_kind kind, uint64_t blocks, uint64_t bytes, const char *text)
{
	struct replicate *r = c->r;
	struct replicate_event *ev = waiting(r, c, p, kind);

	/* one trouble is not the other */
	if (ev != NULL &&
	    (kind != REPLICATE_TROUBLE || text == NULL ||
		strncmp(ev->text, text, sizeof(ev->text) - 1) == 0)) {
		ev->blocks += blocks;
		ev->bytes += bytes;
		return;
	}
	if (!ARR_RESERVE(r->event, r->nevents + 1, r->events_cap)) {
		r->event_lost = true;
		return;
	}
	ev = &r->event[r->nevents++];
	*ev = (struct replicate_event){.kind = kind,
	    .core = c,
	    .peer = p,
	    .blocks = blocks,
	    .bytes = bytes};
	if (text != NULL)
		(void)snprintf(ev->text, sizeof(ev->text), "%s", text);
	c->nevents++;
}

void
events_forget_peer(struct replicate *r, const struct replicate_peer *p)
{
	for (size_t i = r->event_at; i < r->nevents; i++)
		if (r->event[i].peer == p)
			r->event[i].peer = NULL;
}

bool
replicate_next(struct replicate *r, struct replicate_event *out)
{
	if (r->event_at == r->nevents) {
		r->event_at = r->nevents = 0;
		return false;
	}
	*out = r->event[r->event_at++];
	out->core->nevents--;
	return true;
}
