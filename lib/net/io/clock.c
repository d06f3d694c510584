/* What time it is. */
#include <time.h>

#include "net/io/impl.h"

uint64_t
io_now(void)
{
	return uv_hrtime() / 1000;
}

uint64_t
io_wall_ms(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_REALTIME, &t) != 0 || t.tv_sec < 0)
		return 0;
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t
io_asleep(void)
{
#ifdef CLOCK_BOOTTIME
	struct timespec t;
	uint64_t boot, now;

	if (clock_gettime(CLOCK_BOOTTIME, &t) != 0)
		return 0;
	boot = (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
	now = io_now();
	return boot > now ? boot - now : 0;
#else
	return 0;
#endif
}
