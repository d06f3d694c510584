/* The table on a terminal: a row for each drive, as many as there is room
 * for, those in motion first, and the network line at the bottom. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/pear-seed/seed.h"

#define TEXT_MAX ((size_t)1 << 20)
#define ROWS_LEFT 4 /* for lines above, head, foot */

/* More to see first: trouble, then fetching, then traffic. */
static int
rank(const struct monitor_drive *d)
{
	switch (d->state) {
	case MONITOR_TROUBLE:
		return 4;
	case MONITOR_FETCHING:
		return 3;
	case MONITOR_SEARCHING:
		return 1;
	case MONITOR_COMPLETE:
		break;
	}
	return d->up >= 1 || d->down >= 1 ? 2 : 0;
}

static int
by_rank(const void *a, const void *b)
{
	const struct monitor_drive *const *x = a, *const *y = b;
	int rx = rank(*x), ry = rank(*y);

	if (rx != ry)
		return ry - rx;
	/* the order they were named in */
	return *x < *y ? -1 : *x > *y;
}

static unsigned
percent(const struct monitor_drive *d)
{
	uint64_t have = d->db.contiguous + d->blobs.contiguous;
	uint64_t all = d->db.length + d->blobs.length;

	return all == 0 ? 0 : (unsigned)((double)have / (double)all * 100);
}

static void
row(struct buf *b, const struct monitor_drive *d)
{
	char key[Z32_KEY_LEN + 1], size[CLI_SIZE_MAX], up[CLI_SIZE_MAX],
	    down[CLI_SIZE_MAX];

	z32_key(key, &d->db.key);
	key[8] = '\0';
	buf_printf(b, " %-8s %-9s %3u%% %8s %5" PRIu32 " %9s/s %9s/s  %s\n",
	    key, monitor_state_text(d->state), percent(d),
	    cli_size(size, (int64_t)(d->db.bytes + d->blobs.bytes)), d->peers,
	    cli_size(up, (int64_t)d->up), cli_size(down, (int64_t)d->down),
	    d->name);
}

static void
foot(struct buf *b, const struct seeder *s, size_t hidden)
{
	const struct monitor_node *n = &s->snap.node;
	char up[CLI_SIZE_MAX], down[CLI_SIZE_MAX], ups[CLI_SIZE_MAX],
	    downs[CLI_SIZE_MAX];

	if (hidden > 0)
		buf_printf(b, " and %zu more\n", hidden);
	buf_printf(b,
	    "network %" PRIu32 " peers, %zu of %zu drives complete, "
	    "upload %s - %s/s, download %s - %s/s",
	    n->connections, monitor_complete(&s->snap), s->snap.n,
	    cli_size(up, (int64_t)n->bytes_out), cli_size(ups, (int64_t)n->up),
	    cli_size(down, (int64_t)n->bytes_in),
	    cli_size(downs, (int64_t)n->down));
}

static void
rows(struct buf *b, const struct seeder *s)
{
	const struct monitor_drive **order;
	size_t columns, height, most, n = s->snap.n;

	cli_status_room(&columns, &height);
	most = height > ROWS_LEFT + 1 ? height - ROWS_LEFT : 1;
	order = calloc(n + 1, sizeof(*order));
	if (order == NULL) {
		foot(b, s, n); /* the rows come back with the memory */
		return;
	}
	for (size_t i = 0; i < n; i++)
		order[i] = &s->snap.drive[i];
	qsort(order, n, sizeof(*order), by_rank);
	if (n > 0)
		buf_printf(b, " %-8s %-9s %4s %8s %5s %11s %11s  %s\n", "drive",
		    "state", "here", "size", "peers", "up", "down", "name");
	for (size_t i = 0; i < n && i < most; i++)
		row(b, order[i]);
	foot(b, s, n > most ? n - most : 0);
	free(order);
}

void
table_show(struct seeder *s)
{
	const char *text;
	struct buf b;

	buf_init(&b, TEXT_MAX);
	rows(&b, s);
	if ((text = buf_cstr(&b)) != NULL)
		cli_status_lines(s->c, text);
	buf_deinit(&b);
	s->redraw = false;
}
