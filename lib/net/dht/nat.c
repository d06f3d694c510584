#include "net/dht/nat.h"

#include <string.h>

void
nat_init(struct nat *n, enum nat_reach reach)
{
	memset(n, 0, sizeof(*n));
	n->reach = reach;
	n->firewall =
	    reach == NAT_OPEN ? DHT_FIREWALL_OPEN : DHT_FIREWALL_UNKNOWN;
}

/* One more hit for a; the list stays sorted, older ones first. There is room:
 * as many answers as entries are counted. */
static void
hit(struct nat_seen *seen, size_t *n, const struct addr *a)
{
	struct nat_seen s = {.addr = *a};
	size_t i = 0;

	while (i < *n && !addr_eq(&seen[i].addr, a))
		i++;
	if (i < *n)
		s = seen[i];
	else
		++*n;
	s.hits++;
	for (; i > 0 && seen[i - 1].hits < s.hits; i--)
		seen[i] = seen[i - 1];
	seen[i] = s;
}

static enum dht_firewall
judge(const struct nat *n)
{
	if (n->reach == NAT_OPEN)
		return DHT_FIREWALL_OPEN;
	if (n->sampled < 3)
		return n->firewall;
	if (n->full[0].hits >= 3)
		return DHT_FIREWALL_CONSISTENT;
	if (n->full[0].hits == 1)
		return DHT_FIREWALL_RANDOM;
	if (n->nhosts == 1 && n->sampled > 3)
		return DHT_FIREWALL_RANDOM;
	if (n->nhosts > 1 && n->nfull > 1 && n->full[1].hits > 1)
		return DHT_FIREWALL_CONSISTENT;
	return n->sampled > 4 ? DHT_FIREWALL_RANDOM : n->firewall;
}

static void
choose(struct nat *n)
{
	n->naddresses = 0;
	switch (n->firewall) {
	case DHT_FIREWALL_UNKNOWN:
		return;
	case DHT_FIREWALL_RANDOM:
		n->address[n->naddresses++] = n->host[0].addr;
		return;
	case DHT_FIREWALL_OPEN:
	case DHT_FIREWALL_CONSISTENT:
		for (size_t i = 0; i < n->nfull; i++)
			if (n->naddresses < 2 ||
			    (n->full[i].hits >= 2 &&
				n->naddresses < PUNCH_ADDRS_MAX))
				n->address[n->naddresses++] = n->full[i].addr;
		return;
	}
}

bool
nat_counted(const struct nat *n, const struct addr *by)
{
	for (size_t i = 0; i < n->sampled; i++)
		if (addr_eq(&n->by[i], by))
			return true;
	return false;
}

void
nat_add(struct nat *n, const struct addr *seen, const struct addr *by)
{
	struct addr host = *seen;

	if (n->sampled == NAT_ANSWERS || nat_counted(n, by))
		return;
	n->by[n->sampled++] = *by;
	host.port = 0;
	hit(n->host, &n->nhosts, &host);
	hit(n->full, &n->nfull, seen);
	if (n->frozen)
		return;
	n->firewall = judge(n);
	choose(n);
}

bool
nat_known(const struct nat *n)
{
	return (n->firewall == DHT_FIREWALL_OPEN && n->sampled > 0) ||
	       n->firewall == DHT_FIREWALL_CONSISTENT ||
	       n->sampled >= NAT_SAMPLES;
}
