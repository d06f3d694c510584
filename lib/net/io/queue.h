/*
 * queue: hands things from one thread to another, in order. Items are the
 * caller's; the queue links them. The only place where threads meet.
 */
#ifndef NET_IO_QUEUE_H
#define NET_IO_QUEUE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct io_item {
	struct io_item *next;
};

/* Items of one thread that go over together: a lock and a wake-up for each
 * would cost more than what many of them say. A zeroed one is empty. */
struct io_list {
	struct io_item *first, *last;
};
void io_list_add(struct io_list *l, struct io_item *item);

struct io_queue;

NODISCARD enum err_code io_queue_new(struct io_queue **out, struct err *e);
void io_queue_free(struct io_queue *q); /* must be empty; NULL is fine */
/* True if the queue was empty: the reader may need to be woken. A reader in
 * io_queue_wait() wakes by itself. */
bool io_queue_push(struct io_queue *q, struct io_item *item);
/* The same for all of a list, which is empty after; false if it was. */
bool io_queue_push_all(struct io_queue *q, struct io_list *l);
/* All items, the oldest first, as a list; NULL: none. */
struct io_item *io_queue_take(struct io_queue *q);
/* Wait until there is an item, io_queue_poke() was called, or io_now() is
 * past `until`. */
void io_queue_wait(struct io_queue *q, uint64_t until);
void io_queue_poke(struct io_queue *q);

#endif
