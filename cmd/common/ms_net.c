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
	if (cfg->nbootstrap == 0 || net->cli->common.bootstrap != NULL)
		return ERR_OK;
	return common_net_nodes(
	    net, (const char *const *)cfg->bootstrap, cfg->nbootstrap, e);
}

/* None of the source, from anybody: not one of the peers that a release wants
 * is there. */
static enum err_code
no_source(const struct ms_opts *o, const struct release_opts *r, struct err *e)
{
	struct err why = *e;
	enum err_code rc;

	if (r->min_peers == 0 || ms_is(o, "review") || e->tag[0] != '\0')
		return ERR_PEERS;
	rc = err_set(e, ERR_PEERS,
	    "SOURCE_CORE_INSUFFICIENT_PEERS: Source core is not well seeded "
	    "(0/%llu peers): %s",
	    (unsigned long long)r->min_peers, why.msg);
	return rc == ERR_PEERS ? err_tag(e, "SOURCE_CORE_INSUFFICIENT_PEERS")
			       : rc;
}

/* Before its first release nobody has the target: it is fetched only if
 * somebody says that he holds something. */
static enum err_code
bring_target(
    struct common_net *net, const struct release_opts *r, struct err *e)
{
	const struct b32 *key = &r->config->key;
	struct peers_question q = {
	    .key = *key, .until = PEERS_KNOWN, .timeout_ms = r->look_ms};
	struct peers_answer a;
	enum err_code rc;

	if ((rc = common_net_topic(net, key, e)) != ERR_OK ||
	    (rc = peers_count(r->peers, &q, &a, e)) != ERR_OK || a.longest == 0)
		return rc;
	rc = bring(net, r, key, 0, COMMON_IF_THERE, e);
	return rc == ERR_PEERS ? ERR_OK : rc;
}

enum err_code
ms_net_open(struct common_net *net, struct cli *c, const struct ms_opts *o,
    const struct release_opts *r, struct err *e)
{
	enum err_code rc = common_net_open(net, c, r->store, &o->peers, e);

	return rc == ERR_OK && !net->offline ? config_nodes(net, r->config, e)
					     : rc;
}

enum err_code
ms_net(struct common_net *net, struct cli *c, const struct ms_opts *o,
    struct release_opts *r, struct err *e)
{
	enum err_code rc = ms_net_open(net, c, o, r, e);

	if (rc != ERR_OK || net->offline)
		return rc;
	r->fetch = common_net_fetch(net);
	r->peers = common_net_peers(net);
	rc = bring(net, r, &r->source, r->source_length, COMMON_NEED, e);
	if (rc == ERR_PEERS)
		return no_source(o, r, e);
	return rc == ERR_OK ? bring_target(net, r, e) : rc;
}

enum err_code
ms_net_offer(struct common_net *net, const struct ms_opts *o,
    const struct b32 *key, struct err *e)
{
	int flags = o->client_only ? PEER_CLIENT : PEER_CLIENT | PEER_SERVER;
	enum err_code rc = common_net_changed(net, e);

	return rc == ERR_OK ? common_net_join(net, key, flags, e) : rc;
}
