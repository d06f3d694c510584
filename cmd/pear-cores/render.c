#include "cmd/pear-cores/cores.h"

#include <inttypes.h>
#include <string.h>

#include "pear/link.h"

static const char *
type_name(enum cores_type t)
{
	switch (t) {
	case CORES_CORE:
		return "core";
	case CORES_BLOBS:
		return "blobs";
	}
	return "";
}

static void
render_row(struct cli *c, const struct cores_row *row)
{
	const struct core_head *head = &row->info.head;
	char link[PEAR_LINK_TEXT_MAX];
	const char *title = row->name != NULL ? row->name : "-";
	char size[CLI_SIZE_MAX];
	char name[64];

	pear_link_key(link, &row->info.key);
	cli_line(c, "%-20s  %-5s  %s  %9" PRIu64 "  %-8s  %s",
	    err_quote(name, sizeof(name), title, strlen(title)),
	    type_name(row->type), link, head->length,
	    row->info.writable ? "yes" : "no",
	    cli_size(size, (int64_t)head->byte_length));
	cli_event(c, "core",
	    json_pack("{s:s,s:b,s:I,s:s,s:I,s:I,s:o}", "link", link, "writable",
		row->info.writable, "length", (json_int_t)head->length, "type",
		type_name(row->type), "byteLength",
		(json_int_t)head->byte_length, "contiguousLength",
		(json_int_t)head->contiguous, "name",
		row->name == NULL ? json_null()
				  : cli_json_text(view_str(row->name))));
}

void
cores_render(struct cli *c, const struct cores_report *r)
{
	char size[CLI_SIZE_MAX];
	size_t i;

	if (r->n == 0)
		cli_line(c, "[ No cores ]");
	else
		cli_line(c, "%s%-20s  %-5s  %-59s  %9s  %-8s  %s%s",
		    cli_style(c, CLI_BOLD), "Name", "Type", "Link", "Length",
		    "Writable", "Size", cli_style(c, CLI_PLAIN));
	for (i = 0; i < r->n; i++)
		render_row(c, &r->row[i]);
	if (r->n > 0) {
		cli_line(
		    c, "Total cores: %zu (writable: %zu)", r->n, r->writable);
		cli_line(
		    c, "Total size: %s", cli_size(size, (int64_t)r->bytes));
	}
	cli_final(c, json_pack("{s:I,s:I,s:I,s:b}", "count", (json_int_t)r->n,
			 "writable", (json_int_t)r->writable, "byteLength",
			 (json_int_t)r->bytes, "success", 1));
}
