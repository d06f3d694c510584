/* Whom to ask: peers given by hand, and where a search in the DHT begins. */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cmd/common/net.h"
#include "codec/z32.h"

#define NODE_MAX 256 /* "host:port" */

/* The public nodes (network.md 3.1). Their addresses are as stable as their
 * names, and need no other service. */
static const char *const public_nodes[] = {
    "88.99.3.86:49737", "142.93.90.113:49737", "138.68.147.8:49737"};

enum store_mode
common_net_mode(
    const struct cli *c, const struct cli_list *peers, enum store_mode mode)
{
	bool none = c->common.bootstrap != NULL &&
		    strcmp(c->common.bootstrap, "none") == 0;

	if (c->common.offline || (none && peers->n == 0))
		return mode;
	return STORE_CREATE;
}

static enum err_code
bad(const char *text, size_t len, struct err *e)
{
	char quoted[NODE_MAX];

	err_quote(quoted, sizeof(quoted), text, len);
	return err_set(e, ERR_USAGE,
	    "PEAR_DHT_BOOTSTRAP: \"%s\" is not host:port", quoted);
}

static bool
read_port(uint16_t *out, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || n == 0 || n > 65535)
		return false;
	*out = (uint16_t)n;
	return true;
}

static enum err_code
look_up(struct addr *out, const char *host, uint16_t port, struct err *e)
{
	const struct addrinfo hints = {
	    .ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
	struct addrinfo *list = NULL;
	struct sockaddr_in in;
	int got = getaddrinfo(host, NULL, &hints, &list);

	if (got != 0 || list == NULL)
		return err_set(e, ERR_PEERS, "PEAR_DHT_BOOTSTRAP: %s: %s", host,
		    got != 0 ? gai_strerror(got) : "no address");
	memcpy(&in, list->ai_addr, sizeof(in));
	freeaddrinfo(list);
	*out = (struct addr){.family = 4, .port = port};
	memcpy(out->ip, &in.sin_addr, 4);
	return ERR_OK;
}

enum names { NAMES_NOW, NAMES_LATER };

/* "host:port", or "address@name:port" as the original writes it. Without the
 * address if it is a name, and that is for later. */
static enum err_code
one_node(struct addr *out, const char *text, size_t len, enum names how,
    struct err *e)
{
	char node[NODE_MAX], *at, *colon;
	uint16_t port;

	if (len >= sizeof(node))
		return bad(text, len, e);
	memcpy(node, text, len);
	node[len] = '\0';
	colon = strrchr(node, ':');
	if (colon == NULL || colon == node || !read_port(&port, colon + 1))
		return bad(text, len, e);
	*colon = '\0';
	if ((at = strchr(node, '@')) != NULL)
		*at = '\0';
	*out = (struct addr){.family = 4, .port = port};
	if (node[0] == '[' || node[0] == '\0')
		return bad(text, len, e);
	if (inet_pton(AF_INET, node, out->ip) == 1 || how == NAMES_LATER)
		return ERR_OK;
	return look_up(out, node, port, e);
}

/* The next place of a list that has n. */
static enum err_code
place(size_t n, struct err *e)
{
	if (n < COMMON_NODES_MAX)
		return ERR_OK;
	return err_set(
	    e, ERR_USAGE, "more than %d nodes to begin with", COMMON_NODES_MAX);
}

static enum err_code
take_public(struct addr *out, size_t *n, struct err *e)
{
	const size_t all = sizeof(public_nodes) / sizeof(public_nodes[0]);
	enum err_code rc = ERR_OK;

	for (size_t i = 0; i < all && rc == ERR_OK; i++)
		if ((rc = place(*n, e)) == ERR_OK)
			rc = addr_parse(
			    &out[(*n)++], view_str(public_nodes[i]), e);
	return rc;
}

/* Adds to the n that are there; false in *none if text means some. A name that
 * cannot be looked up is left out, and is no harm beside another node: `why`
 * is for the list that has none. */
static enum err_code
take(struct addr *out, size_t *n, bool *none, const char *text, enum names how,
    struct err *why, struct err *e)
{
	enum err_code rc = ERR_OK;
	size_t len;

	*none = text != NULL && strcmp(text, "none") == 0;
	if (*none)
		return ERR_OK;
	if (text == NULL || *text == '\0')
		return take_public(out, n, e);
	for (; *text != '\0' && rc == ERR_OK;
	     text += len + (text[len] == ',')) {
		len = strcspn(text, ",");
		if ((rc = place(*n, e)) != ERR_OK)
			break;
		rc = one_node(&out[*n], text, len, how, e);
		if (rc == ERR_OK)
			(*n)++;
		if (rc == ERR_PEERS) {
			*why = *e;
			rc = ERR_OK;
		}
	}
	return rc;
}

static enum err_code
some(size_t n, const struct err *why, struct err *e)
{
	if (n == 0 && why->code != ERR_OK)
		*e = *why;
	return n == 0 ? why->code : ERR_OK;
}

enum err_code
common_net_bootstrap(
    struct addr *out, size_t *n, bool *none, const char *text, struct err *e)
{
	struct err why = ERR_INIT;
	enum err_code rc;

	*n = 0;
	rc = take(out, n, none, text, NAMES_NOW, &why, e);
	return rc != ERR_OK ? rc : some(*n, &why, e);
}

/* All lists of n, into its bootstrap; all_none: each of them is "none". */
static enum err_code
take_all(struct common_net *n, bool *all_none, enum names how, struct err *e)
{
	struct err why = ERR_INIT;
	enum err_code rc = ERR_OK;
	bool none;

	*all_none = true;
	n->discovery.nbootstrap = 0;
	for (size_t i = 0; i < n->nnodes && rc == ERR_OK; i++) {
		rc = take(n->bootstrap, &n->discovery.nbootstrap, &none,
		    n->nodes[i], how, &why, e);
		*all_none = *all_none && none;
	}
	return rc != ERR_OK ? rc : some(n->discovery.nbootstrap, &why, e);
}

enum err_code
common_net_nodes(
    struct common_net *n, const char *const *nodes, size_t count, struct err *e)
{
	enum err_code rc;
	bool none;

	n->nodes = nodes;
	n->nnodes = count;
	rc = take_all(n, &none, NAMES_LATER, e);
	n->discovers = !none;
	return rc;
}

enum err_code
common_net_names(struct common_net *n, struct err *e)
{
	bool none;

	return take_all(n, &none, NAMES_NOW, e);
}

enum err_code
common_net_relay(
    struct peer_discovery *d, struct b32 *key, const char *text, struct err *e)
{
	if (text == NULL || *text == '\0')
		return ERR_OK;
	if (z32_key_id(view_str(text), key, e) != ERR_OK)
		return err_set(e, ERR_USAGE, "--relay: not a key");
	d->relay = key;
	return ERR_OK;
}

enum err_code
common_net_words(
    struct peer_at *at, const struct cli_list *peers, struct err *e)
{
	if (peers->n > PEER_AT_MAX)
		return err_set(
		    e, ERR_USAGE, "more than %d --peer", PEER_AT_MAX);
	for (size_t i = 0; i < peers->n; i++)
		if (peer_at_parse(&at[i], view_str(peers->item[i]), e) !=
		    ERR_OK) {
			e->code = ERR_USAGE;
			return err_wrap(e, "--peer");
		}
	return ERR_OK;
}
