/*
 * monitor: what a seeder shows of itself, as plain values, and the texts that
 * are made of them: Prometheus metrics, JSON for scripts and for the page,
 * and a history of fixed size. Pure: no clock, socket or file. The owner
 * fills a snapshot and says when; a copy may be read by another thread.
 *
 *	struct monitor_snapshot s = {0};
 *	rc = monitor_snapshot_resize(&s, ndrives, e);
 *	...fill s.node and s.drive[0..n-1]...
 *	monitor_state_json(&buf, &s);
 *	monitor_snapshot_deinit(&s);
 */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include "base/buf.h"

#define MONITOR_NAME_MAX 64

enum monitor_state {
	MONITOR_SEARCHING, /* nothing of it is here */
	MONITOR_FETCHING,  /* something is missing */
	MONITOR_COMPLETE,  /* everything that is known of is here */
	MONITOR_TROUBLE	   /* cannot go on: see the log */
};
const char *monitor_state_text(enum monitor_state s); /* "complete" */

/* Of one core. */
struct monitor_core {
	struct b32 key;
	uint64_t length, contiguous, bytes; /* blocks, blocks, bytes */
};

struct monitor_drive {
	enum monitor_state state;
	bool has_blobs; /* the blobs core is known */
	bool writable;	/* written on this machine */
	struct monitor_core db, blobs;
	char name[MONITOR_NAME_MAX]; /* of the app, UTF-8; "": not known */
	struct b32 topic;
	uint64_t bytes_in, bytes_out, blocks_in, blocks_out; /* since start */
	double down, up;      /* bytes a second */
	uint32_t peers, full; /* connected for it; of them: have it whole */
};

struct monitor_node {
	struct b32 key;
	char address[64], version[32];
	uint64_t uptime_us, rss_bytes;
	uint64_t bytes_in, bytes_out, blocks_in, blocks_out;
	double down, up;
	uint32_t connections;
	/* the DHT; not known: known is false */
	bool known, online, firewalled, consistent;
	uint32_t nodes, topics, announced;
	bool disk_full;
};

struct monitor_snapshot {
	struct monitor_node node;
	struct monitor_drive *drive;
	size_t n, cap;
};

/* Room for n drives; what was there stays. */
NODISCARD enum err_code monitor_snapshot_resize(
    struct monitor_snapshot *s, size_t n, struct err *e);
NODISCARD enum err_code monitor_snapshot_copy(struct monitor_snapshot *out,
    const struct monitor_snapshot *s, struct err *e);
void monitor_snapshot_deinit(struct monitor_snapshot *s);
size_t monitor_complete(const struct monitor_snapshot *s); /* drives */

/* Appended; failures are the buffer's. */
void monitor_state_json(struct buf *b, const struct monitor_snapshot *s);
void monitor_metrics(struct buf *b, const struct monitor_snapshot *s);

#endif
