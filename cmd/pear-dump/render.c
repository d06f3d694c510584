#include "dump_cmd.h"

#include <stdlib.h>
#include <string.h>

/* The name of an entry in "-" output: its path below the link's, or, if the
 * link names a file, that file's own name. */
static const char *
key_of(const struct dump_render *r, const char *path, bool single)
{
	size_t n = strlen(r->prefix);

	if (single)
		return strrchr(path, '/') + 1;
	while (n > 0 && r->prefix[n - 1] == '/')
		n--;
	return path + (strncmp(path, r->prefix, n) == 0 ? n : 0);
}

static enum err_code
begin(void *ctx, const char *path, const char *linkname, bool single,
    struct err *e)
{
	struct dump_render *r = ctx;
	char name[4096];

	if (r->a->raw && !single)
		return err_set(
		    e, ERR_INVALID, "--raw takes a link to one file");
	buf_reset(&r->value);
	free(r->key);
	r->single = single;
	if ((r->key = strdup(key_of(r, path, single))) == NULL)
		return err_nomem(e);
	if (r->a->raw || (r->a->list && r->c->common.json))
		return ERR_OK;
	err_quote(name, sizeof(name), r->key, strlen(r->key));
	if (linkname == NULL || r->a->list)
		cli_line(r->c, "%s", name);
	else
		cli_line(r->c, "%s (link)", name);
	return ERR_OK;
}

static enum err_code
data(void *ctx, struct view block, struct err *e)
{
	struct dump_render *r = ctx;

	if (r->a->raw || !r->c->common.json) {
		cli_bytes_out(r->c, block);
		return ERR_OK;
	}
	buf_append(&r->value, block);
	return buf_check(&r->value, e);
}

static void
base64(struct buf *b, struct view v)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < v.len; i += 3) {
		size_t n = v.len - i < 3 ? v.len - i : 3;
		uint32_t x = (uint32_t)v.ptr[i] << 16;

		x |= n > 1 ? (uint32_t)v.ptr[i + 1] << 8 : 0;
		x |= n > 2 ? v.ptr[i + 2] : 0;
		for (size_t k = 0; k < 4; k++)
			buf_byte(
			    b, (uint8_t)(k <= n ? digit[x >> (18 - 6 * k) & 63]
						: '='));
	}
}

/* {"type":"Buffer","data":[…]} as the original, or base64 text. */
static json_t *
value_json(const struct dump_render *r)
{
	json_t *bytes;

	if (r->a->encoding != NULL && strcmp(r->a->encoding, "base64") == 0) {
		struct buf text;
		json_t *v;

		buf_init(&text, SIZE_MAX);
		base64(&text, buf_view(&r->value));
		v = json_string(buf_cstr(&text));
		buf_deinit(&text);
		return v;
	}
	bytes = json_array();
	for (size_t i = 0; i < r->value.len; i++)
		(void)json_array_append_new(
		    bytes, json_integer(r->value.data[i]));
	return json_pack("{s:s, s:o}", "type", "Buffer", "data", bytes);
}

static enum err_code
end(void *ctx, struct err *e)
{
	struct dump_render *r = ctx;
	json_t *file;

	if (r->a->raw)
		return ERR_OK;
	if (!r->c->common.json) {
		if (!r->a->list)
			cli_line(r->c, "%s", "");
		return ERR_OK;
	}
	file = json_pack("{s:o}", "key", cli_json_text(view_str(r->key)));
	if (!r->a->list &&
	    json_object_set_new(file, "value", value_json(r)) != 0) {
		json_decref(file);
		return err_nomem(e);
	}
	if (r->single && !r->a->list)
		r->last = json_deep_copy(file);
	cli_event(r->c, "file", file);
	return ERR_OK;
}

void
dump_render_stream(struct dump_render *r, struct dump_stream *out)
{
	buf_init(&r->value, 1u << 30);
	*out = (struct dump_stream){.begin = begin,
	    .data = r->a->list ? NULL : data,
	    .end = end,
	    .ctx = r};
}

void
dump_render_deinit(struct dump_render *r)
{
	buf_deinit(&r->value);
	free(r->key);
	json_decref(r->last);
	r->key = NULL;
	r->last = NULL;
}
