#include "review/review.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arr.h"

#define TEXT_MAX 8192 /* bytes of a title or finding */

void
review_init(struct review *r)
{
	memset(r, 0, sizeof(*r));
}

void
review_deinit(struct review *r)
{
	for (size_t i = 0; i < r->nfacts; i++) {
		free(r->fact[i].name);
		free(r->fact[i].value);
	}
	for (size_t i = 0; i < r->nfindings; i++)
		free(r->finding[i].text);
	for (size_t i = 0; i < r->nfiles; i++) {
		free(r->file[i].path);
		free(r->file[i].old_link);
		free(r->file[i].new_link);
		free(r->file[i].lines);
	}
	for (size_t i = 0; i < r->narch; i++)
		free(r->arch[i].name);
	free(r->title);
	free(r->fact);
	free(r->finding);
	free(r->file);
	free(r->arch);
	memset(r, 0, sizeof(*r));
}

static enum err_code
format(char **out, struct err *e, const char *fmt, va_list ap)
{
	char text[TEXT_MAX];
	char *copy;

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	if ((copy = strdup(text)) == NULL)
		return err_nomem(e);
	free(*out);
	*out = copy;
	return ERR_OK;
}

enum err_code
review_title(struct review *r, struct err *e, const char *fmt, ...)
{
	enum err_code rc;
	va_list ap;

	va_start(ap, fmt);
	rc = format(&r->title, e, fmt, ap);
	va_end(ap);
	return rc;
}

enum err_code
review_fact(
    struct review *r, const char *name, struct view value, struct err *e)
{
	struct review_fact f;

	if (!ARR_RESERVE(r->fact, r->nfacts + 1, r->facts_cap))
		return err_nomem(e);
	f.name = strdup(name);
	f.value = value.len == 0 ? strdup("")
				 : strndup((const char *)value.ptr, value.len);
	if (f.name == NULL || f.value == NULL) {
		free(f.name);
		free(f.value);
		return err_nomem(e);
	}
	r->fact[r->nfacts++] = f;
	return ERR_OK;
}

enum err_code
review_find(struct review *r, enum review_mark mark, struct err *e,
    const char *fmt, ...)
{
	struct review_finding f = {mark, NULL};
	enum err_code rc;
	va_list ap;

	if (!ARR_RESERVE(r->finding, r->nfindings + 1, r->findings_cap))
		return err_nomem(e);
	va_start(ap, fmt);
	rc = format(&f.text, e, fmt, ap);
	va_end(ap);
	if (rc == ERR_OK)
		r->finding[r->nfindings++] = f;
	return rc;
}

enum review_mark
review_worst(const struct review *r)
{
	enum review_mark worst = REVIEW_GOOD;

	for (size_t i = 0; i < r->nfindings; i++)
		if (r->finding[i].mark > worst)
			worst = r->finding[i].mark;
	return worst;
}
