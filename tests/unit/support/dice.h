/* dice: a small generator (xorshift), so that a test depends on its seed
 * alone. Set `dice` to anything but 0 for another run. */
#ifndef TESTS_DICE_H
#define TESTS_DICE_H

#include <stdint.h>

static uint64_t dice = 88172645463325252u;

static inline uint64_t
any(uint64_t below)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return dice % below;
}

#endif
