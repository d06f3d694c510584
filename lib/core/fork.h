/*
 * fork: a replica follows a writer that truncated and went on under a higher
 * fork number (network.md 6.6; hypercore@11.37.1 lib/merkle-tree.js).
 *
 * The new head is proven first: an upgrade from nothing with its signature.
 * Then the common beginning is searched with hash requests, and in one
 * durable step the replica is cut to it and takes the new fork, length, roots
 * and signature. Until core_fork_commit() nothing changes.
 *
 *	core_fork_new(&f, c, proof, e);		// upgrade { 0, n }
 *	while (core_fork_ask(f, &request))	// send it, get the answer
 *		core_fork_answer(f, proof, e);	// ERR_VERIFY: blame the peer
 *	core_fork_commit(f, e);
 *	core_fork_free(f);
 *
 * A wrong answer changes nothing: the same question can go to another peer.
 * Whatever was answered is bound to the new head's signature, so answers of
 * many peers can be mixed. Answers for another fork belong to nobody: drop
 * them before core_fork_answer(), which would blame their sender.
 *
 * A core that is writable here never follows: it is the writer.
 */
#ifndef CORE_FORK_H
#define CORE_FORK_H

#include "core/proof.h"

struct core_fork;

/* p must be an upgrade from 0 of a higher fork than c's. ERR_VERIFY: it does
 * not hold; ERR_CONFLICT: c may not follow (it is writable, or was opened
 * CORE_READ). */
NODISCARD enum err_code core_fork_new(struct core_fork **out, struct core *c,
    const struct core_proof *p, struct err *e);
void core_fork_free(struct core_fork *f); /* NULL is fine */
uint64_t core_fork_number(const struct core_fork *f);
uint64_t core_fork_length(const struct core_fork *f);
/* The next question (a hash request); false: the common length is known. */
bool core_fork_ask(struct core_fork *f, struct core_request *q);
NODISCARD enum err_code core_fork_answer(
    struct core_fork *f, const struct core_proof *p, struct err *e);
/* No peer can answer: ask no more. What is not known to be common is cut, and
 * fetched anew. */
void core_fork_settle(struct core_fork *f);
/* Blocks that stay, as far as is known. */
uint64_t core_fork_common(const struct core_fork *f);
/* One durable step, only after core_fork_ask() returned false, and while no
 * batch or intake of the core is open. ERR_CHANGED: the core's head moved
 * since core_fork_new(); begin again. After an error nothing has changed,
 * except when its text begins with "committed, but". */
NODISCARD enum err_code core_fork_commit(struct core_fork *f, struct err *e);

#endif
