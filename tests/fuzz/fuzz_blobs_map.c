/* Block maps from a stranger: what decodes encodes to a map that decodes to
 * the same, and a list keeps what it had when a block is refused. */
#include <stdlib.h>

#include "blobs/blobs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
need(bool ok)
{
	if (!ok)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blobs_list a = {NULL, 0, 0, 0}, b = {NULL, 0, 0, 0};
	struct err e = ERR_INIT;
	uint64_t bytes = 0;
	struct buf out;

	if (blobs_map_decode(&a, view_of(data, size), &e) != ERR_OK) {
		need(a.n == 0 && a.bytes == 0 && e.msg[0] != '\0');
		blobs_list_deinit(&a);
		return 0;
	}
	buf_init(&out, 64u << 20);
	blobs_map_encode(&out, a.ref, a.n);
	need(buf_check(&out, &e) == ERR_OK && out.len <= size);
	need(blobs_map_decode(&b, buf_view(&out), &e) == ERR_OK);
	need(a.n == b.n && a.bytes == b.bytes);
	for (size_t i = 0; i < a.n; i++) {
		need(a.ref[i].index == b.ref[i].index);
		need(a.ref[i].size == b.ref[i].size);
		bytes += a.ref[i].size;
	}
	need(bytes == a.bytes);
	blobs_list_deinit(&a);
	blobs_list_deinit(&b);
	buf_deinit(&out);
	return 0;
}
