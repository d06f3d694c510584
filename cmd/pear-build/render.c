#include "build_cmd.h"

#include <string.h>

static json_t *
from_to(const char *message, const struct build_event *ev)
{
	return json_pack("{s:s, s:o, s:o}", "message", message, "from",
	    cli_json_text(view_str(ev->from)), "to",
	    cli_json_text(view_str(ev->to)));
}

void
build_render_event(struct cli *c, const struct build_event *ev)
{
	char from[4096], to[4096];

	switch (ev->kind) {
	case BUILD_WARNING:
		cli_event(c, "warning",
		    json_pack("{s:o}", "message",
			cli_json_text(view_str(ev->message))));
		cli_warn(c, "%s", ev->message);
		return;
	case BUILD_MIRRORING:
		cli_event(c, "mirroring", from_to("mirroring to", ev));
		cli_status(c, "%s",
		    err_quote(from, sizeof(from), ev->from, strlen(ev->from)));
		return;
	case BUILD_MIRRORED:
		cli_event(c, "mirrored", from_to("mirrored to", ev));
		cli_line(c, "%s mirrored to %s",
		    err_quote(from, sizeof(from), ev->from, strlen(ev->from)),
		    err_quote(to, sizeof(to), ev->to, strlen(ev->to)));
		return;
	}
}

void
build_render_done(struct cli *c, const struct build_report *r)
{
	json_t *fields = json_pack("{s:o, s:b}", "target",
	    cli_json_text(view_str(r->target)), "unchanged", r->unchanged);
	char target[4096], statement[4096];

	if (r->statement != NULL)
		(void)json_object_set_new(fields, "provenance",
		    cli_json_text(view_str(r->statement)));
	cli_final(c, fields);
	if (r->statement != NULL)
		cli_line(c, "Provenance: %s",
		    err_quote(statement, sizeof(statement), r->statement,
			strlen(r->statement)));
	cli_success(c, "%s%s",
	    err_quote(target, sizeof(target), r->target, strlen(r->target)),
	    r->unchanged ? " is up to date" : "");
}
