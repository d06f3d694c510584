#include "stage_cmd.h"

#include <string.h>

#include "cmd/common/report.h"
#include "codec/hex.h"
#include "codec/z32.h"
#include "pear/link.h"

#define NAME_MAX_SHOWN 4096

void
stage_render_opened(
    struct cli *c, const struct stage_opts *o, const struct stage_report *r)
{
	char link[PEAR_LINK_TEXT_MAX], verlink[PEAR_LINK_TEXT_MAX];
	char key[Z32_KEY_LEN + 1], name[NAME_MAX_SHOWN];

	pear_link_key(link, &r->key);
	pear_link_verlink(verlink, r->before.fork, r->before.length, &r->key);
	cli_event(c, "staging",
	    json_pack("{s:s, s:s, s:s, s:s, s:I, s:o}", "name", r->name, "key",
		z32_key(key, &r->key), "link", link, "verlink", verlink,
		"current", (json_int_t)r->before.length, "dir",
		cli_json_text(view_str(o->dir))));
	cli_line(c, "🍐 Staging %s",
	    err_quote(name, sizeof(name), r->name, strlen(r->name)));
	cli_line(c, "[  %s  ]", link);
	cli_line(c, "%s", verlink);
	cli_line(c, "Current: %llu", (unsigned long long)r->before.length);
	cli_line(c, "%s", "");
	if (!o->dry_run)
		return;
	cli_event(c, "dry", NULL);
	cli_line(c, "NOTE: This is a dry run, no changes will be persisted.");
	cli_line(c, "%s", "");
}

static void
render_diff(
    struct cli *c, const struct stage_event *ev, const struct review_file *file)
{
	enum cli_diff kind = ev->type > 0   ? CLI_DIFF_ADDED
			     : ev->type < 0 ? CLI_DIFF_REMOVED
					    : CLI_DIFF_CHANGED;
	char from[NAME_MAX_SHOWN];
	json_t *extra = json_pack("{s:I}", "stored", (json_int_t)ev->stored);

	if (ev->from != NULL) {
		(void)json_object_set_new(
		    extra, "from", cli_json_text(view_str(ev->from)));
		(void)json_object_set_new(extra, "kind",
		    json_string(ev->renamed ? "rename" : "copy"));
	}
	if (file != NULL)
		common_report_fields(extra, file);
	cli_diff_more(
	    c, kind, view_str(ev->path), ev->removed, ev->added, extra);
	if (ev->from != NULL)
		cli_line(c, "    %s from %s",
		    ev->renamed ? "renamed" : "copied",
		    err_quote(from, sizeof(from), ev->from, strlen(ev->from)));
	if (file != NULL)
		common_report_lines(c, file);
}

void
stage_render_event(
    struct cli *c, const struct stage_event *ev, const struct review_file *file)
{
	char done[CLI_SIZE_MAX], total[CLI_SIZE_MAX];

	switch (ev->kind) {
	case STAGE_EVENT_WARNING:
		cli_event(c, "warning",
		    json_pack("{s:o}", "message",
			cli_json_text(view_str(ev->message))));
		cli_warn(c, "%s", ev->message);
		break;
	case STAGE_EVENT_TRUNCATE:
		cli_event(c, "truncate",
		    json_pack("{s:I}", "length", (json_int_t)ev->length));
		cli_line(
		    c, "Truncating to %llu", (unsigned long long)ev->length);
		break;
	case STAGE_EVENT_DIFF:
		render_diff(c, ev, file);
		break;
	case STAGE_EVENT_PROGRESS:
		cli_status(c, "%s / %s", cli_size(done, (int64_t)ev->done),
		    cli_size(total, (int64_t)ev->total));
		break;
	}
}

static json_t *
state_json(const struct stage_cores *s)
{
	char hash[65];

	return json_pack("{s:I, s:I, s:I, s:s}", "fork", (json_int_t)s->fork,
	    "length", (json_int_t)s->length, "byteLength",
	    (json_int_t)s->byte_length, "treeHash",
	    hex_b32(hash, &s->tree_hash));
}

/* The original's fields are those of the drive as it is after the command:
 * after a dry run that is what it was before. `next` says what the staged
 * drive is, or would be. */
static void
render_summary(
    struct cli *c, const struct stage_opts *o, const struct stage_report *r)
{
	const struct stage_cores *db = o->dry_run ? &r->before : &r->after;
	const struct stage_cores *bl =
	    o->dry_run ? &r->blobs_before : &r->blobs_after;
	json_t *next = state_json(&r->after);
	json_t *blobs =
	    r->has_blobs || !o->dry_run ? state_json(bl) : json_null();

	(void)json_object_set_new(next, "blobs", state_json(&r->blobs_after));
	cli_event(c, "summary",
	    json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:I, s:I, "
		      "s:I, s:o}",
		"files", (json_int_t)r->files, "add", (json_int_t)r->add,
		"remove", (json_int_t)r->remove, "change",
		(json_int_t)r->change, "length", (json_int_t)db->length,
		"byteLength", (json_int_t)db->byte_length, "blobs", blobs,
		"purged", (json_int_t)r->purged, "bytesAdded",
		(json_int_t)r->bytes_added, "bytesRemoved",
		(json_int_t)r->bytes_removed, "bytesStored",
		(json_int_t)r->bytes_stored, "next", next));
}

static void
render_addendum(struct cli *c, const struct stage_report *r)
{
	char link[PEAR_LINK_TEXT_MAX], verlink[PEAR_LINK_TEXT_MAX];
	char hashlink[PEAR_LINK_TEXT_MAX], key[Z32_KEY_LEN + 1];

	pear_link_key(link, &r->key);
	pear_link_verlink(verlink, r->after.fork, r->after.length, &r->key);
	pear_link_hashlink(hashlink, r->after.fork, r->after.length, &r->key,
	    &r->after.tree_hash);
	cli_event(c, "addendum",
	    json_pack("{s:I, s:s, s:s, s:s, s:s}", "version",
		(json_int_t)r->after.length, "key", z32_key(key, &r->key),
		"link", link, "verlink", verlink, "hashlink", hashlink));
	cli_line(c, "^Latest: %llu", (unsigned long long)r->after.length);
	cli_line(c, "%s", "");
	cli_line(c, "%s", verlink);
	cli_line(c, "%s", link);
}

void
stage_render_done(struct cli *c, const struct stage_opts *o,
    const struct stage_report *r, const struct stage_review *v)
{
	char stored[CLI_SIZE_MAX], sum[65];

	cli_status_clear(c);
	render_summary(c, o, r);
	cli_line(c,
	    "%s%llu files: %llu added, %llu changed, %llu removed; "
	    "%s new bytes",
	    r->add + r->change + r->remove + r->purged > 0 ? "\n" : "",
	    (unsigned long long)r->files, (unsigned long long)r->add,
	    (unsigned long long)r->change,
	    (unsigned long long)(r->remove + r->purged),
	    cli_size(stored, (int64_t)r->bytes_stored));
	if (o->plan_out != NULL || o->plan != NULL) {
		hex_b32(sum, &r->plan_sum);
		cli_event(c, "plan",
		    json_pack("{s:o, s:s}", "file",
			cli_json_text(view_str(
			    o->plan_out != NULL ? o->plan_out : o->plan)),
			"hash", sum));
		cli_line(c, "Plan: %s", sum);
	}
	if (v->report != NULL)
		common_report_done(c, v->report, &v->sum);
	if (o->dry_run) {
		cli_event(c, "skipping",
		    json_pack("{s:s, s:b}", "reason", "dry-run", "success", 1));
		cli_line(c, "\nSkipping (dry-run)");
	}
	cli_event(c, "complete", json_pack("{s:b}", "dryRun", o->dry_run));
	cli_line(c, "\n%s",
	    o->dry_run ? "Staging dry run complete!" : "Staging complete!");
	if (!o->dry_run)
		render_addendum(c, r);
}
