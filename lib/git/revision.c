#include "git/revision.h"

#include <git2.h>
#include <git2/sys/repository.h>
#include <stdlib.h>
#include <string.h>

struct tag_search {
	git_repository *repo;
	const git_oid *commit;
	char *found; /* the first by name */
	enum err_code rc;
};

void
revision_deinit(struct revision *r)
{
	for (size_t i = 0; i < r->ndirty && i < REVISION_DIRTY_MAX; i++)
		free(r->dirty_path[i]);
	free(r->tag);
	free(r->branch);
	free(r->remote);
	free(r->root);
	memset(r, 0, sizeof(*r));
}

static enum err_code
failed(struct err *e, const char *what)
{
	const git_error *g = git_error_last();

	return err_set(e, ERR_IO, "git: %s: %s", what,
	    g != NULL && g->message != NULL ? g->message : "failed");
}

static enum err_code
copy(char **out, const char *text, struct err *e)
{
	*out = strdup(text);
	return *out == NULL ? err_nomem(e) : ERR_OK;
}

/* libgit2 calls a repository of another user "not found" unless the setting
 * safe.directory exists somewhere; looking for one does not ask whose it is. */
static bool
is_foreign(int rc, const char *path)
{
	git_buf found = GIT_BUF_INIT;
	bool yes = rc == GIT_EOWNER;

	if (rc == GIT_ENOTFOUND)
		yes = git_repository_discover(&found, path, 0, NULL) == 0;
	git_buf_dispose(&found);
	return yes;
}

static enum err_code
open_at(git_repository **out, const char *path, struct err *e)
{
	char shown[256];
	int rc = git_repository_open_ext(out, path, 0, NULL);

	err_quote(shown, sizeof(shown), path, strlen(path));
	if (rc >= 0)
		return ERR_OK;
	if (is_foreign(rc, path))
		return err_set(e, ERR_IO,
		    "the git repository of %s belongs to another user; if you "
		    "trust it: git config --global --add safe.directory <dir>",
		    shown);
	if (rc == GIT_ENOTFOUND)
		return err_set(
		    e, ERR_NOT_FOUND, "%s is in no git repository", shown);
	(void)failed(e, "open the repository");
	return err_wrap(e, "%s", shown);
}

/* -- settings ------------------------------------------------------------------ */

/* What is clean, and where origin is, must not depend on who looks: from here
 * on only the repository's own settings count, not the user's or the system's
 * (core.excludesFile hides new files, url.*.insteadOf changes origin). That
 * the user trusts the repository was asked before, while opening. */
static const int foreign_level[] = {GIT_CONFIG_LEVEL_PROGRAMDATA,
    GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG};

/* "": look nowhere; NULL: where libgit2 looks by itself. */
static int
look_in(const char *path)
{
	int rc = 0;

	for (size_t i = 0; i < sizeof(foreign_level) / sizeof(int); i++)
		if (git_libgit2_opts(
			GIT_OPT_SET_SEARCH_PATH, foreign_level[i], path) < 0)
			rc = -1;
	return rc;
}

static enum err_code
only_its_own(git_repository *repo, struct err *e)
{
	git_config *all = NULL, *own = NULL;
	enum err_code rc = ERR_OK;

	if (look_in("") < 0 || git_repository_config(&all, repo) < 0 ||
	    git_config_open_level(&own, all, GIT_CONFIG_LEVEL_LOCAL) < 0 ||
	    git_repository_set_config(repo, own) < 0)
		rc = failed(e, "read the repository's settings");
	git_config_free(own);
	git_config_free(all);
	return rc;
}

/* -- commit, branch, tag ------------------------------------------------------- */

static int
on_tag(const char *name, git_oid *oid, void *ctx)
{
	struct tag_search *s = ctx;
	git_object *object = NULL, *commit = NULL;

	if (strncmp(name, "refs/tags/", 10) == 0)
		name += 10;
	if (git_object_lookup(&object, s->repo, oid, GIT_OBJECT_ANY) == 0 &&
	    git_object_peel(&commit, object, GIT_OBJECT_COMMIT) == 0 &&
	    git_oid_equal(git_object_id(commit), s->commit) &&
	    (s->found == NULL || strcmp(name, s->found) < 0)) {
		free(s->found);
		if ((s->found = strdup(name)) == NULL)
			s->rc = ERR_NOMEM;
	}
	git_object_free(commit);
	git_object_free(object);
	return s->rc == ERR_OK ? 0 : -1;
}

static enum err_code
read_tag(struct revision *r, git_repository *repo, const git_oid *commit,
    struct err *e)
{
	struct tag_search s = {repo, commit, NULL, ERR_OK};
	int rc = git_tag_foreach(repo, on_tag, &s);

	r->tag = s.found;
	if (s.rc == ERR_NOMEM)
		return err_nomem(e);
	return rc < 0 ? failed(e, "list the tags") : ERR_OK;
}

static enum err_code
read_head(struct revision *r, git_repository *repo, struct err *e)
{
	git_reference *head = NULL;
	git_object *commit = NULL;
	enum err_code rc = ERR_OK;
	int got = git_repository_head(&head, repo);

	if (got == GIT_EUNBORNBRANCH || got == GIT_ENOTFOUND)
		return err_set(
		    e, ERR_NOT_FOUND, "the git repository has no commit");
	if (got < 0 ||
	    git_reference_peel(&commit, head, GIT_OBJECT_COMMIT) < 0) {
		rc = failed(e, "find the commit");
	} else {
		(void)git_oid_tostr(
		    r->commit, sizeof(r->commit), git_object_id(commit));
		if (git_reference_is_branch(head))
			rc = copy(&r->branch, git_reference_shorthand(head), e);
		if (rc == ERR_OK)
			rc = read_tag(r, repo, git_object_id(commit), e);
	}
	git_object_free(commit);
	git_reference_free(head);
	return rc;
}

/* -- remote -------------------------------------------------------------------- */

/* A URL may hold a user and a password: "https://me:token@host/x". What
 * stands before the "@" of its authority is cut; "git@host:x" has no secret. */
static enum err_code
strip_user(char **out, const char *url, struct err *e)
{
	const char *scheme = strstr(url, "://");
	const char *authority = scheme != NULL ? scheme + 3 : NULL;
	size_t n = authority != NULL ? strcspn(authority, "/?#") : 0;
	size_t at = n;
	size_t head;

	while (at > 0 && authority[at - 1] != '@')
		at--;
	if (at == 0)
		return copy(out, url, e);
	head = (size_t)(authority - url);
	*out = malloc(strlen(url) + 1);
	if (*out == NULL)
		return err_nomem(e);
	memcpy(*out, url, head);
	memcpy(*out + head, authority + at, strlen(authority + at) + 1);
	return ERR_OK;
}

static enum err_code
read_remote(struct revision *r, git_repository *repo, struct err *e)
{
	git_remote *origin = NULL;
	const char *url;
	enum err_code rc = ERR_OK;
	int got = git_remote_lookup(&origin, repo, "origin");

	if (got == GIT_ENOTFOUND)
		return ERR_OK;
	if (got < 0)
		return failed(e, "look up origin");
	if ((url = git_remote_url(origin)) != NULL)
		rc = strip_user(&r->remote, url, e);
	git_remote_free(origin);
	return rc;
}

/* -- cleanliness ----------------------------------------------------------------- */

static const char *
path_of(const git_status_entry *s)
{
	const git_diff_delta *d = s->index_to_workdir != NULL
				      ? s->index_to_workdir
				      : s->head_to_index;

	return d->new_file.path != NULL ? d->new_file.path : d->old_file.path;
}

static enum err_code
keep_dirty(struct revision *r, git_status_list *list, struct err *e)
{
	size_t n = git_status_list_entrycount(list);

	r->dirty = n > 0;
	for (size_t i = 0; i < n && i < REVISION_DIRTY_MAX; i++) {
		const char *path = path_of(git_status_byindex(list, i));

		r->dirty_path[i] = strdup(path != NULL ? path : "?");
		if (r->dirty_path[i] == NULL)
			return err_nomem(e);
		r->ndirty++;
	}
	return ERR_OK;
}

static enum err_code
read_status(struct revision *r, git_repository *repo, struct err *e)
{
	git_status_list *list = NULL;
	git_status_options o;
	enum err_code rc;

	if (git_status_options_init(&o, GIT_STATUS_OPTIONS_VERSION) < 0)
		return failed(e, "compare");
	o.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED |
		  GIT_STATUS_OPT_RECURSE_UNTRACKED_DIRS |
		  GIT_STATUS_OPT_SORT_CASE_SENSITIVELY;
	if (git_status_list_new(&list, repo, &o) < 0)
		return failed(e, "compare the work tree with the commit");
	rc = keep_dirty(r, list, e);
	git_status_list_free(list);
	return rc;
}

enum err_code
revision_read(struct revision *out, const char *path, struct err *e)
{
	struct revision r;
	git_repository *repo = NULL;
	const char *root;
	enum err_code rc;

	memset(&r, 0, sizeof(r));
	if (git_libgit2_init() < 0)
		return failed(e, "start");
	if ((rc = open_at(&repo, path, e)) == ERR_OK &&
	    (root = git_repository_workdir(repo)) == NULL)
		rc = err_set(e, ERR_INVALID, "the git repository is bare");
	if (rc == ERR_OK && (rc = only_its_own(repo, e)) == ERR_OK &&
	    (rc = copy(&r.root, root, e)) == ERR_OK &&
	    (rc = read_head(&r, repo, e)) == ERR_OK &&
	    (rc = read_remote(&r, repo, e)) == ERR_OK)
		rc = read_status(&r, repo, e);
	git_repository_free(repo);
	(void)look_in(NULL);
	(void)git_libgit2_shutdown();
	if (rc == ERR_OK)
		*out = r;
	else
		revision_deinit(&r);
	return rc;
}
