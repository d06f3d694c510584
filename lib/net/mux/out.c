/*
 * Frames of ours. Small messages of one turn travel together as a batch:
 *
 *	00 00 | uint channel | (uint length | uint type, body)*
 *	where length 0 is followed by the next uint channel
 *
 * A large message is a frame of its own, and its bytes are written where they
 * stay: uint channel | uint type | body.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bug.h"
#include "codec/enc.h"
#include "net/mux/impl.h"

#define SINGLE_FROM 16384 /* a message this large is a frame of its own */
#define LENGTH_SPACE 3	  /* kept free for a length; moved if it is not 3 */
#define CONTROL_MAX 12	  /* bytes of numbers before a message's body */

void
mux_out_init(struct mux *m)
{
	m->out.last = &m->out.first;
	buf_init(&m->out.b, 0);
}

void
mux_out_deinit(struct mux *m)
{
	struct mux_frame *f;

	while ((f = m->out.first) != NULL) {
		m->out.first = f->next;
		free(f->data);
		free(f);
	}
	buf_deinit(&m->out.b);
}

/* The growing frame is whole. */
static void
finish(struct mux_out *o)
{
	struct mux_frame *f;

	if (o->b.len == 0)
		return;
	buf_fill(&o->b, 0, MUX_FRAME_TAIL);
	f = calloc(1, sizeof(*f));
	if (f == NULL || o->b.failed != ERR_OK) {
		o->failed = f == NULL ? ERR_NOMEM : o->b.failed;
		free(f);
		buf_deinit(&o->b);
		return;
	}
	f->data = buf_steal(&o->b, &f->len);
	f->len -= MUX_FRAME_HEAD + MUX_FRAME_TAIL;
	o->whole += f->len;
	*o->last = f;
	o->last = &f->next;
}

/* An empty frame with room for `size` bytes of content, and no more: blocks
 * are a little over a power of two. */
static void
fresh(struct mux *m, size_t size)
{
	struct mux_out *o = &m->out;
	/* and the NUL that every buffer has room for */
	size_t room = MUX_FRAME_HEAD + size + MUX_FRAME_TAIL + 1;

	buf_init(&o->b, (size_t)m->limits.message + 256);
	if (room > o->b.max)
		o->b.failed = ERR_LIMIT;
	else if ((o->b.data = malloc(room)) == NULL)
		o->b.failed = ERR_NOMEM;
	else
		o->b.cap = room;
	(void)buf_extend(&o->b, MUX_FRAME_HEAD);
}

static void
begin_in_batch(struct mux *m, uint64_t channel)
{
	struct mux_out *o = &m->out;

	if (o->b.len == 0) {
		fresh(m, 512);
		enc_u8(&o->b, 0);
		enc_u8(&o->b, 0);
		enc_uint(&o->b, channel);
	} else if (o->channel != channel) {
		enc_u8(&o->b, 0);
		enc_uint(&o->b, channel);
	}
	buf_fill(&o->b, 0, LENGTH_SPACE);
}

struct buf *
mux_out_begin(struct mux *m, uint64_t channel, uint64_t type, size_t size)
{
	struct mux_out *o = &m->out;

	bug_if(o->at != 0);
	o->single = size >= SINGLE_FROM;
	if (o->single || o->b.len + size > m->limits.batch)
		finish(o);
	if (o->single) {
		fresh(m, size + CONTROL_MAX);
		enc_uint(&o->b, channel);
	} else {
		begin_in_batch(m, channel);
	}
	o->channel = channel;
	o->at = o->b.len;
	enc_uint(&o->b, type);
	return &o->b;
}

struct buf *
mux_begin(struct mux_channel *ch, uint64_t type, size_t size)
{
	return mux_out_begin(ch->mux, ch->local, type, size);
}

/* Write the length before the message, which moves if the length is shorter
 * or longer than what was kept free for it. */
static void
put_length(struct mux_out *o)
{
	size_t len = o->b.len - o->at, need = enc_uint_size(len);
	size_t from = o->at, to = o->at - LENGTH_SPACE + need;

	if (o->b.failed != ERR_OK)
		return;
	if (to > from && buf_extend(&o->b, to - from) == NULL)
		return;
	memmove(o->b.data + to, o->b.data + from, len);
	o->b.len = to - need;
	enc_uint(&o->b, len);
	o->b.len = to + len;
}

enum err_code
mux_end(struct mux *m, struct err *e)
{
	struct mux_out *o = &m->out;

	bug_if(o->at == 0);
	if (!o->single)
		put_length(o);
	o->at = 0;
	if (o->single || o->b.len >= m->limits.batch || o->b.failed != ERR_OK)
		finish(o);
	o->single = false;
	if (o->failed == ERR_OK)
		return ERR_OK;
	return o->failed == ERR_NOMEM
		   ? err_nomem(e)
		   : err_set(e, ERR_LIMIT, "a message is too large");
}

/* A batch that has nothing else in it goes with the message. */
void
mux_cancel(struct mux *m)
{
	struct mux_out *o = &m->out;

	bug_if(o->at == 0);
	if (o->single) {
		buf_deinit(&o->b);
	} else {
		/* a change of channel that is left behind is legal */
		o->b.len = o->at - LENGTH_SPACE;
		if (o->b.len <= MUX_FRAME_HEAD + 2 + enc_uint_size(o->channel))
			buf_deinit(&o->b);
	}
	o->at = 0;
	o->single = false;
}

bool
mux_take(struct mux *m, uint8_t **data, size_t *len)
{
	struct mux_out *o = &m->out;
	struct mux_frame *f;

	bug_if(o->at != 0);
	if (o->first == NULL)
		finish(o);
	if ((f = o->first) == NULL) {
		m->rejects = 0;
		return false;
	}
	o->first = f->next;
	if (o->first == NULL)
		o->last = &o->first;
	o->whole -= f->len;
	*data = f->data;
	*len = f->len;
	free(f);
	return true;
}

size_t
mux_waiting(const struct mux *m)
{
	return m->out.whole + m->out.b.len;
}
