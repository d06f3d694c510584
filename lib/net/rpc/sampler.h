/*
 * sampler: the own address, from what others say it is (network.md 2.4;
 * nat-sampler@1.0.1). The last sixteen samples count; most of them must
 * agree.
 */
#ifndef NET_RPC_SAMPLER_H
#define NET_RPC_SAMPLER_H

#include "base/addr.h"

#define SAMPLER_RING 32 /* two of each sample: with the port, without */
#define SAMPLER_POOL (SAMPLER_RING + 4)
#define SAMPLER_NONE UINT8_MAX

struct sampler_entry {
	struct addr addr;
	unsigned hits; /* how often the ring names it; 0: free */
};

struct sampler {
	/* family 0: unknown; port 0: the host is known, its port differs */
	struct addr addr;
	unsigned size;		    /* samples in the ring */
	unsigned n, top;	    /* of the ring: filled, where to write */
	uint8_t ring[SAMPLER_RING]; /* positions in the pool */
	struct sampler_entry pool[SAMPLER_POOL];
	/* positions of the best entries so far, with the port, without */
	uint8_t both, host;
};

void sampler_init(struct sampler *s);
/* Did the judgement change? */
bool sampler_add(struct sampler *s, const struct addr *a);

#endif
