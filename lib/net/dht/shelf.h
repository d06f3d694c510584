/*
 * shelf: a bounded store of small values under keys, all of one life time.
 * What is too much goes, the oldest first: of the host that puts in too many,
 * of the key that has too many, of all. Several values of a key are told
 * apart by a second one. Private to the room.
 *
 * Invariants: an item is in one bucket, in the list of all by age, and in
 * that of its host by age; a host without items does not exist.
 */
#ifndef NET_DHT_SHELF_H
#define NET_DHT_SHELF_H

#include "base/addr.h"

struct shelf_source;

struct shelf_item {
	struct shelf_item *next; /* of the bucket */
	struct shelf_item *older, *newer;
	struct shelf_item *source_older, *source_newer;
	struct shelf_source *source;
	struct b32 key, sub;
	struct addr from;
	uint64_t expires, order; /* of arrival */
	size_t len;
	uint8_t value[];
};

struct shelf_source {
	struct shelf_source *next; /* of the bucket */
	struct addr host;	   /* port 0; IPv6: its /64 */
	size_t n;
	struct shelf_item *oldest, *newest;
};

struct shelf_limits {
	size_t items, bytes;
	size_t key;	   /* items of a key */
	size_t source;	   /* items of a host, */
	size_t source_key; /* and those under one key */
	uint64_t life_us;
};

struct shelf {
	struct shelf_limits max;
	struct b32 secret; /* nobody knows what shares a bucket */
	struct shelf_item **bucket;
	struct shelf_source **sources;
	size_t nbuckets; /* of both; a power of two, or none yet */
	size_t n, bytes;
	uint64_t order;
	struct shelf_item *oldest, *newest;
};

void shelf_init(struct shelf *s, const struct shelf_limits *max);
void shelf_deinit(struct shelf *s);
/* Replaces. False: no memory. neighbour: a host of the own network, whose
 * share is a quarter of everything. */
enum shelf_from { SHELF_STRANGER, SHELF_NEIGHBOUR };
bool shelf_put(struct shelf *s, const struct b32 *key, const struct b32 *sub,
    const struct addr *from, enum shelf_from who, struct view value,
    uint64_t now);
/* NULL: none. sub NULL: zeros. */
struct shelf_item *shelf_find(const struct shelf *s, const struct b32 *key,
    const struct b32 *sub, uint64_t now);
/* The items of a key: after NULL, the first. */
struct shelf_item *shelf_each(const struct shelf *s, const struct b32 *key,
    const struct shelf_item *after, uint64_t now);
void shelf_remove(struct shelf *s, struct shelf_item *it);
/* Drops what is too old; when the next one will be, UINT64_MAX: never. */
uint64_t shelf_expire(struct shelf *s, uint64_t now);

#endif
