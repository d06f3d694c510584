/* How key files come, change and go. */
#include "multisig/keydir_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "codec/z32.h"

#define MODE_DIR 0700
#define MODE_SECRET 0400
#define MODE_PUBLIC 0600

static enum err_code
exists(const char *path, struct err *e)
{
	char shown[KEYDIR_SHOWN_MAX];

	return err_set(
	    e, ERR_EXISTS, "%s exists already", keydir_shown(shown, path));
}

static void
encode_as(struct buf *out, struct view bytes, enum keydir_form form)
{
	switch (form) {
	case KEYDIR_Z32:
		z32_encode(out, bytes);
		break;
	case KEYDIR_RAW:
		buf_append(out, bytes);
		break;
	}
}

/* Take back a file that was put in its place and could not be synced; what
 * somebody else put there has other bytes, and stays. */
static void
take_back(const char *path, struct view text)
{
	struct buf there;

	buf_init(&there, KEYFILE_TEXT_MAX);
	if (file_read(AT_FDCWD, path, KEYFILE_TEXT_MAX, &there, NULL) ==
		ERR_OK &&
	    view_eq(buf_view(&there), text))
		(void)unlink(path);
	buf_deinit(&there);
}

static enum err_code
write_new(const char *path, struct view bytes, enum keydir_form form,
    mode_t mode, struct err *e)
{
	enum err_code rc;
	struct buf b;

	buf_init(&b, KEYFILE_TEXT_MAX);
	encode_as(&b, bytes, form);
	if ((rc = buf_check(&b, e)) == ERR_OK)
		rc = file_write_new(AT_FDCWD, path, buf_view(&b), mode, e);
	if (rc == ERR_EXISTS)
		rc = exists(path, e);
	else if (rc != ERR_OK)
		take_back(path, buf_view(&b));
	buf_deinit(&b);
	return rc;
}

/* The folder, its name synced where it was made. */
static enum err_code
make_dir(const char *dir, struct err *e)
{
	char *parent = NULL;
	enum err_code rc;

	if (!keydir_there(dir)) {
		if ((rc = file_mkdirs(dir, MODE_DIR, e)) == ERR_OK &&
		    (rc = keydir_join(&parent, dir, "..", "", e)) == ERR_OK)
			rc = file_sync_dir(AT_FDCWD, parent, e);
		free(parent);
		if (rc != ERR_OK)
			return rc;
	}
	return keydir_check_dir(dir, e);
}

/* ERR_EXISTS if own or known keys have this name already. */
static enum err_code
check_free(const struct keydir *k, const char *name, struct err *e)
{
	const char *const suffix[] = {"", KEYDIR_PUBLIC, KEYDIR_PUBLIC};
	char *known = NULL;
	enum err_code rc = keydir_known_dir(&known, k, e);

	for (size_t i = 0; i < 3 && rc == ERR_OK; i++) {
		char *path = NULL;

		rc = keydir_join(
		    &path, i < 2 ? k->dir : known, name, suffix[i], e);
		if (rc == ERR_OK && keydir_there(path))
			rc = exists(path, e);
		free(path);
	}
	free(known);
	return rc;
}

static enum err_code
write_pair(const struct keydir *k, const struct keydir_entry *x,
    const struct keyfile *file, struct err *e)
{
	enum err_code rc;
	struct b32 there;
	struct buf bytes;

	buf_init(&bytes, KEYFILE_TEXT_MAX);
	keyfile_encode(&bytes, file);
	rc = buf_check(&bytes, e);
	if (rc == ERR_OK)
		rc = write_new(
		    x->secret_path, buf_view(&bytes), k->form, MODE_SECRET, e);
	buf_deinit(&bytes);
	if (rc != ERR_OK)
		return rc;
	rc = write_new(
	    x->public_path, view_b32(&x->pub), k->form, MODE_PUBLIC, e);
	/* another process may have found the secret, and completed the pair */
	if (rc == ERR_EXISTS &&
	    keydir_read_public(k, x->public_path, &there, NULL) == ERR_OK &&
	    b32_eq(&there, &x->pub))
		return ERR_OK;
	/* nobody has seen this key: the whole pair, or nothing */
	if (rc != ERR_OK)
		(void)unlink(x->secret_path);
	return rc;
}

enum err_code
keydir_store(const struct keydir *k, const char *name,
    const struct keyfile *file, const struct b32 *pub, struct keydir_entry *out,
    struct err *e)
{
	struct keydir_entry x = {.pub = *pub};
	enum err_code rc;

	if ((rc = keydir_check_name(name, e)) != ERR_OK ||
	    (rc = make_dir(k->dir, e)) != ERR_OK ||
	    (rc = check_free(k, name, e)) != ERR_OK)
		return rc;
	if ((x.name = strdup(name)) == NULL)
		rc = err_nomem(e);
	else if ((rc = keydir_join(&x.secret_path, k->dir, name, "", e)) ==
		     ERR_OK &&
		 (rc = keydir_join(&x.public_path, k->dir, name, KEYDIR_PUBLIC,
		      e)) == ERR_OK)
		rc = write_pair(k, &x, file, e);
	if (rc == ERR_OK)
		*out = x;
	else
		keydir_entry_deinit(&x);
	return rc;
}

enum err_code
keydir_complete(
    const struct keydir *k, const struct keydir_entry *x, struct err *e)
{
	enum err_code rc;

	if (keydir_there(x->public_path))
		return ERR_OK;
	rc = write_new(
	    x->public_path, view_b32(&x->pub), k->form, MODE_PUBLIC, e);
	return rc == ERR_EXISTS ? ERR_OK : rc; /* another process did it */
}

/* -- upgrade ---------------------------------------------------------------- */

/* The old text in the backup; one of an upgrade that was cut off is fine. */
static enum err_code
back_up(
    const struct keydir *k, const char *path, struct view old, struct err *e)
{
	enum err_code rc;
	struct buf there;

	rc = write_new(path, old, KEYDIR_RAW, MODE_SECRET, e);
	if (rc != ERR_EXISTS)
		return rc;
	buf_init(&there, KEYFILE_TEXT_MAX);
	rc = keydir_read(k, path, KEYDIR_PART_SECRET, &there, e);
	if (rc == ERR_OK && !view_eq(buf_view(&there), old))
		rc = exists(path, e);
	buf_deinit(&there);
	return rc;
}

static enum err_code
check_legacy(const struct keydir_entry *x, struct view old, struct err *e)
{
	char shown[KEYDIR_SHOWN_MAX];
	struct keyfile before;
	enum err_code rc = keyfile_decode(&before, old, e);

	if (rc != ERR_OK)
		return err_wrap(e, "%s", keydir_shown(shown, x->secret_path));
	if (before.version != 0)
		return err_set(e, ERR_CONFLICT, "%s is no legacy key",
		    keydir_shown(shown, x->secret_path));
	return ERR_OK;
}

static enum err_code
replace(const struct keydir *k, const struct keydir_entry *x, struct view old,
    const struct keyfile *file, struct err *e)
{
	char *backup = NULL;
	struct buf bytes;
	struct buf text;
	enum err_code rc;

	buf_init(&bytes, KEYFILE_TEXT_MAX);
	buf_init(&text, KEYFILE_TEXT_MAX);
	keyfile_encode(&bytes, file);
	/* as it was: bytes are shorter than the text of any version */
	encode_as(&text, buf_view(&bytes),
	    old.len < bytes.len ? KEYDIR_RAW : KEYDIR_Z32);
	if ((rc = buf_check(&bytes, e)) == ERR_OK &&
	    (rc = buf_check(&text, e)) == ERR_OK &&
	    (rc = keydir_join(
		 &backup, NULL, x->secret_path, KEYDIR_BACKUP, e)) == ERR_OK &&
	    (rc = back_up(k, backup, old, e)) == ERR_OK)
		rc = file_write_atomic(
		    AT_FDCWD, x->secret_path, buf_view(&text), MODE_SECRET, e);
	free(backup);
	buf_deinit(&text);
	buf_deinit(&bytes);
	return rc;
}

enum err_code
keydir_upgrade(const struct keydir *k, const struct keydir_entry *x,
    const struct keyfile *file, struct err *e)
{
	char shown[KEYDIR_SHOWN_MAX];
	enum err_code rc;
	struct buf old;

	if (!file->has_pub || !b32_eq(&file->pub, &x->pub))
		return err_set(e, ERR_CORRUPT,
		    "%s is not the public key of the secret key beside it",
		    keydir_shown(shown, x->public_path));
	buf_init(&old, KEYFILE_TEXT_MAX);
	if ((rc = keydir_read(
		 k, x->secret_path, KEYDIR_PART_SECRET, &old, e)) == ERR_OK &&
	    (rc = check_legacy(x, buf_view(&old), e)) == ERR_OK)
		rc = replace(k, x, buf_view(&old), file, e);
	buf_deinit(&old);
	return rc;
}

/* -- keys of others --------------------------------------------------------- */

enum err_code
keydir_add(const struct keydir *k, const char *alias, const struct b32 *pub,
    struct err *e)
{
	char *known = NULL;
	char *path = NULL;
	enum err_code rc;

	if ((rc = keydir_check_name(alias, e)) != ERR_OK)
		return rc;
	if (!sign_public_valid(pub))
		return err_set(
		    e, ERR_INVALID, "Key not a valid ed25519 public key");
	if ((rc = make_dir(k->dir, e)) == ERR_OK &&
	    (rc = check_free(k, alias, e)) == ERR_OK &&
	    (rc = keydir_known_dir(&known, k, e)) == ERR_OK &&
	    (rc = make_dir(known, e)) == ERR_OK &&
	    (rc = keydir_join(&path, known, alias, KEYDIR_PUBLIC, e)) == ERR_OK)
		rc = write_new(path, view_b32(pub), k->form, MODE_PUBLIC, e);
	free(path);
	free(known);
	return rc;
}

/* True if something was there. */
static enum err_code
remove_at(const char *dir, const char *name, const char *suffix, bool *gone,
    struct err *e)
{
	char shown[KEYDIR_SHOWN_MAX];
	char *path = NULL;
	enum err_code rc = keydir_join(&path, dir, name, suffix, e);

	if (rc != ERR_OK)
		return rc;
	if (unlink(path) == 0)
		*gone = true;
	else if (errno != ENOENT && errno != ENOTDIR)
		rc = err_os(e, errno, "remove %s", keydir_shown(shown, path));
	free(path);
	return rc;
}

enum err_code
keydir_remove(const struct keydir *k, const char *name, struct err *e)
{
	char *known = NULL;
	bool gone = false;
	enum err_code rc;

	if ((rc = keydir_check_name(name, e)) != ERR_OK)
		return rc;
	if ((rc = keydir_check_dir(k->dir, e)) != ERR_OK && rc != ERR_NOT_FOUND)
		return rc;
	/* never a public key without its secret */
	if ((rc = remove_at(k->dir, name, KEYDIR_PUBLIC, &gone, e)) == ERR_OK)
		rc = remove_at(k->dir, name, "", &gone, e);
	if (rc == ERR_OK && gone)
		return file_sync_dir(AT_FDCWD, k->dir, e);
	if (rc == ERR_OK && (rc = keydir_known_dir(&known, k, e)) == ERR_OK)
		rc = remove_at(known, name, KEYDIR_PUBLIC, &gone, e);
	if (rc == ERR_OK && gone)
		rc = file_sync_dir(AT_FDCWD, known, e);
	else if (rc == ERR_OK)
		rc = err_set(e, ERR_NOT_FOUND, "Key \"%s\" not found", name);
	free(known);
	return rc;
}
