/*
 * message: what is said on the two channels by which a blind peer is asked
 * (network.md 7.4; protomux-rpc@1.10.0, blind-peer-encodings@3.3.0,
 * blind-peer-muxer@1.2.0). Pure. Decoders are total and borrow from their
 * input; encoders append to a buf, whose failure is sticky.
 */
#ifndef BLIND_MESSAGE_H
#define BLIND_MESSAGE_H

#include "base/buf.h"
#include "codec/dec.h"

#define BLIND_METHOD_MAX 64
#define BLIND_TEXT_MAX 1024  /* of an error */
#define BLIND_VALUE_MAX 4096 /* of a request or an answer */
#define BLIND_CORES_MAX 1024 /* in one message of the muxer */

#define BLIND_REQUEST 0 /* message types of protomux-rpc */
#define BLIND_RESPONSE 1
#define BLIND_CORES 0 /* the one of the muxer */

/* -- protomux-rpc --------------------------------------------------------- */

struct blind_request {
	uint64_t id; /* 0: no answer is expected */
	struct view method;
	struct view value;
};

struct blind_response {
	uint64_t id;
	bool error, has_code, has_cause, has_context;
	struct view value; /* unless error */
	struct view text, code;
	struct view cause, cause_code, context;
};

bool blind_dec_request(struct dec *d, struct blind_request *m);
void blind_put_request(struct buf *b, const struct blind_request *m);
bool blind_dec_response(struct dec *d, struct blind_response *m);
void blind_put_response(struct buf *b, const struct blind_response *m);

/* -- values --------------------------------------------------------------- */

/* add-core. The two deprecated keys are read over, and never written. */
struct blind_add {
	struct b32 key, referrer;
	bool has_referrer, announce;
	uint64_t priority;
};

/* What a blind peer knows of a core: the answer to add-core. */
struct blind_record {
	struct b32 key, referrer;
	uint64_t length, bytes;
	uint64_t updated, active; /* Unix time, ms */
	uint64_t priority;
	bool announce, has_referrer;
	uint64_t blocks_cleared, bytes_cleared;
};

bool blind_dec_add(struct dec *d, struct blind_add *m);
void blind_put_add(struct buf *b, const struct blind_add *m);
bool blind_dec_record(struct dec *d, struct blind_record *m);
void blind_put_record(struct buf *b, const struct blind_record *m);
/* delete-core: a key; its answer: a bool. */
bool blind_dec_delete(struct dec *d, struct b32 *key);

/* -- the muxer ------------------------------------------------------------ */

/* The head of the message; `ncores` pairs of key and length follow. */
struct blind_cores {
	struct b32 referrer;
	bool has_referrer, announce;
	uint64_t priority;
	size_t ncores;
};

/* Then blind_dec_core() ncores times, and dec_done(). */
bool blind_dec_cores(struct dec *d, struct blind_cores *m);
bool blind_dec_core(struct dec *d, struct b32 *key, uint64_t *length);
void blind_put_cores(struct buf *b, const struct blind_cores *m);
void blind_put_core(struct buf *b, const struct b32 *key, uint64_t length);

#endif
