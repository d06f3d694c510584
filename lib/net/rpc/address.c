#include "net/rpc/impl.h"

static bool
loopback(const struct addr *a)
{
	return a->family == 4 && a->ip[0] == 127;
}

/* Networks that are not of the public internet, by their first bits. */
static const struct {
	uint8_t ip[4];
	uint8_t bits;
} reserved[] = {
    {{0, 0, 0, 0}, 8},	     /* this network */
    {{10, 0, 0, 0}, 8},	     /* private */
    {{100, 64, 0, 0}, 10},   /* carriers' NAT */
    {{127, 0, 0, 0}, 8},     /* loopback */
    {{169, 254, 0, 0}, 16},  /* link local */
    {{172, 16, 0, 0}, 12},   /* private */
    {{192, 0, 0, 0}, 24},    /* protocol assignments */
    {{192, 0, 2, 0}, 24},    /* documentation */
    {{192, 168, 0, 0}, 16},  /* private */
    {{198, 18, 0, 0}, 15},   /* benchmarks */
    {{198, 51, 100, 0}, 24}, /* documentation */
    {{203, 0, 113, 0}, 24},  /* documentation */
    {{224, 0, 0, 0}, 3},     /* multicast, later use, broadcast */
};

static uint32_t
number(const uint8_t ip[static 4])
{
	return (uint32_t)ip[0] << 24 | (uint32_t)ip[1] << 16 |
	       (uint32_t)ip[2] << 8 | ip[3];
}

bool
rpc_addr_reserved(const struct addr *a)
{
	if (a->family != 4)
		return true;
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		uint32_t x = number(a->ip) ^ number(reserved[i].ip);

		if (x >> (32 - reserved[i].bits) == 0)
			return true;
	}
	return false;
}

bool
rpc_addr_believed(const struct addr *a, const struct addr *from)
{
	if (a->family != 4 || a->port == 0 || a->ip[0] == 0 || a->ip[0] >= 224)
		return false;
	if (loopback(a))
		return loopback(from);
	return !rpc_addr_reserved(a) || rpc_addr_reserved(from);
}
