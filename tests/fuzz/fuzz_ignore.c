/* Globs against a naive twin, and rules: keeping always wins. The input is
 * "pattern\0path". */
#include <stdlib.h>
#include <string.h>

#include "drive/ignore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* The rule as it is written down, with backtracking. */
static bool
twin(const char *glob, const char *path)
{
	size_t width = glob[0] == '*' && glob[1] == '*' ? 2 : 1;

	if (glob[0] == '\0')
		return path[0] == '\0' || path[0] == '/';
	if (glob[0] != '*')
		return path[0] == glob[0] && twin(glob + 1, path + 1);
	for (;; path++) {
		if (twin(glob + width, path))
			return true;
		if (path[0] == '\0' || (width == 1 && path[0] == '/'))
			return false;
	}
}

static void
try_rules(const char *pattern, const char *path)
{
	const char *const ignore[] = {pattern};
	const char *const keep[] = {path};
	struct ignore_opts o = {.dir = "/nonexistent"};
	struct err e = ERR_INIT;
	struct ignore *ig;

	if (strchr(pattern, '*') != NULL)
		return; /* those are held against files */
	o.ignore[0] = (struct ignore_texts){ignore, 1};
	must(ignore_new(&ig, &o, &e) == ERR_OK);
	if (ignore_takes(ig, path))
		must(ignore_enters(ig, path));
	must(ignore_takes(ig, path) == !ignore_drops(ig, path));
	ignore_free(ig);
	o.includes = (struct ignore_texts){keep, 1};
	if (strpbrk(path, "*! \t") != NULL || strstr(path, "./") != NULL ||
	    strstr(path, "//") != NULL || path[strlen(path) - 1] == '/')
		return; /* spelled differently, it is another path */
	must(ignore_new(&ig, &o, &e) == ERR_OK);
	must(ignore_takes(ig, path));
	ignore_free(ig);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char pattern[65], path[66] = "/";
	size_t n = 0, m;

	while (n < size && data[n] != '\0')
		n++;
	if (n == size || n == 0 || n > 64)
		return 0;
	m = size - n - 1;
	if (m == 0 || m > 64 || memchr(data + n + 1, 0, m) != NULL)
		return 0;
	memcpy(pattern, data, n);
	pattern[n] = '\0';
	memcpy(path + 1, data + n + 1, m);
	path[m + 1] = '\0';
	/* the twin is exponential in the stars */
	size_t stars = 0;
	for (size_t i = 0; i < n; i++)
		stars += pattern[i] == '*';
	if (stars <= 6)
		must(ignore_glob(pattern, path + 1) == twin(pattern, path + 1));
	if (path[1] != '/')
		try_rules(pattern, path);
	return 0;
}
