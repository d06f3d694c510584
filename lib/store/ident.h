/*
 * ident: the file STORE, which says what the directory is and on which
 * machine and inode it was made (architecture 2).
 *
 *	pear-store 1
 *	id <64 hex>		random, made once
 *	machine <16 hex>	hash of the machine's name
 *	device <n>		device, inode and birth (nanoseconds, 0 where
 *	inode <n>		the file system has none) of index/data.mdb
 *	birth <n>
 *	sum <8 hex>
 *
 * A copy of the directory has another inode or machine. The same directory
 * after `mv` on one file system has not. Device numbers are given out anew
 * at boot on some systems, so they count only where there is no birth time.
 */
#ifndef STORE_IDENT_H
#define STORE_IDENT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/view.h"

struct ident {
	struct b32 id;
	uint8_t machine[8];
	uint64_t device;
	uint64_t inode;
	uint64_t birth;
};

/* `what` names the file in messages. ERR_VERSION, ERR_CORRUPT. */
NODISCARD enum err_code ident_decode(
    struct ident *out, struct view file, const char *what, struct err *e);
void ident_encode(struct buf *b, const struct ident *id);

/* What STORE ought to say here: machine as in struct store_opts, file is
 * index/data.mdb. The id stays untouched. */
NODISCARD enum err_code ident_here(
    struct ident *out, const char *machine, const char *file, struct err *e);
/* Give out a fresh random id. */
NODISCARD enum err_code ident_new_id(struct ident *out, struct err *e);

enum ident_match { IDENT_SAME, IDENT_OTHER_MACHINE, IDENT_OTHER_INODE };
enum ident_match ident_compare(
    const struct ident *written, const struct ident *here);

#endif
