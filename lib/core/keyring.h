/*
 * keyring: everything of a store that only its owner may have, as one block
 * of bytes to be sealed and carried to another store: the primary key and the
 * key pairs of its cores, each with the head it has here.
 *
 * A key used on two machines makes two histories and destroys the link, so
 * loading writes the head of each core as its high-water mark: the new store
 * refuses to append (ERR_CONFLICT) until it holds as many blocks.
 *
 *	u8 version 1  bool primary [32]  uint count
 *	each: frame manifest  key 32  public 32  secret 64
 *	      uint fork, length  tree hash 32
 */
#ifndef CORE_KEYRING_H
#define CORE_KEYRING_H

#include "core/core.h"

#define CORE_KEYRING_VERSION 1
#define CORE_KEYRING_CORES_MAX 4096u

struct core_keyring_report {
	bool primary;	   /* saved, adopted, or the same was there */
	bool primary_kept; /* load: the store's own, different one was kept */
	size_t cores;	   /* writable cores saved or loaded */
	size_t behind;	   /* load: cores that must catch up before writing */
};

/* ERR_NOT_FOUND: the store has nothing to save. ERR_LIMIT. */
NODISCARD enum err_code core_keyring_save(struct secret *out, struct store *s,
    struct core_keyring_report *report, struct err *e);

/* Are these the bytes of a keyring, with pairs that fit? ERR_FORMAT,
 * ERR_VERSION for a newer one. Pure. */
NODISCARD enum err_code core_keyring_check(struct view plain, struct err *e);

/* What to do when the store has another primary key. */
enum core_keyring_other { CORE_KEYRING_REFUSE, CORE_KEYRING_KEEP };

/* Check all of it, then load. Each core is one durable step, its mark first;
 * a load that was cut off can be repeated. ERR_EXISTS: another primary key,
 * nothing was changed. ERR_LOCKED: a core is in use by a writer here. */
NODISCARD enum err_code core_keyring_load(struct store *s, struct view plain,
    enum core_keyring_other other, struct core_keyring_report *report,
    struct err *e);

/* The user says that no longer history of this core exists anywhere: its
 * mark becomes the head it has here. ERR_READONLY if it is not writable. */
NODISCARD enum err_code core_keyring_accept(
    struct store *s, const struct b32 *key, struct err *e);

#endif
