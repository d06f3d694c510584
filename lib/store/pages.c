#include "store/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "codec/dec.h"

/*
 * Head, at the start of pages 0 and 1, after the 16 bytes that every page
 * begins with (u64 number, u16 pad, u16 flags, u32 of no use here):
 *	u32 magic, u32 version, u64 address, u64 map size,
 *	tree of free pages (its pad is the page size), main tree,
 *	u64 last page, u64 transaction
 * Tree: u32 pad, u16 flags, u16 depth, u64 branch pages, u64 leaf pages,
 *	u64 long pages, u64 entries, u64 root
 */
#define HEAD_SIZE 152
#define MAGIC 0xbeefc0de
#define VERSION 1
#define FLAG_META 0x08
#define TORN_RETRIES 100

bool
pages_known_layout(void)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return sizeof(size_t) == 8;
#else
	return false;
#endif
}

void
pages_dec_tree(struct dec *d, struct pages_tree *t)
{
	t->pad = dec_u32le(d);
	t->flags = dec_u16le(d);
	t->depth = dec_u16le(d);
	t->branches = dec_u64le(d);
	t->leaves = dec_u64le(d);
	t->longs = dec_u64le(d);
	t->entries = dec_u64le(d);
	t->root = dec_u64le(d);
}

static void
dec_head(struct pages_head *h, struct view page)
{
	struct dec d;

	dec_init(&d, page);
	h->number = dec_u64le(&d);
	(void)dec_u16le(&d);
	h->page_flags = dec_u16le(&d);
	(void)dec_u32le(&d);
	h->magic = dec_u32le(&d);
	h->version = dec_u32le(&d);
	h->address = dec_u64le(&d);
	(void)dec_u64le(&d);
	pages_dec_tree(&d, &h->free_tree);
	pages_dec_tree(&d, &h->main_tree);
	h->last = dec_u64le(&d);
	h->txnid = dec_u64le(&d);
}

static const char *
head_wrong(const struct pages_head *h, unsigned i, uint32_t page_size)
{
	if (h->magic != MAGIC)
		return "it is not an index";
	if (h->version != VERSION)
		return "its version is unknown";
	if (h->number != i || h->page_flags != FLAG_META || h->address != 0 ||
	    h->free_tree.pad != page_size ||
	    h->free_tree.flags != PAGES_INTEGER_KEYS ||
	    h->main_tree.flags != 0 || h->last < 1 ||
	    h->last > UINT64_MAX / page_size - 1)
		return "its head makes no sense";
	return NULL;
}

/* Heads are written in turn, so their transactions follow each other. */
static const char *
heads_wrong(const struct pages_head h[static 2])
{
	uint64_t a = h[0].txnid, b = h[1].txnid;

	if (a == 0 && b == 0)
		return NULL;
	if ((a & 1) != 0 || (b & 1) != 1 || (a + 1 != b && b + 1 != a))
		return "its heads do not belong together";
	return NULL;
}

static enum err_code
read_head(int fd, const char *file, uint64_t at, uint8_t *raw, struct err *e)
{
	return file_pread_all(fd, file, raw, HEAD_SIZE, at, e);
}

/* One look at both heads. raw keeps what was seen. *why is NULL if fine. */
static enum err_code
look_at_heads(int fd, const char *file, struct pages_head h[static 2],
    uint8_t raw[static 2 * HEAD_SIZE], const char **why, struct err *e)
{
	uint32_t size;
	enum err_code rc = read_head(fd, file, 0, raw, e);

	if (rc != ERR_OK)
		return rc;
	dec_head(&h[0], view_of(raw, HEAD_SIZE));
	size = h[0].free_tree.pad;
	if (size < 512 || size > 65536 || (size & (size - 1)) != 0) {
		*why = h[0].magic == MAGIC ? "its head makes no sense"
					   : "it is not an index";
		return ERR_OK;
	}
	if ((*why = head_wrong(&h[0], 0, size)) != NULL)
		return ERR_OK;
	rc = read_head(fd, file, size, raw + HEAD_SIZE, e);
	if (rc != ERR_OK)
		return rc;
	dec_head(&h[1], view_of(raw + HEAD_SIZE, HEAD_SIZE));
	if ((*why = head_wrong(&h[1], 1, size)) == NULL)
		*why = heads_wrong(h);
	return ERR_OK;
}

/* A writer may be replacing a head while it is read: something wrong counts
 * when it is still there, unchanged, at the second look. */
enum err_code
pages_read_heads(
    int fd, const char *file, struct pages_head h[static 2], struct err *e)
{
	uint8_t raw[2 * HEAD_SIZE], before[2 * HEAD_SIZE];
	const char *why = NULL;
	enum err_code rc;

	memset(raw, 0, sizeof(raw));
	for (int i = 0; i < TORN_RETRIES; i++) {
		memcpy(before, raw, sizeof(raw));
		rc = look_at_heads(fd, file, h, raw, &why, e);
		if (rc != ERR_OK || why == NULL)
			return rc;
		if (i > 0 && memcmp(before, raw, sizeof(raw)) == 0)
			break;
	}
	return err_set(e, ERR_CORRUPT, "%s is damaged: %s", file, why);
}

enum err_code
pages_check_heads(const char *file, bool *shorter, struct err *e)
{
	struct pages_head h[2];
	const struct pages_head *new;
	enum err_code rc;
	struct stat st;
	int fd;

	*shorter = false;
	if (!pages_known_layout())
		return ERR_OK;
	if ((fd = open(file, O_RDONLY | O_CLOEXEC)) < 0)
		return err_os(e, errno, "open %s", file);
	rc = pages_read_heads(fd, file, h, e);
	if (rc == ERR_OK && fstat(fd, &st) != 0)
		rc = err_os(e, errno, "stat %s", file);
	close(fd);
	if (rc != ERR_OK)
		return rc;
	new = &h[h[1].txnid > h[0].txnid];
	*shorter = (uint64_t)st.st_size / new->free_tree.pad <= new->last;
	return ERR_OK;
}
