/*
 * Config files of strangers, in both forms. One that is taken has a key that
 * its own parts give again, and a quorum of different keys.
 */
#include <string.h>

#include "multisig/config.h"
#include "support/vec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
consistent(const struct config *c)
{
	static struct manifest m;
	static struct b32 pub[MANIFEST_SIGNERS_MAX];
	const struct manifest *own = &c->manifest;
	struct err e = ERR_INIT;
	struct b32 key;

	check(own->nsigners >= 1 && own->nsigners <= MANIFEST_SIGNERS_MAX);
	check(own->quorum >= 1 && own->quorum <= own->nsigners);
	check(c->ns[0] != '\0' && c->nwarnings <= 8);
	check_ok(manifest_check(own, &e), &e);
	for (size_t i = 0; i < own->nsigners; i++) {
		pub[i] = own->signer[i].pub;
		for (size_t k = 0; k < i; k++)
			check(!b32_eq(&pub[i], &pub[k]));
	}
	check_ok(config_manifest(
		     &m, pub, own->nsigners, view_str(c->ns), own->quorum, &e),
	    &e);
	manifest_key(&key, &m);
	check(b32_eq(&key, &c->key) && !b32_eq(&key, &c->blobs_key));
	for (size_t i = 0; i < c->nwarnings; i++)
		check(c->warning[i] != NULL);
}

static void
one(enum config_form form, struct view text)
{
	struct config c, again;
	struct err e = ERR_INIT;
	enum err_code rc = config_parse(&c, form, "name", text, &e);

	if (rc != ERR_OK) {
		check(rc == ERR_INVALID || rc == ERR_FORMAT || rc == ERR_LIMIT);
		check(e.msg[0] != '\0');
		check(strcmp(e.tag, "ERR_INVALID_CONFIG") == 0);
		return;
	}
	check(c.form == form && strcmp(c.file, "name") == 0);
	consistent(&c);
	check_ok(config_parse(&again, form, "name", text, &e), &e);
	check(b32_eq(&again.key, &c.key));
	config_deinit(&again);
	config_deinit(&c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	one(CONFIG_HYPER, view_of(data, size));
	one(CONFIG_PEAR, view_of(data, size));
	return 0;
}
