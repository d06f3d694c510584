/* Config, source and address book of a multisig command. */
#include <stdlib.h>
#include <string.h>

#include "cmd/common/ms.h"
#include "cmd/common/signer.h"

#define TIME_MAX_MS (UINT64_C(366) * 24 * 3600 * 1000)

bool
ms_is(const struct ms_opts *o, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(o->word, word, n) != 0)
		return false;
	return o->word[n] == '\0' || strcmp(o->word + n, "-core") == 0 ||
	       strcmp(o->word + n, "-drive") == 0;
}

enum request_kind
ms_kind(const struct ms_opts *o, const struct config *cfg)
{
	const char *dash = strrchr(o->word, '-');

	if (dash != NULL)
		return strcmp(dash, "-core") == 0 ? REQUEST_CORE
						  : REQUEST_DRIVE;
	return cfg->type == CONFIG_TYPE_CORE ? REQUEST_CORE : REQUEST_DRIVE;
}

const char *
ms_kind_name(enum request_kind kind)
{
	return kind == REQUEST_DRIVE ? "drive" : "core";
}

enum err_code
ms_config(
    struct config *out, struct cli *c, const struct ms_opts *o, struct err *e)
{
	enum err_code rc = o->config != NULL ? config_read(out, o->config, e)
					     : config_find(out, e);

	if (rc != ERR_OK)
		return rc;
	cli_debug(c, "config: %s", out->file);
	for (size_t i = 0; i < out->nwarnings; i++)
		cli_warn(c, "%s: %s", out->file, out->warning[i]);
	if (out->nbootstrap > 0)
		cli_warn(c, "Using non-default bootstrap");
	return ERR_OK;
}

static void
on_warning(void *ctx, const char *message)
{
	cli_warn(ctx, "%s", message);
}

static enum err_code
pear_keydir(struct keydir *out, struct err *e)
{
	const char *home = getenv("HOME");
	struct buf path;
	enum err_code rc;

	buf_init(&path, 4096);
	buf_printf(&path, "%s/.pear", home != NULL ? home : "");
	rc = buf_cstr(&path) == NULL
		 ? err_nomem(e)
		 : keydir_init(out, buf_cstr(&path), KEYDIR_RAW, e);
	buf_deinit(&path);
	return rc;
}

enum err_code
ms_keydir(
    struct keydir *out, struct cli *c, const struct ms_opts *o, struct err *e)
{
	enum err_code rc;

	if (o->front == MS_HYPER)
		return signer_dir(out, c, o->keys, e);
	rc = o->keys != NULL ? keydir_init(out, o->keys, KEYDIR_RAW, e)
			     : pear_keydir(out, e);
	if (rc == ERR_OK) {
		out->warn = on_warning;
		out->ctx = c;
	}
	return rc;
}

enum err_code
ms_book(
    struct keybook **out, struct cli *c, const struct ms_opts *o, struct err *e)
{
	struct keydir k;
	enum err_code rc = ms_keydir(&k, c, o, e);

	if (rc != ERR_OK)
		return rc;
	rc = keybook_open(out, &k, e);
	keydir_deinit(&k);
	return rc;
}

static enum err_code
source_of(struct release_opts *r, const struct config *cfg,
    const struct ms_args *a, struct err *e)
{
	if (a->has_source && cfg->has_source &&
	    !b32_eq(&a->source, &cfg->source)) {
		enum err_code rc = err_set(e, ERR_VERIFY,
		    "SRC_KEY_MISMATCH: the source link is another drive than "
		    "srcKey in %s",
		    cfg->file);

		return e == NULL ? rc : err_tag(e, "SRC_KEY_MISMATCH");
	}
	if (!a->has_source && !cfg->has_source)
		return err_set(e, ERR_INVALID, "srcKey must be set");
	r->source = a->has_source ? a->source : cfg->source;
	r->has_source_version = a->has_version;
	r->source_fork = a->fork;
	r->source_length = a->length;
	return ERR_OK;
}

/* In milliseconds; what is more than a year is for ever. */
static uint64_t
milliseconds(const struct cli_int *i)
{
	return i->n < TIME_MAX_MS ? i->n : TIME_MAX_MS;
}

enum err_code
ms_release_opts(struct release_opts *r, const struct ms_opts *o,
    const struct config *cfg, const struct ms_args *a, struct store *s,
    struct err *e)
{
	struct release_opts out = RELEASE_OPTS_DEFAULT;
	enum err_code rc;

	if ((rc = source_of(&out, cfg, a, e)) != ERR_OK)
		return rc;
	out.store = s;
	out.config = cfg;
	out.kind = ms_kind(o, cfg);
	out.force = o->force;
	out.force_dangerous = o->force_dangerous;
	out.first_commit = o->first_commit;
	out.find_first = o->front == MS_PEAR;
	out.skip_target_well_seeded = o->skip_target;
	if (o->min_peers.set)
		out.min_peers = o->min_peers.n;
	if (o->min_full.set)
		out.min_full = o->min_full.n;
	if (o->timeout.set)
		out.timeout_ms = milliseconds(&o->timeout);
	if (o->look.set)
		out.look_ms = milliseconds(&o->look);
	*r = out;
	return ERR_OK;
}
