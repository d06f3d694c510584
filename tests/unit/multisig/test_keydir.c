/* Key directories: what is found and refused; the address book. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/keyfix.h"

/* -- finding ---------------------------------------------------------------- */

static void
test_find(void **state)
{
	struct keydir k = key_fresh(KEYDIR_Z32);
	struct keydir_entry x;
	struct err e = ERR_INIT;
	struct keyfile f;
	char path[1024];

	(void)state;
	key_put_signer(&k, "default", 0);
	check_ok(keydir_find(&k, "default", &x, &f, &e), &e);
	assert_string_equal(x.name, "default");
	assert_string_equal(x.secret_path, key_at(&k, "default"));
	assert_string_equal(x.public_path, key_at(&k, "default.public"));
	check_same(view_b32(&x.pub), vec_hex(key_field(0, "publicKey")));
	check(f.version == 1 && b32_eq(&f.pub, &x.pub));
	check(strstr(key_warned, "cheap to guess") != NULL);
	keydir_entry_deinit(&x);
	/* a path, whatever the directory is */
	(void)snprintf(path, sizeof(path), "%s", key_at(&k, "default"));
	keydir_deinit(&k);
	k = key_fresh(KEYDIR_RAW);
	check_ok(keydir_find(&k, path, &x, &f, &e), &e);
	assert_string_equal(x.name, "default");
	keydir_entry_deinit(&x);
	keydir_deinit(&k);
}

static void
refuse(const struct keydir *k, const char *name, enum err_code code,
    const char *text)
{
	struct keydir_entry x = {.name = NULL};
	struct err e = ERR_INIT;
	struct keyfile f;

	check_code(keydir_find(k, name, &x, &f, &e), code);
	if (strstr(e.msg, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, e.msg);
	check(x.name == NULL);
}

static void
test_find_what_is_not_there(void **state)
{
	struct keydir k = key_fresh(KEYDIR_Z32);
	char text[1200];

	(void)state;
	(void)snprintf(text, sizeof(text), "No keys found at path: %s",
	    key_at(&k, "default"));
	refuse(&k, "default", ERR_NOT_FOUND, text); /* not even the folder */
	key_put(&k, "other", "no key", 0400);
	refuse(&k, "default", ERR_NOT_FOUND, text);
	refuse(&k, "other", ERR_FORMAT, "/other: Invalid key");
	/* a legacy file has no public key inside */
	key_put(&k, "old", key_field(3, "fileZ32"), 0400);
	refuse(&k, "old", ERR_NOT_FOUND,
	    "No corresponding public key could be found");
	/* the public key of another */
	key_put(&k, "new", key_field(0, "fileZ32"), 0400);
	key_put(&k, "new.public", key_field(1, "publicKeyZ32"), 0600);
	refuse(&k, "new", ERR_CORRUPT, "is not the public key");
	key_put(&k, "new.public", "no key", 0600);
	refuse(&k, "new", ERR_INVALID, "new.public: Key is not valid");
	keydir_deinit(&k);
}

static void
test_lonely_secret(void **state)
{
	struct keydir k = key_fresh(KEYDIR_Z32);
	struct keydir_entry x;
	struct err e = ERR_INIT;
	struct keyfile f;

	(void)state;
	key_put(&k, "default", key_field(0, "fileZ32"), 0400);
	check_ok(keydir_find(&k, "default", &x, &f, &e), &e);
	check(b32_eq(&x.pub, &f.pub));
	check_ok(keydir_complete(&k, &x, &e), &e);
	check(key_mode(x.public_path) == 0600);
	check_ok(keydir_complete(&k, &x, &e), &e);
	keydir_entry_deinit(&x);
	check_ok(keydir_find_public(&k, "default", &x, &e), &e);
	check(b32_eq(&x.pub, &f.pub));
	keydir_entry_deinit(&x);
	keydir_deinit(&k);
}

static void
test_names(void **state)
{
	static const char *const bad[] = {"", ".", "..", ".hidden", "a\nb",
	    "a\x7f"
	    "b",
	    "known-peers", "a.public", "a.v3.backup"};
	static const char *const good[] = {
	    "a", "a.b", "A b", "\xc3\xa4", "known-peers2", "-x"};
	struct keydir k = key_fresh(KEYDIR_Z32);
	struct b32 pub = key_pub(0);
	struct err e = ERR_INIT;
	char name[KEYDIR_NAME_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		check_code(keydir_add(&k, bad[i], &pub, &e), ERR_INVALID);
		check_code(keydir_remove(&k, bad[i], &e), ERR_INVALID);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		check_ok(keydir_add(&k, good[i], &pub, &e), &e);
	check_code(keydir_add(&k, "../up", &pub, &e), ERR_INVALID);
	memset(name, 'n', sizeof(name));
	name[KEYDIR_NAME_MAX + 1] = '\0';
	check_code(keydir_add(&k, name, &pub, &e), ERR_INVALID);
	name[KEYDIR_NAME_MAX] = '\0';
	check_ok(keydir_add(&k, name, &pub, &e), &e);
	refuse(&k, "a\nb", ERR_INVALID, "\"a\\x0ab\" cannot be");
	keydir_deinit(&k);
}

/* -- what is refused before it is read -------------------------------------- */

static void
test_kinds_of_files(void **state)
{
	struct keydir k = key_fresh(KEYDIR_Z32);
	struct keydir_entry x;
	struct err e = ERR_INIT;
	struct keyfile f;
	char path[1024];
	char big[KEYFILE_TEXT_MAX + 2];

	(void)state;
	key_put_signer(&k, "real", 0);
	(void)snprintf(path, sizeof(path), "%s", key_at(&k, "real"));
	check(symlink(path, key_at(&k, "link")) == 0);
	refuse(&k, "link", ERR_INVALID, "is a link");
	check(mkfifo(key_at(&k, "pipe"), 0600) == 0);
	refuse(&k, "pipe", ERR_INVALID, "is not a file");
	check(mkdir(key_at(&k, "folder"), 0700) == 0);
	refuse(&k, "folder", ERR_INVALID, "is not a file");
	memset(big, 'y', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	key_put(&k, "big", big, 0400);
	refuse(&k, "big", ERR_LIMIT, "is longer than 512 bytes");
	check(chmod(path, 0602) == 0);
	refuse(&k, "real", ERR_INVALID, "can be written by everybody");
	check(chmod(path, 0440) == 0);
	key_warned[0] = '\0';
	check_ok(keydir_find(&k, "real", &x, &f, &e), &e);
	check(strstr(key_warned, "real can be read by other users") != NULL);
	keydir_entry_deinit(&x);
	check(chmod(path, 0400) == 0);
	check(unlink(key_at(&k, "real.public")) == 0);
	check(symlink("/etc/hostname", key_at(&k, "real.public")) == 0);
	refuse(&k, "real", ERR_INVALID, "real.public is a link");
	check(chmod(k.dir, 0777) == 0);
	refuse(&k, "real", ERR_INVALID, "keys can be written by everybody");
	check(chmod(k.dir, 0700) == 0);
	keydir_deinit(&k);
}

static void
test_other_owners(void **state)
{
	struct keydir k = key_fresh(KEYDIR_Z32);

	(void)state;
	if (geteuid() != 0)
		skip(); /* only root can give files away */
	key_put_signer(&k, "default", 0);
	check(chown(key_at(&k, "default"), 4711, 4711) == 0);
	refuse(&k, "default", ERR_INVALID, "belongs to another user");
	check(chown(key_at(&k, "default"), 0, 0) == 0);
	check(chown(k.dir, 4711, 4711) == 0);
	refuse(&k, "default", ERR_INVALID, "keys belongs to another user");
	keydir_deinit(&k);
}

/* -- keys of others --------------------------------------------------------- */

static void
test_public_parse(void **state)
{
	struct {
		const char *text;
		bool ok;
	} table[] = {
	    {key_field(0, "publicKeyZ32"), true},
	    {key_field(0, "publicKey"), true},
	    {"  tkrq8zmwb8a3m9k15csu3q17qmfgqnp9dskbrg9uq1rydpyxp7qy\n", true},
	    {"", false},
	    {"tkrq8zmwb8a3m9k15csu3q17qmfgqnp9dskbrg9uq1rydpyxp7q", false},
	    {"tkrq8zmwb8a3m9k15csu3q17qmfgqnp9dskbrg9uq1rydpyxp7qyy", false},
	    {"tkrq8zmwb8a3m9k15csu3q17qmfgqnp9dskbrg9uq1rydpyxp7qL", false},
	};
	struct err e = ERR_INIT;
	struct b32 got;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		enum err_code rc =
		    keydir_public_parse(&got, view_str(table[i].text), &e);

		check_code(rc, table[i].ok ? ERR_OK : ERR_INVALID);
		if (!table[i].ok)
			assert_string_equal(e.msg, "Key is not valid");
		else
			check_same(
			    view_b32(&got), vec_hex(key_field(0, "publicKey")));
	}
	check_ok(
	    keydir_public_parse(&got, vec_hex(key_field(1, "publicKey")), &e),
	    &e);
	check_same(view_b32(&got), vec_hex(key_field(1, "publicKey")));
}

static void
test_add_and_find(void **state)
{
	struct keydir k = key_fresh(KEYDIR_Z32);
	struct b32 pub = key_pub(1);
	struct b32 bad;
	struct keydir_entry x;
	struct err e = ERR_INIT;

	(void)state;
	memset(&bad, 0, sizeof(bad));
	check_code(keydir_add(&k, "bob", &bad, &e), ERR_INVALID);
	assert_string_equal(e.msg, "Key not a valid ed25519 public key");
	check(access(k.dir, F_OK) != 0);
	check_ok(keydir_add(&k, "bob", &pub, &e), &e);
	check_code(keydir_add(&k, "bob", &pub, &e), ERR_EXISTS);
	check(key_mode(key_at(&k, "known-peers")) == 0700);
	check(key_mode(key_at(&k, "known-peers/bob.public")) == 0600);
	check_ok(keydir_find_public(&k, "bob", &x, &e), &e);
	check(x.secret_path == NULL && b32_eq(&x.pub, &pub));
	keydir_entry_deinit(&x);
	check_ok(keydir_find_public(&k, "bob.public", &x, &e), &e);
	assert_string_equal(x.name, "bob");
	keydir_entry_deinit(&x);
	check_ok(
	    keydir_find_public(&k, key_at(&k, "known-peers/bob"), &x, &e), &e);
	keydir_entry_deinit(&x);
	check_code(keydir_find_public(&k, "carol", &x, &e), ERR_NOT_FOUND);
	check(strstr(e.msg, "known-peers/carol.public") != NULL);
	key_put_signer(&k, "alice", 0);
	check_ok(keydir_find_public(&k, "alice", &x, &e), &e);
	check(x.secret_path != NULL);
	keydir_entry_deinit(&x);
	check_code(keydir_add(&k, "alice", &pub, &e), ERR_EXISTS);
	keydir_deinit(&k);
}

/* In a raw directory known keys lie beside the own ones. */
static void
test_add_raw(void **state)
{
	struct keydir k = key_fresh(KEYDIR_RAW);
	struct b32 pub = key_pub(1);
	struct keydir_entry x;
	struct err e = ERR_INIT;
	struct buf b;

	(void)state;
	check_ok(keydir_add(&k, "bob", &pub, &e), &e);
	key_read_back(key_at(&k, "bob.public"), &b);
	check_same(buf_view(&b), view_b32(&pub));
	buf_deinit(&b);
	check_ok(keydir_find_public(&k, "bob", &x, &e), &e);
	check(x.secret_path == NULL);
	keydir_entry_deinit(&x);
	check_ok(keydir_remove(&k, "bob", &e), &e);
	check_code(keydir_remove(&k, "bob", &e), ERR_NOT_FOUND);
	keydir_deinit(&k);
}

static bool
note(void *ctx, const struct keydir_entry *x, bool own)
{
	struct buf *b = ctx;

	buf_printf(b, "%s%s ", own ? "*" : "", x->name);
	return strcmp(x->name, "stop") != 0;
}

static void
check_list(const struct keydir *k, const char *want)
{
	struct err e = ERR_INIT;
	struct buf b;

	buf_init(&b, 4096);
	check_ok(keydir_list(k, note, &b, &e), &e);
	check_same(buf_view(&b), view_str(want));
	buf_deinit(&b);
}

static void
test_list(void **state)
{
	struct keydir k = key_fresh(KEYDIR_Z32);
	struct err e = ERR_INIT;
	struct b32 pub = key_pub(1);

	(void)state;
	check_list(&k, "");
	key_put_signer(&k, "zoe", 0);
	key_put_signer(&k, "alice", 3);
	key_put(&k, "lonely", key_field(1, "fileZ32"), 0400);
	key_put(&k, "alice.v3.backup", key_field(3, "fileZ32"), 0400);
	key_put(&k, "zoe.tmp-0123456789abcdef", key_field(0, "fileZ32"), 0400);
	key_put(&k, ".hidden.public", key_field(0, "publicKeyZ32"), 0600);
	key_put(&k, "notes.txt", "no key", 0600);
	key_put(&k, "broken.public", "no key", 0600);
	check_ok(keydir_add(&k, "bob", &pub, &e), &e);
	key_warned[0] = '\0';
	check_list(&k, "*alice *lonely *zoe bob ");
	check(strstr(key_warned, "broken.public: Key is not valid") != NULL);
	check_ok(keydir_add(&k, "stop", &pub, &e), &e);
	check_ok(keydir_add(&k, "tail", &pub, &e), &e);
	check_list(&k, "*alice *lonely *zoe bob stop ");
	check_ok(keydir_remove(&k, "stop", &e), &e);
	check_ok(keydir_remove(&k, "zoe", &e), &e);
	check(access(key_at(&k, "zoe"), F_OK) != 0);
	check_list(&k, "*alice *lonely bob tail ");
	check_code(keydir_remove(&k, "zoe", &e), ERR_NOT_FOUND);
	assert_string_equal(e.msg, "Key \"zoe\" not found");
	keydir_deinit(&k);
}

/* What the signer calls a key: his own name for his own keys first. */
static void
test_book(void **state)
{
	struct keydir k = key_fresh(KEYDIR_Z32);
	struct err e = ERR_INIT;
	struct b32 pub;
	struct keybook *b;

	(void)state;
	check_ok(keybook_open(&b, &k, &e), &e);
	pub = key_pub(0);
	check(keybook_name(b, &pub) == NULL && !keybook_own(b, &pub));
	keybook_close(b);
	check_ok(keydir_add(&k, "also-me", &pub, &e), &e);
	key_put_signer(&k, "me", 0);
	pub = key_pub(1);
	check_ok(keydir_add(&k, "bob", &pub, &e), &e);
	check_ok(keydir_add(&k, "another-bob", &pub, &e), &e);
	check_ok(keybook_open(&b, &k, &e), &e);
	pub = key_pub(0);
	assert_string_equal(keybook_name(b, &pub), "me");
	check(keybook_own(b, &pub));
	pub = key_pub(1);
	assert_string_equal(keybook_name(b, &pub), "another-bob");
	check(!keybook_own(b, &pub));
	pub = key_pub(2);
	check(keybook_name(b, &pub) == NULL);
	keybook_close(b);
	keybook_close(NULL);
	keydir_deinit(&k);
}

static void
test_init(void **state)
{
	struct err e = ERR_INIT;
	struct keydir k;

	(void)state;
	check_code(keydir_init(&k, "", KEYDIR_Z32, &e), ERR_INVALID);
	check_ok(keydir_init(&k, "/", KEYDIR_Z32, &e), &e);
	assert_string_equal(k.dir, "/");
	keydir_deinit(&k);
	check_ok(keydir_init(&k, "a/b//", KEYDIR_Z32, &e), &e);
	assert_string_equal(k.dir, "a/b");
	keydir_deinit(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_find_what_is_not_there),
	    cmocka_unit_test(test_lonely_secret),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_kinds_of_files),
	    cmocka_unit_test(test_other_owners),
	    cmocka_unit_test(test_public_parse),
	    cmocka_unit_test(test_add_and_find),
	    cmocka_unit_test(test_add_raw),
	    cmocka_unit_test(test_list),
	    cmocka_unit_test(test_book),
	    cmocka_unit_test(test_init),
	};

	return cmocka_run_group_tests(tests, key_setup, key_teardown);
}
