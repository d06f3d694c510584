/* Which of the forms of commands.md 8.2 it is. */
#include <string.h>

#include "cmd/common/signer.h"
#include "cmd/hypercore-sign/sign_cmd.h"

/* Words after the first one: at least min, at most max. */
static enum err_code
check_words(const struct sign_cmd_opts *o, size_t max,
    const char *const *required, struct err *e)
{
	char quoted[160];
	const char *word;

	for (size_t i = 0; required[i] != NULL; i++)
		if (o->rest.n <= i)
			return err_set(e, ERR_USAGE, "%s", required[i]);
	if (o->rest.n <= max)
		return ERR_OK;
	word = o->rest.item[max];
	return err_set(e, ERR_USAGE,
	    "Unrecognized Argument at index %zu with value %s", max + 1,
	    err_quote(quoted, sizeof(quoted), word, strlen(word)));
}

static const char *
word_at(const struct sign_cmd_opts *o, size_t i)
{
	return i < o->rest.n ? o->rest.item[i] : NULL;
}

static enum err_code
run_sign(struct cli *c, const struct sign_cmd_opts *o, const char *request,
    bool offer_upgrade, struct err *e)
{
	const struct signer_sign sign = {
	    .request = request,
	    .dir = o->dir,
	    .identity = o->identity,
	    .expect = o->expect,
	    .yes = o->yes,
	    .offer_upgrade = offer_upgrade,
	    .review = o->review ? sign_cmd_review : NULL,
	    .ctx = (void *)(uintptr_t)o,
	};

	return signer_sign(c, &sign, e);
}

static enum err_code
run_verify(struct cli *c, const struct sign_cmd_opts *o, struct err *e)
{
	static const char *const required[] = {"<response>", "<request>", NULL};
	const struct signer_verify verify = {
	    .response = word_at(o, 0),
	    .request = word_at(o, 1),
	    .pub = word_at(o, 2),
	    .identity = o->identity,
	    .dir = o->dir,
	    .verb = "signed",
	};
	enum err_code rc = check_words(o, 3, required, e);

	if (rc == ERR_OK && verify.pub != NULL && verify.identity != NULL)
		rc = err_set(e, ERR_USAGE,
		    "a public key and --identity say the same: give one");
	return rc == ERR_OK ? signer_verify(c, &verify, e) : rc;
}

static enum err_code
run_generate(struct cli *c, const struct sign_cmd_opts *o, struct err *e)
{
	static const char *const required[] = {NULL};
	const char *dir = word_at(o, 0);
	const struct signer_generate generate = {
	    .dir = dir != NULL ? dir : o->dir, .name = o->name};
	enum err_code rc = check_words(o, 1, required, e);

	if (rc == ERR_OK && dir != NULL && o->dir != NULL)
		rc = err_set(e, ERR_USAGE,
		    "[dir] and --storage-dir say the same: give one");
	return rc == ERR_OK ? signer_generate(c, &generate, e) : rc;
}

static enum err_code
run_add(struct cli *c, const struct sign_cmd_opts *o, struct err *e)
{
	static const char *const required[] = {"<pubkey>", NULL};
	const struct signer_add add = {
	    .dir = o->dir, .pub = word_at(o, 0), .alias = word_at(o, 1)};
	enum err_code rc = check_words(o, 2, required, e);

	return rc == ERR_OK ? signer_add(c, &add, e) : rc;
}

static const struct {
	const char *word;
	enum err_code (*run)(
	    struct cli *c, const struct sign_cmd_opts *o, struct err *e);
} others[] = {
    {"verify", run_verify}, {"generate", run_generate}, {"add", run_add}};

enum err_code
sign_cmd_run(struct cli *c, const struct sign_cmd_opts *o, struct err *e)
{
	static const char *const request[] = {"<request>", NULL};
	static const char *const none[] = {NULL};
	enum err_code rc = sign_cmd_check_review(o, e);

	if (rc != ERR_OK)
		return rc;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (strcmp(o->word, others[i].word) != 0)
			continue;
		if (o->review)
			return err_set(
			    e, ERR_USAGE, "--review is for a request to sign");
		return others[i].run(c, o, e);
	}
	if (strcmp(o->word, "sign") == 0) {
		rc = check_words(o, 1, request, e);
		return rc == ERR_OK ? run_sign(c, o, word_at(o, 0), true, e)
				    : rc;
	}
	/* the form of hypercore-sign 3 */
	rc = check_words(o, 0, none, e);
	return rc == ERR_OK ? run_sign(c, o, o->word, false, e) : rc;
}
