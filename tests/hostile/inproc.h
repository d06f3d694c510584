/* inproc: lies told to replication alone, in this process, in virtual time:
 * no sockets, no ciphers. Each lie is one check. */
#ifndef TESTS_HOSTILE_INPROC_H
#define TESTS_HOSTILE_INPROC_H

#include "liar.h"

struct inproc_counts {
	unsigned passed, failed;
};

/* Every lie whose name contains `only` (NULL: all). dir: an empty folder. */
NODISCARD enum err_code inproc_run(const char *dir, const char *only,
    struct inproc_counts *counts, struct err *e);

#endif
