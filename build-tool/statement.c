#include "build-tool/statement.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/sha256.h"
#include "pear/provenance.h"

#define CHUNK (1u << 16)
#define LINK_MAX_BYTES 4096
#define STATEMENT_MODE 0644

enum err_code
statement_source(struct revision *out, const char *source,
    enum statement_dirty allow, struct err *e)
{
	enum err_code rc = revision_read(out, source, e);
	char name[512];

	if (rc != ERR_OK)
		return err_wrap(e, "--provenance");
	if (!out->dirty || allow == STATEMENT_DIRTY)
		return ERR_OK;
	rc = err_set(e, ERR_CONFLICT,
	    "--provenance: the source is not as commit %.12s has it (%s%s); "
	    "commit, or pass --allow-dirty",
	    out->commit,
	    err_quote(name, sizeof(name), out->dirty_path[0],
		strlen(out->dirty_path[0])),
	    out->ndirty > 1 ? " and more" : "");
	revision_deinit(out);
	return rc;
}

static enum err_code
digest_file(const FTSENT *f, struct b32 *out, struct err *e)
{
	int fd = open(f->fts_accpath, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	uint8_t chunk[CHUNK];
	struct sha256 s;
	ssize_t n;

	if (fd < 0)
		return err_os(e, errno, "%s", f->fts_path);
	sha256_init(&s);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		sha256_update(&s, view_of(chunk, (size_t)n));
	sha256_final(&s, out);
	if (n < 0) {
		n = errno;
		(void)close(fd);
		return err_os(e, (int)n, "%s", f->fts_path);
	}
	(void)close(fd);
	return ERR_OK;
}

static enum err_code
digest_link(const FTSENT *f, struct b32 *out, struct err *e)
{
	char text[LINK_MAX_BYTES];
	ssize_t n = readlink(f->fts_accpath, text, sizeof(text));
	struct sha256 s;

	if (n < 0)
		return err_os(e, errno, "%s", f->fts_path);
	sha256_init(&s);
	sha256_update(&s, view_str(PROVENANCE_LINK));
	sha256_update(&s, view_of(text, (size_t)n));
	sha256_final(&s, out);
	return ERR_OK;
}

static enum err_code
add(struct provenance *p, const FTSENT *f, size_t skip, struct err *e)
{
	struct b32 sum;
	enum err_code rc;

	switch (f->fts_info) {
	case FTS_F:
		rc = digest_file(f, &sum, e);
		break;
	case FTS_SL:
	case FTS_SLNONE:
		rc = digest_link(f, &sum, e);
		break;
	case FTS_ERR:
	case FTS_DNR:
	case FTS_NS:
		return err_os(e, f->fts_errno, "%s", f->fts_path);
	default:
		return ERR_OK;
	}
	if (rc == ERR_OK)
		rc = provenance_add(p, view_str(f->fts_path + skip), &sum, e);
	return rc;
}

static enum err_code
add_all(struct provenance *p, const char *dir, struct err *e)
{
	char *root = strdup(dir);
	char *roots[] = {root, NULL};
	FTSENT *f;
	FTS *fts;
	enum err_code rc = ERR_OK;

	if (root == NULL)
		return err_nomem(e);
	fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (fts == NULL)
		rc = err_os(e, errno, "%s", dir);
	while (rc == ERR_OK && (errno = 0, f = fts_read(fts)) != NULL)
		rc = add(p, f, strlen(root) + 1, e);
	if (rc == ERR_OK && errno != 0)
		rc = err_os(e, errno, "%s", dir);
	if (fts != NULL)
		(void)fts_close(fts);
	free(root);
	return rc;
}

static enum err_code
describe(struct provenance *p, const struct revision *rev,
    const struct appcfg *cfg, struct err *e)
{
	const char *from[] = {rev->commit, rev->tag, rev->remote, cfg->name,
	    cfg->version, PROVENANCE_BUILDER, PEAR_VERSION};
	char **to[] = {&p->commit, &p->tag, &p->remote, &p->name, &p->version,
	    &p->builder, &p->builder_version};

	p->dirty = rev->dirty;
	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++)
		if (from[i] != NULL && (*to[i] = strdup(from[i])) == NULL)
			return err_nomem(e);
	return ERR_OK;
}

enum err_code
statement_write(char **path, const char *dir, const struct revision *rev,
    const struct appcfg *cfg, struct err *e)
{
	struct provenance p;
	struct buf text, name;
	enum err_code rc;

	memset(&p, 0, sizeof(p));
	buf_init(&text, PROVENANCE_SIZE_MAX);
	buf_init(&name, 8192);
	buf_printf(&name, "%s%s", dir, PROVENANCE_SUFFIX);
	if ((rc = add_all(&p, dir, e)) == ERR_OK &&
	    (rc = describe(&p, rev, cfg, e)) == ERR_OK &&
	    (rc = provenance_print(&text, &p, e)) == ERR_OK &&
	    (rc = buf_check(&name, e)) == ERR_OK)
		rc = file_write_atomic(AT_FDCWD, buf_cstr(&name),
		    buf_view(&text), STATEMENT_MODE, e);
	if (rc == ERR_OK && (*path = strdup(buf_cstr(&name))) == NULL)
		rc = err_nomem(e);
	provenance_deinit(&p);
	buf_deinit(&text);
	buf_deinit(&name);
	return rc;
}
