#include "base/utf8.h"
#include "hyperdrive/entry.h"

#define QUOTE 256 /* bytes of a quoted path in an error */

static bool
separator(uint8_t c)
{
	return c == '/' || c == '\\';
}

/* Cut the part before the next separator off *rest; false behind the last
 * one. */
static bool
next_part(struct view *rest, struct view *part)
{
	size_t n = 0;

	if (rest->ptr == NULL)
		return false;
	while (n < rest->len && !separator(rest->ptr[n]))
		n++;
	*part = view_sub(*rest, 0, n);
	*rest = n < rest->len ? view_sub(*rest, n + 1, rest->len) : VIEW_EMPTY;
	return true;
}

static bool
part_is(struct view part, const char *s)
{
	return view_eq(part, view_str(s));
}

/* "C:" with one UTF-16 unit before the colon, as the reference counts. */
static bool
drive_letter(struct view part)
{
	uint32_t cp;

	return part.len > 1 &&
	       utf8_next(part.ptr, part.len, &cp) == part.len - 1 &&
	       cp < 0x10000;
}

/* A scheme or drive letter in front: how many parts the reference drops. */
static unsigned
parts_to_drop(struct view path)
{
	struct view first = VIEW_EMPTY;

	(void)next_part(&path, &first);
	if (path.ptr == NULL || first.len == 0 ||
	    first.ptr[first.len - 1] != ':')
		return 0;
	return drive_letter(first) || part_is(first, "file:") ? 1 : 3;
}

/* Take the last part off what stands behind `start`. */
static bool
drop_last(struct buf *out, size_t start)
{
	if (out->len == start)
		return false;
	do
		out->len--;
	while (out->data[out->len] != '/');
	return true;
}

enum err_code
entry_path(struct buf *out, struct view path, struct err *e)
{
	unsigned drop = parts_to_drop(path);
	size_t start = out->len;
	struct view part;
	char quoted[QUOTE];

	if (!utf8_valid(path))
		return err_set(e, ERR_INVALID,
		    "Invalid filename: %s is not valid UTF-8",
		    err_quote(quoted, sizeof(quoted), path.ptr, path.len));
	while (next_part(&path, &part)) {
		if (drop > 0) {
			drop--;
		} else if (part_is(part, "..")) {
			if (!drop_last(out, start))
				return err_set(e, ERR_INVALID,
				    "Path cannot be resolved, too many '..'");
		} else if (part.len > 0 && !part_is(part, ".")) {
			buf_byte(out, '/');
			buf_append(out, part);
		}
		if (out->failed != ERR_OK)
			return buf_check(out, e);
	}
	if (out->len == start)
		return err_set(e, ERR_INVALID, "Invalid filename: /");
	return ERR_OK;
}

/* Why a path must not become a file; NULL = it may. */
static const char *
unsafe(struct view path)
{
	struct view part;

	if (path.len > ENTRY_PATH_MAX)
		return "is longer than 4096 bytes";
	if (path.len == 0 || path.ptr[0] != '/')
		return "does not start with a slash";
	if (!utf8_valid(path))
		return "is not valid UTF-8";
	for (size_t i = 0; i < path.len; i++) {
		if (path.ptr[i] == '\0')
			return "holds a NUL byte";
		if (path.ptr[i] == '\\')
			return "holds a backslash";
	}
	path = view_sub(path, 1, path.len);
	for (bool first = true; next_part(&path, &part); first = false) {
		if (part.len == 0)
			return "has an empty part";
		if (part_is(part, ".") || part_is(part, ".."))
			return "has a part that leads elsewhere";
		if (first && part.len >= 2 && part.ptr[1] == ':')
			return "starts with a drive letter";
	}
	return NULL;
}

enum err_code
entry_path_safe(struct view path, struct err *e)
{
	const char *why = unsafe(path);
	char quoted[QUOTE];

	if (why == NULL)
		return ERR_OK;
	return err_set(e, ERR_INVALID, "path \"%s\" %s",
	    err_quote(quoted, sizeof(quoted), path.ptr, path.len), why);
}

void
entry_key(struct buf *out, struct view path)
{
	buf_append(out, view_of("files", sizeof("files")));
	buf_append(out, path);
}
