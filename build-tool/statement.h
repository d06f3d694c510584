/*
 * statement: the provenance of a deployment directory, beside it
 * (pear/provenance.h): DIR.intoto.json.
 */
#ifndef BUILD_TOOL_STATEMENT_H
#define BUILD_TOOL_STATEMENT_H

#include "git/revision.h"
#include "pear/appcfg.h"

/* The source: ERR_CONFLICT names changed files unless `dirty` allows them. */
enum statement_dirty { STATEMENT_CLEAN, STATEMENT_DIRTY };
NODISCARD enum err_code statement_source(struct revision *out,
    const char *source, enum statement_dirty allow, struct err *e);

/* Digests of every file and link of `dir`, and the source, to *path (malloc,
 * the caller's). One step: the file is whole or the old one. A link's digest
 * is that of "link:" and its text. */
NODISCARD enum err_code statement_write(char **path, const char *dir,
    const struct revision *rev, const struct appcfg *cfg, struct err *e);

#endif
