/*
 * keydir: a person's signing keys and the known keys of others
 * (commands.md 8.3, 9.5).
 *
 *	<dir>/<name>            secret key file, 0400
 *	<dir>/<name>.public     public key, 0600
 *	<dir>/known-peers/<alias>.public
 *	<dir>/<name>.v3.backup  a legacy secret file before its upgrade
 *
 * ~/.hypercore-sign holds z-base-32 text, ~/.pear raw bytes and known keys
 * beside the own ones; both forms are read in both. New files are written
 * beside, synced and linked into place, so they are whole or absent and
 * nothing is ever overwritten; the secret comes first. Files that are links,
 * not regular, owned by someone else or writable by everybody are refused
 * before they are read, and so is such a directory; a secret that group or
 * others can read gives a warning.
 */
#ifndef MULTISIG_KEYDIR_H
#define MULTISIG_KEYDIR_H

#include "multisig/keyfile.h"

/* Bytes of a name: no "/", control character, leading ".", nor the endings
 * and names that have a meaning here. */
#define KEYDIR_NAME_MAX 200
NODISCARD enum err_code keydir_check_name(const char *name, struct err *e);
#define KEYDIR_KNOWN_MAX 10000 /* files in a folder */

enum keydir_form { KEYDIR_Z32, KEYDIR_RAW };

struct keydir {
	char *dir; /* owned */
	enum keydir_form form;
	void (*warn)(void *ctx, const char *message); /* may be NULL */
	void *ctx;
};

/* dir is copied. Nothing is touched. */
NODISCARD enum err_code keydir_init(
    struct keydir *k, const char *dir, enum keydir_form form, struct err *e);
void keydir_deinit(struct keydir *k);

/* One key of the directory, or of a path of its own. */
struct keydir_entry {
	char *name;	   /* without .public */
	char *secret_path; /* NULL: only the public key is here */
	char *public_path;
	struct b32 pub;
};
void keydir_entry_deinit(struct keydir_entry *x);

/* `name` with a directory part is a path. ERR_NOT_FOUND "No keys found at
 * path: <p>", "No corresponding public key could be found" (only where the
 * secret file has none inside); ERR_CORRUPT if the two differ. file gets the
 * secret key file. */
NODISCARD enum err_code keydir_find(const struct keydir *k, const char *name,
    struct keydir_entry *out, struct keyfile *file, struct err *e);
/* A public key alone: <dir>/<name>.public, known-peers, or a path, with or
 * without the ending. */
NODISCARD enum err_code keydir_find_public(const struct keydir *k,
    const char *name, struct keydir_entry *out, struct err *e);

/* Write a new pair; ERR_EXISTS leaves what is there, and no name serves for
 * an own key and for one of someone else. */
NODISCARD enum err_code keydir_store(const struct keydir *k, const char *name,
    const struct keyfile *file, const struct b32 *pub, struct keydir_entry *out,
    struct err *e);
/* Write the public key file if it is not there (a process that made the pair
 * ended between the two). */
NODISCARD enum err_code keydir_complete(
    const struct keydir *k, const struct keydir_entry *x, struct err *e);
/* A legacy key file becomes version 1, its old text kept in .v3.backup. */
NODISCARD enum err_code keydir_upgrade(const struct keydir *k,
    const struct keydir_entry *x, const struct keyfile *file, struct err *e);
/* 52 characters z-base-32, 64 hex, with blanks around; or 32 bytes.
 * ERR_INVALID "Key is not valid". */
NODISCARD enum err_code keydir_public_parse(
    struct b32 *out, struct view text, struct err *e);
/* Add a public key of someone else; ERR_INVALID "Key not a valid ed25519
 * public key" (point check), ERR_EXISTS. */
NODISCARD enum err_code keydir_add(const struct keydir *k, const char *alias,
    const struct b32 *pub, struct err *e);
/* Own keys, then known ones, each sorted by name; each() returns false to
 * stop. Files that cannot be read are left out, with a warning. */
NODISCARD enum err_code keydir_list(const struct keydir *k,
    bool (*each)(void *ctx, const struct keydir_entry *x, bool own), void *ctx,
    struct err *e);
/* Unlink the own public and secret file of `name`, or else the known peer.
 * A backup stays. ERR_NOT_FOUND. */
NODISCARD enum err_code keydir_remove(
    const struct keydir *k, const char *name, struct err *e);

/* The address book: what the signer himself calls a key. NULL if unknown.
 * Owned by the book. A missing directory gives an empty book. */
struct keybook;
NODISCARD enum err_code keybook_open(
    struct keybook **out, const struct keydir *k, struct err *e);
void keybook_close(struct keybook *b); /* NULL is fine */
const char *keybook_name(const struct keybook *b, const struct b32 *pub);
bool keybook_own(const struct keybook *b, const struct b32 *pub);

#endif
