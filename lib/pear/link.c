#include "pear/link.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec/dec.h"
#include "base/utf8.h"
#include "pear/urlpath.h"

#define SCHEME "pear:"
#define KEY_LIKE 24 /* characters; names are shorter */

/* ERR_INVALID with the tag scripts look for. */
#define bad_link(e, ...) tag_link((e), err_set((e), ERR_INVALID, __VA_ARGS__))

static enum err_code
tag_link(struct err *e, enum err_code rc)
{
	return e == NULL ? rc : err_tag(e, "ERR_INVALID_LINK");
}

/* "what: <quoted text>", quoted because it comes from outside. */
static enum err_code
bad_text(struct err *e, const char *what, struct view v)
{
	char text[128];

	err_quote(text, sizeof(text), v.ptr, v.len);
	return bad_link(e, "%s \"%s\"", what, text);
}

void
pear_link_init(struct pear_link *l, const struct b32 *key)
{
	memset(l, 0, sizeof(*l));
	l->kind = PEAR_LINK_DRIVE;
	l->key = *key;
	z32_key(l->key_text, key);
}

/* -- pieces of a URL -------------------------------------------------------- */

struct parts {
	struct view scheme; /* without ":", empty = none */
	bool has_host;	    /* "//" was there */
	struct view host, path, search, fragment;
};

static bool
is_alpha(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* Length of the scheme before ":", 0 if the text has none. */
static size_t
scheme_len(struct view v)
{
	size_t i;

	for (i = 0; i < v.len && v.ptr[i] != ':'; i++) {
		uint8_t c = v.ptr[i];
		bool later = is_digit(c) || c == '+' || c == '-' || c == '.';

		if (!is_alpha(c) && !(i > 0 && later))
			return 0;
	}
	return i < v.len ? i : 0;
}

static size_t
until(struct view v, const char *stops)
{
	size_t i = 0;

	while (i < v.len && (v.ptr[i] == '\0' || !strchr(stops, v.ptr[i])))
		i++;
	return i;
}

static struct view
rest(struct view v, size_t from)
{
	return view_sub(v, from, v.len);
}

static bool
scheme_is(struct view scheme, const char *name)
{
	size_t i;

	for (i = 0; i < scheme.len && name[i] != '\0'; i++)
		if ((scheme.ptr[i] | 0x20) != name[i])
			return false;
	return i == scheme.len && name[i] == '\0';
}

static void
split(struct parts *p, struct view v)
{
	size_t n = scheme_len(v);

	memset(p, 0, sizeof(*p));
	p->scheme = view_sub(v, 0, n);
	v = rest(v, n + 1);
	n = until(v, "#");
	p->fragment = rest(v, n);
	v = view_sub(v, 0, n);
	n = until(v, "?");
	p->search = rest(v, n);
	v = view_sub(v, 0, n);
	if (view_starts(v, view_str("//"))) {
		p->has_host = true;
		v = rest(v, 2);
		n = until(v, "/");
		p->host = view_sub(v, 0, n);
		v = rest(v, n);
	}
	p->path = v;
}

/* Spaces and controls around a URL are not part of it; inside, a control
 * character is refused (the reference drops tabs and newlines). */
static struct view
trim(struct view v)
{
	while (v.len > 0 && v.ptr[0] <= ' ')
		v = rest(v, 1);
	while (v.len > 0 && v.ptr[v.len - 1] <= ' ')
		v = view_sub(v, 0, v.len - 1);
	return v;
}

static enum err_code
check_text(struct view v, struct err *e)
{
	size_t i;

	if (v.len == 0)
		return bad_link(e, "No link specified");
	if (v.len > PEAR_LINK_MAX)
		return bad_link(
		    e, "link is longer than %d bytes", PEAR_LINK_MAX);
	if (!utf8_valid(v))
		return bad_text(e, "link is not valid UTF-8:", v);
	for (i = 0; i < v.len; i++)
		if (v.ptr[i] < ' ' || v.ptr[i] == 0x7f)
			return bad_text(
			    e, "link holds a control character:", v);
	return ERR_OK;
}

/* -- drives ----------------------------------------------------------------- */

static bool
parse_key(struct view v, struct b32 *out)
{
	struct err ignore = ERR_INIT;

	return (v.len == Z32_KEY_LEN || v.len == 64) &&
	       z32_key_id(v, out, &ignore) == ERR_OK;
}

static enum err_code
parse_number(struct view v, const char *what, uint64_t *out, struct err *e)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < v.len; i++) {
		if (!is_digit(v.ptr[i]))
			break;
		n = n * 10 + (uint64_t)(v.ptr[i] - '0');
		if (n > DEC_UINT_MAX)
			break;
	}
	if (v.len == 0 || i < v.len) {
		char text[64];

		err_quote(text, sizeof(text), v.ptr, v.len);
		return bad_link(e,
		    "Incorrect hostname: %s \"%s\" is not a decimal number "
		    "from 0 to 2^53-1",
		    what, text);
	}
	*out = n;
	return ERR_OK;
}

/* A word of some length is no name but a key that was cut, or mistyped. */
static enum err_code
bad_key(struct view v, struct err *e)
{
	char text[128];

	if (v.len < KEY_LIKE)
		return bad_text(e, "alias not found:", v);
	err_quote(text, sizeof(text), v.ptr, v.len);
	if (v.len == Z32_KEY_LEN || v.len == 64)
		return bad_link(e,
		    "alias not found: \"%s\", which is no key: a character of "
		    "it is wrong",
		    text);
	return bad_link(e,
	    "alias not found: \"%s\", which is no key: it has %zu characters, "
	    "not %d (or 64 in hex)",
	    text, v.len, Z32_KEY_LEN);
}

static enum err_code
set_key(struct pear_link *l, struct view v, struct err *e)
{
	if (!parse_key(v, &l->key))
		return bad_key(v, e);
	memcpy(l->key_text, v.ptr, v.len);
	l->key_text[v.len] = '\0';
	return ERR_OK;
}

static enum err_code
parse_version(
    struct pear_link *l, const struct view *part, size_t n, struct err *e)
{
	enum err_code rc;

	if ((rc = set_key(l, part[2], e)) != ERR_OK ||
	    (rc = parse_number(part[0], "fork", &l->fork, e)) != ERR_OK ||
	    (rc = parse_number(part[1], "length", &l->length, e)) != ERR_OK)
		return rc;
	l->has_version = true;
	if (n < 4)
		return ERR_OK;
	if (!parse_key(part[3], &l->hash))
		return bad_text(e, "Invalid Hypercore key: tree hash", part[3]);
	l->has_hash = true;
	return ERR_OK;
}

static enum err_code
parse_host(struct pear_link *l, struct view host, struct err *e)
{
	struct view part[4];
	struct view left = host;
	size_t n = 0;

	if (until(host, "@:") < host.len)
		return bad_text(
		    e, "a pear link has no user and no port:", host);
	for (;;) {
		size_t dot = until(left, ".");

		if (n == 4)
			return bad_link(e, "Incorrect hostname");
		part[n++] = view_sub(left, 0, dot);
		if (dot == left.len)
			break;
		left = rest(left, dot + 1);
	}
	if (n == 1)
		return set_key(l, host, e);
	if (n == 2)
		return bad_link(e, "Incorrect hostname");
	return parse_version(l, part, n, e);
}

/* -- putting it together ---------------------------------------------------- */

static enum err_code
too_long(struct err *e)
{
	return bad_link(e, "path, search or fragment of the link is too long");
}

/* A lone "?" or "#" counts as absent, as in a URL. */
static enum err_code
set_tail(struct pear_link *l, const struct parts *p, enum urlpath_set query,
    struct err *e)
{
	if ((p->search.len > 1 && !urlpath_encode(l->search, sizeof(l->search),
				      p->search, query)) ||
	    (p->fragment.len > 1 &&
		!urlpath_encode(l->fragment, sizeof(l->fragment), p->fragment,
		    URLPATH_FRAGMENT)))
		return too_long(e);
	return ERR_OK;
}

static enum err_code
parse_drive(struct pear_link *l, const struct parts *p, struct err *e)
{
	enum err_code rc;

	l->kind = PEAR_LINK_DRIVE;
	if (!p->has_host)
		return bad_text(e, "alias not found:", VIEW_EMPTY);
	if ((rc = parse_host(l, p->host, e)) != ERR_OK ||
	    (rc = set_tail(l, p, URLPATH_QUERY, e)) != ERR_OK)
		return rc;
	if (p->path.len > 0 && !urlpath_resolve(l->pathname,
				   sizeof(l->pathname), p->path, URLPATH_PATH))
		return too_long(e);
	return ERR_OK;
}

static enum err_code
join_cwd(struct buf *out, struct view path, const char *cwd, struct err *e)
{
	char here[PEAR_LINK_PATH_MAX];

	if (path.len == 0 || path.ptr[0] != '/') {
		if (cwd == NULL)
			cwd = getcwd(here, sizeof(here));
		if (cwd == NULL)
			return err_os(e, errno, "find the working directory");
		buf_str(out, cwd);
		buf_byte(out, '/');
	}
	buf_append(out, path);
	return buf_check(out, e);
}

static enum err_code
parse_path(struct pear_link *l, struct view path, enum urlpath_set set,
    const char *cwd, struct err *e)
{
	struct buf full;
	enum err_code rc;

	l->kind = PEAR_LINK_FILE;
	buf_init(&full, PEAR_LINK_MAX + PEAR_LINK_PATH_MAX);
	rc = join_cwd(&full, path, cwd, e);
	if (rc == ERR_OK && !urlpath_resolve(l->pathname, sizeof(l->pathname),
				buf_view(&full), set))
		rc = too_long(e);
	buf_deinit(&full);
	return rc;
}

static enum err_code
parse_file(
    struct pear_link *l, const struct parts *p, const char *cwd, struct err *e)
{
	struct view path = p->path;
	enum err_code rc;

	if (p->has_host && p->host.len > 0 &&
	    !view_eq(p->host, view_str("localhost")))
		return bad_link(e, "Path needs to start from the root, \"/\"");
	if (p->has_host && path.len == 0)
		path = view_str("/");
	if ((rc = set_tail(l, p, URLPATH_QUERY_SPECIAL, e)) != ERR_OK)
		return rc;
	return parse_path(l, path, URLPATH_PATH, cwd, e);
}

static enum err_code
parse_scheme(
    struct pear_link *l, struct view text, const char *cwd, struct err *e)
{
	struct parts p;

	split(&p, text);
	if (scheme_is(p.scheme, "pear"))
		return parse_drive(l, &p, e);
	if (scheme_is(p.scheme, "file"))
		return parse_file(l, &p, cwd, e);
	return bad_link(e, "Protocol is not supported");
}

/* "C:/x": the only text with a one-letter scheme, and a path. */
static bool
is_drive_letter(struct view v)
{
	return v.len >= 2 && is_alpha(v.ptr[0]) && v.ptr[1] == ':';
}

static enum err_code
parse_bare(struct pear_link *l, struct view text, enum pear_link_accept accept,
    const char *cwd, struct err *e)
{
	struct buf b;
	enum err_code rc;

	if (accept != PEAR_LINK_ANY && parse_key(text, &l->key)) {
		struct b32 key = l->key;

		pear_link_init(l, &key);
		return ERR_OK;
	}
	if (!is_drive_letter(text))
		return parse_path(l, text, URLPATH_LITERAL, cwd, e);
	buf_init(&b, PEAR_LINK_MAX + 1);
	buf_byte(&b, '/');
	buf_append(&b, text);
	rc = buf_check(&b, e);
	if (rc == ERR_OK)
		rc = parse_path(l, buf_view(&b), URLPATH_LITERAL, cwd, e);
	buf_deinit(&b);
	return rc;
}

enum err_code
pear_link_parse(struct pear_link *out, struct view text,
    enum pear_link_accept accept, const char *cwd, struct err *e)
{
	struct view url = trim(text);
	struct pear_link l;
	enum err_code rc;

	memset(&l, 0, sizeof(l));
	if ((rc = check_text(text.len > 0 && url.len == 0 ? text : url, e)) !=
	    ERR_OK)
		return rc;
	if (scheme_len(url) > 0 && !is_drive_letter(url))
		rc = parse_scheme(&l, url, cwd, e);
	else if ((rc = check_text(text, e)) == ERR_OK)
		rc = parse_bare(&l, text, accept, cwd, e);
	if (rc != ERR_OK)
		return rc;
	if (accept == PEAR_LINK_DRIVES && l.kind != PEAR_LINK_DRIVE)
		return err_set(
		    e, ERR_INVALID, "A valid pear link must be specified.");
	*out = l;
	return ERR_OK;
}

/* -- printing --------------------------------------------------------------- */

static void
print_host(struct buf *b, const struct pear_link *l)
{
	char text[Z32_KEY_LEN + 1];

	if (l->has_version)
		buf_printf(b, "%" PRIu64 ".%" PRIu64 ".", l->fork, l->length);
	buf_str(b, z32_key(text, &l->key));
	if (!l->has_version || !l->has_hash)
		return;
	buf_byte(b, '.');
	buf_str(b, z32_key(text, &l->hash));
}

void
pear_link_print(struct buf *b, const struct pear_link *l)
{
	if (l->kind == PEAR_LINK_DRIVE) {
		buf_str(b, SCHEME "//");
		print_host(b, l);
	} else {
		buf_str(b, "file://");
	}
	buf_str(b, l->pathname);
	buf_str(b, l->search);
	buf_str(b, l->fragment);
}

void
pear_link_origin(struct buf *b, const struct pear_link *l)
{
	if (l->kind == PEAR_LINK_DRIVE) {
		buf_str(b, SCHEME "//");
		buf_str(b, l->key_text);
		return;
	}
	buf_str(b, "file://");
	buf_append(b, pear_link_normalise(view_str(l->pathname)));
}

enum err_code
pear_link_path(struct buf *out, const struct pear_link *l, struct err *e)
{
	if (!urlpath_decode(out, l->pathname)) {
		char text[128];

		err_quote(text, sizeof(text), l->pathname, strlen(l->pathname));
		return bad_link(e, "bad percent escape in path \"%s\"", text);
	}
	return buf_check(out, e);
}

const char *
pear_link_key(char out[static PEAR_LINK_TEXT_MAX], const struct b32 *key)
{
	char text[Z32_KEY_LEN + 1];

	(void)snprintf(
	    out, PEAR_LINK_TEXT_MAX, SCHEME "//%s", z32_key(text, key));
	return out;
}

const char *
pear_link_verlink(char out[static PEAR_LINK_TEXT_MAX], uint64_t fork,
    uint64_t length, const struct b32 *key)
{
	char text[Z32_KEY_LEN + 1];

	(void)snprintf(out, PEAR_LINK_TEXT_MAX,
	    SCHEME "//%" PRIu64 ".%" PRIu64 ".%s", fork, length,
	    z32_key(text, key));
	return out;
}

const char *
pear_link_hashlink(char out[static PEAR_LINK_TEXT_MAX], uint64_t fork,
    uint64_t length, const struct b32 *key, const struct b32 *hash)
{
	char text[Z32_KEY_LEN + 1];
	size_t n;

	pear_link_verlink(out, fork, length, key);
	n = strlen(out);
	(void)snprintf(
	    out + n, PEAR_LINK_TEXT_MAX - n, ".%s", z32_key(text, hash));
	return out;
}

struct view
pear_link_normalise(struct view text)
{
	if (text.len > 0 && text.ptr[text.len - 1] == '/')
		text.len--;
	return text;
}
