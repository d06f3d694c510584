#include "cmd/pear-touch/touch.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cli/stop.h"
#include "cmd/common/common.h"
#include "cmd/pear-touch/vanity.h"
#include "codec/hex.h"
#include "codec/z32.h"
#include "core/identity.h"
#include "pear/link.h"

#define NAME_BYTES 16
#define VANITY_EASY 4 /* characters found within seconds to minutes */

/* The name is the text of 16 random bytes, as the reference's touch has it;
 * it is not kept, the pair is stored with the core. */
static enum err_code
random_pair(struct sign_pair *out, struct store *s, struct err *e)
{
	uint8_t raw[NAME_BYTES];
	struct buf name;
	enum err_code rc;

	secret_random(raw, sizeof(raw));
	buf_init(&name, 2 * sizeof(raw));
	hex_encode(&name, view_of(raw, sizeof(raw)));
	rc = buf_check(&name, e);
	if (rc == ERR_OK)
		rc = core_identity_derive(out, s, buf_view(&name), e);
	buf_deinit(&name);
	return rc;
}

struct watch {
	struct cli *c;
	double expected; /* attempts on average */
};

static void
show_progress(void *ctx, uint64_t attempts, uint64_t ms)
{
	const struct watch *w = ctx;
	double rate = ms > 0 ? (double)attempts * 1000 / (double)ms : 0;

	if (rate > 0)
		cli_status(w->c,
		    "%" PRIu64 " attempts, %.0f/s, expected time %.0f s, "
		    "%.0f s so far",
		    attempts, rate, w->expected / rate, (double)ms / 1000);
}

static enum err_code
vanity_pair(struct sign_pair *out, struct cli *c, const struct touch_opts *opts,
    struct err *e)
{
	size_t n = strlen(opts->vanity);
	struct watch w = {c, pow(32, (double)n)};
	const struct vanity v = {
	    .prefix = opts->vanity,
	    .timeout_ms = opts->timeout.set ? opts->timeout.n * 1000 : 0,
	    .stop = cli_stop_poll,
	    .progress = show_progress,
	    .ctx = &w,
	};

	if (n > VANITY_EASY)
		cli_warn(c,
		    "Warning: Vanity strings longer than %d characters may "
		    "take a long time to generate.",
		    VANITY_EASY);
	return vanity_search(out, &v, e);
}

enum err_code
touch_run(struct cli *c, const struct touch_opts *opts, struct b32 *key,
    struct err *e)
{
	struct sign_pair pair = {{{0}}, {NULL, 0}};
	struct store *s = NULL;
	enum err_code rc = ERR_OK;

	if (opts->vanity != NULL)
		rc = vanity_check(opts->vanity, e);
	/* the store first: a search of an hour must not end in vain */
	if (rc == ERR_OK)
		rc = common_store(&s, c, STORE_CREATE, e);
	if (rc == ERR_OK && (rc = store_writable(s, e)) == ERR_OK)
		rc = opts->vanity != NULL ? vanity_pair(&pair, c, opts, e)
					  : random_pair(&pair, s, e);
	if (rc == ERR_OK)
		rc = core_identity_add(s, &pair, key, e);
	sign_pair_free(&pair);
	store_close(s);
	return rc;
}

void
touch_render(struct cli *c, const struct b32 *key)
{
	char link[PEAR_LINK_TEXT_MAX];
	char name[Z32_KEY_LEN + 1];

	cli_line(c, "%s", pear_link_key(link, key));
	cli_final(c, json_pack("{s:s,s:s,s:b}", "key", z32_key(name, key),
			 "link", link, "success", 1));
}
