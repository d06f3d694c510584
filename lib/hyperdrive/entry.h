/*
 * entry: the JSON value of a drive entry, and drive paths
 * (data-formats 5.5, 5.6; hyperdrive@13.3.4, unix-path-resolve@1.0.2).
 */
#ifndef HYPERDRIVE_ENTRY_H
#define HYPERDRIVE_ENTRY_H

#include <jansson.h>

#include "base/buf.h"
#include "blobs/blobs.h"

#define ENTRY_VALUE_MAX (1u << 20)
#define ENTRY_PATH_MAX 4096u

struct entry {
	bool executable;
	char *linkname; /* malloc, NULL = not a link; UTF-8 */
	bool has_blob;
	struct blobs_id blob;
	json_t *blob_json; /* as parsed (key order), NULL = print from blob */
	json_t *metadata;  /* NULL or json null = null */
};

void entry_init(struct entry *en);
void entry_deinit(struct entry *en);
/* Tolerates missing fields; ERR_FORMAT on wrong types or unsafe numbers. */
NODISCARD enum err_code entry_decode(
    struct entry *out, struct view json, struct err *e);
void entry_encode(struct buf *b, const struct entry *en);

/* Normalise a path as the reference does: "/a/b". ERR_INVALID with its
 * texts. */
NODISCARD enum err_code entry_path(
    struct buf *out, struct view path, struct err *e);
/* May this drive path be written below a folder? Stricter: no "..", ".",
 * empty parts, backslash, NUL, drive letters, at most ENTRY_PATH_MAX bytes,
 * valid UTF-8. ERR_INVALID names the quoted path and the reason. */
NODISCARD enum err_code entry_path_safe(struct view path, struct err *e);
/* "files\0" + path */
void entry_key(struct buf *out, struct view path);

#endif
