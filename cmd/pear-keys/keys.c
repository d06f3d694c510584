#include "cmd/pear-keys/keys.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/prompt.h"
#include "cmd/common/common.h"
#include "codec/z32.h"
#include "core/identity.h"
#include "crypto/seal.h"
#include "hyperdrive/drive.h"

#define CONTEXT "pear-keys 1"
#define PASSWORD_MIN 8
#define FILE_MAX (64u << 20)

/* -- the password ----------------------------------------------------------- */

static enum err_code
get_password(
    struct secret *out, struct cli *c, enum cli_password kind, struct err *e)
{
	char text[CLI_PASSWORD_MAX];
	size_t n = 0;
	enum err_code rc;

	rc = cli_password(
	    c, kind, "Password of the key file: ", PASSWORD_MIN, text, &n, e);
	if (rc == ERR_OK)
		rc = secret_copy(out, view_of(text, n), e);
	secret_wipe(text, sizeof(text));
	return rc;
}

/* -- list ------------------------------------------------------------------- */

struct list {
	struct cli *c;
	size_t n;
};

static bool
list_core(void *ctx, const struct core_info *i)
{
	struct list *l = ctx;
	char link[PEAR_LINK_TEXT_MAX];

	if (!i->writable)
		return true;
	l->n++;
	pear_link_key(link, &i->key);
	cli_line(l->c, "%s (length: %" PRIu64 ", fork: %" PRIu64 ")", link,
	    i->head.length, i->head.fork);
	cli_event(l->c, "core",
	    json_pack("{s:s,s:I,s:I}", "link", link, "length",
		(json_int_t)i->head.length, "fork", (json_int_t)i->head.fork));
	return true;
}

static enum err_code
run_list(struct cli *c, struct err *e)
{
	struct list l = {c, 0};
	struct secret primary = {NULL, 0};
	struct store *s = NULL;
	bool has_primary;
	enum err_code rc;

	if ((rc = common_store(&s, c, STORE_READ, e)) != ERR_OK)
		return rc;
	rc = core_identity_get(&primary, s, e);
	has_primary = rc == ERR_OK;
	secret_free(&primary);
	if (rc == ERR_OK || rc == ERR_NOT_FOUND)
		rc = core_list(s, list_core, &l, e);
	store_close(s);
	if (rc != ERR_OK)
		return rc;
	cli_line(c, "Writable cores: %zu | Primary key: %s", l.n,
	    has_primary ? "yes" : "no");
	cli_final(c, json_pack("{s:I,s:b,s:b}", "count", (json_int_t)l.n,
			 "primaryKey", has_primary, "success", 1));
	return ERR_OK;
}

/* -- export ----------------------------------------------------------------- */

static enum err_code
seal(struct buf *out, struct cli *c, const struct secret *plain, struct err *e)
{
	struct secret password = {NULL, 0};
	enum err_code rc;

	if ((rc = get_password(&password, c, CLI_PASSWORD_NEW, e)) == ERR_OK)
		rc = seal_make(out, secret_view(plain), view_str(CONTEXT),
		    &password, SEAL_COST_DEFAULT, e);
	secret_free(&password);
	return rc;
}

/* Say so before the password is asked for; the write itself refuses too. */
static enum err_code
check_free(const char *path, struct err *e)
{
	char quoted[512];

	if (access(path, F_OK) != 0)
		return ERR_OK;
	err_quote(quoted, sizeof(quoted), path, strlen(path));
	return err_set(e, ERR_EXISTS, "%s exists already", quoted);
}

static enum err_code
run_export(struct cli *c, const char *path, struct err *e)
{
	struct core_keyring_report r = {false, false, 0, 0};
	struct secret plain = {NULL, 0};
	struct store *s = NULL;
	struct buf sealed;
	enum err_code rc;

	buf_init(&sealed, FILE_MAX);
	if ((rc = check_free(path, e)) == ERR_OK &&
	    (rc = common_store(&s, c, STORE_READ, e)) == ERR_OK)
		rc = core_keyring_save(&plain, s, &r, e);
	if (rc == ERR_OK && (rc = seal(&sealed, c, &plain, e)) == ERR_OK)
		rc = file_write_new(AT_FDCWD, path, buf_view(&sealed), 0600, e);
	secret_free(&plain);
	buf_deinit(&sealed);
	store_close(s);
	if (rc != ERR_OK)
		return err_wrap(e, "export keys");
	cli_success(c, "Exported the keys of %zu core%s%s", r.cores,
	    r.cores == 1 ? "" : "s", r.primary ? " and the primary key" : "");
	cli_final(c, json_pack("{s:I,s:b,s:b}", "count", (json_int_t)r.cores,
			 "primaryKey", r.primary, "success", 1));
	return ERR_OK;
}

/* -- import ----------------------------------------------------------------- */

static enum err_code
unseal(struct secret *plain, struct cli *c, const char *path, struct err *e)
{
	struct secret password = {NULL, 0};
	struct buf sealed;
	char quoted[512];
	enum err_code rc;

	buf_init(&sealed, FILE_MAX);
	if ((rc = file_read(AT_FDCWD, path, FILE_MAX, &sealed, e)) == ERR_OK &&
	    (rc = get_password(&password, c, CLI_PASSWORD_ENTER, e)) ==
		ERR_OK &&
	    (rc = seal_open(plain, buf_view(&sealed), view_str(CONTEXT),
		 &password, e)) != ERR_OK)
		rc = err_wrap(e, "%s",
		    err_quote(quoted, sizeof(quoted), path, strlen(path)));
	secret_free(&password);
	buf_deinit(&sealed);
	return rc;
}

static void
render_import(struct cli *c, const struct core_keyring_report *r)
{
	cli_success(c, "Imported the keys of %zu core%s%s", r->cores,
	    r->cores == 1 ? "" : "s", r->primary ? " and the primary key" : "");
	if (r->primary_kept)
		cli_warn(c, "This store keeps its own primary key.");
	cli_warn(c,
	    "A key must never be used to write on two machines: stop writing "
	    "with the other store before you write with this one. Two "
	    "histories of one drive destroy its link.");
	if (r->behind > 0)
		cli_warn(c,
		    "%zu cores are shorter here than where they come from. "
		    "They can be written when their blocks are here, or after "
		    "pear-keys accept <link>.",
		    r->behind);
	cli_final(c, json_pack("{s:I,s:I,s:b,s:b}", "count",
			 (json_int_t)r->cores, "behind", (json_int_t)r->behind,
			 "primaryKey", r->primary, "success", 1));
}

static enum err_code
run_import(struct cli *c, const char *path, enum core_keyring_other other,
    struct err *e)
{
	struct core_keyring_report r = {false, false, 0, 0};
	struct secret plain = {NULL, 0};
	struct store *s = NULL;
	enum err_code rc;

	if ((rc = unseal(&plain, c, path, e)) == ERR_OK &&
	    (rc = common_store(&s, c, STORE_CREATE, e)) == ERR_OK)
		rc = core_keyring_load(s, secret_view(&plain), other, &r, e);
	secret_free(&plain);
	store_close(s);
	if (rc == ERR_OK)
		render_import(c, &r);
	else if (rc == ERR_EXISTS)
		return err_wrap(e,
		    "import keys (--merge-keys keeps it and takes over the "
		    "keys of drives)");
	return rc == ERR_OK ? rc : err_wrap(e, "import keys");
}

/* -- accept ----------------------------------------------------------------- */

/* A drive's contents are a core of their own, with a mark of its own. */
static enum err_code
accept_contents(struct store *s, const struct b32 *key, struct err *e)
{
	struct hyperdrive *d;
	struct core *blobs;
	struct b32 content;
	bool ours;
	enum err_code rc;

	rc = hyperdrive_open(&d, s, key, CORE_READ, e);
	if (rc == ERR_FORMAT || rc == ERR_UNSUPPORTED)
		return ERR_OK; /* a core that is no drive */
	if (rc != ERR_OK)
		return rc;
	blobs = hyperdrive_blobs(d);
	if ((ours = blobs != NULL && core_writable(blobs)))
		content = *core_key(blobs);
	hyperdrive_close(d);
	return ours ? core_keyring_accept(s, &content, e) : ERR_OK;
}

static enum err_code
run_accept(struct cli *c, const struct keys_opts *opts, struct err *e)
{
	struct pear_link l;
	struct store *s = NULL;
	enum err_code rc;

	if ((rc = common_link(&l, opts->what, e)) != ERR_OK)
		return rc;
	if (!opts->yes &&
	    (rc = cli_confirm(c,
		 "No other machine and no peer has a longer history of this "
		 "drive?",
		 "--yes", e)) != ERR_OK)
		return rc;
	if ((rc = common_store(&s, c, STORE_WRITE, e)) == ERR_OK &&
	    (rc = core_keyring_accept(s, &l.key, e)) == ERR_OK)
		rc = accept_contents(s, &l.key, e);
	store_close(s);
	if (rc == ERR_OK)
		cli_success(c, "This store has the newest history");
	return rc;
}

enum err_code
keys_run(struct cli *c, const struct keys_opts *opts, struct err *e)
{
	bool needs = strcmp(opts->action, "list") != 0;
	char quoted[64];

	if (needs && opts->what == NULL)
		return err_set(e, ERR_USAGE,
		    strcmp(opts->action, "accept") == 0 ? "<link>" : "<file>");
	if (!needs)
		return run_list(c, e);
	if (strcmp(opts->action, "export") == 0)
		return run_export(c, opts->what, e);
	if (strcmp(opts->action, "import") == 0)
		return run_import(c, opts->what,
		    opts->merge ? CORE_KEYRING_KEEP : CORE_KEYRING_REFUSE, e);
	if (strcmp(opts->action, "accept") == 0)
		return run_accept(c, opts, e);
	err_quote(quoted, sizeof(quoted), opts->action, strlen(opts->action));
	return err_set(e, ERR_USAGE,
	    "Unrecognized Argument at index 0 with value %s", quoted);
}
