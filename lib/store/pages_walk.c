#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/crc.h"
#include "store/handle.h"
#include "store/pages.h"

/*
 * Page (little-endian): u64 number, u16 pad, u16 flags, u16 lower, u16 upper;
 * then a u16 offset for each node up to lower; the nodes fill upper to the
 * end. On the first page of a long value a u32 number of pages stands for
 * lower and upper, and the value follows.
 *
 * Node: u16 lo, u16 hi, u16 flags, u16 key length, key, and
 *	branch: child = lo | hi << 16 | flags << 32
 *	leaf: length = lo | hi << 16; then the value, or the u64 number of the
 *	      page where a long one begins, or the 48 bytes of another tree
 */
#define HEADER 16
#define NODE 8
#define FLAG_BRANCH 0x01
#define FLAG_LEAF 0x02
#define FLAG_LONG 0x04
#define NODE_LONG 0x01
#define NODE_TREE 0x02
#define DEPTH_MAX 32

enum kind { FREE_PAGES, MAIN, TABLE };

struct walk {
	int fd;
	const char *file;
	const char *const *tables;
	uint32_t size;	      /* of a page */
	uint64_t last;	      /* page in use */
	uint64_t present;     /* whole pages in the file */
	uint64_t free_beyond; /* free pages that are not in the file */
	uint8_t *seen;	      /* a bit for each page that is present */
	struct err *e;
};

/* One tree under way. */
struct climb {
	struct walk *w;
	enum kind kind;
	unsigned table;
	const struct pages_tree *tree;
	struct pages_tree found; /* totals */
	uint8_t last_key[STORE_KEY_MAX];
	size_t last_len;
	uint8_t low[STORE_KEY_MAX]; /* least key allowed here */
	size_t low_len;
};

struct node {
	unsigned lo, hi, flags;
	struct view key, rest; /* rest: whatever follows the key */
};

static enum err_code walk_tree(struct walk *w, enum kind kind, unsigned table,
    const struct pages_tree *tree);
static enum err_code walk_page(
    struct climb *c, uint64_t number, unsigned level);

static enum err_code
wrong(const struct walk *w, const char *why, uint64_t page)
{
	return err_set(w->e, ERR_CORRUPT, "%s is damaged: page %" PRIu64 ": %s",
	    w->file, page, why);
}

static enum err_code
mark_seen(struct walk *w, uint64_t page, uint64_t count)
{
	if (page < 2 || page > w->last || count > w->last - page + 1)
		return wrong(w, "there is no such page", page);
	for (; count > 0; count--, page++) {
		if (page >= w->present)
			return wrong(w, "the file ends before it", page);
		if (w->seen[page / 8] & 1 << page % 8)
			return wrong(w, "it is used twice", page);
		w->seen[page / 8] |= (uint8_t)(1 << page % 8);
	}
	return ERR_OK;
}

/* -- long values and the lists of free pages ------------------------------ */

static enum err_code
read_long(struct climb *c, const struct node *n, uint64_t len, uint8_t **out)
{
	struct walk *w = c->w;
	uint8_t head[HEADER], *p;
	uint64_t page, count, need = (HEADER - 1 + len) / w->size + 1;
	enum err_code rc;
	struct dec d;

	dec_init(&d, n->rest);
	page = dec_u64le(&d);
	if (page >= w->present)
		return wrong(w, "there is no such page", page);
	rc = file_pread_all(w->fd, w->file, head, HEADER, page * w->size, w->e);
	if (rc != ERR_OK)
		return rc;
	dec_init(&d, view_of(head, HEADER));
	if (dec_u64le(&d) != page || (dec_u32le(&d) >> 16) != FLAG_LONG)
		return wrong(w, "the head of a long value is wrong", page);
	/* A value that got shorter in its transaction keeps its pages. */
	if ((count = dec_u32le(&d)) < need)
		return wrong(w, "a long value is too long", page);
	if ((rc = mark_seen(w, page, count)) != ERR_OK)
		return rc;
	c->found.longs += count;
	if ((p = malloc(len > 0 ? len : 1)) == NULL)
		return err_nomem(w->e);
	rc = file_pread_all(
	    w->fd, w->file, p, len, page * w->size + HEADER, w->e);
	if (rc != ERR_OK) {
		free(p);
		return rc;
	}
	*out = p;
	return ERR_OK;
}

/* u64 count, then that many page numbers, the greatest first. */
static enum err_code
free_list(struct walk *w, struct view list, uint64_t page)
{
	uint64_t count, number, before = PAGES_NONE;
	enum err_code rc;
	struct dec d;

	dec_init(&d, list);
	count = dec_u64le(&d);
	if (list.len % 8 != 0 || count > dec_left(&d) / 8)
		return wrong(w, "a list of free pages is wrong", page);
	for (; count > 0; count--, before = number) {
		number = dec_u64le(&d);
		if (number >= before || number > w->last)
			return wrong(w, "a list of free pages is wrong", page);
		if (number >= w->present)
			w->free_beyond++;
		else if ((rc = mark_seen(w, number, 1)) != ERR_OK)
			return rc;
	}
	return ERR_OK;
}

static bool
record_ok(unsigned table, struct view key, struct view raw)
{
	struct view sum;
	struct dec d;

	if (raw.len < STORE_SUM)
		return false;
	sum = view_sub(raw, raw.len - STORE_SUM, STORE_SUM);
	dec_init(&d, sum);
	return dec_u32le(&d) == crc_add(crc_key(table, key),
				    view_sub(raw, 0, raw.len - STORE_SUM));
}

/* -- leaves --------------------------------------------------------------- */

static enum err_code
main_leaf(struct walk *w, const struct node *n, uint64_t page)
{
	struct pages_tree tree;
	struct dec d;

	dec_init(&d, n->rest);
	pages_dec_tree(&d, &tree);
	for (unsigned t = 0; t < STORE_TABLES; t++)
		if (view_eq(n->key, view_str(w->tables[t])))
			return walk_tree(w, TABLE, t, &tree);
	return wrong(w, "there is an unknown table", page);
}

static enum err_code
check_value(
    struct climb *c, const struct node *n, struct view val, uint64_t page)
{
	switch (c->kind) {
	case MAIN:
		break;
	case FREE_PAGES:
		return free_list(c->w, val, page);
	case TABLE:
		if (!record_ok(c->table, n->key, val))
			return wrong(c->w,
			    "the check sum of a record does "
			    "not match",
			    page);
		return ERR_OK;
	}
	return main_leaf(c->w, n, page);
}

static enum err_code
leaf_node(struct climb *c, const struct node *n, uint64_t page)
{
	uint64_t len = n->lo | (uint64_t)n->hi << 16;
	uint8_t *value = NULL;
	enum err_code rc;

	c->found.entries++;
	if (n->flags != NODE_LONG)
		return check_value(c, n, view_sub(n->rest, 0, len), page);
	if ((rc = read_long(c, n, len, &value)) != ERR_OK)
		return rc;
	rc = check_value(c, n, view_of(value, len), page);
	free(value);
	return rc;
}

static int
compare(const struct climb *c, struct view a, struct view b)
{
	uint64_t x, y;
	struct dec d;

	if (c->kind != FREE_PAGES)
		return view_cmp(a, b);
	dec_init(&d, a);
	x = dec_u64le(&d);
	dec_init(&d, b);
	y = dec_u64le(&d);
	return x < y ? -1 : x > y;
}

/* The keys of a tree rise from leaf to leaf, and none is less than the
 * branches above it say. */
static enum err_code
check_key(struct climb *c, struct view key, uint64_t page)
{
	size_t must = c->kind == FREE_PAGES ? 8 : key.len;

	if (key.len == 0 || key.len > STORE_KEY_MAX || key.len != must)
		return wrong(c->w, "the length of a key is wrong", page);
	if ((c->last_len > 0 &&
		compare(c, view_of(c->last_key, c->last_len), key) >= 0) ||
	    (c->low_len > 0 &&
		compare(c, view_of(c->low, c->low_len), key) > 0))
		return wrong(c->w, "its keys are out of order", page);
	return ERR_OK;
}

/* -- nodes and pages ------------------------------------------------------ */

/* Bytes behind the key; false if the flags do not fit the tree. */
static bool
rest_len(const struct climb *c, const struct node *n, bool leaf, size_t *len)
{
	*len = leaf ? n->lo | (size_t)n->hi << 16 : 0;
	if (!leaf)
		return true;
	if (c->kind == MAIN)
		return n->flags == NODE_TREE && *len == PAGES_TREE_SIZE;
	if (n->flags == NODE_LONG)
		*len = 8;
	return n->flags == 0 || n->flags == NODE_LONG;
}

/* Node i of the page; *used grows by its size. */
static enum err_code
get_node(const struct climb *c, struct view page, unsigned i, bool leaf,
    struct node *n, size_t *used)
{
	uint64_t number;
	size_t at, key_len, len;
	struct dec d;

	dec_init(&d, page);
	number = dec_u64le(&d);
	(void)dec_fixed(&d, HEADER - 8 + 2 * i);
	at = dec_u16le(&d);
	dec_init(&d, view_sub(page, at, page.len));
	n->lo = dec_u16le(&d);
	n->hi = dec_u16le(&d);
	n->flags = dec_u16le(&d);
	key_len = dec_u16le(&d);
	if (at > page.len || !rest_len(c, n, leaf, &len))
		return wrong(c->w, "a node makes no sense", number);
	n->key = dec_fixed(&d, key_len);
	n->rest = dec_fixed(&d, len);
	if (!dec_ok(&d))
		return wrong(c->w, "a node passes its end", number);
	*used += (NODE + key_len + len + 1) & ~(size_t)1;
	return ERR_OK;
}

static enum err_code
branch_node(struct climb *c, const struct node *n, unsigned i, uint64_t page,
    unsigned level)
{
	uint64_t child =
	    n->lo | (uint64_t)n->hi << 16 | (uint64_t)n->flags << 32;
	enum err_code rc;

	if (i > 0) {
		if ((rc = check_key(c, n->key, page)) != ERR_OK)
			return rc;
		memcpy(c->low, n->key.ptr, n->key.len);
		c->low_len = n->key.len;
	}
	return walk_page(c, child, level + 1);
}

static enum err_code
walk_node(struct climb *c, const struct node *n, unsigned i, uint64_t page,
    unsigned level)
{
	enum err_code rc;

	if (level < c->tree->depth)
		return branch_node(c, n, i, page, level);
	if ((rc = check_key(c, n->key, page)) != ERR_OK)
		return rc;
	memcpy(c->last_key, n->key.ptr, n->key.len);
	c->last_len = n->key.len;
	return leaf_node(c, n, page);
}

static enum err_code
walk_nodes(struct climb *c, struct view page, uint64_t number, unsigned level)
{
	bool leaf = level == c->tree->depth;
	unsigned flags, lower, upper;
	size_t used = 0;
	enum err_code rc;
	struct node n;
	struct dec d;

	dec_init(&d, page);
	if (dec_u64le(&d) != number)
		return wrong(c->w, "it is another page", number);
	(void)dec_u16le(&d);
	flags = dec_u16le(&d);
	lower = dec_u16le(&d);
	upper = dec_u16le(&d);
	if (flags != (leaf ? FLAG_LEAF : FLAG_BRANCH) || lower <= HEADER ||
	    lower % 2 != 0 || upper < lower || upper > page.len)
		return wrong(c->w, "its head makes no sense", number);
	for (unsigned i = 0; i < (lower - HEADER) / 2; i++) {
		if ((rc = get_node(c, page, i, leaf, &n, &used)) != ERR_OK ||
		    (rc = walk_node(c, &n, i, number, level)) != ERR_OK)
			return rc;
	}
	if (used != page.len - upper)
		return wrong(c->w, "its nodes do not fill it", number);
	return ERR_OK;
}

static enum err_code
walk_page(struct climb *c, uint64_t number, unsigned level)
{
	struct walk *w = c->w;
	enum err_code rc = mark_seen(w, number, 1);
	uint8_t *p;

	if (rc != ERR_OK)
		return rc;
	if (level == c->tree->depth)
		c->found.leaves++;
	else
		c->found.branches++;
	if ((p = malloc(w->size)) == NULL)
		return err_nomem(w->e);
	rc = file_pread_all(w->fd, w->file, p, w->size, number * w->size, w->e);
	if (rc == ERR_OK)
		rc = walk_nodes(c, view_of(p, w->size), number, level);
	free(p);
	return rc;
}

static enum err_code
walk_tree(struct walk *w, enum kind kind, unsigned table,
    const struct pages_tree *tree)
{
	struct climb *c;
	enum err_code rc = ERR_OK;
	const struct pages_tree *f;

	if (tree->depth > DEPTH_MAX ||
	    (tree->depth == 0) != (tree->root == PAGES_NONE) ||
	    (kind == TABLE && (tree->flags != 0 || tree->pad != 0)))
		return wrong(w, "a tree makes no sense", tree->root);
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return err_nomem(w->e);
	c->w = w;
	c->kind = kind;
	c->table = table;
	c->tree = tree;
	f = &c->found;
	if (tree->depth > 0)
		rc = walk_page(c, tree->root, 1);
	if (rc == ERR_OK &&
	    (f->branches != tree->branches || f->leaves != tree->leaves ||
		f->longs != tree->longs || f->entries != tree->entries))
		rc = wrong(w, "the totals of a tree are wrong", tree->root);
	free(c);
	return rc;
}

static enum err_code
walk_all(struct walk *w, const struct pages_head *h)
{
	enum err_code rc;

	if ((rc = walk_tree(w, FREE_PAGES, 0, &h->free_tree)) != ERR_OK ||
	    (rc = walk_tree(w, MAIN, 0, &h->main_tree)) != ERR_OK)
		return rc;
	if (w->present <= w->last && w->free_beyond != w->last + 1 - w->present)
		return wrong(w, "the file ends before it", w->present);
	return ERR_OK;
}

static enum err_code
walk_file(struct walk *w, uint64_t txnid, uint64_t most)
{
	struct pages_head h[2];
	const struct pages_head *mine;
	struct stat st;
	enum err_code rc;

	if ((rc = pages_read_heads(w->fd, w->file, h, w->e)) != ERR_OK)
		return rc;
	mine = &h[txnid & 1];
	if (mine->txnid != txnid)
		return err_set(w->e, ERR_CHANGED,
		    "%s was written while it was checked", w->file);
	if (mine->last >= most)
		return ERR_OK;
	if (fstat(w->fd, &st) != 0)
		return err_os(w->e, errno, "stat %s", w->file);
	w->size = mine->free_tree.pad;
	w->last = mine->last;
	w->present = (uint64_t)st.st_size / w->size;
	if ((w->seen = calloc(1, w->present / 8 + 1)) == NULL)
		return err_nomem(w->e);
	rc = walk_all(w, mine);
	free(w->seen);
	return rc;
}

enum err_code
pages_walk(const char *file, uint64_t txnid, const char *const *tables,
    uint64_t most, struct err *e)
{
	struct walk w = {.file = file, .tables = tables, .e = e};
	enum err_code rc;

	if (!pages_known_layout())
		return ERR_OK;
	if ((w.fd = open(file, O_RDONLY | O_CLOEXEC)) < 0)
		return err_os(e, errno, "open %s", file);
	rc = walk_file(&w, txnid, most);
	close(w.fd);
	return rc;
}
