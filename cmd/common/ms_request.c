/* request: what the signers are asked (commands.md 9.4). */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/stop.h"
#include "cmd/common/common.h"
#include "cmd/common/ms.h"
#include "codec/hex.h"
#include "codec/z32.h"

#define REQUEST_MODE 0644

static void
on_event(void *ctx, const struct release_event *ev)
{
	static const struct {
		const char *tag, *text;
	} says[] = {
	    [RELEASE_GETTING_SRC_BLOBS] = {"getting-src-blobs",
		"Getting the source blobs..."},
	    [RELEASE_VERIFY_DB_REQUESTABLE] = {"verify-db-requestable-start",
		"Verifying the db core is requestable..."},
	    [RELEASE_GETTING_BLOBS_LENGTH] = {"getting-blobs-length",
		"Getting the blobs length (this can take a while)..."},
	    [RELEASE_VERIFY_BLOBS_REQUESTABLE] =
		{"verify-blobs-requestable-start",
		    "Verifying the blobs core is requestable..."},
	    [RELEASE_CREATING_DRIVE] = {"creating-drive",
		"Creating the drive..."},
	};
	const struct ms_opts *o = ((void **)ctx)[1];
	struct cli *c = ((void **)ctx)[0];

	if (ev->kind == RELEASE_WARNING) {
		cli_warn(c, "%s", ev->message);
		return;
	}
	if (ev->kind > RELEASE_CREATING_DRIVE)
		return;
	cli_event(c, says[ev->kind].tag, NULL);
	if (o->front == MS_HYPER)
		cli_line(c, "%s", says[ev->kind].text);
}

/* A number of blocks, or a versioned link of the source. */
static enum err_code
read_length(
    const struct ms_opts *o, struct ms_args *a, uint64_t *length, struct err *e)
{
	const char *word = o->rest.n == 1 ? o->rest.item[0] : "";
	char *end = NULL;
	enum err_code rc;

	if (strncmp(word, "pear:", 5) != 0 && word[0] != '\0' &&
	    strspn(word, "0123456789") == strlen(word) && strlen(word) < 16) {
		*length = strtoull(word, &end, 10);
		return *length > 0 ? ERR_OK
				   : err_set(e, ERR_USAGE,
					 "Invalid command: the length is 0");
	}
	if (strncmp(word, "pear:", 5) != 0)
		return err_set(e, ERR_USAGE,
		    "Invalid command: request takes the length of the source, "
		    "or its versioned link");
	if ((rc = ms_args_read(a, &o->rest, e)) != ERR_OK)
		return rc;
	*length = a->length;
	if (a->has_version && a->length > 0)
		return ERR_OK;
	rc = err_set(
	    e, ERR_INVALID, "A valid versioned source link must be specified");
	return e == NULL ? rc : err_tag(e, "ERR_INVALID_LINK");
}

static json_t *
describe(const struct request *r)
{
	struct release_core core = {r->key, r->length, r->tree_hash};

	return ms_core_json(&core);
}

static enum err_code
print(struct cli *c, const struct ms_opts *o, const struct request *r,
    const char *text, struct err *e)
{
	json_t *info = describe(r);
	json_t *data = json_deep_copy(info);
	char hash[65];
	char *pretty;
	enum err_code rc = ERR_OK;

	(void)json_object_set_new(data, "request", json_string(text));
	(void)json_object_set_new(
	    data, "hash", json_string(hex_b32(hash, &r->hash)));
	if (o->out != NULL)
		rc = file_write_atomic(
		    AT_FDCWD, o->out, view_str(text), REQUEST_MODE, e);
	if (rc != ERR_OK)
		goto out;
	if (o->front == MS_HYPER &&
	    (pretty = json_dumps(info, JSON_INDENT(2))) != NULL) {
		cli_line(c, "\nRequest: %s\n", pretty);
		cli_line(c, "To sign, run: \nhypercore-sign %s", text);
		free(pretty);
	} else {
		cli_line(c, "%s", text);
	}
	cli_event(c, "request", json_incref(data));
	cli_final(c, json_pack("{s:s, s:b}", "request", text, "success", 1));
out:
	json_decref(data);
	json_decref(info);
	return rc;
}

static enum err_code
make(struct cli *c, const struct ms_opts *o, const struct config *cfg,
    struct ms_args *a, uint64_t length, struct err *e)
{
	void *ctx[2] = {c, (void *)(uintptr_t)o};
	struct common_net net = {.node = NULL};
	struct store *s = NULL;
	struct release_opts r;
	unsigned version =
	    o->front == MS_HYPER ? REQUEST_LEGACY : REQUEST_VERSION_MAX;
	enum err_code rc;

	if (o->version.set && (o->version.n < 2 || o->version.n > 3))
		return err_set(e, ERR_USAGE, "--request-version takes 2 or 3");
	if (o->version.set)
		version = (unsigned)o->version.n;
	rc = common_store(&s, c, common_net_mode(c, &o->peers, STORE_READ), e);
	if (rc != ERR_OK)
		return rc;
	if ((rc = ms_release_opts(&r, o, cfg, a, s, e)) == ERR_OK &&
	    (rc = ms_net(&net, c, o, &r, e)) == ERR_OK) {
		r.event = on_event;
		r.stop = cli_stop_poll;
		r.ctx = ctx;
		rc = release_request(
		    &r, length, version, &a->request, &a->bytes, e);
	}
	if (rc == ERR_OK) {
		buf_reset(&a->text);
		z32_encode(&a->text, buf_view(&a->bytes));
		rc = buf_cstr(&a->text) == NULL
			 ? err_nomem(e)
			 : print(c, o, &a->request, buf_cstr(&a->text), e);
	}
	common_net_close(&net);
	store_close(s);
	return rc;
}

enum err_code
ms_request(struct cli *c, const struct ms_opts *o, struct err *e)
{
	struct config cfg;
	struct ms_args a;
	uint64_t length = 0;
	enum err_code rc;

	ms_args_init(&a);
	if ((rc = read_length(o, &a, &length, e)) == ERR_OK &&
	    (rc = ms_config(&cfg, c, o, e)) == ERR_OK) {
		rc = make(c, o, &cfg, &a, length, e);
		config_deinit(&cfg);
	}
	ms_args_deinit(&a);
	return rc;
}
