#include "build-tool/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/view.h"

#define TEMP_MARK ".build-"

/* Room for the temporary name in the 255 bytes of a name. */
enum { NAME_BYTES = 200, FOLDER_MAX = 4096, TEMP_TRIES = 100 };

static const char *
name_of(const struct place *p)
{
	return strrchr(p->target, '/') + 1;
}

/* "/a//./b" as "/a/b". What is not there cannot be left by "..". */
static enum err_code
append_parts(struct buf *b, const char *rest, struct err *e)
{
	while (*rest != '\0') {
		size_t n = strcspn(rest, "/");

		if (n == 2 && rest[0] == '.' && rest[1] == '.')
			return err_set(e, ERR_INVALID,
			    "the target's path leads through a folder that "
			    "is not there");
		if (n > 0 && !(n == 1 && rest[0] == '.')) {
			buf_byte(b, '/');
			buf_append(b, view_of(rest, n));
		}
		rest += n + (rest[n] == '/');
	}
	return ERR_OK;
}

/* The part of `dir` that is there, resolved, and the rest as it stands.
 * Nothing is made here: the place may still be refused. */
static enum err_code
resolve_folder(char **out, const char *dir, struct err *e)
{
	size_t cut = strlen(dir);
	char *real, *head;
	struct buf b;
	enum err_code rc;

	for (;;) {
		if ((head = strndup(dir, cut)) == NULL)
			return err_nomem(e);
		real = realpath(cut > 0 ? head : *dir == '/' ? "/" : ".", NULL);
		free(head);
		if (real != NULL)
			break;
		if (errno != ENOENT || cut == 0)
			return err_os(e, errno, "folder %s", dir);
		while (cut > 0 && dir[cut - 1] != '/')
			cut--;
		while (cut > 0 && dir[cut - 1] == '/')
			cut--;
	}
	buf_init(&b, FOLDER_MAX);
	buf_str(&b, strcmp(real, "/") == 0 ? "" : real);
	free(real);
	rc = append_parts(&b, dir + cut, e);
	if (rc == ERR_OK && b.len == 0)
		buf_str(&b, "/");
	if (rc == ERR_OK && (rc = buf_check(&b, e)) == ERR_OK &&
	    (*out = strdup(buf_cstr(&b))) == NULL)
		rc = err_nomem(e);
	buf_deinit(&b);
	return rc;
}

/* Split into the folder (real path) and the last name. */
static enum err_code
resolve(struct place *p, char *text, struct err *e)
{
	char *slash, *name = text;
	size_t n = strlen(text);
	enum err_code rc;

	while (n > 1 && text[n - 1] == '/')
		text[--n] = '\0';
	if ((slash = strrchr(text, '/')) != NULL) {
		*slash = '\0';
		name = slash + 1;
	}
	if (name[0] == '\0' || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return err_set(
		    e, ERR_INVALID, "the target needs a name of its own");
	if (strlen(name) > NAME_BYTES)
		return err_set(e, ERR_LIMIT,
		    "the target's name is longer than %d bytes", NAME_BYTES);
	rc = resolve_folder(&p->parent,
	    slash == NULL   ? "."
	    : slash == text ? "/"
			    : text,
	    e);
	if (rc != ERR_OK)
		return rc;
	n = strlen(p->parent) + strlen(name) + 2;
	if ((p->target = malloc(n)) == NULL)
		return err_nomem(e);
	(void)snprintf(p->target, n, "%s/%s",
	    strcmp(p->parent, "/") == 0 ? "" : p->parent, name);
	return ERR_OK;
}

static enum err_code
has_entries(const char *path, bool *any, struct err *e)
{
	DIR *dir = opendir(path);
	struct dirent *d;

	if (dir == NULL)
		return err_os(e, errno, "target %s", path);
	*any = false;
	while (!*any && (d = readdir(dir)) != NULL)
		*any =
		    strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
	(void)closedir(dir);
	return ERR_OK;
}

enum err_code
place_init(struct place *p, const char *target, struct err *e)
{
	char *copy = strdup(target);
	enum err_code rc;
	struct stat st;

	p->temp_fd = -1;
	if (copy == NULL)
		return err_nomem(e);
	rc = resolve(p, copy, e);
	free(copy);
	if (rc != ERR_OK)
		return rc;
	if (lstat(p->target, &st) != 0)
		return errno == ENOENT
			   ? ERR_OK
			   : err_os(e, errno, "target %s", p->target);
	if (!S_ISDIR(st.st_mode))
		return err_set(
		    e, ERR_INVALID, "target %s is no folder", p->target);
	return has_entries(p->target, &p->exists, e);
}

static bool
below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strcmp(folder, "/") == 0 ||
	       (strncmp(path, folder, n) == 0 &&
		   (path[n] == '/' || path[n] == '\0'));
}

static enum err_code
nested(const char *what, const char *other, struct err *e)
{
	return err_set(e, ERR_INVALID,
	    "the target %s %s: every build would contain the one before; "
	    "--allow-nested-target allows it",
	    what, other);
}

enum err_code
place_check_nested(const struct place *p, const char *package,
    const char *const *source, size_t n, struct err *e)
{
	char *real = realpath(package, NULL);
	enum err_code rc = ERR_OK;

	if (real == NULL)
		return err_os(e, errno, "%s", package);
	*(strrchr(real, '/') == real ? real + 1 : strrchr(real, '/')) = '\0';
	if (below(p->target, real))
		rc = nested("lies in the app's folder", real, e);
	else if (below(real, p->target))
		rc = nested("holds the app's folder", real, e);
	free(real);
	for (size_t i = 0; rc == ERR_OK && i < n; i++) {
		if ((real = realpath(source[i], NULL)) == NULL)
			return err_os(e, errno, "%s", source[i]);
		if (below(p->target, real))
			rc = nested("lies in", real, e);
		else if (below(real, p->target))
			rc = nested("holds", real, e);
		free(real);
	}
	return rc;
}

/*
 * A run holds a lock on its folder as long as it lives: unlike process
 * numbers, locks mean the same to all containers of a machine. Where folders
 * cannot be locked nothing is taken for dead.
 */
static bool
remove_if_dead(int dir, const char *name)
{
	int fd =
	    openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct err e = ERR_INIT;
	bool ok = true;

	if (fd < 0)
		return true;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		ok = beneath_remove(dir, name, &e) == ERR_OK;
	close(fd);
	return ok;
}

/* prefix, digits, ".", digits */
static bool
is_temp_name(const char *name, const char *prefix)
{
	static const char digits[] = "0123456789";
	size_t n = strlen(prefix);

	if (strncmp(name, prefix, n) != 0 || strspn(name + n, digits) == 0)
		return false;
	name += n + strspn(name + n, digits);
	return name[0] == '.' && name[1] != '\0' &&
	       strspn(name + 1, digits) == strlen(name + 1);
}

static void
remove_stale(const struct place *p, const char *prefix)
{
	DIR *dir = opendir(p->parent);
	struct dirent *d;

	if (dir == NULL)
		return;
	while ((d = readdir(dir)) != NULL)
		if (is_temp_name(d->d_name, prefix) &&
		    !remove_if_dead(dirfd(dir), d->d_name))
			break; /* harmless; the next run tries again */
	(void)closedir(dir);
}

/* Open and lock the folder just made. Another run that cleans up may have
 * met it before it was locked: then *fd is -1 and a new name is needed. */
static enum err_code
hold(const char *path, int *fd, struct err *e)
{
	struct stat here, held;

	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0 && errno == ENOENT)
		return ERR_OK;
	if (*fd < 0)
		return err_os(e, errno, "open %s", path);
	if ((flock(*fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) ||
	    fstat(*fd, &held) != 0 || lstat(path, &here) != 0 ||
	    here.st_dev != held.st_dev || here.st_ino != held.st_ino) {
		close(*fd);
		*fd = -1;
		return ERR_OK;
	}
	/* whatever the umask says */
	if (fchmod(*fd, 0755) != 0)
		return err_os(e, errno, "set mode of %s", path);
	return ERR_OK;
}

static enum err_code
make_temp(struct place *p, const char *prefix, struct err *e)
{
	size_t n = strlen(p->parent) + strlen(prefix) + 40;
	enum err_code rc = ERR_OK;
	char *path;

	if ((path = malloc(n)) == NULL)
		return err_nomem(e);
	for (int i = 0; i < TEMP_TRIES && rc == ERR_OK && p->temp_fd < 0; i++) {
		(void)snprintf(path, n, "%s/%s%ld.%d",
		    strcmp(p->parent, "/") == 0 ? "" : p->parent, prefix,
		    (long)getpid(), i);
		if (mkdir(path, 0755) == 0)
			rc = hold(path, &p->temp_fd, e);
		else if (errno != EEXIST)
			rc = err_os(e, errno, "make folder %s", path);
	}
	if (p->temp_fd >= 0) {
		p->temp = path;
		return rc;
	}
	if (rc == ERR_OK)
		rc = err_set(
		    e, ERR_EXISTS, "all names such as %s are taken", path);
	free(path);
	return rc;
}

enum err_code
place_begin(struct place *p, struct err *e)
{
	char prefix[NAME_BYTES + 16];
	enum err_code rc;

	if ((rc = file_mkdirs(p->parent, 0755, e)) != ERR_OK)
		return rc;
	(void)snprintf(prefix, sizeof(prefix), ".%s" TEMP_MARK, name_of(p));
	remove_stale(p, prefix);
	return make_temp(p, prefix, e);
}

/* Exchange with the target; the old build is then in the temporary place,
 * which place_deinit() removes. */
static enum err_code
exchange(struct place *p, struct err *e)
{
	char old[5000];

#ifdef RENAME_EXCHANGE
	if (renameat2(
		AT_FDCWD, p->temp, AT_FDCWD, p->target, RENAME_EXCHANGE) == 0)
		return ERR_OK;
	if (errno != ENOSYS && errno != EINVAL)
		return err_os(e, errno, "replace %s", p->target);
#endif
	(void)snprintf(old, sizeof(old), "%s.old", p->temp);
	if (rename(p->target, old) != 0)
		return err_os(e, errno, "replace %s", p->target);
	if (rename(p->temp, p->target) != 0) {
		int os = errno;

		(void)rename(old, p->target);
		return err_os(e, os, "replace %s", p->target);
	}
	if (rename(old, p->temp) != 0)
		return err_os(e, errno, "put %s aside", old);
	return ERR_OK;
}

enum err_code
place_commit(struct place *p, struct err *e)
{
	enum err_code rc = ERR_OK;

#ifdef __linux__
	if (syncfs(p->temp_fd) != 0)
		return err_os(e, errno, "sync %s", p->temp);
#else
	sync();
#endif
	if (p->exists) {
		rc = exchange(p, e);
	} else if (rename(p->temp, p->target) != 0) {
		return err_os(e, errno, "create %s", p->target);
	} else {
		p->temp[0] = '\0';
	}
	return rc == ERR_OK ? file_sync_dir(AT_FDCWD, p->parent, e) : rc;
}

void
place_deinit(struct place *p)
{
	struct err e = ERR_INIT;
	int fd;

	if (p->temp_fd >= 0 && p->parent != NULL)
		close(p->temp_fd);
	if (p->temp != NULL && p->temp[0] != '\0') {
		fd = open(p->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0) {
			/* what cannot be removed is found as stale later */
			if (beneath_remove(fd, strrchr(p->temp, '/') + 1, &e) ==
			    ERR_OK)
				p->temp[0] = '\0';
			close(fd);
		}
	}
	free(p->target);
	free(p->parent);
	free(p->temp);
}
