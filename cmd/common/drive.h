/*
 * drive: one version of a drive of the store, as a link names it. What a
 * link promises (fork, length, tree hash) is checked before anything is
 * read. What is not here is asked for with a fetch, if there is one.
 */
#ifndef CMD_COMMON_DRIVE_H
#define CMD_COMMON_DRIVE_H

#include "hyperdrive/drive.h"
#include "pear/link.h"

#define COMMON_FILE_MAX (16u << 20)

struct common_drive {
	struct core *db;	   /* own handle, always there */
	struct hyperdrive *drive;  /* NULL: no drive can be read here */
	struct bee *bee;	   /* the checkout; NULL with drive */
	uint64_t version;	   /* length of the checkout */
	bool checkout;		   /* the link named a version */
	struct tree tree;	   /* of db at version */
	const struct fetch *fetch; /* for what is not here; borrowed */
};

/* ERR_PEERS (tag ERR_NOT_FOUND): not in this store. ERR_CONFLICT: another
 * fork; ERR_VERIFY: another tree hash. *out is zeroed at first. */
NODISCARD enum err_code common_drive_open(struct common_drive *out,
    struct store *s, const struct pear_link *link, const struct fetch *f,
    struct err *e);
void common_drive_close(struct common_drive *d);

/* After ERR_NEED_BLOCK: true if it came, and the read is to be repeated. With
 * f NULL *rc stays. */
bool common_drive_again(const struct fetch *f, enum err_code *rc,
    const struct want *w, struct err *e);

/* A whole file, appended. ERR_NOT_FOUND: no such entry; ERR_NEED_BLOCK: its
 * blocks are not here, and nobody was asked. */
NODISCARD enum err_code common_drive_file(
    struct common_drive *d, const char *path, struct buf *out, struct err *e);

#endif
