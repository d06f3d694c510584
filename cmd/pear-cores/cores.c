#include "cmd/pear-cores/cores.h"

#include <stdlib.h>
#include <string.h>

#include "base/arr.h"
#include "cmd/common/common.h"
#include "cmd/common/drive.h"
#include "pear/appcfg.h"

struct collect {
	struct cores_report *r;
	bool full; /* no memory for more */
};

static bool
add_row(void *ctx, const struct core_info *i)
{
	struct collect *k = ctx;
	struct cores_report *r = k->r;

	if (!ARR_RESERVE(r->row, r->n + 1, r->cap)) {
		k->full = true;
		return false;
	}
	r->row[r->n++] = (struct cores_row){.info = *i};
	return true;
}

static int
by_key(const void *a, const void *b)
{
	const struct cores_row *x = a;
	const struct cores_row *y = b;

	return memcmp(x->info.key.b, y->info.key.b, sizeof(x->info.key.b));
}

/* The key of the blobs core that a drive of this core would have. */
static enum err_code
blobs_key(struct store *s, const struct b32 *key, bool *has, struct b32 *blobs,
    struct err *e)
{
	struct core *c;
	struct manifest *m = malloc(sizeof(*m));
	enum err_code rc;

	*has = false;
	if (m == NULL)
		return err_nomem(e);
	if ((rc = core_open(&c, s, key, CORE_READ, e)) == ERR_OK) {
		*has = core_manifest(c) != NULL &&
		       manifest_blobs(m, core_manifest(c), key, NULL) == ERR_OK;
		if (*has)
			manifest_key(blobs, m);
		core_close(c);
	}
	free(m);
	return rc;
}

/* A blobs core is told by the metadata core it belongs to. */
static enum err_code
set_types(struct cores_report *r, struct store *s, struct err *e)
{
	enum err_code rc = ERR_OK;
	size_t i;

	for (i = 0; i < r->n && rc == ERR_OK; i++) {
		struct cores_row probe;
		struct cores_row *hit;
		bool has;

		rc =
		    blobs_key(s, &r->row[i].info.key, &has, &probe.info.key, e);
		if (rc != ERR_OK || !has)
			continue;
		hit = bsearch(&probe, r->row, r->n, sizeof(probe), by_key);
		if (hit == NULL)
			continue;
		hit->type = CORES_BLOBS;
		hit->owner = r->row[i].info.key;
	}
	return rc;
}

/* What the drive's package.json calls the app. Most cores are no drives, or
 * their file is not here: then there is no name, and that is no error. */
static char *
drive_name(struct store *s, const struct b32 *key)
{
	struct common_drive d;
	struct appcfg cfg = {.json = NULL};
	struct pear_link link;
	char *name = NULL;
	struct buf b;

	pear_link_init(&link, key);
	if (common_drive_open(&d, s, &link, NULL, NULL) != ERR_OK)
		return NULL;
	buf_init(&b, APPCFG_MAX);
	if (d.drive != NULL &&
	    common_drive_file(&d, "/package.json", &b, NULL) == ERR_OK &&
	    appcfg_parse(&cfg, buf_view(&b), NULL) == ERR_OK)
		name = strdup(appcfg_title(&cfg));
	appcfg_deinit(&cfg);
	buf_deinit(&b);
	common_drive_close(&d);
	return name;
}

static void
set_names(struct cores_report *r, struct store *s)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		struct cores_row *row = &r->row[i];

		row->name = drive_name(
		    s, row->type == CORES_BLOBS ? &row->owner : &row->info.key);
	}
}

static void
select_rows(struct cores_report *r, const struct cores_opts *opts)
{
	size_t n = 0;
	size_t i;

	for (i = 0; i < r->n; i++) {
		if (!opts->all && r->row[i].info.head.contiguous == 0)
			continue;
		r->row[n++] = r->row[i];
		r->writable += r->row[i].info.writable ? 1 : 0;
		r->bytes += r->row[i].info.head.byte_length;
	}
	r->n = n;
}

enum err_code
cores_run(const struct cli *c, const struct cores_opts *opts,
    struct cores_report *out, struct err *e)
{
	struct cores_report r = {NULL, 0, 0, 0, 0};
	struct collect k = {&r, false};
	struct store *s = NULL;
	enum err_code rc = common_store(&s, c, STORE_READ, e);

	if (rc == ERR_NOT_FOUND)
		return ERR_OK;
	if (rc == ERR_OK)
		rc = core_list(s, add_row, &k, e);
	if (rc == ERR_OK && k.full)
		rc = err_nomem(e);
	if (rc == ERR_OK && r.n > 0) {
		qsort(r.row, r.n, sizeof(*r.row), by_key);
		rc = set_types(&r, s, e);
	}
	if (rc == ERR_OK) {
		select_rows(&r, opts);
		set_names(&r, s);
		*out = r;
	} else {
		cores_report_deinit(&r);
	}
	store_close(s);
	if (rc != ERR_OK)
		return rc;
	return ERR_OK;
}

void
cores_report_deinit(struct cores_report *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		free(r->row[i].name);
	free(r->row);
	memset(r, 0, sizeof(*r));
}
