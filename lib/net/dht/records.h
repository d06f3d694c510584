/*
 * records: what a persistent node keeps for others (network.md 3.2): peers of
 * topics, routes to servers, refreshes, bumps, mutable and immutable values.
 * Every store is bounded in entries and bytes; one host has a share of it,
 * and one topic too; the oldest goes. Private to the room.
 */
#ifndef NET_DHT_RECORDS_H
#define NET_DHT_RECORDS_H

#include "base/addr.h"

#define RECORDS_MAX 65536
#define RECORDS_LIFE_US (UINT64_C(20) * 60 * 1000000)
#define RECORDS_VALUE_LIFE_US (UINT64_C(48) * 3600 * 1000000)
#define RECORDS_PICK 20 /* of a topic, in one answer */

enum records_kind {
	RECORDS_PEER,	 /* topic, public key -> record */
	RECORDS_ROUTE,	 /* target -> record; from: the server */
	RECORDS_REFRESH, /* hash of the next refresh -> what it renews */
	RECORDS_BUMP,	 /* topic -> number */
	RECORDS_MUTABLE, /* target -> seq, value, signature */
	RECORDS_IMMUTABLE,
	RECORDS_KINDS
};

struct records;

/* max 0: RECORDS_MAX; of values half as many. */
NODISCARD enum err_code records_new(
    struct records **out, uint32_t max, struct err *e);
void records_free(struct records *r); /* NULL is fine */
/* Drops what is old; the next deadline. */
uint64_t records_turn(struct records *r, uint64_t now);
size_t records_count(const struct records *r, enum records_kind k);

/* sub: the public key of RECORDS_PEER, NULL for the others. Replaces. No
 * memory: not stored, like a packet that was lost. from: who sent it. */
void records_put(struct records *r, enum records_kind k, const struct b32 *key,
    const struct b32 *sub, const struct addr *from, struct view value,
    uint64_t now);
void records_remove(struct records *r, enum records_kind k,
    const struct b32 *key, const struct b32 *sub);
/* Borrowed until the next put, remove or turn; from may be NULL. */
bool records_get(const struct records *r, enum records_kind k,
    const struct b32 *key, uint64_t now, struct view *value, struct addr *from);
/* Up to n peers of a topic, any of them, in any order. Returns how many. */
size_t records_pick(struct records *r, const struct b32 *topic, uint64_t now,
    struct view *out, size_t n);

#endif
