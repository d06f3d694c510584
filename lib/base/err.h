/*
 * err: what went wrong, with the object and the reason.
 *
 * Every fallible function returns an enum err_code and takes a caller-owned
 * struct err as its last argument. The code is for branching, the text for
 * people: the outermost context stands first ("stage ./app: drive 8f3c..:
 * block 1204: checksum mismatch"). Nothing here allocates, so errors work
 * with no memory left. Bytes that come from outside go through err_quote().
 *
 *	if (fd < 0)
 *		return err_os(e, errno, "open %s", path);
 *	if ((rc = drive_open(&d, s, key, e)) != ERR_OK)
 *		return err_wrap(e, "stage %s", dir);
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stddef.h>

#define NODISCARD __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

enum err_code {
	ERR_OK = 0,
	ERR_NOMEM,	/* an allocation failed */
	ERR_IO,		/* the system refused: errno is in err.os */
	ERR_NOSPACE,	/* disk, quota or inodes are used up */
	ERR_USAGE,	/* the command line is wrong */
	ERR_INVALID,	/* an input the user gave is wrong */
	ERR_FORMAT,	/* bytes do not decode */
	ERR_CORRUPT,	/* bytes decode but do not match their hash */
	ERR_VERIFY,	/* a signature or a comparison does not hold */
	ERR_NOT_FOUND,	/* the named thing does not exist */
	ERR_EXISTS,	/* the named thing exists already */
	ERR_LOCKED,	/* another process holds it */
	ERR_READONLY,	/* no write key, or a store that cannot be written */
	ERR_CONFLICT,	/* state is not what was promised; never retry as is */
	ERR_CHANGED,	/* an input changed while it was read; retry may help */
	ERR_NEED_BLOCK, /* a block is elsewhere; struct want says which */
	ERR_LIMIT,	/* a documented maximum was exceeded */
	ERR_VERSION,	/* format is newer than this program */
	ERR_UNSUPPORTED, /* known, valid, and not done here */
	ERR_INTERRUPTED, /* a signal asked to stop; nothing was changed */
	ERR_PEERS	 /* too few peers answered in time */
};

struct err {
	enum err_code code;
	int os;		/* errno, 0 if none */
	char tag[40];	/* stable code for scripts, "" = by code */
	char msg[1024]; /* outermost context first */
};

#define ERR_INIT \
	{ \
		ERR_OK, 0, "", "" \
	}

/* Replace e by a new error; returns c. A NULL e is allowed. */
NODISCARD enum err_code err_set(
    struct err *e, enum err_code c, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* As err_set, and appends ": <strerror(os)>". ENOSPC, EDQUOT give
 * ERR_NOSPACE, ENOMEM gives ERR_NOMEM, ENOENT gives ERR_NOT_FOUND, EROFS
 * gives ERR_READONLY; everything else ERR_IO. */
NODISCARD enum err_code err_os(struct err *e, int os, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* ERR_NOMEM. */
NODISCARD enum err_code err_nomem(struct err *e);

/* Put "context: " before the text; keeps the code, and returns it. */
NODISCARD enum err_code err_wrap(struct err *e, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

/* Give e the stable code text of the command contract, such as
 * "ERR_INVALID_LINK"; returns e->code. */
NODISCARD enum err_code err_tag(struct err *e, const char *tag);

/* The stable code text: e->tag, or the one that belongs to e->code. */
const char *err_tag_of(const struct err *e);

/* Copy n foreign bytes to out (size cap) so that they are safe to print:
 * valid printable UTF-8 stays, everything else (controls, direction marks,
 * broken sequences, backslash) becomes \xNN or \uNNNN; long input is cut and
 * ends in "...". Returns out. */
const char *err_quote(char *out, size_t cap, const void *bytes, size_t n);

#endif
