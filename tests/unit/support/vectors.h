/* vectors: golden vectors that all tests of a program read, those of crypto
 * unless VECTORS is defined before:
 *
 *	cmocka_run_group_tests(tests, vectors_setup, vectors_teardown);
 */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H

#include "support/vec.h"

#ifndef VECTORS
#define VECTORS "crypto"
#endif

static json_t *vectors;

static inline int
vectors_setup(void **state)
{
	(void)state;
	vectors = vec_load(VECTORS);
	return 0;
}

static inline int
vectors_teardown(void **state)
{
	(void)state;
	json_decref(vectors);
	return 0;
}

#endif
