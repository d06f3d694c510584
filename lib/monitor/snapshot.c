#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "monitor/monitor.h"

const char *
monitor_state_text(enum monitor_state s)
{
	switch (s) {
	case MONITOR_SEARCHING:
		return "searching";
	case MONITOR_FETCHING:
		return "fetching";
	case MONITOR_COMPLETE:
		return "complete";
	case MONITOR_TROUBLE:
		return "trouble";
	}
	return "";
}

enum err_code
monitor_snapshot_resize(struct monitor_snapshot *s, size_t n, struct err *e)
{
	if (!ARR_RESERVE(s->drive, n, s->cap))
		return err_nomem(e);
	if (n > s->n)
		memset(s->drive + s->n, 0, (n - s->n) * sizeof(*s->drive));
	s->n = n;
	return ERR_OK;
}

enum err_code
monitor_snapshot_copy(struct monitor_snapshot *out,
    const struct monitor_snapshot *s, struct err *e)
{
	enum err_code rc;

	if ((rc = monitor_snapshot_resize(out, s->n, e)) != ERR_OK)
		return rc;
	out->node = s->node;
	if (s->n > 0)
		memcpy(out->drive, s->drive, s->n * sizeof(*s->drive));
	return ERR_OK;
}

void
monitor_snapshot_deinit(struct monitor_snapshot *s)
{
	free(s->drive);
	memset(s, 0, sizeof(*s));
}

size_t
monitor_complete(const struct monitor_snapshot *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->drive[i].state == MONITOR_COMPLETE;
	return n;
}
