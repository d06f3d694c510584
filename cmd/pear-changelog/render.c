#include "cmd/pear-changelog/changelog.h"

#include <string.h>

#define RULE "____________"
#define LINE_MAX_SHOWN 65536

static bool
is_plain(struct view line)
{
	size_t i;

	for (i = 0; i < line.len; i++)
		if ((line.ptr[i] < ' ' && line.ptr[i] != '\t') ||
		    line.ptr[i] >= 0x7f)
			return false;
	return true;
}

/* Line by line, so that only newlines act on the terminal. */
static void
print_text(struct cli *c, struct view text)
{
	char quoted[LINE_MAX_SHOWN];

	while (text.len > 0) {
		const uint8_t *nl = memchr(text.ptr, '\n', text.len);
		size_t n = nl != NULL ? (size_t)(nl - text.ptr) : text.len;
		struct view line = view_sub(text, 0, n);

		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		if (is_plain(line))
			cli_line(c, "%.*s",
			    (int)(line.len < LINE_MAX_SHOWN ? line.len
							    : LINE_MAX_SHOWN),
			    line.len > 0 ? (const char *)line.ptr : "");
		else
			cli_line(c, "%s",
			    err_quote(
				quoted, sizeof(quoted), line.ptr, line.len));
		text = view_sub(text, n + 1, text.len);
	}
}

void
changelog_render(
    struct cli *c, const struct changelog_opts *opts, const struct changelog *l)
{
	uint64_t max = opts->max.set ? opts->max.n : CHANGELOG_MAX_DEFAULT;
	size_t i;

	if (opts->full)
		max = l->n;
	if (l->n == 0) {
		cli_line(c, "[ No Changelog ]");
		cli_success(c, "Success\n");
		return;
	}
	for (i = 0; i < l->n; i++) {
		const struct changelog_entry *en = &l->entry[l->n - 1 - i];

		if (i > 0)
			cli_line(c, "\n%s\n", RULE);
		print_text(c, en->text);
		cli_event(c, "changelog",
		    json_pack("{s:o,s:o,s:I,s:I}", "version",
			cli_json_text(en->version), "changelog",
			cli_json_text(en->text), "index", (json_int_t)i, "max",
			(json_int_t)max));
	}
}
