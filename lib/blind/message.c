#include "blind/message.h"

#include "codec/enc.h"

/* -- protomux-rpc --------------------------------------------------------- */

/* response: flags of the first byte */
#define ERROR 1
#define CODE 2
#define CAUSE 4
#define CONTEXT 8

bool
blind_dec_request(struct dec *d, struct blind_request *m)
{
	*m = (struct blind_request){.id = dec_uint(d)};
	m->method = dec_bytes(d, BLIND_METHOD_MAX);
	m->value = dec_rest(d);
	return dec_done(d);
}

void
blind_put_request(struct buf *b, const struct blind_request *m)
{
	enc_uint(b, m->id);
	enc_bytes(b, m->method);
	enc_fixed(b, m->value);
}

/* A code without an error would mean nothing, a context hangs on a cause. */
bool
blind_dec_response(struct dec *d, struct blind_response *m)
{
	uint8_t flags = dec_u8(d);

	*m = (struct blind_response){.id = dec_uint(d)};
	m->error = (flags & ERROR) != 0;
	if (!m->error) {
		m->value = dec_rest(d);
		return dec_done(d);
	}
	m->has_code = (flags & CODE) != 0;
	m->has_cause = (flags & CAUSE) != 0;
	m->has_context = m->has_cause && (flags & CONTEXT) != 0;
	m->text = dec_bytes(d, BLIND_TEXT_MAX);
	if (m->has_code)
		m->code = dec_bytes(d, BLIND_TEXT_MAX);
	if (m->has_cause) {
		m->cause = dec_bytes(d, BLIND_TEXT_MAX);
		m->cause_code = dec_bytes(d, BLIND_TEXT_MAX);
	}
	if (m->has_context)
		m->context = dec_bytes(d, BLIND_TEXT_MAX);
	return dec_done(d);
}

void
blind_put_response(struct buf *b, const struct blind_response *m)
{
	if (!m->error) {
		enc_u8(b, 0);
		enc_uint(b, m->id);
		enc_fixed(b, m->value);
		return;
	}
	enc_u8(b, (uint8_t)(ERROR | (m->has_code ? CODE : 0) |
			    (m->has_cause ? CAUSE : 0) |
			    (m->has_context ? CONTEXT : 0)));
	enc_uint(b, m->id);
	enc_bytes(b, m->text);
	if (m->has_code)
		enc_bytes(b, m->code);
	if (m->has_cause) {
		enc_bytes(b, m->cause);
		enc_bytes(b, m->cause_code);
	}
	if (m->has_context)
		enc_bytes(b, m->context);
}

/* -- values --------------------------------------------------------------- */

#define ADD_REFERRER 1
#define ADD_DEPRECATED 2 /* and 4 */
#define ADD_PRIORITY 8
#define ADD_ANNOUNCE 16

bool
blind_dec_add(struct dec *d, struct blind_add *m)
{
	uint64_t flags = dec_uint(d);

	*m = (struct blind_add){.announce = (flags & ADD_ANNOUNCE) != 0};
	dec_b32(d, &m->key);
	m->has_referrer = (flags & ADD_REFERRER) != 0;
	if (m->has_referrer)
		dec_b32(d, &m->referrer);
	for (uint64_t f = ADD_DEPRECATED; f < ADD_PRIORITY; f *= 2)
		if ((flags & f) != 0)
			(void)dec_fixed(d, 32);
	if ((flags & ADD_PRIORITY) != 0)
		m->priority = dec_uint(d);
	return dec_done(d);
}

void
blind_put_add(struct buf *b, const struct blind_add *m)
{
	enc_uint(b, (m->has_referrer ? ADD_REFERRER : 0) |
			(m->priority != 0 ? ADD_PRIORITY : 0) |
			(m->announce ? ADD_ANNOUNCE : 0));
	enc_b32(b, &m->key);
	if (m->has_referrer)
		enc_b32(b, &m->referrer);
	if (m->priority != 0)
		enc_uint(b, m->priority);
}

#define RECORD_ANNOUNCE 1
#define RECORD_REFERRER 2
#define RECORD_BLOCKS 4
#define RECORD_BYTES 8

bool
blind_dec_record(struct dec *d, struct blind_record *m)
{
	uint64_t flags;

	*m = (struct blind_record){.length = 0};
	dec_b32(d, &m->key);
	m->length = dec_uint(d);
	m->bytes = dec_uint(d);
	m->updated = dec_uint(d);
	m->active = dec_uint(d);
	m->priority = dec_uint(d);
	flags = dec_uint(d);
	m->announce = (flags & RECORD_ANNOUNCE) != 0;
	m->has_referrer = (flags & RECORD_REFERRER) != 0;
	if (m->has_referrer)
		dec_b32(d, &m->referrer);
	if ((flags & RECORD_BLOCKS) != 0)
		m->blocks_cleared = dec_uint(d);
	if ((flags & RECORD_BYTES) != 0)
		m->bytes_cleared = dec_uint(d);
	return dec_done(d);
}

void
blind_put_record(struct buf *b, const struct blind_record *m)
{
	enc_b32(b, &m->key);
	enc_uint(b, m->length);
	enc_uint(b, m->bytes);
	enc_uint(b, m->updated);
	enc_uint(b, m->active);
	enc_uint(b, m->priority);
	enc_uint(b, (m->announce ? RECORD_ANNOUNCE : 0) |
			(m->has_referrer ? RECORD_REFERRER : 0) |
			(m->blocks_cleared != 0 ? RECORD_BLOCKS : 0) |
			(m->bytes_cleared != 0 ? RECORD_BYTES : 0));
	if (m->has_referrer)
		enc_b32(b, &m->referrer);
	if (m->blocks_cleared != 0)
		enc_uint(b, m->blocks_cleared);
	if (m->bytes_cleared != 0)
		enc_uint(b, m->bytes_cleared);
}

bool
blind_dec_delete(struct dec *d, struct b32 *key)
{
	dec_b32(d, key);
	return dec_done(d);
}

/* -- the muxer ------------------------------------------------------------ */

#define CORES_REFERRER 1
#define CORES_PRIORITY 2
#define CORES_ANNOUNCE 4

bool
blind_dec_cores(struct dec *d, struct blind_cores *m)
{
	uint64_t flags = dec_uint(d);

	*m = (struct blind_cores){.announce = (flags & CORES_ANNOUNCE) != 0};
	m->has_referrer = (flags & CORES_REFERRER) != 0;
	if (m->has_referrer)
		dec_b32(d, &m->referrer);
	if ((flags & CORES_PRIORITY) != 0)
		m->priority = dec_uint(d);
	m->ncores = dec_count(d, BLIND_CORES_MAX);
	return dec_ok(d);
}

bool
blind_dec_core(struct dec *d, struct b32 *key, uint64_t *length)
{
	dec_b32(d, key);
	*length = dec_uint(d);
	return dec_ok(d);
}

void
blind_put_cores(struct buf *b, const struct blind_cores *m)
{
	enc_uint(b, (m->has_referrer ? CORES_REFERRER : 0) |
			(m->priority != 0 ? CORES_PRIORITY : 0) |
			(m->announce ? CORES_ANNOUNCE : 0));
	if (m->has_referrer)
		enc_b32(b, &m->referrer);
	if (m->priority != 0)
		enc_uint(b, m->priority);
	enc_uint(b, m->ncores);
}

void
blind_put_core(struct buf *b, const struct b32 *key, uint64_t length)
{
	enc_b32(b, key);
	enc_uint(b, length);
}
