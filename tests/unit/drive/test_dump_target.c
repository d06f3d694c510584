/* Dumps into folders that hold something: what is kept, what is replaced,
 * what is in the way, and going on after a stop. */
#include "tests/unit/drive/stagefix.h"

#include "base/beneath.h"

struct watch {
	struct buf log;
	size_t polls, stop_at; /* 0 = never */
	uint64_t asked;
	bool answer;
};

static void
on_event(void *ctx, const struct dump_event *ev)
{
	struct watch *w = ctx;

	if (ev->kind == DUMP_EVENT_DIFF)
		buf_printf(&w->log, "%c %s %d %d\n", "-~+"[ev->type + 1],
		    ev -> path, (int)ev -> removed, (int)ev -> added);
}

static bool
on_poll(void *ctx)
{
	struct watch *w = ctx;

	return ++w->polls == w->stop_at;
}

static bool
on_prune(void *ctx, uint64_t files)
{
	struct watch *w = ctx;

	w->asked = files;
	return w->answer;
}

static enum err_code
dump(struct stagefix *x, struct watch *w, struct dump_opts o)
{
	o.event = on_event;
	o.stop = on_poll;
	o.confirm_prune = on_prune;
	o.ctx = w;
	w->polls = 0;
	w->asked = 0;
	buf_init(&w->log, 1 << 20);
	return stagefix_dump(x, "out", &o);
}

static void
expect(struct stagefix *x, struct dump_opts o, const char *log)
{
	struct watch w = {.stop_at = 0};

	check_ok(dump(x, &w, o), &x->e);
	assert_string_equal(buf_cstr(&w.log), log);
	buf_deinit(&w.log);
}

static void
refused(struct stagefix *x, struct dump_opts o, enum err_code code,
    const char *text)
{
	struct watch w = {.stop_at = 0};

	if (dump(x, &w, o) != code || strstr(x->e.msg, text) == NULL) {
		fprintf(stderr, "got: %s\n", x->e.msg);
		fail();
	}
	buf_deinit(&w.log);
}

static void
open_drive(struct stagefix *x, const char *lines)
{
	stagefix_open(x);
	fix_remove(x->app, "package.json");
	x->o.skip_package_json = true;
	fix_put(x->app, lines);
	check_ok(stagefix_try(x), &x->e);
	fix_put(x->dir, "f canary=alive");
}

#define FORCE ((struct dump_opts){.force = true})
#define PRUNE ((struct dump_opts){.force = true, .prune = true})
#define DRY ((struct dump_opts){.force = true, .prune = true, .dry_run = true})
#define CHECK ((struct dump_opts){.prune = true, .check = true})

/* A dry run and a check tell what the dump does; after it, there is nothing
 * to tell. */
static void
test_events(void **state)
{
	static const char log[] = "- /gone/x 2 0\n~ /a 3 1\n+ /b/c 0 2\n"
				  "~ /l 0 0\n~ /m 0 0\n~ /mode 4 4\n";
	struct stagefix x;

	(void)state;
	open_drive(&x, "f a=1\nf b/c=22\nl l=a\nl m=a\nx mode=same\nf same=s");
	fix_put(fix_path(x.dir, "out"),
	    "f a=old\nf gone/x=xx\nl l=b\nf m=\nf mode=same\nf same=s");
	expect(&x, DRY, log);
	refused(&x, CHECK, ERR_VERIFY, "differs in 6 files");
	check_tree(fix_path(x.dir, "out"),
	    "f a=old\nf gone/x=xx\nl l=b\nf m=\nf mode=same\nf same=s\n");
	expect(&x, PRUNE, log);
	check_tree(fix_path(x.dir, "out"),
	    "f a=1\nf b/c=22\nl l=a\nl m=a\nx mode=same\nf same=s\n");
	expect(&x, PRUNE, "");
	expect(&x, CHECK, "");
	stagefix_close(&x);
}

/* A dry run of a folder that is not there makes none. */
static void
test_no_folder(void **state)
{
	struct stagefix x;

	(void)state;
	open_drive(&x, "f a=1");
	expect(&x, (struct dump_opts){.dry_run = true}, "+ /a 0 1\n");
	refused(&x, CHECK, ERR_VERIFY, "differs in 1 file");
	check(access(fix_path(x.dir, "out"), F_OK) != 0);
	fix_put(x.dir, "f out=file");
	refused(&x, FORCE, ERR_IO, "out");
	check_tree(x.app, "f a=1\n");
	stagefix_close(&x);
}

/* Folders alone are no content; files and links are. */
static void
test_not_empty(void **state)
{
	struct stagefix x;

	(void)state;
	open_drive(&x, "f a=1");
	fix_put(fix_path(x.dir, "out"), "d empty/folders");
	expect(&x, (struct dump_opts){.dry_run = true}, "+ /a 0 1\n");
	fix_put(fix_path(x.dir, "out"), "l deep/l=nowhere");
	refused(&x, (struct dump_opts){.dry_run = true}, ERR_EXISTS, "--force");
	assert_string_equal(err_tag_of(&x.e), "ERR_DIR_NONEMPTY");
	refused(&x, (struct dump_opts){.prefix = NULL}, ERR_EXISTS, "--force");
	check(access(fix_path(x.dir, "out/a"), F_OK) != 0);
	stagefix_close(&x);
}

/* -- in the way ----------------------------------------------------------- */

/* What is in the way goes with pruning, and is named without. */
static void
test_in_the_way(void **state)
{
	static const struct {
		const char *there, *named;
	} rows[] = {
	    {"f a/x=1\nf a/y/z=1", "/a"}, /* a folder for the file */
	    {"f b=1", "/b/c"},		  /* a file for the folder */
	    {"l b=..", "/b/c"},
	    {"l b=/", "/b/c"},
	    {"p b", "/b/c"},
	    {"d l/x", "/l"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct stagefix x;

		open_drive(&x, "f a=1\nf b/c=22\nl l=a");
		fix_put(fix_path(x.dir, "out"), rows[i].there);
		refused(&x, FORCE, ERR_CONFLICT, rows[i].named);
		check_tree(x.app, "f a=1\nf b/c=22\nl l=a\n");
		if (i != 5) { /* folders alone are not pruned */
			check_ok(stagefix_dump(&x, "out",
				     &(struct dump_opts){
					 .force = true, .prune = true}),
			    &x.e);
			check_tree(
			    fix_path(x.dir, "out"), "f a=1\nf b/c=22\nl l=a\n");
		}
		stagefix_close(&x);
	}
}

/* Links in the target are no way out of it: not for writing, not for
 * comparing, not for pruning. */
static void
test_links_are_no_way_out(void **state)
{
	struct stagefix x;

	(void)state;
	open_drive(&x, "f a=alive\nf b/c=22");
	fix_put(x.dir, "f other/c=22\nf other/more=m");
	fix_put(fix_path(x.dir, "out"), "l a=../canary\nl b=../other");
	refused(&x, CHECK, ERR_VERIFY, "differs in 3 files");
	expect(&x, PRUNE, "- /b 0 0\n~ /a 0 5\n+ /b/c 0 2\n");
	check_tree(fix_path(x.dir, "out"), "f a=alive\nf b/c=22\n");
	check_tree(fix_path(x.dir, "other"), "f c=22\nf more=m\n");
	check(access(fix_path(x.dir, "canary"), F_OK) == 0);
	stagefix_close(&x);
}

/* Every link of a dump stays inside it, also over other links: texts that
 * climb behind a name are written as the drive reads them. */
static void
test_links_over_links(void **state)
{
	static const struct {
		const char *path, *text, *want;
	} rows[] = {
	    {"l", "a/b/t/../../../x", "x"}, /* three above the root */
	    {"l", "s/../canary", "canary"}, /* one above it */
	    {"a/l", "../s/../x", "../x"},
	    {"a/l", "./b/../b/./t", "b/t"},
	    {"a/l", "../a/b/t", "../a/b/t"}, /* as it is */
	    {"a/l", "b/..", "../a"},
	    {"l", "a/..", "."},
	    {"a/l", "b/../..", "../"},
	    {"l", "/", "."}, /* from the drive's root */
	    {"a/b/l", "//.", "../../"},
	    {"a/l", "/a/b/", "b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char path[4096], text[64], *real, *out;
		struct hyperdrive_batch *hb = NULL;
		struct hyperdrive *d = NULL;
		struct stagefix x;
		struct want w;

		open_drive(&x, "l a/b/t=../..\nl s=.\nf x=1");
		check_ok(
		    hyperdrive_open(&d, x.s, &x.key, CORE_WRITE, &x.e), &x.e);
		check_ok(hyperdrive_batch_new(
			     &hb, d, CORE_BATCH_REAL, BLOBS_SHARED, &x.e),
		    &x.e);
		check_ok(hyperdrive_batch_symlink(hb, view_str(rows[i].path),
			     rows[i].text, &w, &x.e),
		    &x.e);
		check_ok(hyperdrive_batch_commit(hb, NULL, NULL, &x.e), &x.e);
		hyperdrive_batch_free(hb);
		hyperdrive_close(d);
		check_ok(
		    stagefix_dump(&x, "out", &(struct dump_opts){0}), &x.e);
		(void)snprintf(
		    path, sizeof(path), "%s/out/%s", x.dir, rows[i].path);
		memset(text, 0, sizeof(text));
		check(readlink(path, text, sizeof(text) - 1) > 0);
		assert_string_equal(text, rows[i].want);
		real = realpath(path, NULL);
		out = realpath(fix_path(x.dir, "out"), NULL);
		check(out != NULL);
		check(real == NULL || strncmp(real, out, strlen(out)) == 0);
		free(real);
		free(out);
		expect(&x, FORCE, "");
		stagefix_close(&x);
	}
}

/* -- pruning -------------------------------------------------------------- */

static void
put_many(struct stagefix *x, int n)
{
	char line[64];

	for (int i = 0; i < n; i++) {
		(void)snprintf(line, sizeof(line), "f many/%02d=x", i);
		fix_put(fix_path(x->dir, "out"), line);
	}
}

static void
test_prune_asks(void **state)
{
	struct watch w = {.answer = false};
	struct stagefix x;

	(void)state;
	open_drive(&x, "f a=1");
	put_many(&x, 20);
	check_ok(dump(&x, &w, PRUNE), &x.e); /* not yet many */
	check(w.asked == 0);
	buf_deinit(&w.log);
	put_many(&x, 21);
	check_code(dump(&x, &w, PRUNE), ERR_INVALID);
	check(w.asked == 21 && w.log.len == 0);
	check(strstr(x.e.msg, "21 file(s)") != NULL);
	check(access(fix_path(x.dir, "out/many/20"), F_OK) == 0);
	w.answer = true;
	check_ok(dump(&x, &w, PRUNE), &x.e);
	check(w.asked == 21);
	check_tree(fix_path(x.dir, "out"), "f a=1\n");
	buf_deinit(&w.log);
	stagefix_close(&x);
}

/* A part of the drive prunes that part only. */
static void
test_prune_a_part(void **state)
{
	static const char *const only[] = {"b/c", "d"};
	struct dump_opts o = PRUNE;
	struct stagefix x;

	(void)state;
	open_drive(&x, "f a=1\nf b/c/f=2\nf d/f=3");
	fix_put(fix_path(x.dir, "out"),
	    "f a=mine\nf b/x=mine\nf b/c/x=m\nf d/x=m\nf da=mine");
	o.only = only;
	o.nonly = 2;
	expect(&x, o, "- /b/c/x 1 0\n- /d/x 1 0\n+ /b/c/f 0 1\n+ /d/f 0 1\n");
	check_tree(fix_path(x.dir, "out"),
	    "f a=mine\nf b/c/f=2\nf b/x=mine\nf d/f=3\nf da=mine\n");
	stagefix_close(&x);
}

/* -- going on ------------------------------------------------------------- */

/* Stopped at any poll, what is there is whole; the next run does the rest
 * and no more. */
static void
test_stop_and_go_on(void **state)
{
	static const char tree[] = "f a=1\nf b/c=22\nx b/d=333\nl l=a\n";
	struct stagefix x;

	(void)state;
	open_drive(&x, "f a=1\nf b/c=22\nx b/d=333\nl l=a");
	for (size_t at = 1, stops = 0;; at++, stops++) {
		struct watch w = {.stop_at = at}, again = {.stop_at = 0};
		struct err e = ERR_INIT;
		int out;

		check((out = open(x.dir, O_RDONLY | O_DIRECTORY)) >= 0);
		check_ok(beneath_remove(out, "out", &e), &e);
		check(close(out) == 0);
		if (dump(&x, &w, PRUNE) == ERR_OK) {
			check(stops >= 4);
			buf_deinit(&w.log);
			break;
		}
		check(x.e.code == ERR_INTERRUPTED);
		check_ok(dump(&x, &again, PRUNE), &x.e);
		check_tree(fix_path(x.dir, "out"), tree);
		/* together they tell each entry once */
		buf_append(&w.log, buf_view(&again.log));
		assert_string_equal(buf_cstr(&w.log),
		    "+ /a 0 1\n+ /b/c 0 2\n+ /b/d 0 3\n+ /l 0 0\n");
		buf_deinit(&w.log);
		buf_deinit(&again.log);
	}
	check_tree(fix_path(x.dir, "out"), tree);
	stagefix_close(&x);
}

/* -- what is not here ----------------------------------------------------- */

static void
clear(struct stagefix *x, bool blobs, uint64_t start, uint64_t end)
{
	struct hyperdrive *d = NULL;
	struct core *c;

	check_ok(hyperdrive_open(&d, x->s, &x->key, CORE_WRITE, &x->e), &x->e);
	c = blobs ? hyperdrive_blobs(d) : hyperdrive_db(d);
	check_ok(core_clear(c, start, end, &x->e), &x->e);
	hyperdrive_close(d);
}

/* Contents that are not here: the file is named, and the next one is not
 * begun; equal files need none of them. */
static void
test_missing_contents(void **state)
{
	struct stagefix x;

	(void)state;
	open_drive(&x, "f a=1\nf b=22");
	clear(&x, true, 0, 2);
	refused(&x, FORCE, ERR_PEERS, "/a: block 0 of core ");
	check_tree(fix_path(x.dir, "out"), "");
	fix_put(fix_path(x.dir, "out"), "f a=1\nf b=22");
	expect(&x, FORCE, "");
	stagefix_close(&x);
}

static enum err_code
get_nothing(void *ctx, const struct want *w, struct err *e)
{
	*(struct want *)ctx = *w;
	return err_set(e, ERR_PEERS, "nobody has it");
}

/* Who can fetch is asked for it. */
static void
test_header_is_fetched(void **state)
{
	struct want asked = {.index = 99};
	const struct fetch f = {.get = get_nothing, .ctx = &asked};
	struct stagefix x;

	(void)state;
	open_drive(&x, "f a=1");
	clear(&x, false, 0, 1);
	refused(&x, (struct dump_opts){.fetch = &f}, ERR_PEERS, "nobody");
	check(asked.kind == WANT_BLOCK && asked.index == 0);
	check(b32_eq(&asked.key, &x.key));
	stagefix_close(&x);
}

/* Without its header a drive does not say where its contents are; what is
 * listed still is. */
static void
test_missing_header(void **state)
{
	static const char text[] = "contents of this drive are not in this";
	struct stagefix x;

	(void)state;
	open_drive(&x, "f a=1\nf b=22\nf empty=");
	clear(&x, false, 0, 1);
	expect(&x, (struct dump_opts){.dry_run = true},
	    "+ /a 0 1\n+ /b 0 2\n+ /empty 0 0\n");
	refused(&x, FORCE, ERR_NOT_FOUND, text);
	fix_put(fix_path(x.dir, "out"), "f a=1\nf b=22\nf empty=");
	refused(&x, CHECK, ERR_NOT_FOUND, text);
	refused(&x, FORCE, ERR_NOT_FOUND, text);
	check_tree(fix_path(x.dir, "out"), "f a=1\nf b=22\nf empty=\n");
	x.o.dry_run = true;
	check_code(stagefix_try(&x), ERR_PEERS);
	x.o.readonly_diff = true;
	check_code(stagefix_try(&x), ERR_PEERS);
	check(strstr(x.e.msg, "not in this store") != NULL);
	assert_string_equal(err_tag_of(&x.e), "ERR_NOT_FOUND");
	stagefix_close(&x);
}

/* An entry that is not here: no dump, no difference to a folder. */
static void
test_missing_entry(void **state)
{
	struct stagefix x;

	(void)state;
	open_drive(&x, "f a=1\nf b=22");
	clear(&x, false, 1, 2);
	refused(&x, FORCE, ERR_PEERS, "block 1 of core ");
	check(access(fix_path(x.dir, "out"), F_OK) != 0);
	x.o.dry_run = x.o.readonly_diff = true;
	check(stagefix_try(&x) != ERR_OK);
	check(strstr(x.e.msg, "block 1") != NULL);
	stagefix_close(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_events),
	    cmocka_unit_test(test_no_folder),
	    cmocka_unit_test(test_not_empty),
	    cmocka_unit_test(test_in_the_way),
	    cmocka_unit_test(test_links_are_no_way_out),
	    cmocka_unit_test(test_links_over_links),
	    cmocka_unit_test(test_prune_asks),
	    cmocka_unit_test(test_prune_a_part),
	    cmocka_unit_test(test_stop_and_go_on),
	    cmocka_unit_test(test_missing_contents),
	    cmocka_unit_test(test_header_is_fetched),
	    cmocka_unit_test(test_missing_header),
	    cmocka_unit_test(test_missing_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
