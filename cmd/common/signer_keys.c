/* signer: new keys, and keys of others. */
#include "cmd/common/signer.h"

#include <ctype.h>
#include <string.h>

#include "codec/z32.h"

static void
quote(char *out, size_t cap, const char *path)
{
	err_quote(out, cap, path, strlen(path));
}

static void
render_key(struct cli *c, const struct keydir_entry *x, bool created)
{
	char z32[Z32_KEY_LEN + 1];
	char secret[1024];
	char public[1024];

	z32_key(z32, &x->pub);
	quote(secret, sizeof(secret), x->secret_path);
	quote(public, sizeof(public), x->public_path);
	if (created)
		cli_line(c, "\nSecret key written to %s", secret);
	else
		cli_line(c, "Secret key already written to %s", secret);
	cli_line(c, "Public key %swritten to %s\n", created ? "" : "already ",
	    public);
	cli_line(c, "Public key is %s", z32);
	cli_final(c, json_pack("{s:s,s:o,s:o,s:b,s:b}", "publicKey", z32,
			 "secretPath", cli_json_text(view_str(x->secret_path)),
			 "publicPath", cli_json_text(view_str(x->public_path)),
			 "created", created, "success", 1));
}

/* -- generate --------------------------------------------------------------- */

/* As the reference: typed names are lower case. */
static enum err_code
choose_name(
    struct cli_talk *t, const char *given, char out[static 256], struct err *e)
{
	enum err_code rc;

	out[0] = '\0';
	if (given != NULL) {
		if (strlen(given) > 255)
			return err_set(e, ERR_INVALID, "the name is too long");
		memcpy(out, given, strlen(given) + 1);
		return ERR_OK;
	}
	if (t->at != CLI_TALK_NOBODY && !t->c->common.password_fd.set &&
	    (rc = cli_talk_line(t,
		 "Choose a name for this key pair: (default) ", out, 256, e)) !=
		ERR_OK)
		return rc;
	for (size_t i = 0; out[i] != '\0'; i++)
		out[i] = (char)tolower((unsigned char)out[i]);
	if (out[0] == '\0')
		memcpy(out, SIGNER_DEFAULT, sizeof(SIGNER_DEFAULT));
	return ERR_OK;
}

static enum err_code
make_key(struct keyfile *out, struct cli_talk *t, struct err *e)
{
	struct secret password = {NULL, 0};
	struct sign_pair pair = {.sec = {NULL, 0}};
	struct signer_guard guard;
	struct b32 seed;
	uint8_t id[8];
	enum err_code rc;

	signer_guard_on(&guard);
	secret_random(&seed, sizeof(seed));
	secret_random(id, sizeof(id));
	if ((rc = signer_password(&password, t, SIGNER_CHOOSE, e)) == ERR_OK &&
	    (rc = sign_pair_seed(&pair, &seed, e)) == ERR_OK)
		rc = keyfile_make(
		    out, &pair, id, &password, KEYFILE_COST_DEFAULT, e);
	secret_wipe(&seed, sizeof(seed));
	secret_free(&password);
	sign_pair_free(&pair);
	signer_guard_off(&guard);
	return rc;
}

/* A key of that name is told, and completed if its maker was killed. */
static enum err_code
tell_existing(
    struct cli *c, const struct keydir *dir, const char *name, struct err *e)
{
	struct keydir_entry x = {.name = NULL};
	struct keyfile file;
	enum err_code rc;

	if ((rc = keydir_find(dir, name, &x, &file, e)) == ERR_OK &&
	    (rc = keydir_complete(dir, &x, e)) == ERR_OK)
		render_key(c, &x, false);
	keydir_entry_deinit(&x);
	return rc;
}

static enum err_code
generate_new(struct cli *c, struct cli_talk *t, const struct keydir *dir,
    const char *name, struct err *e)
{
	struct keydir_entry x = {.name = NULL};
	struct keyfile file;
	enum err_code rc;

	if (!c->common.password_fd.set &&
	    (rc = cli_talk_show(t,
		 view_str("Your secret key will be encrypted with a "
			  "password.\nPlease choose one now:\n\n"),
		 e)) != ERR_OK)
		return rc;
	if ((rc = make_key(&file, t, e)) == ERR_OK &&
	    (rc = keydir_store(dir, name, &file, &file.pub, &x, e)) == ERR_OK)
		render_key(c, &x, true);
	keydir_entry_deinit(&x);
	return rc;
}

enum err_code
signer_generate(struct cli *c, const struct signer_generate *o, struct err *e)
{
	struct keydir dir = {.dir = NULL};
	struct cli_talk talk;
	char name[256];
	enum err_code rc;

	cli_talk_open(&talk, c, CLI_STDIN_ANSWERS);
	if ((rc = signer_dir(&dir, c, o->dir, e)) == ERR_OK &&
	    (rc = choose_name(&talk, o->name, name, e)) == ERR_OK &&
	    (rc = keydir_check_name(name, e)) == ERR_OK) {
		rc = tell_existing(c, &dir, name, e);
		if (rc == ERR_NOT_FOUND)
			rc = generate_new(c, &talk, &dir, name, e);
	}
	keydir_deinit(&dir);
	cli_talk_close(&talk);
	return rc;
}

/* -- add -------------------------------------------------------------------- */

static enum err_code
choose_alias(
    struct cli_talk *t, const char *given, char out[static 256], struct err *e)
{
	const char *prompt = "Choose a name for this key pair: ";
	enum err_code rc = ERR_OK;

	if (given != NULL) {
		if (strlen(given) > 255)
			return err_set(e, ERR_INVALID, "the name is too long");
		memcpy(out, given, strlen(given) + 1);
		return ERR_OK;
	}
	do {
		rc = cli_talk_line(t, prompt, out, 256, e);
		prompt = "A value must be specified: ";
	} while (rc == ERR_OK && out[0] == '\0');
	for (size_t i = 0; rc == ERR_OK && out[i] != '\0'; i++)
		out[i] = (char)tolower((unsigned char)out[i]);
	return rc;
}

enum err_code
signer_add(struct cli *c, const struct signer_add *o, struct err *e)
{
	struct keydir_entry x = {.name = NULL};
	struct keydir dir = {.dir = NULL};
	struct cli_talk talk;
	struct b32 pub;
	char alias[256];
	char shown[1024];
	enum err_code rc;

	cli_talk_open(&talk, c, CLI_STDIN_ANSWERS);
	if ((rc = signer_dir(&dir, c, o->dir, e)) == ERR_OK &&
	    (rc = keydir_public_parse(&pub, view_str(o->pub), e)) == ERR_OK &&
	    (rc = choose_alias(&talk, o->alias, alias, e)) == ERR_OK &&
	    (rc = keydir_add(&dir, alias, &pub, e)) == ERR_OK &&
	    (rc = keydir_find_public(&dir, alias, &x, e)) == ERR_OK) {
		quote(shown, sizeof(shown), x.public_path);
		cli_line(c, "Public key written to %s", shown);
		cli_final(c,
		    json_pack("{s:o,s:o,s:b}", "name",
			cli_json_text(view_str(x.name)), "publicPath",
			cli_json_text(view_str(x.public_path)), "success", 1));
	}
	keydir_entry_deinit(&x);
	keydir_deinit(&dir);
	cli_talk_close(&talk);
	return rc;
}
