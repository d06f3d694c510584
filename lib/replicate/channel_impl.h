/* channel_impl: what conn.c knows of channels of other protocols. Private. */
#ifndef REPLICATE_CHANNEL_IMPL_H
#define REPLICATE_CHANNEL_IMPL_H

#include "replicate/channel.h"
#include "replicate/impl.h"

/* The remote offers one: taken, or left to be refused. */
NODISCARD enum err_code channel_offered(
    struct replicate_peer *p, const struct mux_event *ev, struct err *e);
/* The channel an event is for; NULL: that of a core. */
struct replicate_channel *channel_of(
    const struct replicate_peer *p, const struct mux_event *ev);
NODISCARD enum err_code channel_event(
    struct replicate_channel *c, const struct mux_event *ev, struct err *e);
/* The connection is gone, and all of its channels with it. */
void channel_forget(struct replicate_peer *p);

#endif
