/*
 * content: the bytes of one file on disk on their way into a drive, or held
 * against what the drive already has.
 *
 * A file is opened once, and its size and times are compared with what the
 * scan saw before the first and after the last byte: a file that changes
 * while it is read is ERR_CHANGED with its name, never a mixture.
 * One struct content is reused for all files; it owns one read buffer.
 */
#ifndef DRIVE_CONTENT_H
#define DRIVE_CONTENT_H

#include <sys/stat.h>

#include "blobs/blobs.h"
#include "blobs/chunker.h"
#include "crypto/hash.h"

struct content {
	enum chunker_kind chunking;
	uint8_t *buf; /* cap bytes */
	size_t cap;
	enum content_sum { CONTENT_NO_SUM, CONTENT_SUM } sum;
	/* polled between reads; true = stop with ERR_INTERRUPTED */
	bool (*stop)(void *ctx);
	void *stop_ctx;
};

/* What the scan knew about the file, and where it is. */
struct content_file {
	int dirfd;
	const char *path; /* for openat, relative to dirfd */
	const char *name; /* for messages */
	enum content_follow { CONTENT_NOFOLLOW, CONTENT_FOLLOW } follow;
	struct stat st;
};

NODISCARD enum err_code content_init(
    struct content *c, enum chunker_kind chunking, struct err *e);
void content_deinit(struct content *c);

/* Cut the file and hand its chunks to the writer; ends the content. `sum` is
 * set (BLAKE2b-256 of the bytes) if c->sum asks for it. */
struct content_stored {
	struct blobs_id id;
	uint64_t stored; /* bytes newly appended, maps included */
	struct b32 sum;
};
NODISCARD enum err_code content_store(struct content *c,
    const struct content_file *f, struct blobs_writer *wr,
    struct content_stored *out, struct err *e);

/* Does the file hold exactly the blob's bytes? Reads the file once and
 * compares leaf hashes along the blob's own block bounds, so no block of the
 * drive is read. sum as above (only meaningful if *same). */
NODISCARD enum err_code content_same(struct content *c,
    const struct content_file *f, struct core *blobs, const struct blobs_id *id,
    bool *same, struct b32 *sum, struct want *w, struct err *e);

#endif
