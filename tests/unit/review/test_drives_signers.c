#include "reviewfix.h"

#include "codec/hex.h"
#include "codec/z32.h"

#define SIGNERS 3

/* A first release that three signers are asked for. */
struct fixture {
	struct reviewfix x;
	struct b32 pub[SIGNERS];
	struct config config;
	struct keydir dir;
	struct keybook *book;
};

static struct b32
key_of(uint8_t n)
{
	struct sign_pair pair;
	struct b32 seed, pub;
	struct err e = ERR_INIT;

	memset(seed.b, n, sizeof(seed.b));
	check_ok(sign_pair_seed(&pair, &seed, &e), &e);
	pub = pair.pub;
	sign_pair_free(&pair);
	return pub;
}

static void
read_config(struct fixture *f, const char *ns, unsigned quorum,
    const struct b32 *pub, size_t n, const char *more)
{
	char key[Z32_KEY_LEN + 1];
	struct buf b;

	config_deinit(&f->config);
	buf_init(&b, 4096);
	buf_printf(&b, "{\"namespace\":\"%s\",\"quorum\":%u%s,\"publicKeys\":[",
	    ns, quorum, more);
	for (size_t i = 0; i < n; i++)
		buf_printf(
		    &b, "%s\"%s\"", i > 0 ? "," : "", z32_key(key, &pub[i]));
	buf_str(&b, "]}");
	check_ok(config_parse(&f->config, CONFIG_HYPER, "multisig.json",
		     buf_view(&b), &f->x.e),
	    &f->x.e);
	buf_deinit(&b);
}

static void
seal(struct fixture *f)
{
	struct buf bytes;

	buf_init(&bytes, REQUEST_MAX);
	check_ok(request_seal(&f->x.request, &bytes, &f->x.e), &f->x.e);
	buf_deinit(&bytes);
}

static void
begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	reviewfix_open(&f->x);
	reviewfix_provision(&f->x);
	reviewfix_request(&f->x);
	for (size_t i = 0; i < SIGNERS; i++)
		f->pub[i] = key_of((uint8_t)(20 + i));
	read_config(f, "session/app", 2, f->pub, SIGNERS, "");
	f->x.request.manifest = f->config.manifest;
	seal(f);
	f->x.q.config = &f->config;
}

static void
know(struct fixture *f, const char *alias, size_t i)
{
	if (f->dir.dir == NULL)
		check_ok(keydir_init(&f->dir, fix_path(f->x.p.st.dir, "keys"),
			     KEYDIR_Z32, &f->x.e),
		    &f->x.e);
	check_ok(keydir_add(&f->dir, alias, &f->pub[i], &f->x.e), &f->x.e);
}

static void
end(struct fixture *f)
{
	keybook_close(f->book);
	keydir_deinit(&f->dir);
	config_deinit(&f->config);
	reviewfix_close(&f->x);
}

static bool
says(struct fixture *f, const char *text)
{
	check_ok(reviewfix_try(&f->x), &f->x.e);
	return reviewfix_says(&f->x, text);
}

static void
test_config(void **state)
{
	struct fixture f;
	char hex[65];

	(void)state;
	begin(&f);
	assert_true(
	    says(&f, "GOOD the target is the key that multisig.json gives\n"));
	assert_true(f.x.ok);
	assert_string_equal(reviewfix_fact(&f.x.r, "Quorum"), "2 of 3");
	assert_string_equal(reviewfix_fact(&f.x.r, "Namespace"), "session/app");
	assert_string_equal(reviewfix_fact(&f.x.r, "Namespace hash"),
	    hex_b32(hex, &f.config.manifest.signer[0].ns));
	end(&f);
}

static void
expect_other_key(struct fixture *f, const char *why)
{
	char text[256];

	(void)snprintf(text, sizeof(text), ": %s\n", why);
	assert_true(says(
	    f, "BAD the request is for another key than multisig.json gives"));
	assert_true(reviewfix_says(&f->x, text));
	assert_false(f->x.ok);
	/* a text that is not the request's is not shown as its own */
	assert_null(reviewfix_fact(&f->x.r, "Namespace"));
}

static void
test_other_key(void **state)
{
	struct fixture f;
	struct b32 other[SIGNERS + 1];

	(void)state;
	begin(&f);
	memcpy(other, f.pub, sizeof(f.pub));
	read_config(&f, "session/other", 2, f.pub, SIGNERS, "");
	expect_other_key(&f, "its namespace is another");
	read_config(&f, "session/app", 3, f.pub, SIGNERS, "");
	expect_other_key(&f, "its quorum is lower");
	read_config(&f, "session/app", 1, f.pub, SIGNERS, "");
	expect_other_key(&f, "its quorum is higher");
	read_config(&f, "session/app", 2, f.pub, SIGNERS - 1, "");
	expect_other_key(&f, "a signer is not in the file");
	other[SIGNERS] = key_of(30);
	read_config(&f, "session/app", 2, other, SIGNERS + 1, "");
	expect_other_key(&f, "a signer of the file is left out");
	other[0] = f.pub[1];
	other[1] = f.pub[0];
	read_config(&f, "session/app", 2, other, SIGNERS, "");
	expect_other_key(&f, "its signers stand in another order");
	read_config(&f, "session/app", 2, f.pub, SIGNERS, "");
	f.x.request.manifest.version = 2;
	seal(&f);
	expect_other_key(&f, "its manifest is another");
	f.x.request.manifest = f.config.manifest;
	f.x.request.manifest.nsigners++;
	f.x.request.manifest.signer[SIGNERS] = f.x.request.manifest.signer[0];
	seal(&f);
	expect_other_key(&f, "a signer stands there twice");
	end(&f);
}

static void
test_type_and_source(void **state)
{
	struct fixture f;
	char key[Z32_KEY_LEN + 1], more[160];

	(void)state;
	begin(&f);
	read_config(&f, "session/app", 2, f.pub, SIGNERS, ",\"type\":\"core\"");
	assert_true(says(&f,
	    "BAD the request is for a drive, multisig.json is for a core\n"));
	assert_false(f.x.ok);
	(void)snprintf(more, sizeof(more), ",\"srcKey\":\"%s\"",
	    z32_key(key, &f.x.production));
	read_config(&f, "session/app", 2, f.pub, SIGNERS, more);
	assert_true(says(&f, "WARN multisig.json names another source\n"));
	assert_true(f.x.ok);
	(void)snprintf(more, sizeof(more),
	    ",\"type\":\"drive\",\"srcKey\":\"%s\"", z32_key(key, &f.x.source));
	read_config(&f, "session/app", 2, f.pub, SIGNERS, more);
	assert_false(says(&f, "another source"));
	end(&f);
}

static void
test_several_namespaces(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	f.x.q.config = NULL;
	f.x.request.manifest.signer[1].ns.b[0] ^= 1;
	f.x.request.manifest.allow_patch = true;
	seal(&f);
	assert_true(says(&f, "WARN signers of different lengths may be"));
	assert_string_equal(reviewfix_fact(&f.x.r, "Namespace"), "several");
	assert_null(reviewfix_fact(&f.x.r, "Namespace hash"));
	end(&f);
}

static void
test_names(void **state)
{
	struct fixture f;
	char key[Z32_KEY_LEN + 1], text[128];

	(void)state;
	begin(&f);
	/* without a book nothing is said of names */
	assert_false(says(&f, "address book"));
	assert_string_equal(
	    reviewfix_fact(&f.x.r, "Signer 1"), z32_key(key, &f.pub[0]));
	know(&f, "alice", 0);
	know(&f, "bob", 1);
	check_ok(keybook_open(&f.book, &f.dir, &f.x.e), &f.x.e);
	f.x.q.book = f.book;
	assert_true(
	    says(&f, "WARN 1 of 3 signers is not in your address book\n"));
	assert_true(reviewfix_says(&f.x, "WARN none of the signers is you\n"));
	(void)snprintf(text, sizeof(text), "bob %s", z32_key(key, &f.pub[1]));
	assert_string_equal(reviewfix_fact(&f.x.r, "Signer 2"), text);
	/* his own key pair: its secret is never opened here */
	know(&f, "carol", 2);
	fix_put_file(fix_path(f.dir.dir, "me"), "secret", 0400);
	fix_put_file(
	    fix_path(f.dir.dir, "me.public"), z32_key(key, &f.pub[0]), 0600);
	keybook_close(f.book);
	check_ok(keybook_open(&f.book, &f.dir, &f.x.e), &f.x.e);
	f.x.q.book = f.book;
	assert_true(says(&f, "GOOD all signers are in your address book\n"));
	assert_false(reviewfix_says(&f.x, "none of the signers is you"));
	(void)snprintf(
	    text, sizeof(text), "me %s (you)", z32_key(key, &f.pub[0]));
	assert_string_equal(reviewfix_fact(&f.x.r, "Signer 1"), text);
	end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_config),
	    cmocka_unit_test(test_other_key),
	    cmocka_unit_test(test_type_and_source),
	    cmocka_unit_test(test_several_namespaces),
	    cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
