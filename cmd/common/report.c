#include "cmd/common/report.h"

#include <string.h>

#include "codec/hex.h"
#include "review/render.h"

#define NAME_MAX_SHOWN 4096

enum err_code
common_report_check(bool dry_run, bool diff, const char *report, struct err *e)
{
	if (diff && !dry_run)
		return err_set(e, ERR_USAGE, "--diff needs --dry-run");
	if (report == NULL)
		return ERR_OK;
	if (!dry_run)
		return err_set(e, ERR_USAGE, "--report needs --dry-run");
	return render_check_name(report, e);
}

void
common_report_lines(struct cli *c, const struct review_file *f)
{
	enum render_color color =
	    cli_style(c, CLI_BOLD)[0] != '\0' ? RENDER_ANSI : RENDER_PLAIN;
	struct buf b;

	if (c->common.json)
		return;
	buf_init(&b, RENDER_MAX);
	render_text_lines(&b, f, color);
	/* the line's own newline comes from cli_line */
	if (b.failed == ERR_OK && b.len > 0 && b.data[b.len - 1] == '\n')
		b.len--;
	if (b.len > 0 && buf_cstr(&b) != NULL)
		cli_line(c, "%s", buf_cstr(&b));
	buf_deinit(&b);
}

void
common_report_fields(json_t *event, const struct review_file *f)
{
	if (f->lines != NULL) {
		(void)json_object_set_new(
		    event, "lines", cli_json_text(view_str(f->lines)));
		(void)json_object_set_new(event, "linesAdded",
		    json_integer((json_int_t)f->lines_added));
		(void)json_object_set_new(event, "linesRemoved",
		    json_integer((json_int_t)f->lines_removed));
	} else if (f->no_lines != NULL) {
		(void)json_object_set_new(
		    event, "noLines", json_string(f->no_lines));
	}
}

void
common_report_done(struct cli *c, const char *path, const struct b32 *sum)
{
	char name[NAME_MAX_SHOWN], hash[65];

	hex_b32(hash, sum);
	cli_event(c, "report",
	    json_pack("{s:o, s:s}", "file", cli_json_text(view_str(path)),
		"hash", hash));
	cli_line(c, "Report: %s %s",
	    err_quote(name, sizeof(name), path, strlen(path)), hash);
}
