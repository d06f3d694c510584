/* The service manager: ready, alive, and what we do. */
#include <inttypes.h>

#include <stdlib.h>

#include "cmd/pear-seed/seed.h"

/* Asked for by a unit and not possible: the unit is wrong, or its socket.
 * Programs that we start are not asked. */
enum err_code
service_open(struct seeder *s, struct err *e)
{
	struct notify_env env = {.socket = getenv("NOTIFY_SOCKET"),
	    .usec = getenv("WATCHDOG_USEC"),
	    .pid = getenv("WATCHDOG_PID")};
	enum err_code rc = notify_open(&s->notify, &env, e);

	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	return rc;
}

void
service_ready(struct seeder *s)
{
	notify_send(&s->notify, "READY=1");
	service_status(s);
}

void
service_status(struct seeder *s)
{
	const struct monitor_node *n = &s->snap.node;
	char up[CLI_SIZE_MAX], down[CLI_SIZE_MAX];

	notify_send(&s->notify,
	    "STATUS=%zu drives, %zu complete, %" PRIu32
	    " peers, %s/s up, %s/s down%s",
	    s->snap.n, monitor_complete(&s->snap), n->connections,
	    cli_size(up, (int64_t)n->up), cli_size(down, (int64_t)n->down),
	    n->disk_full ? ", the disk is full" : "");
}

void
service_turn(struct seeder *s)
{
	uint64_t now = peer_now();

	if (s->notify.watchdog_us == 0 || now < s->next_dog)
		return;
	notify_send(&s->notify, "WATCHDOG=1");
	s->next_dog = now + s->notify.watchdog_us;
}

void
service_close(struct seeder *s)
{
	notify_send(&s->notify, "STOPPING=1");
}
