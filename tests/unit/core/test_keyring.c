/* core/identity and core/keyring: one primary key per store, and keys that
 * move without making two histories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/batch.h"
#include "core/identity.h"
#include "core/keyring.h"
#include "support/vec.h"

static struct store *
new_store(const char *name)
{
	static const char *base;
	char dir[4200];
	struct store_opts opts = {.dir = dir, .mode = STORE_CREATE};
	struct store *s;
	struct err e = ERR_INIT;

	if (base == NULL)
		base = vec_tmpdir();
	(void)snprintf(dir, sizeof(dir), "%s/%s", base, name);
	check_ok(store_open(&s, &opts, &e), &e);
	return s;
}

static void
new_core(struct store *s, const char *name, struct b32 *key)
{
	struct sign_pair p;
	struct err e = ERR_INIT;

	check_ok(core_identity_derive(&p, s, view_str(name), &e), &e);
	check_ok(core_identity_add(s, &p, key, &e), &e);
	sign_pair_free(&p);
}

static void
append(struct store *s, const struct b32 *key, size_t n)
{
	struct core *c;
	struct core_batch *b;
	struct core_commit commit = {&b, 1, NULL, NULL, NULL};
	struct err e = ERR_INIT;

	check_ok(core_open(&c, s, key, CORE_WRITE, &e), &e);
	check_ok(core_batch_new(&b, c, CORE_BATCH_REAL, &e), &e);
	while (n-- > 0)
		check_ok(core_batch_append(b, view_str("block"), NULL, &e), &e);
	check_ok(core_commit(&commit, &e), &e);
	core_batch_free(b);
	core_close(c);
}

static void
primary_key_is_made_once(void **state)
{
	struct store *s = new_store("once");
	struct secret a;
	struct secret b;
	struct err e = ERR_INIT;

	(void)state;
	check_code(core_identity_get(&a, s, &e), ERR_NOT_FOUND);
	check_ok(core_identity_get_or_make(&a, s, &e), &e);
	check(a.len == CORE_IDENTITY_LEN);
	store_close(s);
	s = new_store("once");
	check_ok(core_identity_get_or_make(&b, s, &e), &e);
	check_same(secret_view(&a), secret_view(&b));
	check_ok(core_identity_adopt(s, &a, &e), &e);
	a.ptr[3] ^= 1;
	check_code(core_identity_adopt(s, &a, &e), ERR_EXISTS);
	secret_free(&b);
	check_ok(core_identity_get(&b, s, &e), &e);
	check(!view_eq(secret_view(&a), secret_view(&b)));
	secret_free(&a);
	secret_free(&b);
	store_close(s);
}

/* The chain primary key -> pair -> core key, as the reference derives it. */
static void
derivation(void **state)
{
	struct store *s = new_store("derive");
	struct secret primary;
	struct sign_pair a;
	struct sign_pair b;
	struct b32 root = {{0}};
	struct b32 key;
	struct b32 added;
	struct err e = ERR_INIT;

	(void)state;
	check_ok(core_identity_derive(&a, s, view_str("db"), &e), &e);
	check_ok(core_identity_get(&primary, s, &e), &e);
	check_ok(sign_pair_derive(&b, &primary, &root, view_str("db"), &e), &e);
	check(b32_eq(&a.pub, &b.pub));
	core_identity_key(&key, &a.pub);
	check_ok(core_identity_add(s, &a, &added, &e), &e);
	check(b32_eq(&key, &added));
	secret_free(&primary);
	sign_pair_free(&a);
	sign_pair_free(&b);
	store_close(s);
}

static void
nothing_to_save(void **state)
{
	struct store *s = new_store("empty");
	struct core_keyring_report r;
	struct secret out;
	struct err e = ERR_INIT;

	(void)state;
	check_code(core_keyring_save(&out, s, &r, &e), ERR_NOT_FOUND);
	store_close(s);
}

static void
moved_keys_wait_for_their_blocks(void **state)
{
	struct store *from = new_store("from");
	struct store *to = new_store("to");
	struct core_keyring_report r;
	struct secret plain;
	struct core *c;
	struct b32 grown;
	struct b32 fresh;
	struct err e = ERR_INIT;

	(void)state;
	new_core(from, "grown", &grown);
	new_core(from, "fresh", &fresh);
	append(from, &grown, 3);
	check_ok(core_keyring_save(&plain, from, &r, &e), &e);
	check(r.primary && r.cores == 2);
	check_ok(core_keyring_load(
		     to, secret_view(&plain), CORE_KEYRING_REFUSE, &r, &e),
	    &e);
	check(r.primary && r.cores == 2 && r.behind == 1);
	append(to, &fresh, 1);
	check_code(core_open(&c, to, &grown, CORE_WRITE, &e), ERR_CONFLICT);
	check_ok(core_open(&c, to, &grown, CORE_READ, &e), &e);
	check(core_writable(c) && core_head(c)->length == 0);
	core_close(c);
	/* the same again changes nothing, and does not lower the mark */
	check_ok(core_keyring_load(
		     to, secret_view(&plain), CORE_KEYRING_REFUSE, &r, &e),
	    &e);
	check(r.behind == 1);
	append(to, &fresh, 1);
	/* unless the user knows better */
	check_ok(core_keyring_accept(to, &grown, &e), &e);
	append(to, &grown, 1);
	secret_free(&plain);
	store_close(from);
	store_close(to);
}

static void
other_primary_key(void **state)
{
	struct store *from = new_store("mine");
	struct store *to = new_store("theirs");
	struct core_keyring_report r;
	struct secret plain;
	struct core *c;
	struct b32 key;
	struct b32 own;
	struct err e = ERR_INIT;

	(void)state;
	new_core(from, "x", &key);
	new_core(to, "x", &own);
	check(!b32_eq(&key, &own));
	check_ok(core_keyring_save(&plain, from, &r, &e), &e);
	check_code(core_keyring_load(
		       to, secret_view(&plain), CORE_KEYRING_REFUSE, &r, &e),
	    ERR_EXISTS);
	check_code(core_open(&c, to, &key, CORE_READ, &e), ERR_NOT_FOUND);
	check_ok(core_keyring_load(
		     to, secret_view(&plain), CORE_KEYRING_KEEP, &r, &e),
	    &e);
	check(r.primary_kept && !r.primary && r.cores == 1);
	append(to, &key, 1);
	append(to, &own, 1);
	secret_free(&plain);
	store_close(from);
	store_close(to);
}

/* Every cut and every flipped bit of the front is refused or harmless, and a
 * refusal leaves the store as it was. */
static void
damaged_bytes(void **state)
{
	struct store *from = new_store("damage");
	struct core_keyring_report r;
	struct secret plain;
	struct secret none;
	struct b32 key;
	struct err e = ERR_INIT;
	struct store *to = new_store("damaged");
	size_t n;

	(void)state;
	new_core(from, "x", &key);
	check_ok(core_keyring_save(&plain, from, &r, &e), &e);
	for (n = 0; n < plain.len; n++)
		check_code(core_keyring_load(to, view_of(plain.ptr, n),
			       CORE_KEYRING_REFUSE, &r, &e),
		    ERR_FORMAT);
	plain.ptr[0] = 2;
	check_code(core_keyring_load(
		       to, secret_view(&plain), CORE_KEYRING_REFUSE, &r, &e),
	    ERR_VERSION);
	plain.ptr[0] = 1;
	plain.ptr[plain.len - 36] ^= 1; /* in the secret key */
	check_code(core_keyring_load(
		       to, secret_view(&plain), CORE_KEYRING_REFUSE, &r, &e),
	    ERR_FORMAT);
	check_code(core_identity_get(&none, to, &e), ERR_NOT_FOUND);
	secret_free(&plain);
	store_close(from);
	store_close(to);
}

static void
accept_needs_a_key(void **state)
{
	struct store *s = new_store("reader");
	struct b32 key = {{7}};
	struct err e = ERR_INIT;

	(void)state;
	check_code(core_keyring_accept(s, &key, &e), ERR_NOT_FOUND);
	check_ok(core_add(s, NULL, &key, NULL, &e), &e);
	check_code(core_keyring_accept(s, &key, &e), ERR_READONLY);
	store_close(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(primary_key_is_made_once),
	    cmocka_unit_test(derivation),
	    cmocka_unit_test(nothing_to_save),
	    cmocka_unit_test(moved_keys_wait_for_their_blocks),
	    cmocka_unit_test(other_primary_key),
	    cmocka_unit_test(damaged_bytes),
	    cmocka_unit_test(accept_needs_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
