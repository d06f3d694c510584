/* Links: kept if they stay inside the directory, followed if they lead out
 * of it (data-formats 7.7). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "drive/scan_impl.h"

/* Is `path` the folder or below it? Compared with a separator: "/src-old"
 * is not inside "/src". */
static bool
inside(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	if (strcmp(folder, "/") == 0)
		return true;
	return strncmp(path, folder, n) == 0 &&
	       (path[n] == '\0' || path[n] == '/');
}

static void
warn_skipped(struct scan_run *r, const char *path, const char *why)
{
	char quoted[1024];

	scan_warn(r, "%s is skipped: %s",
	    err_quote(quoted, sizeof(quoted), path, strlen(path)), why);
}

/* Does the text, counted from the link's folder, stay below the root? */
static bool
text_inside(const char *path, const char *text)
{
	long depth = -1; /* the link's own name is no folder */

	if (text[0] == '/')
		return false;
	for (const char *p = path; *p != '\0'; p++)
		depth += *p == '/';
	while (*text != '\0') {
		size_t n = strcspn(text, "/");

		if (n == 2 && strncmp(text, "..", 2) == 0)
			depth--;
		else if (n > 0 && !(n == 1 && text[0] == '.'))
			depth++;
		if (depth < 0)
			return false;
		text += n;
		text += strspn(text, "/");
	}
	return true;
}

/* The text to store. What leads into the directory only by way of something
 * outside of it, or by its place on this disk, is counted from the drive's
 * root. */
static const char *
stored_text(const struct scan_run *r, const char *path, const char *text,
    const char *real)
{
	const char *stored = text;

	if (text_inside(path, text))
		return text;
	if (inside(text, r->root_abs))
		stored += strlen(r->root_abs);
	else if (inside(text, r->root_real))
		stored += strlen(r->root_real);
	else if (real != NULL)
		stored = real + strlen(r->root_real);
	return stored[0] == '\0' ? "/" : stored;
}

/* real: where it leads, inside the root; NULL if nowhere. */
static enum err_code
keep_link(struct scan_run *r, const char *path, char *text, const char *real,
    const struct stat *st, struct err *e)
{
	const char *stored;

	if (!ignore_takes(r->opts->ignore, path))
		return ERR_OK;
	for (char *p = text; *p != '\0'; p++)
		if (*p == '\\')
			*p = '/';
	stored = stored_text(r, path, text, real);
	if (!utf8_valid(view_str(stored))) {
		scan_refuse(r, path);
		return ERR_OK;
	}
	return scan_add_link(r, path, stored, st, e);
}

/* A folder that is reached through itself has no end, however many links
 * the circle takes. */
static bool
is_loop(const struct scan_folder *f, const char *real)
{
	if (f->real != NULL && inside(f->real, real))
		return true;
	for (const struct scan_hop *h = f->hop; h != NULL; h = h->up)
		if (h->from != NULL && inside(h->from, real))
			return true;
	return false;
}

static enum err_code
follow_folder(struct scan_run *r, const struct scan_folder *f, const char *path,
    const char *real, struct err *e)
{
	unsigned n = f->hop == NULL ? 0 : f->hop->n;
	struct scan_hop *hop;

	if (n >= SCAN_HOPS_MAX || is_loop(f, real)) {
		warn_skipped(r, path, "a link in a circle");
		return ERR_OK;
	}
	if (!ignore_enters(r->opts->ignore, path))
		return ERR_OK;
	if ((hop = calloc(1, sizeof(*hop))) == NULL)
		return err_nomem(e);
	*hop = (struct scan_hop){.next = r->hops, .up = f->hop, .n = n + 1};
	r->hops = hop;
	if (f->real != NULL && (hop->from = strdup(f->real)) == NULL)
		return err_nomem(e);
	return scan_add_folder(r, path, real, f->depth + 1, hop, e);
}

static enum err_code
follow(struct scan_run *r, const struct scan_folder *f, const char *path,
    const char *real, struct err *e)
{
	struct stat st;

	if (stat(real, &st) != 0)
		return err_os(e, errno, "stat %s", real);
	if (S_ISDIR(st.st_mode))
		return follow_folder(r, f, path, real, e);
	if (!ignore_takes(r->opts->ignore, path))
		return ERR_OK;
	if (S_ISREG(st.st_mode))
		return scan_add_file(r, path, real, &st, e);
	warn_skipped(r, path, "it leads to something that is no file");
	return ERR_OK;
}

enum err_code
scan_link(struct scan_run *r, const struct scan_folder *f, int fd,
    const char *name, const char *path, const struct stat *st, struct err *e)
{
	char text[SCAN_PATH_MAX + 1], full[3 * SCAN_PATH_MAX];
	enum err_code rc;
	ssize_t n;
	char *real;

	n = readlinkat(fd, name, text, sizeof(text) - 1);
	if (n < 0)
		return err_os(e, errno, "read link %s", path);
	text[n] = '\0';
	(void)snprintf(full, sizeof(full), "%s%s%s",
	    f->real != NULL ? f->real : r->root_real,
	    f->real != NULL ? "/" : path, f->real != NULL ? name : "");
	real = realpath(full, NULL);
	if (real == NULL && errno != ENOENT && errno != ELOOP &&
	    errno != ENOTDIR)
		return err_os(e, errno, "follow link %s", path);
	if (real == NULL && f->real == NULL &&
	    (text_inside(path, text) || inside(text, r->root_abs) ||
		inside(text, r->root_real)))
		return keep_link(r, path, text, NULL, st, e);
	if (real == NULL) {
		if (ignore_takes(r->opts->ignore, path))
			warn_skipped(r, path,
			    "a link out of the folder that leads nowhere");
		return ERR_OK;
	}
	rc = inside(real, r->root_real) && f->real == NULL
		 ? keep_link(r, path, text, real, st, e)
		 : follow(r, f, path, real, e);
	free(real);
	return rc;
}
