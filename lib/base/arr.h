/*
 * arr: growth of typed arrays that their owner keeps as pointer, count and
 * capacity.
 *
 *	if (!ARR_RESERVE(p->items, p->n + 1, p->cap))
 *		return err_nomem(e);
 *	p->items[p->n++] = x;
 */
#ifndef BASE_ARR_H
#define BASE_ARR_H

#include <stdbool.h>
#include <stddef.h>

/* Make room for `need` elements; ptr and cap change only on success. */
#define ARR_RESERVE(ptr, need, cap) \
	arr_reserve((void **)&(ptr), sizeof(*(ptr)), (need), &(cap))

bool arr_reserve(void **ptr, size_t size, size_t need, size_t *cap);

#endif
