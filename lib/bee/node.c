#include "bee/node.h"

#include "codec/dec.h"
#include "codec/enc.h"

/*
 *	Header   1 protocol  string  "hyperbee"	0a
 *	         2 metadata  message		12
 *	Metadata 1 contentFeed bytes		0a
 *	         2 userData    bytes		12
 *	Node     1 index  bytes			0a
 *	         2 key    bytes			12
 *	         3 value  bytes			1a
 *	Index    1 levels repeated message	0a
 *	Level    1 keys     packed varints	0a
 *	         2 children packed varints	12
 *
 * Every field we know has wire type 2, so a tag is field << 3 | 2.
 */
#define TAG(field) ((field) << 3 | 2)
#define PROTOCOL "hyperbee"

/* Wire types of protocol-buffers that can be skipped. */
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

static struct view
length_delimited(struct dec *d)
{
	uint64_t n = dec_varint(d);

	if (n > dec_left(d)) {
		dec_fail(d, "field longer than its message");
		return VIEW_EMPTY;
	}
	return dec_fixed(d, (size_t)n);
}

static void
skip_field(struct dec *d, uint64_t wire)
{
	if (wire == WIRE_VARINT)
		(void)dec_varint(d);
	else if (wire == WIRE_64)
		(void)dec_fixed(d, 8);
	else if (wire == WIRE_BYTES)
		(void)length_delimited(d);
	else if (wire == WIRE_32)
		(void)dec_fixed(d, 4);
	else
		dec_fail(d, "unknown wire type");
}

/* The next field of at most `known`: its number, with the bytes in *v.
 * Unknown fields are skipped. 0 at the end or after a failure. */
static uint64_t
next_field(struct dec *d, uint64_t known, struct view *v)
{
	while (dec_ok(d) && dec_left(d) > 0) {
		uint64_t tag = dec_varint(d);
		uint64_t field = tag >> 3;

		if (field == 0 || field > known) {
			skip_field(d, tag & 7);
			continue;
		}
		if ((tag & 7) != WIRE_BYTES) {
			dec_fail(d, "wrong wire type");
			return 0;
		}
		*v = length_delimited(d);
		return dec_ok(d) ? field : 0;
	}
	return 0;
}

static enum err_code
count_levels(struct view index, size_t *n, struct err *e)
{
	struct view level;
	struct dec d;

	dec_init(&d, index);
	*n = 0;
	while (next_field(&d, 1, &level) != 0)
		if (++*n > BEE_LEVELS_MAX)
			dec_fail(&d, "too many levels");
	return dec_done(&d) ? ERR_OK : dec_error(&d, "bee index", e);
}

enum err_code
bee_block_decode(struct bee_block *out, struct view block, struct err *e)
{
	struct bee_block b = {.has_value = false};
	bool has_index = false, has_key = false;
	enum err_code rc;
	struct dec d;
	struct view v;
	uint64_t field;

	dec_init(&d, block);
	while ((field = next_field(&d, 3, &v)) != 0) {
		if (field == 1) {
			b.index = v;
			has_index = true;
		} else if (field == 2) {
			b.key = v;
			has_key = true;
		} else {
			b.value = v;
			b.has_value = true;
		}
	}
	if (dec_done(&d) && !(has_index && has_key))
		dec_fail(&d, "index or key is missing");
	if (!dec_done(&d))
		return dec_error(&d, "bee block", e);
	if ((rc = count_levels(b.index, &b.nlevels, e)) != ERR_OK)
		return rc;
	*out = b;
	return ERR_OK;
}

static void
decode_keys(struct dec *outer, struct view packed, struct bee_level *l)
{
	struct dec d;

	dec_init(&d, packed);
	while (dec_ok(&d) && dec_left(&d) > 0) {
		uint64_t seq = dec_varint(&d);

		if (l->nkeys == BEE_WIDE_MAX)
			dec_fail(&d, "too many keys");
		else
			l->key[l->nkeys++] = seq;
	}
	if (!dec_ok(&d))
		dec_fail(outer, d.why);
}

static void
decode_children(struct dec *outer, struct view packed, struct bee_level *l)
{
	struct dec d;

	dec_init(&d, packed);
	while (dec_ok(&d) && dec_left(&d) > 0) {
		uint64_t seq = dec_varint(&d);
		uint64_t offset = dec_varint(&d);

		if (l->nchildren > BEE_WIDE_MAX)
			dec_fail(&d, "too many children");
		else
			l->child[l->nchildren++] =
			    (struct bee_ref){seq, offset};
	}
	if (!dec_ok(&d))
		dec_fail(outer, d.why);
}

enum err_code
bee_block_level(
    const struct bee_block *b, size_t i, struct bee_level *out, struct err *e)
{
	struct view level = VIEW_EMPTY, v;
	struct dec d;
	uint64_t field;

	if (i >= b->nlevels)
		return err_set(e, ERR_FORMAT, "bee index: no level %zu", i);
	dec_init(&d, b->index);
	for (size_t j = 0; j <= i; j++)
		(void)next_field(&d, 1, &level);
	if (!dec_ok(&d))
		return dec_error(&d, "bee index", e);
	dec_init(&d, level);
	out->nkeys = out->nchildren = 0;
	while ((field = next_field(&d, 2, &v)) != 0) {
		if (field == 1)
			decode_keys(&d, v, out);
		else
			decode_children(&d, v, out);
	}
	return dec_done(&d) ? ERR_OK : dec_error(&d, "bee level", e);
}

static enum err_code
decode_metadata(struct bee_header *h, struct view bytes, struct err *e)
{
	struct dec d;
	struct view v;
	uint64_t field;

	dec_init(&d, bytes);
	while ((field = next_field(&d, 2, &v)) != 0) {
		if (field == 1)
			h->content_feed = v;
		else
			h->user_data = v;
	}
	return dec_done(&d) ? ERR_OK : dec_error(&d, "bee metadata", e);
}

enum err_code
bee_header_decode(struct bee_header *out, struct view block, struct err *e)
{
	struct bee_header h = {.has_metadata = false};
	struct view protocol = VIEW_EMPTY, metadata = VIEW_EMPTY, v;
	enum err_code rc;
	struct dec d;
	uint64_t field;

	dec_init(&d, block);
	while ((field = next_field(&d, 2, &v)) != 0) {
		if (field == 1) {
			protocol = v;
		} else {
			metadata = v;
			h.has_metadata = true;
		}
	}
	if (dec_done(&d) && !view_eq(protocol, view_str(PROTOCOL)))
		dec_fail(&d, "protocol is not hyperbee");
	if (!dec_done(&d))
		return dec_error(&d, "bee header", e);
	if ((rc = decode_metadata(&h, metadata, e)) != ERR_OK)
		return rc;
	*out = h;
	return ERR_OK;
}

static void
enc_field(struct buf *b, unsigned field, struct view v)
{
	enc_varint(b, TAG(field));
	enc_varint(b, v.len);
	enc_fixed(b, v);
}

static size_t
field_size(size_t n)
{
	return 1 + enc_varint_size(n) + n;
}

void
bee_header_encode(struct buf *b, const struct bee_header *h)
{
	size_t n = 0;

	enc_field(b, 1, view_str(PROTOCOL));
	if (!h->has_metadata)
		return;
	if (h->content_feed.len > 0)
		n += field_size(h->content_feed.len);
	if (h->user_data.len > 0)
		n += field_size(h->user_data.len);
	enc_varint(b, TAG(2));
	enc_varint(b, n);
	if (h->content_feed.len > 0)
		enc_field(b, 1, h->content_feed);
	if (h->user_data.len > 0)
		enc_field(b, 2, h->user_data);
}

void
bee_level_encode(struct buf *index, const struct bee_level *l)
{
	size_t keys = 0, children = 0, n = 0;

	for (size_t i = 0; i < l->nkeys; i++)
		keys += enc_varint_size(l->key[i]);
	for (size_t i = 0; i < l->nchildren; i++)
		children += enc_varint_size(l->child[i].seq) +
			    enc_varint_size(l->child[i].offset);
	if (keys > 0)
		n += field_size(keys);
	if (children > 0)
		n += field_size(children);
	enc_varint(index, TAG(1));
	enc_varint(index, n);
	if (keys > 0) {
		enc_varint(index, TAG(1));
		enc_varint(index, keys);
	}
	for (size_t i = 0; i < l->nkeys; i++)
		enc_varint(index, l->key[i]);
	if (children > 0) {
		enc_varint(index, TAG(2));
		enc_varint(index, children);
	}
	for (size_t i = 0; i < l->nchildren; i++) {
		enc_varint(index, l->child[i].seq);
		enc_varint(index, l->child[i].offset);
	}
}

void
bee_block_encode(
    struct buf *b, struct view index, struct view key, const struct view *value)
{
	enc_field(b, 1, index);
	enc_field(b, 2, key);
	if (value != NULL)
		enc_field(b, 3, *value);
}
