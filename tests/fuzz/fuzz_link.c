/*
 * fuzz_link: links from anywhere. What is accepted must print, and the
 * printed text must parse to the same link and print the same again; what is
 * refused must carry a code. Version ranges ride along: the same bytes.
 */
#include <string.h>

#include "base/bug.h"
#include "pear/link.h"
#include "pear/semver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_link(struct view text, enum pear_link_accept accept)
{
	struct pear_link l;
	struct pear_link again;
	struct err e = ERR_INIT;
	struct buf a;
	struct buf b;

	if (pear_link_parse(&l, text, accept, "/cwd", &e) != ERR_OK) {
		bug_if(e.msg[0] == '\0' || err_tag_of(&e)[0] != 'E');
		return;
	}
	buf_init(&a, 65536);
	buf_init(&b, 65536);
	pear_link_print(&a, &l);
	bug_if(pear_link_parse(&again, buf_view(&a), PEAR_LINK_ANY, "/", &e) !=
	       ERR_OK);
	pear_link_print(&b, &again);
	bug_if(!view_eq(buf_view(&a), buf_view(&b)));
	bug_if(l.kind != again.kind || !b32_eq(&l.key, &again.key) ||
	       l.has_version != again.has_version || l.fork != again.fork ||
	       l.length != again.length || l.has_hash != again.has_hash ||
	       !b32_eq(&l.hash, &again.hash));
	/* no path leaves its root, in either form */
	bug_if(strstr(l.pathname, "/../") != NULL);
	bug_if(l.pathname[0] != '\0' && l.pathname[0] != '/');
	buf_reset(&b);
	if (pear_link_path(&b, &l, &e) == ERR_OK)
		bug_if(b.len > 0 && memchr(b.data, '\0', b.len) != NULL);
	buf_deinit(&a);
	buf_deinit(&b);
}

static void
check_version(struct view text)
{
	struct semver v = {1, 2, 3, VIEW_EMPTY, VIEW_EMPTY};
	struct semver w;
	struct err e = ERR_INIT;
	bool in;

	(void)!semver_match(&v, text, &in, &e);
	if (semver_parse(&w, text, &e) != ERR_OK)
		return;
	bug_if(semver_cmp(&w, &w) != 0);
	bug_if(semver_cmp(&v, &w) != -semver_cmp(&w, &v));
	/* a version is a range that holds itself */
	bug_if(semver_match(&w, text, &in, &e) != ERR_OK || !in);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = view_of(data, size);

	check_link(text, PEAR_LINK_ANY);
	check_link(text, PEAR_LINK_KEY_FIRST);
	check_link(text, PEAR_LINK_DRIVES);
	check_version(text);
	return 0;
}
