#include "net/relay/relay_client.h"

#include <stdlib.h>

#include "net/mux/mux.h"

struct relay_client {
	struct mux *mux;
	struct mux_channel *channel; /* NULL: the relay closed it */
	struct relay_pair pair;
	enum relay_state state;
	uint32_t id; /* RELAY_PAIRED: of the relay's stream */
};

/* The channel may be written to before the relay has opened it, too. */
static enum err_code
ask(struct relay_client *c, const struct b32 *own, struct err *e)
{
	enum err_code rc = mux_open(c->mux, view_str(RELAY_PROTOCOL),
	    view_b32(own), VIEW_EMPTY, c, &c->channel, e);

	if (rc != ERR_OK)
		return rc;
	relay_message_pair_encode(
	    mux_begin(c->channel, RELAY_PAIR, 64), &c->pair);
	return mux_end(c->mux, e);
}

enum err_code
relay_client_new(struct relay_client **out, const struct b32 *own,
    const struct relay_pair *pair, struct err *e)
{
	const struct mux_limits limits = {.channels = 4};
	struct relay_client *c = calloc(1, sizeof(*c));
	enum err_code rc;

	if (c == NULL)
		return err_nomem(e);
	c->pair = *pair;
	if ((rc = mux_new(&c->mux, &limits, e)) != ERR_OK ||
	    (rc = ask(c, own, e)) != ERR_OK) {
		relay_client_free(c);
		return rc;
	}
	*out = c;
	return ERR_OK;
}

void
relay_client_free(struct relay_client *c)
{
	if (c == NULL)
		return;
	mux_free(c->mux);
	free(c);
}

/* The answer names the token and our part; another one is none of ours. */
static void
on_message(struct relay_client *c, const struct mux_event *ev)
{
	struct relay_pair p;

	if (ev->type != RELAY_PAIR || c->state != RELAY_WAITING ||
	    !relay_message_pair_decode(&p, ev->body) ||
	    !b32_eq(&p.token, &c->pair.token) ||
	    p.initiator != c->pair.initiator)
		return;
	c->id = p.id;
	c->state = RELAY_PAIRED;
}

enum err_code
relay_client_recv(struct relay_client *c, struct view frame, struct err *e)
{
	struct mux_event ev;
	enum err_code rc;

	if ((rc = mux_recv(c->mux, frame, e)) != ERR_OK)
		return rc;
	while (mux_next(c->mux, &ev, e)) {
		switch (ev.kind) {
		case MUX_OFFERED: /* of another protocol: refused */
		case MUX_OPENED:
			break;
		case MUX_MESSAGE:
			on_message(c, &ev);
			break;
		case MUX_REJECTED:
		case MUX_CLOSED:
			c->channel = NULL;
			c->state = RELAY_REFUSED;
			break;
		}
	}
	return e->code;
}

bool
relay_client_take(struct relay_client *c, uint8_t **data, size_t *len)
{
	return mux_take(c->mux, data, len);
}

enum relay_state
relay_client_state(const struct relay_client *c, uint32_t *id)
{
	if (c->state == RELAY_PAIRED)
		*id = c->id;
	return c->state;
}
