/*
 * walk: every file and link below a folder by name only, for holding globs
 * against them and for finding what a dump would delete. Folders that cannot
 * be read are passed over; the scan reports them if they matter.
 */
#ifndef DRIVE_WALK_H
#define DRIVE_WALK_H

#include "base/err.h"
#include "base/view.h"

/* path: relative to dir, without leading slash; no order. */
NODISCARD enum err_code walk_files(const char *dir,
    enum err_code (*file)(void *ctx, const char *path, struct err *e),
    void *ctx, struct err *e);
/* The same, and through links that lead to folders outside of dir, as the
 * scan follows them. */
NODISCARD enum err_code walk_followed(const char *dir,
    enum err_code (*file)(void *ctx, const char *path, struct err *e),
    void *ctx, struct err *e);
bool walk_exists(const char *dir, const char *path);

#endif
