/*
 * scan: what a directory holds, as drive entries, in byte order of whole
 * paths ("/a.txt" before "/a/b"), whatever order the file system has
 * (data-formats 7.3, 7.7, 7.8).
 *
 * Regular files and links only; devices, sockets and pipes are named in a
 * warning and never opened. Links that stay inside the directory are entries
 * of their own; links out of it are followed, and what they lead to is
 * content. Names that other systems cannot hold are refused by name before
 * anything else happens; names that collide elsewhere are warned about.
 */
#ifndef DRIVE_SCAN_H
#define DRIVE_SCAN_H

#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "base/err.h"
#include "drive/ignore.h"

#define SCAN_DEPTH_MAX 1000 /* folders */
#define SCAN_PATH_MAX 4096  /* bytes of a drive path */
#define SCAN_HOPS_MAX 256   /* links out of links */

enum scan_kind { SCAN_FILE, SCAN_LINK };

struct scan_entry {
	const char *path;     /* drive path, "/a/b" */
	const char *linkname; /* SCAN_LINK: text to store */
	const char *target;   /* followed link: where the content is,
				 * absolute; else NULL */
	uint64_t dev, ino, size;
	struct timespec mtime, ctime;
	uint32_t mode;
	enum scan_kind kind;
};

struct scan {
	struct scan_entry *entry;
	size_t n;
	/* the rest is private */
	size_t cap;
	int root;
	struct scan_chunk *chunks; /* memory of the texts */
};

struct scan_opts {
	const char *dir;
	const struct ignore *ignore; /* NULL = everything */
	void (*warn)(void *ctx, const char *message);
	void *warn_ctx;
	bool (*stop)(void *ctx); /* true = ERR_INTERRUPTED */
	void *stop_ctx;
};

/* ERR_INVALID lists names that cannot be staged (at most 20), ERR_IO what
 * cannot be read, ERR_LIMIT names a path that is too long or too deep. */
NODISCARD enum err_code scan_dir(
    struct scan **out, const struct scan_opts *opts, struct err *e);
void scan_free(struct scan *s); /* NULL is fine */

/* The open root, for openat() with path + 1. Owned by the scan. */
int scan_root(const struct scan *s);
/* The fields that a stat of the content had: device, inode, size, times,
 * mode. */
void scan_stat(const struct scan_entry *entry, struct stat *out);
uint64_t scan_size(const struct scan_entry *entry);

#endif
