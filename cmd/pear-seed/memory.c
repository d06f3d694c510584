/* Memory that a crowd has left goes back to the system: the allocator of the
 * C library keeps pages that are free in the middle of others, and a seeder
 * runs for months. */
#include "cmd/pear-seed/seed.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#define LEFT_MIN 64u	  /* peers, or drives that were looked at */
#define SETTLE_US 5000000 /* what the network thread holds goes later */
#define APART_US 30000000 /* trimming walks over all that is free */

static void
give_back(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

/* Have enough gone since most were here? */
static bool
have_left(const struct memory *m, size_t now)
{
	return m->most >= now + LEFT_MIN && now <= m->most / 2;
}

void
memory_turn(struct seeder *s)
{
	struct memory *m = &s->memory;
	size_t users = peer_connections(s->node) + s->drives.reading;
	uint64_t now = peer_now();

	if (users > m->most)
		m->most = users;
	if (!have_left(m, users)) {
		m->due = 0;
		return;
	}
	if (m->due == 0)
		m->due = now + SETTLE_US > m->last + APART_US
			     ? now + SETTLE_US
			     : m->last + APART_US;
	if (now < m->due)
		return;
	give_back();
	m->last = now;
	m->due = 0;
	m->most = users;
}
