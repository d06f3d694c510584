/* Unordered messages: counter || secretbox. */
#include <string.h>

#include "base/bug.h"
#include "net/secret/impl.h"

#define COUNTER_LEN 8

static void
nonce_of(uint8_t out[static SECRETBOX_NONCE], const uint8_t *counter)
{
	memset(out, 0, SECRETBOX_NONCE);
	memcpy(out, counter, COUNTER_LEN);
}

enum err_code
secret_stream_seal_message(
    struct secret_stream *s, struct view plain, struct buf *out, struct err *e)
{
	uint8_t nonce[SECRETBOX_NONCE], *p;

	bug_if(s->keys == NULL);
	if (s->sent + 1 == s->began)
		return err_set(e, ERR_LIMIT, "all counters are used up");
	p = buf_extend(out, COUNTER_LEN + SECRETBOX_MAC + plain.len);
	if (p == NULL)
		return buf_check(out, e);
	s->sent++;
	for (size_t i = 0; i < COUNTER_LEN; i++)
		p[i] = (uint8_t)(s->sent >> (8 * i));
	nonce_of(nonce, p);
	secretbox_seal(p + COUNTER_LEN, plain, nonce, s->keys->send_key);
	return ERR_OK;
}

bool
secret_stream_open_message(
    struct secret_stream *s, struct view message, struct buf *plain)
{
	struct view counter = view_sub(message, 0, COUNTER_LEN);
	struct view box = view_sub(message, COUNTER_LEN, message.len);
	uint8_t nonce[SECRETBOX_NONCE], *p;

	if (s->keys == NULL || box.len < SECRETBOX_MAC)
		return false;
	if ((p = buf_extend(plain, box.len - SECRETBOX_MAC)) == NULL)
		return false;
	nonce_of(nonce, counter.ptr);
	if (secretbox_open(p, box, nonce, s->keys->open_key))
		return true;
	plain->len -= box.len - SECRETBOX_MAC;
	return false;
}
