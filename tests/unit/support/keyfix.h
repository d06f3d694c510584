/* keyfix: key directories with the signers of signing.json, for unit tests.
 * Signers 0 to 2 have files of version 1, 3 a legacy one. */
#ifndef TESTS_KEYFIX_H
#define TESTS_KEYFIX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "multisig/keydir.h"
#include "support/vec.h"

#define KEY_PASSWORD "correct horse battery"

static json_t *key_vectors;
static char key_warned[8192];

static inline int
key_setup(void **state)
{
	(void)state;
	key_vectors = vec_load("signing");
	return 0;
}

static inline int
key_teardown(void **state)
{
	(void)state;
	json_decref(key_vectors);
	return 0;
}

static inline const char *
key_field(size_t i, const char *name)
{
	json_t *row = json_array_get(vec_at(key_vectors, "keyFiles"), i);

	check(row != NULL);
	return vec_str(row, name);
}

static inline void
key_keep_warning(void *ctx, const char *message)
{
	size_t n = strlen(key_warned);

	(void)ctx;
	(void)snprintf(key_warned + n, sizeof(key_warned) - n, "%s\n", message);
}

/* A directory that is not there yet. */
static inline struct keydir
key_fresh(enum keydir_form form)
{
	struct err e = ERR_INIT;
	struct keydir k;
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/a/keys", vec_tmpdir());
	check_ok(keydir_init(&k, path, form, &e), &e);
	k.warn = key_keep_warning;
	key_warned[0] = '\0';
	return k;
}

static inline const char *
key_at(const struct keydir *k, const char *name)
{
	static char path[1024];

	(void)snprintf(path, sizeof(path), "%s/%s", k->dir, name);
	return path;
}

static inline void
key_put(const struct keydir *k, const char *name, const char *text, mode_t mode)
{
	struct err e = ERR_INIT;
	char folder[1024];

	(void)snprintf(folder, sizeof(folder), "%s", key_at(k, name));
	*strrchr(folder, '/') = '\0';
	check_ok(file_mkdirs(folder, 0700, &e), &e);
	check_ok(file_write_atomic(
		     AT_FDCWD, key_at(k, name), view_str(text), mode, &e),
	    &e);
}

static inline void
key_put_signer(const struct keydir *k, const char *name, size_t i)
{
	char public[256];

	(void)snprintf(public, sizeof(public), "%s.public", name);
	key_put(k, name, key_field(i, "fileZ32"), 0400);
	key_put(k, public, key_field(i, "publicKeyZ32"), 0600);
}

static inline mode_t
key_mode(const char *path)
{
	struct stat st;

	check(lstat(path, &st) == 0);
	return st.st_mode & 07777;
}

static inline void
key_read_back(const char *path, struct buf *b)
{
	struct err e = ERR_INIT;

	buf_init(b, 4096);
	check_ok(file_read(AT_FDCWD, path, 4096, b, &e), &e);
}

static inline void
key_load(struct keyfile *f, size_t i)
{
	struct err e = ERR_INIT;

	check_ok(keyfile_decode(f, vec_hex(key_field(i, "file")), &e), &e);
}

static inline struct b32
key_pub(size_t i)
{
	struct b32 pub;

	memcpy(pub.b, vec_hex(key_field(i, "publicKey")).ptr, 32);
	return pub;
}

static inline void
key_store(const struct keydir *k, const char *name, size_t i)
{
	struct keydir_entry x;
	struct err e = ERR_INIT;
	struct b32 pub = key_pub(i);
	struct keyfile f;

	key_load(&f, i);
	check_ok(keydir_store(k, name, &f, &pub, &x, &e), &e);
	keydir_entry_deinit(&x);
}

#endif
