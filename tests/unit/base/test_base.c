/* err, view, buf, arr, utf8, file: the ground everything stands on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arr.h"
#include "base/file.h"
#include "base/utf8.h"
#include "support/vec.h"

static void
test_err_context_comes_first(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	check_code(err_set(&e, ERR_CORRUPT, "block %d", 7), ERR_CORRUPT);
	check_code(err_wrap(&e, "core %s", "abc"), ERR_CORRUPT);
	assert_string_equal(e.msg, "core abc: block 7");
	assert_string_equal(err_tag_of(&e), "ERR_CORRUPT");
	check_code(err_tag(&e, "ERR_INVALID_LINK"), ERR_CORRUPT);
	assert_string_equal(err_tag_of(&e), "ERR_INVALID_LINK");
	check_code(err_os(&e, ENOSPC, "write %s", "x"), ERR_NOSPACE);
	assert_string_equal(e.msg, "write x: No space left on device");
	assert_string_equal(err_tag_of(&e), "ERR_NO_SPACE");
	assert_int_equal(e.os, ENOSPC);
}

static void
test_err_long_text_is_cut(void **state)
{
	struct err e = ERR_INIT;
	char big[3000];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	check_code(err_set(&e, ERR_IO, "%s", big), ERR_IO);
	check_code(err_wrap(&e, "%s", big), ERR_IO);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	check_code(err_set(NULL, ERR_IO, "nobody listens"), ERR_IO);
}

static void
test_err_quote(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
	    {"plain", "plain"},
	    {"a\nb\x1b[31m", "a\\x0ab\\x1b[31m"},
	    {"h\xc3\xa4h", "h\xc3\xa4h"},
	    {"bad\xff\xc3", "bad\\xff\\xc3"},
	    {"x\xe2\x80\xaey", "x\\u202ey"},
	    {"back\\slash", "back\\\\slash"},
	    {"tag\xf3\xa0\x80\x81", "tag\\U000e0001"},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(
		    err_quote(out, sizeof(out), rows[i].in, strlen(rows[i].in)),
		    rows[i].out);
	assert_string_equal(
	    err_quote(out, 12, "0123456789abcdef", 16), "01234567...");
}

static void
test_views(void **state)
{
	struct view a = view_str("abc"), b = view_str("abcd");

	(void)state;
	assert_true(view_cmp(a, b) < 0 && view_cmp(b, a) > 0);
	assert_int_equal(view_cmp(a, a), 0);
	assert_true(view_cmp(VIEW_EMPTY, a) < 0);
	assert_true(view_starts(b, a) && !view_starts(a, b));
	assert_true(view_eq(view_sub(b, 1, 2), view_str("bc")));
	assert_int_equal(view_sub(b, 9, 2).len, 0);
	assert_int_equal(view_sub(b, 2, 99).len, 2);
	assert_int_equal(view_trim(view_str(" \t \n\v\f\r")).len, 0);
	assert_true(view_eq(view_trim(view_str("\ra b ")), view_str("a b")));
	assert_true(view_eq(view_trim(a), a));
	assert_int_equal(view_trim(VIEW_EMPTY).len, 0);
	assert_true(view_eq(VIEW_EMPTY, view_str("")));
}

static void
test_buf_is_bounded_and_sticky(void **state)
{
	struct err e = ERR_INIT;
	struct buf b;

	(void)state;
	buf_init(&b, 8);
	buf_str(&b, "12345");
	buf_str(&b, "6789");
	check_code(buf_check(&b, &e), ERR_LIMIT);
	assert_int_equal(b.len, 5);
	buf_byte(&b, '6');
	assert_int_equal(b.len, 5);
	buf_reset(&b);
	buf_printf(&b, "%s-%d", "abc", 42);
	check_ok(buf_check(&b, &e), &e);
	assert_string_equal(buf_cstr(&b), "abc-42");
	buf_fill(&b, 'x', 2);
	check_ok(buf_check(&b, &e), &e);
	assert_string_equal(buf_cstr(&b), "abc-42xx");
	buf_deinit(&b);
	buf_deinit(&b);
}

static void
test_arr_grows(void **state)
{
	uint64_t *p = NULL;
	size_t cap = 0;

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		assert_true(ARR_RESERVE(p, i + 1, cap));
		p[i] = i;
	}
	assert_true(p[999] == 999 && cap >= 1000);
	assert_false(ARR_RESERVE(p, SIZE_MAX / 4, cap));
	free(p);
}

static void
test_utf8(void **state)
{
	static const struct {
		const char *in;
		bool ok;
	} rows[] = {{"", true}, {"a\xc3\xa4\xe2\x82\xac\xf0\x9f\x8d\x90", true},
	    {"\xc0\x80", false}, {"\xed\xa0\x80", false},
	    {"\xf4\x90\x80\x80", false}, {"\xe2\x82", false}, {"\x80", false},
	    {"\xf0\x8f\xbf\xbf", false}, {"\xe0\x9f\xbf", false}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(utf8_valid(view_str(rows[i].in)), rows[i].ok);
}

static void
test_file_write_and_read(void **state)
{
	const char *dir = vec_tmpdir();
	struct err e = ERR_INIT;
	char path[4096];
	struct stat st;
	struct buf b;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/f", dir);
	check_ok(
	    file_write_atomic(AT_FDCWD, path, view_str("one"), 0600, &e), &e);
	check_ok(
	    file_write_atomic(AT_FDCWD, path, view_str("two"), 0640, &e), &e);
	check_code(file_write_new(AT_FDCWD, path, view_str("three"), 0600, &e),
	    ERR_EXISTS);
	buf_init(&b, 100);
	check_ok(file_read(AT_FDCWD, path, 100, &b, &e), &e);
	check_same(buf_view(&b), view_str("two"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	check_code(file_read(AT_FDCWD, path, 2, &b, &e), ERR_LIMIT);
	assert_int_equal(b.len, 3);
	check_code(file_read(AT_FDCWD, dir, 2, &b, &e), ERR_INVALID);
	(void)snprintf(path, sizeof(path), "%s/none", dir);
	check_code(file_read(AT_FDCWD, path, 2, &b, &e), ERR_NOT_FOUND);
	buf_deinit(&b);
}

static void
test_file_mkdirs(void **state)
{
	const char *dir = vec_tmpdir();
	struct err e = ERR_INIT;
	char path[4096];
	struct stat st;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/a/b/c", dir);
	check_ok(file_mkdirs(path, 0700, &e), &e);
	check_ok(file_mkdirs(path, 0700, &e), &e);
	assert_int_equal(stat(path, &st), 0);
	(void)snprintf(path, sizeof(path), "%s/f", dir);
	check_ok(file_write_new(AT_FDCWD, path, VIEW_EMPTY, 0600, &e), &e);
	(void)snprintf(path, sizeof(path), "%s/f/sub", dir);
	assert_true(file_mkdirs(path, 0700, &e) != ERR_OK);
	assert_non_null(strstr(e.msg, "/f"));
}

static void
test_file_lock_names_the_holder(void **state)
{
	const char *dir = vec_tmpdir();
	struct err e = ERR_INIT;
	char path[4096], pid[64];
	int a, b;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/lock", dir);
	a = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	b = open(path, O_RDWR | O_CLOEXEC);
	check_ok(file_lock(a, path, &e), &e);
	check_code(file_lock(b, path, &e), ERR_LOCKED);
	(void)snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
	assert_non_null(strstr(e.msg, pid));
	close(a);
	check_ok(file_lock(b, path, &e), &e);
	close(b);
}

static void
test_file_ranges(void **state)
{
	const char *dir = vec_tmpdir();
	struct err e = ERR_INIT;
	char path[4096], got[6] = "";
	int fd;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/r", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	check_ok(file_pwrite_all(fd, path, "hello", 5, 1u << 20, &e), &e);
	check_ok(file_pread_all(fd, path, got, 5, 1u << 20, &e), &e);
	assert_string_equal(got, "hello");
	check_code(file_pread_all(fd, path, got, 6, 1u << 20, &e), ERR_CORRUPT);
	check_ok(file_punch(fd, path, 0, 1u << 20, &e), &e);
	check_ok(file_sync(fd, path, &e), &e);
	check_ok(file_sync_dir(AT_FDCWD, dir, &e), &e);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_err_context_comes_first),
	    cmocka_unit_test(test_err_long_text_is_cut),
	    cmocka_unit_test(test_err_quote),
	    cmocka_unit_test(test_views),
	    cmocka_unit_test(test_buf_is_bounded_and_sticky),
	    cmocka_unit_test(test_arr_grows),
	    cmocka_unit_test(test_utf8),
	    cmocka_unit_test(test_file_write_and_read),
	    cmocka_unit_test(test_file_mkdirs),
	    cmocka_unit_test(test_file_lock_names_the_holder),
	    cmocka_unit_test(test_file_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
