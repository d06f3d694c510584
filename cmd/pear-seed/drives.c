/* The set of drives: opening them, finding their contents, letting go. */
#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "cmd/common/drive.h"
#include "cmd/pear-seed/seed.h"
#include "pear/appcfg.h"

#define RETRY_US 5000000
#define RETRY_MOST_US 600000000

/* -- the set -------------------------------------------------------------- */

static struct drive *
find(struct seeder *s, const struct b32 *key)
{
	struct keymap_slot *slot = keymap_get(&s->drives.by_key, key);

	return slot == NULL ? NULL : slot->value.ptr;
}

static enum err_code
insert(
    struct seeder *s, struct drive **out, const struct b32 *key, struct err *e)
{
	struct drives *all = &s->drives;
	struct drive *d = calloc(1, sizeof(*d));
	struct keymap_slot *slot = NULL;

	if (d != NULL && ARR_RESERVE(all->item, all->n + 1, all->cap))
		slot = keymap_put(&all->by_key, key);
	if (slot == NULL) {
		free(d);
		return err_nomem(e);
	}
	d->key = *key;
	slot->value.ptr = d;
	all->item[all->n++] = d;
	*out = d;
	return ERR_OK;
}

enum err_code
drives_add(struct seeder *s, const struct b32 *key, enum drive_source source,
    struct err *e)
{
	struct drive *d = find(s, key);
	enum err_code rc;

	if (d == NULL) {
		if ((rc = insert(s, &d, key, e)) != ERR_OK)
			return rc;
		d->wait = RETRY_US;
		s->drives.due = 0;
		s->goal.look = true;
		render_drive(s, d, "seeding");
	}
	d->sources |= source;
	d->told |= source;
	return ERR_OK;
}

static bool
used_elsewhere(
    struct seeder *s, const struct drive *but, const struct replicate_core *c)
{
	for (size_t i = 0; i < s->drives.n; i++) {
		const struct drive *d = s->drives.item[i];

		if (d != but && (d->db == c || d->blobs == c))
			return true;
	}
	return false;
}

static void
let_go(struct seeder *s, struct drive *d, struct replicate_core *c)
{
	if (c != NULL && !used_elsewhere(s, d, c))
		replicate_close(c);
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
	let_go(s, d, d->db);
	if (d->blobs != d->db)
		let_go(s, d, d->blobs);
	keymap_delete(&s->drives.by_key, &d->key);
	memmove(s->drives.item + i, s->drives.item + i + 1,
	    (s->drives.n - i - 1) * sizeof(struct drive *));
	s->drives.n--;
	s->goal.look = true;
	free(d);
}

void
drives_begin(struct seeder *s, enum drive_source source)
{
	for (size_t i = 0; i < s->drives.n; i++)
		s->drives.item[i]->told &= ~(unsigned)source;
}

void
drives_end(struct seeder *s, enum drive_source source)
{
	for (size_t i = s->drives.n; i-- > 0;) {
		struct drive *d = s->drives.item[i];

		if ((d->told & source) != 0)
			continue;
		d->sources &= ~(unsigned)source;
		if (d->sources == 0)
			drop(s, i);
	}
}

struct drive *
drives_topic(struct seeder *s, const struct b32 *topic)
{
	for (size_t i = 0; i < s->drives.n; i++)
		if (b32_eq(&s->drives.item[i]->topic, topic))
			return s->drives.item[i];
	return NULL;
}

void
drives_deinit(struct drives *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->item[i]);
	free(d->item);
	keymap_deinit(&d->by_key);
	memset(d, 0, sizeof(*d));
}

/* -- opening -------------------------------------------------------------- */

/* Everything, for as long as we run; a core of our own is only served. */
static enum err_code
keep(struct seeder *s, struct replicate_core **out, const struct b32 *key,
    struct err *e)
{
	struct replicate_core *c;
	enum err_code rc;

	rc = replicate_open(peer_replicate(s->node), key, &c, e);
	if (rc != ERR_OK)
		return rc;
	if (!core_writable(replicate_core_handle(c))) {
		replicate_follow(c, true);
		rc = replicate_download(c, 0, UINT64_MAX, e);
	}
	if (rc == ERR_OK)
		*out = c;
	return rc;
}

/* What the drive is: two cores, or one. */
static enum err_code
find_contents(struct seeder *s, struct drive *d, struct err *e)
{
	struct hyperdrive *drive;
	struct want w;
	bool known = false;
	enum err_code rc;

	/* its first block could still name other contents */
	if (core_head(replicate_core_handle(d->db))->length == 0)
		return ERR_OK;
	rc = hyperdrive_open(&drive, s->store, &d->key, CORE_READ, e);
	if (rc == ERR_OK) {
		rc = hyperdrive_find_blobs(drive, &w, e);
		known =
		    rc == ERR_OK && hyperdrive_blobs_key(drive, &d->blobs_key);
		hyperdrive_close(drive);
	}
	if (rc == ERR_FORMAT || rc == ERR_UNSUPPORTED) {
		d->shape = DRIVE_CORE;
		s->goal.look = true;
		return ERR_OK;
	}
	if (rc == ERR_NEED_BLOCK || rc == ERR_NOT_FOUND)
		return ERR_OK; /* not here yet */
	if (rc != ERR_OK || !known)
		return rc;
	if ((rc = keep(s, &d->blobs, &d->blobs_key, e)) == ERR_OK) {
		d->shape = DRIVE_WHOLE;
		s->goal.look = true;
		render_contents(s, d);
	}
	return rc;
}

/* Stays what it was where it cannot be read. */
static void
read_name(struct seeder *s, struct drive *d)
{
	struct appcfg cfg = {.json = NULL};
	struct common_drive cd;
	struct pear_link link;
	const char *title;
	struct buf text;

	pear_link_init(&link, &d->key);
	if (common_drive_open(&cd, s->store, &link, NULL, NULL) != ERR_OK)
		return;
	buf_init(&text, APPCFG_MAX);
	if (common_drive_file(&cd, "/package.json", &text, NULL) == ERR_OK &&
	    appcfg_parse(&cfg, buf_view(&text), NULL) == ERR_OK) {
		title = appcfg_title(&cfg);
		(void)err_quote(d->name, sizeof(d->name), title, strlen(title));
	}
	appcfg_deinit(&cfg);
	buf_deinit(&text);
	common_drive_close(&cd);
}

/* What its package.json calls it, for people; once for each length of the
 * two cores, when all of it is here. */
static void
find_name(struct seeder *s, struct drive *d)
{
	const struct core_head *h = core_head(replicate_core_handle(d->db));
	const struct core_head *b = core_head(replicate_core_handle(d->blobs));

	if (d->named_length == h->length + b->length || b->length == 0 ||
	    h->contiguous < h->length || b->contiguous < b->length)
		return;
	d->named_length = h->length + b->length;
	read_name(s, d);
}

static enum err_code
look(struct seeder *s, struct drive *d, struct err *e)
{
	enum err_code rc = ERR_OK;

	if (d->db == NULL) {
		if ((rc = keep(s, &d->db, &d->key, e)) != ERR_OK)
			return rc;
		d->topic = *core_discovery_key(replicate_core_handle(d->db));
		render_keys(s, d);
	}
	if (!d->joined && (rc = peer_join(s->node, &d->topic,
			       PEER_SERVER | PEER_CLIENT, e)) != ERR_OK)
		return rc;
	d->joined = true;
	if (d->shape == DRIVE_PENDING &&
	    (rc = find_contents(s, d, e)) != ERR_OK)
		return rc;
	render_length(s, d);
	if (d->shape == DRIVE_WHOLE)
		find_name(s, d);
	return ERR_OK;
}

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

	if (!d->joined || wanting == d->wanting)
		return;
	/* without memory now: at the next sample */
	if (peer_join(s->node, &d->topic, flags, &e) == ERR_OK)
		d->wanting = wanting;
}

/* A drive with a fault does not end the others. */
static enum err_code
look_or_wait(struct seeder *s, struct drive *d, uint64_t now, struct err *e)
{
	char link[PEAR_LINK_TEXT_MAX];
	enum err_code rc = look(s, d, e);

	d->look = false;
	if (rc == ERR_OK) {
		d->trouble = false;
		d->wait = RETRY_US;
		return ERR_OK;
	}
	pear_link_key(link, &d->key);
	if (rc == ERR_NOMEM || (!s->running && (d->sources & DRIVE_NAMED) != 0))
		return err_wrap(e, "%s", link);
	cli_warn(s->c, "%s: %s; trying again in %u s", link, e->msg,
	    (unsigned)(d->wait / 1000000));
	*e = (struct err)ERR_INIT;
	d->trouble = true;
	d->retry = now + d->wait;
	d->wait = 2 * d->wait > RETRY_MOST_US ? RETRY_MOST_US : 2 * d->wait;
	return ERR_OK;
}

enum err_code
drives_turn(struct seeder *s, struct err *e)
{
	uint64_t now = peer_now(), due = UINT64_MAX;
	enum err_code rc = ERR_OK;

	if (now < s->drives.due)
		return ERR_OK;
	for (size_t i = 0; i < s->drives.n && rc == ERR_OK; i++) {
		struct drive *d = s->drives.item[i];

		if (d->trouble ? now >= d->retry : d->look || d->db == NULL)
			rc = look_or_wait(s, d, now, e);
		if (d->trouble && d->retry < due)
			due = d->retry;
	}
	s->drives.due = due;
	return rc;
}

void
drives_changed(struct seeder *s, struct replicate_core *core)
{
	struct drive *d = find(s, core_key(replicate_core_handle(core)));

	s->goal.look = true;
	if (d == NULL || d->db != core)
		return;
	d->look = true;
	s->drives.due = 0;
}
