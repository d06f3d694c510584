/* The bytes of one file on their way into a drive: all of them, once, and
 * of one moment. */
#include "tests/unit/hyperdrive/drivefix.h"

#include <fcntl.h>
#include <unistd.h>

#include "support/treefix.h"

#include "crypto/hash.h"
#include "drive/content.h"

struct contentfix {
	struct drivefix x;
	struct content c;
	const char *dir;
	int dirfd;
	/* what happens at which poll */
	int polls, stop_at, meddle_at;
	void (*meddle)(struct contentfix *f);
};

static bool
on_poll(void *ctx)
{
	struct contentfix *f = ctx;

	f->polls++;
	if (f->polls == f->meddle_at)
		f->meddle(f);
	return f->polls == f->stop_at;
}

static void
begin(struct contentfix *f, enum chunker_kind kind, enum blobs_share share)
{
	struct err e = ERR_INIT;

	memset(f, 0, sizeof(*f));
	drivefix_open(&f->x, 4);
	drivefix_begin(&f->x, share);
	f->dir = vec_tmpdir();
	f->dirfd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	check(f->dirfd >= 0);
	check_ok(content_init(&f->c, kind, &e), &e);
	f->c.sum = CONTENT_SUM;
	f->c.stop = on_poll;
	f->c.stop_ctx = f;
}

static void
end(struct contentfix *f)
{
	content_deinit(&f->c);
	content_deinit(&f->c); /* again is fine */
	check(close(f->dirfd) == 0);
	drivefix_close(&f->x);
}

static void
put(struct contentfix *f, const char *name, struct view v)
{
	int fd = openat(
	    f->dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	check(fd >= 0 && write(fd, v.ptr, v.len) == (ssize_t)v.len);
	check(close(fd) == 0);
}

static struct content_file
file_of(const struct contentfix *f, const char *name)
{
	struct content_file file = {
	    .dirfd = f->dirfd, .path = name, .name = name};

	check(fstatat(f->dirfd, name, &file.st, 0) == 0);
	return file;
}

static enum err_code
store(struct contentfix *f, const struct content_file *file,
    struct content_stored *out, struct err *e)
{
	return content_store(
	    &f->c, file, hyperdrive_batch_blobs(f->x.b), out, e);
}

static enum err_code
same(struct contentfix *f, const struct content_file *file,
    const struct blobs_id *id, bool *out, struct b32 *sum, struct err *e)
{
	struct want w;

	return content_same(
	    &f->c, file, hyperdrive_blobs(f->x.d), id, out, sum, &w, e);
}

static void
expect_blob(struct contentfix *f, const struct blobs_id *id, struct view want)
{
	struct blobs_reader *r = NULL;
	struct err e = ERR_INIT;
	struct view block;
	struct want w;
	struct buf got;
	bool more;

	buf_init(&got, 1u << 26);
	check_ok(
	    blobs_reader_open(&r, hyperdrive_blobs(f->x.d), id, &w, &e), &e);
	for (;;) {
		check_ok(blobs_reader_next(r, &more, &block, &w, &e), &e);
		if (!more)
			break;
		buf_append(&got, block);
	}
	blobs_reader_close(r);
	check_same(buf_view(&got), want);
	buf_deinit(&got);
}

/* Sizes around the read buffer and the chunk bounds. */
static const size_t sizes[] = {
    0, 1, 65535, 65536, 65537, 262143, 262144, 262145, 1048576, 1500001};

static const struct {
	enum chunker_kind kind;
	enum blobs_share share;
} ways[] = {{CHUNKER_CDC, BLOBS_SHARED}, {CHUNKER_FIXED, BLOBS_PLAIN},
    {CHUNKER_RABIN, BLOBS_PEAR}, {CHUNKER_RABIN, BLOBS_PEAR_EXACT}};

static void
store_sizes(struct contentfix *f)
{
	enum { N = sizeof(sizes) / sizeof(*sizes) };
	struct content_stored got[N];
	struct err e = ERR_INIT;
	uint8_t *p = prng(sizes[N - 1], 77);
	struct b32 sum;
	bool eq;

	for (size_t i = 0; i < N; i++) {
		struct content_file file;

		put(f, "a", view_of(p, sizes[i]));
		file = file_of(f, "a");
		check_ok(store(f, &file, &got[i], &e), &e);
		hash_data(&sum, view_of(p, sizes[i]));
		check(b32_eq(&sum, &got[i].sum));
	}
	drivefix_commit(&f->x);
	for (size_t i = 0; i < N; i++) {
		struct content_file file;

		expect_blob(f, &got[i].id, view_of(p, sizes[i]));
		put(f, "a", view_of(p, sizes[i]));
		file = file_of(f, "a");
		check_ok(same(f, &file, &got[i].id, &eq, &sum, &e), &e);
		check(eq && b32_eq(&sum, &got[i].sum));
		if (sizes[i] == 0)
			continue;
		/* the last byte, then the first */
		p[sizes[i] - 1] ^= 1;
		put(f, "a", view_of(p, sizes[i]));
		p[sizes[i] - 1] ^= 1;
		file = file_of(f, "a");
		check_ok(same(f, &file, &got[i].id, &eq, &sum, &e), &e);
		check(!eq);
		p[0] ^= 1;
		put(f, "a", view_of(p, sizes[i]));
		p[0] ^= 1;
		file = file_of(f, "a");
		check_ok(same(f, &file, &got[i].id, &eq, &sum, &e), &e);
		check(!eq);
	}
	free(p);
}

static void
test_sizes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		struct contentfix f;

		begin(&f, ways[i].kind, ways[i].share);
		store_sizes(&f);
		end(&f);
	}
}

/* Another size is another content, without a look at the file. */
static void
test_other_size(void **state)
{
	struct content_stored got;
	struct content_file file;
	struct err e = ERR_INIT;
	struct contentfix f;
	bool eq = true;

	(void)state;
	begin(&f, CHUNKER_CDC, BLOBS_SHARED);
	put(&f, "a", view_str("hello"));
	file = file_of(&f, "a");
	check_ok(store(&f, &file, &got, &e), &e);
	drivefix_commit(&f.x);
	put(&f, "a", view_str("hell"));
	file = file_of(&f, "a");
	f.polls = 0;
	check_ok(same(&f, &file, &got.id, &eq, &got.sum, &e), &e);
	check(!eq && f.polls == 0);
	end(&f);
}

/* A second time the same content costs nothing. */
static void
test_stored(void **state)
{
	uint8_t *p = prng(500000, 5);
	struct content_stored one, two;
	struct content_file file;
	struct err e = ERR_INIT;
	struct contentfix f;

	(void)state;
	begin(&f, CHUNKER_CDC, BLOBS_SHARED);
	put(&f, "a", view_of(p, 500000));
	file = file_of(&f, "a");
	check_ok(store(&f, &file, &one, &e), &e);
	check_ok(store(&f, &file, &two, &e), &e);
	check(one.stored == 500000 && two.stored == 0);
	check(memcmp(&one.id, &two.id, sizeof(one.id)) == 0);
	free(p);
	end(&f);
}

/* -- what changes meanwhile ----------------------------------------------- */

enum { BIG = 3 << 20 };

static void
grow(struct contentfix *f)
{
	int fd = openat(f->dirfd, "a", O_WRONLY | O_APPEND | O_CLOEXEC);

	check(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
}

static void
shrink(struct contentfix *f)
{
	int fd = openat(f->dirfd, "a", O_WRONLY | O_CLOEXEC);

	check(fd >= 0 && ftruncate(fd, BIG - 1) == 0 && close(fd) == 0);
}

static void
empty(struct contentfix *f)
{
	int fd = openat(f->dirfd, "a", O_WRONLY | O_TRUNC | O_CLOEXEC);

	check(fd >= 0 && close(fd) == 0);
}

static void
touch(struct contentfix *f)
{
	static const struct timespec t[2] = {{5, 5}, {5, 5}};

	check(utimensat(f->dirfd, "a", t, 0) == 0);
}

static void
flip(struct contentfix *f)
{
	int fd = openat(f->dirfd, "a", O_WRONLY | O_CLOEXEC);

	check(fd >= 0 && pwrite(fd, "\xff", 1, BIG / 2) == 1);
	check(close(fd) == 0);
	touch(f); /* whatever the clock's tick is */
}

static void
run_it(struct contentfix *f)
{
	check(fchmodat(f->dirfd, "a", 0755, 0) == 0);
}

static void
replace(struct contentfix *f)
{
	put(f, "b", view_str("new"));
	check(renameat(f->dirfd, "b", f->dirfd, "a") == 0);
}

static void
vanish(struct contentfix *f)
{
	check(unlinkat(f->dirfd, "a", 0) == 0);
}

static void
become_link(struct contentfix *f)
{
	check(renameat(f->dirfd, "a", f->dirfd, "b") == 0);
	check(symlinkat("b", f->dirfd, "a") == 0);
}

static void
become_pipe(struct contentfix *f)
{
	vanish(f);
	check(mkfifoat(f->dirfd, "a", 0644) == 0);
}

static const struct change {
	void (*fn)(struct contentfix *f);
	bool open; /* noticed on the open file, too */
} changes[] = {{grow, true}, {shrink, true}, {empty, true}, {touch, true},
    {flip, true}, {run_it, true}, {replace, false}, {vanish, false},
    {become_link, false}, {become_pipe, false}};

static void
expect_changed(enum err_code rc, const struct err *e, size_t row)
{
	if (rc == ERR_CHANGED &&
	    strcmp(e->msg, "a changed while it was read") == 0)
		return;
	fprintf(stderr, "change %zu: %s\n", row, e->msg);
	fail();
}

/* Between the scan and the reading: every change is seen before the first
 * byte is taken. */
static void
test_changed_before(void **state)
{
	uint8_t *p = prng(BIG, 6);

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		struct content_stored got;
		struct content_file file;
		struct err e = ERR_INIT;
		struct contentfix f;

		begin(&f, CHUNKER_CDC, BLOBS_SHARED);
		put(&f, "a", view_of(p, BIG));
		file = file_of(&f, "a");
		changes[i].fn(&f);
		expect_changed(store(&f, &file, &got, &e), &e, i);
		check(f.polls == 0);
		end(&f);
	}
	free(p);
}

/* While it is read, at each of the reads; and the same for a comparison,
 * which may also have found a difference by then. */
static void
test_changed_meanwhile(void **state)
{
	uint8_t *p = prng(BIG, 6);

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++)
		for (int at = 1; at <= 12 && changes[i].open; at += 11) {
			struct content_stored got;
			struct content_file file;
			struct err e = ERR_INIT;
			struct contentfix f;
			enum err_code rc;
			bool eq = true;

			begin(&f, CHUNKER_CDC, BLOBS_SHARED);
			put(&f, "a", view_of(p, BIG));
			file = file_of(&f, "a");
			check_ok(store(&f, &file, &got, &e), &e);
			drivefix_commit(&f.x);
			drivefix_begin(&f.x, BLOBS_SHARED);
			f.meddle = changes[i].fn;
			f.meddle_at = f.polls + at;
			rc = same(&f, &file, &got.id, &eq, &got.sum, &e);
			if (rc != ERR_OK || eq)
				expect_changed(rc, &e, i);
			put(&f, "a", view_of(p, BIG));
			check(fchmodat(f.dirfd, "a", 0644, 0) == 0);
			file = file_of(&f, "a");
			f.meddle_at = f.polls + at;
			expect_changed(store(&f, &file, &got, &e), &e, i);
			end(&f);
		}
	free(p);
}

/* A followed link is content; a link that was put there is not. */
static void
test_follow(void **state)
{
	struct content_stored got;
	struct content_file file;
	struct err e = ERR_INIT;
	struct contentfix f;

	(void)state;
	begin(&f, CHUNKER_CDC, BLOBS_SHARED);
	put(&f, "a", view_str("hello"));
	check(symlinkat("a", f.dirfd, "l") == 0);
	file = file_of(&f, "l");
	check_code(store(&f, &file, &got, &e), ERR_CHANGED);
	file.follow = CONTENT_FOLLOW;
	check_ok(store(&f, &file, &got, &e), &e);
	check(got.stored == 5);
	end(&f);
}

/* Stopped at any poll, and the struct works on. */
static void
test_stop(void **state)
{
	uint8_t *p = prng(BIG, 6);
	struct content_stored got;
	struct content_file file;
	struct err e = ERR_INIT;
	struct contentfix f;
	int stops = 0;

	(void)state;
	begin(&f, CHUNKER_CDC, BLOBS_SHARED);
	put(&f, "a", view_of(p, BIG));
	file = file_of(&f, "a");
	for (f.stop_at = 1;; f.stop_at++, stops++) {
		enum err_code rc;

		drivefix_flush(&f.x);
		hyperdrive_batch_free(f.x.b);
		drivefix_begin(&f.x, BLOBS_SHARED);
		f.polls = 0;
		if ((rc = store(&f, &file, &got, &e)) == ERR_OK)
			break;
		check(rc == ERR_INTERRUPTED);
	}
	check(stops >= BIG / (256 << 10));
	check(got.stored == BIG);
	free(p);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_other_size),
	    cmocka_unit_test(test_stored),
	    cmocka_unit_test(test_changed_before),
	    cmocka_unit_test(test_changed_meanwhile),
	    cmocka_unit_test(test_follow),
	    cmocka_unit_test(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
