/* impl: what the files of secret_stream share. Private. */
#ifndef NET_SECRET_IMPL_H
#define NET_SECRET_IMPL_H

#include "crypto/secretbox.h"
#include "crypto/sstream.h"
#include "net/secret/secret_stream.h"

/* In guarded memory. */
struct secret_keys {
	struct sstream tx, rx;
	uint8_t rx_key[SSTREAM_KEY]; /* until the header came */
	uint8_t send_key[SECRETBOX_KEY], open_key[SECRETBOX_KEY];
};

enum secret_phase {
	SECRET_NOISE,  /* each frame is a message of the handshake */
	SECRET_HEADER, /* the next frame is the other side's header */
	SECRET_FRAMES,
	SECRET_BROKEN
};

/* A frame that is coming: data holds have of its len bytes, in room for
 * cap. */
struct secret_partial {
	uint8_t prefix[3];
	uint8_t prefixed; /* bytes of it that came */
	uint8_t *data;
	size_t have, len, cap;
};

struct secret_stream {
	enum secret_phase phase;
	bool initiator;
	size_t plain_max;
	struct secret mem;
	struct secret_keys *keys; /* in mem; NULL: not ready */
	struct noise *noise;	  /* while SECRET_NOISE */
	bool expects;
	struct b32 expect, remote;
	uint8_t hash[64];
	struct buf pending;
	struct secret_partial in;
	/* whole plaintexts [first, n) */
	struct secret_frame *frame;
	size_t first, n, cap;
	/* counters of unordered messages: the last one, and where it began */
	uint64_t sent, began;
};

#endif
