/* signer: input, directory, passwords. */
#include "cmd/common/signer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/common/common.h"

/* z-base-32 of the largest request, and blanks */
#define INPUT_MAX ((size_t)REQUEST_MAX * 2)
#define ENV_DIR "HYPERCORE_SIGN_KEYS_DIRECTORY"

static void
warn(void *ctx, const char *message)
{
	cli_warn(ctx, "%s", message);
}

static enum err_code
home_dir(struct buf *b, struct err *e)
{
	const char *home = getenv("HOME");

	if (home == NULL || home[0] == '\0')
		return err_set(
		    e, ERR_USAGE, "HOME is not set: say --storage-dir <dir>");
	buf_printf(b, "%s/.hypercore-sign", home);
	return buf_check(b, e);
}

enum err_code
signer_dir(struct keydir *out, struct cli *c, const char *dir, struct err *e)
{
	const char *from_env = getenv(ENV_DIR);
	enum err_code rc = ERR_OK;
	struct buf b;

	if (dir == NULL && from_env != NULL && from_env[0] != '\0')
		dir = from_env;
	buf_init(&b, 8192);
	if (dir != NULL)
		buf_str(&b, dir);
	else
		rc = home_dir(&b, e);
	if (rc == ERR_OK && buf_cstr(&b) == NULL)
		rc = buf_check(&b, e);
	if (rc == ERR_OK)
		rc = keydir_init(out, buf_cstr(&b), KEYDIR_Z32, e);
	buf_deinit(&b);
	if (rc == ERR_OK) {
		out->warn = warn;
		out->ctx = c;
	}
	return rc;
}

/* -- arguments -------------------------------------------------------------- */

static enum err_code
read_stdin(struct buf *out, struct err *e)
{
	enum err_code rc = common_stdin(out, e);

	if (rc == ERR_LIMIT)
		return err_set(e, ERR_LIMIT,
		    "standard input: longer than %zu bytes", INPUT_MAX);
	return rc;
}

enum err_code
signer_input(
    struct buf *out, const char *arg, enum cli_stdin *in, struct err *e)
{
	buf_init(out, INPUT_MAX);
	if (strcmp(arg, "-") == 0) {
		if (*in == CLI_STDIN_TAKEN)
			return err_set(e, ERR_USAGE,
			    "only one argument can be standard input");
		*in = CLI_STDIN_TAKEN;
		return read_stdin(out, e);
	}
	if (arg[0] == '@')
		return file_read(AT_FDCWD, arg + 1, INPUT_MAX, out, e);
	buf_str(out, arg);
	return buf_check(out, e);
}

enum err_code
signer_request(
    struct request *out, const char *arg, enum cli_stdin *in, struct err *e)
{
	enum err_code rc;
	struct buf text;

	if ((rc = signer_input(&text, arg, in, e)) == ERR_OK &&
	    (rc = request_parse(out, buf_view(&text), NULL, e)) != ERR_OK)
		rc = err_wrap(e,
		    "Could not decode the signing request. Invalid signing "
		    "request?");
	buf_deinit(&text);
	return rc;
}

/* -- secrets ---------------------------------------------------------------- */

void
signer_guard_on(struct signer_guard *g)
{
	struct rlimit limit;

	*g = (struct signer_guard){.dumpable = prctl(PR_GET_DUMPABLE)};
	if (getrlimit(RLIMIT_CORE, &limit) == 0) {
		g->core = limit.rlim_cur;
		limit.rlim_cur = 0;
		g->on = setrlimit(RLIMIT_CORE, &limit) == 0;
	}
	(void)prctl(PR_SET_DUMPABLE, 0);
}

void
signer_guard_off(struct signer_guard *g)
{
	struct rlimit limit;

	if (g->on && getrlimit(RLIMIT_CORE, &limit) == 0) {
		limit.rlim_cur = (rlim_t)g->core;
		(void)setrlimit(RLIMIT_CORE, &limit);
	}
	if (g->dumpable == 1)
		(void)prctl(PR_SET_DUMPABLE, 1);
}

enum err_code
signer_password(
    struct secret *out, struct cli_talk *t, enum signer_ask kind, struct err *e)
{
	const struct cli_talk_password how = {"Keypair password: ",
	    kind == SIGNER_CHOOSE ? "Confirm password: " : NULL,
	    KEYFILE_PASSWORD_MIN};
	char text[CLI_PASSWORD_MAX];
	size_t n = 0;
	enum err_code rc;

	rc = cli_talk_password(t, &how, text, &n, e);
	if (rc == ERR_OK)
		rc = secret_copy(out, view_of(text, n), e);
	secret_wipe(text, sizeof(text));
	return rc;
}

enum err_code
signer_open(struct sign_pair *out, uint8_t id[8], const struct keyfile *file,
    const struct keydir_entry *x, const struct secret *password, struct err *e)
{
	struct sign_pair pair = {.sec = {NULL, 0}};
	char shown[512];
	enum err_code rc;

	if ((rc = keyfile_open(&pair, id, file, password, e)) != ERR_OK)
		return rc;
	if (!b32_eq(&pair.pub, &x->pub)) {
		sign_pair_free(&pair);
		return err_set(e, ERR_CORRUPT,
		    "%s is not the public key of the secret key beside it",
		    err_quote(shown, sizeof(shown), x->public_path,
			strlen(x->public_path)));
	}
	*out = pair;
	return ERR_OK;
}
