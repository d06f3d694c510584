/* Events wait until the owner takes them; equal ones are merged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "replicate/impl.h"

/* How far back one looks for an event to merge with. */
#define MERGE_WINDOW 64
/* A longer list is not kept once it is empty. */
#define KEEP_MAX 1024
#define TEXT_MAX sizeof(((struct replicate_event *)NULL)->text)

static struct event *
waiting(struct replicate *r, const struct replicate_core *c,
    const struct replicate_peer *p, enum replicate_kind kind)
{
	struct event *ev;
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

/* One trouble is not the other. */
static bool
same_text(const struct event *ev, const char *text)
{
	return text == NULL ||
	       (ev->text != NULL && strncmp(ev->text, text, TEXT_MAX - 1) == 0);
}

void
events_add(struct replicate_core *c, struct replicate_peer *p,
    enum replicate_kind kind, uint64_t blocks, uint64_t bytes, const char *text)
{
	struct replicate *r = c->r;
	struct event *ev = waiting(r, c, p, kind);
	char *copy = NULL;

	if (ev != NULL && (kind != REPLICATE_TROUBLE || same_text(ev, text))) {
		ev->blocks += blocks;
		ev->bytes += bytes;
		return;
	}
	if ((text != NULL && (copy = strndup(text, TEXT_MAX - 1)) == NULL) ||
	    !ARR_RESERVE(r->event, r->nevents + 1, r->events_cap)) {
		free(copy);
		r->event_lost = true;
		return;
	}
	ev = &r->event[r->nevents++];
	*ev = (struct event){.kind = kind,
	    .core = c,
	    .peer = p,
	    .blocks = blocks,
	    .bytes = bytes,
	    .text = copy};
	c->nevents++;
}

void
events_forget_peer(struct replicate *r, const struct replicate_peer *p)
{
	for (size_t i = r->event_at; i < r->nevents; i++)
		if (r->event[i].peer == p)
			r->event[i].peer = NULL;
}

static void
empty(struct replicate *r)
{
	r->event_at = r->nevents = 0;
	if (r->events_cap <= KEEP_MAX)
		return;
	free(r->event);
	r->event = NULL;
	r->events_cap = 0;
}

void
events_free(struct replicate *r)
{
	for (size_t i = r->event_at; i < r->nevents; i++)
		free(r->event[i].text);
	free(r->event);
}

bool
replicate_next(struct replicate *r, struct replicate_event *out)
{
	struct event *ev;

	if (r->event_at == r->nevents) {
		empty(r);
		return false;
	}
	ev = &r->event[r->event_at++];
	ev->core->nevents--;
	*out = (struct replicate_event){.kind = ev->kind,
	    .core = ev->core,
	    .peer = ev->peer,
	    .blocks = ev->blocks,
	    .bytes = ev->bytes};
	if (ev->text != NULL)
		(void)snprintf(out->text, sizeof(out->text), "%s", ev->text);
	free(ev->text);
	return true;
}
