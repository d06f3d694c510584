/* What is heard of drives, and which of it is a reason to wake them. */
#include <stdlib.h>

#include "cmd/pear-seed/seed.h"

void
drives_visit_all(struct seeder *s)
{
	for (size_t i = 0; i < s->drives.n; i++)
		if (s->drives.item[i]->joined)
			drives_wake(s, s->drives.item[i]);
}

void
drives_met(struct seeder *s, const struct b32 *topic)
{
	struct drive *d = drives_topic(s, topic);

	if (d != NULL)
		drives_wake(s, d);
}

static void
count(struct drive *d, const struct replicate_event *ev)
{
	struct drive_traffic *t = d->traffic;

	if (ev->kind != REPLICATE_UPLOADED && ev->kind != REPLICATE_BLOCKS)
		return;
	/* without memory it is not counted */
	if (t == NULL && (t = d->traffic = calloc(1, sizeof(*t))) == NULL)
		return;
	if (ev->kind == REPLICATE_UPLOADED) {
		t->bytes_out += ev->bytes;
		t->blocks_out += ev->blocks;
	} else {
		t->bytes_in += ev->bytes;
		t->blocks_in += ev->blocks;
	}
}

/* Somebody who asks for a drive that sleeps: has he what is missing? */
static bool
worth_it(const struct drive *d, struct replicate_core *c)
{
	struct replicate_status st;

	if (d->writable)
		return false;
	replicate_status(c, &st);
	return st.peers > 0 && (drives_behind(c, &st) || !drives_whole(d));
}

static void
heard(struct seeder *s, struct drive *d, const struct replicate_event *ev)
{
	count(d, ev);
	switch (ev->kind) {
	case REPLICATE_HEAD:
	case REPLICATE_BLOCKS:
	case REPLICATE_DONE:
		if (d->db == NULL)
			break;
		drives_wake(s, d);
		drives_look(s, d);
		break;
	case REPLICATE_OPENED:
	case REPLICATE_REMOTE:
		if (d->db == NULL && worth_it(d, ev->core))
			drives_wake(s, d);
		break;
	case REPLICATE_TROUBLE: /* what is open is mended by itself */
		d->rotten = d->rotten || d->db == NULL;
		drives_wake(s, d);
		break;
	case REPLICATE_CLOSED:
	case REPLICATE_REJECTED:
	case REPLICATE_UPLOADED:
	case REPLICATE_BLAMED:
	case REPLICATE_CONFLICT:
		break;
	}
}

void
drives_core(struct seeder *s, const struct replicate_event *ev)
{
	struct b32 key = *core_key(replicate_core_handle(ev->core));
	struct drive *d = drives_find(s, &key);

	s->goal.look = true;
	if (d != NULL)
		heard(s, d, ev);
	d = drives_blobs(s, &key);
	for (; d != NULL; d = d->by_blobs)
		if (b32_eq(&d->blobs_key, &key) && !b32_eq(&d->key, &key))
			heard(s, d, ev);
}

/* -- wanting -------------------------------------------------------------- */

static bool
starved(struct replicate_core *c, bool may_be_empty)
{
	struct replicate_status st;

	if (c == NULL || core_writable(replicate_core_handle(c)))
		return false;
	replicate_status(c, &st);
	if (st.head.length == 0)
		return st.longest == 0 && !(may_be_empty && st.told > 0);
	return st.wanted > 0 && st.available == 0;
}

void
drives_want(struct seeder *s, struct drive *d)
{
	bool wanting = starved(d->db, false) || starved(d->blobs, true);
	struct err e = ERR_INIT;
	int flags = PEER_SERVER | PEER_CLIENT | (wanting ? PEER_WANTING : 0);

	if (!d->joined || d->db == NULL || wanting == d->wanting)
		return;
	/* without memory now: at the next sample */
	if (peer_join(s->node, &d->topic, flags, &e) == ERR_OK)
		d->wanting = wanting;
}
