#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/out.h"
#include "cli/stop.h"
#include "codec/dec.h"

int
cli_exit_code(enum err_code rc, const struct err *e, bool compat)
{
	if (rc == ERR_OK)
		return 0;
	if (rc == ERR_INTERRUPTED)
		return 130;
	if (compat)
		return 1;
	if (e != NULL && strcmp(err_tag_of(e), "COMMIT_INCOMPLETE") == 0)
		return 6;
	switch (rc) {
	case ERR_USAGE:
		return 2;
	case ERR_PEERS:
	case ERR_NEED_BLOCK:
		return 3;
	case ERR_VERIFY:
	case ERR_CORRUPT:
		return 4;
	case ERR_CONFLICT:
	case ERR_VERSION:
		return 5;
	case ERR_OK:
	case ERR_NOMEM:
	case ERR_IO:
	case ERR_NOSPACE:
	case ERR_INVALID:
	case ERR_FORMAT:
	case ERR_NOT_FOUND:
	case ERR_EXISTS:
	case ERR_LOCKED:
	case ERR_READONLY:
	case ERR_CHANGED:
	case ERR_LIMIT:
	case ERR_UNSUPPORTED:
	case ERR_INTERRUPTED:
		return 1;
	}
	return 1;
}

/* A closed 0, 1 or 2 would be given to the next file that is opened, and a
 * message would be written into it. */
static void
fill_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		(void)close(fd);
}

/* A mask that takes rights from the owner would make files that we cannot
 * open again. */
static void
fix_umask(void)
{
	mode_t mask = umask(0);

	(void)umask(mask & 0077);
}

static enum err_code
choose_color(struct cli *c, struct err *e)
{
	const char *none = getenv("NO_COLOR");
	const char *when = c->raw.color;

	c->common.color = CLI_COLOR_AUTO;
	if (when == NULL)
		c->common.color = none != NULL && none[0] != '\0'
				      ? CLI_COLOR_NEVER
				      : CLI_COLOR_AUTO;
	else if (strcmp(when, "always") == 0)
		c->common.color = CLI_COLOR_ALWAYS;
	else if (strcmp(when, "never") == 0)
		c->common.color = CLI_COLOR_NEVER;
	else if (strcmp(when, "auto") != 0)
		return err_set(
		    e, ERR_USAGE, "--color takes always, never or auto");
	return ERR_OK;
}

static const char *
env(const char *name)
{
	const char *v = getenv(name);

	return v != NULL && v[0] != '\0' ? v : NULL;
}

static enum err_code
choose_storage(struct cli *c, struct err *e)
{
	const char *base = env("XDG_DATA_HOME");
	const char *mid = "";
	struct buf b;
	enum err_code rc;

	c->common.storage =
	    c->raw.storage ? c->raw.storage : env("PEAR_STORAGE");
	if (c->common.storage != NULL && c->common.storage[0] == '\0')
		return err_set(e, ERR_USAGE, "--storage needs a directory");
	if (c->common.storage != NULL)
		return ERR_OK;
	if (base == NULL || base[0] != '/') {
		base = env("HOME");
		mid = "/.local/share";
	}
	if (base == NULL)
		return err_set(
		    e, ERR_USAGE, "HOME is not set: say --storage <dir>");
	buf_init(&b, 65536);
	buf_printf(&b, "%s%s/pear-release", base, mid);
	buf_byte(&b, 0);
	if ((rc = buf_check(&b, e)) == ERR_OK) {
		size_t len;

		c->storage = (char *)buf_steal(&b, &len);
		c->common.storage = c->storage;
	}
	buf_deinit(&b);
	return rc;
}

static enum err_code
choose_password_fd(struct cli *c, struct err *e)
{
	const char *text = env("PEAR_KEY_PASSWORD_FD");
	unsigned long n;
	char *end;

	if (c->common.password_fd.set || text == NULL)
		return ERR_OK;
	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno != 0 || *end != '\0' || n > 65535)
		return err_set(e, ERR_USAGE,
		    "PEAR_KEY_PASSWORD_FD must be a descriptor number");
	c->common.password_fd = (struct cli_int){true, n};
	return ERR_OK;
}

static enum err_code
resolve(struct cli *c, struct err *e)
{
	enum err_code rc;

	if (c->common.bootstrap == NULL)
		c->common.bootstrap = env("PEAR_DHT_BOOTSTRAP");
	if (c->common.relay == NULL)
		c->common.relay = env("PEAR_DHT_RELAY");
	c->out_tty = isatty(STDOUT_FILENO) == 1;
	c->err_tty = isatty(STDERR_FILENO) == 1 && c->common.tty;
	if ((rc = choose_color(c, e)) != ERR_OK ||
	    (rc = choose_storage(c, e)) != ERR_OK)
		return rc;
	return choose_password_fd(c, e);
}

/* --json and --exit-compat count even if they stand behind the mistake. */
static bool
says(int argc, char *const *argv, const char *flag)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], flag) == 0)
			return true;
	return false;
}

static void
print_text(struct cli *c, struct buf *b)
{
	cli_out_write(c, buf_view(b));
	buf_deinit(b);
}

/* Help, version: said on stdout, exit 0. True if that was asked. */
static bool
said_help(struct cli *c, int argc)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	if (c->raw.version)
		buf_printf(&b, "%s %s\n", c->spec->name, PEAR_VERSION);
	else if (c->raw.help_man)
		cli_help_man(&b, c->spec);
	else if (c->raw.help || (c->spec->help_when_empty && argc <= 1))
		cli_help(&b, c->spec);
	if (b.len == 0)
		return false;
	print_text(c, &b);
	c->code = cli_out_close(c) ? 0 : 1;
	return true;
}

static bool
usage_error(struct cli *c, const struct err *e)
{
	c->code = cli_finish(c, e->code, e);
	if (e->code == ERR_USAGE) {
		struct buf b;

		buf_init(&b, 1 << 20);
		cli_help(&b, c->spec);
		cli_err_write(buf_view(&b));
		buf_deinit(&b);
	}
	return false;
}

bool
cli_start(struct cli *c, const struct cli_spec *spec, int argc,
    char *const *argv, void *opts)
{
	struct cli_grammar g = {{{spec->option, spec->noptions, opts},
				    {cli_common_options, cli_common_count, c}},
	    2, spec->arg, spec->nargs};
	struct err e = ERR_INIT;
	size_t nargs = 0;
	enum err_code rc;

	fill_descriptors();
	fix_umask();
	cli_stop_install();
	memset(c, 0, sizeof(*c));
	c->spec = spec;
	c->common.tty = true;
	rc = cli_opt_parse(&g, argc, argv, &nargs, &e);
	if (said_help(c, argc))
		return false;
	c->common.json = c->common.json || says(argc, argv, "--json");
	c->common.exit_compat =
	    c->common.exit_compat || says(argc, argv, "--exit-compat");
	if (rc != ERR_OK || (rc = resolve(c, &e)) != ERR_OK ||
	    (rc = cli_opt_required(&g, nargs, &e)) != ERR_OK)
		return usage_error(c, &e);
	return true;
}

int
cli_exit(struct cli *c)
{
	free(c->storage);
	c->storage = NULL;
	return c->code;
}

static json_t *
error_data(enum err_code rc, const struct err *e)
{
	json_t *info =
	    e->os != 0 ? json_pack("{s:i}", "errno", e->os) : json_null();

	(void)rc;
	return json_pack("{s:s,s:o,s:b,s:o}", "code", err_tag_of(e), "message",
	    cli_json_text(view_str(e->msg)), "success", 0, "info", info);
}

static void
say_error(struct cli *c, enum err_code rc, const struct err *e)
{
	static const struct err none = {
	    ERR_IO, 0, "ERR_UNKNOWN", "unknown error"};

	if (e == NULL || e->code == ERR_OK)
		e = &none;
	cli_event(c, "error", error_data(rc, e));
	cli_err_mark(c, e->msg);
	if (c->common.verbose)
		cli_debug(c, "code %s, errno %d", err_tag_of(e), e->os);
}

int
cli_finish(struct cli *c, enum err_code rc, const struct err *e)
{
	json_t *final;

	cli_status_clear(c);
	if (rc != ERR_OK)
		say_error(c, rc, e);
	final = rc == ERR_OK && c->final != NULL ? json_incref(c->final)
						 : json_object();
	if (json_object_get(final, "success") == NULL)
		(void)json_object_set_new(
		    final, "success", json_boolean(rc == ERR_OK));
	cli_event(c, "final", final);
	json_decref(c->final);
	c->final = NULL;
	c->code = cli_exit_code(rc, e, c->common.exit_compat);
	if (!cli_out_close(c) && c->code == 0)
		c->code = 1;
	return cli_exit(c);
}
