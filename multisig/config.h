/*
 * config: who signs for a production key: multisig.json, config.json and
 * pear.json (commands.md 9.1, 9.2, 18). Signers stand in the order of the
 * file, which is part of the key. Keys are z-base-32, hex or pear:// links.
 */
#ifndef MULTISIG_CONFIG_H
#define MULTISIG_CONFIG_H

#include "multisig/request.h"

#define CONFIG_SIZE_MAX (1u << 20)
#define CONFIG_NAMESPACE_MAX 1024
#define CONFIG_BOOTSTRAP_MAX 32

enum config_form {
	CONFIG_HYPER, /* multisig.json, config.json */
	CONFIG_PEAR   /* the "multisig" field of pear.json */
};
enum config_type { CONFIG_TYPE_NONE, CONFIG_TYPE_CORE, CONFIG_TYPE_DRIVE };

struct config {
	char *file; /* as read, for messages; owned */
	enum config_form form;
	enum config_type type; /* NONE: the file does not say */
	char *ns;	       /* namespace text, NUL-terminated; owned */
	struct manifest manifest;
	struct b32 key;	      /* target, its metadata core */
	struct b32 blobs_key; /* its contents core, if it is a drive */
	bool has_source;
	struct b32 source; /* srcKey */
	size_t nbootstrap; /* "host:port" of test networks; owned */
	char *bootstrap[CONFIG_BOOTSTRAP_MAX];
	size_t nwarnings; /* "publickeys", keys nobody can have; owned */
	char *warning[8];
};

void config_deinit(struct config *c);

/* The key's parts given directly; the checks of config_parse. quorum 0 =
 * floor(n/2)+1. */
NODISCARD enum err_code config_manifest(struct manifest *out,
    const struct b32 *pub, size_t n, struct view ns, uint64_t quorum,
    struct err *e);

/* `name` is for messages. All refusals are ERR_INVALID with the texts and
 * tags of commands 9.2; also refused: duplicate public keys, quorum < 1 or
 * above the number of keys, more than MANIFEST_SIGNERS_MAX keys, a
 * namespace that is no text, a multisigKey that is another key. A text that
 * is no JSON: ERR_FORMAT "Could not parse config <file>: …". In CONFIG_HYPER
 * form srcKey is optional here; who needs it says "srcKey must be set". */
NODISCARD enum err_code config_parse(struct config *out, enum config_form form,
    const char *name, struct view text, struct err *e);
/* Read a file; the form by its content: an object "multisig" is CONFIG_PEAR.
 * ERR_NOT_FOUND and others with the tag ERR_INVALID_INPUT. */
NODISCARD enum err_code config_read(
    struct config *out, const char *path, struct err *e);
/* Search: multisig.json, pear.json (if it holds "multisig"), config.json (if
 * it holds "publicKeys") in the working directory. ERR_NOT_FOUND names all
 * three. */
NODISCARD enum err_code config_find(struct config *out, struct err *e);

/* link --vanity: the file again with another namespace, everything else as it
 * was, replaced in one step. */
NODISCARD enum err_code config_set_namespace(
    const char *path, const char *ns, struct err *e);

#endif
