#include "store/ident.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/store.h"
#include "store/text.h"

#define NAME_MAX_BYTES 256 /* of a machine's name */

enum err_code
ident_decode(
    struct ident *out, struct view file, const char *what, struct err *e)
{
	struct ident id;
	struct text t;
	enum err_code rc;

	rc = text_open(&t, file, "pear-store", STORE_FORMAT, what, e);
	if (rc != ERR_OK)
		return rc;
	text_bytes(&t, "id", id.id.b, sizeof(id.id.b));
	text_bytes(&t, "machine", id.machine, sizeof(id.machine));
	id.device = text_uint(&t, "device");
	id.inode = text_uint(&t, "inode");
	id.birth = text_uint(&t, "birth");
	if ((rc = text_close(&t, what, e)) != ERR_OK)
		return rc;
	*out = id;
	return ERR_OK;
}

void
ident_encode(struct buf *b, const struct ident *id)
{
	text_put_uint(b, "pear-store", STORE_FORMAT);
	text_put_bytes(b, "id", view_b32(&id->id));
	text_put_bytes(b, "machine", view_of(id->machine, 8));
	text_put_uint(b, "device", id->device);
	text_put_uint(b, "inode", id->inode);
	text_put_uint(b, "birth", id->birth);
	text_put_sum(b);
}

/* FNV-1a: the name of the machine itself need not be in the file. */
static void
hash_machine(uint8_t out[static 8], struct view name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < name.len; i++)
		h = (h ^ name.ptr[i]) * UINT64_C(0x100000001b3);
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(h >> (56 - 8 * i));
}

static void
this_machine(uint8_t out[static 8])
{
	char host[NAME_MAX_BYTES + 1] = "";
	struct buf b;

	buf_init(&b, NAME_MAX_BYTES);
	/* Containers and other systems often have no or an empty file. */
	if (file_read(AT_FDCWD, "/etc/machine-id", NAME_MAX_BYTES, &b, NULL) ==
		ERR_OK &&
	    b.len > 1) {
		hash_machine(out, buf_view(&b));
	} else {
		(void)gethostname(host, sizeof(host) - 1);
		hash_machine(out, view_str(host));
	}
	buf_deinit(&b);
}

#if defined(STATX_BTIME)
static uint64_t
birth_of(const char *file)
{
	struct statx sx;

	if (statx(AT_FDCWD, file, 0, STATX_BTIME, &sx) != 0 ||
	    (sx.stx_mask & STATX_BTIME) == 0)
		return 0;
	return (uint64_t)sx.stx_btime.tv_sec * 1000000000u +
	       sx.stx_btime.tv_nsec;
}
#else
static uint64_t
birth_of(const char *file)
{
	(void)file;
	return 0;
}
#endif

enum err_code
ident_here(
    struct ident *out, const char *machine, const char *file, struct err *e)
{
	struct stat st;

	if (stat(file, &st) != 0)
		return err_os(e, errno, "stat %s", file);
	out->device = (uint64_t)st.st_dev;
	out->inode = (uint64_t)st.st_ino;
	out->birth = birth_of(file);
	if (machine != NULL)
		hash_machine(out->machine, view_str(machine));
	else
		this_machine(out->machine);
	return ERR_OK;
}

enum err_code
ident_new_id(struct ident *out, struct err *e)
{
	if (getrandom(out->id.b, sizeof(out->id.b), 0) !=
	    (ssize_t)sizeof(out->id.b))
		return err_os(e, errno, "random store id");
	return ERR_OK;
}

enum ident_match
ident_compare(const struct ident *written, const struct ident *here)
{
	if (memcmp(written->machine, here->machine, 8) != 0)
		return IDENT_OTHER_MACHINE;
	if (written->inode != here->inode)
		return IDENT_OTHER_INODE;
	if (written->birth != 0 && here->birth != 0)
		return written->birth == here->birth ? IDENT_SAME
						     : IDENT_OTHER_INODE;
	return written->device == here->device ? IDENT_SAME : IDENT_OTHER_INODE;
}
