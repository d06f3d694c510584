/* repair: a block that rots is not served, told, and fetched again. */
#include "foe.h"

#include "store/blockfile.h"

#define BLOCKS 300

/* A byte of block i of the core of d, changed behind its back. */
static void
rot(struct side *d, uint64_t i)
{
	struct core *c = fix_core(&d->f, CORE_READ);
	struct err e = ERR_INIT;
	struct blockfile *bf;
	FILE *file;
	uint64_t at;
	int byte;

	check_ok(core_offset(c, i, &at, NULL, &e), &e);
	check_ok(blockfile_open(
		     &bf, d->f.s, core_discovery_key(c), BLOCKFILE_READ, &e),
	    &e);
	file = fopen(blockfile_path(bf), "r+b");
	check(file != NULL && fseek(file, (long)at, SEEK_SET) == 0);
	byte = fgetc(file);
	check(byte != EOF && fseek(file, (long)at, SEEK_SET) == 0);
	check(fputc(byte ^ 1, file) != EOF && fclose(file) == 0);
	blockfile_close(bf);
	core_close(c);
}

static void
check_gap(struct side *d, uint64_t gap)
{
	struct err e = ERR_INIT;
	struct core *c;

	check_ok(store_refresh(d->f.s, &e), &e);
	c = fix_core(&d->f, CORE_READ);
	check(core_head(c)->length == BLOCKS && !core_has(c, gap));
	check(core_head(c)->contiguous == gap);
	core_close(c);
}

/* The only source: refused, told to the peer and here, durable; the other
 * blocks go on. */
static void
test_not_served(void **state)
{
	struct side a;
	struct foe f;
	struct net n = {0};

	(void)state;
	net_side(&n, &a, true, NULL);
	net_fill(&a, BLOCKS);
	rot(&a, 70);
	foe_join(&n, &f, &a);
	foe_sync(&f, 0, 0, 0);
	foe_turn(&n, &f);
	check(f.range.start == 0 && f.range.length == BLOCKS);
	foe_block(&f, 1, 70, 0);
	foe_block(&f, 2, 71, 0);
	foe_turn(&n, &f);
	check(f.rc == ERR_OK && a.uploaded == 1);
	check(f.range.drop && f.range.start == 70 && f.range.length == 1);
	check(f.no.id == 1 && f.no.reason == MESSAGE_NOT_AVAILABLE);
	check(f.heard[MESSAGE_DATA] == 1 && f.data_id == 2);
	check(a.event[REPLICATE_TROUBLE] == 1);
	check(strstr(a.text, "block 70") != NULL);
	check(strstr(a.text, "/blocks/") != NULL);
	check(strstr(a.text, "at byte") != NULL);
	check_gap(&a, 70);
	foe_block(&f, 3, 70, 0);
	foe_turn(&n, &f);
	check(f.no.id == 3 && a.event[REPLICATE_TROUBLE] == 1);
	foe_leave(&n, &f);
	net_close(&n);
}

/* Somebody else holds the writer lock: not served, and told later. */
static void
test_locked(void **state)
{
	struct side a;
	struct foe f;
	struct net n = {0};
	struct core *c;

	(void)state;
	net_side(&n, &a, true, NULL);
	net_fill(&a, BLOCKS);
	rot(&a, 70);
	c = fix_core(&a.f, CORE_WRITE);
	foe_join(&n, &f, &a);
	foe_sync(&f, 0, 0, 0);
	foe_block(&f, 1, 70, 0);
	foe_turn(&n, &f);
	check(f.no.id == 1 && f.rc == ERR_OK && a.uploaded == 0);
	check(!f.range.drop && core_has(c, 70));
	core_close(c);
	foe_block(&f, 2, 70, 0);
	foe_turn(&n, &f);
	check(f.no.id == 2 && f.range.drop && a.uploaded == 0);
	check_gap(&a, 70);
	foe_leave(&n, &f);
	net_close(&n);
}

/* A writer and a replica hold it all; each loses other blocks, and both get
 * them from the other while a third one downloads. */
static void
test_repaired(void **state)
{
	struct err e = ERR_INIT;
	struct side a, b, third;
	struct line ab, a3, b3;
	struct net n = {0};

	(void)state;
	net_side(&n, &a, true, NULL);
	net_side(&n, &b, false, NULL);
	net_side(&n, &third, false, NULL);
	net_fill(&a, BLOCKS);
	(void)net_open(&a);
	check_ok(replicate_download(net_open(&b), 0, UINT64_MAX, &e), &e);
	net_join(&n, &ab, &a, &b, 1000);
	net_run(&n, NET_SECOND);
	net_whole(&b, BLOCKS);
	for (uint64_t i = 10; i < BLOCKS; i += 50)
		rot(&a, i);
	rot(&a, BLOCKS - 1);
	for (uint64_t i = 30; i < BLOCKS; i += 50)
		rot(&b, i);
	/* what a process has checked it does not check again */
	for (int i = 0; i < 2; i++) {
		struct side *d = i == 0 ? &a : &b;

		replicate_free(d->r);
		ab.peer[i] = NULL;
		check_ok(replicate_new(&d->r, d->f.s,
			     &(struct replicate_opts){.serve = true}, &e),
		    &e);
	}
	net_drop(&n, &ab);
	(void)net_open(&a);
	check_ok(replicate_download(net_open(&b), 0, UINT64_MAX, &e), &e);
	check_ok(replicate_download(net_open(&third), 0, UINT64_MAX, &e), &e);
	net_join(&n, &ab, &a, &b, 1000);
	net_join(&n, &a3, &a, &third, 2000);
	net_join(&n, &b3, &b, &third, 1500);
	net_run(&n, 60 * NET_SECOND);
	net_whole(&third, BLOCKS);
	check(ab.rc == ERR_OK && a3.rc == ERR_OK && b3.rc == ERR_OK);
	check(a.event[REPLICATE_BLAMED] + b.event[REPLICATE_BLAMED] +
		  third.event[REPLICATE_BLAMED] ==
	      0);
	check(a.event[REPLICATE_TROUBLE] + b.event[REPLICATE_TROUBLE] > 0);
	/* what nobody asked for may be rotten still: read it all */
	for (uint64_t i = 0; i < BLOCKS; i++) {
		struct side *d[2] = {&a, &b};

		for (int k = 0; k < 2; k++) {
			struct replicate_core *c = net_open(d[k]);
			struct want w = {.kind = WANT_BLOCK};
			struct buf buf;

			buf_init(&buf, 1000);
			if (core_get(replicate_core_handle(c), i, &buf, &w,
				&e) == ERR_CORRUPT)
				check_ok(replicate_need(c, &w, &e), &e);
			e = (struct err)ERR_INIT;
			buf_deinit(&buf);
		}
	}
	net_run(&n, 60 * NET_SECOND);
	net_whole(&a, BLOCKS);
	net_whole(&b, BLOCKS);
	net_close(&n);
}

/* A read that found nothing wrong after all keeps its error. */
static void
test_need_sound(void **state)
{
	struct want w = {.kind = WANT_REPAIR, .index = 7};
	struct err e = ERR_INIT;
	struct side a;
	struct net n = {0};

	(void)state;
	net_side(&n, &a, true, NULL);
	net_fill(&a, BLOCKS);
	w.key = a.f.key;
	check_code(err_set(&e, ERR_CORRUPT, "as it was"), ERR_CORRUPT);
	check_code(replicate_need(net_open(&a), &w, &e), ERR_CORRUPT);
	check(strcmp(e.msg, "as it was") == 0);
	net_whole(&a, BLOCKS);
	net_close(&n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_not_served),
	    cmocka_unit_test(test_locked),
	    cmocka_unit_test(test_repaired),
	    cmocka_unit_test(test_need_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
