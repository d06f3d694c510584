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

/* The next file or link, NULL at the end; folders do not count. */
static FTSENT *
next_entry(FTS *fts)
{
	FTSENT *ent;

	while ((ent = fts_read(fts)) != NULL)
		if (ent->fts_info != FTS_D && ent->fts_info != FTS_DP)
			return ent;
	return NULL;
}

static bool
same_link(const char *a, const char *b)
{
	char x[4096], y[4096];
	ssize_t n = readlink(a, x, sizeof(x)), m = readlink(b, y, sizeof(y));

	return n >= 0 && n == m && memcmp(x, y, (size_t)n) == 0;
}

static enum err_code
same_bytes(const char *a, const char *b, bool *same, struct err *e)
{
	static const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW;
	char x[65536], y[65536];
	int f = open(a, flags), g = open(b, flags);
	enum err_code rc = ERR_OK;
	ssize_t n = 1, m;
	off_t at = 0;

	while (rc == ERR_OK && *same && n > 0) {
		n = pread(f, x, sizeof(x), at);
		m = pread(g, y, sizeof(y), at);
		if (n < 0 || m < 0)
			rc = err_os(e, errno, "compare %s with %s", a, b);
		else
			*same = n == m && memcmp(x, y, (size_t)n) == 0;
		at += n;
	}
	if (f >= 0)
		close(f);
	if (g >= 0)
		close(g);
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

enum err_code
tree_same(const char *a, const char *b, bool *same, struct err *e)
{
	char *pa[2] = {(char *)(uintptr_t)a, NULL};
	char *pb[2] = {(char *)(uintptr_t)b, NULL};
	int how = FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW;
	FTS *f = fts_open(pa, how, by_name), *g = fts_open(pb, how, by_name);
	enum err_code rc = ERR_OK;

	*same = true;
	if (f == NULL || g == NULL)
		rc = err_os(e, errno, "compare %s with %s", a, b);
	while (rc == ERR_OK && *same) {
		FTSENT *x = next_entry(f), *y = next_entry(g);

		if (x == NULL || y == NULL) {
			*same = x == NULL && y == NULL;
			break;
		}
		if (strcmp(x->fts_path + strlen(a), y->fts_path + strlen(b)) !=
		    0)
			*same = false;
		else
			rc = same_entry(x, y, same, e);
	}
	if (f != NULL)
		(void)fts_close(f);
	if (g != NULL)
		(void)fts_close(g);
	return rc;
}
