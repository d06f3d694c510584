/*
 * Messages of a replication channel. The first byte says which, the rest is
 * its body. What decodes is encoded in one way only: decoding that gives the
 * same again, byte by byte, and it is never longer than what came in.
 */
#include <stdlib.h>
#include <string.h>

#include "replicate/message.h"
#include "support/vec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct core_proof proof;
static struct manifest manifest;

static bool
again(unsigned type, struct view body, struct buf *out)
{
	union {
		struct message_handshake handshake;
		struct message_sync sync;
		struct message_request request;
		struct message_no_data no_data;
		struct message_want want;
		struct message_bitfield bitfield;
		struct message_range range;
		struct message_extension extension;
		uint64_t id;
	} m;
	struct dec d;

	dec_init(&d, body);
	switch (type) {
	case MESSAGE_SYNC:
		if (message_dec_sync(&d, &m.sync))
			message_put_sync(out, &m.sync);
		break;
	case MESSAGE_REQUEST:
		if (message_dec_request(&d, &m.request))
			message_put_request(out, &m.request);
		break;
	case MESSAGE_CANCEL:
		if (message_dec_cancel(&d, &m.id))
			message_put_cancel(out, m.id);
		break;
	case MESSAGE_DATA:
		if (message_dec_data(&d, &m.id, &proof, &manifest))
			message_put_data(out, m.id, &proof);
		check(out->len <= message_data_size(&proof));
		break;
	case MESSAGE_NO_DATA:
		if (message_dec_no_data(&d, &m.no_data))
			message_put_no_data(out, &m.no_data);
		break;
	case MESSAGE_WANT:
	case MESSAGE_UNWANT:
		if (message_dec_want(&d, &m.want))
			message_put_want(out, &m.want);
		break;
	case MESSAGE_BITFIELD:
		if (message_dec_bitfield(&d, &m.bitfield))
			message_put_bitfield(out, &m.bitfield);
		break;
	case MESSAGE_RANGE:
		if (message_dec_range(&d, &m.range))
			message_put_range(out, &m.range);
		break;
	case MESSAGE_EXTENSION:
		if (message_dec_extension(&d, &m.extension))
			message_put_extension(out, &m.extension);
		break;
	default:
		if (message_dec_handshake(&d, &m.handshake))
			message_put_handshake(out, &m.handshake);
	}
	return dec_ok(&d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf once, twice;
	unsigned type;

	if (size == 0)
		return 0;
	type = data[0] % (MESSAGE_TYPES + 1);
	buf_init(&once, 1 << 20);
	buf_init(&twice, 1 << 20);
	if (again(type, view_of(data + 1, size - 1), &once)) {
		check(once.failed == ERR_OK);
		/* noData tells by a flag that it has no reason */
		check(once.len <= size + (type == MESSAGE_NO_DATA));
		check(again(type, buf_view(&once), &twice));
		check_same(buf_view(&twice), buf_view(&once));
	} else {
		check(once.len == 0);
	}
	buf_deinit(&once);
	buf_deinit(&twice);
	return 0;
}
