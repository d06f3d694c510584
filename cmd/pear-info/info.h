/* info: what a drive of this store is (commands 10, the local part). */
#ifndef CMD_PEAR_INFO_INFO_H
#define CMD_PEAR_INFO_INFO_H

#include "cmd/common/drive.h"
#include "cmd/common/net.h"
#include "pear/appcfg.h"
#include "cli/cli.h"

struct info_opts {
	const char *link;
	bool key, metadata, manifest, multisig; /* sections; none = all */
	struct cli_list peers;
};

extern const struct cli_spec info_spec;

struct info_blobs {
	struct b32 key;
	bool has_head; /* the core is in this store */
	uint64_t length, fork, byte_length;
};

struct info_report {
	bool own; /* no link: about this program */
	bool empty;
	struct common_drive drive;
	struct b32 tree_hash;
	bool has_blobs;
	struct info_blobs blobs;
	bool has_config; /* package.json was read */
	struct appcfg config;
	struct store *store; /* behind the handles */
	struct common_net net;
};

NODISCARD enum err_code info_run(struct cli *c, const struct info_opts *opts,
    struct info_report *out, struct err *e);
void info_report_deinit(struct info_report *r);
/* ERR_INVALID: a section that this drive does not have. */
NODISCARD enum err_code info_render(struct cli *c, const struct info_opts *opts,
    const struct info_report *r, struct err *e);

#endif
