/* repair: blocks whose bytes are not what they were. Private. */
#ifndef REPLICATE_REPAIR_H
#define REPLICATE_REPAIR_H

#include "replicate/impl.h"

/* Reading block i of c failed with ERR_CORRUPT, which e describes. It is told
 * (REPLICATE_TROUBLE), not here any more, for peers either, and fetched again
 * if c is open here. What cannot be done now, because another process has the
 * core or the disk is full, is done when the block is next read. */
NODISCARD enum err_code repair_block(
    struct replicate_core *c, uint64_t i, struct err *e);

#endif
