/* Key directories: new pairs, upgrades. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/keyfix.h"

static void
store_as(enum keydir_form form)
{
	struct keydir k = key_fresh(form);
	struct keydir_entry x;
	struct err e = ERR_INIT;
	struct b32 pub = key_pub(0);
	struct keyfile f, got;
	struct buf b;

	key_load(&f, 0);
	check_ok(keydir_store(&k, "default", &f, &pub, &x, &e), &e);
	check(key_mode(k.dir) == 0700);
	check(key_mode(x.secret_path) == 0400);
	check(key_mode(x.public_path) == 0600);
	key_read_back(x.secret_path, &b);
	check_same(buf_view(&b), form == KEYDIR_RAW
				     ? vec_hex(key_field(0, "file"))
				     : view_str(key_field(0, "fileZ32")));
	buf_deinit(&b);
	key_read_back(x.public_path, &b);
	check_same(buf_view(&b), form == KEYDIR_RAW
				     ? view_b32(&pub)
				     : view_str(key_field(0, "publicKeyZ32")));
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
	struct b32 pub = key_pub(0);
	struct keydir_entry x = {.name = NULL};
	struct err e = ERR_INIT;
	struct keyfile f;

	(void)state;
	key_load(&f, 0);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		struct keydir k = key_fresh(KEYDIR_Z32);
		struct buf b;

		key_put(&k, taken[i], "precious", 0600);
		check_code(
		    keydir_store(&k, "default", &f, &pub, &x, &e), ERR_EXISTS);
		check(strstr(e.msg, "exists already") != NULL);
		key_read_back(key_at(&k, taken[i]), &b);
		check_same(buf_view(&b), view_str("precious"));
		buf_deinit(&b);
		check(i == 0 || access(key_at(&k, "default"), F_OK) != 0);
		check(unlink(key_at(&k, taken[i])) == 0);
		check(symlink("/nowhere", key_at(&k, taken[i])) == 0);
		check_code(
		    keydir_store(&k, "default", &f, &pub, &x, &e), ERR_EXISTS);
		keydir_deinit(&k);
	}
}

/* One of several processes at once. 0: it made the pair, 1: it found one,
 * and completed it, as a maker that was killed would want it. */
static int
contend(const struct keydir *k, size_t i)
{
	struct b32 pub = key_pub(i);
	struct keydir_entry x;
	struct err e = ERR_INIT;
	struct keyfile f;
	enum err_code rc;

	key_load(&f, i);
	rc = keydir_store(k, "default", &f, &pub, &x, &e);
	if (rc == ERR_OK)
		return 0;
	if (rc != ERR_EXISTS)
		return 2;
	if (keydir_find(k, "default", &x, &f, &e) != ERR_OK)
		return 3;
	return keydir_complete(k, &x, &e) == ERR_OK ? 1 : 4;
}

static void
one_contest(void)
{
	enum { PROCESSES = 6 };
	struct keydir k = key_fresh(KEYDIR_Z32);
	struct keydir_entry x;
	struct err e = ERR_INIT;
	pid_t pid[PROCESSES];
	struct keyfile f;
	int won = -1;

	for (int i = 0; i < PROCESSES; i++) {
		pid[i] = fork();
		check(pid[i] >= 0);
		if (pid[i] == 0)
			_exit(contend(&k, (size_t)i % 3));
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
	check_ok(keydir_find_public(&k, "default", &x, &e), &e);
	keydir_entry_deinit(&x);
	check_ok(keydir_find(&k, "default", &x, &f, &e), &e);
	check_same(
	    view_b32(&x.pub), vec_hex(key_field((size_t)won % 3, "publicKey")));
	keydir_entry_deinit(&x);
	keydir_deinit(&k);
}

static void
test_at_once(void **state)
{
	(void)state;
	for (int i = 0; i < 30; i++)
		one_contest();
}

/* A public key is in the way: no secret key is left beside it. */
static void
test_whole_pair_or_none(void **state)
{
	struct keydir k = key_fresh(KEYDIR_Z32);
	struct b32 pub = key_pub(0);
	struct keydir_entry x = {.name = NULL};
	struct err e = ERR_INIT;
	char name[KEYDIR_NAME_MAX + 1];
	struct keyfile f;

	(void)state;
	key_load(&f, 0);
	/* the longest name, with all that is put behind it */
	memset(name, 'n', sizeof(name));
	name[KEYDIR_NAME_MAX] = '\0';
	check_ok(keydir_store(&k, name, &f, &pub, &x, &e), &e);
	keydir_entry_deinit(&x);
	keydir_deinit(&k);
	k = key_fresh(KEYDIR_Z32);
	key_put(&k, "x.public", "precious", 0600);
	check_code(keydir_store(&k, "x", &f, &pub, &x, &e), ERR_EXISTS);
	check(access(key_at(&k, "x"), F_OK) != 0);
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

	key_load(&old, 3);
	check_ok(secret_copy(&password, view_str(KEY_PASSWORD), &e), &e);
	check_ok(keyfile_open(&pair, id, &old, &password, &e), &e);
	check_ok(
	    keyfile_make(out, &pair, id, &password, KEYFILE_COST_TEST, &e), &e);
	sign_pair_free(&pair);
	secret_free(&password);
}

static void
upgrade_as(enum keydir_form form)
{
	struct keydir k = key_fresh(form);
	struct keydir_entry x;
	struct err e = ERR_INIT;
	struct keyfile file, got;
	struct buf b;

	make_upgrade(&file);
	key_store(&k, "default", 3);
	check_ok(keydir_find(&k, "default", &x, &got, &e), &e);
	check(got.version == 0);
	check_ok(keydir_upgrade(&k, &x, &file, &e), &e);
	keydir_entry_deinit(&x);
	key_read_back(key_at(&k, "default.v3.backup"), &b);
	check_same(buf_view(&b), form == KEYDIR_RAW
				     ? vec_hex(key_field(3, "file"))
				     : view_str(key_field(3, "fileZ32")));
	buf_deinit(&b);
	check(key_mode(key_at(&k, "default.v3.backup")) == 0400);
	check(key_mode(key_at(&k, "default")) == 0400);
	key_read_back(key_at(&k, "default"), &b);
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
	struct keydir k = key_fresh(KEYDIR_Z32);
	struct keydir_entry x;
	struct err e = ERR_INIT;
	struct keyfile file, got;

	(void)state;
	make_upgrade(&file);
	key_put_signer(&k, "default", 3);
	key_put(&k, "default.v3.backup", "precious", 0400);
	check_ok(keydir_find(&k, "default", &x, &got, &e), &e);
	check_code(keydir_upgrade(&k, &x, &file, &e), ERR_EXISTS);
	/* a backup of an upgrade that was cut off is taken for this one */
	key_put(&k, "default.v3.backup", key_field(3, "fileZ32"), 0400);
	x.pub.b[0] ^= 1;
	check_code(keydir_upgrade(&k, &x, &file, &e), ERR_CORRUPT);
	x.pub.b[0] ^= 1;
	check_ok(keydir_upgrade(&k, &x, &file, &e), &e);
	keydir_entry_deinit(&x);
	keydir_deinit(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_store),
	    cmocka_unit_test(test_store_refuses),
	    cmocka_unit_test(test_at_once),
	    cmocka_unit_test(test_whole_pair_or_none),
	    cmocka_unit_test(test_upgrade),
	    cmocka_unit_test(test_upgrade_refuses),
	};

	return cmocka_run_group_tests(tests, key_setup, key_teardown);
}
