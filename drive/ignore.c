#include "drive/ignore.h"

#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "drive/walk.h"

/* Sorted paths without leading slash. */
struct set {
	char **path;
	size_t n, cap;
};

struct glob {
	char *text;
	bool keep, used;
};

struct ignore {
	struct set drop, keep, only;
	struct glob *glob;
	size_t nglobs, globs_cap;
	char **odd; /* literals with glob-like characters */
	size_t nodd, odd_cap;
	char **unmatched;
	size_t nunmatched, unmatched_cap;
};

static void
set_deinit(struct set *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->path[i]);
	free(s->path);
}

static enum err_code
set_add(struct set *s, const char *path, size_t n, struct err *e)
{
	char *copy;

	if (!ARR_RESERVE(s->path, s->n + 1, s->cap) ||
	    (copy = strndup(path, n)) == NULL)
		return err_nomem(e);
	s->path[s->n++] = copy;
	return ERR_OK;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
set_sort(struct set *s)
{
	if (s->n > 0)
		qsort(s->path, s->n, sizeof(*s->path), by_text);
}

/* The first element that is not below path[0..n) in byte order. */
static size_t
set_lower(const struct set *s, const char *path, size_t n)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (view_cmp(view_str(s->path[mid]), view_of(path, n)) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool
set_has(const struct set *s, const char *path, size_t n)
{
	size_t at = set_lower(s, path, n);

	return at < s->n && view_eq(view_str(s->path[at]), view_of(path, n));
}

/* Is the path, or a folder above it, in the set? "" holds everything. */
static bool
set_covers(const struct set *s, const char *path)
{
	if (s->n == 0)
		return false;
	if (s->path[0][0] == '\0')
		return true;
	for (const char *p = path; (p = strchr(p, '/')) != NULL; p++)
		if (set_has(s, path, (size_t)(p - path)))
			return true;
	return set_has(s, path, strlen(path));
}

/* Is something below the path in the set? */
static bool
set_below(const struct set *s, const char *path)
{
	char prefix[4200];
	size_t n = strlen(path), at;

	if (n + 2 > sizeof(prefix))
		return false;
	memcpy(prefix, path, n);
	prefix[n] = '/';
	at = set_lower(s, prefix, n + 1);
	return at < s->n && strncmp(s->path[at], prefix, n + 1) == 0;
}

/* Blanks, "./" and slashes around a pattern do not count. */
static struct view
trimmed(const char *text)
{
	size_t n;

	text += strspn(text, " \t");
	n = strlen(text);
	while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'))
		n--;
	return view_of(text, n);
}

static struct view
bare(struct view v)
{
	while (v.len > 0 && (v.ptr[0] == '/' || (v.len > 1 && v.ptr[0] == '.' &&
						    v.ptr[1] == '/')))
		v = view_sub(v, 1, v.len);
	while (v.len > 0 && v.ptr[v.len - 1] == '/')
		v.len--;
	return v;
}

enum ask { ASK_DROP, ASK_KEEP };

static enum err_code
add_glob(struct ignore *ig, struct view v, enum ask ask, struct err *e)
{
	char *copy = strndup((const char *)v.ptr, v.len);

	if (copy == NULL ||
	    !ARR_RESERVE(ig->glob, ig->nglobs + 1, ig->globs_cap)) {
		free(copy);
		return err_nomem(e);
	}
	ig->glob[ig->nglobs++] = (struct glob){copy, ask == ASK_KEEP, false};
	return ERR_OK;
}

static enum err_code
add_text(char ***list, size_t *n, size_t *cap, const char *text, struct err *e)
{
	char *copy = strdup(text);

	if (copy == NULL || !ARR_RESERVE(*list, *n + 1, *cap)) {
		free(copy);
		return err_nomem(e);
	}
	(*list)[(*n)++] = copy;
	return ERR_OK;
}

static enum err_code
add_pattern(struct ignore *ig, const char *text, enum ask ask, struct err *e)
{
	struct view v = trimmed(text);
	struct set *to;
	enum err_code rc;

	if (v.len > 0 && v.ptr[0] == '!') {
		ask = ASK_KEEP;
		v = view_sub(v, 1, v.len);
	}
	v = bare(v);
	if (v.len == 0)
		return ERR_OK;
	if (memchr(v.ptr, '*', v.len) != NULL)
		return add_glob(ig, v, ask, e);
	to = ask == ASK_KEEP ? &ig->keep : &ig->drop;
	rc = set_add(to, (const char *)v.ptr, v.len, e);
	if (rc == ERR_OK && strcspn(to->path[to->n - 1], "?[]{}()") < v.len)
		rc = add_text(
		    &ig->odd, &ig->nodd, &ig->odd_cap, to->path[to->n - 1], e);
	return rc;
}

/* NFA over the pattern: state i = pattern[0..i) has matched. "*" and "**"
 * stay in their state on characters they accept. */
bool
ignore_glob(const char *glob, const char *path)
{
	size_t m = strlen(glob), width;
	bool now[4200], next[4200];

	if (m + 2 > sizeof(now))
		return false;
	memset(now, 0, m + 1);
	now[0] = true;
	for (;; path++) {
		/* stars may match nothing: close over them, left to right */
		for (size_t i = 0; i < m; i += width) {
			width = glob[i] == '*' && glob[i + 1] == '*' ? 2 : 1;
			if (now[i] && glob[i] == '*')
				now[i + width] = true;
		}
		if (now[m] && (*path == '\0' || *path == '/'))
			return true;
		if (*path == '\0')
			return false;
		memset(next, 0, m + 1);
		for (size_t i = 0; i < m; i += width) {
			width = glob[i] == '*' && glob[i + 1] == '*' ? 2 : 1;
			if (!now[i])
				continue;
			if (glob[i] != '*')
				next[i + 1] |= glob[i] == *path;
			else
				next[i] |= width == 2 || *path != '/';
		}
		memcpy(now, next, m + 1);
	}
}

static enum err_code
on_file(void *ctx, const char *path, struct err *e)
{
	struct ignore *ig = ctx;
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < ig->nglobs; i++) {
		struct glob *g = &ig->glob[i];

		if (!ignore_glob(g->text, path))
			continue;
		g->used = true;
		rc = set_add(
		    g->keep ? &ig->keep : &ig->drop, path, strlen(path), e);
	}
	return rc;
}

static enum err_code
hold_against_disk(struct ignore *ig, const char *dir, struct err *e)
{
	enum err_code rc = ERR_OK;

	if (ig->nglobs > 0)
		rc = walk_followed(dir, on_file, ig, e);
	for (size_t i = 0; rc == ERR_OK && i < ig->nglobs; i++)
		if (!ig->glob[i].used)
			rc = add_text(&ig->unmatched, &ig->nunmatched,
			    &ig->unmatched_cap, ig->glob[i].text, e);
	for (size_t i = 0; rc == ERR_OK && i < ig->nodd; i++)
		if (!walk_exists(dir, ig->odd[i]))
			rc = add_text(&ig->unmatched, &ig->nunmatched,
			    &ig->unmatched_cap, ig->odd[i], e);
	return rc;
}

static enum err_code
add_all(struct ignore *ig, const struct ignore_texts *t, enum ask ask,
    struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < t->n; i++)
		rc = add_pattern(ig, t->text[i], ask, e);
	return rc;
}

static enum err_code
add_only(struct ignore *ig, const struct ignore_texts *t, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < t->n; i++) {
		struct view v = bare(trimmed(t->text[i]));

		rc = set_add(&ig->only, (const char *)v.ptr, v.len, e);
	}
	return rc;
}

static enum err_code
fill(struct ignore *ig, const struct ignore_opts *o, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < 2; i++) {
		rc = add_all(ig, &o->ignore[i], ASK_DROP, e);
		if (rc == ERR_OK)
			rc = add_only(ig, &o->only[i], e);
	}
	if (rc == ERR_OK)
		rc = add_all(ig, &o->includes, ASK_KEEP, e);
	if (rc == ERR_OK)
		rc = hold_against_disk(ig, o->dir, e);
	set_sort(&ig->drop);
	set_sort(&ig->keep);
	set_sort(&ig->only);
	return rc;
}

enum err_code
ignore_new(struct ignore **out, const struct ignore_opts *opts, struct err *e)
{
	struct ignore *ig = calloc(1, sizeof(*ig));
	enum err_code rc;

	if (ig == NULL)
		return err_nomem(e);
	if ((rc = fill(ig, opts, e)) != ERR_OK) {
		ignore_free(ig);
		return rc;
	}
	*out = ig;
	return ERR_OK;
}

void
ignore_free(struct ignore *ig)
{
	if (ig == NULL)
		return;
	set_deinit(&ig->drop);
	set_deinit(&ig->keep);
	set_deinit(&ig->only);
	for (size_t i = 0; i < ig->nglobs; i++)
		free(ig->glob[i].text);
	for (size_t i = 0; i < ig->nodd; i++)
		free(ig->odd[i]);
	for (size_t i = 0; i < ig->nunmatched; i++)
		free(ig->unmatched[i]);
	free(ig->glob);
	free(ig->odd);
	free(ig->unmatched);
	free(ig);
}

/* Without the leading slash; a drive may hold names that have none. */
static const char *
inner(const char *path)
{
	return path + (path[0] == '/');
}

bool
ignore_drops(const struct ignore *ig, const char *path)
{
	if (ig == NULL)
		return false;
	path = inner(path);
	if (set_covers(&ig->keep, path) || set_below(&ig->keep, path))
		return false;
	return set_covers(&ig->drop, path);
}

bool
ignore_selected(const struct ignore *ig, const char *path)
{
	return ig == NULL || ig->only.n == 0 ||
	       set_covers(&ig->only, inner(path));
}

bool
ignore_takes(const struct ignore *ig, const char *path)
{
	if (ig == NULL || set_has(&ig->only, inner(path), strlen(inner(path))))
		return true;
	return ignore_selected(ig, path) && !ignore_drops(ig, path);
}

bool
ignore_enters(const struct ignore *ig, const char *path)
{
	if (ig == NULL || set_below(&ig->only, inner(path)))
		return true;
	return ignore_selected(ig, path) && !ignore_drops(ig, path);
}

bool
ignore_has_only(const struct ignore *ig)
{
	return ig != NULL && ig->only.n > 0;
}

const char *
ignore_unmatched(const struct ignore *ig, size_t i)
{
	return ig != NULL && i < ig->nunmatched ? ig->unmatched[i] : NULL;
}
