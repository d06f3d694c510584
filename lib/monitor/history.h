/*
 * history: the last ten minutes second by second and the last day minute by
 * minute, in fixed memory. Time is seconds of a clock that never goes back;
 * seconds that were never told (a machine that slept) are gaps.
 */
#ifndef MONITOR_HISTORY_H
#define MONITOR_HISTORY_H

#include "base/buf.h"

#define HISTORY_SECONDS 600
#define HISTORY_MINUTES 1440

struct history_point {
	bool known;
	float down, up; /* bytes a second */
	uint32_t connections;
	uint32_t complete; /* drives that are whole */
	uint64_t rss_bytes;
};

struct history_ring {
	struct history_point *point;
	size_t cap;
	uint64_t last; /* number of the newest; point[last % cap] */
	bool any;
};

/* What a minute is made of until it is over: means, but the most
 * connections and memory. */
struct history_sum {
	uint64_t minute;
	uint32_t n;
	double down, up;
	struct history_point last;
};

struct history {
	struct history_point second[HISTORY_SECONDS], minute[HISTORY_MINUTES];
	struct history_ring seconds, minutes;
	struct history_sum sum;
};

void history_init(struct history *h);
/* A second that is told twice: the later one counts; one that lies before
 * the newest is ignored. */
void history_add(
    struct history *h, uint64_t second, const struct history_point *p);
/* {"seconds":{"step":1,"down":[…],…},"minutes":{…}}, oldest first, null where
 * nothing is known; appended. */
void history_json(struct buf *b, const struct history *h);

#endif
