#include "net/udx/udx_packet.h"

#include <string.h>

#include "base/bug.h"
#include "codec/dec.h"

#define MAGIC 0xff
#define VERSION 1

static uint32_t
load(const uint8_t b[static 4])
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
	       (uint32_t)b[3] << 24;
}

static void
store(uint8_t b[static 4], uint32_t n)
{
	b[0] = (uint8_t)n;
	b[1] = (uint8_t)(n >> 8);
	b[2] = (uint8_t)(n >> 16);
	b[3] = (uint8_t)(n >> 24);
}

bool
udx_peek(struct view datagram, uint32_t *id)
{
	const uint8_t *b = datagram.ptr;

	if (datagram.len < UDX_HEADER || datagram.len > UDX_RECEIVE_MAX ||
	    b[0] != MAGIC || b[1] != VERSION)
		return false;
	*id = load(b + 4);
	return true;
}

/* The area of ranges ends at `padding`, where that is given and inside. */
static void
parse_sack(struct udx_packet *p, struct dec *d)
{
	size_t n = dec_left(d);

	if (p->padding > 0 && p->padding < n)
		n = p->padding;
	p->sack = dec_fixed(d, n - n % UDX_RANGE_BYTES);
}

bool
udx_packet_parse(struct udx_packet *out, struct view datagram)
{
	struct udx_packet p = {.payload = VIEW_EMPTY, .sack = VIEW_EMPTY};
	struct view head;
	struct dec d;

	dec_init(&d, datagram);
	head = dec_fixed(&d, UDX_HEADER);
	if (!dec_ok(&d) || !udx_peek(datagram, &p.remote_id))
		return false;
	p.type = head.ptr[2];
	p.padding = head.ptr[3];
	p.window = load(head.ptr + 8);
	p.seq = load(head.ptr + 12);
	p.ack = load(head.ptr + 16);
	if ((p.type & UDX_SACK) != 0) {
		parse_sack(&p, &d);
	} else {
		dec_fixed(&d, p.padding);
		p.payload = dec_rest(&d);
	}
	if (!dec_ok(&d))
		return false;
	*out = p;
	return true;
}

size_t
udx_packet_ranges(const struct udx_packet *p)
{
	return p->sack.len / UDX_RANGE_BYTES;
}

struct udx_range
udx_packet_range(const struct udx_packet *p, size_t i)
{
	struct view v = view_sub(p->sack, i * UDX_RANGE_BYTES, UDX_RANGE_BYTES);

	bug_if(v.len != UDX_RANGE_BYTES);
	return (struct udx_range){load(v.ptr), load(v.ptr + 4)};
}

void
udx_packet_header(uint8_t out[static UDX_HEADER], const struct udx_packet *p)
{
	out[0] = MAGIC;
	out[1] = VERSION;
	out[2] = p->type;
	out[3] = p->padding;
	store(out + 4, p->remote_id);
	store(out + 8, p->window);
	store(out + 12, p->seq);
	store(out + 16, p->ack);
}

void
udx_packet_put_range(uint8_t out[static UDX_RANGE_BYTES], struct udx_range r)
{
	store(out, r.start);
	store(out + 4, r.end);
}
