/* signer: show a request, ask, sign it. */
#include "cmd/common/signer.h"

#include <stdlib.h>
#include <string.h>

#include "codec/z32.h"

#define CONFIRM "Confirm? [y/N] "
#define TEXT_MAX 65536

struct work {
	struct cli *c;
	const struct signer_sign *o;
	struct cli_talk talk;
	struct keydir dir;
	struct keybook *book;
	struct keydir_entry key;
	struct keyfile file;
	struct request request;
};

/* -- before anything is asked ----------------------------------------------- */

static enum err_code
check_expected(const struct request *r, const char *expect, struct err *e)
{
	char z32[Z32_KEY_LEN + 1];
	char quoted[160];
	struct b32 hash;

	if (strchr(expect, ':') != NULL ||
	    z32_key_id(view_str(expect), &hash, NULL) != ERR_OK)
		return err_set(e, ERR_USAGE,
		    "--expect-hash takes a hash in hex or z-base-32, not %s",
		    err_quote(quoted, sizeof(quoted), expect, strlen(expect)));
	if (b32_eq(&hash, &r->hash))
		return ERR_OK;
	return err_set(e, ERR_VERIFY,
	    "this is not the expected request: its hash is %s",
	    z32_key(z32, &r->hash));
}

static enum err_code
show(struct work *w, const char *text, struct err *e)
{
	return cli_talk_show(&w->talk, view_str(text), e);
}

static enum err_code
show_path(struct work *w, const char *before, const char *path,
    const char *after, struct err *e)
{
	char quoted[1024];
	enum err_code rc;
	struct buf b;

	buf_init(&b, TEXT_MAX);
	buf_printf(&b, "%s%s%s", before,
	    err_quote(quoted, sizeof(quoted), path, strlen(path)), after);
	if ((rc = buf_check(&b, e)) == ERR_OK)
		rc = cli_talk_show(&w->talk, buf_view(&b), e);
	buf_deinit(&b);
	return rc;
}

static enum err_code
show_request(struct work *w, struct err *e)
{
	enum err_code rc;
	struct buf b;

	buf_init(&b, TEXT_MAX);
	signer_show(&b, &w->request, w->book, &w->key.pub);
	buf_byte(&b, '\n');
	if ((rc = buf_check(&b, e)) == ERR_OK)
		rc = cli_talk_show(&w->talk, buf_view(&b), e);
	buf_deinit(&b);
	if (rc == ERR_OK)
		cli_event(w->c, "request", signer_json(&w->request, w->book));
	return rc;
}

static enum err_code
confirm(struct work *w, struct err *e)
{
	bool yes = true;
	enum err_code rc = ERR_OK;

	if (!w->o->yes)
		rc = cli_talk_confirm(&w->talk, CONFIRM, &yes, e);
	if (rc == ERR_OK && !yes)
		rc = err_set(e, ERR_INVALID, "Request aborted.");
	return rc;
}

/* -- legacy keys ------------------------------------------------------------ */

static enum err_code
upgrade(struct work *w, struct err *e)
{
	struct secret password = {NULL, 0};
	struct sign_pair pair = {.sec = {NULL, 0}};
	struct signer_guard guard;
	struct keyfile fresh;
	uint8_t id[8];
	enum err_code rc;

	signer_guard_on(&guard);
	if ((rc = signer_password(&password, &w->talk, SIGNER_ENTER, e)) ==
		ERR_OK &&
	    (rc = signer_open(&pair, id, &w->file, &w->key, &password, e)) ==
		ERR_OK)
		rc = keyfile_make(
		    &fresh, &pair, id, &password, KEYFILE_COST_DEFAULT, e);
	secret_free(&password);
	sign_pair_free(&pair);
	secret_wipe(id, sizeof(id));
	signer_guard_off(&guard);
	if (rc == ERR_OK)
		rc = keydir_upgrade(&w->dir, &w->key, &fresh, e);
	return rc == ERR_OK ? rc : err_wrap(e, "Migration failed");
}

/* *done: the key is upgraded, and nothing is signed this time. Scripts of
 * the old command know nothing of the question, so on a pipe it is asked
 * only in the new command's form. */
static enum err_code
offer_upgrade(struct work *w, bool *done, struct err *e)
{
	bool ask = w->talk.at == CLI_TALK_TERMINAL ||
		   (w->talk.at == CLI_TALK_STDIN && w->o->offer_upgrade);
	enum err_code rc;

	*done = false;
	if (w->file.version > 0 || !ask || w->o->yes)
		return ERR_OK;
	if ((rc = show_path(w, "Found legacy key at: ", w->key.secret_path,
		 "\n", e)) != ERR_OK ||
	    (rc = cli_talk_confirm(&w->talk,
		 "Would you like to upgrade? [y/N] ", done, e)) != ERR_OK ||
	    !*done)
		return rc;
	if ((rc = upgrade(w, e)) != ERR_OK)
		return rc;
	cli_line(
	    w->c, "Keys migrated successfully. Please run your request again.");
	cli_final(w->c, json_pack("{s:b,s:b}", "upgraded", 1, "success", 1));
	return ERR_OK;
}

/* -- signing ---------------------------------------------------------------- */

static enum err_code
make_response(struct work *w, struct response *out, struct err *e)
{
	struct secret password = {NULL, 0};
	struct sign_pair pair = {.sec = {NULL, 0}};
	struct signer_guard guard;
	enum err_code rc;

	signer_guard_on(&guard);
	if ((rc = signer_password(&password, &w->talk, SIGNER_ENTER, e)) ==
		ERR_OK &&
	    (rc = signer_open(&pair, NULL, &w->file, &w->key, &password, e)) ==
		ERR_OK)
		rc = response_make(out, &w->request, &pair, e);
	secret_free(&password);
	sign_pair_free(&pair);
	signer_guard_off(&guard);
	/* what leaves this machine holds, whatever happened to the memory */
	if (rc == ERR_OK)
		rc = response_verify(out, &w->request, &w->key.pub, e);
	return rc;
}

/* As pear multisig prints it, with the home folder as "~". */
static void
reply_pear(struct work *w, const char *text)
{
	const char *path = w->key.secret_path, *home = getenv("HOME");
	size_t n = home != NULL ? strlen(home) : 0;
	bool below = n > 0 && strncmp(path, home, n) == 0 && path[n] == '/';
	char quoted[1024];

	cli_event(w->c, "sign",
	    json_pack("{s:s,s:{s:o,s:o}}", "response", text, "at", "pub",
		cli_json_text(view_str(w->key.public_path)), "prv",
		cli_json_text(view_str(path))));
	if (below)
		path += n;
	cli_line(w->c, "Response signed by %s%s:\n\n%s", below ? "~" : "",
	    err_quote(quoted, sizeof(quoted), path, strlen(path)), text);
}

static enum err_code
reply(struct work *w, const struct response *res, struct err *e)
{
	char z32[Z32_KEY_LEN + 1];
	struct buf bytes;
	struct buf text;
	enum err_code rc;

	buf_init(&bytes, RESPONSE_MAX);
	buf_init(&text, (size_t)RESPONSE_MAX * 2);
	response_encode(&bytes, res);
	z32_encode(&text, buf_view(&bytes));
	if ((rc = buf_check(&bytes, e)) == ERR_OK && buf_cstr(&text) == NULL)
		rc = buf_check(&text, e);
	if (rc == ERR_OK && w->o->reply == SIGNER_REPLY_PEAR) {
		reply_pear(w, buf_cstr(&text));
	} else if (rc == ERR_OK) {
		z32_key(z32, &res->pub);
		cli_line(w->c, "\nSigned with public key:\n\n%s", z32);
		cli_line(w->c, "\nReply with:\n\n%s", buf_cstr(&text));
		cli_event(w->c, "sign",
		    json_pack("{s:s,s:s}", "response", buf_cstr(&text),
			"publicKey", z32));
	}
	buf_deinit(&text);
	buf_deinit(&bytes);
	return rc;
}

static enum err_code
prepare(struct work *w, struct err *e)
{
	const struct signer_sign *o = w->o;
	enum cli_stdin in = CLI_STDIN_ANSWERS;
	enum err_code rc;

	if (o->yes && o->expect == NULL)
		return err_set(e, ERR_USAGE,
		    "--yes needs --expect-hash: sign nothing unseen");
	if ((rc = signer_request(&w->request, o->request, &in, e)) != ERR_OK)
		return rc;
	if (o->expect != NULL &&
	    (rc = check_expected(&w->request, o->expect, e)) != ERR_OK)
		return rc;
	cli_talk_open(&w->talk, w->c, in);
	if (o->yes && w->c->common.json && w->talk.at == CLI_TALK_STDIN)
		w->talk.out = -1; /* nobody reads along: the event says it */
	if ((rc = signer_dir(&w->dir, w->c, o->dir, e)) != ERR_OK)
		return rc;
	w->dir.form = o->form;
	if ((rc = keydir_find(&w->dir,
		 o->identity != NULL ? o->identity : SIGNER_DEFAULT, &w->key,
		 &w->file, e)) != ERR_OK)
		return rc;
	return keybook_open(&w->book, &w->dir, e);
}

static enum err_code
run(struct work *w, struct err *e)
{
	struct request_signable signable;
	const struct signer_sign *o = w->o;
	struct response res;
	bool done;
	enum err_code rc;

	if ((rc = prepare(w, e)) != ERR_OK ||
	    (rc = offer_upgrade(w, &done, e)) != ERR_OK || done)
		return rc;
	if ((rc = show_request(w, e)) != ERR_OK ||
	    (rc = request_signable(&w->request, &w->key.pub, &signable, e)) !=
		ERR_OK)
		return rc;
	if (o->review != NULL &&
	    (rc = o->review(w->c, &w->talk, &w->request, o->ctx, e)) != ERR_OK)
		return rc;
	if ((rc = confirm(w, e)) != ERR_OK ||
	    (rc = show(w,
		 "\nRequest data is confirmed\nProceeding to sign...\n", e)) !=
		ERR_OK ||
	    (rc = show_path(w, "\nSigning with ", w->key.secret_path, "\n\n",
		 e)) != ERR_OK ||
	    (rc = confirm(w, e)) != ERR_OK || (rc = show(w, "\n", e)) != ERR_OK)
		return rc;
	if ((rc = make_response(w, &res, e)) == ERR_OK)
		rc = reply(w, &res, e);
	return rc;
}

enum err_code
signer_sign(struct cli *c, const struct signer_sign *o, struct err *e)
{
	struct work w = {.c = c, .o = o, .talk = {c, CLI_TALK_NOBODY, -1, -1}};
	enum err_code rc;

	rc = run(&w, e);
	keydir_entry_deinit(&w.key);
	keybook_close(w.book);
	keydir_deinit(&w.dir);
	cli_talk_close(&w.talk);
	return rc;
}
