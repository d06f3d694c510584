#include "tests/unit/hyperdrive/drivefix.h"

/* The blobs key of a drive is that of hyperdrive (data-formats 2.7). */
static void
test_blobs_key(void **state)
{
	json_t *doc = vec_load("drive");
	struct err e = ERR_INIT;
	struct drivefix x;
	struct b32 key;

	(void)state;
	drivefix_open(&x, 1);
	check(hyperdrive_blobs_key(x.d, &key));
	check_same(
	    view_b32(&key), vec_hex_at(vec_at(doc, "single"), "blobsKey"));
	check(hyperdrive_blobs(x.d) != NULL);
	check(core_writable(hyperdrive_blobs(x.d)));
	/* the other handle reads what the first one added */
	hyperdrive_close(x.d);
	check_ok(hyperdrive_open(&x.d, x.f.s, &x.f.key, CORE_READ, &e), &e);
	check(hyperdrive_blobs(x.d) != NULL);
	drivefix_close(&x);
	json_decref(doc);
}

/* Somebody has opened the contents by their key, to fetch them. */
static void
test_blobs_by_key(void **state)
{
	struct err e = ERR_INIT;
	struct hyperdrive *d;
	struct fix f;
	struct b32 key;

	(void)state;
	fix_open(&f, 1, true);
	check_ok(hyperdrive_open(&d, f.s, &f.key, CORE_READ, &e), &e);
	check(hyperdrive_blobs_key(d, &key) && hyperdrive_blobs(d) == NULL);
	hyperdrive_close(d);
	check_ok(core_add(f.s, NULL, &key, NULL, &e), &e);
	check_ok(hyperdrive_open(&d, f.s, &f.key, CORE_READ, &e), &e);
	check(!core_writable(hyperdrive_blobs(d)));
	hyperdrive_close(d);
	check_ok(hyperdrive_open(&d, f.s, &f.key, CORE_WRITE, &e), &e);
	check(core_writable(hyperdrive_blobs(d)));
	hyperdrive_close(d);
	fix_close(&f);
}

static void
test_unknown_drive(void **state)
{
	struct hyperdrive *d = NULL;
	struct err e = ERR_INIT;
	struct fix f;
	struct b32 key;

	(void)state;
	fix_open(&f, 1, true);
	memset(key.b, 3, sizeof(key.b));
	check_code(
	    hyperdrive_open(&d, f.s, &key, CORE_READ, &e), ERR_NOT_FOUND);
	check(d == NULL);
	fix_close(&f);
}

/* A replica that has nothing yet says which block would help. */
static void
test_replica(void **state)
{
	struct err e = ERR_INIT;
	struct hyperdrive *d;
	struct fix f;
	struct want w;
	struct b32 key;

	(void)state;
	fix_open(&f, 1, false);
	check_ok(hyperdrive_open(&d, f.s, &f.key, CORE_READ, &e), &e);
	check(hyperdrive_blobs(d) == NULL && !hyperdrive_blobs_key(d, &key));
	check_code(hyperdrive_find_blobs(d, &w, &e), ERR_NEED_BLOCK);
	check(w.kind == WANT_LENGTH && w.index == 1);
	check(b32_eq(&w.key, &f.key));
	hyperdrive_close(d);
	check_code(
	    hyperdrive_open(&d, f.s, &f.key, CORE_WRITE, &e), ERR_READONLY);
	fix_close(&f);
}

/* A drive core whose header is `header` (hex). */
static void
with_header(struct fix *f, const char *header, bool compat)
{
	struct err e = ERR_INIT;
	struct core_batch *b;
	struct core *c;

	fix_open(f, 4, true);
	if (compat) {
		f->key = f->pair.pub;
		check_ok(core_add(f->s, &f->m, &f->key, &f->pair, &e), &e);
	}
	c = fix_core(f, CORE_WRITE);
	b = fix_batch(c);
	check_ok(core_batch_append(b, vec_hex(header), NULL, &e), &e);
	fix_commit(b);
	core_batch_free(b);
	core_close(c);
}

#define FEED "44d02bb13f8beb156c2c02e0839c6f3f77bae59ff4334b391f07d52a18de33e5"

/* The header's key wins, on new and old drives; its core is added so that it
 * can be fetched. */
static void
test_header_key(void **state)
{
	json_t *doc = vec_load("keys");
	const char *header = vec_str(vec_at(doc, "compatDrive"), "header");
	struct err e = ERR_INIT;
	struct hyperdrive *d;
	struct fix f;
	struct b32 key;

	(void)state;
	for (int compat = 0; compat < 2; compat++) {
		with_header(&f, header, compat);
		check_ok(hyperdrive_open(&d, f.s, &f.key, CORE_READ, &e), &e);
		check(hyperdrive_blobs_key(d, &key));
		check_view_hex(view_b32(&key), FEED);
		check(hyperdrive_blobs(d) != NULL);
		check(!core_writable(hyperdrive_blobs(d)));
		hyperdrive_close(d);
		/* its pair is not here: no writing */
		check_code(hyperdrive_open(&d, f.s, &f.key, CORE_WRITE, &e),
		    ERR_READONLY);
		fix_close(&f);
	}
	json_decref(doc);
}

static void
test_bad_headers(void **state)
{
	static const struct {
		const char *header;
		bool compat;
		enum err_code rc;
	} cases[] = {
	    {"0a0868797065726265651200", false, ERR_OK},
	    {"0a0868797065726265651200", true, ERR_UNSUPPORTED},
	    {"0a08687970657262656512040a020102", false, ERR_FORMAT},
	    {"ff", false, ERR_FORMAT},
	};
	struct hyperdrive *d = NULL;
	struct fix f;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = ERR_INIT;

		with_header(&f, cases[i].header, cases[i].compat);
		check_code(hyperdrive_open(&d, f.s, &f.key, CORE_READ, &e),
		    cases[i].rc);
		if (cases[i].rc == ERR_OK)
			hyperdrive_close(d);
		else
			check(strstr(e.msg, "drive ") != NULL);
		fix_close(&f);
	}
}

/* An old drive that was never written cannot be begun here. */
static void
test_compat_empty(void **state)
{
	struct hyperdrive *d = NULL;
	struct err e = ERR_INIT;
	struct fix f;

	(void)state;
	fix_open(&f, 4, true);
	f.key = f.pair.pub;
	check_ok(core_add(f.s, &f.m, &f.key, &f.pair, &e), &e);
	check_code(
	    hyperdrive_open(&d, f.s, &f.key, CORE_WRITE, &e), ERR_UNSUPPORTED);
	fix_close(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_blobs_key),
	    cmocka_unit_test(test_blobs_by_key),
	    cmocka_unit_test(test_unknown_drive),
	    cmocka_unit_test(test_replica),
	    cmocka_unit_test(test_header_key),
	    cmocka_unit_test(test_bad_headers),
	    cmocka_unit_test(test_compat_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
