#include "cmd/pear-gc/gc.h"

#include "pear/link.h"

void
gc_render(struct cli *c, const struct gc_opts *opts, const struct gc_report *r)
{
	char link[PEAR_LINK_TEXT_MAX];
	char content[PEAR_LINK_TEXT_MAX];
	char size[CLI_SIZE_MAX];
	const char *done = opts->dry_run ? "Would clear" : "Cleared";

	pear_link_key(link, &r->key);
	if (opts->dry_run)
		cli_event(c, "dry", NULL);
	if (r->skipped) {
		cli_line(c,
		    "Skipped clearing core ~ %s. The core is writable or does "
		    "not exist in the corestore",
		    link);
		cli_event(c, "cores",
		    json_pack("{s:b,s:s}", "skipped", 1, "link", link));
		cli_success(c, "Success\n");
		return;
	}
	cli_line(c, "%s core ~ %s", done, link);
	if (r->has_content)
		cli_line(c, "%s content core ~ %s", done,
		    pear_link_key(content, &r->content));
	cli_line(c, "%s: %s", opts->dry_run ? "Would free" : "Freed",
	    cli_size(size, (int64_t)r->bytes));
	cli_event(c, "cores",
	    json_pack("{s:b,s:s,s:s?,s:I}", "skipped", 0, "link", link,
		"content",
		r->has_content ? pear_link_key(content, &r->content) : NULL,
		opts->dry_run ? "wouldFree" : "freed", (json_int_t)r->bytes));
	cli_success(c, "Success\n");
}
