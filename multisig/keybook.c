/* All keys of a directory: in order, and as an address book. */
#include "multisig/keydir_impl.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arr.h"

struct keybook_entry {
	struct keydir_entry x;
	bool own;
};

struct keybook {
	struct keybook_entry *entry;
	size_t n, cap;
};

/* -- reading a folder ------------------------------------------------------- */

/* An unfinished file: "<name>.tmp-" and 16 hex digits. */
static bool
is_unfinished(const char *name)
{
	const char *at = strstr(name, ".tmp-");

	if (at == NULL || strlen(at) != 5 + 16)
		return false;
	for (at += 5; *at != '\0'; at++)
		if (!isxdigit((unsigned char)*at))
			return false;
	return true;
}

static void
complain(const struct keydir *k, const struct err *e)
{
	if (k->warn != NULL)
		k->warn(k->ctx, e->msg);
}

/* A secret key whose public key is only inside it; every other file here
 * that is no ".public" is none of ours, or was seen with its public key. */
static enum err_code
find_lonely(const struct keydir *k, const char *dir, const char *name,
    struct keydir_entry *x)
{
	const struct keydir quiet = {.dir = k->dir, .form = k->form};
	struct keyfile f;
	char *path = NULL;
	enum err_code rc;
	bool seen;

	if (keydir_join(&path, dir, name, KEYDIR_PUBLIC, NULL) != ERR_OK)
		return ERR_NOMEM;
	seen = keydir_there(path);
	free(path);
	if (seen || keydir_join(&path, dir, name, "", NULL) != ERR_OK)
		return ERR_NOT_FOUND;
	rc = keydir_find(&quiet, path, x, &f, NULL);
	free(path);
	return rc;
}

static enum err_code
take_name(struct keybook *b, const struct keydir *k, const char *dir,
    const char *name, struct err *e)
{
	const size_t m = strlen(KEYDIR_PUBLIC);
	struct keybook_entry one = {.own = false};
	struct err why = ERR_INIT;
	size_t n = strlen(name);
	char *path = NULL;
	enum err_code rc;

	if (name[0] == '.' || is_unfinished(name))
		return ERR_OK;
	if (n > m && strcmp(name + n - m, KEYDIR_PUBLIC) == 0) {
		if ((rc = keydir_join(&path, dir, name, "", e)) != ERR_OK)
			return rc;
		rc = keydir_find_public(k, path, &one.x, &why);
		free(path);
		if (rc != ERR_OK)
			complain(k, &why);
	} else {
		rc = find_lonely(k, dir, name, &one.x);
	}
	if (rc != ERR_OK)
		return rc == ERR_NOMEM ? err_nomem(e) : ERR_OK;
	if (keydir_check_name(one.x.name, NULL) == ERR_OK) {
		one.own = one.x.secret_path != NULL;
		if (ARR_RESERVE(b->entry, b->n + 1, b->cap)) {
			b->entry[b->n++] = one;
			return ERR_OK;
		}
		rc = err_nomem(e);
	}
	keydir_entry_deinit(&one.x);
	return rc;
}

/* Own keys first. */
static int
in_order(const void *a, const void *b)
{
	const struct keybook_entry *x = a;
	const struct keybook_entry *y = b;

	if (x->own != y->own)
		return x->own ? -1 : 1;
	return strcmp(x->x.name, y->x.name);
}

static enum err_code
take_folder(
    struct keybook *b, const struct keydir *k, const char *dir, struct err *e)
{
	enum err_code rc = keydir_check_dir(dir, e);
	struct dirent *one;
	size_t seen = 0;
	DIR *d;

	if (rc != ERR_OK)
		return rc == ERR_NOT_FOUND ? ERR_OK : rc;
	if ((d = opendir(dir)) == NULL)
		return err_os(e, errno, "open %s", dir);
	while (rc == ERR_OK && (one = readdir(d)) != NULL) {
		if (++seen > KEYDIR_KNOWN_MAX)
			rc =
			    err_set(e, ERR_LIMIT, "%s holds more than %d files",
				dir, KEYDIR_KNOWN_MAX);
		else
			rc = take_name(b, k, dir, one->d_name, e);
	}
	(void)closedir(d);
	return rc;
}

/* -- the book --------------------------------------------------------------- */

void
keybook_close(struct keybook *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->n; i++)
		keydir_entry_deinit(&b->entry[i].x);
	free(b->entry);
	free(b);
}

enum err_code
keybook_open(struct keybook **out, const struct keydir *k, struct err *e)
{
	struct keybook *b = calloc(1, sizeof(*b));
	char *known = NULL;
	enum err_code rc;

	if (b == NULL)
		return err_nomem(e);
	if ((rc = keydir_known_dir(&known, k, e)) == ERR_OK &&
	    (rc = take_folder(b, k, k->dir, e)) == ERR_OK &&
	    strcmp(known, k->dir) != 0)
		rc = take_folder(b, k, known, e);
	free(known);
	if (rc == ERR_OK && b->n > 0)
		qsort(b->entry, b->n, sizeof(b->entry[0]), in_order);
	if (rc == ERR_OK)
		*out = b;
	else
		keybook_close(b);
	return rc;
}

/* Own names win: they stand first. */
static const struct keybook_entry *
entry_of(const struct keybook *b, const struct b32 *pub)
{
	for (size_t i = 0; i < b->n; i++)
		if (b32_eq(&b->entry[i].x.pub, pub))
			return &b->entry[i];
	return NULL;
}

const char *
keybook_name(const struct keybook *b, const struct b32 *pub)
{
	const struct keybook_entry *found = entry_of(b, pub);

	return found != NULL ? found->x.name : NULL;
}

bool
keybook_own(const struct keybook *b, const struct b32 *pub)
{
	const struct keybook_entry *found = entry_of(b, pub);

	return found != NULL && found->own;
}

enum err_code
keydir_list(const struct keydir *k,
    bool (*each)(void *ctx, const struct keydir_entry *x, bool own), void *ctx,
    struct err *e)
{
	struct keybook *b = NULL;
	enum err_code rc = keybook_open(&b, k, e);

	if (rc != ERR_OK || b == NULL)
		return rc;
	for (size_t i = 0; i < b->n; i++)
		if (!each(ctx, &b->entry[i].x, b->entry[i].own))
			break;
	keybook_close(b);
	return ERR_OK;
}
