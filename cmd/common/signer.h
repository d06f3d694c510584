/*
 * signer: what hypercore-sign and its older names do (commands.md 8): show a
 * request, sign it, verify an answer, make a key, keep a public key. The
 * questions are those of the reference, word by word and in its order.
 *
 * Secrets are in guarded memory; while one is open the process leaves no
 * core dump and cannot be traced.
 */
#ifndef CMD_COMMON_SIGNER_H
#define CMD_COMMON_SIGNER_H

#include "cli/talk.h"
#include "multisig/keydir.h"
#include "multisig/response.h"

#define SIGNER_DEFAULT "default" /* name of a key that nobody named */

/* -- parts ------------------------------------------------------------------ */

/* dir, or HYPERCORE_SIGN_KEYS_DIRECTORY, or ~/.hypercore-sign. Its warnings
 * go through c, which must outlive it. */
NODISCARD enum err_code signer_dir(
    struct keydir *out, struct cli *c, const char *dir, struct err *e);

/* The text that an argument means: itself, "-" standard input, "@file" a
 * file. *in says what is left of standard input. */
NODISCARD enum err_code signer_input(
    struct buf *out, const char *arg, enum cli_stdin *in, struct err *e);
NODISCARD enum err_code signer_request(
    struct request *out, const char *arg, enum cli_stdin *in, struct err *e);

/* All that will be signed, for people and as an object. The names are the
 * address book's. own may be NULL. */
void signer_show(struct buf *out, const struct request *r,
    const struct keybook *book, const struct b32 *own);
json_t *signer_json(const struct request *r, const struct keybook *book);

/* From before a password is read until the secret is wiped. */
struct signer_guard {
	int dumpable;
	unsigned long long core; /* soft limit */
	bool on;
};
void signer_guard_on(struct signer_guard *g);
void signer_guard_off(struct signer_guard *g);

/* A password to enter, or to choose (asked twice). */
enum signer_ask { SIGNER_ENTER, SIGNER_CHOOSE };
NODISCARD enum err_code signer_password(struct secret *out, struct cli_talk *t,
    enum signer_ask kind, struct err *e);
/* Open a key file; the pair must be that of the public key x->pub. */
NODISCARD enum err_code signer_open(struct sign_pair *out, uint8_t id[8],
    const struct keyfile *file, const struct keydir_entry *x,
    const struct secret *password, struct err *e);

/* -- commands --------------------------------------------------------------- */

struct signer_sign {
	const char *request;   /* as signer_input() takes it */
	const char *dir;       /* or NULL */
	const char *identity;  /* name or path; NULL = default */
	const char *expect;    /* hash of the request, hex or z-base-32 */
	bool yes;	       /* needs expect */
	bool offer_upgrade;    /* ask about legacy keys on a pipe too */
	enum keydir_form form; /* of files that are written */
	/* "Reply with:", or pear's "Response signed by ~/.pear/default:" */
	enum signer_reply { SIGNER_REPLY, SIGNER_REPLY_PEAR } reply;
	/* Called when all is shown and nothing is asked yet; may be NULL. An
	 * error ends the command. */
	enum err_code (*review)(struct cli *c, struct cli_talk *t,
	    const struct request *r, void *ctx, struct err *e);
	void *ctx;
};
NODISCARD enum err_code signer_sign(
    struct cli *c, const struct signer_sign *o, struct err *e);

struct signer_verify {
	const char *response, *request;
	const char *pub;      /* text, or NULL */
	const char *identity; /* name or path of a public key, or NULL */
	const char *dir;
	const char *verb; /* "signed" or, in hypercore-verify, "has signed" */
};
/* ERR_VERIFY. Without pub and identity: by any own or known key. */
NODISCARD enum err_code signer_verify(
    struct cli *c, const struct signer_verify *o, struct err *e);

struct signer_generate {
	const char *dir;  /* or NULL */
	const char *name; /* NULL: asked for, if anybody is there */
};
/* A key that is there already is told, and is no error. */
NODISCARD enum err_code signer_generate(
    struct cli *c, const struct signer_generate *o, struct err *e);

struct signer_add {
	const char *dir; /* or NULL */
	const char *pub;
	const char *alias; /* NULL: asked for */
};
NODISCARD enum err_code signer_add(
    struct cli *c, const struct signer_add *o, struct err *e);

#endif
