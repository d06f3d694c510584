/* What stands out among the changed files. */
#include <stdio.h>
#include <string.h>

#include "review/drives_impl.h"

/* Files that a finding is about: how many, and the first names. */
struct names {
	size_t n;
	char text[DRIVES_NAMES * 200];
};

static void
names_add(struct names *x, const char *path)
{
	size_t used = strlen(x->text);

	if (x->n++ < DRIVES_NAMES)
		(void)snprintf(x->text + used, sizeof(x->text) - used,
		    "%s%.190s", used > 0 ? ", " : "", path);
}

static enum err_code
names_find(struct review *r, const struct names *x, enum review_mark mark,
    const char *one, const char *many, struct err *e)
{
	if (x->n == 0)
		return ERR_OK;
	return review_find(r, mark, e, "%zu %s: %s%s", x->n,
	    x->n == 1 ? one : many, x->text,
	    x->n > DRIVES_NAMES ? ", \xe2\x80\xa6" : "");
}

/* Does a link at `path` lead out of the drive? Absolute targets do. */
static bool
leads_out(const char *path, const char *target)
{
	long depth = -1; /* folders below the root that hold the link */

	for (const char *p = path; *p != '\0'; p++)
		depth += *p == '/';
	if (target[0] == '/')
		return true;
	for (const char *p = target; *p != '\0';) {
		size_t n = strcspn(p, "/");

		if (n == 2 && strncmp(p, "..", 2) == 0)
			depth--;
		else if (n > 0 && !(n == 1 && *p == '.'))
			depth++;
		if (depth < 0)
			return true;
		p += n + (p[n] == '/');
	}
	return false;
}

enum err_code
drives_remarks(struct review *r, size_t first, struct err *e)
{
	struct names outside = {0, ""}, programs = {0, ""}, out = {0, ""};
	struct names unsafe = {0, ""};
	enum err_code rc;

	for (size_t i = first; i < r->nfiles; i++) {
		const struct review_file *f = &r->file[i];

		if (f->op == REVIEW_REMOVE)
			continue;
		if (f->outside)
			names_add(&outside, f->path);
		if (f->program)
			names_add(&programs, f->path);
		if (f->new_link != NULL && leads_out(f->path, f->new_link))
			names_add(&out, f->path);
		if (entry_path_safe(view_str(f->path), NULL) != ERR_OK)
			names_add(&unsafe, f->path);
	}
	if ((rc = names_find(r, &unsafe, REVIEW_BAD,
		 "name cannot be written safely",
		 "names cannot be written safely", e)) != ERR_OK ||
	    (rc = names_find(r, &out, REVIEW_WARN,
		 "link leads out of the drive", "links lead out of the drive",
		 e)) != ERR_OK ||
	    (rc = names_find(r, &outside, REVIEW_WARN,
		 "file outside /package.json and /by-arch",
		 "files outside /package.json and /by-arch", e)) != ERR_OK)
		return rc;
	return names_find(r, &programs, REVIEW_NOTE,
	    "program is new or changes", "programs are new or change", e);
}
