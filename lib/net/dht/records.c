#include "net/dht/records.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "net/dht/shelf.h"
#include "net/rpc/rpc.h"

#define BYTES_MAX ((size_t)32 << 20) /* of each kind */
#define TOPIC_MAX 1024		     /* peers */
#define TOPIC_HOST_MAX 64	     /* of them from one host */
#define HOST_SHARE 64		     /* one in */
#define HOST_LEAST 16

struct records {
	struct shelf shelf[RECORDS_KINDS];
	uint64_t seed; /* of the choice among peers */
};

static void
init_kind(struct records *r, enum records_kind k, uint32_t max)
{
	bool value = k == RECORDS_MUTABLE || k == RECORDS_IMMUTABLE;
	bool peers = k == RECORDS_PEER;
	size_t items = value ? max / 2 + max % 2 : max;
	size_t share = items / HOST_SHARE;
	const struct shelf_limits limits = {.items = items,
	    .bytes = BYTES_MAX,
	    .key = peers ? TOPIC_MAX : 1,
	    .source = share < HOST_LEAST ? HOST_LEAST : share,
	    .source_key = peers ? TOPIC_HOST_MAX : 1,
	    .life_us = value ? RECORDS_VALUE_LIFE_US : RECORDS_LIFE_US};

	shelf_init(&r->shelf[k], &limits);
}

enum err_code
records_new(struct records **out, uint32_t max, struct err *e)
{
	struct records *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_nomem(e);
	for (int k = 0; k < RECORDS_KINDS; k++)
		init_kind(
		    r, (enum records_kind)k, max == 0 ? RECORDS_MAX : max);
	secret_random(&r->seed, sizeof(r->seed));
	*out = r;
	return ERR_OK;
}

void
records_free(struct records *r)
{
	if (r == NULL)
		return;
	for (int k = 0; k < RECORDS_KINDS; k++)
		shelf_deinit(&r->shelf[k]);
	free(r);
}

uint64_t
records_turn(struct records *r, uint64_t now)
{
	uint64_t next, deadline = UINT64_MAX;

	for (int k = 0; k < RECORDS_KINDS; k++) {
		next = shelf_expire(&r->shelf[k], now);
		if (next < deadline)
			deadline = next;
	}
	return deadline;
}

size_t
records_count(const struct records *r, enum records_kind k)
{
	return r->shelf[k].n;
}

void
records_put(struct records *r, enum records_kind k, const struct b32 *key,
    const struct b32 *sub, const struct addr *from, struct view value,
    uint64_t now)
{
	enum shelf_from who =
	    rpc_addr_reserved(from) ? SHELF_NEIGHBOUR : SHELF_STRANGER;

	(void)shelf_put(&r->shelf[k], key, sub, from, who, value, now);
}

void
records_remove(struct records *r, enum records_kind k, const struct b32 *key,
    const struct b32 *sub)
{
	struct shelf_item *it = shelf_find(&r->shelf[k], key, sub, 0);

	if (it != NULL)
		shelf_remove(&r->shelf[k], it);
}

bool
records_get(const struct records *r, enum records_kind k, const struct b32 *key,
    uint64_t now, struct view *value, struct addr *from)
{
	const struct shelf_item *it = shelf_find(&r->shelf[k], key, NULL, now);

	if (it == NULL)
		return false;
	*value = view_of(it->value, it->len);
	if (from != NULL)
		*from = it->from;
	return true;
}

/* xorshift: which peers are told is no secret, only a spread of load. */
static uint64_t
next_random(struct records *r)
{
	r->seed ^= r->seed << 13;
	r->seed ^= r->seed >> 7;
	r->seed ^= r->seed << 17;
	return r->seed;
}

size_t
records_pick(struct records *r, const struct b32 *topic, uint64_t now,
    struct view *out, size_t n)
{
	const struct shelf *s = &r->shelf[RECORDS_PEER];
	struct shelf_item *it = NULL;
	size_t seen = 0, at;

	r->seed |= 1;
	/* each of those seen so far is among the n with the same chance */
	while (n > 0 && (it = shelf_each(s, topic, it, now)) != NULL) {
		at = seen < n ? seen : next_random(r) % (seen + 1);
		if (at < n)
			out[at] = view_of(it->value, it->len);
		seen++;
	}
	return seen < n ? seen : n;
}
