#include "net/io/queue.h"

#include <stdlib.h>
#include <uv.h>

#include "net/io/io.h"

struct io_queue {
	uv_mutex_t lock;
	uv_cond_t some;
	struct io_item *first, **last;
	bool poked;
};

enum err_code
io_queue_new(struct io_queue **out, struct err *e)
{
	struct io_queue *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return err_nomem(e);
	if (uv_mutex_init(&q->lock) != 0) {
		free(q);
		return err_nomem(e);
	}
	if (uv_cond_init(&q->some) != 0) {
		uv_mutex_destroy(&q->lock);
		free(q);
		return err_nomem(e);
	}
	q->last = &q->first;
	*out = q;
	return ERR_OK;
}

void
io_queue_free(struct io_queue *q)
{
	if (q == NULL)
		return;
	uv_cond_destroy(&q->some);
	uv_mutex_destroy(&q->lock);
	free(q);
}

bool
io_queue_push(struct io_queue *q, struct io_item *item)
{
	bool empty;

	item->next = NULL;
	uv_mutex_lock(&q->lock);
	empty = q->first == NULL;
	*q->last = item;
	q->last = &item->next;
	if (empty)
		uv_cond_signal(&q->some);
	uv_mutex_unlock(&q->lock);
	return empty;
}

struct io_item *
io_queue_take(struct io_queue *q)
{
	struct io_item *list;

	uv_mutex_lock(&q->lock);
	list = q->first;
	q->first = NULL;
	q->last = &q->first;
	uv_mutex_unlock(&q->lock);
	return list;
}

void
io_queue_wait(struct io_queue *q, uint64_t until)
{
	uint64_t now;
	bool in_time = true;

	uv_mutex_lock(&q->lock);
	while (q->first == NULL && !q->poked && in_time) {
		now = io_now();
		if (now >= until)
			break;
		in_time = uv_cond_timedwait(
			      &q->some, &q->lock, (until - now) * 1000) == 0;
	}
	q->poked = false;
	uv_mutex_unlock(&q->lock);
}

void
io_queue_poke(struct io_queue *q)
{
	uv_mutex_lock(&q->lock);
	q->poked = true;
	uv_cond_signal(&q->some);
	uv_mutex_unlock(&q->lock);
}
