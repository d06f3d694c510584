/*
 * build: per-architecture builds into a deployment directory
 * (commands.md 2).
 *
 * Everything is checked first, then built in a folder beside the target,
 * synced, and put in place by one rename: the target is never half-built.
 */
#ifndef BUILD_TOOL_BUILD_H
#define BUILD_TOOL_BUILD_H

#include "build-tool/arch.h"

struct build_event {
	enum build_event_kind {
		BUILD_MIRRORING, /* from, to */
		BUILD_MIRRORED,	 /* from, to */
		BUILD_WARNING	 /* message */
	} kind;
	const char *from, *to, *message;
};

struct build_opts {
	const char *package;		/* path of package.json */
	const char *target;		/* NULL = ./{name}-{version} */
	const char *source[ARCH_COUNT]; /* NULL = not given */
	bool force;			/* replace another build */
	bool allow_nested;
	/* also write DIR.intoto.json: from which commit, and digests */
	bool provenance;
	bool allow_dirty;	/* although the source is not as committed */
	const char *repository; /* folder of the source; NULL = package's */
	bool (*stop)(void *ctx);
	void (*event)(void *ctx, const struct build_event *ev);
	void *ctx;
};

struct build_report {
	char *target;	 /* malloc, absolute */
	bool unchanged;	 /* the target held exactly this already */
	char *statement; /* malloc: path of the provenance, or NULL */
};

/* ERR_EXISTS: the target is another build and force is not set. With force
 * the given architectures and package.json are replaced and the rest of the
 * target stays. */
NODISCARD enum err_code build_run(
    const struct build_opts *opts, struct build_report *r, struct err *e);
void build_report_deinit(struct build_report *r);

#endif
