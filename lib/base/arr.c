#include "base/arr.h"

#include <stdint.h>
#include <stdlib.h>

bool
arr_reserve(void **ptr, size_t size, size_t need, size_t *cap)
{
	size_t n = *cap < 8 ? 8 : *cap;
	void *p;

	if (need <= *cap)
		return true;
	while (n < need) {
		if (n > SIZE_MAX / 2)
			return false;
		n *= 2;
	}
	if (n > SIZE_MAX / size || (p = realloc(*ptr, n * size)) == NULL)
		return false;
	*ptr = p;
	*cap = n;
	return true;
}
