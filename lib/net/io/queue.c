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

void
io_list_add(struct io_list *l, struct io_item *item)
{
	item->next = NULL;
	if (l->first == NULL)
		l->first = item;
	else
		l->last->next = item;
	l->last = item;
}

bool
io_queue_push_all(struct io_queue *q, struct io_list *l)
{
	bool empty;

	if (l->first == NULL)
		return false;
	uv_mutex_lock(&q->lock);
	empty = q->first == NULL;
	*q->last = l->first;
	q->last = &l->last->next;
	uv_mutex_unlock(&q->lock);
	if (empty)
		uv_cond_signal(&q->some);
	*l = (struct io_list){NULL, NULL};
	return empty;
}

bool
io_queue_push(struct io_queue *q, struct io_item *item)
{
	struct io_list one = {NULL, NULL};

	io_list_add(&one, item);
	return io_queue_push_all(q, &one);
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
