#include "review/render.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "crypto/hash.h"

enum format { FORMAT_HTML, FORMAT_MARKDOWN };

static bool
ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n > m && strcmp(text + n - m, end) == 0;
}

static enum err_code
format_of(const char *path, enum format *out, struct err *e)
{
	char name[300];

	if (ends_with(path, ".html"))
		*out = FORMAT_HTML;
	else if (ends_with(path, ".md"))
		*out = FORMAT_MARKDOWN;
	else
		return err_set(e, ERR_USAGE,
		    "report %s: the name must end in .html or .md",
		    err_quote(name, sizeof(name), path, strlen(path)));
	return ERR_OK;
}

enum err_code
render_check_name(const char *path, struct err *e)
{
	enum format f;

	return format_of(path, &f, e);
}

enum err_code
render_file(
    const struct review *r, const char *path, struct b32 *sum, struct err *e)
{
	enum format f = FORMAT_HTML;
	enum err_code rc;
	struct buf b;

	if ((rc = format_of(path, &f, e)) != ERR_OK)
		return rc;
	buf_init(&b, RENDER_MAX);
	rc = f == FORMAT_HTML ? render_html(&b, r, e)
			      : render_markdown(&b, r, e);
	if (rc == ERR_OK)
		rc = file_write_atomic(AT_FDCWD, path, buf_view(&b), 0644, e);
	if (rc != ERR_OK)
		rc = err_wrap(e, "write the report");
	else
		hash_data(sum, buf_view(&b));
	buf_deinit(&b);
	return rc;
}
