/* Our own record of a core: any bytes decode or are refused, and what
 * decodes encodes to the same meaning. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct record r, back;
	struct buf a, b;

	if (record_decode(&r, view_of(data, size), NULL) != ERR_OK)
		return 0;
	buf_init(&a, RECORD_MAX);
	buf_init(&b, RECORD_MAX);
	if (record_encode(&a, &r, NULL) != ERR_OK ||
	    record_decode(&back, buf_view(&a), NULL) != ERR_OK ||
	    record_encode(&b, &back, NULL) != ERR_OK ||
	    !view_eq(buf_view(&a), buf_view(&b)) || back.number != r.number ||
	    back.head.length != r.head.length)
		abort();
	record_wipe(&a);
	record_wipe(&b);
	return 0;
}
