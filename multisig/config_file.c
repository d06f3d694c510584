/* Finding, reading and rewriting config files. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "codec/jtext.h"
#include "multisig/config_impl.h"

static enum err_code
load(json_t **out, struct buf *text, const char *path, struct err *e)
{
	enum err_code rc = file_read(AT_FDCWD, path, CONFIG_SIZE_MAX, text, e);

	if (rc != ERR_OK)
		return e == NULL ? rc : err_tag(e, "ERR_INVALID_INPUT");
	rc = jtext_parse(buf_view(text), CONFIG_SIZE_MAX, out, e);
	if (rc != ERR_OK && e != NULL) {
		rc = err_wrap(e, "Could not parse config %s", path);
		return err_tag(e, "ERR_INVALID_CONFIG");
	}
	return rc;
}

enum err_code
config_read(struct config *out, const char *path, struct err *e)
{
	enum config_form form = CONFIG_HYPER;
	json_t *doc = NULL;
	struct buf text;
	enum err_code rc;

	buf_init(&text, CONFIG_SIZE_MAX);
	rc = load(&doc, &text, path, e);
	if (rc == ERR_OK) {
		if (json_object_get(doc, "multisig") != NULL)
			form = CONFIG_PEAR;
		rc = config_parse(out, form, path, buf_view(&text), e);
	}
	json_decref(doc);
	buf_deinit(&text);
	return rc;
}

/* Is there such a file, and has it the field (NULL: any file will do)? */
static enum err_code
holds(const char *path, const char *field, bool *yes, struct err *e)
{
	json_t *doc = NULL;
	struct buf text;
	enum err_code rc;

	*yes = false;
	if (access(path, F_OK) != 0)
		return ERR_OK;
	if (field == NULL) {
		*yes = true;
		return ERR_OK;
	}
	buf_init(&text, CONFIG_SIZE_MAX);
	if ((rc = load(&doc, &text, path, e)) == ERR_OK)
		*yes = json_object_get(doc, field) != NULL;
	json_decref(doc);
	buf_deinit(&text);
	return rc;
}

enum err_code
config_find(struct config *out, struct err *e)
{
	static const struct {
		const char *path, *field;
	} place[] = {{"multisig.json", NULL}, {"pear.json", "multisig"},
	    {"config.json", "publicKeys"}};
	bool yes;
	enum err_code rc;

	for (size_t i = 0; i < sizeof(place) / sizeof(place[0]); i++) {
		rc = holds(place[i].path, place[i].field, &yes, e);
		if (rc != ERR_OK)
			return rc;
		if (yes)
			return config_read(out, place[i].path, e);
	}
	rc = err_set(e, ERR_NOT_FOUND,
	    "no config here: looked for multisig.json, pear.json with a field "
	    "multisig, config.json with a field publicKeys; or name one with "
	    "--config");
	return e == NULL ? rc : err_tag(e, "ERR_INVALID_INPUT");
}

enum err_code
config_set_namespace(const char *path, const char *ns, struct err *e)
{
	json_t *doc = NULL;
	json_t *fields;
	struct buf text;
	char *printed = NULL;
	struct stat st;
	enum err_code rc;

	buf_init(&text, CONFIG_SIZE_MAX);
	if ((rc = load(&doc, &text, path, e)) != ERR_OK)
		goto out;
	fields = json_object_get(doc, "multisig");
	if (fields == NULL)
		fields = doc;
	buf_reset(&text);
	if (!json_is_object(fields)) {
		rc = err_set(e, ERR_INVALID, "%s is no config", path);
	} else if (stat(path, &st) != 0) {
		rc = err_os(e, errno, "%s", path);
	} else if (json_object_set_new(fields, "namespace", json_string(ns)) !=
		       0 ||
		   (printed = json_dumps(doc, JSON_INDENT(2))) == NULL) {
		rc = err_nomem(e);
	} else {
		buf_str(&text, printed);
		buf_byte(&text, '\n');
		if ((rc = buf_check(&text, e)) == ERR_OK)
			rc = file_write_atomic(AT_FDCWD, path, buf_view(&text),
			    st.st_mode & 0777, e);
	}
out:
	free(printed);
	json_decref(doc);
	buf_deinit(&text);
	return rc;
}
