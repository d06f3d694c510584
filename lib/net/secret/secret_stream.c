#include "net/secret/secret_stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "base/bug.h"
#include "crypto/hash.h"
#include "net/secret/impl.h"

#define PENDING_MAX 4096
#define ID_LEN 32
#define HEADER_LEN (ID_LEN + SSTREAM_HEADER)
#define OVERHEAD (SSTREAM_HEAD + SSTREAM_TAIL)
/* A frame announced up to this size is given its memory at once. */
#define AT_ONCE (256u << 10)
#define QUEUE_KEPT 64 /* frames whose queue is kept while idle */

enum { NS_INITIATOR, NS_RESPONDER, NS_SEND };

static void
namespace_of(struct b32 *out, uint8_t id)
{
	hash_namespace(out, "hyperswarm/secret-stream", id);
}

/* -- keys ----------------------------------------------------------------- */

/* What only the two ends of this connection can tell each other. */
static void
stream_id(const struct secret_stream *s, bool initiator, struct b32 *out)
{
	struct b32 ns;
	const struct view v = {ns.b, 32};

	namespace_of(&ns, initiator ? NS_INITIATOR : NS_RESPONDER);
	hash_keyed64_batch(out, s->hash, &v, 1);
}

static void
message_key(const struct secret_stream *s, bool initiator,
    uint8_t out[static SECRETBOX_KEY])
{
	struct b32 who, send, key;
	const struct view v[2] = {{who.b, 32}, {send.b, 32}};

	namespace_of(&who, initiator ? NS_INITIATOR : NS_RESPONDER);
	namespace_of(&send, NS_SEND);
	hash_keyed64_batch(&key, s->hash, v, 2);
	memcpy(out, key.b, SECRETBOX_KEY);
	secret_wipe(&key, sizeof(key));
}

static void
put_length(uint8_t *out, size_t len)
{
	out[0] = (uint8_t)len;
	out[1] = (uint8_t)(len >> 8);
	out[2] = (uint8_t)(len >> 16);
}

/* The handshake is over: our header goes out, theirs is expected. */
static enum err_code
start(struct secret_stream *s, const struct noise_keys *k, struct err *e)
{
	uint8_t header[3 + HEADER_LEN];
	struct b32 id;
	enum err_code rc;

	/* whole cache lines, because guarded memory is aligned to its end */
	if ((rc = secret_new(&s->mem,
		 (sizeof(struct secret_keys) + 63) / 64 * 64, e)) != ERR_OK)
		return rc;
	s->keys = (struct secret_keys *)(void *)s->mem.ptr;
	s->remote = k->remote;
	memcpy(s->hash, k->hash, sizeof(s->hash));
	memcpy(s->keys->rx_key, k->rx.ptr, SSTREAM_KEY);
	message_key(s, s->initiator, s->keys->send_key);
	message_key(s, !s->initiator, s->keys->open_key);
	secret_random(&s->began, sizeof(s->began));
	s->sent = s->began;
	stream_id(s, s->initiator, &id);
	put_length(header, HEADER_LEN);
	memcpy(header + 3, id.b, ID_LEN);
	sstream_init_send(&s->keys->tx, header + 3 + ID_LEN, k->tx.ptr);
	buf_append(&s->pending, view_of(header, sizeof(header)));
	s->phase = SECRET_HEADER;
	return buf_check(&s->pending, e);
}

/* -- the handshake in the stream ------------------------------------------ */

static enum err_code
noise_speak(struct secret_stream *s, struct err *e)
{
	size_t at = s->pending.len;
	uint8_t *p = buf_extend(&s->pending, 3);
	enum err_code rc;

	if (p == NULL)
		return buf_check(&s->pending, e);
	rc = noise_send(s->noise, VIEW_EMPTY, &s->pending, e);
	if (rc == ERR_OK)
		put_length(s->pending.data + at, s->pending.len - at - 3);
	return rc;
}

static enum err_code
noise_finish(struct secret_stream *s, struct err *e)
{
	struct noise_keys k;
	enum err_code rc = noise_result(s->noise, &k, e);

	if (rc != ERR_OK)
		return rc;
	rc = start(s, &k, e);
	noise_keys_free(&k);
	noise_free(s->noise);
	s->noise = NULL;
	return rc;
}

static enum err_code
on_noise(struct secret_stream *s, struct view message, struct err *e)
{
	const struct b32 *remote;
	struct buf payload;
	enum err_code rc;

	buf_init(&payload, NOISE_PAYLOAD_MAX);
	rc = noise_recv(s->noise, message, &payload, e);
	buf_deinit(&payload); /* nobody says anything there */
	remote = noise_remote(s->noise);
	/* before our own key is told to a stranger */
	if (rc == ERR_OK && remote != NULL && s->expects &&
	    !b32_eq(remote, &s->expect))
		rc = err_set(e, ERR_VERIFY, "the other side is somebody else");
	if (rc == ERR_OK && noise_sends(s->noise))
		rc = noise_speak(s, e);
	if (rc == ERR_OK && noise_done(s->noise))
		rc = noise_finish(s, e);
	return rc;
}

static enum err_code
on_header(struct secret_stream *s, const uint8_t *header, struct err *e)
{
	struct b32 id;

	stream_id(s, !s->initiator, &id);
	if (memcmp(header, id.b, ID_LEN) != 0)
		return err_set(e, ERR_FORMAT,
		    "the stream header is of another connection");
	sstream_init_recv(&s->keys->rx, header + ID_LEN, s->keys->rx_key);
	secret_wipe(s->keys->rx_key, sizeof(s->keys->rx_key));
	s->phase = SECRET_FRAMES;
	return ERR_OK;
}

/* -- frames --------------------------------------------------------------- */

static enum err_code
push_frame(struct secret_stream *s, struct secret_partial *p, struct err *e)
{
	size_t plain = p->len - OVERHEAD;

	if (plain == 0) /* a keepalive */
		return ERR_OK;
	if (!ARR_RESERVE(s->frame, s->n + 1, s->cap))
		return err_nomem(e);
	s->frame[s->n++] = (struct secret_frame){p->data, SSTREAM_HEAD, plain};
	p->data = NULL;
	return ERR_OK;
}

static enum err_code
on_frame(struct secret_stream *s, struct err *e)
{
	struct secret_partial *p = &s->in;
	enum err_code rc = ERR_OK;

	switch (s->phase) {
	case SECRET_NOISE:
		rc = on_noise(s, view_of(p->data, p->len), e);
		break;
	case SECRET_HEADER:
		rc = on_header(s, p->data, e);
		break;
	case SECRET_FRAMES:
		if (sstream_open(&s->keys->rx, p->data, p->len))
			rc = push_frame(s, p, e);
		else
			rc = err_set(
			    e, ERR_VERIFY, "a frame does not authenticate");
		break;
	case SECRET_BROKEN:
		bug("a frame on a broken stream");
	}
	free(p->data);
	*p = (struct secret_partial){0};
	return rc;
}

static enum err_code
check_length(const struct secret_stream *s, size_t len, struct err *e)
{
	size_t least = OVERHEAD, most = s->plain_max + OVERHEAD;

	if (s->phase == SECRET_NOISE) {
		least = 1;
		most = NOISE_MESSAGE_MAX;
	} else if (s->phase == SECRET_HEADER) {
		least = most = HEADER_LEN;
	}
	if (len >= least && len <= most)
		return ERR_OK;
	return err_set(e, ERR_FORMAT,
	    "a frame of %zu bytes, where %zu to %zu are expected", len, least,
	    most);
}

static enum err_code
take_prefix(struct secret_stream *s, struct view *v, struct err *e)
{
	struct secret_partial *p = &s->in;
	const uint8_t *b = p->prefix;

	while (v->len > 0 && p->prefixed < 3) {
		p->prefix[p->prefixed++] = v->ptr[0];
		*v = view_sub(*v, 1, v->len);
	}
	if (p->prefixed < 3)
		return ERR_OK;
	p->len = (size_t)b[0] | (size_t)b[1] << 8 | (size_t)b[2] << 16;
	return check_length(s, p->len, e);
}

/* Room for n bytes more, as they come and not as they were announced. */
static bool
make_room(struct secret_partial *p, size_t n)
{
	size_t cap = p->cap == 0 ? AT_ONCE : p->cap;
	uint8_t *data;

	if (p->have + n <= p->cap)
		return true;
	while (cap < p->have + n)
		cap *= 2;
	if (cap > p->len)
		cap = p->len;
	if ((data = realloc(p->data, cap)) == NULL)
		return false;
	p->data = data;
	p->cap = cap;
	return true;
}

static enum err_code
take_body(struct secret_stream *s, struct view *v, struct err *e)
{
	struct secret_partial *p = &s->in;
	struct view part = view_sub(*v, 0, p->len - p->have);

	if (!make_room(p, part.len))
		return err_nomem(e);
	memcpy(p->data + p->have, part.ptr, part.len);
	p->have += part.len;
	*v = view_sub(*v, part.len, v->len);
	return p->have == p->len ? on_frame(s, e) : ERR_OK;
}

enum err_code
secret_stream_recv(struct secret_stream *s, struct view v, struct err *e)
{
	enum err_code rc = ERR_OK;

	if (s->phase == SECRET_BROKEN)
		return err_set(e, ERR_VERIFY, "the stream is broken");
	while (rc == ERR_OK && v.len > 0)
		rc = s->in.prefixed < 3 ? take_prefix(s, &v, e)
					: take_body(s, &v, e);
	if (rc != ERR_OK)
		s->phase = SECRET_BROKEN;
	return rc;
}

bool
secret_stream_next(struct secret_stream *s, struct secret_frame *out)
{
	if (s->first < s->n) {
		*out = s->frame[s->first++];
		return true;
	}
	s->first = s->n = 0;
	if (s->cap > QUEUE_KEPT) {
		free(s->frame);
		s->frame = NULL;
		s->cap = 0;
	}
	return false;
}

void
secret_stream_frame_free(struct secret_frame *f)
{
	free(f->data);
	f->data = NULL;
}

size_t
secret_stream_seal(struct secret_stream *s, uint8_t *data, size_t plain)
{
	bug_if(s->keys == NULL || plain > SECRET_PLAIN_MAX);
	put_length(data, plain + OVERHEAD);
	sstream_seal(&s->keys->tx, data + 3, plain);
	return SECRET_HEAD + plain + SECRET_TAIL;
}

/* -- beginning, end, what is asked ---------------------------------------- */

static enum err_code
begin(
    struct secret_stream *s, const struct secret_stream_opts *o, struct err *e)
{
	const struct noise_opts n = {.pattern = NOISE_XX,
	    .initiator = o->initiator,
	    .pair = o->pair,
	    .prologue = VIEW_EMPTY};
	enum err_code rc;

	if (o->keys != NULL)
		return start(s, o->keys, e);
	if (o->expect != NULL) {
		s->expects = true;
		s->expect = *o->expect;
	}
	s->phase = SECRET_NOISE;
	if ((rc = noise_new(&s->noise, &n, e)) == ERR_OK && o->initiator)
		rc = noise_speak(s, e);
	return rc;
}

enum err_code
secret_stream_new(struct secret_stream **out,
    const struct secret_stream_opts *o, struct err *e)
{
	struct secret_stream *s = calloc(1, sizeof(*s));
	enum err_code rc;

	if (s == NULL)
		return err_nomem(e);
	s->initiator = o->initiator;
	s->plain_max = o->plain_max == 0 || o->plain_max > SECRET_PLAIN_MAX
			   ? SECRET_PLAIN_MAX
			   : o->plain_max;
	buf_init(&s->pending, PENDING_MAX);
	if ((rc = begin(s, o, e)) != ERR_OK) {
		secret_stream_free(s);
		return rc;
	}
	*out = s;
	return ERR_OK;
}

void
secret_stream_free(struct secret_stream *s)
{
	if (s == NULL)
		return;
	while (s->first < s->n)
		secret_stream_frame_free(&s->frame[s->first++]);
	free(s->frame);
	free(s->in.data);
	buf_deinit(&s->pending);
	noise_free(s->noise);
	secret_free(&s->mem);
	free(s);
}

enum err_code
secret_stream_pending(struct secret_stream *s, struct buf *out, struct err *e)
{
	enum err_code rc;

	if (s->pending.len == 0)
		return ERR_OK;
	buf_append(out, buf_view(&s->pending));
	if ((rc = buf_check(out, e)) == ERR_OK)
		buf_deinit(&s->pending);
	return rc;
}

bool
secret_stream_ready(const struct secret_stream *s)
{
	return s->keys != NULL;
}

bool
secret_stream_open(const struct secret_stream *s)
{
	return s->phase == SECRET_FRAMES;
}

const struct b32 *
secret_stream_remote(const struct secret_stream *s)
{
	return s->keys != NULL ? &s->remote : NULL;
}

const uint8_t *
secret_stream_hash(const struct secret_stream *s)
{
	return s->keys != NULL ? s->hash : NULL;
}
