#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "blobs/blobs.h"
#include "codec/dec.h"
#include "codec/enc.h"

#define MAP_VERSION 0

void
blobs_list_deinit(struct blobs_list *l)
{
	free(l->ref);
	memset(l, 0, sizeof(*l));
}

void
blobs_map_encode(struct buf *b, const struct blobs_ref *ref, size_t n)
{
	enc_uint(b, MAP_VERSION);
	enc_uint(b, n);
	for (size_t i = 0; i < n; i++) {
		enc_uint(b, ref[i].index);
		enc_uint(b, ref[i].size);
	}
}

/* Bytes behind the last entry are ignored, as the reference does. */
enum err_code
blobs_map_decode(struct blobs_list *l, struct view block, struct err *e)
{
	uint64_t bytes = l->bytes;
	struct dec d;
	size_t n;

	dec_init(&d, block);
	if (dec_uint(&d) != MAP_VERSION && dec_ok(&d))
		return err_set(e, ERR_VERSION, "Unsupported block map version");
	n = dec_count(&d, BLOBS_MAP_ENTRIES * BLOBS_MAP_BLOCKS_MAX - l->n);
	/* an entry takes two bytes: never reserve for more than can come */
	if (n > dec_left(&d) / 2)
		dec_fail(&d, "more entries than bytes");
	if (dec_ok(&d) && !ARR_RESERVE(l->ref, l->n + n, l->cap))
		return err_nomem(e);
	for (size_t i = 0; dec_ok(&d) && i < n; i++) {
		struct blobs_ref *r = &l->ref[l->n + i];

		r->index = dec_uint(&d);
		r->size = dec_uint(&d);
		bytes += r->size;
		if (bytes > DEC_UINT_MAX)
			dec_fail(&d, "sizes above 2^53-1");
	}
	if (!dec_ok(&d))
		return dec_error(&d, "block map", e);
	l->n += n;
	l->bytes = bytes;
	return ERR_OK;
}
