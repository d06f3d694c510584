/*
 * scale_drives STORE COUNT: makes COUNT drives of one small file in a store,
 * and prints their links. It does not wait for the disk: 10,000 drives would
 * take minutes, and nobody misses them after a fall.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/secret.h"
#include "hyperdrive/drive.h"
#include "pear/link.h"

/* In place of those of the C library, here and in the libraries. */
int
fsync(int fd)
{
	(void)fd;
	return 0;
}

int
fdatasync(int fd)
{
	(void)fd;
	return 0;
}

int
msync(void *at, size_t len, int flags)
{
	(void)at;
	(void)len;
	(void)flags;
	return 0;
}

static const char manifest[] = "{\"name\":\"small\",\"version\":\"1.0.0\"}";

static enum err_code
create(struct hyperdrive **out, struct store *s, struct b32 *key, struct err *e)
{
	struct sign_pair pair = {.sec = {NULL, 0}};
	struct manifest m;
	struct b32 seed;
	enum err_code rc;

	secret_random(&seed, sizeof(seed));
	if ((rc = sign_pair_seed(&pair, &seed, e)) != ERR_OK)
		return rc;
	manifest_single(&m, &pair.pub);
	manifest_key(key, &m);
	rc = core_add(s, &m, key, &pair, e);
	if (rc == ERR_OK)
		rc = hyperdrive_open(out, s, key, CORE_WRITE, e);
	sign_pair_free(&pair);
	return rc;
}

static enum err_code
fill(struct hyperdrive *d, struct err *e)
{
	struct hyperdrive_batch *hb;
	struct blobs_writer *wr;
	struct entry en;
	struct want w;
	uint64_t stored;
	enum err_code rc;

	rc = hyperdrive_batch_new(&hb, d, CORE_BATCH_REAL, BLOBS_PLAIN, e);
	if (rc != ERR_OK)
		return rc;
	entry_init(&en);
	en.has_blob = true;
	wr = hyperdrive_batch_blobs(hb);
	if ((rc = blobs_writer_chunk(wr, view_str(manifest), e)) == ERR_OK &&
	    (rc = blobs_writer_end(wr, &en.blob, &stored, e)) == ERR_OK &&
	    (rc = hyperdrive_batch_put(
		 hb, view_str("/package.json"), &en, &w, e)) == ERR_OK)
		rc = hyperdrive_batch_commit(hb, NULL, NULL, e);
	entry_deinit(&en);
	hyperdrive_batch_free(hb);
	return rc;
}

static enum err_code
make(struct store *s, struct err *e)
{
	char link[PEAR_LINK_TEXT_MAX];
	struct hyperdrive *d = NULL;
	struct b32 key;
	enum err_code rc = create(&d, s, &key, e);

	if (rc == ERR_OK)
		rc = fill(d, e);
	hyperdrive_close(d);
	if (rc != ERR_OK)
		return rc;
	pear_link_key(link, &key);
	puts(link);
	return ERR_OK;
}

int
main(int argc, char **argv)
{
	struct store_opts o = {.mode = STORE_CREATE};
	unsigned long n = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	struct store *s = NULL;
	struct err e = ERR_INIT;
	enum err_code rc;

	if (n == 0) {
		fprintf(stderr, "usage: scale_drives STORE COUNT\n");
		return 2;
	}
	o.dir = argv[1];
	rc = store_open(&s, &o, &e);
	for (; n > 0 && rc == ERR_OK; n--)
		rc = make(s, &e);
	if (rc != ERR_OK)
		fprintf(stderr, "scale_drives: %s\n", e.msg);
	store_close(s);
	return rc == ERR_OK ? 0 : 1;
}
