#include "drive/stagefix.h"

#include "drive/scan.h"
#include "review/folder.h"

/* A dry run into a review, shown as one line a file:
 * SIGN PATH OLD NEW [x:OLDNEW] [link OLD>NEW] [same] [+N-N | reason] */
struct fixture {
	struct stagefix x;
	struct review r;
	struct folder *f;
	enum review_want want;
	uint64_t version;  /* to compare with; 0 = the present one */
	const char *spoil; /* removed before the review reads it */
	enum err_code rc;
	struct buf text;
};

static void
on_opened(void *ctx, const struct stage_report *r)
{
	struct fixture *t = ctx;
	uint64_t version = t->version > 0 ? t->version : r->before.length;

	check_ok(folder_open(&t->f, &t->r, t->x.s, &t->x.key, version, t->want,
		     &t->x.e),
	    &t->x.e);
}

static void
on_event(void *ctx, const struct stage_event *ev)
{
	struct fixture *t = ctx;

	if (ev->kind != STAGE_EVENT_DIFF)
		return;
	if (t->spoil != NULL && strcmp(ev->path + 1, t->spoil) == 0)
		fix_remove(t->x.app, t->spoil);
	if (t->rc == ERR_OK)
		t->rc = folder_change(t->f, ev, &t->x.e);
}

static const char *
show(struct fixture *t)
{
	buf_reset(&t->text);
	for (size_t i = 0; i < t->r.nfiles; i++) {
		const struct review_file *f = &t->r.file[i];

		buf_printf(&t->text, "%c %s %d %d", "-~+"[(int)f->op + 1],
		    f -> path, (int)f -> old_size, (int)f -> new_size);
		if (f->old_exec || f->new_exec)
			buf_printf(
			    &t->text, " x:%d%d", f->old_exec, f->new_exec);
		if (f->old_link != NULL || f->new_link != NULL)
			buf_printf(&t->text, " link %s>%s",
			    f->old_link != NULL ? f->old_link : "",
			    f->new_link != NULL ? f->new_link : "");
		if (f->metadata_only)
			buf_str(&t->text, " same");
		if (f->lines != NULL)
			buf_printf(&t->text, " +%d-%d", (int)f->lines_added,
			    (int)f->lines_removed);
		if (f->no_lines != NULL)
			buf_printf(&t->text, " %s", f->no_lines);
		buf_byte(&t->text, '\n');
	}
	return t->text.len == 0 ? "" : buf_cstr(&t->text);
}

static void
begin(struct fixture *t, const char *first)
{
	memset(t, 0, sizeof(*t));
	stagefix_open(&t->x);
	buf_init(&t->text, 1 << 20);
	review_init(&t->r);
	t->want = REVIEW_LINES;
	if (first == NULL)
		return;
	fix_put(t->x.app, first);
	check_ok(stagefix_try(&t->x), &t->x.e);
}

static void
look(struct fixture *t)
{
	t->x.o.dry_run = true;
	t->x.o.opened = on_opened;
	t->x.o.event = on_event;
	t->x.o.ctx = t;
	t->x.o.stop = NULL;
	check_ok(drive_stage(&t->x.o, &t->x.r, &t->x.e), &t->x.e);
	check_ok(t->rc, &t->x.e);
	check_ok(folder_end(t->f, &t->x.e), &t->x.e);
	stage_report_deinit(&t->x.r);
}

static void
end(struct fixture *t)
{
	folder_close(t->f);
	review_deinit(&t->r);
	buf_deinit(&t->text);
	stagefix_close(&t->x);
}

static void
expect(struct fixture *t, const char *lines)
{
	look(t);
	assert_string_equal(show(t), lines);
}

static void
expect_arch(
    const struct fixture *t, const char *name, uint64_t old, uint64_t new)
{
	for (size_t i = 0; i < t->r.narch; i++)
		if (strcmp(t->r.arch[i].name, name) == 0) {
			assert_int_equal(t->r.arch[i].old_bytes, old);
			assert_int_equal(t->r.arch[i].new_bytes, new);
			return;
		}
	vec_fail(__FILE__, __LINE__, name);
}

#define PACKAGE "f package.json={\"name\":\"x\",\"version\":\"1.0.1\"}"

static void
test_empty_drive(void **state)
{
	struct fixture t;

	(void)state;
	begin(&t, NULL);
	fix_put(t.x.app, "f by-arch/linux-x64/a=one\nl by-arch/linux-x64/l=a");
	expect(&t, "+ /by-arch/linux-x64/a 0 3 +1-0\n"
		   "+ /by-arch/linux-x64/l 0 0 link >a\n"
		   "+ /package.json 0 30 +1-0\n");
	expect_arch(&t, "linux-x64", 0, 3);
	expect_arch(&t, "", 0, 30);
	assert_int_equal(t.r.nfindings, 0);
	end(&t);
}

static void
test_changes(void **state)
{
	struct fixture t;

	(void)state;
	begin(&t, "f by-arch/a/gone=x\nf by-arch/a/kept=12345\n"
		  "f by-arch/a/text=one\\n\nf by-arch/a/tool=#!\n"
		  "f by-arch/b/file=file\nl by-arch/b/link=file\n"
		  "l by-arch/b/other=file");
	fix_remove(t.x.app, "by-arch/a/gone");
	fix_remove(t.x.app, "by-arch/b/file");
	fix_remove(t.x.app, "by-arch/b/link");
	fix_remove(t.x.app, "by-arch/b/other");
	fix_put(t.x.app, "f by-arch/a/text=two\nx by-arch/a/tool=#!\n"
			 "l by-arch/b/file=link\nf by-arch/b/link=now\n"
			 "l by-arch/b/other=link\nx by-arch/b/new=!");
	expect(&t, "- /by-arch/a/gone 1 0 +0-1\n"
		   "~ /by-arch/a/text 5 3 +1-1\n"
		   "~ /by-arch/a/tool 2 2 x:01 same\n"
		   "~ /by-arch/b/file 4 0 link >link\n"
		   "~ /by-arch/b/link 0 3 link file> +1-0\n"
		   "+ /by-arch/b/new 0 1 x:01 +1-0\n"
		   "~ /by-arch/b/other 0 0 link file>link\n");
	assert_string_equal(t.r.file[1].lines,
	    "@@ -1 +1 @@\n-one\\n\n\\ No newline at end of file\n"
	    "+two\n\\ No newline at end of file\n");
	/* what stays the same counts on both sides */
	expect_arch(&t, "a", 1 + 5 + 5 + 2, 5 + 3 + 2);
	expect_arch(&t, "b", 4, 3 + 1);
	expect_arch(&t, "", 30, 30);
	assert_int_equal(t.r.add, 1);
	assert_int_equal(t.r.change, 5);
	assert_int_equal(t.r.remove, 1);
	end(&t);
}

static void
test_no_lines(void **state)
{
	struct fixture t;

	(void)state;
	begin(&t, "f a=one");
	t.want = REVIEW_NO_LINES;
	fix_put(t.x.app, "f a=two\nf b=three");
	expect(&t, "~ /a 3 3\n+ /b 0 5\n");
	end(&t);
}

/* The limit itself is still a text, one byte more is not: on both sides. */
static void
test_large(void **state)
{
	char *line = malloc(REVIEW_TEXT_MAX + 8);
	struct fixture t;

	(void)state;
	check(line != NULL);
	begin(&t, "f a=one\nf b=one");
	memset(line, '\n', REVIEW_TEXT_MAX + 8);
	line[REVIEW_TEXT_MAX] = '\0';
	fix_put_file(fix_path(t.x.app, "c"), line, 0644);
	check_ok(stagefix_try(&t.x), &t.x.e);
	line[REVIEW_TEXT_MAX] = '\n';
	line[REVIEW_TEXT_MAX + 1] = '\0';
	fix_put_file(fix_path(t.x.app, "b"), line, 0644);
	fix_put_file(fix_path(t.x.app, "c"), "few\n", 0644);
	line[0] = '!';
	line[REVIEW_TEXT_MAX] = '\0';
	fix_put_file(fix_path(t.x.app, "a"), "\n", 0644);
	look(&t);
	assert_int_equal(t.r.nfiles, 3);
	assert_non_null(t.r.file[0].lines);
	assert_string_equal(t.r.file[1].no_lines, "too large");
	/* read as a text; its diff may be too long for a review */
	check(t.r.file[2].lines != NULL || t.r.file[2].no_lines != NULL);
	end(&t);
	free(line);
}

static void
test_binary(void **state)
{
	static const char bytes[] = {'a', 0, 'b'};
	struct fixture t;
	int fd;

	(void)state;
	begin(&t, "f a=one");
	fd = open(fix_path(t.x.app, "a"), O_WRONLY | O_TRUNC | O_CLOEXEC);
	check(fd >= 0 && write(fd, bytes, 3) == 3 && close(fd) == 0);
	expect(&t, "~ /a 3 3 binary\n");
	end(&t);
}

/* Gone between the stage and the review: said, and no failure. */
static void
test_changed_meanwhile(void **state)
{
	struct fixture t;

	(void)state;
	begin(&t, "f a=one\nf b=one");
	t.spoil = "a";
	fix_put(t.x.app, "f a=two\nf b=two");
	expect(&t, "~ /a 3 3 changed while it was read\n~ /b 3 3 +1-1\n");
	end(&t);
}

/* A link out of the folder is content: that of what it leads to. */
static void
test_followed_link(void **state)
{
	struct fixture t;

	(void)state;
	begin(&t, NULL);
	fix_put(t.x.dir, "f outside=from there");
	fix_put(t.x.app, "l in=../outside");
	expect(&t, "+ /in 0 10 +1-0\n+ /package.json 0 30 +1-0\n");
	assert_string_equal(t.r.file[0].lines,
	    "@@ -0,0 +1 @@\n+from there\n\\ No newline at end of file\n");
	end(&t);
}

/* Against an earlier version than the present one. */
static void
test_version(void **state)
{
	struct fixture t;

	(void)state;
	begin(&t, "f a=one");
	fix_put(t.x.app, "f a=two\nf b=new");
	check_ok(stagefix_try(&t.x), &t.x.e);
	fix_put(t.x.app, "f a=six");
	t.x.o.has_truncate = true;
	t.x.o.truncate = t.version = 3; /* header, a, package.json */
	expect(&t, "~ /a 3 3 +1-1\n+ /b 0 3 +1-0\n");
	assert_string_equal(t.r.file[0].lines,
	    "@@ -1 +1 @@\n-one\n\\ No newline at end of file\n"
	    "+six\n\\ No newline at end of file\n");
	end(&t);
}

static void
test_outside(void **state)
{
	struct fixture t;

	(void)state;
	begin(&t, "f by-arch/a/x=1");
	fix_put(t.x.app, "f one=1\nf two=2\n" PACKAGE);
	look(&t);
	assert_int_equal(t.r.nfindings, 1);
	assert_int_equal(t.r.finding[0].mark, REVIEW_WARN);
	assert_string_equal(t.r.finding[0].text,
	    "2 files outside /package.json and /by-arch: /one, ...");
	end(&t);
	/* where nothing is by architecture, nothing is outside of it */
	begin(&t, NULL);
	fix_put(t.x.app, "f one=1");
	look(&t);
	assert_int_equal(t.r.nfindings, 0);
	end(&t);
}

static void
test_nothing(void **state)
{
	struct fixture t;

	(void)state;
	begin(&t, "f a=one");
	expect(&t, "");
	expect_arch(&t, "", 33, 33);
	end(&t);
	folder_close(NULL);
}

static void
test_no_drive(void **state)
{
	struct folder *f = NULL;
	struct b32 other = {{9}};
	struct fixture t;

	(void)state;
	begin(&t, NULL);
	check(folder_open(&f, &t.r, t.x.s, &other, 4, REVIEW_LINES, &t.x.e) !=
	      ERR_OK);
	check(f == NULL);
	end(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_empty_drive),
	    cmocka_unit_test(test_changes),
	    cmocka_unit_test(test_no_lines),
	    cmocka_unit_test(test_large),
	    cmocka_unit_test(test_binary),
	    cmocka_unit_test(test_changed_meanwhile),
	    cmocka_unit_test(test_followed_link),
	    cmocka_unit_test(test_version),
	    cmocka_unit_test(test_outside),
	    cmocka_unit_test(test_nothing),
	    cmocka_unit_test(test_no_drive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
