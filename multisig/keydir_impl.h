/* keydir_impl: what the files of keydir share. For them only. */
#ifndef MULTISIG_KEYDIR_IMPL_H
#define MULTISIG_KEYDIR_IMPL_H

#include "multisig/keydir.h"

#define KEYDIR_PUBLIC ".public"
#define KEYDIR_KNOWN "known-peers"
#define KEYDIR_BACKUP ".v3.backup"

/* A path for people. */
#define KEYDIR_SHOWN_MAX 400
const char *keydir_shown(char out[static KEYDIR_SHOWN_MAX], const char *path);

/* "<dir>/<name><suffix>", malloc. dir NULL: only name and suffix. */
NODISCARD enum err_code keydir_join(char **out, const char *dir,
    const char *name, const char *suffix, struct err *e);
/* <dir>/known-peers, or <dir> where known keys lie beside the own ones. */
NODISCARD enum err_code keydir_known_dir(
    char **out, const struct keydir *k, struct err *e);

/* ERR_INVALID if somebody else could swap files in it; ERR_NOT_FOUND. */
NODISCARD enum err_code keydir_check_dir(const char *dir, struct err *e);

/* A key file's bytes. Links, other kinds of files and files of other users
 * are refused before they are read. ERR_NOT_FOUND. */
enum keydir_part { KEYDIR_PART_SECRET, KEYDIR_PART_PUBLIC };
NODISCARD enum err_code keydir_read(const struct keydir *k, const char *path,
    enum keydir_part part, struct buf *out, struct err *e);
NODISCARD enum err_code keydir_read_public(
    const struct keydir *k, const char *path, struct b32 *out, struct err *e);
/* Is anything there? Links are not followed. */
bool keydir_there(const char *path);

#endif
