/*
 * wants: the spans of a log that a remote asked to be told about
 * (network.md 6.5; hypercore@11.37.1 lib/wants.js). Bounded: what is too
 * much or too odd becomes "wants everything". Pure; zeroed is empty.
 */
#ifndef REPLICATE_WANTS_H
#define REPLICATE_WANTS_H

#include "replicate/message.h"

#define WANTS_MAX 512
#define WANTS_SIZES 4	      /* different lengths of spans */
#define WANTS_ANY_MAX 16      /* spans of which any block will do */
#define WANTS_SPAN (1u << 21) /* blocks, at most; what we ask for too */
#define WANTS_SPAN_MIN 32

struct wants_span {
	uint64_t start, length;
};

struct wants {
	bool all;
	struct wants_span *span; /* as they came */
	size_t n, cap;
	struct wants_span any[WANTS_ANY_MAX];
	size_t nany;
};

void wants_deinit(struct wants *w);
/* *answer: it is to be answered now (too large a span is ignored). */
NODISCARD enum err_code wants_add(
    struct wants *w, const struct message_want *m, bool *answer, struct err *e);
void wants_remove(struct wants *w, const struct message_want *m);
/* Is it to be told that blocks [start, start + length) are here? */
bool wants_range(const struct wants *w, uint64_t start, uint64_t length);

#endif
