/* Names of one folder that collide elsewhere, or should rarely leave the
 * house. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "drive/scan_impl.h"

/* What a file system that folds case and normalises would compare: 64 bits
 * are enough for a warning. */
static uint64_t
fold(const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	utf8proc_uint8_t *folded = NULL;
	const unsigned char *p = (const unsigned char *)name;

	for (; *p != '\0' && *p < 0x80; p++)
		;
	if (*p != '\0' &&
	    utf8proc_map((const utf8proc_uint8_t *)name, 0, &folded,
		UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_COMPOSE |
		    UTF8PROC_CASEFOLD) < 0)
		folded = NULL;
	for (p = folded != NULL ? folded : (const unsigned char *)name;
	     *p != '\0'; p++) {
		unsigned char c = *p;

		if (c >= 'A' && c <= 'Z')
			c = (unsigned char)(c + ('a' - 'A'));
		h = (h ^ c) * UINT64_C(0x100000001b3);
	}
	free(folded);
	return h;
}

struct folded {
	uint64_t hash;
	const char *name;
};

static int
by_hash(const void *a, const void *b)
{
	const struct folded *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void
warn_collisions(
    struct scan_run *r, const char *folder, char *const *name, size_t n)
{
	struct folded *f = calloc(n == 0 ? 1 : n, sizeof(*f));
	char a[512], b[512], where[1024];

	if (f == NULL)
		return; /* only a warning is lost */
	for (size_t i = 0; i < n; i++)
		f[i] = (struct folded){fold(name[i]), name[i]};
	qsort(f, n, sizeof(*f), by_hash);
	for (size_t i = 1; i < n; i++)
		if (f[i].hash == f[i - 1].hash)
			scan_warn(r,
			    "%s/: %s and %s are one name on systems that "
			    "fold case or normalise",
			    err_quote(
				where, sizeof(where), folder, strlen(folder)),
			    err_quote(a, sizeof(a), f[i - 1].name,
				strlen(f[i - 1].name)),
			    err_quote(
				b, sizeof(b), f[i].name, strlen(f[i].name)));
	free(f);
}

static bool
looks_private(const char *name, size_t n)
{
	static const char *const exact[] = {".git", ".env", ".npmrc", ".netrc",
	    "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", ".ssh", ".aws"};
	static const char *const end[] = {".pem", ".key", ".p12"};
	struct view v = view_of(name, n);

	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++)
		if (view_eq(v, view_str(exact[i])))
			return true;
	for (size_t i = 0; i < sizeof(end) / sizeof(end[0]); i++)
		if (n >= 4 && memcmp(name + n - 4, end[i], 4) == 0)
			return true;
	return n > 5 && memcmp(name, ".env.", 5) == 0;
}

/* Bytes of the path up to and with its first private name; 0 if none. */
static size_t
private_part(const char *path)
{
	for (const char *p = path; *p == '/';) {
		size_t n = strcspn(p + 1, "/");

		if (looks_private(p + 1, n))
			return (size_t)(p - path) + 1 + n;
		p += 1 + n;
	}
	return 0;
}

void
scan_check_collisions(
    struct scan_run *r, const char *folder, char *const *name, size_t n)
{
	if (r->opts->warn != NULL && n > 1)
		warn_collisions(r, folder, name, n);
}

void
scan_check_private(struct scan_run *r)
{
	const char *last = NULL; /* entries below one folder are neighbours */
	char quoted[1024];
	size_t lastn = 0;

	for (size_t i = 0; i < r->scan->n; i++) {
		const char *path = r->scan->entry[i].path;
		size_t n = private_part(path);

		if (n == 0 || (n == lastn && memcmp(path, last, n) == 0))
			continue;
		scan_warn(r, "%s looks private and would be published",
		    err_quote(quoted, sizeof(quoted), path, n));
		last = path;
		lastn = n;
	}
}
