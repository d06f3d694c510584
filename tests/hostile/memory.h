/* memory: the greatest resident set of this process since a mark, where the
 * system tells it. */
#ifndef TESTS_HOSTILE_MEMORY_H
#define TESTS_HOSTILE_MEMORY_H

#include <stddef.h>

void memory_mark(void);
size_t memory_peak(void); /* bytes above what it was at the mark */

#endif
