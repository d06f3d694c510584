#include "build-tool/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "base/view.h"

#define TEMP_MARK ".build-"

static const char *
name_of(const struct place *p)
{
	return strrchr(p->target, '/') + 1;
}

/* Split into the folder (made if missing, real path) and the last name. */
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
	if (slash != NULL && slash != text &&
	    (rc = file_mkdirs(text, 0755, e)) != ERR_OK)
		return rc;
	p->parent = realpath(slash == NULL   ? "."
			     : slash == text ? "/"
					     : text,
	    NULL);
	if (p->parent == NULL)
		return err_os(e, errno, "folder of the target");
	n = strlen(p->parent) + strlen(name) + 2;
	if ((p->target = malloc(n)) == NULL)
		return err_nomem(e);
	(void)snprintf(p->target, n, "%s/%s",
	    strcmp(p->parent, "/") == 0 ? "" : p->parent, name);
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
	p->exists = true;
	return ERR_OK;
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

/* Is `name` the folder of a run that is no more? */
static bool
is_stale(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);
	char *end;
	long pid;

	if (strncmp(name, prefix, n) != 0)
		return false;
	pid = strtol(name + n, &end, 10);
	return end != name + n && *end == '\0' && pid > 0 &&
	       kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

static void
remove_stale(const struct place *p, const char *prefix)
{
	DIR *dir = opendir(p->parent);
	struct dirent *d;
	struct err e = ERR_INIT;

	if (dir == NULL)
		return;
	while ((d = readdir(dir)) != NULL)
		if (is_stale(d->d_name, prefix) &&
		    beneath_remove(dirfd(dir), d->d_name, &e) != ERR_OK)
			break; /* harmless; the next run tries again */
	(void)closedir(dir);
}

enum err_code
place_begin(struct place *p, struct err *e)
{
	char prefix[300];
	size_t n;

	if (strlen(name_of(p)) > 200)
		return err_set(
		    e, ERR_LIMIT, "the target's name is longer than 200 bytes");
	(void)snprintf(prefix, sizeof(prefix), ".%s" TEMP_MARK, name_of(p));
	remove_stale(p, prefix);
	n = strlen(p->parent) + strlen(prefix) + 32;
	if ((p->temp = malloc(n)) == NULL)
		return err_nomem(e);
	(void)snprintf(p->temp, n, "%s/%s%ld",
	    strcmp(p->parent, "/") == 0 ? "" : p->parent, prefix,
	    (long)getpid());
	if (mkdir(p->temp, 0755) != 0)
		return err_os(e, errno, "make folder %s", p->temp);
	p->temp_fd = open(p->temp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return p->temp_fd < 0 ? err_os(e, errno, "open %s", p->temp) : ERR_OK;
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
