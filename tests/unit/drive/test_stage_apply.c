/* Rows into the batch: entries as they are stored, every chunking, plans as
 * they are written, and files that change under the stage. */
#include "tests/unit/drive/stagefix.h"

#include <sys/wait.h>

#include "codec/jtext.h"

/* An entry of the drive as JSON text. */
static void
entry_is(struct stagefix *x, const char *path, const char *want)
{
	struct hyperdrive *d = NULL;
	struct bee *at = NULL;
	struct entry en;
	struct want w;
	struct buf got;

	buf_init(&got, FIX_TEXT);
	check_ok(hyperdrive_open(&d, x->s, &x->key, CORE_READ, &x->e), &x->e);
	check_ok(
	    hyperdrive_at(d, core_head(hyperdrive_db(d))->length, &at, &x->e),
	    &x->e);
	check_ok(
	    hyperdrive_entry(at, view_str(path), &en, NULL, &w, &x->e), &x->e);
	entry_encode(&got, &en);
	assert_string_equal(buf_cstr(&got), want);
	entry_deinit(&en);
	buf_deinit(&got);
	bee_close(at);
	hyperdrive_close(d);
}

/* n bytes that hold no NUL, the same for the same seed. */
static char *
noise(size_t n, uint32_t seed)
{
	char *p = malloc(n + 1);

	check(p != NULL);
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		p[i] = (char)('!' + (seed >> 24) % 90);
	}
	p[n] = '\0';
	return p;
}

static void
put_text(struct stagefix *x, const char *name, const char *text, mode_t mode)
{
	fix_put_file(fix_path(x->app, name), text, mode);
}

#define ENTRY(exe, link, blob) \
	"{\"executable\":" exe ",\"linkname\":" link ",\"blob\":" blob \
	",\"metadata\":null}"
#define BLOB(bo, yo, bl, yl) \
	"{\"blockOffset\":" bo ",\"byteOffset\":" yo ",\"blockLength\":" bl \
	",\"byteLength\":" yl "}"

static void
test_entries(void **state)
{
	struct stagefix x;

	(void)state;
	stagefix_open(&x);
	fix_put(x.app, "f a=hello\nx b=world\nf dup=hello\nf empty=\nl l=a");
	check_ok(stagefix_try(&x), &x.e);
	entry_is(&x, "/a", ENTRY("false", "null", BLOB("0", "0", "1", "5")));
	entry_is(&x, "/b", ENTRY("true", "null", BLOB("1", "5", "1", "5")));
	entry_is(&x, "/dup", ENTRY("false", "null", BLOB("0", "0", "1", "5")));
	entry_is(&x, "/l", ENTRY("false", "\"a\"", "null"));
	fix_put(x.app, "x a=hello");
	check_ok(stagefix_try(&x), &x.e);
	entry_is(&x, "/a", ENTRY("true", "null", BLOB("0", "0", "1", "5")));
	fix_remove(x.app, "l");
	fix_put(x.app, "l l=b");
	stagefix_expect(&x, "~ /l 0 0\n");
	entry_is(&x, "/l", ENTRY("false", "\"b\"", "null"));
	stagefix_close(&x);
}

/* Each chunking reads back, and says so when nothing changed. */
static void
test_chunkings(void **state)
{
	char *text = noise(1500000, 3), *plain = noise(5000, 4);

	(void)state;
	for (int how = 0; how < 4; how++) {
		struct dump_opts d = {.force = true, .prune = true};
		struct stagefix x;
		uint64_t first;

		stagefix_open(&x);
		x.o.chunking = (enum stage_chunking)how;
		x.o.no_cache = true;
		text[700000] = 'a';
		put_text(&x, "big", text, 0644);
		put_text(&x, "copy", text, 0755);
		put_text(&x, "small", plain, 0644);
		put_text(&x, "empty", "", 0644);
		check_ok(stagefix_try(&x), &x.e);
		first = x.r.bytes_stored;
		check(x.r.bytes_added == 2 * 1500000 + 5000 + 30);
		/* sharing in the whole history, or only in a path's own */
		if (how == STAGE_CHUNKING_CDC)
			check(first < 1600000);
		else
			check(first >= x.r.bytes_added);
		stagefix_expect(&x, "");
		text[700000] = 'b';
		put_text(&x, "big", text, 0644);
		stagefix_expect(&x, "~ /big 1500000 1500000\n");
		if (how == STAGE_CHUNKING_CDC)
			check(x.r.bytes_stored < 300000);
		else
			check(x.r.bytes_stored >= 1500000);
		check_ok(stagefix_dump(&x, "out", &d), &x.e);
		d.force = d.prune = false;
		d.dir = NULL;
		d.check = true;
		check_ok(stagefix_dump(&x, "app", &d), &x.e);
		check_ok(stagefix_dump(&x, "out", &d), &x.e);
		stagefix_close(&x);
	}
	free(text);
	free(plain);
}

/* The reference's chunks are about 1.5 MiB; they are shared with the path's
 * last version, and with no other path. */
static void
test_pear_shares_with_its_past(void **state)
{
	const size_t size = 8u << 20;
	char *text = noise(size, 5);
	struct stagefix x;

	(void)state;
	stagefix_open(&x);
	x.o.chunking = STAGE_CHUNKING_PEAR;
	put_text(&x, "a", text, 0644);
	check_ok(stagefix_try(&x), &x.e);
	text[size - 1] = ' ';
	put_text(&x, "a", text, 0644);
	check_ok(stagefix_try(&x), &x.e);
	check(x.r.bytes_stored > 0 && x.r.bytes_stored < size - (1u << 20));
	put_text(&x, "b", text, 0644);
	check_ok(stagefix_try(&x), &x.e);
	check(x.r.bytes_stored >= size);
	free(text);
	stagefix_close(&x);
}

/* Two stores, one key, other orders of making: equal hashes at every step,
 * for every chunking and with contents of many chunks. */
static void
test_equal_stores(void **state)
{
	static const char *const name[2][4] = {
	    {"m", "z", "a", "m2"}, {"m2", "a", "z", "m"}};
	char *text[2] = {noise(400000, 8), noise(300000, 9)};

	(void)state;
	for (int how = 0; how < 4; how++) {
		struct b32 hashes[2][2][2];

		for (size_t k = 0; k < 2; k++) {
			struct stagefix x;

			stagefix_open(&x);
			x.o.chunking = (enum stage_chunking)how;
			x.o.no_cache = k == 1;
			for (size_t i = 0; i < 4; i++)
				put_text(&x, name[k][i],
				    text[name[k][i][0] == 'm'], 0644);
			check_ok(stagefix_try(&x), &x.e);
			stagefix_hashes(&x, hashes[k][0]);
			fix_remove(x.app, "m");
			put_text(&x, "a", text[1] + 1000, 0755);
			check_ok(stagefix_try(&x), &x.e);
			stagefix_hashes(&x, hashes[k][1]);
			stagefix_close(&x);
		}
		assert_memory_equal(hashes[0], hashes[1], sizeof(hashes[0]));
		assert_memory_not_equal(
		    hashes[0][0], hashes[0][1], sizeof(hashes[0][0]));
	}
	free(text[0]);
	free(text[1]);
}

/* -- plans ---------------------------------------------------------------- */

static void
read_json(const char *path, json_t **out)
{
	struct err e = ERR_INIT;
	struct buf b;

	buf_init(&b, 1 << 20);
	check_ok(file_read(AT_FDCWD, path, 1 << 20, &b, &e), &e);
	check_ok(jtext_parse(buf_view(&b), 1 << 20, out, &e), &e);
	buf_deinit(&b);
}

/* "op path size x|- from|linkname|-" */
static void
plan_lines(struct buf *out, const json_t *doc)
{
	json_t *c;
	size_t i;

	json_array_foreach(json_object_get(doc, "changes"), i, c)
	{
		const char *from =
		    json_string_value(json_object_get(c, "from"));
		const char *link =
		    json_string_value(json_object_get(c, "linkname"));
		const char *hash =
		    json_string_value(json_object_get(c, "hash"));

		buf_printf(out, "%s %s %d%s%s%s%s%s %.8s\n", vec_str(c, "op"),
		    vec_str(c, "path"), (int)vec_num(c, "size"),
		    json_is_true(vec_at(c, "executable")) ? " x" : "",
		    from != NULL ? " from " : "", from != NULL ? from : "",
		    link != NULL ? " to " : "", link != NULL ? link : "",
		    hash != NULL ? hash : "-");
	}
}

static void
test_plan_lines(void **state)
{
	struct stagefix x;
	struct buf lines;
	char plan[600];
	json_t *doc;

	(void)state;
	stagefix_open(&x);
	(void)snprintf(plan, sizeof(plan), "%s/plan", x.dir);
	fix_put(x.app, "f a=hello\nf b=world\nf c=gone\nf mode=m\nl l=a");
	check_ok(stagefix_try(&x), &x.e);
	fix_remove(x.app, "a");
	fix_remove(x.app, "c");
	fix_remove(x.app, "l");
	fix_put(x.app, "f moved=hello\nf copy=world\nf b=World\nx mode=m\n"
		       "l l=b\nx new=");
	x.o.dry_run = true;
	x.o.plan_out = plan;
	check_ok(stagefix_try(&x), &x.e);
	read_json(plan, &doc);
	buf_init(&lines, FIX_TEXT);
	plan_lines(&lines, doc);
	/* hashes as b2sum -l 256 prints them */
	assert_string_equal(buf_cstr(&lines),
	    "remove /a 5 -\nremove /c 4 -\nchange /b 5 130e3a6b\n"
	    "add /copy 5 from /b 9a3440c9\nchange /l 0 to b -\n"
	    "change /mode 0 x -\nadd /moved 5 from /a 324dcf02\n"
	    "add /new 0 x 0e5751c0\n");
	check(vec_num(vec_at(doc, "base"), "length") == x.r.before.length);
	check(vec_num(vec_at(doc, "result"), "length") == x.r.after.length);
	json_decref(doc);
	buf_deinit(&lines);
	stagefix_close(&x);
}

/* A plan holds for one drive, one base and one chunking; what happens to the
 * disk or the drive after it was written refuses it and changes nothing. */
static void
test_plan_refused(void **state)
{
	static const char *const made[] = {"f a=ONE", "x a=one", "f c=1",
	    "f d/e=1", "l c=a", "f b=two!", "f package.json={\"name\":\"y\"}"};
	struct b32 before[2], after[2];
	struct stagefix x;
	char plan[600];

	(void)state;
	stagefix_open(&x);
	(void)snprintf(plan, sizeof(plan), "%s/plan", x.dir);
	check_ok(stagefix_try(&x), &x.e);
	for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++) {
		(void)unlink(fix_path(x.app, "c"));
		(void)unlink(fix_path(x.app, "d/e"));
		fix_put(x.app, "f a=one\nf b=two\nf package.json={}");
		x.o.plan = NULL;
		x.o.dry_run = true;
		x.o.plan_out = plan;
		check_ok(stagefix_try(&x), &x.e);
		x.o.plan = plan;
		x.o.plan_out = NULL;
		x.o.dry_run = false;
		fix_put(x.app, made[i]);
		stagefix_hashes(&x, before);
		check_code(stagefix_try(&x), ERR_CONFLICT);
		stagefix_hashes(&x, after);
		assert_memory_equal(before, after, sizeof(before));
	}
	stagefix_close(&x);
}

/* -- what changes under the stage ----------------------------------------- */

static void
shrink(struct stagefix *x)
{
	put_text(x, "z", "z", 0644);
}

static void
same_size(struct stagefix *x)
{
	static const struct timespec t[2] = {{7, 7}, {7, 7}};

	put_text(x, "z", "ZZZZ", 0644);
	check(utimensat(AT_FDCWD, fix_path(x->app, "z"), t, 0) == 0);
}

static void
mode(struct stagefix *x)
{
	check(chmod(fix_path(x->app, "z"), 0755) == 0);
}

static void
folder(struct stagefix *x)
{
	fix_remove(x->app, "z");
	fix_put(x->app, "f z/z=zzzz");
}

static void
pipe_there(struct stagefix *x)
{
	fix_remove(x->app, "z");
	fix_put(x->app, "p z");
}

static void (*change_now)(struct stagefix *x);

static void
on_first(struct stagefix *x, size_t n)
{
	if (n == 0)
		change_now(x);
}

static void
test_changes(void **state)
{
	void (*const ways[])(struct stagefix *) = {
	    shrink, same_size, mode, folder, pipe_there};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(ways) / sizeof(*ways); i++) {
		struct b32 before[2], after[2];
		struct stagefix x;

		stagefix_open(&x);
		fix_put(x.app, "f a=1");
		if (i % 2 == 0) /* new, or held against what is there */
			fix_put(x.app, "f z=zzzz");
		x.o.no_cache = true;
		check_ok(stagefix_try(&x), &x.e);
		fix_put(x.app, "f a=2\nf z=zzzz");
		stagefix_hashes(&x, before);
		change_now = ways[i / 2];
		x.meddle = on_first;
		check_code(stagefix_try(&x), ERR_CHANGED);
		check(strstr(x.e.msg, "/z changed") != NULL);
		stagefix_hashes(&x, after);
		assert_memory_equal(before, after, sizeof(before));
		x.meddle = NULL;
		stagefix_close(&x);
	}
}

/* -- who may write -------------------------------------------------------- */

static void
hold_drive(const char *store_dir, const struct b32 *key, int ready, int done)
{
	struct store_opts so = {.dir = store_dir, .mode = STORE_WRITE};
	struct hyperdrive *d = NULL;
	struct store *s = NULL;
	char byte = 'r';

	if (store_open(&s, &so, NULL) != ERR_OK ||
	    hyperdrive_open(&d, s, key, CORE_WRITE, NULL) != ERR_OK)
		byte = 'x';
	if (write(ready, &byte, 1) != 1 || read(done, &byte, 1) != 0)
		_exit(1);
	hyperdrive_close(d);
	store_close(s);
	_exit(0);
}

static void
test_in_use(void **state)
{
	int ready[2], done[2], status;
	struct stagefix x;
	char byte, text[32];
	pid_t pid;

	(void)state;
	stagefix_open(&x);
	check(pipe(ready) == 0 && pipe(done) == 0);
	check((pid = fork()) >= 0);
	if (pid == 0) {
		close(done[1]);
		hold_drive(x.store_dir, &x.key, ready[1], done[0]);
	}
	close(done[0]);
	check(read(ready[0], &byte, 1) == 1 && byte == 'r');
	check_code(stagefix_try(&x), ERR_LOCKED);
	(void)snprintf(text, sizeof(text), "%d", (int)pid);
	check(strstr(x.e.msg, text) != NULL);
	x.o.dry_run = true; /* looking is always allowed */
	check_ok(stagefix_try(&x), &x.e);
	x.o.dry_run = false;
	close(done[1]);
	check(waitpid(pid, &status, 0) == pid && status == 0);
	check_ok(stagefix_try(&x), &x.e);
	close(ready[0]);
	close(ready[1]);
	stagefix_close(&x);
}

static void
test_no_key(void **state)
{
	struct sign_pair pair;
	struct manifest m;
	struct stagefix x;
	struct b32 seed;

	(void)state;
	stagefix_open(&x);
	memset(seed.b, 99, sizeof(seed.b));
	check_ok(sign_pair_seed(&pair, &seed, &x.e), &x.e);
	manifest_single(&m, &pair.pub);
	manifest_key(&x.o.key, &m);
	for (int i = 0; i < 3; i++) { /* unknown; known; known, dry run */
		check_code(stagefix_try(&x), ERR_READONLY);
		check(strstr(x.e.msg, "Destination must be writable") != NULL);
		if (i == 0)
			check_ok(core_add(x.s, &m, &x.o.key, NULL, &x.e), &x.e);
		x.o.dry_run = i == 1;
	}
	sign_pair_free(&pair);
	stagefix_close(&x);
}

/* Beyond 4 GiB, mostly holes. Reads all of it: only on request. */
static void
test_huge(void **state)
{
	const off_t size = (off_t)5 << 30;
	struct dump_opts d = {.check = true};
	struct stagefix x;
	int fd;

	(void)state;
	if (getenv("PEAR_TEST_HUGE") == NULL)
		skip();
	stagefix_open(&x);
	fd =
	    open(fix_path(x.app, "huge"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	check(fd >= 0 && pwrite(fd, "end", 3, size - 3) == 3);
	check(close(fd) == 0);
	check_ok(stagefix_try(&x), &x.e);
	check(x.r.bytes_added == (uint64_t)size + 30);
	check(x.r.bytes_stored < (64u << 20)); /* one block of zeros, a map */
	check_ok(stagefix_dump(&x, "app", &d), &x.e);
	stagefix_close(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_entries),
	    cmocka_unit_test(test_chunkings),
	    cmocka_unit_test(test_pear_shares_with_its_past),
	    cmocka_unit_test(test_equal_stores),
	    cmocka_unit_test(test_plan_lines),
	    cmocka_unit_test(test_plan_refused),
	    cmocka_unit_test(test_changes),
	    cmocka_unit_test(test_in_use),
	    cmocka_unit_test(test_no_key),
	    cmocka_unit_test(test_huge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
