/* scan_impl: what the files of the scan share. Private to scan. */
#ifndef DRIVE_SCAN_IMPL_H
#define DRIVE_SCAN_IMPL_H

#include "base/buf.h"
#include "drive/scan.h"

#define SCAN_NAMED_MAX 20 /* bad names listed in one error */

/* A link that was followed on the way to a folder. */
struct scan_hop {
	struct scan_hop *next;	   /* list of all, for freeing */
	const struct scan_hop *up; /* the link before it, or NULL */
	char *from; /* folder the link is in, NULL = in the root; owned */
	unsigned n; /* hops so far */
};

/* A folder that is still to be read. */
struct scan_folder {
	char *path;		    /* drive path, "" = root; owned */
	char *real;		    /* outside the root: its real path; owned */
	const struct scan_hop *hop; /* how we got out; borrowed */
	unsigned depth;
};

struct scan_run {
	const struct scan_opts *opts;
	struct scan *scan;
	char *root_abs, *root_real; /* the directory, as given and real */
	struct scan_folder *todo;
	size_t ntodo, todo_cap;
	struct scan_hop *hops;
	struct buf bad, closed; /* lists for the error texts */
	size_t nbad, nclosed;
	bool drive_letters; /* among the bad ones */
};

/* Text kept as long as the scan. NULL: no memory. */
const char *scan_keep(struct scan *s, const char *text, size_t n);
void scan_warn(struct scan_run *r, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* One name of a folder that is a link (scan_link.c). `path` is its drive
 * path; real is the folder's real path, or NULL inside the root. */
NODISCARD enum err_code scan_link(struct scan_run *r,
    const struct scan_folder *folder, int fd, const char *name,
    const char *path, const struct stat *st, struct err *e);
NODISCARD enum err_code scan_add_file(struct scan_run *r, const char *path,
    const char *target, const struct stat *st, struct err *e);
NODISCARD enum err_code scan_add_link(struct scan_run *r, const char *path,
    const char *text, const struct stat *st, struct err *e);
NODISCARD enum err_code scan_add_folder(struct scan_run *r, const char *path,
    const char *real, unsigned depth, const struct scan_hop *hop,
    struct err *e);
/* A name or link text that no drive can hold, for the list in the error. */
void scan_refuse(struct scan_run *r, const char *text);

/* Names of one folder that differ only by case or normalisation
 * (scan_names.c). */
void scan_check_collisions(
    struct scan_run *r, const char *folder, char *const *name, size_t n);
/* Entries, sorted, that should rarely be published. */
void scan_check_private(struct scan_run *r);

#endif
