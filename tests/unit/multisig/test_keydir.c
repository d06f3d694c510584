/* Key directories: what is found, written, refused; the address book. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "multisig/keydir.h"
#include "support/vec.h"

#define PASSWORD "correct horse battery"

static json_t *vectors;
static char warned[8192];

static int
setup(void **state)
{
	(void)state;
	vectors = vec_load("signing");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	json_decref(vectors);
	return 0;
}

static const char *
field(size_t i, const char *name)
{
	json_t *row = json_array_get(vec_at(vectors, "keyFiles"), i);

	check(row != NULL);
	return vec_str(row, name);
}

static void
keep_warning(void *ctx, const char *message)
{
	size_t n = strlen(warned);

	(void)ctx;
	(void)snprintf(warned + n, sizeof(warned) - n, "%s\n", message);
}

/* A directory that is not there yet. */
static struct keydir
fresh(enum keydir_form form)
{
	struct err e = ERR_INIT;
	struct keydir k;
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/a/keys", vec_tmpdir());
	check_ok(keydir_init(&k, path, form, &e), &e);
	k.warn = keep_warning;
	warned[0] = '\0';
	return k;
}

static const char *
at(const struct keydir *k, const char *name)
{
	static char path[1024];

	(void)snprintf(path, sizeof(path), "%s/%s", k->dir, name);
	return path;
}

static void
put(const struct keydir *k, const char *name, const char *text, mode_t mode)
{
	struct err e = ERR_INIT;
	char folder[1024];

	(void)snprintf(folder, sizeof(folder), "%s", at(k, name));
	*strrchr(folder, '/') = '\0';
	check_ok(file_mkdirs(folder, 0700, &e), &e);
	check_ok(
	    file_write_atomic(AT_FDCWD, at(k, name), view_str(text), mode, &e),
	    &e);
}

static void
put_signer(const struct keydir *k, const char *name, size_t i)
{
	char public[256];

	(void)snprintf(public, sizeof(public), "%s.public", name);
	put(k, name, field(i, "fileZ32"), 0400);
	put(k, public, field(i, "publicKeyZ32"), 0600);
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	check(lstat(path, &st) == 0);
	return st.st_mode & 07777;
}

static void
read_back(const char *path, struct buf *b)
{
	struct err e = ERR_INIT;

	buf_init(b, 4096);
	check_ok(file_read(AT_FDCWD, path, 4096, b, &e), &e);
}

static void
load(struct keyfile *f, size_t i)
{
	struct err e = ERR_INIT;

	check_ok(keyfile_decode(f, vec_hex(field(i, "file")), &e), &e);
}

static struct b32
pub_of(size_t i)
{
	struct b32 pub;

	memcpy(pub.b, vec_hex(field(i, "publicKey")).ptr, 32);
	return pub;
}

static void
store(const struct keydir *k, const char *name, size_t i)
{
	struct keydir_entry x;
	struct err e = ERR_INIT;
	struct b32 pub = pub_of(i);
	struct keyfile f;

	load(&f, i);
	check_ok(keydir_store(k, name, &f, &pub, &x, &e), &e);
	keydir_entry_deinit(&x);
}

/* -- finding ---------------------------------------------------------------- */

static void
test_find(void **state)
{
	struct keydir k = fresh(KEYDIR_Z32);
	struct keydir_entry x;
	struct err e = ERR_INIT;
	struct keyfile f;
	char path[1024];

	(void)state;
	put_signer(&k, "default", 0);
	check_ok(keydir_find(&k, "default", &x, &f, &e), &e);
	assert_string_equal(x.name, "default");
	assert_string_equal(x.secret_path, at(&k, "default"));
	assert_string_equal(x.public_path, at(&k, "default.public"));
	check_same(view_b32(&x.pub), vec_hex(field(0, "publicKey")));
	check(f.version == 1 && b32_eq(&f.pub, &x.pub));
	check(strstr(warned, "cheap to guess") != NULL);
	keydir_entry_deinit(&x);
	/* a path, whatever the directory is */
	(void)snprintf(path, sizeof(path), "%s", at(&k, "default"));
	keydir_deinit(&k);
	k = fresh(KEYDIR_RAW);
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
	struct keydir k = fresh(KEYDIR_Z32);
	char text[1200];

	(void)state;
	(void)snprintf(
	    text, sizeof(text), "No keys found at path: %s", at(&k, "default"));
	refuse(&k, "default", ERR_NOT_FOUND, text); /* not even the folder */
	put(&k, "other", "no key", 0400);
	refuse(&k, "default", ERR_NOT_FOUND, text);
	refuse(&k, "other", ERR_FORMAT, "/other: Invalid key");
	/* a legacy file has no public key inside */
	put(&k, "old", field(3, "fileZ32"), 0400);
	refuse(&k, "old", ERR_NOT_FOUND,
	    "No corresponding public key could be found");
	/* the public key of another */
	put(&k, "new", field(0, "fileZ32"), 0400);
	put(&k, "new.public", field(1, "publicKeyZ32"), 0600);
	refuse(&k, "new", ERR_CORRUPT, "is not the public key");
	put(&k, "new.public", "no key", 0600);
	refuse(&k, "new", ERR_INVALID, "new.public: Key is not valid");
	keydir_deinit(&k);
}

static void
test_lonely_secret(void **state)
{
	struct keydir k = fresh(KEYDIR_Z32);
	struct keydir_entry x;
	struct err e = ERR_INIT;
	struct keyfile f;

	(void)state;
	put(&k, "default", field(0, "fileZ32"), 0400);
	check_ok(keydir_find(&k, "default", &x, &f, &e), &e);
	check(b32_eq(&x.pub, &f.pub));
	check_ok(keydir_complete(&k, &x, &e), &e);
	check(mode_of(x.public_path) == 0600);
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
	struct keydir k = fresh(KEYDIR_Z32);
	struct b32 pub = pub_of(0);
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
	struct keydir k = fresh(KEYDIR_Z32);
	struct keydir_entry x;
	struct err e = ERR_INIT;
	struct keyfile f;
	char path[1024];
	char big[KEYFILE_TEXT_MAX + 2];

	(void)state;
	put_signer(&k, "real", 0);
	(void)snprintf(path, sizeof(path), "%s", at(&k, "real"));
	check(symlink(path, at(&k, "link")) == 0);
	refuse(&k, "link", ERR_INVALID, "is a link");
	check(mkfifo(at(&k, "pipe"), 0600) == 0);
	refuse(&k, "pipe", ERR_INVALID, "is not a file");
	check(mkdir(at(&k, "folder"), 0700) == 0);
	refuse(&k, "folder", ERR_INVALID, "is not a file");
	memset(big, 'y', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	put(&k, "big", big, 0400);
	refuse(&k, "big", ERR_LIMIT, "is longer than 512 bytes");
	check(chmod(path, 0602) == 0);
	refuse(&k, "real", ERR_INVALID, "can be written by everybody");
	check(chmod(path, 0440) == 0);
	warned[0] = '\0';
	check_ok(keydir_find(&k, "real", &x, &f, &e), &e);
	check(strstr(warned, "real can be read by other users") != NULL);
	keydir_entry_deinit(&x);
	check(chmod(path, 0400) == 0);
	check(unlink(at(&k, "real.public")) == 0);
	check(symlink("/etc/hostname", at(&k, "real.public")) == 0);
	refuse(&k, "real", ERR_INVALID, "real.public is a link");
	check(chmod(k.dir, 0777) == 0);
	refuse(&k, "real", ERR_INVALID, "keys can be written by everybody");
	check(chmod(k.dir, 0700) == 0);
	keydir_deinit(&k);
}

static void
test_other_owners(void **state)
{
	struct keydir k = fresh(KEYDIR_Z32);

	(void)state;
	if (geteuid() != 0)
		skip(); /* only root can give files away */
	put_signer(&k, "default", 0);
	check(chown(at(&k, "default"), 4711, 4711) == 0);
	refuse(&k, "default", ERR_INVALID, "belongs to another user");
	check(chown(at(&k, "default"), 0, 0) == 0);
	check(chown(k.dir, 4711, 4711) == 0);
	refuse(&k, "default", ERR_INVALID, "keys belongs to another user");
	keydir_deinit(&k);
}

/* -- writing ---------------------------------------------------------------- */

static void
store_as(enum keydir_form form)
{
	struct keydir k = fresh(form);
	struct keydir_entry x;
	struct err e = ERR_INIT;
	struct b32 pub = pub_of(0);
	struct keyfile f, got;
	struct buf b;

	load(&f, 0);
	check_ok(keydir_store(&k, "default", &f, &pub, &x, &e), &e);
	check(mode_of(k.dir) == 0700);
	check(mode_of(x.secret_path) == 0400);
	check(mode_of(x.public_path) == 0600);
	read_back(x.secret_path, &b);
	check_same(buf_view(&b), form == KEYDIR_RAW
				     ? vec_hex(field(0, "file"))
				     : view_str(field(0, "fileZ32")));
	buf_deinit(&b);
	read_back(x.public_path, &b);
	check_same(buf_view(&b), form == KEYDIR_RAW
				     ? view_b32(&pub)
				     : view_str(field(0, "publicKeyZ32")));
	buf_deinit(&b);
	keydir_entry_deinit(&x);
	check_ok(keydir_find(&k, "default", &x, &got, &e), &e);
	check(memcmp(got.payload, f.payload, sizeof(f.payload)) == 0);
	keydir_entry_deinit(&x);
	keydir_deinit(&k);
}

static void
test_store(void **state)
{
	(void)state;
	store_as(KEYDIR_Z32);
	store_as(KEYDIR_RAW);
}

/* Nothing is overwritten, and one name is one key. */
static void
test_store_refuses(void **state)
{
	static const char *const taken[] = {
	    "default", "default.public", "known-peers/default.public"};
	struct b32 pub = pub_of(0);
	struct keydir_entry x = {.name = NULL};
	struct err e = ERR_INIT;
	struct keyfile f;

	(void)state;
	load(&f, 0);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		struct keydir k = fresh(KEYDIR_Z32);
		struct buf b;

		put(&k, taken[i], "precious", 0600);
		check_code(
		    keydir_store(&k, "default", &f, &pub, &x, &e), ERR_EXISTS);
		check(strstr(e.msg, "exists already") != NULL);
		read_back(at(&k, taken[i]), &b);
		check_same(buf_view(&b), view_str("precious"));
		buf_deinit(&b);
		check(i == 0 || access(at(&k, "default"), F_OK) != 0);
		check(unlink(at(&k, taken[i])) == 0);
		check(symlink("/nowhere", at(&k, taken[i])) == 0);
		check_code(
		    keydir_store(&k, "default", &f, &pub, &x, &e), ERR_EXISTS);
		keydir_deinit(&k);
	}
}

/* Several processes at once: one makes the pair, the others see it. */
static void
test_at_once(void **state)
{
	enum { PROCESSES = 6 };
	struct keydir k = fresh(KEYDIR_Z32);
	struct keydir_entry x;
	struct err e = ERR_INIT;
	pid_t pid[PROCESSES];
	struct keyfile f;
	int won = -1;

	(void)state;
	for (int i = 0; i < PROCESSES; i++) {
		pid[i] = fork();
		check(pid[i] >= 0);
		if (pid[i] == 0) {
			struct b32 pub = pub_of((size_t)i % 3);
			enum err_code rc;

			load(&f, (size_t)i % 3);
			rc = keydir_store(&k, "default", &f, &pub, &x, &e);
			_exit(rc == ERR_OK ? 0 : rc == ERR_EXISTS ? 1 : 2);
		}
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status;

		check(waitpid(pid[i], &status, 0) == pid[i]);
		check(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
		check(WEXITSTATUS(status) == 1 || won < 0);
		if (WEXITSTATUS(status) == 0)
			won = i;
	}
	check(won >= 0);
	check_ok(keydir_find(&k, "default", &x, &f, &e), &e);
	check_same(
	    view_b32(&x.pub), vec_hex(field((size_t)won % 3, "publicKey")));
	keydir_entry_deinit(&x);
	keydir_deinit(&k);
}

/* A public key is in the way: no secret key is left beside it. */
static void
test_whole_pair_or_none(void **state)
{
	struct keydir k = fresh(KEYDIR_Z32);
	struct b32 pub = pub_of(0);
	struct keydir_entry x = {.name = NULL};
	struct err e = ERR_INIT;
	char name[KEYDIR_NAME_MAX + 1];
	struct keyfile f;

	(void)state;
	load(&f, 0);
	/* the longest name, with all that is put behind it */
	memset(name, 'n', sizeof(name));
	name[KEYDIR_NAME_MAX] = '\0';
	check_ok(keydir_store(&k, name, &f, &pub, &x, &e), &e);
	keydir_entry_deinit(&x);
	keydir_deinit(&k);
	k = fresh(KEYDIR_Z32);
	put(&k, "x.public", "precious", 0600);
	check_code(keydir_store(&k, "x", &f, &pub, &x, &e), ERR_EXISTS);
	check(access(at(&k, "x"), F_OK) != 0);
	keydir_deinit(&k);
}

/* -- upgrade ---------------------------------------------------------------- */

static void
make_upgrade(struct keyfile *out)
{
	struct secret password = {NULL, 0};
	struct sign_pair pair;
	struct err e = ERR_INIT;
	struct keyfile old;
	uint8_t id[8];

	load(&old, 3);
	check_ok(secret_copy(&password, view_str(PASSWORD), &e), &e);
	check_ok(keyfile_open(&pair, id, &old, &password, &e), &e);
	check_ok(
	    keyfile_make(out, &pair, id, &password, KEYFILE_COST_TEST, &e), &e);
	sign_pair_free(&pair);
	secret_free(&password);
}

static void
upgrade_as(enum keydir_form form)
{
	struct keydir k = fresh(form);
	struct keydir_entry x;
	struct err e = ERR_INIT;
	struct keyfile file, got;
	struct buf b;

	make_upgrade(&file);
	store(&k, "default", 3);
	check_ok(keydir_find(&k, "default", &x, &got, &e), &e);
	check(got.version == 0);
	check_ok(keydir_upgrade(&k, &x, &file, &e), &e);
	keydir_entry_deinit(&x);
	read_back(at(&k, "default.v3.backup"), &b);
	check_same(buf_view(&b), form == KEYDIR_RAW
				     ? vec_hex(field(3, "file"))
				     : view_str(field(3, "fileZ32")));
	buf_deinit(&b);
	check(mode_of(at(&k, "default.v3.backup")) == 0400);
	check(mode_of(at(&k, "default")) == 0400);
	read_back(at(&k, "default"), &b);
	check(b.len == (form == KEYDIR_RAW ? 186 : 298));
	buf_deinit(&b);
	check_ok(keydir_find(&k, "default", &x, &got, &e), &e);
	check(got.version == 1);
	check(memcmp(got.payload, file.payload, sizeof(got.payload)) == 0);
	/* not twice */
	check_code(keydir_upgrade(&k, &x, &file, &e), ERR_CONFLICT);
	keydir_entry_deinit(&x);
	keydir_deinit(&k);
}

static void
test_upgrade(void **state)
{
	(void)state;
	upgrade_as(KEYDIR_Z32);
	upgrade_as(KEYDIR_RAW);
}

static void
test_upgrade_refuses(void **state)
{
	struct keydir k = fresh(KEYDIR_Z32);
	struct keydir_entry x;
	struct err e = ERR_INIT;
	struct keyfile file, got;

	(void)state;
	make_upgrade(&file);
	put_signer(&k, "default", 3);
	put(&k, "default.v3.backup", "precious", 0400);
	check_ok(keydir_find(&k, "default", &x, &got, &e), &e);
	check_code(keydir_upgrade(&k, &x, &file, &e), ERR_EXISTS);
	/* a backup of an upgrade that was cut off is taken for this one */
	put(&k, "default.v3.backup", field(3, "fileZ32"), 0400);
	x.pub.b[0] ^= 1;
	check_code(keydir_upgrade(&k, &x, &file, &e), ERR_CORRUPT);
	x.pub.b[0] ^= 1;
	check_ok(keydir_upgrade(&k, &x, &file, &e), &e);
	keydir_entry_deinit(&x);
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
	    {field(0, "publicKeyZ32"), true},
	    {field(0, "publicKey"), true},
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
			    view_b32(&got), vec_hex(field(0, "publicKey")));
	}
	check_ok(
	    keydir_public_parse(&got, vec_hex(field(1, "publicKey")), &e), &e);
	check_same(view_b32(&got), vec_hex(field(1, "publicKey")));
}

static void
test_add_and_find(void **state)
{
	struct keydir k = fresh(KEYDIR_Z32);
	struct b32 pub = pub_of(1);
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
	check(mode_of(at(&k, "known-peers")) == 0700);
	check(mode_of(at(&k, "known-peers/bob.public")) == 0600);
	check_ok(keydir_find_public(&k, "bob", &x, &e), &e);
	check(x.secret_path == NULL && b32_eq(&x.pub, &pub));
	keydir_entry_deinit(&x);
	check_ok(keydir_find_public(&k, "bob.public", &x, &e), &e);
	assert_string_equal(x.name, "bob");
	keydir_entry_deinit(&x);
	check_ok(keydir_find_public(&k, at(&k, "known-peers/bob"), &x, &e), &e);
	keydir_entry_deinit(&x);
	check_code(keydir_find_public(&k, "carol", &x, &e), ERR_NOT_FOUND);
	check(strstr(e.msg, "known-peers/carol.public") != NULL);
	put_signer(&k, "alice", 0);
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
	struct keydir k = fresh(KEYDIR_RAW);
	struct b32 pub = pub_of(1);
	struct keydir_entry x;
	struct err e = ERR_INIT;
	struct buf b;

	(void)state;
	check_ok(keydir_add(&k, "bob", &pub, &e), &e);
	read_back(at(&k, "bob.public"), &b);
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
	struct keydir k = fresh(KEYDIR_Z32);
	struct err e = ERR_INIT;
	struct b32 pub = pub_of(1);

	(void)state;
	check_list(&k, "");
	put_signer(&k, "zoe", 0);
	put_signer(&k, "alice", 3);
	put(&k, "lonely", field(1, "fileZ32"), 0400);
	put(&k, "alice.v3.backup", field(3, "fileZ32"), 0400);
	put(&k, "zoe.tmp-0123456789abcdef", field(0, "fileZ32"), 0400);
	put(&k, ".hidden.public", field(0, "publicKeyZ32"), 0600);
	put(&k, "notes.txt", "no key", 0600);
	put(&k, "broken.public", "no key", 0600);
	check_ok(keydir_add(&k, "bob", &pub, &e), &e);
	warned[0] = '\0';
	check_list(&k, "*alice *lonely *zoe bob ");
	check(strstr(warned, "broken.public: Key is not valid") != NULL);
	check_ok(keydir_add(&k, "stop", &pub, &e), &e);
	check_ok(keydir_add(&k, "tail", &pub, &e), &e);
	check_list(&k, "*alice *lonely *zoe bob stop ");
	check_ok(keydir_remove(&k, "stop", &e), &e);
	check_ok(keydir_remove(&k, "zoe", &e), &e);
	check(access(at(&k, "zoe"), F_OK) != 0);
	check_list(&k, "*alice *lonely bob tail ");
	check_code(keydir_remove(&k, "zoe", &e), ERR_NOT_FOUND);
	assert_string_equal(e.msg, "Key \"zoe\" not found");
	keydir_deinit(&k);
}

/* What the signer calls a key: his own name for his own keys first. */
static void
test_book(void **state)
{
	struct keydir k = fresh(KEYDIR_Z32);
	struct err e = ERR_INIT;
	struct b32 pub;
	struct keybook *b;

	(void)state;
	check_ok(keybook_open(&b, &k, &e), &e);
	pub = pub_of(0);
	check(keybook_name(b, &pub) == NULL && !keybook_own(b, &pub));
	keybook_close(b);
	check_ok(keydir_add(&k, "also-me", &pub, &e), &e);
	put_signer(&k, "me", 0);
	pub = pub_of(1);
	check_ok(keydir_add(&k, "bob", &pub, &e), &e);
	check_ok(keydir_add(&k, "another-bob", &pub, &e), &e);
	check_ok(keybook_open(&b, &k, &e), &e);
	pub = pub_of(0);
	assert_string_equal(keybook_name(b, &pub), "me");
	check(keybook_own(b, &pub));
	pub = pub_of(1);
	assert_string_equal(keybook_name(b, &pub), "another-bob");
	check(!keybook_own(b, &pub));
	pub = pub_of(2);
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
	    cmocka_unit_test(test_init),
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_find_what_is_not_there),
	    cmocka_unit_test(test_lonely_secret),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_kinds_of_files),
	    cmocka_unit_test(test_other_owners),
	    cmocka_unit_test(test_store),
	    cmocka_unit_test(test_store_refuses),
	    cmocka_unit_test(test_at_once),
	    cmocka_unit_test(test_whole_pair_or_none),
	    cmocka_unit_test(test_upgrade),
	    cmocka_unit_test(test_upgrade_refuses),
	    cmocka_unit_test(test_public_parse),
	    cmocka_unit_test(test_add_and_find),
	    cmocka_unit_test(test_add_raw),
	    cmocka_unit_test(test_list),
	    cmocka_unit_test(test_book),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
