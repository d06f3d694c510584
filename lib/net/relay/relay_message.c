#include "net/relay/relay_message.h"

#include "codec/enc.h"

enum { IS_INITIATOR = 1 };

bool
relay_message_pair_decode(struct relay_pair *out, struct view v)
{
	struct relay_pair p = {0};
	uint64_t id;
	struct dec d;

	dec_init(&d, v);
	p.initiator = (dec_u8(&d) & IS_INITIATOR) != 0;
	dec_b32(&d, &p.token);
	id = dec_uint(&d);
	p.seq = dec_uint(&d);
	if (id > UINT32_MAX)
		dec_fail(&d, "a stream id of more than 32 bits");
	p.id = (uint32_t)id;
	if (!dec_ok(&d))
		return false;
	*out = p;
	return true;
}

void
relay_message_pair_encode(struct buf *b, const struct relay_pair *p)
{
	enc_u8(b, p->initiator ? IS_INITIATOR : 0);
	enc_b32(b, &p->token);
	enc_uint(b, p->id);
	enc_uint(b, p->seq);
}
