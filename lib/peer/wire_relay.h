/*
 * wire_relay: streams that go through a blind relay because no way was found
 * through the NATs, or before one is (network.md 3.9). Private to lib/peer;
 * network thread.
 *
 * The way to the relay is a connection of its own (the link): a wire_conn that
 * the other side never hears of. The stream is started on the link's socket as
 * soon as the relay has paired it, while punching goes on; the first packet of
 * the direct way moves it there, and the link ends once nothing comes through
 * it any more.
 *
 *	PAIRING -> RELAYED -> MOVED -> freed
 *	   |          `-> freed, with the stream: the relay is gone
 *	   `-> freed: no relay; the stream goes on looking, or fails
 */
#ifndef PEER_WIRE_RELAY_H
#define PEER_WIRE_RELAY_H

#include "peer/wire_find.h"

/* Meet the other side of c at a relay. Its keys: p, taken over; NULL: those
 * that c awaits a packet with. */
void wire_relay_begin(struct finding *f, struct wire_conn *c,
    const struct dht_relaying *r, struct dht_peer *p, uint64_t now);
/* A packet of a stream with c->through, before the stream reads it. */
void wire_relay_packet(struct wire_conn *c, struct wire_sock *s,
    const struct addr *from, uint64_t now);
/* It goes on directly, from s on. */
void wire_relay_move(struct wire_conn *c, struct wire_sock *s,
    const struct addr *to, uint64_t now);
/* c has no use for it: it starts directly, or is freed. */
void wire_relay_forget(struct wire_conn *c);

/* Of a link: the first packets, its frames (taken over), its end. */
void wire_relay_link_packet(struct wire_conn *link, struct wire_sock *s,
    const struct addr *from, uint64_t now);
void wire_relay_link_frame(struct wire_conn *link, struct secret_frame *f);
void wire_relay_link_gone(struct wire_conn *link);

uint64_t wire_relay_turn(struct finding *f, uint64_t now);
void wire_relay_free_all(struct finding *f);

#endif
