/*
 * pages: the structure of an LMDB file, looked at before LMDB trusts it.
 *
 * LMDB keeps no check sums and follows page numbers and offsets as it finds
 * them: a short or flipped file can end the process with a signal. The head
 * of the file is therefore checked before it is opened. Reads with pread, so
 * that a broken file can only give an error.
 *
 * Knows the layout of LMDB 0.9 on 64-bit little-endian machines; elsewhere
 * only the size is looked at.
 */
#ifndef STORE_PAGES_H
#define STORE_PAGES_H

#include "base/err.h"
#include "base/view.h"

/* Both heads make sense and the file is as long as the newer says. */
NODISCARD enum err_code pages_check_meta(const char *file, struct err *e);

#endif
