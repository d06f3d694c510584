/* bed: a store with one whole core, the truth that lies bend. */
#ifndef TESTS_HOSTILE_BED_H
#define TESTS_HOSTILE_BED_H

#include "core/core.h"

#define BED_LENGTH 120u /* blocks */

struct bed {
	char dir[4096];
	struct store *store;
	struct core *core;
	struct b32 key;
};

NODISCARD enum err_code bed_make(struct bed *b, const char *dir, struct err *e);
void bed_free(struct bed *b);

#endif
