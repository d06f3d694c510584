#include "cmd/pear-changelog/changelog.h"

#include <string.h>

#include "cmd/common/common.h"
#include "cmd/common/drive.h"

static enum err_code
parse_link(struct pear_link *out, const char *text, struct err *e)
{
	char quoted[256];

	if (text == NULL)
		return err_set(e, ERR_INVALID, "A link must be specified");
	if (common_link(out, text, e) == ERR_OK)
		return ERR_OK;
	err_quote(quoted, sizeof(quoted), text, strlen(text));
	return err_set(
	    e, ERR_INVALID, "Link \"%s\" is not a valid key", quoted);
}

static enum err_code
read_drive(struct common_net *net, const struct pear_link *link,
    struct buf *text, struct err *e)
{
	struct common_drive d;
	enum err_code rc = common_net_drive(net, link, COMMON_NEED, e);

	if (rc != ERR_OK || (rc = common_drive_open(&d, net->store, link,
				 common_net_fetch(net), e)) != ERR_OK)
		return rc;
	rc = common_drive_file(&d, "/CHANGELOG.md", text, e);
	common_drive_close(&d);
	return rc == ERR_NOT_FOUND ? ERR_OK : rc;
}

static enum err_code
read_file(struct cli *c, const struct changelog_opts *opts,
    const struct pear_link *link, struct buf *text, struct err *e)
{
	struct common_net net = {.node = NULL};
	struct store *s = NULL;
	enum err_code rc;

	rc = common_store(
	    &s, c, common_net_mode(c, &opts->peers, STORE_READ), e);
	if (rc != ERR_OK)
		return common_absent(rc, "drive", &link->key, e);
	if ((rc = common_net_open(&net, c, s, &opts->peers, e)) == ERR_OK)
		rc = read_drive(&net, link, text, e);
	common_net_close(&net);
	store_close(s);
	return rc;
}

enum err_code
changelog_run(struct cli *c, const struct changelog_opts *opts,
    struct changelog *out, struct err *e)
{
	uint64_t max = opts->max.set ? opts->max.n : CHANGELOG_MAX_DEFAULT;
	const char *range = opts->of != NULL ? opts->of : "^*";
	struct changelog l = {.entry = NULL};
	struct pear_link link;
	enum err_code rc;

	buf_init(&l.text, COMMON_FILE_MAX);
	if (opts->max.set && opts->max.n == 0)
		return err_set(e, ERR_INVALID, "--max must be at least 1");
	if ((rc = parse_link(&link, opts->link, e)) == ERR_OK &&
	    (rc = read_file(c, opts, &link, &l.text, e)) == ERR_OK &&
	    (rc = changelog_split(&l, e)) == ERR_OK)
		rc = changelog_select(
		    &l, opts->full ? NULL : range, opts->full ? 0 : max, e);
	if (rc != ERR_OK) {
		changelog_deinit(&l);
		return rc;
	}
	*out = l;
	return ERR_OK;
}
