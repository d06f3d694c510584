/* process: what a test asks about the programs it disturbs. */
#ifndef TESTS_HOSTILE_PROCESS_H
#define TESTS_HOSTILE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/view.h"

/* Run argv; its output and errors go to the file `log` (NULL: nowhere). */
pid_t process_start(char *const argv[], const char *log);
/* Has it ended? *status as of waitpid, *peak its resident set in bytes, with
 * that of its children. */
bool process_ended(pid_t pid, int *status, size_t *peak);
size_t process_peak(pid_t pid); /* so far; 0: cannot tell, or gone */

enum process_said { SAID_NOTHING, SAID_LEFT, SAID_BLAMED };
/* The last thing that a program run with -v logged about a peer. */
enum process_said process_said(
    const char *log, const struct b32 *peer, char *out, size_t cap);

#endif
