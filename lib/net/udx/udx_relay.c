/*
 * Forwarding (network.md 1.8): a datagram gets the stream id that the far
 * side knows and goes on as it is. Nothing is kept of it; what the owner
 * does not poll in time is lost like on any path.
 */
#include "net/udx/impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "base/buf.h"
#include "codec/dec.h"
#include "codec/enc.h"

#define RELAYED_MAX (256 * 1024)

void
udx_relay_to(struct udx *from, struct udx *to)
{
	bug_if(from == to);
	udx_relay_free(from);
	if (to->relay_from != NULL)
		udx_relay_free(to->relay_from);
	from->relay_to = to;
	to->relay_from = from;
}

void
udx_relay_recv(struct udx *u, struct view datagram)
{
	if (!u->relay_to->connected || datagram.len > UDX_DATAGRAM_MAX)
		return;
	if (u->relayed == NULL) {
		u->relayed = malloc(sizeof(*u->relayed));
		if (u->relayed == NULL)
			return;
		buf_init(u->relayed, RELAYED_MAX);
	}
	if (u->relayed->len + 2 + datagram.len > RELAYED_MAX)
		return;
	enc_u16le(u->relayed, (uint16_t)datagram.len);
	enc_fixed(u->relayed, datagram);
	if (u->relayed->failed != ERR_OK)
		buf_reset(u->relayed);
}

/* Takes n bytes off the front; an empty queue gives its memory back. */
static void
drop_front(struct udx *u, size_t n)
{
	struct buf *b = u->relayed;

	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
	if (b->len > 0)
		return;
	buf_deinit(b);
	free(b);
	u->relayed = NULL;
}

bool
udx_relay_poll(struct udx *u, uint8_t *buf, size_t cap, struct udx_out *out)
{
	const struct path *to = &u->relay_to->path;
	struct udx_packet id = {.remote_id = to->remote_id};
	uint8_t header[UDX_HEADER];
	size_t used = 0, len = 0, segment = 0;
	struct dec d;

	if (u->relayed == NULL)
		return false;
	cap = cap < UDX_TRAIN_MAX ? cap : UDX_TRAIN_MAX;
	udx_packet_header(header, &id);
	dec_init(&d, buf_view(u->relayed));
	for (uint32_t n = 0; n < u->opts.segments_max; n++) {
		size_t one = dec_u16le(&d);
		struct view v = dec_fixed(&d, one);

		if (!dec_ok(&d) || v.len > cap - len ||
		    (n > 0 && v.len > segment))
			break;
		segment = n == 0 ? v.len : segment;
		memcpy(buf + len, v.ptr, v.len);
		memcpy(buf + len + 4, header + 4, 4);
		len += v.len;
		used = dec_pos(&d);
		if (v.len < segment)
			break;
	}
	drop_front(u, used);
	*out = (struct udx_out){to->to, len, segment, false};
	return true;
}

void
udx_relay_free(struct udx *u)
{
	if (u->relay_to != NULL)
		u->relay_to->relay_from = NULL;
	u->relay_to = NULL;
	if (u->relayed != NULL)
		buf_deinit(u->relayed);
	free(u->relayed);
	u->relayed = NULL;
}
