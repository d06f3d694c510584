/* impl: what both sides of direct share. Private. */
#ifndef NET_DHT_IMPL_H
#define NET_DHT_IMPL_H

#include "net/dht/direct.h"
#include "net/dht/message.h"

/* The target of a server: hash of its key. */
void direct_target(struct b32 *out, const struct b32 *key);
/* A handshake machine of the DHT; remote NULL: the responder. */
NODISCARD enum err_code direct_noise(struct noise **out,
    const struct sign_pair *pair, const struct b32 *remote, struct err *e);
/* Our payload: where we are if that is known, our stream. */
void direct_payload(struct buf *b, const struct addr *self, uint32_t udx_id,
    enum dht_firewall firewall, enum dht_error error);
/* Keys and addresses of a handshake that is done. */
NODISCARD enum err_code direct_finish(struct dht_peer *out,
    const struct noise *n, const struct dht_payload *theirs,
    const struct addr *from, const struct addr *self, struct err *e);

#endif
