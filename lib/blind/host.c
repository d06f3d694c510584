/* Which cores are kept, and how much of them fits. */
#include "blind/host.h"

#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "blind/host_impl.h"

/* -- who ------------------------------------------------------------------ */

static bool
among(const struct b32 *list, size_t n, const struct b32 *key)
{
	for (size_t i = 0; i < n; i++)
		if (b32_eq(&list[i], key))
			return true;
	return false;
}

bool
host_trusts(const struct blind_host *h, const struct b32 *peer)
{
	return among(h->trust, h->o.ntrust, peer);
}

static bool
allows(const struct blind_host *h, const struct b32 *peer)
{
	return host_trusts(h, peer) || among(h->allow, h->o.nallow, peer);
}

static void
tell(struct blind_host *h, enum blind_host_kind kind, const struct b32 *peer,
    const struct blind_record *r, const struct denial *why)
{
	struct blind_host_event ev = {.kind = kind,
	    .peer = peer,
	    .core = &r->key,
	    .announce = r->announce};

	if (why != NULL) {
		ev.code = why->code;
		ev.text = why->text;
	}
	h->o.event(h->o.ctx, &ev);
}

static enum err_code
deny(struct blind_host *h, const struct b32 *peer, const struct b32 *key,
    const char *code, const char *text, struct denial *why)
{
	const struct blind_record r = {.key = *key};

	*why = (struct denial){code, text};
	/* who insists is not told again and again */
	if (h->denied_code != code || !b32_eq(&h->denied, peer))
		tell(h, BLIND_DENIED, peer, &r, why);
	h->denied = *peer;
	h->denied_code = code;
	return ERR_OK;
}

/* -- what ----------------------------------------------------------------- */

struct kept *
host_find(struct blind_host *h, const struct b32 *key)
{
	for (size_t i = 0; i < h->n; i++)
		if (b32_eq(&h->kept[i].record.key, key))
			return &h->kept[i];
	return NULL;
}

static enum err_code
follow(struct blind_host *h, const struct b32 *key, struct err *e)
{
	struct replicate_core *c;
	enum err_code rc = replicate_open(h->r, key, &c, e);

	if (rc == ERR_OK && !core_writable(replicate_core_handle(c)))
		replicate_follow(c, true);
	return rc;
}

enum err_code
host_restore(struct blind_host *h, const struct blind_record *r, struct err *e)
{
	if (!ARR_RESERVE(h->kept, h->n + 1, h->cap))
		return err_nomem(e);
	h->kept[h->n++] = (struct kept){.record = *r};
	return ERR_OK;
}

static enum err_code
add_new(struct blind_host *h, const struct b32 *peer,
    const struct blind_record *r, struct kept **out, struct denial *why,
    struct err *e)
{
	enum err_code rc;

	if (h->n >= BLIND_KEPT_MAX)
		return deny(h, peer, &r->key, "TOO_MANY_CORES",
		    "no more cores are kept here", why);
	if (h->o.quota != 0 && h->reserved >= h->o.quota)
		return deny(h, peer, &r->key, "QUOTA_EXCEEDED",
		    "the space for cores is used up", why);
	if ((rc = follow(h, &r->key, e)) != ERR_OK ||
	    (rc = host_list_put(h, r, e)) != ERR_OK ||
	    (rc = host_restore(h, r, e)) != ERR_OK)
		return rc;
	*out = &h->kept[h->n - 1];
	tell(h, BLIND_KEPT, peer, r, NULL);
	return ERR_OK;
}

enum err_code
host_add(struct blind_host *h, const struct b32 *peer,
    const struct blind_add *add, struct kept **out, struct denial *why,
    struct err *e)
{
	struct blind_record r = {.key = add->key,
	    .priority = add->priority > 1 ? 1 : add->priority,
	    .announce = add->announce && host_trusts(h, peer),
	    .updated = h->o.unix_ms(),
	    .active = h->o.unix_ms()};
	struct kept *k;
	enum err_code rc;

	*why = (struct denial){NULL, NULL};
	if (!allows(h, peer))
		return deny(h, peer, &add->key, "NOT_ALLOWED",
		    "this key may not ask for cores to be kept", why);
	if ((k = host_find(h, &add->key)) == NULL)
		return add_new(h, peer, &r, out, why, e);
	*out = k;
	k->record.active = r.active;
	if (k->record.announce || !r.announce)
		return ERR_OK;
	k->record.announce = true;
	if ((rc = host_list_put(h, &k->record, e)) == ERR_OK)
		tell(h, BLIND_KEPT, peer, &k->record, NULL);
	return rc;
}

/* Bytes of the block file go; what others serve or write is left alone. */
static enum err_code
clear(struct blind_host *h, const struct b32 *key, struct err *e)
{
	struct replicate_core *open = replicate_find(h->r, key);
	struct core *c;
	enum err_code rc;

	if (open != NULL)
		replicate_close(open);
	if ((rc = core_open(&c, h->store, key, CORE_REPLICA, e)) != ERR_OK)
		return rc;
	if (!core_writable(c))
		rc = core_clear(c, 0, core_head(c)->length, e);
	core_close(c);
	return rc;
}

enum err_code
host_delete(struct blind_host *h, const struct b32 *peer, const struct b32 *key,
    bool *was, struct denial *why, struct err *e)
{
	struct kept *k = host_find(h, key);
	struct blind_record r = {.key = *key};
	static const struct err none = ERR_INIT;
	enum err_code rc;

	*why = (struct denial){NULL, NULL};
	*was = k != NULL;
	if (!host_trusts(h, peer))
		return deny(h, peer, key, "NOT_TRUSTED",
		    "only trusted peers can delete cores", why);
	if (k == NULL)
		return ERR_OK;
	if (h->o.in_use(h->o.ctx, key))
		return deny(h, peer, key, "IN_USE",
		    "the operator keeps this core, too", why);
	if ((rc = host_list_del(h, key, e)) != ERR_OK)
		return rc;
	h->reserved -= k->reserved;
	*k = h->kept[--h->n];
	tell(h, BLIND_GONE, peer, &r, NULL);
	rc = clear(h, key, e);
	if (rc == ERR_LOCKED || rc == ERR_READONLY || rc == ERR_NOT_FOUND) {
		*e = none; /* forgotten, though its bytes stay for now */
		return ERR_OK;
	}
	return rc;
}

/* -- how much ------------------------------------------------------------- */

static enum err_code
fetch(struct blind_host *h, struct kept *k, struct replicate_core *c,
    struct err *e)
{
	static const struct err none = ERR_INIT;
	const struct core_head *head = core_head(replicate_core_handle(c));
	enum err_code rc = ERR_OK;

	if (head->contiguous < head->length)
		rc = replicate_download(c, 0, head->length, e);
	if (rc == ERR_LOCKED || rc == ERR_CONFLICT) {
		*e = none; /* at the next turn, or never */
		rc = ERR_OK;
	}
	if (k->record.length != head->length)
		k->record.updated = h->o.unix_ms();
	k->record.length = head->length;
	k->record.bytes = k->reserved;
	return rc;
}

/* Set aside what the head needs, or say once that it is too much. */
static enum err_code
look_at(struct blind_host *h, struct kept *k, struct err *e)
{
	struct replicate_core *c = replicate_find(h->r, &k->record.key);
	uint64_t others = h->reserved - k->reserved, bytes;

	if (c == NULL)
		return follow(h, &k->record.key, e);
	if (core_writable(replicate_core_handle(c)))
		return ERR_OK;
	bytes = core_head(replicate_core_handle(c))->byte_length;
	if (bytes > k->reserved && h->o.quota != 0 &&
	    (others > h->o.quota || bytes > h->o.quota - others)) {
		if (!k->over)
			tell(h, BLIND_OVER, NULL, &k->record, NULL);
		k->over = true;
		return ERR_OK;
	}
	k->over = false;
	h->reserved = others + bytes;
	k->reserved = bytes;
	return fetch(h, k, c, e);
}

enum err_code
blind_host_turn(struct blind_host *h, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; i < h->n && rc == ERR_OK; i++)
		rc = look_at(h, &h->kept[i], e);
	return rc;
}

void
blind_host_stats(const struct blind_host *h, struct blind_host_stats *out)
{
	*out =
	    (struct blind_host_stats){.cores = h->n, .reserved = h->reserved};
	for (size_t i = 0; i < h->n; i++)
		out->over += h->kept[i].over;
}

static enum err_code
count_core(struct core *c, uint64_t *bytes, struct err *e)
{
	enum err_code rc = ERR_OK;
	struct node leaf;
	struct want w;

	for (uint64_t i = 0; i < core_head(c)->length && rc == ERR_OK; i++) {
		if (!core_has(c, i))
			continue;
		rc = core_node(c, 2 * i, &leaf, &w, e);
		*bytes += rc == ERR_OK ? leaf.size : 0;
	}
	return rc;
}

/* A core of ours is not counted: it is not here for others. */
static enum err_code
count_kept(const struct blind_host *h, const struct b32 *key, uint64_t *bytes,
    struct err *e)
{
	static const struct err none = ERR_INIT;
	struct core *c;
	enum err_code rc = core_open(&c, h->store, key, CORE_READ, e);

	if (rc == ERR_NOT_FOUND) {
		*e = none;
		return ERR_OK;
	}
	if (rc != ERR_OK)
		return rc;
	if (!core_writable(c))
		rc = count_core(c, bytes, e);
	core_close(c);
	return rc;
}

enum err_code
blind_host_scan(const struct blind_host *h, uint64_t *bytes, struct err *e)
{
	enum err_code rc = ERR_OK;

	*bytes = 0;
	for (size_t i = 0; i < h->n && rc == ERR_OK; i++)
		rc = count_kept(h, &h->kept[i].record.key, bytes, e);
	return rc;
}

/* What is here from earlier runs is set aside, whatever the quota is now. */
static enum err_code
count_all(struct blind_host *h, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; i < h->n && rc == ERR_OK; i++) {
		rc = count_kept(
		    h, &h->kept[i].record.key, &h->kept[i].reserved, e);
		h->reserved += h->kept[i].reserved;
	}
	return rc;
}

/* -- life ----------------------------------------------------------------- */

static enum err_code
copy_keys(struct b32 **out, const struct b32 *from, size_t n, struct err *e)
{
	if ((*out = calloc(n + 1, sizeof(**out))) == NULL)
		return err_nomem(e);
	if (n > 0)
		memcpy(*out, from, n * sizeof(*from));
	return ERR_OK;
}

enum err_code
blind_host_new(struct blind_host **out, struct replicate *r, struct store *s,
    const struct blind_host_opts *o, struct err *e)
{
	struct blind_host *h = calloc(1, sizeof(*h));
	enum err_code rc;

	if (h == NULL)
		return err_nomem(e);
	h->r = r;
	h->store = s;
	h->o = *o;
	if ((rc = copy_keys(&h->allow, o->allow, o->nallow, e)) != ERR_OK ||
	    (rc = copy_keys(&h->trust, o->trust, o->ntrust, e)) != ERR_OK ||
	    (rc = host_list_load(h, e)) != ERR_OK ||
	    (rc = count_all(h, e)) != ERR_OK ||
	    (rc = host_hear_init(h, e)) != ERR_OK) {
		blind_host_free(h);
		return rc;
	}
	for (size_t i = 0; i < h->n; i++)
		tell(h, BLIND_KEPT, NULL, &h->kept[i].record, NULL);
	*out = h;
	return ERR_OK;
}

void
blind_host_free(struct blind_host *h)
{
	if (h == NULL)
		return;
	free(h->allow);
	free(h->trust);
	free(h->kept);
	free(h);
}
