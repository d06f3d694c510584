/* The peers of a multisig command. */
#include "cmd/common/ms.h"

static enum err_code
bring(struct common_net *net, const struct release_opts *r,
    const struct b32 *key, uint64_t length, enum common_need need,
    struct err *e)
{
	struct pear_link link = {
	    .key = *key, .has_version = length > 0, .length = length};

	return r->kind == REQUEST_DRIVE
		   ? common_net_drive(net, &link, need, e)
		   : common_net_core(net, key, length, need, e);
}

/* The nodes of a test network are in the config. */
static enum err_code
config_nodes(struct common_net *net, const struct config *cfg, struct err *e)
{
	struct peer_discovery *d = &net->discovery;
	enum err_code rc = ERR_OK;
	size_t n;
	bool none;

	if (cfg->nbootstrap == 0 || net->cli->common.bootstrap != NULL)
		return ERR_OK;
	d->nbootstrap = 0;
	for (size_t i = 0; i < cfg->nbootstrap && rc == ERR_OK; i++) {
		rc = common_net_bootstrap(&net->bootstrap[d->nbootstrap], &n,
		    &none, cfg->bootstrap[i], e);
		d->nbootstrap += n;
	}
	return rc;
}

enum err_code
ms_net(struct common_net *net, struct cli *c, const struct ms_opts *o,
    struct release_opts *r, struct err *e)
{
	enum err_code rc = common_net_open(net, c, r->store, &o->peers, e);

	if (rc != ERR_OK || net->offline ||
	    (rc = config_nodes(net, r->config, e)) != ERR_OK)
		return rc;
	r->fetch = common_net_fetch(net);
	r->peers = common_net_peers(net);
	if ((rc = bring(net, r, &r->source, r->source_length, COMMON_NEED,
		 e)) != ERR_OK)
		return rc;
	/* before its first release nobody has the target */
	rc = bring(net, r, &r->config->key, 0, COMMON_IF_THERE, e);
	return rc == ERR_PEERS ? ERR_OK : rc;
}
