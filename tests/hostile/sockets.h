/* sockets: lies told over UDP to running programs. */
#ifndef TESTS_HOSTILE_SOCKETS_H
#define TESTS_HOSTILE_SOCKETS_H

#include <sys/types.h>

#include "inproc.h"
#include "process.h"
#include "wire.h"

struct target {
	struct addr at; /* an honest seeder */
	struct b32 key;
	pid_t pid;
	const char *log;   /* of the seeder */
	struct core *core; /* the truth, to bend */
	/* A program run as an honest peer: `check N [AT]`, AT being the liar's
	 * HOST:PORT:KEY. It writes the log dir/N.log; 0: its data is right. */
	const char *check, *dir;
	const char *only;
	struct inproc_counts counts;
};

/* A resident set that no lie may bring a program to. */
#define SEEDER_MEMORY_MAX (64u << 20)
#define READER_MEMORY_MAX (96u << 20)

/* Every lie to the seeder; an honest peer fetches during each. */
NODISCARD enum err_code sockets_to_seeder(struct target *t, struct err *e);
/* Every lie to a program that downloads. */
NODISCARD enum err_code sockets_to_reader(struct target *t, struct err *e);

/* Was the end the one of the table? NULL, or what is wrong. */
const char *sockets_judge(enum lie_end end, const char *reason,
    enum process_said said, const char *text);
void sockets_report(struct target *t, const char *name, const char *wrong,
    const char *text, size_t peak);

#endif
