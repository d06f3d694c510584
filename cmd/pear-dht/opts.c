#include <string.h>

#include "cmd/common/net.h"
#include "cmd/pear-dht/dht_cmd.h"
#include "codec/z32.h"

#define INTERVAL_MS 3000

#define AT(field) offsetof(struct dht_args, field)

static const struct cli_option options[] = {
    {"bootstrap", 0, CLI_FLAG, AT(bootstrap), NULL,
	"Begin a network: there is no other node to ask", NULL},
    {"node", 0, CLI_LIST, AT(node), "<host:port>",
	"A node of the network to join, an address of numbers (repeatable)",
	NULL},
    {"host", 0, CLI_VALUE, AT(host), "<address>",
	"Address to listen on (default 0.0.0.0)", NULL},
    {"port", 0, CLI_INT, AT(port), "<port>",
	"UDP port, 0: any (default 49737, or one of the next four)",
	"--port must be a number up to 65535"},
    {"public", 0, CLI_VALUE, AT(public), "<host:port>",
	"Where others reach this node, if it is not the address it listens on",
	NULL},
    {"nodes", 0, CLI_INT, AT(nodes), "<n>",
	"Run a whole network of n nodes on this machine",
	"--nodes must be a number"},
    {"lookup", 0, CLI_VALUE, AT(lookup), "<topic>",
	"Print the peers that announced a topic, and end", NULL},
    {"find", 0, CLI_VALUE, AT(find), "<key>",
	"Print the nodes that know the server of a public key, and end", NULL},
    {"stats-interval", 0, CLI_INT, AT(interval), "<ms>",
	"Least time between two reports (default 3000)",
	"--stats-interval must be a number"},
};

static const char *const examples[] = {
    "pear-dht --bootstrap --host 192.0.2.7",
    "pear-dht --node 192.0.2.7:49737",
    "pear-dht --nodes 10",
    "pear-dht --lookup TOPIC --node 127.0.0.1:49737",
    NULL,
};

const struct cli_spec dht_spec = {
    .name = "pear-dht",
    .event = "dht",
    .summary = "Run a node of the DHT by which peers find each other, or ask "
	       "it something.",
    .option = options,
    .noptions = sizeof(options) / sizeof(options[0]),
    .example = examples,
};

void
dht_args_deinit(struct dht_args *a)
{
	cli_list_deinit(&a->node);
}

/* -- addresses ------------------------------------------------------------ */

static enum err_code
one_address(
    struct addr *out, struct view text, const char *option, struct err *e)
{
	if (addr_parse(out, text, e) != ERR_OK) {
		e->code = ERR_USAGE;
		return err_wrap(e, "%s", option);
	}
	if (out->family != 4)
		return err_set(e, ERR_USAGE,
		    "%s: the DHT has IPv4 addresses only", option);
	return ERR_OK;
}

static enum err_code
add_node(
    struct dht_plan *p, struct view text, const char *option, struct err *e)
{
	enum err_code rc;

	if (p->nbootstrap == RPC_BOOTSTRAP_MAX)
		return err_set(e, ERR_USAGE, "%s: more than %d nodes", option,
		    RPC_BOOTSTRAP_MAX);
	rc = one_address(&p->bootstrap[p->nbootstrap], text, option, e);
	if (rc == ERR_OK && p->bootstrap[p->nbootstrap].port == 0)
		return err_set(e, ERR_USAGE, "%s: a node has a port", option);
	if (rc == ERR_OK)
		p->nbootstrap++;
	return rc;
}

/* Those that every command takes from the environment; names are looked up. */
static enum err_code
common_nodes(struct dht_plan *p, const char *list, struct err *e)
{
	struct addr node[COMMON_NODES_MAX];
	enum err_code rc;
	size_t n = 0;
	bool none;

	rc = common_net_bootstrap(node, &n, &none, list, e);
	if (rc != ERR_OK)
		return rc;
	if (none)
		return err_set(e, ERR_USAGE,
		    "PEAR_DHT_BOOTSTRAP is none: --node says which network");
	if (n > RPC_BOOTSTRAP_MAX)
		n = RPC_BOOTSTRAP_MAX;
	memcpy(p->bootstrap, node, n * sizeof(*node));
	p->nbootstrap = n;
	return ERR_OK;
}

static enum err_code
plan_nodes(struct dht_plan *p, const struct cli *c, const struct dht_args *a,
    struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; i < a->node.n && rc == ERR_OK; i++)
		rc = add_node(p, view_str(a->node.item[i]), "--node", e);
	if (rc != ERR_OK || p->nbootstrap > 0 || a->bootstrap || p->nodes > 1)
		return rc;
	if (c->common.bootstrap == NULL)
		return err_set(e, ERR_USAGE,
		    "--node says which network, --bootstrap begins one");
	return common_nodes(p, c->common.bootstrap, e);
}

static enum err_code
plan_host(struct dht_plan *p, const struct dht_args *a, struct err *e)
{
	static const struct addr any = {.family = 4};
	const char *host = a->host;
	struct buf b;
	enum err_code rc;

	if (host == NULL)
		host = p->nodes > 1 ? "127.0.0.1" : "0.0.0.0";
	buf_init(&b, 300);
	buf_printf(&b, "%s:0", host);
	rc = addr_parse(&p->host, buf_view(&b), e);
	buf_deinit(&b);
	if (rc != ERR_OK || p->host.family != 4)
		return err_set(e, ERR_USAGE, "--host must be an IPv4 address");
	p->fixed_port = a->port.set || p->nodes > 1;
	if (a->port.n > UINT16_MAX)
		return err_set(
		    e, ERR_USAGE, "--port must be a number up to 65535");
	p->host.port = (uint16_t)a->port.n;
	/* one that is bound to an address is what it is bound to */
	p->has_self = !addr_same_host(&p->host, &any);
	p->self = p->host;
	if (a->public == NULL)
		return ERR_OK;
	p->has_self = true;
	return one_address(&p->self, view_str(a->public), "--public", e);
}

static enum err_code
plan_job(struct dht_plan *p, const struct dht_args *a, struct err *e)
{
	const char *key = a->lookup != NULL ? a->lookup : a->find;

	if (key == NULL)
		return ERR_OK;
	if ((a->lookup != NULL && a->find != NULL) || a->bootstrap ||
	    p->nodes > 1)
		return err_set(e, ERR_USAGE,
		    "only one of --lookup, --find, --bootstrap and --nodes");
	p->job = a->lookup != NULL ? DHT_LOOKUP_JOB : DHT_FIND_JOB;
	if (z32_key_id(view_str(key), &p->key, e) != ERR_OK)
		return err_set(e, ERR_USAGE,
		    "%s: 52 characters of z-base-32, or 64 hex digits",
		    a->lookup != NULL ? "--lookup" : "--find");
	return ERR_OK;
}

enum err_code
dht_plan(struct dht_plan *out, const struct cli *c, const struct dht_args *a,
    struct err *e)
{
	struct dht_plan p = {.job = DHT_SERVE, .nodes = 1};
	enum err_code rc;

	if (a->nodes.set)
		p.nodes = a->nodes.n;
	if (p.nodes == 0 || p.nodes > DHT_NODES_MAX)
		return err_set(
		    e, ERR_USAGE, "--nodes: from 1 to %d", DHT_NODES_MAX);
	if (p.nodes > 1 && (a->port.n != 0 || a->public != NULL))
		return err_set(
		    e, ERR_USAGE, "--nodes: each has a port of its own");
	p.interval_us = (a->interval.set ? a->interval.n : INTERVAL_MS) * 1000;
	if ((rc = plan_job(&p, a, e)) != ERR_OK ||
	    (rc = plan_nodes(&p, c, a, e)) != ERR_OK ||
	    (rc = plan_host(&p, a, e)) != ERR_OK)
		return rc;
	if (c->common.offline)
		return err_set(e, ERR_USAGE, "--offline leaves nothing to do");
	*out = p;
	return ERR_OK;
}
