/* link: the production link of a config; no store, no network. */
#include <string.h>

#include "cli/stop.h"
#include "cmd/common/ms.h"
#include "codec/z32.h"
#include "crypto/hash.h"
#include "pear/link.h"

#define VANITY_MAX 8 /* characters; each costs 32 times more */

static const char alphabet[] = "ybndrfg8ejkmcpqxot1uwisza345h769";

static bool
starts(const struct b32 *key, const char *prefix)
{
	char text[Z32_KEY_LEN + 1];

	return strncmp(z32_key(text, key), prefix, strlen(prefix)) == 0;
}

static enum err_code
check_prefix(const char *prefix, struct err *e)
{
	size_t n = strlen(prefix);

	if (n == 0 || n > VANITY_MAX || strspn(prefix, alphabet) != n)
		return err_set(e, ERR_USAGE,
		    "--vanity takes 1 to %d characters of z-base-32 (%s)",
		    VANITY_MAX, alphabet);
	return ERR_OK;
}

/* Namespaces "text$<random>" until the key starts as wanted. */
static enum err_code
search(struct config *cfg, const char *prefix, struct buf *ns, struct err *e)
{
	struct b32 hash, random;

	buf_str(ns, cfg->ns);
	for (uint64_t tries = 0; !starts(&cfg->key, prefix); tries++) {
		if (tries % 1024 == 0 && cli_stopping())
			return err_set(e, ERR_INTERRUPTED, "interrupted");
		secret_random(random.b, sizeof(random.b));
		buf_reset(ns);
		buf_printf(ns, "%s$", cfg->ns);
		z32_encode(ns, view_b32(&random));
		hash_data(&hash, buf_view(ns));
		for (size_t i = 0; i < cfg->manifest.nsigners; i++)
			cfg->manifest.signer[i].ns = hash;
		manifest_key(&cfg->key, &cfg->manifest);
	}
	return buf_check(ns, e);
}

static enum err_code
vanity(struct cli *c, struct config *cfg, const char *prefix, struct err *e)
{
	struct buf ns;
	enum err_code rc;

	if ((rc = check_prefix(prefix, e)) != ERR_OK)
		return rc;
	buf_init(&ns, CONFIG_NAMESPACE_MAX + 64);
	rc = search(cfg, prefix, &ns, e);
	if (rc == ERR_OK && strcmp(buf_cstr(&ns), cfg->ns) != 0) {
		rc = config_set_namespace(cfg->file, buf_cstr(&ns), e);
		if (rc == ERR_OK)
			cli_warn(c, "Namespace has been updated to %s",
			    buf_cstr(&ns));
	}
	buf_deinit(&ns);
	return rc;
}

enum err_code
ms_link(struct cli *c, const struct ms_opts *o, struct err *e)
{
	char link[PEAR_LINK_TEXT_MAX];
	struct config cfg;
	enum err_code rc;

	if (o->rest.n > 0)
		return err_set(e, ERR_USAGE, "link takes no arguments");
	if ((rc = ms_config(&cfg, c, o, e)) != ERR_OK)
		return rc;
	if (o->vanity != NULL)
		rc = vanity(c, &cfg, o->vanity, e);
	if (rc == ERR_OK) {
		pear_link_key(link, &cfg.key);
		cli_line(c, "%s", link);
		cli_event(c, "link", json_pack("{s:s}", "link", link));
		cli_final(
		    c, json_pack("{s:s, s:b}", "link", link, "success", 1));
	}
	config_deinit(&cfg);
	return rc;
}
