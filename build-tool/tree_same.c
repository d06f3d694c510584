/* Comparing two builds: both are walked in the same order. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build-tool/tree.h"

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* The next file or link, *out = NULL at the end; folders do not count. */
static enum err_code
next_entry(FTS *fts, FTSENT **out, const char *top, struct err *e)
{
	for (;;) {
		errno = 0;
		if ((*out = fts_read(fts)) == NULL)
			return errno == 0 ? ERR_OK
					  : err_os(e, errno, "read %s", top);
		switch ((*out)->fts_info) {
		case FTS_D:
		case FTS_DP:
			break;
		case FTS_DNR:
		case FTS_ERR:
		case FTS_NS:
			return err_os(
			    e, (*out)->fts_errno, "read %s", (*out)->fts_path);
		default:
			return ERR_OK;
		}
	}
}

static bool
same_link(const char *a, const char *b)
{
	char x[4096], y[4096];
	ssize_t n = readlink(a, x, sizeof(x)), m = readlink(b, y, sizeof(y));

	return n >= 0 && n == m && memcmp(x, y, (size_t)n) == 0;
}

static enum err_code
same_content(int f, int g, const char *name, bool *same, struct err *e)
{
	char x[65536], y[65536];
	ssize_t n = 1, m;
	off_t at = 0;

	while (*same && n > 0) {
		n = pread(f, x, sizeof(x), at);
		m = n < 0 ? -1 : pread(g, y, sizeof(y), at);
		if (m < 0)
			return err_os(e, errno, "read %s", name);
		*same = n == m && memcmp(x, y, (size_t)n) == 0;
		at += n;
	}
	return ERR_OK;
}

static enum err_code
same_bytes(const char *a, const char *b, bool *same, struct err *e)
{
	static const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW;
	int f = open(a, flags), g = -1;
	enum err_code rc;

	if (f < 0)
		return err_os(e, errno, "open %s", a);
	if ((g = open(b, flags)) < 0) {
		rc = err_os(e, errno, "open %s", b);
	} else {
		rc = same_content(f, g, b, same, e);
		close(g);
	}
	close(f);
	return rc;
}

static enum err_code
same_entry(const FTSENT *x, const FTSENT *y, bool *same, struct err *e)
{
	const struct stat *s = x->fts_statp, *t = y->fts_statp;

	if (((s->st_mode ^ t->st_mode) & S_IFMT) != 0) {
		*same = false;
		return ERR_OK;
	}
	if (S_ISLNK(s->st_mode)) {
		*same = same_link(x->fts_path, y->fts_path);
		return ERR_OK;
	}
	*same = S_ISREG(s->st_mode) && s->st_size == t->st_size &&
		((s->st_mode ^ t->st_mode) & S_IXUSR) == 0;
	return *same ? same_bytes(x->fts_path, y->fts_path, same, e) : ERR_OK;
}

/* Both are read in any case: glibc leaks in fts_close() before the first
 * fts_read(). */
static enum err_code
next_pair(
    FTS *f, FTS *g, FTSENT *pair[2], const char *const top[2], struct err *e)
{
	enum err_code rc = next_entry(f, &pair[0], top[0], e);
	enum err_code second =
	    next_entry(g, &pair[1], top[1], rc == ERR_OK ? e : NULL);

	return rc == ERR_OK ? second : rc;
}

/* Walk both, side by side, up to the first difference. */
static enum err_code
same_walk(FTS *f, FTS *g, const char *const top[2], bool *same, struct err *e)
{
	FTSENT *at[2];
	enum err_code rc;

	for (;;) {
		if ((rc = next_pair(f, g, at, top, e)) != ERR_OK)
			return rc;
		if (at[0] == NULL || at[1] == NULL) {
			*same = at[0] == NULL && at[1] == NULL;
			return ERR_OK;
		}
		*same = strcmp(at[0]->fts_path + strlen(top[0]),
			    at[1]->fts_path + strlen(top[1])) == 0;
		if (*same)
			rc = same_entry(at[0], at[1], same, e);
		if (rc != ERR_OK || !*same)
			return rc;
	}
}

enum err_code
tree_same(const char *a, const char *b, bool *same, struct err *e)
{
	const char *top[2] = {a, b};
	char *pa[2] = {(char *)(uintptr_t)a, NULL};
	char *pb[2] = {(char *)(uintptr_t)b, NULL};
	int how = FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW;
	FTS *f = fts_open(pa, how, by_name), *g = NULL;
	enum err_code rc;
	bool all = true;

	if (f == NULL || (g = fts_open(pb, how, by_name)) == NULL)
		rc = err_os(e, errno, "compare %s with %s", a, b);
	else
		rc = same_walk(f, g, top, &all, e);
	if (f != NULL)
		(void)fts_close(f);
	if (g != NULL)
		(void)fts_close(g);
	if (rc == ERR_OK)
		*same = all;
	return rc;
}
