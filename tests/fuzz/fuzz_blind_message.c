/*
 * Messages to and from blind peers: the first byte says which. What decodes
 * stays within its input, and is written again so that it decodes to the same
 * (deprecated keys and flags without a meaning are left out).
 */
#include <string.h>

#include "blind/message.h"
#include "support/vec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
inside(struct view v, struct view all)
{
	check(v.len == 0 ||
	      (v.ptr >= all.ptr && v.ptr + v.len <= all.ptr + all.len));
}

static void
request(struct view in, struct buf *b)
{
	struct blind_request m, again;
	struct dec d;

	dec_init(&d, in);
	if (!blind_dec_request(&d, &m))
		return;
	inside(m.method, in);
	inside(m.value, in);
	blind_put_request(b, &m);
	dec_init(&d, buf_view(b));
	check(blind_dec_request(&d, &again));
	check(m.id == again.id && view_eq(m.method, again.method));
	check(view_eq(m.value, again.value));
}

static void
response(struct view in, struct buf *b)
{
	struct blind_response m, again;
	struct dec d;

	dec_init(&d, in);
	if (!blind_dec_response(&d, &m))
		return;
	inside(m.value, in);
	inside(m.context, in);
	blind_put_response(b, &m);
	dec_init(&d, buf_view(b));
	check(blind_dec_response(&d, &again));
	check(m.id == again.id && m.error == again.error);
	check(view_eq(m.value, again.value) && view_eq(m.text, again.text));
	check(view_eq(m.code, again.code) && view_eq(m.cause, again.cause));
	check(view_eq(m.cause_code, again.cause_code));
	check(view_eq(m.context, again.context));
}

static void
add(struct view in, struct buf *b)
{
	struct blind_add m, again;
	struct dec d;

	dec_init(&d, in);
	if (!blind_dec_add(&d, &m))
		return;
	blind_put_add(b, &m);
	dec_init(&d, buf_view(b));
	check(blind_dec_add(&d, &again));
	check(b32_eq(&m.key, &again.key) && m.priority == again.priority);
	check(m.announce == again.announce);
	check(m.has_referrer == again.has_referrer);
	check(b32_eq(&m.referrer, &again.referrer));
}

static void
record(struct view in, struct buf *b)
{
	struct blind_record m, again;
	struct dec d;

	dec_init(&d, in);
	if (!blind_dec_record(&d, &m))
		return;
	blind_put_record(b, &m);
	dec_init(&d, buf_view(b));
	check(blind_dec_record(&d, &again));
	check(b32_eq(&m.key, &again.key) && m.length == again.length);
	check(m.bytes == again.bytes && m.updated == again.updated);
	check(m.active == again.active && m.priority == again.priority);
	check(m.announce == again.announce);
	check(b32_eq(&m.referrer, &again.referrer));
	check(m.blocks_cleared == again.blocks_cleared);
	check(m.bytes_cleared == again.bytes_cleared);
}

static void
cores(struct view in, struct buf *b)
{
	struct blind_cores m, again;
	struct b32 key;
	uint64_t length;
	struct dec d;

	dec_init(&d, in);
	if (!blind_dec_cores(&d, &m))
		return;
	blind_put_cores(b, &m);
	for (size_t i = 0; i < m.ncores; i++) {
		if (!blind_dec_core(&d, &key, &length))
			return;
		blind_put_core(b, &key, length);
	}
	dec_init(&d, buf_view(b));
	check(blind_dec_cores(&d, &again));
	check(m.ncores == again.ncores && m.announce == again.announce);
	check(m.priority == again.priority);
	check(b32_eq(&m.referrer, &again.referrer));
	for (size_t i = 0; i < m.ncores; i++)
		check(blind_dec_core(&d, &key, &length));
	check(dec_done(&d));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const part[])(struct view in, struct buf * b) = {
	    request, response, add, record, cores};
	struct buf b;

	if (size == 0 || data[0] >= sizeof(part) / sizeof(part[0]))
		return 0;
	buf_init(&b, 65536 + size);
	part[data[0]](view_of(data + 1, size - 1), &b);
	check(b.failed == ERR_OK);
	buf_deinit(&b);
	return 0;
}
