#include "crypto/ready.h"

#include <sodium.h>
#include <stdbool.h>

#include "base/bug.h"

void
ready(void)
{
	static bool done;

	if (__atomic_load_n(&done, __ATOMIC_ACQUIRE))
		return;
	bug_if(sodium_init() < 0); /* takes a lock of its own */
	__atomic_store_n(&done, true, __ATOMIC_RELEASE);
}
