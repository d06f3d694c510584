#include "pear/semver.h"

#include <string.h>

#include "codec/dec.h"

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_ident(uint8_t c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	       c == '-';
}

static bool
peek(struct view v, char c)
{
	return v.len > 0 && v.ptr[0] == (uint8_t)c;
}

static void
skip(struct view *v, size_t n)
{
	*v = view_sub(*v, n, v->len);
}

/* A number without leading zeros, up to 2^53-1. */
static bool
take_number(struct view *v, uint64_t *out)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < v->len && is_digit(v->ptr[i]); i++) {
		n = n * 10 + (uint64_t)(v->ptr[i] - '0');
		if (n > DEC_UINT_MAX)
			return false;
	}
	if (i == 0 || (i > 1 && v->ptr[0] == '0'))
		return false;
	*out = n;
	skip(v, i);
	return true;
}

static bool
numeric(struct view id)
{
	size_t i;

	for (i = 0; i < id.len; i++)
		if (!is_digit(id.ptr[i]))
			return false;
	return id.len > 0;
}

/* Up to the next dot. */
static struct view
first_ident(struct view v)
{
	const uint8_t *dot = v.len ? memchr(v.ptr, '.', v.len) : NULL;

	return view_sub(v, 0, dot ? (size_t)(dot - v.ptr) : v.len);
}

/* Dot-separated identifiers up to the first other character. */
static bool
take_idents(struct view *v, bool zeros, struct view *out)
{
	struct view left;
	size_t n = 0;

	while (n < v->len && (is_ident(v->ptr[n]) || v->ptr[n] == '.'))
		n++;
	*out = view_sub(*v, 0, n);
	skip(v, n);
	left = *out;
	for (;;) {
		struct view id = first_ident(left);

		if (id.len == 0 ||
		    (!zeros && id.len > 1 && numeric(id) && id.ptr[0] == '0'))
			return false;
		if (id.len == left.len)
			return true;
		skip(&left, id.len + 1);
	}
}

static bool
take_tails(struct view *v, struct semver *out)
{
	if (peek(*v, '-')) {
		skip(v, 1);
		if (!take_idents(v, false, &out->pre))
			return false;
	}
	if (peek(*v, '+')) {
		skip(v, 1);
		if (!take_idents(v, true, &out->build))
			return false;
	}
	return true;
}

static bool
take_dot(struct view *v)
{
	if (!peek(*v, '.'))
		return false;
	skip(v, 1);
	return true;
}

static enum err_code
bad(struct view text, const char *what, struct err *e)
{
	char quoted[96];

	err_quote(quoted, sizeof(quoted), text.ptr, text.len);
	return err_set(e, ERR_FORMAT, "\"%s\" is not a %s", quoted, what);
}

enum err_code
semver_parse(struct semver *out, struct view text, struct err *e)
{
	struct semver s = {0, 0, 0, VIEW_EMPTY, VIEW_EMPTY};
	struct view v = text;

	if (text.len > SEMVER_TEXT_MAX || !take_number(&v, &s.major) ||
	    !take_dot(&v) || !take_number(&v, &s.minor) || !take_dot(&v) ||
	    !take_number(&v, &s.patch) || !take_tails(&v, &s) || v.len > 0)
		return bad(text, "version (x.y.z, as in semver.org)", e);
	*out = s;
	return ERR_OK;
}

static int
cmp_num(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Numbers sort before words, and by value: no leading zeros, so a longer
 * number is a larger one. */
static int
cmp_ident(struct view a, struct view b)
{
	bool na = numeric(a);
	bool nb = numeric(b);

	if (na != nb)
		return na ? -1 : 1;
	if (na && a.len != b.len)
		return cmp_num(a.len, b.len);
	return view_cmp(a, b);
}

static int
cmp_pre(struct view a, struct view b)
{
	while (a.len > 0 && b.len > 0) {
		struct view x = first_ident(a);
		struct view y = first_ident(b);
		int c = cmp_ident(x, y);

		if (c != 0)
			return c;
		skip(&a, x.len + 1);
		skip(&b, y.len + 1);
	}
	return cmp_num(a.len > 0, b.len > 0);
}

int
semver_cmp(const struct semver *a, const struct semver *b)
{
	int c;

	if ((c = cmp_num(a->major, b->major)) != 0 ||
	    (c = cmp_num(a->minor, b->minor)) != 0 ||
	    (c = cmp_num(a->patch, b->patch)) != 0)
		return c;
	if (a->pre.len == 0 || b->pre.len == 0)
		return cmp_num(a->pre.len == 0, b->pre.len == 0);
	return cmp_pre(a->pre, b->pre);
}

bool
semver_is_plain(const struct semver *v)
{
	return v->pre.len == 0 && v->build.len == 0;
}

/* -- ranges ----------------------------------------------------------------- */

enum op { OP_NONE, OP_CARET, OP_TILDE, OP_GT, OP_GE, OP_LT, OP_LE };

/* A comparator as written: how many of the three numbers are there. */
struct partial {
	struct semver v;
	int n;
};

/* lo <= x < hi, each end optional; the ends may be strict or closed. */
struct span {
	bool has_lo, has_hi, lo_strict, hi_closed;
	struct semver lo, hi;
};

static enum op
take_op(struct view *v)
{
	static const struct {
		const char *text;
		enum op op;
	} ops[] = {{">=", OP_GE}, {"<=", OP_LE}, {">", OP_GT}, {"<", OP_LT},
	    {"=", OP_NONE}, {"^", OP_CARET}, {"~", OP_TILDE}};
	size_t i;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (!view_starts(*v, view_str(ops[i].text)))
			continue;
		skip(v, strlen(ops[i].text));
		return ops[i].op;
	}
	return OP_NONE;
}

static bool
take_partial(struct view *v, struct partial *p)
{
	uint64_t num[3] = {0, 0, 0};
	bool open = false;
	int i;

	memset(p, 0, sizeof(*p));
	for (i = 0; i < 3; i++) {
		if (i > 0 && !take_dot(v))
			break;
		if (peek(*v, '*') || peek(*v, 'x') || peek(*v, 'X')) {
			skip(v, 1);
			open = true;
		} else if (open || !take_number(v, &num[i])) {
			return false;
		} else {
			p->n = i + 1;
		}
	}
	p->v.major = num[0];
	p->v.minor = num[1];
	p->v.patch = num[2];
	return p->n < 3 || take_tails(v, &p->v);
}

/* The first version after all that begin with these numbers. */
static struct semver
after(const struct semver *v, int n)
{
	struct semver s = {
	    v->major, v->minor, v->patch, VIEW_EMPTY, VIEW_EMPTY};

	if (n <= 1) {
		s.major++;
		s.minor = 0;
	} else if (n == 2) {
		s.minor++;
	} else {
		s.patch++;
		return s;
	}
	s.patch = 0;
	return s;
}

/* "^": up to the next change of the first number that is not zero. */
static int
caret_digits(const struct partial *p)
{
	if (p->n == 1 || p->v.major > 0)
		return 1;
	if (p->n == 2 || p->v.minor > 0)
		return 2;
	return 3;
}

static void
span_of(struct span *s, enum op op, const struct partial *p)
{
	memset(s, 0, sizeof(*s));
	if (p->n == 0)
		return;
	s->lo = p->v;
	s->hi = p->v;
	switch (op) {
	case OP_NONE:
		s->has_lo = s->has_hi = true;
		s->hi_closed = p->n == 3;
		if (p->n < 3)
			s->hi = after(&p->v, p->n);
		return;
	case OP_CARET:
		s->has_lo = s->has_hi = true;
		s->hi = after(&p->v, caret_digits(p));
		return;
	case OP_TILDE:
		s->has_lo = s->has_hi = true;
		s->hi = after(&p->v, p->n < 2 ? 1 : 2);
		return;
	case OP_GT:
		s->has_lo = true;
		s->lo_strict = p->n == 3;
		if (p->n < 3)
			s->lo = after(&p->v, p->n);
		return;
	case OP_GE:
		s->has_lo = true;
		return;
	case OP_LT:
		s->has_hi = true;
		return;
	case OP_LE:
		s->has_hi = true;
		s->hi_closed = p->n == 3;
		if (p->n < 3)
			s->hi = after(&p->v, p->n);
		return;
	}
}

static bool
in_span(const struct semver *v, const struct span *s)
{
	int lo = s->has_lo ? semver_cmp(v, &s->lo) : 1;
	int hi = s->has_hi ? semver_cmp(v, &s->hi) : -1;

	return (s->lo_strict ? lo > 0 : lo >= 0) &&
	       (s->hi_closed ? hi <= 0 : hi < 0);
}

static bool
names_pre(const struct partial *p, const struct semver *v)
{
	return p->v.pre.len > 0 && p->v.major == v->major &&
	       p->v.minor == v->minor && p->v.patch == v->patch;
}

static void
skip_spaces(struct view *v)
{
	while (peek(*v, ' '))
		skip(v, 1);
}

/* One space-separated list, up to "||" or the end. */
static bool
match_all(const struct semver *v, struct view *range, bool *in)
{
	bool pre_ok = v->pre.len == 0;
	bool all = true;
	size_t n = 0;

	for (skip_spaces(range); range->len > 0 && !peek(*range, '|');
	     skip_spaces(range)) {
		enum op op = take_op(range);
		struct partial p;
		struct span s;

		skip_spaces(range);
		if (!take_partial(range, &p) ||
		    !(range->len == 0 || peek(*range, ' ') ||
			peek(*range, '|')))
			return false;
		span_of(&s, op, &p);
		all = all && in_span(v, &s);
		pre_ok = pre_ok || names_pre(&p, v);
		n++;
	}
	*in = all && pre_ok;
	return n > 0;
}

enum err_code
semver_match(const struct semver *v, struct view range, bool *in, struct err *e)
{
	struct view left = range;
	bool any = false;
	bool more = range.len <= SEMVER_TEXT_MAX;
	bool ok = more;

	while (ok && more) {
		bool one = false;

		ok = match_all(v, &left, &one);
		any = any || one;
		more = left.len > 0;
		if (ok && more) {
			ok = view_starts(left, view_str("||"));
			skip(&left, 2);
		}
	}
	if (!ok)
		return bad(range, "version range", e);
	*in = any;
	return ERR_OK;
}
