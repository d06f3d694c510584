/* A statement that parses is printed, and parses to the same text. */
#include <stdint.h>
#include <stdlib.h>

#include "pear/provenance.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct provenance p, q;
	struct buf a, b;

	if (provenance_parse(&p, view_of(data, size), NULL) != ERR_OK)
		return 0;
	buf_init(&a, PROVENANCE_SIZE_MAX);
	buf_init(&b, PROVENANCE_SIZE_MAX);
	if (provenance_print(&a, &p, NULL) != ERR_OK ||
	    provenance_parse(&q, buf_view(&a), NULL) != ERR_OK)
		abort();
	if (provenance_print(&b, &q, NULL) != ERR_OK ||
	    !view_eq(buf_view(&a), buf_view(&b)))
		abort();
	for (size_t i = 0; i < q.n; i++)
		if (provenance_find(&q, view_str(q.file[i].path)) != &q.file[i])
			abort();
	provenance_deinit(&p);
	provenance_deinit(&q);
	buf_deinit(&a);
	buf_deinit(&b);
	return 0;
}
