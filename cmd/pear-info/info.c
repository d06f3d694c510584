#include "cmd/pear-info/info.h"

#include <string.h>

#include "cmd/common/common.h"

void
info_report_deinit(struct info_report *r)
{
	appcfg_deinit(&r->config);
	common_drive_close(&r->drive);
	common_net_close(&r->net);
	store_close(r->store);
	memset(r, 0, sizeof(*r));
}

/* How much of the blobs core belongs to the version that is shown. */
static enum err_code
blobs_at(struct info_report *r, struct core *blobs, struct err *e)
{
	const struct fetch *f = common_net_fetch(&r->net);
	struct tree t;
	struct want w = {.kind = WANT_BLOCK};
	enum err_code rc;

	r->blobs.has_head = true;
	r->blobs.fork = core_head(blobs)->fork;
	r->blobs.length = core_head(blobs)->length;
	r->blobs.byte_length = core_head(blobs)->byte_length;
	if (!r->drive.checkout)
		return ERR_OK;
	do
		rc = hyperdrive_blobs_length(
		    r->drive.bee, &r->blobs.length, &w, e);
	while (common_drive_again(f, &rc, &w, e));
	if (rc == ERR_OK && r->blobs.length <= core_head(blobs)->length &&
	    (rc = core_tree_at(blobs, r->blobs.length, &t, &w, e)) == ERR_OK)
		r->blobs.byte_length = t.byte_length;
	return rc;
}

static enum err_code
look_at_blobs(struct info_report *r, struct err *e)
{
	struct hyperdrive *d = r->drive.drive;
	struct core *blobs = d != NULL ? hyperdrive_blobs(d) : NULL;

	r->has_blobs = d != NULL && hyperdrive_blobs_key(d, &r->blobs.key);
	return blobs != NULL ? blobs_at(r, blobs, e) : ERR_OK;
}

/* What cannot be read is left out with a word why: keys and lengths are
 * known without it. */
static enum err_code
read_config(struct cli *c, struct info_report *r, bool must, struct err *e)
{
	struct buf text;
	enum err_code rc;

	buf_init(&text, COMMON_FILE_MAX);
	rc = common_drive_file(&r->drive, "/package.json", &text, e);
	if (rc == ERR_OK)
		rc = appcfg_parse(&r->config, buf_view(&text), e);
	buf_deinit(&text);
	r->has_config = rc == ERR_OK;
	if (rc == ERR_OK || must || rc == ERR_NOMEM || rc == ERR_CORRUPT)
		return rc;
	cli_debug(c, "%s", e != NULL ? e->msg : "");
	return ERR_OK;
}

static enum err_code
collect(struct cli *c, const struct info_opts *opts, struct info_report *r,
    const struct pear_link *link, struct err *e)
{
	enum err_code rc;

	rc = common_store(
	    &r->store, c, common_net_mode(c, &opts->peers, STORE_READ), e);
	if (rc != ERR_OK)
		return common_absent(rc, "drive", &link->key, e);
	if ((rc = common_net_open(&r->net, c, r->store, &opts->peers, e)) !=
		ERR_OK ||
	    (rc = common_net_drive(&r->net, link, COMMON_NEED, e)) != ERR_OK)
		return rc;
	rc = common_drive_open(
	    &r->drive, r->store, link, common_net_fetch(&r->net), e);
	if (rc != ERR_OK)
		return rc;
	tree_hash(&r->drive.tree, &r->tree_hash);
	r->empty = r->drive.version == 0;
	if (r->empty || (opts->key && !opts->metadata && !opts->manifest))
		return ERR_OK;
	return read_config(c, r, opts->manifest, e);
}

enum err_code
info_run(struct cli *c, const struct info_opts *opts, struct info_report *out,
    struct err *e)
{
	struct info_report r;
	struct pear_link link;
	char name[Z32_KEY_LEN + 1];
	enum err_code rc;

	memset(&r, 0, sizeof(r));
	r.own = opts->link == NULL;
	if (!r.own) {
		if ((rc = common_link(&link, opts->link, e)) != ERR_OK)
			return rc;
		cli_event(c, "retrieving",
		    json_pack("{s:s,s:b}", "z32", z32_key(name, &link.key),
			"onlyShowKey", opts->key));
		rc = collect(c, opts, &r, &link, e);
		if (rc == ERR_OK && !r.empty)
			rc = look_at_blobs(&r, e);
		if (rc != ERR_OK) {
			info_report_deinit(&r);
			return rc;
		}
	}
	*out = r;
	return ERR_OK;
}
