/*
 * bug: our own mistakes. Never for input: a wrong file, peer or argument is
 * an error (err.h). bug() prints file, line and text to stderr and aborts.
 */
#ifndef BASE_BUG_H
#define BASE_BUG_H

#include "base/err.h"

#define bug(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
#define bug_if(cond) ((cond) ? bug("%s", #cond) : (void)0)

void bug_at(const char *file, int line, const char *fmt, ...) PRINTF_LIKE(3, 4)
    __attribute__((noreturn));

#endif
