#include "cmd/pear-changelog/changelog.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "pear/semver.h"

/* Bytes up to and with the newline. */
static size_t
line_len(struct view v)
{
	const uint8_t *nl = v.len ? memchr(v.ptr, '\n', v.len) : NULL;

	return nl != NULL ? (size_t)(nl - v.ptr) + 1 : v.len;
}

static struct view
version_of(struct view heading)
{
	struct view v = view_trim(view_sub(heading, 3, heading.len));
	size_t n = 0;

	while (n < v.len && !view_space(v.ptr[n]))
		n++;
	v = view_sub(v, 0, n);
	return v.len > 0 && v.ptr[0] == 'v' ? view_sub(v, 1, v.len) : v;
}

static enum err_code
add_entry(struct changelog *l, struct view from, struct err *e)
{
	struct changelog_entry *en;

	if (l->n >= CHANGELOG_ENTRIES_MAX)
		return err_set(e, ERR_LIMIT,
		    "the changelog has more than %u entries",
		    CHANGELOG_ENTRIES_MAX);
	if (!ARR_RESERVE(l->entry, l->n + 1, l->cap))
		return err_nomem(e);
	en = &l->entry[l->n++];
	en->text = from; /* grows line by line */
	en->version = version_of(from);
	return ERR_OK;
}

enum err_code
changelog_split(struct changelog *l, struct err *e)
{
	struct view left = buf_view(&l->text);
	enum err_code rc;
	size_t i;

	while (left.len > 0) {
		size_t n = line_len(left);
		struct view line = view_sub(left, 0, n);

		if (view_starts(line, view_str("## "))) {
			if ((rc = add_entry(l, line, e)) != ERR_OK)
				return rc;
		} else if (l->n > 0) {
			l->entry[l->n - 1].text.len += n;
		}
		left = view_sub(left, n, left.len);
	}
	for (i = 0; i < l->n; i++)
		l->entry[i].text = view_trim(l->entry[i].text);
	return ERR_OK;
}

/* The range of the newest major: "7.x.x". "" if no entry has a version. */
static void
newest_major(const struct changelog *l, char *out, size_t cap)
{
	struct semver v;
	struct err ignore = ERR_INIT;
	size_t i;

	out[0] = '\0';
	for (i = 0; i < l->n; i++) {
		if (semver_parse(&v, l->entry[i].version, &ignore) != ERR_OK)
			continue;
		(void)snprintf(out, cap, "%" PRIu64 ".x.x", v.major);
		return;
	}
}

static enum err_code
in_range(const struct changelog_entry *en, const char *range, bool *in,
    struct err *e)
{
	struct semver v = {0, 0, 0, VIEW_EMPTY, VIEW_EMPTY};
	struct err ignore = ERR_INIT;
	bool is_version = semver_parse(&v, en->version, &ignore) == ERR_OK;
	enum err_code rc = semver_match(&v, view_str(range), in, e);

	if (rc == ERR_FORMAT) /* the user's text, not foreign bytes */
		return err_set(e, ERR_INVALID, "--of: not a version range");
	*in = *in && is_version;
	return rc;
}

enum err_code
changelog_select(
    struct changelog *l, const char *range, uint64_t max, struct err *e)
{
	char major[32];
	size_t n = 0;
	size_t i;

	if (range != NULL && strcmp(range, "^*") == 0) {
		newest_major(l, major, sizeof(major));
		range = major[0] != '\0' ? major : "*";
	}
	for (i = 0; i < l->n && (max == 0 || n < max); i++) {
		bool in = true;
		enum err_code rc;

		if (range != NULL &&
		    (rc = in_range(&l->entry[i], range, &in, e)) != ERR_OK)
			return rc;
		if (in)
			l->entry[n++] = l->entry[i];
	}
	l->n = n;
	return ERR_OK;
}

void
changelog_deinit(struct changelog *l)
{
	free(l->entry);
	buf_deinit(&l->text);
	memset(l, 0, sizeof(*l));
}
