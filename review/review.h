/*
 * review: what a release would change, as a document that a person can judge
 * and quote. A struct review is plain data, filled by whoever compares
 * (review/drives.h for two drive versions, the dry runs of stage and
 * provision file by file) and written as text, Markdown or HTML
 * (review/render.h). Same input, same bytes: nothing in it depends on time,
 * place, machine or locale.
 *
 * Strings that come from a drive or a request are kept raw here and escaped
 * by the renderers. Paths are drive paths ("/by-arch/linux-x64/app/x").
 */
#ifndef REVIEW_REVIEW_H
#define REVIEW_REVIEW_H

#include "base/buf.h"
#include "base/err.h"
#include "base/view.h"

#define REVIEW_LINES_MAX (1u << 20) /* bytes of one file's line diff */
#define REVIEW_LINES_TOTAL (16u << 20)
#define REVIEW_TEXT_MAX (1u << 20) /* bytes of a file that is compared */
#define REVIEW_ARCH_MAX 64 /* rows by architecture; more count as shared */

enum review_op { REVIEW_REMOVE = -1, REVIEW_CHANGE, REVIEW_ADD };

struct review_file {
	enum review_op op;
	char *path;		     /* owned */
	uint64_t old_size, new_size; /* bytes of content */
	bool old_exec, new_exec;
	char *old_link, *new_link; /* targets, NULL = no link; owned */
	bool metadata_only;	   /* content is the same */
	bool outside; /* neither /package.json nor below /by-arch */
	bool program; /* executable before or after, and changed */
	/* unified hunks, or NULL and a reason ("binary", "too large"); NULL
	 * and no reason: nobody asked */
	char *lines;
	uint64_t lines_added, lines_removed;
	const char *no_lines; /* static text */
};

/* A finding: something that was checked. */
enum review_mark { REVIEW_GOOD, REVIEW_NOTE, REVIEW_WARN, REVIEW_BAD };

struct review {
	char *title; /* owned, as all strings here */
	struct review_fact {
		char *name, *value;
	} * fact; /* in the order added */
	size_t nfacts, facts_cap;
	struct review_finding {
		enum review_mark mark;
		char *text;
	} * finding;
	size_t nfindings, findings_cap;
	struct review_file *file; /* in the order added */
	size_t nfiles, files_cap;
	uint64_t add, change, remove;  /* files */
	uint64_t old_bytes, new_bytes; /* of the changed files */
	/* whole size by architecture before and after; "" = shared files */
	struct review_arch {
		char *name;
		uint64_t old_bytes, new_bytes;
	} * arch; /* sorted by name */
	size_t narch, arch_cap;
	size_t lines_bytes; /* kept so far */
};

void review_init(struct review *r);
void review_deinit(struct review *r);
NODISCARD enum err_code review_title(
    struct review *r, struct err *e, const char *fmt, ...) PRINTF_LIKE(3, 4);
NODISCARD enum err_code review_fact(
    struct review *r, const char *name, struct view value, struct err *e);
NODISCARD enum err_code review_find(struct review *r, enum review_mark mark,
    struct err *e, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* The worst mark of all findings. */
enum review_mark review_worst(const struct review *r);

/* One changed file. Texts of both sides are given if lines are wanted (both
 * may be empty views with ptr NULL: no lines). Strings are copied; outside,
 * program, totals are worked out here. */
struct review_change {
	enum review_op op;
	const char *path;
	uint64_t old_size, new_size;
	bool old_exec, new_exec;
	const char *old_link, *new_link;
	bool metadata_only;
	enum review_want { REVIEW_NO_LINES, REVIEW_LINES } want;
	struct view old_text, new_text; /* contents; absent side: empty */
	const char *no_lines;		/* static: why there are no texts */
};
NODISCARD enum err_code review_add(
    struct review *r, const struct review_change *c, struct err *e);
/* A file's size on one side, for the picture by architecture: call for every
 * file of both versions. */
NODISCARD enum err_code review_size(struct review *r, const char *path,
    uint64_t old_size, uint64_t new_size, struct err *e);
/* "linux-x64" of "/by-arch/linux-x64/…", else "". Returns its length; the
 * name starts at *start. */
size_t review_arch_of(const char *path, const char **start);

#endif
