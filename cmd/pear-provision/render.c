#include <string.h>

#include "cmd/common/report.h"
#include "codec/hex.h"
#include "codec/z32.h"
#include "provision_cmd.h"

#define TEXT_SHOWN 4096

static json_t *
core_json(const struct b32 *key, uint64_t length, const struct b32 *hash)
{
	char id[Z32_KEY_LEN + 1], text[65];

	return json_pack("{s:s, s:I, s:s}", "id", z32_key(id, key), "length",
	    (json_int_t)length, "hash", hex_b32(text, hash));
}

static json_t *
cores_json(const struct provision_drive *d)
{
	json_t *blobs = d->has_blobs ? core_json(&d->blobs_key, d->blobs_length,
					   &d->blobs_hash)
				     : json_object();

	return json_pack("{s:o, s:o}", "core",
	    core_json(&d->key, d->length, &d->tree_hash), "blobs", blobs);
}

static json_t *
drive_json(const struct provision_drive *d)
{
	char link[PEAR_LINK_TEXT_MAX], verlink[PEAR_LINK_TEXT_MAX];
	char hashlink[PEAR_LINK_TEXT_MAX];
	json_t *o = cores_json(d);

	(void)json_object_set_new(
	    o, "link", json_string(pear_link_key(link, &d->key)));
	(void)json_object_set_new(o, "verlink",
	    json_string(
		pear_link_verlink(verlink, d->fork, d->length, &d->key)));
	(void)json_object_set_new(o, "hashlink",
	    json_string(pear_link_hashlink(
		hashlink, d->fork, d->length, &d->key, &d->tree_hash)));
	return o;
}

static void
line_core(struct cli *c, const char *what, const struct b32 *key,
    uint64_t length, const struct b32 *hash)
{
	char id[Z32_KEY_LEN + 1], text[65];

	cli_line(c, "%s", what);
	cli_line(c, "  Key: %s", z32_key(id, key));
	cli_line(c, "  Length: %llu", (unsigned long long)length);
	cli_line(c, "  Hash: %s", hex_b32(text, hash));
}

static void
line_cores(struct cli *c, const struct provision_drive *d)
{
	line_core(c, "Core", &d->key, d->length, &d->tree_hash);
	if (d->has_blobs)
		line_core(
		    c, "Blobs", &d->blobs_key, d->blobs_length, &d->blobs_hash);
}

static void
render_sync(struct cli *c, const struct provision_event *ev)
{
	if (ev->kind == PROVISION_EVENT_SYNCING) {
		cli_event(c, "syncing", json_pack("{s:s}", "type", ev->what));
		cli_line(c, "Syncing existing %s, please wait...", ev->what);
	} else if (ev->kind == PROVISION_EVENT_BLOCKS) {
		cli_event(c, "blocks",
		    json_pack("{s:s, s:I, s:I}", "type", ev->what,
			"targetLength", (json_int_t)ev->done,
			"productionLength", (json_int_t)ev->total));
		cli_status(c, "Synced %s blocks %llu / %llu", ev->what,
		    (unsigned long long)ev->done,
		    (unsigned long long)ev->total);
	} else {
		cli_event(c, "synced", json_pack("{s:s}", "type", ev->what));
		cli_status_clear(c);
		cli_line(c, "Completed %s sync", ev->what);
	}
}

static void
render_diffed(struct cli *c, const struct provision_opts *o,
    const struct provision_report *r)
{
	char version[TEXT_SHOWN], stored[CLI_SIZE_MAX], copied[CLI_SIZE_MAX];

	cli_event(c, "diffed",
	    json_pack("{s:I, s:s, s:o, s:o, s:o, s:I, s:I, s:I}", "changes",
		(json_int_t)r->changes, "semver", r->version, "source",
		cores_json(&r->source), "target", cores_json(&r->before),
		"next", cores_json(&r->after), "bytesStored",
		(json_int_t)r->bytes_stored, "copiedBlocks",
		(json_int_t)r->copied_blocks, "copiedBytes",
		(json_int_t)r->copied_bytes));
	cli_line(c, "Diffing complete");
	cli_line(c, "Total changes: %llu", (unsigned long long)r->changes);
	cli_line(c, "Package version: %s",
	    err_quote(
		version, sizeof(version), r->version, strlen(r->version)));
	if (r->copied_blocks > 0)
		cli_line(c, "Production blocks to copy: %llu (%s)",
		    (unsigned long long)r->copied_blocks,
		    cli_size(copied, (int64_t)r->copied_bytes));
	cli_line(
	    c, "New bytes: %s", cli_size(stored, (int64_t)r->bytes_stored));
	cli_line(c, "%s", o->dry_run ? "Target would be" : "Target will be");
	line_cores(c, &r->after);
}

static void
render_field(struct cli *c, const struct provision_event *ev)
{
	if (ev->kind == PROVISION_EVENT_UNSETTING) {
		cli_event(
		    c, "unsetting", json_pack("{s:s}", "field", ev->field));
		cli_line(c, "Dropping %s field from target", ev->field);
		return;
	}
	cli_event(c, "setting",
	    json_pack("{s:s, s:O}", "field", ev->field, "value", ev->value));
	cli_line(c, "Updating %s field on target", ev->field);
}

/* The second time, while it is written, people need no second list. */
static void
render_diff(struct cli *c, const struct provision_event *ev,
    const struct review_file *file)
{
	json_t *extra;
	enum cli_diff kind = ev->type > 0   ? CLI_DIFF_ADDED
			     : ev->type < 0 ? CLI_DIFF_REMOVED
					    : CLI_DIFF_CHANGED;

	if (ev->writing && !c->common.json)
		return;
	extra = json_pack("{s:I}", "stored", (json_int_t)ev->stored);
	if (file != NULL)
		common_report_fields(extra, file);
	cli_diff_more(
	    c, kind, view_str(ev->path), ev->removed, ev->added, extra);
	if (file != NULL)
		common_report_lines(c, file);
}

static void
render_progress(struct cli *c, const struct provision_event *ev)
{
	char done[CLI_SIZE_MAX], total[CLI_SIZE_MAX];

	cli_status(c, "%s / %s", cli_size(done, (int64_t)ev->done),
	    cli_size(total, (int64_t)ev->total));
}

void
provision_render_event(struct cli *c, const struct provision_opts *o,
    const struct provision_event *ev, const struct provision_review *v)
{
	switch (ev->kind) {
	case PROVISION_EVENT_SYNCING:
	case PROVISION_EVENT_BLOCKS:
	case PROVISION_EVENT_SYNCED:
		render_sync(c, ev);
		break;
	case PROVISION_EVENT_DIFFING:
		cli_event(c, "diffing", NULL);
		cli_line(c, "Checking diff");
		break;
	case PROVISION_EVENT_DIFF:
		render_diff(c, ev, provision_review_file(v, ev->path));
		break;
	case PROVISION_EVENT_DIFFED:
		render_diffed(c, o, ev->report);
		break;
	case PROVISION_EVENT_STAGING:
		cli_event(c, "staging", NULL);
		cli_line(c, "Staging to target...");
		break;
	case PROVISION_EVENT_STAGED:
		cli_status_clear(c);
		cli_event(c, "staged",
		    json_pack(
			"{s:I}", "changes", (json_int_t)ev->report->changes));
		if (ev->report->changes == 0)
			cli_line(c, "(Empty)");
		break;
	case PROVISION_EVENT_SETTING:
	case PROVISION_EVENT_UNSETTING:
		render_field(c, ev);
		break;
	case PROVISION_EVENT_PROGRESS:
		render_progress(c, ev);
		break;
	}
}

void
provision_render_cooldown(struct cli *c, unsigned seconds)
{
	cli_event(c, "cooldown",
	    json_pack("{s:I}", "time", (json_int_t)seconds * 1000));
	cli_line(c,
	    "NOT A DRY RUN! Waiting %us for certainty. Use ctrl+c to bail",
	    seconds);
}

void
provision_render_done(struct cli *c, const struct provision_opts *o,
    const struct provision_report *r, const struct provision_review *v)
{
	char link[PEAR_LINK_TEXT_MAX], verlink[PEAR_LINK_TEXT_MAX];
	char hashlink[PEAR_LINK_TEXT_MAX];
	const struct provision_drive *t = &r->after;

	cli_status_clear(c);
	if (v->report != NULL)
		common_report_done(c, v->report, &v->sum);
	if (o->dry_run) {
		cli_event(c, "dry", NULL);
		cli_line(c, "Dry Run Complete");
		return;
	}
	cli_final(c, json_pack("{s:o, s:o, s:o}", "source",
			 drive_json(&r->source), "target", drive_json(t),
			 "production", drive_json(&r->production)));
	pear_link_key(link, &t->key);
	pear_link_verlink(verlink, t->fork, t->length, &t->key);
	pear_link_hashlink(
	    hashlink, t->fork, t->length, &t->key, &t->tree_hash);
	cli_line(c, "\nProvisioned:\n");
	cli_line(c, "Verlink: %s", verlink);
	cli_line(c, "Hashlink: %s", hashlink);
	cli_line(c, "\nSeed with:\n\npear seed %s", link);
}
