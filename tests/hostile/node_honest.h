/* node_honest: a peer in this process that looks for a topic, and how long it
 * takes until it is connected. */
#ifndef TESTS_HOSTILE_NODE_HONEST_H
#define TESTS_HOSTILE_NODE_HONEST_H

#include "node.h"

struct honest;

/* It is in the DHT already, and begins to look. */
NODISCARD enum err_code honest_open(struct honest **out,
    const struct node_target *t, unsigned number, struct err *e);
bool honest_waits(const struct honest *h);
void honest_turn(struct honest *h);
uint64_t honest_took(const struct honest *h); /* so far */
void honest_close(struct honest *h);

#endif
