/*
 * provenance: where a deployment directory came from: an in-toto statement
 * (v1) with a SLSA provenance predicate (v1), as a JSON text. Subjects are
 * the files of the directory with their SHA-256. Pure: no files, no git.
 *
 * The text is deterministic: subjects sorted by name, no time stamps.
 */
#ifndef PEAR_PROVENANCE_H
#define PEAR_PROVENANCE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/view.h"

#define PROVENANCE_SIZE_MAX (256u << 20)
#define PROVENANCE_FILES_MAX 1000000u
#define PROVENANCE_SUFFIX ".intoto.json" /* beside DIR: DIR.intoto.json */
/* A link has the digest of this and its target text. */
#define PROVENANCE_LINK "link:"
#define PROVENANCE_BUILDER "urn:pear:pear-build"

struct provenance_file {
	char *path; /* relative, "by-arch/…"; owned */
	struct b32 sha256;
};

struct provenance {
	char *commit, *tag, *remote; /* tag, remote may be NULL; owned */
	bool dirty;
	char *name, *version;		 /* of package.json; owned */
	char *builder, *builder_version; /* a URI; may be NULL; owned */
	struct provenance_file *file;	 /* ascending by path bytes */
	size_t n, cap;
};
void provenance_deinit(struct provenance *p);

/* ERR_INVALID: the path is empty, too long, not UTF-8, or holds a NUL. */
NODISCARD enum err_code provenance_add(struct provenance *p, struct view path,
    const struct b32 *sha256, struct err *e);
/* Sorts the files. ERR_INVALID: a path twice. */
NODISCARD enum err_code provenance_print(
    struct buf *out, struct provenance *p, struct err *e);
/* ERR_FORMAT says what is missing or wrong; unknown fields are ignored. */
NODISCARD enum err_code provenance_parse(
    struct provenance *out, struct view text, struct err *e);
/* NULL: not listed. */
const struct provenance_file *provenance_find(
    const struct provenance *p, struct view path);

#endif
