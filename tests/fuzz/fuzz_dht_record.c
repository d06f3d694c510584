/*
 * Hole punch packets and the records of HyperDHT; the first byte says which.
 * What decodes is made again no longer than it was, and decodes to the same.
 */
#include <stdlib.h>
#include <string.h>

#include "net/dht/message.h"
#include "support/vec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
inside(struct view v, struct view all)
{
	check(v.len == 0 ||
	      (v.ptr >= all.ptr && v.ptr + v.len <= all.ptr + all.len));
}

static void
holepunch(struct view in, struct buf *b)
{
	struct dht_holepunch h, again;

	if (!dht_holepunch_decode(&h, in))
		return;
	inside(h.payload, in);
	dht_holepunch_encode(b, &h);
	check(dht_holepunch_decode(&again, buf_view(b)));
	check(h.mode == again.mode && h.id == again.id);
	check(view_eq(h.payload, again.payload));
	check(h.peer.family == again.peer.family);
	check(h.peer.family == 0 || addr_eq(&h.peer, &again.peer));
}

static void
same_peer(const struct dht_peer_record *a, const struct dht_peer_record *b)
{
	check(b32_eq(&a->key, &b->key) && view_eq(a->relays, b->relays));
}

static void
peer(struct view in, struct buf *b)
{
	struct dht_peer_record p, again;

	if (!dht_peer_record_decode(&p, in))
		return;
	inside(p.relays, in);
	dht_peer_record_encode(b, &p);
	check(dht_peer_record_decode(&again, buf_view(b)));
	same_peer(&p, &again);
}

static void
announce(struct view in, struct buf *b)
{
	uint8_t one[DHT_SIGNABLE_LEN], two[DHT_SIGNABLE_LEN];
	static const struct b32 zero;
	struct dht_announce a, again;

	if (!dht_announce_decode(&a, in))
		return;
	inside(a.peer.relays, in);
	inside(a.signature, in);
	dht_announce_encode(b, &a);
	check(dht_announce_decode(&again, buf_view(b)));
	check(a.has_peer == again.has_peer && a.bump == again.bump);
	check(a.has_refresh == again.has_refresh);
	check(view_eq(a.signature, again.signature));
	same_peer(&a.peer, &again.peer);
	dht_announce_signable(one, DHT_ANNOUNCE, &zero, &zero, &zero, &a);
	dht_announce_signable(two, DHT_ANNOUNCE, &zero, &zero, &zero, &again);
	check(memcmp(one, two, sizeof(one)) == 0);
}

static void
lookup(struct view in, struct buf *b)
{
	static struct dht_lookup l, again;
	struct buf list;

	if (!dht_lookup_decode(&l, in))
		return;
	buf_init(&list, in.len);
	for (size_t i = 0; i < l.n; i++) {
		inside(l.peer[i].relays, in);
		dht_peer_record_encode(&list, &l.peer[i]);
	}
	check(list.failed == ERR_OK);
	dht_lookup_encode(b, l.n, buf_view(&list), l.bump);
	check(dht_lookup_decode(&again, buf_view(b)));
	check(l.n == again.n && l.bump == again.bump);
	for (size_t i = 0; i < l.n; i++)
		same_peer(&l.peer[i], &again.peer[i]);
	buf_deinit(&list);
}

static void mutable(struct view in, struct buf *b, bool put)
{
	struct dht_mutable m, again;

	if (!(put ? dht_mutable_put_decode : dht_mutable_decode)(&m, in))
		return;
	inside(m.value, in);
	inside(m.signature, in);
	(put ? dht_mutable_put_encode : dht_mutable_encode)(b, &m);
	check((put ? dht_mutable_put_decode : dht_mutable_decode)(
	    &again, buf_view(b)));
	check(b32_eq(&m.key, &again.key) && m.seq == again.seq);
	check(view_eq(m.value, again.value));
	check(view_eq(m.signature, again.signature));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view in;
	struct buf b;

	if (size == 0)
		return 0;
	in = view_of(data + 1, size - 1);
	/* a lookup without its bump grows by it */
	buf_init(&b, size);
	switch (data[0] % 6) {
	case 0:
		holepunch(in, &b);
		break;
	case 1:
		peer(in, &b);
		break;
	case 2:
		announce(in, &b);
		break;
	case 3:
		lookup(in, &b);
		break;
	case 4:
		mutable(in, &b, false);
		break;
	case 5:
		mutable(in, &b, true);
		break;
	}
	check(b.failed == ERR_OK);
	buf_deinit(&b);
	return 0;
}
