/* What is allowed and looks like a slip of the hand: misspelt fields
 * ("publickeys", "quorums", "srckey"), which everyone ignores, so that the key
 * would silently be another one; and keys that nobody can have. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "codec/z32.h"
#include "multisig/config_impl.h"

#define NAME_MAX_COMPARED 32

static const char *const known[] = {"type", "publicKeys", "namespace", "quorum",
    "srcKey", "multisigKey", "bootstrap"};

/* Edits that turn a into b; both short. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_COMPARED + 1];
	size_t na = strlen(a), nb = strlen(b);

	for (size_t k = 0; k <= nb; k++)
		row[k] = k;
	for (size_t i = 1; i <= na; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t k = 1; k <= nb; k++) {
			size_t best =
			    diagonal + (tolower((unsigned char)a[i - 1]) !=
					   tolower((unsigned char)b[k - 1]));

			if (row[k] + 1 < best)
				best = row[k] + 1;
			if (row[k - 1] + 1 < best)
				best = row[k - 1] + 1;
			diagonal = row[k];
			row[k] = best;
		}
	}
	return row[nb];
}

/* The known field that is meant, or NULL. */
static const char *
meant(const char *name)
{
	const size_t n = sizeof(known) / sizeof(known[0]);

	if (strlen(name) > NAME_MAX_COMPARED)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, known[i]) == 0)
			return NULL;
	for (size_t i = 0; i < n; i++)
		if (distance(name, known[i]) <= 1 + strlen(known[i]) / 8)
			return known[i];
	return NULL;
}

/* The texts beyond the last place are dropped: eight are enough to look. */
PRINTF_LIKE(3, 4)
static enum err_code
warn(struct config *c, struct err *e, const char *fmt, ...)
{
	const size_t most = sizeof(c->warning) / sizeof(c->warning[0]);
	va_list ap;
	int n;

	if (c->nwarnings == most)
		return ERR_OK;
	va_start(ap, fmt);
	n = vasprintf(&c->warning[c->nwarnings], fmt, ap);
	va_end(ap);
	if (n < 0)
		return err_nomem(e);
	c->nwarnings++;
	return ERR_OK;
}

enum err_code
config_near_misses(struct config *c, const json_t *o, struct err *e)
{
	const char *name, *known_name;
	char quoted[128];
	enum err_code rc;
	json_t *v;

	json_object_foreach((json_t *)(void *)(uintptr_t)o, name, v)
	{
		(void)v;
		known_name = meant(name);
		if (known_name == NULL)
			continue;
		err_quote(quoted, sizeof(quoted), name, strlen(name));
		rc = warn(c, e,
		    "unknown field \"%s\" is ignored; is \"%s\" meant?", quoted,
		    known_name);
		if (rc != ERR_OK)
			return rc;
	}
	return ERR_OK;
}

enum err_code
config_unusable_keys(struct config *c, struct err *e)
{
	char key[Z32_KEY_LEN + 1];
	enum err_code rc;

	for (size_t i = 0; i < c->manifest.nsigners; i++) {
		const struct b32 *pub = &c->manifest.signer[i].pub;

		if (sign_public_valid(pub))
			continue;
		rc = warn(c, e,
		    "publicKeys %zu: nobody can sign with %s, which is no "
		    "ed25519 public key",
		    i, z32_key(key, pub));
		if (rc != ERR_OK)
			return rc;
	}
	return ERR_OK;
}
