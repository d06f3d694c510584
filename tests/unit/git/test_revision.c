/* git/revision: commit, tag, remote and cleanliness of real repositories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <git2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "git/revision.h"
#include "support/vec.h"

/* libpcre2's regcomp(), which libgit2 uses, keeps memory for each thread. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:libpcre2";
}

struct repo {
	git_repository *git;
	char dir[512];
};

static void
put(const struct repo *r, const char *name, const char *text)
{
	char path[800];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", r->dir, name);
	check((f = fopen(path, "w")) != NULL);
	check(fputs(text, f) >= 0);
	check(fclose(f) == 0);
}

static void
make(struct repo *r, const char *name)
{
	(void)snprintf(r->dir, sizeof(r->dir), "%s/%s", vec_tmpdir(), name);
	check(mkdir(r->dir, 0700) == 0);
	check(git_repository_init(&r->git, r->dir, 0) == 0);
}

static void
commit(struct repo *r, git_oid *out)
{
	git_signature *who = NULL;
	git_index *index = NULL;
	git_tree *tree = NULL;
	git_oid id;

	check(git_signature_new(&who, "a", "a@b", 1000, 0) == 0);
	check(git_repository_index(&index, r->git) == 0);
	check(git_index_add_all(index, NULL, 0, NULL, NULL) == 0);
	check(git_index_write(index) == 0);
	check(git_index_write_tree(&id, index) == 0);
	check(git_tree_lookup(&tree, r->git, &id) == 0);
	check(git_commit_create_v(
		  out, r->git, "HEAD", who, who, NULL, "c", tree, 0) == 0);
	git_tree_free(tree);
	git_index_free(index);
	git_signature_free(who);
}

static void
tag(struct repo *r, const char *name, const git_oid *id)
{
	git_object *object = NULL;
	git_oid made;

	check(git_object_lookup(&object, r->git, id, GIT_OBJECT_COMMIT) == 0);
	check(git_tag_create_lightweight(&made, r->git, name, object, 0) == 0);
	git_object_free(object);
}

static void
clean_and_dirty(void **state)
{
	struct revision v;
	struct err e = ERR_INIT;
	struct repo r;
	char sub[600], hex[65] = "";
	git_oid id;

	(void)state;
	make(&r, "repo");
	put(&r, "a", "1\n");
	put(&r, ".gitignore", "ignored\n");
	commit(&r, &id);
	(void)git_oid_tostr(hex, sizeof(hex), &id);
	check_ok(revision_read(&v, r.dir, &e), &e);
	check(strcmp(v.commit, hex) == 0 && !v.dirty && v.ndirty == 0);
	check(v.tag == NULL && v.remote == NULL && v.branch != NULL);
	revision_deinit(&v);

	tag(&r, "v2", &id);
	tag(&r, "v1", &id);
	put(&r, "ignored", "x");
	(void)snprintf(sub, sizeof(sub), "%s/sub", r.dir);
	check(mkdir(sub, 0700) == 0);
	check_ok(revision_read(&v, sub, &e), &e);
	check(strcmp(v.tag, "v1") == 0 && !v.dirty);
	revision_deinit(&v);

	put(&r, "a", "2\n");
	put(&r, "new", "n\n");
	check_ok(revision_read(&v, r.dir, &e), &e);
	check(v.dirty && v.ndirty == 2);
	check(strcmp(v.dirty_path[0], "a") == 0);
	check(strcmp(v.dirty_path[1], "new") == 0);
	revision_deinit(&v);
	git_repository_free(r.git);
}

static void
many_dirty(void **state)
{
	struct revision v;
	struct err e = ERR_INIT;
	struct repo r;
	char name[32];
	git_oid id;

	(void)state;
	make(&r, "many");
	commit(&r, &id);
	for (int i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "f%d", i);
		put(&r, name, "x");
	}
	check_ok(revision_read(&v, r.dir, &e), &e);
	check(v.dirty && v.ndirty == REVISION_DIRTY_MAX);
	revision_deinit(&v);
	git_repository_free(r.git);
}

static void
remotes(void **state)
{
	static const struct {
		const char *url, *want;
	} rows[] = {
	    {"https://example.org/x.git", "https://example.org/x.git"},
	    {"https://me@example.org/x", "https://example.org/x"},
	    {"https://me:to@ken@example.org:8/x?a@b",
		"https://example.org:8/x?a@b"},
	    {"https://example.org/@scope/x", "https://example.org/@scope/x"},
	    {"git@example.org:x.git", "git@example.org:x.git"},
	};
	struct revision v;
	struct err e = ERR_INIT;
	git_remote *remote = NULL;
	struct repo r;
	git_oid id;

	(void)state;
	make(&r, "remotes");
	commit(&r, &id);
	check(git_remote_create(&remote, r.git, "origin", rows[0].url) == 0);
	git_remote_free(remote);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check(git_remote_set_url(r.git, "origin", rows[i].url) == 0);
		check_ok(revision_read(&v, r.dir, &e), &e);
		check_same(view_str(v.remote), view_str(rows[i].want));
		revision_deinit(&v);
	}
	git_repository_free(r.git);
}

static void
nothing(void **state)
{
	struct revision v;
	struct err e = ERR_INIT;
	git_repository *bare = NULL;
	char dir[600];
	struct repo r;

	(void)state;
	make(&r, "unborn");
	check_code(revision_read(&v, r.dir, &e), ERR_NOT_FOUND);
	check(strstr(e.msg, "no commit") != NULL);
	git_repository_free(r.git);
	check_code(revision_read(&v, "/proc/self", &e), ERR_NOT_FOUND);
	check(strstr(e.msg, "/proc/self") != NULL);
	(void)snprintf(dir, sizeof(dir), "%s/bare", vec_tmpdir());
	check(git_repository_init(&bare, dir, 1) == 0);
	git_repository_free(bare);
	check_code(revision_read(&v, dir, &e), ERR_INVALID);
}

/* Settings of the user must hide no change, nor turn origin elsewhere. */
static void
not_the_users_settings(void **state)
{
	struct repo home, r;
	struct revision v;
	struct err e = ERR_INIT;
	git_remote *remote = NULL;
	char path[800], text[1600];
	git_oid id;

	(void)state;
	(void)snprintf(home.dir, sizeof(home.dir), "%s", getenv("HOME"));
	(void)snprintf(path, sizeof(path), "%s/.config", home.dir);
	check(mkdir(path, 0700) == 0);
	(void)snprintf(path, sizeof(path), "%s/.config/git", home.dir);
	check(mkdir(path, 0700) == 0);
	put(&home, "hide", "hidden-1\n");
	put(&home, ".config/git/ignore", "hidden-2\n");
	(void)snprintf(text, sizeof(text),
	    "[core]\n\texcludesFile = %s/hide\n"
	    "[url \"https://other.example/\"]\n"
	    "\tinsteadOf = https://example.org/\n",
	    home.dir);
	put(&home, ".gitconfig", text);
	make(&r, "settings");
	commit(&r, &id);
	check(git_remote_create(
		  &remote, r.git, "origin", "https://example.org/x") == 0);
	check(strcmp(git_remote_url(remote), "https://example.org/x") != 0);
	git_remote_free(remote);
	git_repository_free(r.git);
	for (int again = 0; again < 2; again++) {
		put(&r, again ? "hidden-2" : "hidden-1", "x");
		check_ok(revision_read(&v, r.dir, &e), &e);
		check(v.dirty && v.ndirty == (again ? 2 : 1));
		check(strcmp(v.remote, "https://example.org/x") == 0);
		revision_deinit(&v);
	}
}

/* Only root can make one. */
static void
of_another_user(void **state)
{
	struct revision v;
	struct err e = ERR_INIT;
	struct repo r;
	char path[800];

	(void)state;
	if (geteuid() != 0)
		skip();
	make(&r, "foreign");
	git_repository_free(r.git);
	(void)snprintf(path, sizeof(path), "%s/.git", r.dir);
	check(chown(path, 1, 1) == 0 && chown(r.dir, 1, 1) == 0);
	check_code(revision_read(&v, r.dir, &e), ERR_IO);
	check(strstr(e.msg, "safe.directory") != NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(clean_and_dirty),
	    cmocka_unit_test(many_dirty),
	    cmocka_unit_test(remotes),
	    cmocka_unit_test(nothing),
	    cmocka_unit_test(of_another_user),
	    cmocka_unit_test(not_the_users_settings),
	};
	char home[600];
	int failed;

	/* a home of our own: the user's could change what is ignored */
	(void)snprintf(home, sizeof(home), "%s/home", vec_tmpdir());
	if (mkdir(home, 0700) != 0 || setenv("HOME", home, 1) != 0 ||
	    unsetenv("XDG_CONFIG_HOME") != 0)
		return 1;
	git_libgit2_init();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	git_libgit2_shutdown();
	return failed;
}
