/*
 * dump_list: which entries of a drive a dump is about. Every path is checked
 * before anything is written: one that could leave the target, or that two
 * entries would share, fails the whole dump by name (failures T9 to T12).
 */
#ifndef DRIVE_DUMP_LIST_H
#define DRIVE_DUMP_LIST_H

#include "drive/dump.h"

#define DUMP_ENTRIES_MAX 10000000u

struct dump_item {
	char *path;	/* "/a/b", owned */
	char *linkname; /* NULL = a file; owned, as stored */
	struct blobs_id blob;
	bool has_blob, executable;
	uint64_t size; /* bytes of the content */
};

struct dump_list {
	struct dump_item *item; /* ascending by path bytes */
	size_t n, cap;
	uint64_t bytes;
	bool single; /* the prefix names exactly one file */
};

void dump_list_deinit(struct dump_list *l);
/* Is the path below the prefix ("" = all) and, if there are any, one of the
 * only-entries? */
bool dump_selected(const struct dump_opts *opts, const char *path);
/* ERR_NOT_FOUND "not found" if a prefix was given and nothing is there. */
NODISCARD enum err_code dump_list_fill(struct dump_list *l,
    const struct dump_opts *opts, struct hyperdrive *d, struct bee *at,
    struct err *e);
/* Ask for the block maps of the items, and for the contents of those that are
 * wanted (NULL: all). blobs may be NULL for dump_ahead: then nothing is. */
void dump_ahead_maps(const struct dump_opts *opts, struct core *blobs,
    const struct dump_list *l);
NODISCARD enum err_code dump_ahead(const struct dump_opts *opts,
    struct core *blobs, const struct dump_list *l,
    bool (*wanted)(void *ctx, const struct dump_item *it), void *ctx,
    struct err *e);
/* ERR_NOT_FOUND: the drive's contents are asked for and not known. */
NODISCARD enum err_code dump_no_contents(struct err *e);
/* Hand the content of a file to data(), block by block. */
NODISCARD enum err_code dump_blocks(const struct dump_opts *opts,
    struct core *blobs, const struct dump_item *it,
    enum err_code (*data)(void *ctx, struct view block, struct err *e),
    void *ctx, struct err *e);

#endif
