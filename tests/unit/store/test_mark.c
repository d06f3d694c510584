#include "fix.h"

#include "store/mark.h"
#include "store/mark_text.h"

static const struct b32 dkey = {{0x12, 0x34}};
static const struct mark sample = {
    .key = {{1, 2}}, .fork = 3, .length = 859, .root_hash = {{9, 8}}};

static bool
same(const struct mark *a, const struct mark *b)
{
	return b32_eq(&a->key, &b->key) && a->fork == b->fork &&
	       a->length == b->length && b32_eq(&a->root_hash, &b->root_hash);
}

static struct path
file_of(const char *dir)
{
	return fix_path(dir, "marks/1234000000000000000000000000000000000000"
			     "000000000000000000000000");
}

static void
writes_and_reads(void **state)
{
	const char *dir = vec_tmpdir();
	struct store *s = fix_create(dir);
	struct err e = ERR_INIT;
	struct mark m = sample;
	struct stat st;

	(void)state;
	check_code(mark_read(&m, s, &dkey, &e), ERR_NOT_FOUND);
	check_ok(mark_write(s, &dkey, &sample, &e), &e);
	check_ok(mark_read(&m, s, &dkey, &e), &e);
	check(same(&m, &sample));
	m.length = UINT64_MAX;
	check_ok(mark_write(s, &dkey, &m, &e), &e);
	m.length = 0;
	check_ok(mark_read(&m, s, &dkey, &e), &e);
	check(m.length == UINT64_MAX);
	check(stat(file_of(dir).s, &st) == 0);
	check((st.st_mode & 0777) == 0600);
	store_close(s);
	check_ok(fix_open(&s, dir, STORE_READ, STORE_NOT_MOVED, &e), &e);
	check_ok(mark_read(&m, s, &dkey, &e), &e);
	check_code(mark_write(s, &dkey, &m, &e), ERR_READONLY);
	store_close(s);
}

/* Any one bit, and any length but the whole. */
static void
finds_damage(void **state)
{
	struct err e = ERR_INIT;
	struct mark m;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	mark_encode(&b, &sample);
	check_ok(buf_check(&b, &e), &e);
	check_ok(mark_decode(&m, buf_view(&b), "x", &e), &e);
	check(same(&m, &sample));
	for (size_t i = 0; i < b.len; i++) {
		check_code(
		    mark_decode(&m, view_sub(buf_view(&b), 0, i), "x", &e),
		    ERR_CORRUPT);
		for (int bit = 0; bit < 8; bit++) {
			b.data[i] ^= (uint8_t)(1 << bit);
			check(mark_decode(&m, buf_view(&b), "x", &e) != ERR_OK);
			b.data[i] ^= (uint8_t)(1 << bit);
		}
	}
	buf_byte(&b, '\n');
	check_code(mark_decode(&m, buf_view(&b), "x", &e), ERR_CORRUPT);
	buf_deinit(&b);
}

static void
names_the_damaged_file(void **state)
{
	const char *dir = vec_tmpdir();
	struct store *s = fix_create(dir);
	struct path p = file_of(dir);
	struct err e = ERR_INIT;
	static char big[5000];
	struct mark m;

	(void)state;
	fix_write(p.s, "", 0);
	check_code(mark_read(&m, s, &dkey, &e), ERR_CORRUPT);
	check(strstr(e.msg, "marks/1234") != NULL);
	fix_write(p.s, big, sizeof(big));
	check_code(mark_read(&m, s, &dkey, &e), ERR_CORRUPT);
	fix_write(p.s, "pear-mark 2\n", 12);
	check_code(mark_read(&m, s, &dkey, &e), ERR_VERSION);
	check_ok(mark_write(s, &dkey, &sample, &e), &e);
	check_ok(mark_read(&m, s, &dkey, &e), &e);
	store_close(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(writes_and_reads),
	    cmocka_unit_test(finds_damage),
	    cmocka_unit_test(names_the_damaged_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
