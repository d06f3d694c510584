#include "vec.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codec/hex.h"

/* Everything handed out lives until the program ends; kept in one list so
 * that leak checkers see it as reachable. */
static struct kept {
	struct kept *next;
	void *ptr;
} * kept;

static void *
keep(void *ptr)
{
	struct kept *k = malloc(sizeof(*k));

	if (k == NULL || ptr == NULL)
		abort();
	*k = (struct kept){kept, ptr};
	kept = k;
	return ptr;
}

void
vec_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
	abort();
}

void
vec_fail_err(const char *file, int line, const char *what, const struct err *e)
{
	fprintf(stderr, "%s:%d: %s: %s (%s)\n", file, line, what, e->msg,
	    err_tag_of(e));
	abort();
}

void
vec_same(const char *file, int line, struct view a, struct view b)
{
	size_t at = 0;

	if (view_eq(a, b))
		return;
	while (at < a.len && at < b.len && a.ptr[at] == b.ptr[at])
		at++;
	fprintf(stderr,
	    "%s:%d: bytes differ at %zu: got %zu bytes, expected %zu\n", file,
	    line, at, a.len, b.len);
	abort();
}

json_t *
vec_load(const char *name)
{
	static const char *const roots[] = {"tests/vectors", "../vectors",
	    "../../vectors", "../../../tests/vectors"};
	const char *dir = getenv("VECTORS_DIR");
	char path[4096];
	json_error_t je;
	json_t *v;

	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s.json",
		    dir != NULL ? dir : roots[i], name);
		if (access(path, R_OK) == 0)
			break;
	}
	v = json_load_file(path, JSON_ALLOW_NUL, &je);
	if (v == NULL) {
		fprintf(stderr, "vectors %s: %s (line %d)\n", path, je.text,
		    je.line);
		abort();
	}
	return v;
}

json_t *
vec_at(const json_t *o, const char *key)
{
	json_t *v = json_object_get(o, key);

	if (v == NULL) {
		fprintf(stderr, "vectors: no field %s\n", key);
		abort();
	}
	return v;
}

const char *
vec_str(const json_t *o, const char *key)
{
	const char *s = json_string_value(vec_at(o, key));

	if (s == NULL) {
		fprintf(stderr, "vectors: %s is no text\n", key);
		abort();
	}
	return s;
}

uint64_t
vec_num(const json_t *o, const char *key)
{
	json_t *v = vec_at(o, key);

	if (!json_is_number(v)) {
		fprintf(stderr, "vectors: %s is no number\n", key);
		abort();
	}
	return json_is_integer(v) ? (uint64_t)json_integer_value(v)
				  : (uint64_t)json_real_value(v);
}

struct view
vec_hex(const char *hex)
{
	struct err e = ERR_INIT;
	struct buf b;
	uint8_t *p;
	size_t len;

	buf_init(&b, 1u << 28);
	if (hex_decode(view_str(hex), &b, &e) != ERR_OK)
		vec_fail_err(__FILE__, __LINE__, hex, &e);
	if (b.len == 0)
		(void)buf_cstr(&b);
	p = buf_steal(&b, &len);
	return view_of(keep(p), len);
}

struct view
vec_hex_at(const json_t *o, const char *key)
{
	return vec_hex(vec_str(o, key));
}

void
vec_b32_at(const json_t *o, const char *key, struct b32 *out)
{
	struct view v = vec_hex_at(o, key);

	if (v.len != 32) {
		fprintf(stderr, "vectors: %s is not 32 bytes\n", key);
		abort();
	}
	memcpy(out->b, v.ptr, 32);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *f)
{
	(void)st, (void)kind, (void)f;
	return remove(path);
}

static char *dirs[256];
static size_t ndirs;
static pid_t owner; /* a forked child must not clean up */

static void
remove_tmpdirs(void)
{
	if (getpid() != owner)
		return;
	for (size_t i = 0; i < ndirs; i++)
		(void)nftw(dirs[i], remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *
vec_tmpdir(void)
{
	const char *base = getenv("TMPDIR");
	char path[4096], *dir;

	(void)snprintf(
	    path, sizeof(path), "%s/vec-XXXXXX", base != NULL ? base : "/tmp");
	dir = mkdtemp(path);
	if (ndirs == 256 || dir == NULL || (dir = strdup(dir)) == NULL)
		abort();
	if (owner == 0) {
		owner = getpid();
		(void)atexit(remove_tmpdirs);
	}
	dirs[ndirs++] = dir;
	return dir;
}
