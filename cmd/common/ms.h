/*
 * ms: what hyper-multisig and pear-multisig do (commands.md 9). Two thin
 * fronts over one library: they differ in where config, keys and store are,
 * in the request version they write, and in some texts and events.
 */
#ifndef CMD_COMMON_MS_H
#define CMD_COMMON_MS_H

#include "cmd/common/net.h"
#include "multisig/config.h"
#include "multisig/keydir.h"
#include "multisig/release.h"
#include "multisig/response.h"

enum ms_front { MS_HYPER, MS_PEAR };

struct ms_opts {
	enum ms_front front;
	const char *word; /* the subcommand */
	struct cli_list rest, peers;
	const char *config, *storage, *out, *source, *vanity;
	struct cli_int version, timeout, look, interval, min_peers, min_full;
	bool first_commit, skip_target, client_only, force, force_dangerous;
	bool dry_run, forget, secret, yes;
	const char *expect;
	/* review */
	const char *rebuild, *provenance, *report, *chunking, *keys;
	bool diff, plain;
	bool review; /* default true */
	bool seed;   /* after a commit; default true */
};

/* The whole command; both mains are this call. Returns the exit code. */
int ms_main(enum ms_front front, int argc, char **argv);
/* The subcommand that o->word names. */
NODISCARD enum err_code ms_run(
    struct cli *c, const struct ms_opts *o, struct err *e);

/* -- parts ------------------------------------------------------------------ */

/* What the words behind a subcommand are, told by decoding them: a source
 * link, a request, responses; "@file" and "-" hold one a line, a folder holds
 * files of lines. */
struct ms_args {
	bool has_source;
	struct b32 source;
	bool has_version;
	uint64_t fork, length; /* of a versioned source link */
	bool has_request;
	struct request request;
	struct buf bytes; /* of the request */
	struct buf text;  /* of the request, z-base-32 */
	struct response *response;
	size_t n, cap;
};
void ms_args_init(struct ms_args *a);
void ms_args_deinit(struct ms_args *a);
/* ERR_USAGE names what is neither. */
NODISCARD enum err_code ms_args_read(
    struct ms_args *a, const struct cli_list *words, struct err *e);

/* The config that the options name, or the one that is found; prints which,
 * and its warnings. */
NODISCARD enum err_code ms_config(
    struct config *out, struct cli *c, const struct ms_opts *o, struct err *e);
/* Kind by the -core or -drive of the word, else the config, else a drive. */
enum request_kind ms_kind(const struct ms_opts *o, const struct config *cfg);
/* Is the word this subcommand, with or without -core, -drive? */
bool ms_is(const struct ms_opts *o, const char *word);
/* "drive", "core" */
const char *ms_kind_name(enum request_kind kind);
/* Where keys are: --keys, else hypercore-sign's folder, or ~/.pear. */
NODISCARD enum err_code ms_keydir(
    struct keydir *out, struct cli *c, const struct ms_opts *o, struct err *e);
/* The signers' names, or an empty book. */
NODISCARD enum err_code ms_book(struct keybook **out, struct cli *c,
    const struct ms_opts *o, struct err *e);

/* The network of the options, and of the config. */
NODISCARD enum err_code ms_net_open(struct common_net *net, struct cli *c,
    const struct ms_opts *o, const struct release_opts *r, struct err *e);
/* That, and ask: source and target are as long here as the peers have them,
 * and r can count and fetch. */
NODISCARD enum err_code ms_net(struct common_net *net, struct cli *c,
    const struct ms_opts *o, struct release_opts *r, struct err *e);
/* The target has changed here: tell the peers, and let others find it, unless
 * the options say not to. */
NODISCARD enum err_code ms_net_offer(struct common_net *net,
    const struct ms_opts *o, const struct b32 *key, struct err *e);
/* Options of a release as the command line and config have them. */
NODISCARD enum err_code ms_release_opts(struct release_opts *r,
    const struct ms_opts *o, const struct config *cfg, const struct ms_args *a,
    struct store *s, struct err *e);

/* " (alice)" as the book calls the key, or "". */
#define MS_NAME_MAX 256
const char *ms_name(const struct keybook *book, const struct b32 *pub,
    char out[static MS_NAME_MAX]);
/* "Quorum: 1 / 2", and who could still sign. */
void ms_show_quorum(struct cli *c, const struct quorum *q,
    const struct manifest *m, const struct keybook *book);

/* {"key","keyHex","length","treeHash","treeHashHex"} */
json_t *ms_core_json(const struct release_core *core);
json_t *ms_result_json(const struct release_report *r, enum request_kind kind);

/* The review of a request, shown; ERR_VERIFY if it found something that must
 * not be released. */
NODISCARD enum err_code ms_review_request(struct cli *c,
    const struct ms_opts *o, const struct release_opts *ro,
    const struct request *req, const struct keybook *book, struct err *e);

/* -- subcommands ------------------------------------------------------------ */

NODISCARD enum err_code ms_link(
    struct cli *c, const struct ms_opts *o, struct err *e);
NODISCARD enum err_code ms_request(
    struct cli *c, const struct ms_opts *o, struct err *e);
NODISCARD enum err_code ms_release(
    struct cli *c, const struct ms_opts *o, struct err *e);
NODISCARD enum err_code ms_seed(
    struct cli *c, const struct ms_opts *o, struct err *e);
NODISCARD enum err_code ms_inspect(
    struct cli *c, const struct ms_opts *o, struct err *e);
NODISCARD enum err_code ms_status(
    struct cli *c, const struct ms_opts *o, struct err *e);
NODISCARD enum err_code ms_keys(
    struct cli *c, const struct ms_opts *o, struct err *e);
NODISCARD enum err_code ms_sign(
    struct cli *c, const struct ms_opts *o, struct err *e);
NODISCARD enum err_code ms_review(
    struct cli *c, const struct ms_opts *o, struct err *e);

#endif
