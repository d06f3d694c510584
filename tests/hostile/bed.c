#include "bed.h"

#include <stdio.h>
#include <string.h>

#include "core/batch.h"

static enum err_code
append_all(struct core_batch *b, struct err *e)
{
	static uint8_t bytes[4096];
	enum err_code rc = ERR_OK;

	for (unsigned i = 0; i < BED_LENGTH && rc == ERR_OK; i++) {
		memset(bytes, (int)(i + 1), sizeof(bytes));
		rc = core_batch_append(
		    b, view_of(bytes, 1 + i * 997 % sizeof(bytes)), NULL, e);
	}
	return rc;
}

static enum err_code
fill(struct bed *b, struct err *e)
{
	struct core_batch *batch;
	struct core_commit commit = {.batch = &batch, .nbatch = 1};
	struct core *c;
	enum err_code rc = core_open(&c, b->store, &b->key, CORE_WRITE, e);

	if (rc != ERR_OK)
		return rc;
	if ((rc = core_batch_new(&batch, c, CORE_BATCH_REAL, e)) == ERR_OK) {
		if ((rc = append_all(batch, e)) == ERR_OK)
			rc = core_commit(&commit, e);
		core_batch_free(batch);
	}
	core_close(c);
	return rc;
}

enum err_code
bed_make(struct bed *b, const char *dir, struct err *e)
{
	struct store_opts so = {.dir = b->dir, .mode = STORE_CREATE};
	struct sign_pair pair = {0};
	struct manifest m;
	struct b32 seed;
	enum err_code rc;

	memset(b, 0, sizeof(*b));
	(void)snprintf(b->dir, sizeof(b->dir), "%s/truth", dir);
	memset(&seed, 42, sizeof(seed));
	if ((rc = sign_pair_seed(&pair, &seed, e)) != ERR_OK)
		return rc;
	manifest_single(&m, &pair.pub);
	manifest_key(&b->key, &m);
	if ((rc = store_open(&b->store, &so, e)) == ERR_OK &&
	    (rc = core_add(b->store, &m, &b->key, &pair, e)) == ERR_OK &&
	    (rc = store_refresh(b->store, e)) == ERR_OK &&
	    (rc = fill(b, e)) == ERR_OK)
		rc = core_open(&b->core, b->store, &b->key, CORE_READ, e);
	sign_pair_free(&pair);
	return rc;
}

void
bed_free(struct bed *b)
{
	core_close(b->core);
	store_close(b->store);
}
