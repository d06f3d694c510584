/*
 * Owned buffers from udx_write until they are acknowledged, and the queues
 * of messages. A packet knows the buffer its first byte is in, so nothing is
 * searched when it is cut, or cut again.
 */
#include "net/udx/impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/bug.h"

#define CHUNKS_MIN 8

static struct chunk *
chunk_at(const struct udx *u, uint32_t n)
{
	return &u->snd.chunk[n & (u->snd.chunk_cap - 1)];
}

static bool
resize(struct udx *u, uint32_t cap)
{
	struct snd *s = &u->snd;
	struct chunk *c = malloc(cap * sizeof(*c));

	if (c == NULL)
		return false;
	for (uint32_t i = s->chunk_first; i != s->chunk_end; i++)
		c[i & (cap - 1)] = *chunk_at(u, i);
	free(s->chunk);
	s->chunk = c;
	s->chunk_cap = cap;
	return true;
}

enum err_code
udx_write(struct udx *u, uint8_t *data, size_t skip, size_t len, struct err *e)
{
	struct snd *s = &u->snd;
	uint32_t used = s->chunk_end - s->chunk_first;

	bug_if(skip > len);
	if (u->reason != UDX_LIVE || s->ending) {
		free(data);
		return err_set(e, ERR_INVALID, "stream has ended");
	}
	if (skip == len) {
		free(data);
		return ERR_OK;
	}
	if (used == s->chunk_cap &&
	    !resize(u, used == 0 ? CHUNKS_MIN : used * 2)) {
		free(data);
		return err_nomem(e);
	}
	*chunk_at(u, s->chunk_end++) =
	    (struct chunk){data, skip, s->queued, s->queued + (len - skip)};
	s->queued += len - skip;
	return ERR_OK;
}

void
udx_queue_take(struct udx *u, struct pkt *p)
{
	struct snd *s = &u->snd;

	p->offset = s->next;
	p->chunk = s->chunk_next;
	s->next += p->len;
	bug_if(s->next > s->queued);
	while (s->chunk_next != s->chunk_end &&
	       chunk_at(u, s->chunk_next)->end <= s->next)
		s->chunk_next++;
}

void
udx_queue_copy(const struct udx *u, const struct pkt *p, uint8_t *out)
{
	uint64_t at = p->offset, end = p->offset + p->len;

	for (uint32_t i = p->chunk; at < end; i++) {
		const struct chunk *c = chunk_at(u, i);
		uint64_t stop = c->end < end ? c->end : end;

		bug_if(at < c->start || stop <= at);
		memcpy(out, c->data + c->skip + (at - c->start), stop - at);
		out += stop - at;
		at = stop;
	}
}

void
udx_queue_release(struct udx *u, uint64_t offset)
{
	struct snd *s = &u->snd;
	uint32_t used;

	while (s->chunk_first != s->chunk_end &&
	       chunk_at(u, s->chunk_first)->end <= offset)
		free(chunk_at(u, s->chunk_first++)->data);
	used = s->chunk_end - s->chunk_first;
	if (s->chunk_cap > CHUNKS_MIN && used < s->chunk_cap / 8)
		(void)resize(u, s->chunk_cap / 2);
}

void
udx_queue_free(struct udx *u)
{
	struct snd *s = &u->snd;

	while (s->chunk_first != s->chunk_end)
		free(chunk_at(u, s->chunk_first++)->data);
	free(s->chunk);
	s->chunk = NULL;
	s->chunk_cap = 0;
	s->chunk_next = s->chunk_end;
	s->next = s->queued;
}

bool
udx_messages_put(struct messages *q, struct view v)
{
	uint8_t *copy;

	if (q->n == MESSAGES_MAX)
		return false;
	if (q->m == NULL)
		q->m = malloc(MESSAGES_MAX * sizeof(*q->m));
	copy = malloc(v.len > 0 ? v.len : 1);
	if (q->m == NULL || copy == NULL) {
		free(copy);
		return false;
	}
	if (v.len > 0)
		memcpy(copy, v.ptr, v.len);
	q->m[(q->first + q->n++) % MESSAGES_MAX] =
	    (struct message){copy, v.len};
	return true;
}

bool
udx_messages_take(struct messages *q, struct message *out)
{
	if (q->n == 0)
		return false;
	*out = q->m[q->first];
	q->first = (q->first + 1) % MESSAGES_MAX;
	if (--q->n == 0)
		udx_messages_free(q);
	return true;
}

void
udx_messages_free(struct messages *q)
{
	struct message m;

	while (q->n > 0 && udx_messages_take(q, &m))
		free(m.data);
	free(q->m);
	*q = (struct messages){NULL, 0, 0};
}
