#include "net/dht/hello.h"

void
hello_get(const struct dht *d, struct hello *out)
{
	struct rpc_about about;
	struct hello h = {0};

	rpc_about(d->rpc, &about);
	if (!about.firewalled && about.self.family == 4 &&
	    about.self.port != 0) {
		h.open = true;
		h.address[h.n++] = about.self;
	}
	if (d->env.interfaces != NULL)
		h.n += d->env.interfaces(
		    d->env.ctx, h.address + h.n, HELLO_ADDRS_MAX - h.n);
	*out = h;
}

enum dht_firewall
hello_firewall(const struct hello *h)
{
	return h->open ? DHT_FIREWALL_OPEN : DHT_FIREWALL_UNKNOWN;
}

uint32_t
hello_sock(const struct dht *d)
{
	struct rpc_about about;

	rpc_about(d->rpc, &about);
	return about.firewalled ? RPC_SOCK_CLIENT : RPC_SOCK_SERVER;
}

/* How many bytes from the left are the same; the last one does not count. */
static int
common(const struct addr *a, const struct addr *b)
{
	int n = 0;

	if (a->family != 4 || b->family != 4)
		return 0;
	while (n < 3 && a->ip[n] == b->ip[n])
		n++;
	return n;
}

const struct addr *
hello_match(const struct addr *ours, size_t nours, const struct addr *theirs,
    size_t ntheirs)
{
	const struct addr *best = NULL;
	int most = 0;

	for (size_t i = 0; i < nours; i++) {
		for (size_t k = 0; k < ntheirs; k++) {
			int n = common(&ours[i], &theirs[k]);

			if (n <= most)
				continue;
			most = n;
			best = &theirs[k];
		}
	}
	return best;
}

void
hello_put(struct buf *b, const struct addr *a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].family == 4)
			rpc_addr_put(b, &a[i]);
}

size_t
hello_list(struct view list, struct addr *out, size_t max)
{
	size_t n = list.len / RPC_ADDR_LEN;

	if (n > max)
		n = max;
	for (size_t i = 0; i < n; i++)
		rpc_addr_at(list, i, &out[i]);
	return n;
}
