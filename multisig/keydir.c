#include "multisig/keydir_impl.h"

#include <stdlib.h>
#include <string.h>

enum err_code
keydir_init(
    struct keydir *k, const char *dir, enum keydir_form form, struct err *e)
{
	struct keydir fresh = {.form = form};
	size_t n = strlen(dir);

	if (n == 0 || n > 4096)
		return err_set(
		    e, ERR_INVALID, "the key directory has no usable name");
	while (n > 1 && dir[n - 1] == '/')
		n--;
	if ((fresh.dir = strndup(dir, n)) == NULL)
		return err_nomem(e);
	*k = fresh;
	return ERR_OK;
}

void
keydir_deinit(struct keydir *k)
{
	free(k->dir);
	k->dir = NULL;
}

void
keydir_entry_deinit(struct keydir_entry *x)
{
	free(x->name);
	free(x->secret_path);
	free(x->public_path);
	memset(x, 0, sizeof(*x));
}

/* Text without a ".public" at its end, malloc. */
static char *
stem_of(const char *name)
{
	const size_t m = strlen(KEYDIR_PUBLIC);
	size_t n = strlen(name);

	if (n > m && strcmp(name + n - m, KEYDIR_PUBLIC) == 0)
		n -= m;
	return strndup(name, n);
}

static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* Fill in name and both paths for dir/stem; dir NULL: stem is a path. */
static enum err_code
name_entry(
    struct keydir_entry *x, const char *dir, const char *stem, struct err *e)
{
	enum err_code rc;

	x->name = strdup(last_part(stem));
	if (x->name == NULL)
		return err_nomem(e);
	if ((rc = keydir_join(&x->secret_path, dir, stem, "", e)) != ERR_OK)
		return rc;
	return keydir_join(&x->public_path, dir, stem, KEYDIR_PUBLIC, e);
}

/* -- own keys --------------------------------------------------------------- */

static enum err_code
not_here(const char *path, struct err *e)
{
	char shown[KEYDIR_SHOWN_MAX];

	return err_set(e, ERR_NOT_FOUND, "No keys found at path: %s",
	    keydir_shown(shown, path));
}

/* Costs that the reference never writes, and that make guessing cheap. */
static void
warn_cheap(const struct keydir *k, const struct keyfile *f, const char *path)
{
	char shown[KEYDIR_SHOWN_MAX];
	char text[KEYDIR_SHOWN_MAX + 64];
	struct buf b;

	if (k->warn == NULL ||
	    (f->ops >= KEYFILE_OPS_LOW && f->mem >= KEYFILE_MEM_LOW))
		return;
	buf_init(&b, sizeof(text) - 1);
	buf_printf(&b, "%s: its password is cheap to guess",
	    keydir_shown(shown, path));
	if (buf_cstr(&b) != NULL)
		k->warn(k->ctx, buf_cstr(&b));
	buf_deinit(&b);
}

static enum err_code
load_secret(const struct keydir *k, const char *path, struct keyfile *out,
    struct err *e)
{
	char shown[KEYDIR_SHOWN_MAX];
	enum err_code rc;
	struct buf b;

	buf_init(&b, KEYFILE_TEXT_MAX);
	rc = keydir_read(k, path, KEYDIR_PART_SECRET, &b, e);
	if (rc == ERR_NOT_FOUND)
		rc = not_here(path, e);
	else if (rc == ERR_OK &&
		 (rc = keyfile_decode(out, buf_view(&b), e)) != ERR_OK)
		rc = err_wrap(e, "%s", keydir_shown(shown, path));
	buf_deinit(&b);
	if (rc == ERR_OK)
		warn_cheap(k, out, path);
	return rc;
}

/* The key beside the secret, and the one inside it, where there are any. */
static enum err_code
load_public(const struct keydir *k, struct keydir_entry *x,
    const struct keyfile *f, struct err *e)
{
	char shown[KEYDIR_SHOWN_MAX];
	enum err_code rc;

	rc = keydir_read_public(k, x->public_path, &x->pub, e);
	if (rc == ERR_NOT_FOUND && !f->has_pub)
		return err_set(e, ERR_NOT_FOUND,
		    "No corresponding public key could be found (%s)",
		    keydir_shown(shown, x->public_path));
	if (rc == ERR_NOT_FOUND) {
		x->pub = f->pub;
		return ERR_OK;
	}
	if (rc == ERR_OK && f->has_pub && !b32_eq(&f->pub, &x->pub))
		rc = err_set(e, ERR_CORRUPT,
		    "%s is not the public key of the secret key beside it",
		    keydir_shown(shown, x->public_path));
	return rc;
}

enum err_code
keydir_find(const struct keydir *k, const char *name, struct keydir_entry *out,
    struct keyfile *file, struct err *e)
{
	struct keydir_entry x = {.name = NULL};
	const char *dir = strchr(name, '/') == NULL ? k->dir : NULL;
	struct keyfile f = {.version = 0};
	enum err_code rc;

	if (dir != NULL && (rc = keydir_check_name(name, e)) != ERR_OK)
		return rc;
	if ((rc = name_entry(&x, dir, name, e)) != ERR_OK)
		goto out;
	if (dir != NULL && (rc = keydir_check_dir(dir, e)) != ERR_OK) {
		if (rc == ERR_NOT_FOUND)
			rc = not_here(x.secret_path, e);
		goto out;
	}
	if ((rc = load_secret(k, x.secret_path, &f, e)) != ERR_OK ||
	    (rc = load_public(k, &x, &f, e)) != ERR_OK)
		goto out;
	*out = x;
	*file = f;
	x = (struct keydir_entry){.name = NULL};
out:
	keydir_entry_deinit(&x);
	return rc;
}

/* -- public keys ------------------------------------------------------------ */

/* A public key at dir/stem.public, with its secret if that is there too. */
static enum err_code
public_at(const struct keydir *k, const char *dir, const char *stem,
    struct keydir_entry *out, struct err *e)
{
	struct keydir_entry x = {.name = NULL};
	enum err_code rc;

	if ((rc = name_entry(&x, dir, stem, e)) == ERR_OK &&
	    (rc = keydir_read_public(k, x.public_path, &x.pub, e)) == ERR_OK) {
		if (!keydir_there(x.secret_path)) {
			free(x.secret_path);
			x.secret_path = NULL;
		}
		*out = x;
		return ERR_OK;
	}
	if (rc == ERR_NOT_FOUND)
		rc = not_here(x.public_path, e);
	keydir_entry_deinit(&x);
	return rc;
}

static enum err_code
public_of_dir(const struct keydir *k, const char *stem,
    struct keydir_entry *out, struct err *e)
{
	char *known = NULL;
	enum err_code rc;

	if ((rc = keydir_check_name(stem, e)) != ERR_OK)
		return rc;
	if ((rc = keydir_check_dir(k->dir, e)) != ERR_OK)
		return rc == ERR_NOT_FOUND ? not_here(k->dir, e) : rc;
	if ((rc = public_at(k, k->dir, stem, out, e)) != ERR_NOT_FOUND)
		return rc;
	if ((rc = keydir_known_dir(&known, k, e)) == ERR_OK &&
	    ((rc = keydir_check_dir(known, e)) == ERR_OK ||
		rc == ERR_NOT_FOUND))
		rc = public_at(k, known, stem, out, e);
	free(known);
	return rc;
}

enum err_code
keydir_find_public(const struct keydir *k, const char *name,
    struct keydir_entry *out, struct err *e)
{
	char *stem = stem_of(name);
	enum err_code rc;

	if (stem == NULL)
		return err_nomem(e);
	rc = strchr(name, '/') != NULL ? public_at(k, NULL, stem, out, e)
				       : public_of_dir(k, stem, out, e);
	free(stem);
	return rc;
}
