#include "net/dht/shelf.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/secret.h"

#define BUCKETS_FIRST 64
#define ITEM_COST sizeof(struct shelf_item)
#define NEIGHBOUR_SHARE 4 /* one in */
#define IPV6_HOST 8	  /* bytes of an address that name a host's network */

static const struct b32 ZEROS;

void
shelf_init(struct shelf *s, const struct shelf_limits *max)
{
	memset(s, 0, sizeof(*s));
	s->max = *max;
	secret_random(&s->secret, sizeof(s->secret));
}

void
shelf_deinit(struct shelf *s)
{
	while (s->oldest != NULL)
		shelf_remove(s, s->oldest);
	free(s->bucket);
	free(s->sources);
	memset(s, 0, sizeof(*s));
}

/* -- buckets -------------------------------------------------------------- */

static size_t
slot(const struct shelf *s, const void *p, size_t len)
{
	struct b32 h;
	size_t n;

	hash_keyed(&h, &s->secret, view_of(p, len));
	memcpy(&n, h.b, sizeof(n));
	return n & (s->nbuckets - 1);
}

static size_t
item_slot(const struct shelf *s, const struct b32 *key)
{
	return slot(s, key->b, sizeof(key->b));
}

static size_t
source_slot(const struct shelf *s, const struct addr *host)
{
	return slot(s, host->ip, sizeof(host->ip));
}

static void
rehash(struct shelf *s, struct shelf_item **old, struct shelf_source **sources,
    size_t n)
{
	struct shelf_item *it;
	struct shelf_source *x;

	for (size_t i = 0, to; i < n; i++) {
		while ((it = old[i]) != NULL) {
			old[i] = it->next;
			to = item_slot(s, &it->key);
			it->next = s->bucket[to];
			s->bucket[to] = it;
		}
		while ((x = sources[i]) != NULL) {
			sources[i] = x->next;
			to = source_slot(s, &x->host);
			x->next = s->sources[to];
			s->sources[to] = x;
		}
	}
}

/* One item a bucket. Without memory for more, the chains get longer. */
static bool
grow(struct shelf *s)
{
	size_t n = s->nbuckets == 0 ? BUCKETS_FIRST : s->nbuckets * 2;
	size_t before = s->nbuckets;
	struct shelf_item **items, **old = s->bucket;
	struct shelf_source **sources, **olds = s->sources;

	if (s->n < s->nbuckets)
		return true;
	items = calloc(n, sizeof(struct shelf_item *));
	sources = calloc(n, sizeof(struct shelf_source *));
	if (items == NULL || sources == NULL) {
		free(items);
		free(sources);
		return s->nbuckets != 0;
	}
	s->bucket = items;
	s->sources = sources;
	s->nbuckets = n;
	rehash(s, old, olds, before);
	free(old);
	free(olds);
	return true;
}

/* -- hosts ---------------------------------------------------------------- */

static void
host_of(struct addr *out, const struct addr *a)
{
	*out = *a;
	out->port = 0;
	if (a->family == 6)
		memset(out->ip + IPV6_HOST, 0, sizeof(out->ip) - IPV6_HOST);
	else
		memset(out->ip + 4, 0, sizeof(out->ip) - 4);
}

static struct shelf_source *
source_find(const struct shelf *s, const struct addr *from)
{
	struct shelf_source *x;
	struct addr host;

	host_of(&host, from);
	for (x = s->sources[source_slot(s, &host)]; x != NULL; x = x->next)
		if (addr_same_host(&x->host, &host))
			return x;
	return NULL;
}

static struct shelf_source *
source_need(struct shelf *s, const struct addr *from)
{
	struct shelf_source *x = source_find(s, from);
	size_t at;

	if (x != NULL || (x = calloc(1, sizeof(*x))) == NULL)
		return x;
	host_of(&x->host, from);
	at = source_slot(s, &x->host);
	x->next = s->sources[at];
	s->sources[at] = x;
	return x;
}

static void
source_drop(struct shelf *s, struct shelf_source *x)
{
	struct shelf_source **p = &s->sources[source_slot(s, &x->host)];

	while (*p != x)
		p = &(*p)->next;
	*p = x->next;
	free(x);
}

/* -- items ---------------------------------------------------------------- */

static void
link_item(struct shelf *s, struct shelf_source *x, struct shelf_item *it)
{
	size_t at = item_slot(s, &it->key);

	it->next = s->bucket[at];
	s->bucket[at] = it;
	it->older = s->newest;
	if (s->newest != NULL)
		s->newest->newer = it;
	else
		s->oldest = it;
	s->newest = it;
	it->source = x;
	it->source_older = x->newest;
	if (x->newest != NULL)
		x->newest->source_newer = it;
	else
		x->oldest = it;
	x->newest = it;
	x->n++;
	s->n++;
	s->bytes += ITEM_COST + it->len;
}

static void
unlink_ages(struct shelf *s, struct shelf_item *it)
{
	struct shelf_source *x = it->source;

	if (it->older != NULL)
		it->older->newer = it->newer;
	else
		s->oldest = it->newer;
	if (it->newer != NULL)
		it->newer->older = it->older;
	else
		s->newest = it->older;
	if (it->source_older != NULL)
		it->source_older->source_newer = it->source_newer;
	else
		x->oldest = it->source_newer;
	if (it->source_newer != NULL)
		it->source_newer->source_older = it->source_older;
	else
		x->newest = it->source_older;
}

void
shelf_remove(struct shelf *s, struct shelf_item *it)
{
	struct shelf_item **p = &s->bucket[item_slot(s, &it->key)];

	while (*p != it)
		p = &(*p)->next;
	*p = it->next;
	unlink_ages(s, it);
	if (--it->source->n == 0)
		source_drop(s, it->source);
	s->n--;
	s->bytes -= ITEM_COST + it->len;
	free(it);
}

struct shelf_item *
shelf_each(const struct shelf *s, const struct b32 *key,
    const struct shelf_item *after, uint64_t now)
{
	struct shelf_item *it = NULL;

	if (after != NULL)
		it = after->next;
	else if (s->nbuckets != 0)
		it = s->bucket[item_slot(s, key)];
	while (it != NULL && (!b32_eq(&it->key, key) || now >= it->expires))
		it = it->next;
	return it;
}

struct shelf_item *
shelf_find(const struct shelf *s, const struct b32 *key, const struct b32 *sub,
    uint64_t now)
{
	struct shelf_item *it = shelf_each(s, key, NULL, now);

	while (it != NULL && !b32_eq(&it->sub, sub != NULL ? sub : &ZEROS))
		it = shelf_each(s, key, it, now);
	return it;
}

uint64_t
shelf_expire(struct shelf *s, uint64_t now)
{
	while (s->oldest != NULL && now >= s->oldest->expires)
		shelf_remove(s, s->oldest);
	return s->oldest != NULL ? s->oldest->expires : UINT64_MAX;
}

/* -- making room ---------------------------------------------------------- */

/* Under one key: the host has its share, then everybody together. */
static void
room_under_key(struct shelf *s, const struct b32 *key,
    const struct shelf_source *x, size_t share, uint64_t now)
{
	struct shelf_item *it = NULL, *oldest = NULL, *own = NULL;
	size_t n = 0, mine = 0;

	while ((it = shelf_each(s, key, it, now)) != NULL) {
		n++;
		if (oldest == NULL || it->order < oldest->order)
			oldest = it;
		if (it->source != x)
			continue;
		mine++;
		if (own == NULL || it->order < own->order)
			own = it;
	}
	if (own != NULL && mine >= share)
		shelf_remove(s, own);
	else if (oldest != NULL && n >= s->max.key)
		shelf_remove(s, oldest);
}

static void
make_room(struct shelf *s, const struct b32 *key, const struct addr *from,
    enum shelf_from who, size_t len, uint64_t now)
{
	size_t share = s->max.source, of_key = s->max.source_key;
	struct shelf_source *x;

	if (who == SHELF_NEIGHBOUR) {
		share = s->max.items / NEIGHBOUR_SHARE + 1;
		of_key = s->max.key;
	}
	(void)shelf_expire(s, now);
	room_under_key(s, key, source_find(s, from), of_key, now);
	/* looked up again: it went with its last item */
	if ((x = source_find(s, from)) != NULL && x->n >= share)
		shelf_remove(s, x->oldest);
	while (s->n > 0 && (s->n >= s->max.items ||
			       s->bytes + ITEM_COST + len > s->max.bytes))
		shelf_remove(s, s->oldest);
}

bool
shelf_put(struct shelf *s, const struct b32 *key, const struct b32 *sub,
    const struct addr *from, enum shelf_from who, struct view value,
    uint64_t now)
{
	struct shelf_item *old, *it = calloc(1, sizeof(*it) + value.len);
	struct shelf_source *x;

	if (it == NULL || !grow(s)) {
		free(it);
		return false;
	}
	it->key = *key;
	if (sub != NULL)
		it->sub = *sub;
	it->from = *from;
	it->expires = now + s->max.life_us;
	it->order = s->order++;
	it->len = value.len;
	/* the value may be borrowed from what goes now */
	if (value.len > 0)
		memcpy(it->value, value.ptr, value.len);
	if ((old = shelf_find(s, key, sub, now)) != NULL)
		shelf_remove(s, old);
	make_room(s, key, from, who, it->len, now);
	if ((x = source_need(s, from)) == NULL) {
		free(it);
		return false;
	}
	link_item(s, x, it);
	return true;
}
