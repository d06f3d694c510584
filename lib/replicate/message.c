#include "replicate/message.h"

enum {
	SYNC_CAN_UPGRADE = 1,
	SYNC_UPLOADING = 2,
	SYNC_DOWNLOADING = 4,
	SYNC_HAS_MANIFEST = 8,
	SYNC_ALLOW_PUSH = 16
};

enum { /* of request and data */
	PART_BLOCK = 1,
	PART_HASH = 2,
	PART_SEEK = 4,
	PART_UPGRADE = 8,
	PART_MANIFEST = 16,
	PART_PRIORITY = 32
};

enum { RANGE_DROP = 1, RANGE_SINGLE = 2 };

#define NODE_SIZE_MAX (2 * 9 + 32)

static unsigned
flag_if(bool on, unsigned flag)
{
	return on ? flag : 0;
}

/* -- small ones ----------------------------------------------------------- */

bool
message_dec_handshake(struct dec *d, struct message_handshake *m)
{
	m->seeks = (dec_uint(d) & 1) != 0;
	dec_b32(d, &m->capability);
	return dec_ok(d);
}

void
message_put_handshake(struct buf *b, const struct message_handshake *m)
{
	enc_uint(b, m->seeks ? 1 : 0);
	enc_b32(b, &m->capability);
}

bool
message_dec_sync(struct dec *d, struct message_sync *m)
{
	uint64_t flags = dec_uint(d);

	m->can_upgrade = (flags & SYNC_CAN_UPGRADE) != 0;
	m->uploading = (flags & SYNC_UPLOADING) != 0;
	m->downloading = (flags & SYNC_DOWNLOADING) != 0;
	m->has_manifest = (flags & SYNC_HAS_MANIFEST) != 0;
	m->allow_push = (flags & SYNC_ALLOW_PUSH) != 0;
	m->fork = dec_uint(d);
	m->length = dec_uint(d);
	m->remote_length = dec_uint(d);
	return dec_ok(d);
}

void
message_put_sync(struct buf *b, const struct message_sync *m)
{
	enc_uint(b, flag_if(m->can_upgrade, SYNC_CAN_UPGRADE) |
			flag_if(m->uploading, SYNC_UPLOADING) |
			flag_if(m->downloading, SYNC_DOWNLOADING) |
			flag_if(m->has_manifest, SYNC_HAS_MANIFEST) |
			flag_if(m->allow_push, SYNC_ALLOW_PUSH));
	enc_uint(b, m->fork);
	enc_uint(b, m->length);
	enc_uint(b, m->remote_length);
}

bool
message_dec_cancel(struct dec *d, uint64_t *id)
{
	*id = dec_uint(d);
	return dec_ok(d);
}

void
message_put_cancel(struct buf *b, uint64_t id)
{
	enc_uint(b, id);
}

bool
message_dec_no_data(struct dec *d, struct message_no_data *m)
{
	uint64_t flags;

	m->id = dec_uint(d);
	flags = dec_left(d) > 0 ? dec_uint(d) : 0;
	m->reason = (flags & 1) != 0 ? dec_uint(d) : 0;
	return dec_ok(d);
}

void
message_put_no_data(struct buf *b, const struct message_no_data *m)
{
	enc_uint(b, m->id);
	enc_uint(b, m->reason != 0 ? 1 : 0);
	if (m->reason != 0)
		enc_uint(b, m->reason);
}

bool
message_dec_want(struct dec *d, struct message_want *m)
{
	m->start = dec_uint(d);
	m->length = dec_uint(d);
	m->any = dec_left(d) > 0 && (dec_uint(d) & 1) != 0;
	return dec_ok(d);
}

void
message_put_want(struct buf *b, const struct message_want *m)
{
	enc_uint(b, m->start);
	enc_uint(b, m->length);
	if (m->any)
		enc_uint(b, 1);
}

bool
message_dec_bitfield(struct dec *d, struct message_bitfield *m)
{
	uint64_t n;

	m->start = dec_uint(d);
	n = dec_uint(d);
	if (n > dec_left(d) / 4)
		dec_fail(d, "Out of bounds");
	m->words = dec_ok(d) ? dec_fixed(d, (size_t)n * 4) : VIEW_EMPTY;
	return dec_ok(d);
}

void
message_put_bitfield(struct buf *b, const struct message_bitfield *m)
{
	enc_uint(b, m->start);
	enc_uint(b, m->words.len / 4);
	enc_fixed(b, m->words);
}

bool
message_dec_range(struct dec *d, struct message_range *m)
{
	uint64_t flags = dec_uint(d);

	m->drop = (flags & RANGE_DROP) != 0;
	m->start = dec_uint(d);
	m->length = (flags & RANGE_SINGLE) != 0 ? 1 : dec_uint(d);
	return dec_ok(d);
}

void
message_put_range(struct buf *b, const struct message_range *m)
{
	enc_uint(b, flag_if(m->drop, RANGE_DROP) |
			flag_if(m->length == 1, RANGE_SINGLE));
	enc_uint(b, m->start);
	if (m->length != 1)
		enc_uint(b, m->length);
}

bool
message_dec_extension(struct dec *d, struct message_extension *m)
{
	m->name = dec_bytes(d, MESSAGE_NAME_MAX);
	m->body = dec_rest(d);
	return dec_ok(d);
}

void
message_put_extension(struct buf *b, const struct message_extension *m)
{
	enc_bytes(b, m->name);
	enc_fixed(b, m->body);
}

/* -- request -------------------------------------------------------------- */

bool
message_dec_request(struct dec *d, struct message_request *m)
{
	uint64_t flags = dec_uint(d);

	*m = (struct message_request){0};
	m->id = dec_uint(d);
	m->fork = dec_uint(d);
	m->part.has_block = (flags & PART_BLOCK) != 0;
	m->part.has_hash = (flags & PART_HASH) != 0;
	m->part.has_seek = (flags & PART_SEEK) != 0;
	m->part.has_upgrade = (flags & PART_UPGRADE) != 0;
	m->part.manifest = (flags & PART_MANIFEST) != 0;
	if (m->part.has_block) {
		m->part.block_index = dec_uint(d);
		m->part.block_nodes = dec_uint(d);
	}
	if (m->part.has_hash) {
		m->part.hash_index = dec_uint(d);
		m->part.hash_nodes = dec_uint(d);
	}
	if (m->part.has_seek) {
		m->part.seek_bytes = dec_uint(d);
		m->part.seek_padding = dec_uint(d);
	}
	if (m->part.has_upgrade) {
		m->part.upgrade_start = dec_uint(d);
		m->part.upgrade_length = dec_uint(d);
	}
	if ((flags & PART_PRIORITY) != 0)
		m->priority = dec_uint(d);
	return dec_ok(d);
}

void
message_put_request(struct buf *b, const struct message_request *m)
{
	const struct core_request *q = &m->part;

	enc_uint(b, flag_if(q->has_block, PART_BLOCK) |
			flag_if(q->has_hash, PART_HASH) |
			flag_if(q->has_seek, PART_SEEK) |
			flag_if(q->has_upgrade, PART_UPGRADE) |
			flag_if(q->manifest, PART_MANIFEST) |
			flag_if(m->priority != 0, PART_PRIORITY));
	enc_uint(b, m->id);
	enc_uint(b, m->fork);
	if (q->has_block) {
		enc_uint(b, q->block_index);
		enc_uint(b, q->block_nodes);
	}
	if (q->has_hash) {
		enc_uint(b, q->hash_index);
		enc_uint(b, q->hash_nodes);
	}
	if (q->has_seek) {
		enc_uint(b, q->seek_bytes);
		enc_uint(b, q->seek_padding);
	}
	if (q->has_upgrade) {
		enc_uint(b, q->upgrade_start);
		enc_uint(b, q->upgrade_length);
	}
	if (m->priority != 0)
		enc_uint(b, m->priority);
}

/* -- data ----------------------------------------------------------------- */

static void
dec_nodes(struct dec *d, struct core_nodes *list)
{
	list->n = dec_count(d, CORE_PROOF_NODES_MAX);
	for (size_t i = 0; i < list->n && dec_ok(d); i++) {
		list->node[i].index = dec_uint(d);
		list->node[i].size = dec_uint(d);
		dec_b32(d, &list->node[i].hash);
	}
}

static void
put_nodes(struct buf *b, const struct core_nodes *list)
{
	enc_uint(b, list->n);
	for (size_t i = 0; i < list->n; i++) {
		enc_uint(b, list->node[i].index);
		enc_uint(b, list->node[i].size);
		enc_b32(b, &list->node[i].hash);
	}
}

static void
dec_upgrade(struct dec *d, struct core_proof *p)
{
	p->upgrade_start = dec_uint(d);
	p->upgrade_length = dec_uint(d);
	dec_nodes(d, &p->upgrade_nodes);
	dec_nodes(d, &p->additional_nodes);
	p->signature = dec_bytes(d, MANIFEST_PROOF_MAX);
}

bool
message_dec_data(
    struct dec *d, uint64_t *id, struct core_proof *p, struct manifest *m)
{
	uint64_t flags = dec_uint(d);

	*id = dec_uint(d);
	p->fork = dec_uint(d);
	p->has_block = (flags & PART_BLOCK) != 0;
	p->has_hash = (flags & PART_HASH) != 0;
	p->has_seek = (flags & PART_SEEK) != 0;
	p->has_upgrade = (flags & PART_UPGRADE) != 0;
	p->block = p->signature = VIEW_EMPTY;
	p->block_nodes.n = p->hash_nodes.n = p->seek_nodes.n = 0;
	p->upgrade_nodes.n = p->additional_nodes.n = 0;
	p->manifest = NULL;
	if (p->has_block) {
		p->block_index = dec_uint(d);
		p->block = dec_bytes(d, MESSAGE_BLOCK_MAX);
		dec_nodes(d, &p->block_nodes);
	}
	if (p->has_hash) {
		p->hash_index = dec_uint(d);
		dec_nodes(d, &p->hash_nodes);
	}
	if (p->has_seek) {
		p->seek_bytes = dec_uint(d);
		dec_nodes(d, &p->seek_nodes);
	}
	if (p->has_upgrade)
		dec_upgrade(d, p);
	if ((flags & PART_MANIFEST) != 0 && manifest_dec(d, m))
		p->manifest = m;
	return dec_ok(d);
}

void
message_put_data(struct buf *b, uint64_t id, const struct core_proof *p)
{
	enc_uint(b, flag_if(p->has_block, PART_BLOCK) |
			flag_if(p->has_hash, PART_HASH) |
			flag_if(p->has_seek, PART_SEEK) |
			flag_if(p->has_upgrade, PART_UPGRADE) |
			flag_if(p->manifest != NULL, PART_MANIFEST));
	enc_uint(b, id);
	enc_uint(b, p->fork);
	if (p->has_block) {
		enc_uint(b, p->block_index);
		enc_bytes(b, p->block);
		put_nodes(b, &p->block_nodes);
	}
	if (p->has_hash) {
		enc_uint(b, p->hash_index);
		put_nodes(b, &p->hash_nodes);
	}
	if (p->has_seek) {
		enc_uint(b, p->seek_bytes);
		put_nodes(b, &p->seek_nodes);
	}
	if (p->has_upgrade) {
		enc_uint(b, p->upgrade_start);
		enc_uint(b, p->upgrade_length);
		put_nodes(b, &p->upgrade_nodes);
		put_nodes(b, &p->additional_nodes);
		enc_bytes(b, p->signature);
	}
	if (p->manifest != NULL)
		manifest_encode(b, p->manifest);
}

size_t
message_data_size(const struct core_proof *p)
{
	size_t nodes = 0, fixed = 128;

	if (p->has_block) {
		nodes += p->block_nodes.n;
		fixed += p->block.len;
	}
	if (p->has_hash)
		nodes += p->hash_nodes.n;
	if (p->has_seek)
		nodes += p->seek_nodes.n;
	if (p->has_upgrade) {
		nodes += p->upgrade_nodes.n + p->additional_nodes.n;
		fixed += p->signature.len;
	}
	if (p->manifest != NULL)
		fixed += MANIFEST_ENCODED_MAX;
	return fixed + nodes * NODE_SIZE_MAX;
}
