/* The peers of a multisig command. */
#include "cmd/common/ms.h"

static enum err_code
bring(struct common_net *net, const struct release_opts *r,
    const struct b32 *key, uint64_t length, struct err *e)
{
	struct pear_link link = {
	    .key = *key, .has_version = length > 0, .length = length};

	return r->kind == REQUEST_DRIVE ? common_net_drive(net, &link, e)
					: common_net_core(net, key, length, e);
}

enum err_code
ms_net(struct common_net *net, struct cli *c, const struct ms_opts *o,
    struct release_opts *r, struct err *e)
{
	enum err_code rc = common_net_open(net, c, r->store, &o->peers, e);

	if (rc != ERR_OK || net->node == NULL)
		return rc;
	r->fetch = common_net_fetch(net);
	r->peers = common_net_peers(net);
	if ((rc = bring(net, r, &r->source, r->source_length, e)) != ERR_OK)
		return rc;
	/* before its first release nobody has the target */
	rc = bring(net, r, &r->config->key, 0, e);
	return rc == ERR_PEERS ? ERR_OK : rc;
}
