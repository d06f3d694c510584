/* message: every golden message decoded, compared and encoded again; cut at
 * every byte; numbers at their limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "replicate/message.h"
#include "support/vec.h"

static json_t *vectors;
static struct core_proof *proof;
static struct manifest *manifest;

static int
setup(void **state)
{
	(void)state;
	vectors = vec_load("net/hypercore");
	proof = calloc(1, sizeof(*proof));
	manifest = calloc(1, sizeof(*manifest));
	check(proof != NULL && manifest != NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	json_decref(vectors);
	free(proof);
	free(manifest);
	return 0;
}

/* Any message of the channel: decode to scratch, encode again. */
static bool
again(enum message_type t, struct view body, struct buf *out)
{
	union {
		struct message_sync sync;
		struct message_request request;
		struct message_no_data no_data;
		struct message_want want;
		struct message_bitfield bitfield;
		struct message_range range;
		struct message_extension extension;
		uint64_t id;
	} m;
	struct dec d;
	bool ok = false;

	dec_init(&d, body);
	switch (t) {
	case MESSAGE_SYNC:
		ok = message_dec_sync(&d, &m.sync);
		message_put_sync(out, &m.sync);
		break;
	case MESSAGE_REQUEST:
		ok = message_dec_request(&d, &m.request);
		message_put_request(out, &m.request);
		break;
	case MESSAGE_CANCEL:
		ok = message_dec_cancel(&d, &m.id);
		message_put_cancel(out, m.id);
		break;
	case MESSAGE_DATA:
		ok = message_dec_data(&d, &m.id, proof, manifest);
		message_put_data(out, m.id, proof);
		check(!ok || out->len <= message_data_size(proof));
		break;
	case MESSAGE_NO_DATA:
		ok = message_dec_no_data(&d, &m.no_data);
		message_put_no_data(out, &m.no_data);
		break;
	case MESSAGE_WANT:
	case MESSAGE_UNWANT:
		ok = message_dec_want(&d, &m.want);
		message_put_want(out, &m.want);
		break;
	case MESSAGE_BITFIELD:
		ok = message_dec_bitfield(&d, &m.bitfield);
		message_put_bitfield(out, &m.bitfield);
		break;
	case MESSAGE_RANGE:
		ok = message_dec_range(&d, &m.range);
		message_put_range(out, &m.range);
		break;
	case MESSAGE_EXTENSION:
		ok = message_dec_extension(&d, &m.extension);
		message_put_extension(out, &m.extension);
		break;
	case MESSAGE_TYPES:
		break;
	}
	check(ok == dec_ok(&d));
	return ok;
}

static const char *const names[MESSAGE_TYPES] = {"sync", "request", "cancel",
    "data", "noData", "want", "unwant", "bitfield", "range", "extension"};

/* What a decoder may do without: trailing flags. */
static bool
may_end(enum message_type t, size_t cut, size_t full)
{
	if (t == MESSAGE_EXTENSION)
		return true;
	return (t == MESSAGE_NO_DATA || t == MESSAGE_WANT ||
		   t == MESSAGE_UNWANT) &&
	       cut + 2 >= full;
}

static void
test_golden(void **state)
{
	const json_t *wire = vec_at(vectors, "wire"), *rows;
	struct view v;
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	for (unsigned t = 0; t < MESSAGE_TYPES; t++) {
		rows = vec_at(wire, names[t]);
		check(json_array_size(rows) > 0);
		check((unsigned)json_integer_value(
			  vec_at(vec_at(wire, "types"), names[t])) == t);
		for (size_t i = 0; i < json_array_size(rows); i++) {
			v = vec_hex_at(json_array_get(rows, i), "encoded");
			buf_reset(&b);
			check(again(t, v, &b));
			check_same(buf_view(&b), v);
			for (size_t n = 0; n < v.len; n++) {
				buf_reset(&b);
				check(!again(t, view_sub(v, 0, n), &b) ||
				      may_end(t, n, v.len));
			}
		}
	}
	buf_deinit(&b);
}

static const json_t *
fields(const char *type, size_t i)
{
	return vec_at(
	    json_array_get(vec_at(vec_at(vectors, "wire"), type), i), "fields");
}

static struct dec
encoded(const char *type, size_t i)
{
	struct dec d;

	dec_init(&d,
	    vec_hex_at(json_array_get(vec_at(vec_at(vectors, "wire"), type), i),
		"encoded"));
	return d;
}

static bool
truth(const json_t *o, const char *key)
{
	return json_is_true(vec_at(o, key));
}

static void
test_sync_fields(void **state)
{
	struct message_sync m;
	const json_t *f;
	struct dec d;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		f = fields("sync", i);
		d = encoded("sync", i);
		check(message_dec_sync(&d, &m));
		check(m.fork == vec_num(f, "fork"));
		check(m.length == vec_num(f, "length"));
		check(m.remote_length == vec_num(f, "remoteLength"));
		check(m.can_upgrade == truth(f, "canUpgrade"));
		check(m.uploading == truth(f, "uploading"));
		check(m.downloading == truth(f, "downloading"));
		check(m.has_manifest == truth(f, "hasManifest"));
		check(m.allow_push == truth(f, "allowPush"));
	}
}

static void
same_part(const json_t *f, const char *part, const char *first,
    const char *second, bool has, uint64_t a, uint64_t b)
{
	const json_t *o = vec_at(f, part);

	check(has == !json_is_null(o));
	check(!has || (vec_num(o, first) == a && vec_num(o, second) == b));
}

static void
test_request_fields(void **state)
{
	size_t n = json_array_size(vec_at(vec_at(vectors, "wire"), "request"));
	const struct core_request *q;
	struct message_request m;
	const json_t *f;
	struct dec d;

	(void)state;
	q = &m.part;
	for (size_t i = 0; i < n; i++) {
		f = fields("request", i);
		d = encoded("request", i);
		check(message_dec_request(&d, &m));
		check(m.id == vec_num(f, "id") &&
		      m.fork == vec_num(f, "fork") &&
		      m.priority == vec_num(f, "priority"));
		check(q->manifest == truth(f, "manifest"));
		same_part(f, "block", "index", "nodes", q->has_block,
		    q->block_index, q->block_nodes);
		same_part(f, "hash", "index", "nodes", q->has_hash,
		    q->hash_index, q->hash_nodes);
		same_part(f, "seek", "bytes", "padding", q->has_seek,
		    q->seek_bytes, q->seek_padding);
		same_part(f, "upgrade", "start", "length", q->has_upgrade,
		    q->upgrade_start, q->upgrade_length);
	}
}

static void
same_nodes(const json_t *list, const struct core_nodes *n)
{
	check(json_array_size(list) == n->n);
	for (size_t i = 0; i < n->n; i++) {
		const json_t *o = json_array_get(list, i);

		check(n->node[i].index == vec_num(o, "index"));
		check(n->node[i].size == vec_num(o, "size"));
		check_same(view_b32(&n->node[i].hash), vec_hex_at(o, "hash"));
	}
}

static void
test_data_fields(void **state)
{
	size_t n = json_array_size(vec_at(vec_at(vectors, "wire"), "data"));
	const struct core_proof *p = proof;
	const json_t *f, *o;
	struct dec d;
	uint64_t id;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		f = fields("data", i);
		d = encoded("data", i);
		check(message_dec_data(&d, &id, proof, manifest));
		check(id == vec_num(f, "request") &&
		      p->fork == vec_num(f, "fork"));
		check(p->has_block == !json_is_null(vec_at(f, "block")));
		if (p->has_block) {
			o = vec_at(f, "block");
			check(p->block_index == vec_num(o, "index"));
			check_same(p->block, vec_hex_at(o, "value"));
			same_nodes(vec_at(o, "nodes"), &p->block_nodes);
		}
		check(p->has_hash == !json_is_null(vec_at(f, "hash")));
		if (p->has_hash) {
			o = vec_at(f, "hash");
			check(p->hash_index == vec_num(o, "index"));
			same_nodes(vec_at(o, "nodes"), &p->hash_nodes);
		}
		check(p->has_seek == !json_is_null(vec_at(f, "seek")));
		if (p->has_seek)
			same_nodes(
			    vec_at(vec_at(f, "seek"), "nodes"), &p->seek_nodes);
		check(p->has_upgrade == !json_is_null(vec_at(f, "upgrade")));
		if (p->has_upgrade) {
			o = vec_at(f, "upgrade");
			check(p->upgrade_start == vec_num(o, "start") &&
			      p->upgrade_length == vec_num(o, "length"));
			same_nodes(vec_at(o, "nodes"), &p->upgrade_nodes);
			same_nodes(
			    vec_at(o, "additionalNodes"), &p->additional_nodes);
			check_same(p->signature, vec_hex_at(o, "signature"));
		}
		check((p->manifest != NULL) ==
		      !json_is_null(vec_at(f, "manifest")));
	}
}

static void
test_small_fields(void **state)
{
	struct message_bitfield bits;
	struct message_handshake h;
	struct message_no_data no;
	struct message_range range;
	struct message_want want;
	struct dec d;

	(void)state;
	d = encoded("handshake", 0);
	check(message_dec_handshake(&d, &h) && dec_done(&d) && h.seeks);
	check_same(view_b32(&h.capability),
	    vec_hex_at(fields("handshake", 0), "capability"));
	d = encoded("noData", 0);
	check(message_dec_no_data(&d, &no) && no.id == 9 && no.reason == 0);
	d = encoded("noData", 1);
	check(message_dec_no_data(&d, &no) && no.reason == MESSAGE_NOT_VALID);
	d = encoded("want", 1);
	check(message_dec_want(&d, &want) && want.start == 32 &&
	      want.length == 64 && want.any);
	d = encoded("bitfield", 0);
	check(message_dec_bitfield(&d, &bits) && bits.start == 64);
	check_view_hex(bits.words, "01000000ffffffff00000080");
	d = encoded("range", 1);
	check(message_dec_range(&d, &range) && !range.drop &&
	      range.start == 7 && range.length == 1);
	d = encoded("range", 2);
	check(message_dec_range(&d, &range) && range.drop && range.start == 5 &&
	      range.length == 3);
}

/* Wrong in one way each. */
static void
test_refused(void **state)
{
	static const struct {
		enum message_type t;
		const char *hex;
		bool ok;
	} row[] = {
	    /* 2^53 - 1 and one more */
	    {MESSAGE_CANCEL, "ffffffffffffff1f00", true},
	    {MESSAGE_CANCEL, "ff0000000000002000", false},
	    {MESSAGE_CANCEL, "ffffffffffffffffff", false},
	    /* behind the known fields: for newer peers */
	    {MESSAGE_CANCEL, "0907", true},
	    {MESSAGE_SYNC, "070000000901", true},
	    /* more words than there are bytes */
	    {MESSAGE_BITFIELD, "000201000000", false},
	    {MESSAGE_BITFIELD, "00ffffffffffffff1f0001000000", false},
	    /* 129 nodes are announced */
	    {MESSAGE_DATA, "010100000081", false},
	    /* an unknown manifest */
	    {MESSAGE_DATA, "10010004", false},
	    /* nothing at all is legal */
	    {MESSAGE_DATA, "000100", true},
	    {MESSAGE_REQUEST, "000100", true},
	    /* a name that is longer than the message */
	    {MESSAGE_EXTENSION, "05616263", false},
	};
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		buf_init(&b, 1 << 20);
		check(again(row[i].t, vec_hex(row[i].hex), &b) == row[i].ok);
		buf_deinit(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_golden),
	    cmocka_unit_test(test_sync_fields),
	    cmocka_unit_test(test_request_fields),
	    cmocka_unit_test(test_data_fields),
	    cmocka_unit_test(test_small_fields),
	    cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
