/* How key files are looked at: paths, names, owners, bytes. */
#include "multisig/keydir_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "codec/z32.h"

const char *
keydir_shown(char out[static KEYDIR_SHOWN_MAX], const char *path)
{
	return err_quote(out, KEYDIR_SHOWN_MAX, path, strlen(path));
}

enum err_code
keydir_join(char **out, const char *dir, const char *name, const char *suffix,
    struct err *e)
{
	enum err_code rc;
	struct buf b;
	size_t len;

	buf_init(&b, 8192);
	buf_printf(
	    &b, "%s%s%s%s", dir ? dir : "", dir ? "/" : "", name, suffix);
	buf_byte(&b, 0);
	if ((rc = buf_check(&b, e)) == ERR_OK)
		*out = (char *)buf_steal(&b, &len);
	buf_deinit(&b);
	return rc;
}

enum err_code
keydir_known_dir(char **out, const struct keydir *k, struct err *e)
{
	switch (k->form) {
	case KEYDIR_Z32:
		return keydir_join(out, k->dir, KEYDIR_KNOWN, "", e);
	case KEYDIR_RAW:
		return keydir_join(out, NULL, k->dir, "", e);
	}
	return err_set(e, ERR_INVALID, "no such form of key directory");
}

static bool
ends_with(const char *name, const char *end)
{
	size_t n = strlen(name);
	size_t m = strlen(end);

	return n >= m && strcmp(name + n - m, end) == 0;
}

enum err_code
keydir_check_name(const char *name, struct err *e)
{
	char shown[KEYDIR_SHOWN_MAX];
	size_t n = strlen(name);
	bool ok = n > 0 && n <= KEYDIR_NAME_MAX && name[0] != '.' &&
		  strcmp(name, KEYDIR_KNOWN) != 0 &&
		  !ends_with(name, KEYDIR_PUBLIC) &&
		  !ends_with(name, KEYDIR_BACKUP);

	for (size_t i = 0; ok && i < n; i++) {
		unsigned char c = (unsigned char)name[i];

		ok = c >= ' ' && c != 0x7f && c != '/';
	}
	if (ok)
		return ERR_OK;
	return err_set(e, ERR_INVALID, "\"%s\" cannot be the name of a key",
	    keydir_shown(shown, name));
}

enum err_code
keydir_check_dir(const char *dir, struct err *e)
{
	char shown[KEYDIR_SHOWN_MAX];
	struct stat st;

	keydir_shown(shown, dir);
	if (stat(dir, &st) != 0)
		return err_os(e, errno, "key directory %s", shown);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_INVALID, "%s is not a directory", shown);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return err_set(e, ERR_INVALID,
		    "key directory %s belongs to another user", shown);
	if ((st.st_mode & S_IWOTH) != 0 && (st.st_mode & S_ISVTX) == 0)
		return err_set(e, ERR_INVALID,
		    "key directory %s can be written by everybody", shown);
	return ERR_OK;
}

bool
keydir_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static void
warn(const struct keydir *k, const char *shown, const char *what)
{
	char text[KEYDIR_SHOWN_MAX + 128];
	struct buf b;

	if (k->warn == NULL)
		return;
	buf_init(&b, sizeof(text) - 1);
	buf_printf(&b, "%s %s", shown, what);
	if (buf_cstr(&b) != NULL)
		k->warn(k->ctx, buf_cstr(&b));
	buf_deinit(&b);
}

static enum err_code
check_file(const struct keydir *k, const struct stat *st, const char *shown,
    enum keydir_part part, struct err *e)
{
	if (!S_ISREG(st->st_mode))
		return err_set(e, ERR_INVALID, "%s is not a file", shown);
	if (st->st_uid != geteuid())
		return err_set(
		    e, ERR_INVALID, "%s belongs to another user", shown);
	if ((st->st_mode & S_IWOTH) != 0)
		return err_set(
		    e, ERR_INVALID, "%s can be written by everybody", shown);
	if (st->st_size > KEYFILE_TEXT_MAX)
		return err_set(e, ERR_LIMIT, "%s is longer than %d bytes",
		    shown, KEYFILE_TEXT_MAX);
	if (part == KEYDIR_PART_SECRET && (st->st_mode & 077) != 0)
		warn(k, shown,
		    "can be read by other users: chmod 400 it, and think "
		    "about a new key");
	else if (part == KEYDIR_PART_PUBLIC && (st->st_mode & S_IWGRP) != 0)
		warn(k, shown, "can be changed by its group: chmod 600 it");
	return ERR_OK;
}

enum err_code
keydir_read(const struct keydir *k, const char *path, enum keydir_part part,
    struct buf *out, struct err *e)
{
	char shown[KEYDIR_SHOWN_MAX];
	enum err_code rc;
	struct stat st;
	uint8_t *p;
	int fd;

	keydir_shown(shown, path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ELOOP)
		return err_set(e, ERR_INVALID,
		    "%s is a link, which a key file must not be", shown);
	if (fd < 0)
		return err_os(e, errno, "open %s", shown);
	if (fstat(fd, &st) != 0)
		rc = err_os(e, errno, "stat %s", shown);
	else
		rc = check_file(k, &st, shown, part, e);
	if (rc == ERR_OK) {
		p = buf_extend(out, (size_t)st.st_size);
		rc = p == NULL ? buf_check(out, e)
			       : file_pread_all(
				     fd, shown, p, (size_t)st.st_size, 0, e);
	}
	(void)close(fd);
	return rc;
}

enum err_code
keydir_public_parse(struct b32 *out, struct view text, struct err *e)
{
	if (text.len == 32) {
		for (size_t i = 0; i < 32; i++)
			out->b[i] = text.ptr[i];
		return ERR_OK;
	}
	while (text.len > 0 && text.ptr[text.len - 1] <= ' ')
		text.len--;
	while (text.len > 0 && text.ptr[0] <= ' ')
		text = view_sub(text, 1, text.len);
	if (z32_key_id(text, out, NULL) != ERR_OK)
		return err_set(e, ERR_INVALID, "Key is not valid");
	return ERR_OK;
}

enum err_code
keydir_read_public(
    const struct keydir *k, const char *path, struct b32 *out, struct err *e)
{
	char shown[KEYDIR_SHOWN_MAX];
	enum err_code rc;
	struct buf b;

	buf_init(&b, KEYFILE_TEXT_MAX);
	rc = keydir_read(k, path, KEYDIR_PART_PUBLIC, &b, e);
	if (rc == ERR_OK &&
	    (rc = keydir_public_parse(out, buf_view(&b), e)) != ERR_OK)
		rc = err_wrap(e, "%s", keydir_shown(shown, path));
	buf_deinit(&b);
	return rc;
}
