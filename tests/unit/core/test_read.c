/* read: offsets, seeks, trees at old lengths, damage, redo, many blocks. */
#include "fix.h"

#include <unistd.h>

#include "core/record.h"
#include "store/blockfile.h"

static void
test_offsets(void **state)
{
	struct err e = ERR_INIT;
	struct fix f;
	struct core *c;
	struct want w;
	struct tree t;
	struct node n;
	char space[64];
	uint64_t off, sum = 0, index, within;

	(void)state;
	fix_open(&f, 1, true);
	c = fix_core(&f, CORE_WRITE);
	fix_append(c, 333);
	for (uint64_t i = 0; i <= 333; i++) {
		check_ok(core_offset(c, i, &off, &w, &e), &e);
		check(off == sum);
		check_ok(core_tree_at(c, i, &t, &w, &e), &e);
		check(t.length == i && t.byte_length == sum);
		if (i == 333)
			break;
		size_t len = fix_block(i, space, sizeof(space)).len;
		for (size_t k = 0; k < len; k += len - 1) {
			check_ok(
			    core_seek(c, sum + k, &index, &within, &w, &e), &e);
			check(index == i && within == k);
		}
		sum += len;
	}
	check_code(core_offset(c, 334, &off, &w, &e), ERR_LIMIT);
	check_code(core_seek(c, sum, &index, &within, &w, &e), ERR_LIMIT);
	check_code(core_tree_at(c, 334, &t, &w, &e), ERR_LIMIT);
	check_code(core_node(c, 666, &n, &w, &e), ERR_LIMIT);
	check_code(core_node(c, 511, &n, &w, &e), ERR_LIMIT);
	check_ok(core_node(c, 255, &n, &w, &e), &e);
	core_close(c);
	fix_close(&f);
}

/* Order does not matter, and neither does where windows end. */
static void
test_many(void **state)
{
	struct err e = ERR_INIT;
	struct fix f;
	struct core *c;
	struct buf b;
	struct want w;
	char space[64];

	(void)state;
	fix_open(&f, 2, true);
	c = fix_core(&f, CORE_WRITE);
	fix_append(c, 30000);
	fix_expect(c, 30000);
	fix_expect(c, 30000);
	core_close(c);
	c = fix_core(&f, CORE_READ);
	buf_init(&b, 100);
	for (uint64_t i = 0, k = 0; i < 30000; i++, k = (k + 7919) % 30000) {
		buf_reset(&b);
		check_ok(core_get(c, k, &b, &w, &e), &e);
		check_same(buf_view(&b), fix_block(k, space, sizeof(space)));
	}
	check_code(core_get(c, 30000, &b, &w, &e), ERR_LIMIT);
	buf_deinit(&b);
	buf_init(&b, 3); /* too small a buffer is an error, not a cut */
	check_code(core_get(c, 5, &b, &w, &e), ERR_LIMIT);
	buf_deinit(&b);
	check_ok(core_verify(c, &e), &e);
	core_close(c);
	fix_close(&f);
}

static void
damage(struct core *c, uint64_t at)
{
	struct err e = ERR_INIT;
	struct blockfile *bf;
	uint8_t byte;
	char path[600];
	FILE *io;

	check_ok(blockfile_open(&bf, core_store(c), core_discovery_key(c),
		     BLOCKFILE_READ, &e),
	    &e);
	check_ok(blockfile_read(bf, &byte, 1, at, &e), &e);
	snprintf(path, sizeof(path), "%s", blockfile_path(bf));
	blockfile_close(bf);
	if (path[0] != '/' || access(path, R_OK) != 0)
		snprintf(path, sizeof(path), "%s/%s", store_dir(core_store(c)),
		    strstr(path, "blocks"));
	io = fopen(path, "r+b");
	check(io != NULL);
	check(fseek(io, (long)at, SEEK_SET) == 0);
	check(fputc(byte ^ 0x10, io) != EOF);
	check(fclose(io) == 0);
}

/* Every byte of a core flipped: the block is named, its bytes stay back. */
static void
test_damage(void **state)
{
	struct err e = ERR_INIT;
	struct fix f;
	struct core *c;
	struct buf b;
	struct want w;
	uint64_t index, within;
	char text[64];

	(void)state;
	fix_open(&f, 3, true);
	c = fix_core(&f, CORE_WRITE);
	fix_append(c, 9);
	buf_init(&b, 1000);
	for (uint64_t at = 0; at < core_head(c)->byte_length; at += 3) {
		check_ok(core_seek(c, at, &index, &within, &w, &e), &e);
		core_close(c);
		c = fix_core(&f, CORE_READ);
		damage(c, at);
		check_code(core_get(c, index, &b, &w, &e), ERR_CORRUPT);
		check(b.len == 0);
		snprintf(text, sizeof(text), "block %u does not match",
		    (unsigned)index);
		check(strstr(e.msg, text) != NULL);
		check_code(core_verify(c, &e), ERR_CORRUPT);
		check(strstr(e.msg, text) != NULL);
		check_ok(core_get(c, (index + 1) % 9, &b, &w, &e), &e);
		buf_reset(&b);
		damage(c, at);
	}
	core_close(c);
	c = fix_core(&f, CORE_READ);
	check_ok(core_verify(c, &e), &e);
	core_close(c);
	buf_deinit(&b);
	fix_close(&f);
}

/* Block i of a core whose blocks do not all fit into one window. */
static struct view
big_block(uint64_t i, uint8_t *space)
{
	size_t n = (size_t)((i * i * 7919 + i * 31) % 100000);

	for (size_t k = 0; k < n; k++)
		space[k] = (uint8_t)(i + k * 7 + (k >> 8));
	return view_of(space, n);
}

/* Blocks are compared before they are asked for: damage is still told of the
 * block that has it and of no other, in every order of reading. */
static void
test_ahead(void **state)
{
	const uint64_t n = 60, bad[4] = {7, 8, 31, 59};
	struct err e = ERR_INIT;
	struct core_batch *batch;
	struct fix f;
	struct core *c;
	struct buf b;
	struct want w;
	uint8_t *space = malloc(100000);
	uint64_t at, i;

	(void)state;
	check(space != NULL);
	fix_open(&f, 5, true);
	c = fix_core(&f, CORE_WRITE);
	batch = fix_batch(c);
	for (i = 0; i < n; i++)
		check_ok(
		    core_batch_append(batch, big_block(i, space), NULL, &e),
		    &e);
	fix_commit(batch);
	core_batch_free(batch);
	for (size_t k = 0; k < 4; k++) {
		check_ok(core_offset(c, bad[k] + 1, &at, &w, &e), &e);
		damage(c, at - 1);
	}
	core_close(c);
	buf_init(&b, 1 << 20);
	for (uint64_t step = 1; step <= 7; step += 3) {
		c = fix_core(&f, CORE_READ);
		for (uint64_t k = 0; k < 2 * n; k++) {
			i = k * step % n;
			buf_reset(&b);
			if (i == 7 || i == 8 || i == 31 || i == 59) {
				check_code(
				    core_get(c, i, &b, &w, &e), ERR_CORRUPT);
				check(b.len == 0);
				continue;
			}
			check_ok(core_get(c, i, &b, &w, &e), &e);
			check_same(buf_view(&b), big_block(i, space));
		}
		core_close(c);
	}
	buf_deinit(&b);
	free(space);
	fix_close(&f);
}

/* As if killed after the commit of a truncation with appends: blocks 2 to 5
 * still lie behind the end. Readers find them, the next writer moves them. */
static void
test_redo(void **state)
{
	struct err e = ERR_INIT;
	struct fix f;
	struct core *c;
	struct want w;
	struct store_txn *txn;
	struct record *r = calloc(1, sizeof(*r));
	struct blockfile *bf;
	struct b32 dkey;
	struct view val;
	struct buf b;
	uint64_t from, end;
	uint8_t bytes[200];

	(void)state;
	check(r != NULL);
	fix_open(&f, 4, true);
	c = fix_core(&f, CORE_WRITE);
	fix_append(c, 6);
	dkey = *core_discovery_key(c);
	end = core_head(c)->byte_length;
	check_ok(core_offset(c, 2, &from, &w, &e), &e);
	core_close(c);
	check_ok(blockfile_open(&bf, f.s, &dkey, BLOCKFILE_WRITE, &e), &e);
	check_ok(blockfile_read(bf, bytes, (size_t)(end - from), from, &e), &e);
	check_ok(
	    blockfile_write(bf, bytes, (size_t)(end - from), end + 7, &e), &e);
	memset(bytes, 0xee, sizeof(bytes));
	check_ok(
	    blockfile_write(bf, bytes, (size_t)(end - from), from, &e), &e);
	blockfile_close(bf);
	buf_init(&b, RECORD_MAX);
	check_ok(store_begin(&txn, f.s, &e), &e);
	check_ok(
	    store_get(f.s, txn, STORE_CORES, view_b32(&dkey), &val, &e), &e);
	check_ok(record_decode(r, val, &e), &e);
	r->redo = (struct record_redo){from, end + 7, end - from};
	check_ok(record_encode(&b, r, &e), &e);
	check_ok(
	    store_put(txn, STORE_CORES, view_b32(&dkey), buf_view(&b), &e), &e);
	check_ok(store_commit(txn, &e), &e);
	record_wipe(&b);

	c = fix_core(&f, CORE_READ);
	fix_expect(c, 6);
	core_close(c);
	c = fix_core(&f, CORE_WRITE);
	fix_expect(c, 6);
	core_close(c);
	check_ok(store_refresh(f.s, &e), &e);
	check_ok(
	    store_get(f.s, NULL, STORE_CORES, view_b32(&dkey), &val, &e), &e);
	check_ok(record_decode(r, val, &e), &e);
	check(r->redo.len == 0);
	c = fix_core(&f, CORE_WRITE);
	fix_append(c, 3);
	fix_expect(c, 9);
	check_ok(core_verify(c, &e), &e);
	core_close(c);
	free(r);
	fix_close(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_offsets),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_damage),
	    cmocka_unit_test(test_ahead),
	    cmocka_unit_test(test_redo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
