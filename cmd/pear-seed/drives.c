/* The set of drives, and who wants them. */
#include "cmd/pear-seed/drives.h"

#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "cmd/pear-seed/seed.h"
#include "crypto/hash.h"

/* -- tables --------------------------------------------------------------- */

/* Keys are hashes, or chosen by those who want them kept. */
static struct drive **
bucket(struct drive **table, const struct b32 *key)
{
	uint64_t x;

	memcpy(&x, key->b, sizeof(x));
	return &table[x & (DRIVES_BUCKETS - 1)];
}

struct drive *
drives_find(struct seeder *s, const struct b32 *key)
{
	struct drive *d = *bucket(s->drives.by_key, key);

	while (d != NULL && !b32_eq(&d->key, key))
		d = d->by_key;
	return d;
}

struct drive *
drives_topic(struct seeder *s, const struct b32 *topic)
{
	struct drive *d = *bucket(s->drives.by_topic, topic);

	while (d != NULL && !b32_eq(&d->topic, topic))
		d = d->by_topic;
	return d;
}

struct drive *
drives_blobs(struct seeder *s, const struct b32 *blobs_key)
{
	struct drive *d = *bucket(s->drives.by_blobs, blobs_key);

	while (d != NULL && !b32_eq(&d->blobs_key, blobs_key))
		d = d->by_blobs;
	return d;
}

void
drives_link_blobs(struct seeder *s, struct drive *d)
{
	struct drive **at = bucket(s->drives.by_blobs, &d->blobs_key);

	d->by_blobs = *at;
	*at = d;
}

static void
link_in(struct drives *all, struct drive *d)
{
	struct drive **key = bucket(all->by_key, &d->key);
	struct drive **topic = bucket(all->by_topic, &d->topic);

	d->by_key = *key;
	*key = d;
	d->by_topic = *topic;
	*topic = d;
}

static void
link_out(struct drives *all, struct drive *d)
{
	struct drive **at = bucket(all->by_key, &d->key);

	while (*at != d)
		at = &(*at)->by_key;
	*at = d->by_key;
	at = bucket(all->by_topic, &d->topic);
	while (*at != d)
		at = &(*at)->by_topic;
	*at = d->by_topic;
	at = bucket(all->by_blobs, &d->blobs_key);
	while (*at != NULL && *at != d)
		at = &(*at)->by_blobs;
	if (*at == d)
		*at = d->by_blobs;
}

/* -- queues --------------------------------------------------------------- */

void
drives_queue(struct drives *all, struct drive *d, enum drive_queue which)
{
	if (d->queued[which])
		return;
	d->queued[which] = true;
	all->reading += which == DRIVES_LOOKS;
	d->next[which] = NULL;
	if (all->last[which] != NULL)
		all->last[which]->next[which] = d;
	else
		all->first[which] = d;
	all->last[which] = d;
	all->due = 0;
}

struct drive *
drives_next(struct drives *all, enum drive_queue which)
{
	struct drive *d = all->first[which];

	if (d == NULL)
		return NULL;
	all->first[which] = d->next[which];
	if (all->first[which] == NULL)
		all->last[which] = NULL;
	d->queued[which] = false;
	all->reading -= which == DRIVES_LOOKS;
	return d;
}

static void
unqueue(struct drives *all, struct drive *d, enum drive_queue which)
{
	struct drive *before = NULL, *at = all->first[which];

	if (!d->queued[which])
		return;
	for (; at != d; at = at->next[which])
		before = at;
	if (before != NULL)
		before->next[which] = d->next[which];
	else
		all->first[which] = d->next[which];
	if (all->last[which] == d)
		all->last[which] = before;
	all->reading -= which == DRIVES_LOOKS;
	d->queued[which] = false;
}

/* -- life ----------------------------------------------------------------- */

enum err_code
drives_init(struct drives *d, size_t most, struct err *e)
{
	d->most = most;
	d->retry = UINT64_MAX;
	d->by_key = calloc(DRIVES_BUCKETS, sizeof(struct drive *));
	d->by_topic = calloc(DRIVES_BUCKETS, sizeof(struct drive *));
	d->by_blobs = calloc(DRIVES_BUCKETS, sizeof(struct drive *));
	return d->by_key == NULL || d->by_topic == NULL || d->by_blobs == NULL
		   ? err_nomem(e)
		   : ERR_OK;
}

static void
drive_free(struct drive *d)
{
	free(d->traffic);
	free(d->name);
	free(d);
}

void
drives_deinit(struct drives *d)
{
	for (size_t i = 0; i < d->n; i++)
		drive_free(d->item[i]);
	free(d->item);
	free(d->by_key);
	free(d->by_topic);
	free(d->by_blobs);
	memset(d, 0, sizeof(*d));
}

/* -- who wants what ------------------------------------------------------- */

/* What a peer may ask us to serve has a limit for those who mean no good;
 * two cores of each drive are meant to be asked for. */
static void
limit_served(struct seeder *s)
{
	replicate_serve_most(
	    peer_replicate(s->node), 256 + 2 * (uint32_t)s->drives.n);
}

static enum err_code
insert(
    struct seeder *s, struct drive **out, const struct b32 *key, struct err *e)
{
	struct drives *all = &s->drives;
	struct drive *d = calloc(1, sizeof(*d));

	if (d == NULL || !ARR_RESERVE(all->item, all->n + 1, all->cap)) {
		free(d);
		return err_nomem(e);
	}
	d->key = *key;
	hash_discovery_key(&d->topic, key);
	link_in(all, d);
	all->item[all->n++] = d;
	all->new = true;
	limit_served(s);
	*out = d;
	return ERR_OK;
}

enum err_code
drives_add(struct seeder *s, const struct b32 *key, enum drive_source source,
    struct err *e)
{
	struct drive *d = drives_find(s, key);
	enum err_code rc;

	if (d == NULL) {
		if ((rc = insert(s, &d, key, e)) != ERR_OK)
			return rc;
		drives_look(s, d);
		s->goal.look = true;
		render_drive(s, d, "seeding");
	}
	d->sources |= (uint8_t)source;
	d->told |= (uint8_t)source;
	return ERR_OK;
}

static void
drop(struct seeder *s, size_t i)
{
	struct drive *d = s->drives.item[i];
	struct err ignored = ERR_INIT;

	render_drive(s, d, "dropped");
	/* what cannot be told now is not renewed either */
	if (d->joined && peer_leave(s->node, &d->topic, &ignored) != ERR_OK)
		cli_debug(s->c, "%s", ignored.msg);
	drives_let_go(s, d);
	unqueue(&s->drives, d, DRIVES_LOOKS);
	unqueue(&s->drives, d, DRIVES_VISITS);
	link_out(&s->drives, d);
	memmove(s->drives.item + i, s->drives.item + i + 1,
	    (s->drives.n - i - 1) * sizeof(struct drive *));
	s->drives.n--;
	limit_served(s);
	s->goal.look = true;
	drive_free(d);
}

void
drives_begin(struct seeder *s, enum drive_source source)
{
	for (size_t i = 0; i < s->drives.n; i++)
		s->drives.item[i]->told &= (uint8_t) ~(unsigned)source;
}

void
drives_end(struct seeder *s, enum drive_source source)
{
	for (size_t i = s->drives.n; i-- > 0;) {
		struct drive *d = s->drives.item[i];

		if ((d->told & source) != 0)
			continue;
		d->sources &= (uint8_t) ~(unsigned)source;
		if (d->sources == 0)
			drop(s, i);
	}
}
