/* Reading a core: nodes, offsets, blocks. */
#include <stdlib.h>
#include <string.h>

#include "core/impl.h"
#include "crypto/hash_lanes.h"

static uint64_t
get_le64(const uint8_t *p)
{
	uint64_t x = 0;

	for (int i = 7; i >= 0; i--)
		x = x << 8 | p[i];
	return x;
}

bool
slot_node(const uint8_t *page, uint64_t flat, struct node *out)
{
	static const uint8_t absent[NODE_SLOT];
	const uint8_t *slot = page + flat % NODES_PER_PAGE * NODE_SLOT;

	if (memcmp(slot, absent, NODE_SLOT) == 0)
		return false;
	out->index = flat;
	out->size = get_le64(slot);
	memcpy(out->hash.b, slot + 8, sizeof(out->hash.b));
	return true;
}

void
slot_put_node(uint8_t *page, const struct node *n)
{
	uint8_t *slot = page + n->index % NODES_PER_PAGE * NODE_SLOT;

	for (int i = 0; i < 8; i++)
		slot[i] = (uint8_t)(n->size >> (8 * i));
	memcpy(slot + 8, n->hash.b, sizeof(n->hash.b));
}

void
slot_clear(uint8_t *page, uint64_t flat)
{
	memset(page + flat % NODES_PER_PAGE * NODE_SLOT, 0, NODE_SLOT);
}

static enum err_code
load_nodes(struct core *c, uint64_t no, struct err *e)
{
	struct page_cache *pc = c->cache;
	size_t at = no % CACHE_PAGES;
	enum err_code rc;

	pc->here[at] = false;
	rc = pages_read(
	    c->store, STORE_NODES, c->number, no, pc->data[at], NODES_PAGE, e);
	if (rc != ERR_OK)
		return err_wrap(e, "core %s", c->name);
	pc->here[at] = true;
	pc->no[at] = no;
	return ERR_OK;
}

/* A path to a leaf has its low nodes in one or two pages and each high one
 * in a page of its own. */
static struct node *
high_slot(struct page_cache *pc, uint64_t flat)
{
	unsigned depth = flat_depth(flat);

	if (depth < CACHE_HIGH_DEPTH)
		return NULL;
	return &pc->high[(flat_offset(flat) * 31 + depth) % CACHE_HIGH];
}

static enum err_code
find_in_page(
    struct core *c, uint64_t flat, bool *found, struct node *out, struct err *e)
{
	struct page_cache *pc = c->cache;
	uint64_t no = flat / NODES_PER_PAGE;
	size_t at = no % CACHE_PAGES;
	bool here = pc->here[at] && pc->no[at] == no, moved;
	enum err_code rc;

	if (here && (*found = slot_node(pc->data[at], flat, out)))
		return ERR_OK;
	if ((rc = core_catch_up(c, &moved, e)) != ERR_OK)
		return rc;
	if ((!here || moved) && (rc = load_nodes(c, no, e)) != ERR_OK)
		return rc;
	*found = slot_node(pc->data[at], flat, out);
	return ERR_OK;
}

enum err_code
core_find_node(
    struct core *c, uint64_t flat, bool *found, struct node *out, struct err *e)
{
	struct node *high;
	enum err_code rc;

	if (c->cache == NULL &&
	    (c->cache = calloc(1, sizeof(*c->cache))) == NULL)
		return err_nomem(e);
	high = high_slot(c->cache, flat);
	if (high != NULL && high->index == flat) {
		*out = *high;
		*found = true;
		return ERR_OK;
	}
	rc = find_in_page(c, flat, found, out, e);
	if (rc == ERR_OK && *found && high != NULL)
		*high = *out;
	return rc;
}

static enum err_code
missing(struct core *c, enum want_kind kind, uint64_t index, struct want *w,
    struct err *e)
{
	if (w != NULL)
		*w = (struct want){c->key, kind, index};
	return err_set(e, ERR_NEED_BLOCK, "%s %llu of core %s is not here",
	    kind == WANT_NODE ? "node" : "block", (unsigned long long)index,
	    c->name);
}

enum err_code
core_node(struct core *c, uint64_t flat, struct node *out, struct want *w,
    struct err *e)
{
	bool found;
	enum err_code rc;

	if (flat_right_span(flat) / 2 >= c->head.length)
		return err_set(e, ERR_LIMIT,
		    "node %llu is beyond the length %llu of core %s",
		    (unsigned long long)flat,
		    (unsigned long long)c->head.length, c->name);
	if ((rc = core_find_node(c, flat, &found, out, e)) != ERR_OK)
		return rc;
	return found ? ERR_OK : missing(c, WANT_NODE, flat, w, e);
}

/* A node on the way to a block: without it, ask for the first block below
 * it, because only a chain from a block proves sizes. */
static enum err_code
node_on_way(struct core *c, struct pages *over, uint64_t flat, uint64_t block,
    struct node *out, struct want *w, struct err *e)
{
	const uint8_t *page = NULL;
	bool found;
	enum err_code rc;

	if (over != NULL)
		page = pages_peek(over, flat / NODES_PER_PAGE);
	if (page != NULL)
		found = slot_node(page, flat, out);
	else if ((rc = core_find_node(c, flat, &found, out, e)) != ERR_OK)
		return rc;
	return found ? ERR_OK : missing(c, WANT_BLOCK, block, w, e);
}

enum err_code
core_offset_in(struct core *c, struct pages *over, const struct tree *tree,
    uint64_t index, uint64_t *offset, struct want *w, struct err *e)
{
	uint64_t sum = 0, at, leaf = 2 * index;
	struct node left;
	size_t r = 0;
	enum err_code rc;

	while (r < tree->nroots && flat_right_span(tree->root[r].index) < leaf)
		sum += tree->root[r++].size;
	at = r < tree->nroots ? tree->root[r].index : leaf;
	while (at != leaf) {
		if (leaf < at) {
			at = flat_left_child(at);
			continue;
		}
		rc = node_on_way(
		    c, over, flat_left_child(at), index, &left, w, e);
		if (rc != ERR_OK)
			return rc;
		sum += left.size;
		at = flat_right_child(at);
	}
	*offset = sum;
	return ERR_OK;
}

enum err_code
core_offset(struct core *c, uint64_t index, uint64_t *offset, struct want *w,
    struct err *e)
{
	if (index > c->head.length)
		return err_set(e, ERR_LIMIT,
		    "block %llu is beyond the length %llu of core %s",
		    (unsigned long long)index,
		    (unsigned long long)c->head.length, c->name);
	if (index != c->next_index || c->next_offset == 0)
		return core_offset_in(c, NULL, &c->tree, index, offset, w, e);
	*offset = c->next_offset;
	return ERR_OK;
}

enum err_code
core_seek(struct core *c, uint64_t offset, uint64_t *index, uint64_t *within,
    struct want *w, struct err *e)
{
	uint64_t at;
	struct node left;
	size_t r = 0;
	enum err_code rc;

	if (offset >= c->head.byte_length)
		return err_set(e, ERR_LIMIT,
		    "byte %llu is beyond the %llu bytes of core %s",
		    (unsigned long long)offset,
		    (unsigned long long)c->head.byte_length, c->name);
	while (c->tree.root[r].size <= offset)
		offset -= c->tree.root[r++].size;
	for (at = c->tree.root[r].index; (at & 1) != 0;) {
		rc = node_on_way(c, NULL, flat_left_child(at),
		    flat_left_span(at) / 2, &left, w, e);
		if (rc != ERR_OK)
			return rc;
		if (offset < left.size) {
			at = left.index;
			continue;
		}
		offset -= left.size;
		at = flat_right_child(at);
	}
	*index = at / 2;
	*within = offset;
	return ERR_OK;
}

enum err_code
core_tree_at(struct core *c, uint64_t length, struct tree *out, struct want *w,
    struct err *e)
{
	uint64_t index[FLAT_ROOTS_MAX];
	struct node root[FLAT_ROOTS_MAX];
	size_t n;
	enum err_code rc;

	if (length > c->head.length)
		return err_set(e, ERR_LIMIT,
		    "length %llu is beyond the length %llu of core %s",
		    (unsigned long long)length,
		    (unsigned long long)c->head.length, c->name);
	if (length == c->head.length) {
		*out = c->tree;
		return ERR_OK;
	}
	n = flat_roots(length, index);
	for (size_t i = 0; i < n; i++)
		if ((rc = core_node(c, index[i], &root[i], w, e)) != ERR_OK)
			return rc;
	if ((rc = tree_from_roots(out, length, root, n, e)) != ERR_OK)
		return err_wrap(e, "core %s", c->name);
	return ERR_OK;
}

/* -- bytes ---------------------------------------------------------------- */

enum err_code
core_read_log(struct core *c, void *p, size_t n, uint64_t offset, struct err *e)
{
	const struct record_redo *r = &c->redo;
	uint8_t *to = p;
	uint64_t at;
	size_t part;
	enum err_code rc;

	while (n > 0) {
		part = n;
		at = offset;
		if (r->len != 0 && offset < r->dst) {
			if (part > r->dst - offset)
				part = (size_t)(r->dst - offset);
		} else if (r->len != 0 && offset - r->dst < r->len) {
			if (part > r->len - (offset - r->dst))
				part = (size_t)(r->len - (offset - r->dst));
			at = r->src + (offset - r->dst);
		}
		rc = blockfile_read(c->file, to, part, at, e);
		if (rc != ERR_OK)
			return err_wrap(e, "core %s", c->name);
		to += part;
		offset += part;
		n -= part;
	}
	return ERR_OK;
}

/* Blocks read in order come out of one read of up to WINDOW_MAX bytes. The
 * window grows while they are, and only a core without gaps has one: in a
 * sparse file nobody knows where the bytes end. */
static void
grow_window(struct core *c, uint64_t offset)
{
	bool in_order = offset != 0 && offset == c->next_offset;

	c->window_grow = in_order ? c->window_grow * 4 : WINDOW_MIN;
	if (c->window_grow > WINDOW_MAX)
		c->window_grow = WINDOW_MAX;
}

static enum err_code
fill_window(struct core *c, uint64_t offset, struct err *e)
{
	uint64_t left = c->head.byte_length - offset;
	size_t n;
	enum err_code rc;

	if (c->window == NULL && (c->window = malloc(WINDOW_MAX)) == NULL)
		return err_nomem(e);
	n = left < c->window_grow ? (size_t)left : c->window_grow;
	c->window_len = 0;
	if ((rc = core_read_log(c, c->window, n, offset, e)) != ERR_OK)
		return rc;
	c->window_at = offset;
	c->window_len = n;
	return ERR_OK;
}

static bool
in_window(const struct core *c, uint64_t offset, size_t n)
{
	return offset >= c->window_at &&
	       offset - c->window_at <= c->window_len &&
	       n <= c->window_len - (offset - c->window_at);
}

static enum err_code
read_block(struct core *c, void *p, size_t n, uint64_t offset, struct err *e)
{
	enum err_code rc;

	if (n == 0)
		return ERR_OK;
	if (c->head.contiguous != c->head.length)
		return core_read_log(c, p, n, offset, e);
	if (!in_window(c, offset, n)) {
		grow_window(c, offset);
		if (n > c->window_grow)
			return core_read_log(c, p, n, offset, e);
		rc = fill_window(c, offset, e);
		if (rc != ERR_OK && rc != ERR_CORRUPT)
			return rc;
		/* what is cut off may lie behind this block */
		if (rc == ERR_CORRUPT && e != NULL)
			e->code = ERR_OK;
		if (rc != ERR_OK || !in_window(c, offset, n))
			return core_read_log(c, p, n, offset, e);
	}
	memcpy(p, c->window + (offset - c->window_at), n);
	return ERR_OK;
}

/* Blocks behind block `index` whose bytes are in the window and were never
 * checked, from want[1] and block[1] on: they are hashed together. Returns
 * their number and one. `page` has the bits of `index`. */
static size_t
look_ahead(struct core *c, uint64_t index, uint64_t offset, const uint8_t *page,
    struct node *want, struct view *block)
{
	size_t n = 1;
	bool found;

	while (n < HASH_LANES_AHEAD && ++index < c->head.length &&
	       index % BITS_PER_PAGE != 0 && !core_bit(page, index) &&
	       in_window(c, offset, 0) &&
	       core_find_node(c, 2 * index, &found, &want[n], NULL) == ERR_OK &&
	       found && in_window(c, offset, want[n].size)) {
		block[n].ptr = c->window + (offset - c->window_at);
		block[n].len = (size_t)want[n].size;
		offset += want[n].size;
		n++;
	}
	return n;
}

static bool
is_leaf(const struct node *leaf, struct view bytes, const struct b32 *hash)
{
	return bytes.len == leaf->size && b32_eq(hash, &leaf->hash);
}

enum err_code
core_check_block(struct core *c, uint64_t index, const struct node *leaf,
    struct view bytes, uint64_t offset, struct err *e)
{
	struct view block[HASH_LANES_AHEAD] = {bytes};
	struct node want[HASH_LANES_AHEAD] = {*leaf};
	struct b32 hash[HASH_LANES_AHEAD];
	uint8_t *page;
	size_t n;
	enum err_code rc;

	rc = pages_get(&c->checked, index / BITS_PER_PAGE, &page, e);
	if (rc != ERR_OK)
		return rc;
	if (core_bit(page, index))
		return ERR_OK;
	n = look_ahead(c, index, offset + bytes.len, page, want, block);
	hash_leaves(hash, block, n);
	if (!is_leaf(&want[0], block[0], &hash[0]))
		return err_set(e, ERR_CORRUPT,
		    "core %s: block %llu does not match its hash "
		    "(%s at byte %llu)",
		    c->name, (unsigned long long)index, blockfile_path(c->file),
		    (unsigned long long)offset);
	/* damage further on is found when that block is read */
	for (size_t i = 0; i < n; i++, index++)
		if (is_leaf(&want[i], block[i], &hash[i]))
			page[index % BITS_PER_PAGE / 8] |=
			    (uint8_t)(1u << (index % 8));
	return ERR_OK;
}

enum err_code
core_locate(struct core *c, uint64_t index, struct node *leaf, uint64_t *offset,
    struct want *w, struct err *e)
{
	enum err_code rc;

	if ((rc = node_on_way(c, NULL, 2 * index, index, leaf, w, e)) !=
		ERR_OK ||
	    (rc = core_offset(c, index, offset, w, e)) != ERR_OK)
		return rc;
	if (leaf->size > c->head.byte_length ||
	    *offset > c->head.byte_length - leaf->size)
		return err_set(e, ERR_CORRUPT,
		    "core %s: block %llu lies beyond the head", c->name,
		    (unsigned long long)index);
	return ERR_OK;
}

/* Bytes that do not match may have been read ahead, before another process
 * put them right: the disk is asked once more. */
static enum err_code
read_checked(struct core *c, uint64_t index, const struct node *leaf,
    uint64_t offset, uint8_t *p, struct err *e)
{
	struct view bytes = view_of(p, (size_t)leaf->size);
	enum err_code rc = read_block(c, p, bytes.len, offset, e);

	if (rc == ERR_OK)
		rc = core_check_block(c, index, leaf, bytes, offset, e);
	if (rc != ERR_CORRUPT || c->window_len == 0)
		return rc;
	c->window_len = 0;
	rc = core_read_log(c, p, bytes.len, offset, e);
	return rc == ERR_OK ? core_check_block(c, index, leaf, bytes, offset, e)
			    : rc;
}

enum err_code
core_get(struct core *c, uint64_t index, struct buf *out, struct want *w,
    struct err *e)
{
	struct node leaf;
	uint64_t offset;
	size_t before = out->len;
	uint8_t *p;
	bool here;
	enum err_code rc;

	if (index >= c->head.length)
		return err_set(e, ERR_LIMIT,
		    "block %llu is beyond the length %llu of core %s",
		    (unsigned long long)index,
		    (unsigned long long)c->head.length, c->name);
	if ((rc = core_block_here(c, index, &here, e)) != ERR_OK)
		return rc;
	if (!here)
		return missing(c, WANT_BLOCK, index, w, e);
	if ((rc = core_locate(c, index, &leaf, &offset, w, e)) != ERR_OK)
		return rc;
	p = buf_extend(out, (size_t)leaf.size);
	if (p == NULL && (rc = buf_check(out, e)) != ERR_OK)
		return err_wrap(e, "block %llu of core %s",
		    (unsigned long long)index, c->name);
	rc = read_checked(c, index, &leaf, offset, p, e);
	if (rc != ERR_OK) {
		out->len = before;
		if (rc == ERR_CORRUPT && w != NULL)
			*w = (struct want){c->key, WANT_REPAIR, index};
		return rc;
	}
	c->next_index = index + 1;
	c->next_offset = offset + leaf.size;
	return ERR_OK;
}
