/* Channels of other protocols, beside those of cores. */
#include "replicate/channel.h"

#include <stdlib.h>

#include "replicate/channel_impl.h"

struct replicate_channel {
	struct replicate_peer *peer;
	const struct replicate_protocol *protocol;
	struct mux_channel *ch;
	void *user;
};

/* -- protocols ------------------------------------------------------------ */

enum err_code
replicate_protocol(
    struct replicate *r, const struct replicate_protocol *p, struct err *e)
{
	if (r->nprotocols == REPLICATE_PROTOCOLS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d protocols",
		    REPLICATE_PROTOCOLS_MAX);
	r->protocol[r->nprotocols++] = p;
	return ERR_OK;
}

static const struct replicate_protocol *
who_takes(const struct replicate *r, const struct mux_event *ev)
{
	const struct replicate_protocol *p;

	for (size_t i = 0; i < r->nprotocols; i++) {
		p = r->protocol[i];
		if (p->takes && view_eq(ev->protocol, view_str(p->name)) &&
		    view_eq(ev->id, p->id))
			return p;
	}
	return NULL;
}

/* -- life ----------------------------------------------------------------- */

enum err_code
replicate_channel_open(struct replicate_peer *peer,
    const struct replicate_protocol *p, struct view id, void *user,
    struct replicate_channel **out, struct err *e)
{
	struct replicate_channel *c;
	enum err_code rc;

	if (peer->nchannels == REPLICATE_CHANNELS_MAX)
		return err_set(e, ERR_LIMIT,
		    "more than %d channels on a connection",
		    REPLICATE_CHANNELS_MAX);
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return err_nomem(e);
	*c = (struct replicate_channel){peer, p, NULL, user};
	conn_stir(peer);
	rc = mux_open(
	    peer->mux, view_str(p->name), id, VIEW_EMPTY, c, &c->ch, e);
	if (rc != ERR_OK) {
		free(c);
		return rc;
	}
	peer->channel[peer->nchannels++] = c;
	*out = c;
	return ERR_OK;
}

static void
unlink_channel(struct replicate_channel *c)
{
	struct replicate_peer *p = c->peer;
	size_t i = 0;

	while (p->channel[i] != c)
		i++;
	p->channel[i] = p->channel[--p->nchannels];
}

void
replicate_channel_close(struct replicate_channel *ch)
{
	conn_stir(ch->peer);
	mux_close(ch->peer->mux, ch->ch);
	unlink_channel(ch);
	free(ch);
}

static void
over(struct replicate_channel *c)
{
	unlink_channel(c);
	c->protocol->closed(c->protocol->ctx, c);
	free(c);
}

void
channel_forget(struct replicate_peer *p)
{
	while (p->nchannels > 0)
		over(p->channel[p->nchannels - 1]);
}

/* -- events --------------------------------------------------------------- */

enum err_code
channel_offered(
    struct replicate_peer *p, const struct mux_event *ev, struct err *e)
{
	const struct replicate_protocol *protocol = who_takes(p->r, ev);
	struct replicate_channel *c;
	enum err_code rc;

	if (protocol == NULL || p->nchannels == REPLICATE_CHANNELS_MAX)
		return ERR_OK; /* refused by the mux */
	rc = replicate_channel_open(p, protocol, ev->id, NULL, &c, e);
	return rc == ERR_OK ? protocol->taken(protocol->ctx, c, e) : rc;
}

struct replicate_channel *
channel_of(const struct replicate_peer *p, const struct mux_event *ev)
{
	for (size_t i = 0; i < p->nchannels; i++)
		if (p->channel[i] == ev->user)
			return p->channel[i];
	return NULL;
}

enum err_code
channel_event(
    struct replicate_channel *c, const struct mux_event *ev, struct err *e)
{
	switch (ev->kind) {
	case MUX_MESSAGE:
		return c->protocol->message(
		    c->protocol->ctx, c, ev->type, ev->body, e);
	case MUX_REJECTED:
	case MUX_CLOSED:
		over(c);
		break;
	case MUX_OFFERED:
	case MUX_OPENED:
		break;
	}
	return ERR_OK;
}

/* -- for its users -------------------------------------------------------- */

struct replicate_peer *
replicate_channel_peer(const struct replicate_channel *ch)
{
	return ch->peer;
}

void *
replicate_channel_user(const struct replicate_channel *ch)
{
	return ch->user;
}

void
replicate_channel_set_user(struct replicate_channel *ch, void *user)
{
	ch->user = user;
}

struct buf *
replicate_channel_begin(
    struct replicate_channel *ch, uint64_t type, size_t size)
{
	return mux_begin(ch->ch, type, size);
}

void
replicate_channel_end(struct replicate_channel *ch)
{
	enum err_code rc = mux_end(ch->peer->mux, NULL);

	conn_stir(ch->peer);
	if (rc != ERR_OK)
		ch->peer->failed = rc;
}

struct replicate_peer *
replicate_peer_find(struct replicate *r, const struct b32 *key)
{
	struct replicate_peer *p = r->peers;

	while (p != NULL && !b32_eq(&p->o.key, key))
		p = p->next;
	return p;
}

const struct b32 *
replicate_peer_key(const struct replicate_peer *p)
{
	return &p->o.key;
}
