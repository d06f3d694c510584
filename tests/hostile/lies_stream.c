/* Lies of the cipher (network.md 4). */
#include <string.h>

#include "wire.h"

/* -- the header ----------------------------------------------------------- */

enum {
	LENGTH_LESS,
	LENGTH_MORE,
	LENGTH_HUGE,
	OTHER_ID,
	REFLECTED_ID,
	HEADER_TWICE,
	HEADER_BIT
};

static void
bend_header(struct wire *w)
{
	struct buf b;

	wire_header(w, &b);
	switch (w->lie->kind) {
	case LENGTH_LESS:
		b.data[0]--;
		break;
	case LENGTH_MORE:
		b.data[0]++;
		break;
	case LENGTH_HUGE:
		memset(b.data, 0xff, 3);
		break;
	case OTHER_ID:
		b.data[3] ^= 1;
		break;
	case REFLECTED_ID:
		/* somebody's who is not us */
		memset(b.data + 3, 0, 32);
		break;
	case HEADER_TWICE:
		wire_bytes(w, buf_view(&b));
		break;
	case HEADER_BIT:
		b.data[40] ^= 1;
		break;
	}
	wire_bytes(w, buf_view(&b));
	if (w->lie->kind == HEADER_BIT)
		wire_frame(w, view_str("what nobody can read"));
	buf_deinit(&b);
}

/* -- frames --------------------------------------------------------------- */

static void
raw(struct wire *w, const char *bytes, size_t n, size_t zeros)
{
	struct buf b;

	buf_init(&b, 32u << 20);
	buf_append(&b, view_of(bytes, n));
	buf_fill(&b, 0, zeros);
	wire_bytes(w, buf_view(&b));
	buf_deinit(&b);
}

static void
short_frame(struct wire *w)
{
	char head[3] = {(char)w->lie->kind, 0, 0};

	raw(w, head, 3, 64);
}

/* 16 MiB are announced, and then it takes its time. */
static void
endless_frame(struct wire *w)
{
	raw(w, "\xff\xff\xff", 3, 1000);
	for (int i = 0; i < 50 && !w->closed; i++) {
		raw(w, "", 0, 10);
		wire_turn(w, 2);
	}
}

/* 16 MiB that are there, and are not encrypted by us. */
static void
huge_frame(struct wire *w)
{
	raw(w, "\xff\xff\xff", 3, (1u << 24) - 1);
}

/* 16 MiB that are, and mean nothing. */
static void
huge_nonsense(struct wire *w)
{
	static uint8_t zeros[SECRET_PLAIN_MAX];

	memset(zeros, 0xff, sizeof(zeros));
	wire_frame(w, view_of(zeros, sizeof(zeros)));
}

static void
bend_frame(struct wire *w)
{
	struct buf a, b;

	wire_seal(w, view_str("\x63one"), &a);
	wire_seal(w, view_str("\x63two"), &b);
	switch (w->lie->kind) {
	case 0: /* twice */
		wire_bytes(w, buf_view(&a));
		wire_bytes(w, buf_view(&a));
		break;
	case 1: /* the other way round */
		wire_bytes(w, buf_view(&b));
		wire_bytes(w, buf_view(&a));
		break;
	case 2: /* one left out */
		wire_bytes(w, buf_view(&b));
		break;
	case 3: /* the tag */
		a.data[3] ^= 1;
		wire_bytes(w, buf_view(&a));
		break;
	default: /* the mac */
		a.data[a.len - 1] ^= 1;
		wire_bytes(w, buf_view(&a));
		break;
	}
	buf_deinit(&a);
	buf_deinit(&b);
}

static void
flood_keepalives(struct wire *w)
{
	for (unsigned i = 0; i < 20000 && !w->closed; i++) {
		wire_frame(w, VIEW_EMPTY);
		if (i % 200 == 0)
			wire_turn(w, 0);
	}
}

static void
byte_by_byte(struct wire *w)
{
	struct buf a;

	wire_seal(w, view_str("\x63one"), &a);
	for (size_t i = 0; i < a.len && !w->closed; i++) {
		wire_bytes(w, view_of(a.data + i, 1));
		wire_turn(w, 1);
	}
	buf_deinit(&a);
}

#define HEADER(i, text) \
	{ \
		.name = "header: " text, .end = LIE_DROPPED, .reason = "", \
		.stream = bend_header, .kind = i \
	}
#define FRAME(text, what, why, how, i) \
	{ \
		.name = "cipher: " text, .end = what, .reason = why, \
		.open = how, .kind = i \
	}

const struct wire_lie lies_stream[] = {
    HEADER(LENGTH_LESS, "a byte shorter"),
    HEADER(LENGTH_MORE, "a byte longer"),
    HEADER(LENGTH_HUGE, "16 MiB long"),
    HEADER(OTHER_ID, "of another stream"),
    HEADER(REFLECTED_ID, "of nobody"),
    HEADER(HEADER_TWICE, "twice"),
    HEADER(HEADER_BIT, "a bit is wrong"),
    FRAME("a frame of no bytes", LIE_DROPPED, "", short_frame, 0),
    FRAME("a frame of 16 bytes", LIE_DROPPED, "", short_frame, 16),
    FRAME("a frame that never ends", LIE_IGNORED, NULL, endless_frame, 0),
    FRAME("16 MiB of zeros", LIE_DROPPED, "", huge_frame, 0),
    FRAME("16 MiB that mean nothing", LIE_DROPPED, "frame", huge_nonsense, 0),
    FRAME("a frame twice", LIE_DROPPED, "", bend_frame, 0),
    FRAME("frames out of order", LIE_DROPPED, "", bend_frame, 1),
    FRAME("a frame left out", LIE_DROPPED, "", bend_frame, 2),
    FRAME("a bit of the tag", LIE_DROPPED, "", bend_frame, 3),
    FRAME("a bit of the mac", LIE_DROPPED, "", bend_frame, 4),
    FRAME("20,000 empty frames", LIE_IGNORED, NULL, flood_keepalives, 0),
    FRAME("a frame byte by byte", LIE_IGNORED, NULL, byte_by_byte, 0),
    {.name = NULL},
};
