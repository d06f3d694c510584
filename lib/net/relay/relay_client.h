/*
 * relay_client: one pair on our connection to a blind relay (network.md 3.9),
 * as a pure machine over whole frames.
 *
 *	relay_client_new(&c, &own_key, &pair, e);
 *	while (relay_client_take(c, &data, &len)) ...	// frames to send
 *	relay_client_recv(c, frame, e);			// frames that came
 *	switch (relay_client_state(c, &id)) ...
 *
 * After RELAY_PAIRED our stream goes to the relay's address, to the stream
 * `id` there; the relay ends it when the connection ends. Everything but the
 * answer to our pair is ignored.
 */
#ifndef NET_RELAY_RELAY_CLIENT_H
#define NET_RELAY_RELAY_CLIENT_H

#include "net/relay/relay_message.h"

struct relay_client;

enum relay_state {
	RELAY_WAITING, /* for the other peer, and for the relay's answer */
	RELAY_PAIRED,
	RELAY_REFUSED /* it is no relay, or does not want to be ours */
};

/* own: our public key on that connection. */
NODISCARD enum err_code relay_client_new(struct relay_client **out,
    const struct b32 *own, const struct relay_pair *pair, struct err *e);
void relay_client_free(struct relay_client *c); /* NULL is fine */
/* An error: the connection must be dropped. */
NODISCARD enum err_code relay_client_recv(
    struct relay_client *c, struct view frame, struct err *e);
/* The next frame to send, as mux_take() gives it; the caller frees data. */
bool relay_client_take(struct relay_client *c, uint8_t **data, size_t *len);
/* id is set if it is RELAY_PAIRED. */
enum relay_state relay_client_state(const struct relay_client *c, uint32_t *id);

#endif
