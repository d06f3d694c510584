/* Words of the command line that are links, requests or responses. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arr.h"
#include "base/file.h"
#include "cmd/common/common.h"
#include "cmd/common/ms.h"
#include "codec/z32.h"
#include "multisig/quorum.h"

#define INPUT_MAX (4u << 20) /* bytes of a file, or of standard input */
#define FILES_MAX 4096	     /* in a folder of responses */

void
ms_args_init(struct ms_args *a)
{
	memset(a, 0, sizeof(*a));
	buf_init(&a->bytes, REQUEST_MAX);
	buf_init(&a->text, REQUEST_MAX * 2);
}

void
ms_args_deinit(struct ms_args *a)
{
	buf_deinit(&a->bytes);
	buf_deinit(&a->text);
	free(a->response);
	memset(a, 0, sizeof(*a));
}

static enum err_code
take_request(struct ms_args *a, struct view text, struct err *e)
{
	struct request req;
	enum err_code rc;

	if (a->has_request) {
		if (request_parse(&req, text, NULL, NULL) == ERR_OK &&
		    b32_eq(&req.hash, &a->request.hash))
			return ERR_OK;
		return err_set(e, ERR_USAGE, "two different requests");
	}
	rc = request_parse(&a->request, text, &a->bytes, e);
	if (rc != ERR_OK)
		return rc;
	a->has_request = true;
	z32_encode(&a->text, buf_view(&a->bytes));
	return buf_check(&a->text, e);
}

static enum err_code
take_response(struct ms_args *a, struct view text, struct err *e)
{
	if (a->n >= QUORUM_RESPONSES_MAX)
		return err_set(e, ERR_LIMIT, "more than %d responses",
		    QUORUM_RESPONSES_MAX);
	if (!ARR_RESERVE(a->response, a->n + 1, a->cap))
		return err_nomem(e);
	return response_parse(&a->response[a->n++], text, e);
}

/* Neither: the text of the decoder that came further. */
static enum err_code
refuse(struct view text, struct err *e)
{
	struct err why = ERR_INIT, why_not = ERR_INIT;
	struct request req;
	struct response res;
	char quoted[120];

	if (text.len == 0)
		return err_set(e, ERR_USAGE, "an argument is empty");
	err_quote(quoted, sizeof(quoted), text.ptr, text.len);
	if (request_parse(&req, text, NULL, &why) == ERR_OK ||
	    response_parse(&res, text, &why_not) == ERR_OK)
		return err_set(e, ERR_USAGE, "unexpected argument: %s", quoted);
	return err_set(e, ERR_USAGE,
	    "%s is neither a request (%s) nor a response (%s)", quoted, why.msg,
	    why_not.msg);
}

static enum err_code
take_text(struct ms_args *a, struct view text, struct err *e)
{
	switch (response_guess(text)) {
	case GUESS_REQUEST:
		return take_request(a, text, e);
	case GUESS_RESPONSE:
		return take_response(a, text, e);
	case GUESS_NEITHER:
		break;
	}
	return refuse(text, e);
}

static enum err_code
take_link(struct ms_args *a, const char *word, struct err *e)
{
	struct pear_link l;
	enum err_code rc = common_link(&l, word, e);

	if (rc != ERR_OK)
		return rc;
	if (a->has_source)
		return err_set(e, ERR_USAGE, "two source links");
	a->has_source = true;
	a->source = l.key;
	a->has_version = l.has_version;
	a->fork = l.fork;
	a->length = l.length;
	return ERR_OK;
}

/* One text a line; empty lines are skipped. */
static enum err_code
take_lines(
    struct ms_args *a, const struct buf *b, const char *name, struct err *e)
{
	struct view left = buf_view(b);
	enum err_code rc = ERR_OK;
	size_t line = 0;

	while (left.len > 0 && rc == ERR_OK) {
		const uint8_t *end = memchr(left.ptr, '\n', left.len);
		size_t n = end != NULL ? (size_t)(end - left.ptr) : left.len;
		struct view text = request_trim(view_sub(left, 0, n));

		line++;
		if (text.len > 0 && (rc = take_text(a, text, e)) != ERR_OK)
			rc = err_wrap(e, "%s, line %zu", name, line);
		left = view_sub(left, n + 1, left.len);
	}
	return rc;
}

static enum err_code
take_file(struct ms_args *a, int dirfd, const char *path, struct err *e)
{
	struct buf b;
	enum err_code rc;

	buf_init(&b, INPUT_MAX);
	rc = file_read(dirfd, path, INPUT_MAX, &b, e);
	if (rc == ERR_OK)
		rc = take_lines(a, &b, path, e);
	buf_deinit(&b);
	return rc;
}

static enum err_code
take_stdin(struct ms_args *a, struct err *e)
{
	struct buf b;
	enum err_code rc;

	buf_init(&b, INPUT_MAX);
	if ((rc = common_stdin(&b, e)) == ERR_OK)
		rc = take_lines(a, &b, "standard input", e);
	buf_deinit(&b);
	return rc;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum err_code
take_folder(struct ms_args *a, const char *path, struct err *e)
{
	char *name[FILES_MAX];
	size_t n = 0;
	DIR *d = opendir(path);
	struct dirent *x;
	enum err_code rc = ERR_OK;

	if (d == NULL)
		return err_os(e, errno, "%s", path);
	while (rc == ERR_OK && (x = readdir(d)) != NULL) {
		if (x->d_name[0] == '.')
			continue;
		if (n == FILES_MAX)
			rc = err_set(e, ERR_LIMIT, "%s: more than %d files",
			    path, FILES_MAX);
		else if ((name[n] = strdup(x->d_name)) == NULL)
			rc = err_nomem(e);
		else
			n++;
	}
	qsort(name, n, sizeof(name[0]), by_name);
	for (size_t i = 0; i < n; i++) {
		if (rc == ERR_OK)
			rc = take_file(a, dirfd(d), name[i], e);
		free(name[i]);
	}
	(void)closedir(d);
	return rc;
}

static enum err_code
take_word(struct ms_args *a, const char *word, struct err *e)
{
	struct stat st;

	if (strcmp(word, "-") == 0)
		return take_stdin(a, e);
	if (word[0] == '@')
		return take_file(a, AT_FDCWD, word + 1, e);
	if (strncmp(word, "pear:", 5) == 0 || strlen(word) == Z32_KEY_LEN ||
	    strlen(word) == 64)
		return take_link(a, word, e);
	if (response_guess(view_str(word)) == GUESS_NEITHER &&
	    stat(word, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return take_folder(a, word, e);
		return take_file(a, AT_FDCWD, word, e);
	}
	return take_text(a, view_str(word), e);
}

enum err_code
ms_args_read(struct ms_args *a, const struct cli_list *words, struct err *e)
{
	enum err_code rc = ERR_OK;

	for (size_t i = 0; rc == ERR_OK && i < words->n; i++)
		rc = take_word(a, words->item[i], e);
	return rc;
}
