/*
 * floor DIR FILE: the least work any stage can do. Walks DIR, reads every
 * regular file once, hashes its bytes once (BLAKE2b-256) and writes them once,
 * one after the other, into FILE; one fdatasync at the end. Prints files,
 * bytes and the hash.
 */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/hex.h"
#include "crypto/hash.h"

#define CHUNK (1u << 20)

struct work {
	struct hash_state hash;
	int out;
	unsigned long long files, bytes;
	uint8_t *chunk;
};

static int
copy(struct work *w, const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	while ((n = read(fd, w->chunk, CHUNK)) > 0) {
		hash_update(&w->hash, view_of(w->chunk, (size_t)n));
		if (write(w->out, w->chunk, (size_t)n) != n)
			break;
		w->bytes += (unsigned long long)n;
	}
	close(fd);
	w->files++;
	return n == 0 ? 0 : -1;
}

static int
walk(struct work *w, char *dir)
{
	char *roots[] = {dir, NULL};
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *f;
	int rc = fts == NULL ? -1 : 0;

	while (rc == 0 && (f = fts_read(fts)) != NULL)
		if (f->fts_info == FTS_F)
			rc = copy(w, f->fts_accpath);
	if (fts != NULL)
		fts_close(fts);
	return rc;
}

int
main(int argc, char **argv)
{
	struct work w = {.out = -1};
	char text[65];
	struct b32 hash;

	if (argc != 3) {
		fprintf(stderr, "usage: floor DIR FILE\n");
		return 2;
	}
	w.chunk = malloc(CHUNK);
	w.out = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	hash_init(&w.hash);
	if (w.chunk == NULL || w.out < 0 || walk(&w, argv[1]) != 0 ||
	    fdatasync(w.out) != 0) {
		fprintf(stderr, "floor: %s\n", strerror(errno));
		return 1;
	}
	hash_final(&w.hash, &hash);
	printf("%llu files, %llu bytes, %s\n", w.files, w.bytes,
	    hex_b32(text, &hash));
	close(w.out);
	free(w.chunk);
	return 0;
}
