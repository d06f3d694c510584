/*
 * known: nodes of the DHT that were heard of, kept in the folder of the store
 * for next time, so that a start does not depend on the bootstrap nodes. A
 * text file: the bootstrap list it belongs to, then an address a line. It is
 * a hint: a missing, foreign or broken one is as good as empty.
 */
#ifndef PEER_KNOWN_H
#define PEER_KNOWN_H

#include "base/addr.h"

#define KNOWN_MAX 64
#define KNOWN_FILE "dht-nodes"

struct known_list {
	struct addr node[KNOWN_MAX];
	size_t n;
};

void known_read(struct known_list *out, const char *dir,
    const struct addr *bootstrap, size_t nbootstrap);
/* ERR_IO and the like: nothing was lost but the hint. */
NODISCARD enum err_code known_write(const struct known_list *k, const char *dir,
    const struct addr *bootstrap, size_t nbootstrap, struct err *e);

#endif
