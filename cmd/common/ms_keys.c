/* keys: the signing keys of this user and those he knows (commands.md 9.5);
 * sign: as hypercore-sign does. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cmd/common/ms.h"
#include "cmd/common/signer.h"
#include "codec/z32.h"

struct keys {
	struct cli *c;
	const struct ms_opts *o;
	struct keydir dir;
	size_t n;
	json_t *list;
};

/* Names of the pear form: letters, digits, "_" and "-". */
static enum err_code
check_name(const struct keys *k, const char *name, struct err *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-";
	enum err_code rc;

	if (k->o->front == MS_HYPER)
		return keydir_check_name(name, e);
	if (name[0] != '\0' && strspn(name, allowed) == strlen(name))
		return keydir_check_name(name, e);
	rc = err_set(e, ERR_INVALID,
	    "Key name must contain only letters, numbers, hyphens, or "
	    "underscores");
	return e == NULL ? rc : err_tag(e, "ERR_INVALID_INPUT");
}

static const char *
word(const struct ms_opts *o, size_t i, const char *without)
{
	return o->rest.n > i ? o->rest.item[i] : without;
}

/* -- get ---------------------------------------------------------------------- */

static enum err_code
make(struct keys *k, const char *name, struct keydir_entry *x, struct err *e)
{
	struct secret password = {NULL, 0};
	struct sign_pair pair = {.sec = {NULL, 0}};
	struct signer_guard guard;
	struct keyfile file;
	struct cli_talk t;
	struct b32 seed;
	uint8_t id[8];
	enum err_code rc;

	cli_talk_open(&t, k->c, CLI_STDIN_ANSWERS);
	signer_guard_on(&guard);
	secret_random(&seed, sizeof(seed));
	secret_random(id, sizeof(id));
	if ((rc = signer_password(&password, &t, SIGNER_CHOOSE, e)) == ERR_OK &&
	    (rc = sign_pair_seed(&pair, &seed, e)) == ERR_OK &&
	    (rc = keyfile_make(&file, &pair, id, &password,
		 KEYFILE_COST_DEFAULT, e)) == ERR_OK)
		rc = keydir_store(&k->dir, name, &file, &pair.pub, x, e);
	secret_wipe(&seed, sizeof(seed));
	sign_pair_free(&pair);
	secret_free(&password);
	signer_guard_off(&guard);
	cli_talk_close(&t);
	return rc;
}

static enum err_code
get(struct keys *k, struct err *e)
{
	const char *name = word(k->o, 1, SIGNER_DEFAULT);
	struct keydir_entry x = {.name = NULL};
	char key[Z32_KEY_LEN + 1], path[1024];
	struct keyfile file;
	enum err_code rc;

	if ((rc = check_name(k, name, e)) != ERR_OK)
		return rc;
	rc = keydir_find(&k->dir, name, &x, &file, e);
	if (rc == ERR_NOT_FOUND)
		rc = make(k, name, &x, e);
	if (rc != ERR_OK)
		return rc;
	cli_line(k->c, "%s", x.name);
	cli_line(k->c, "  %s %s",
	    err_quote(path, sizeof(path), x.public_path, strlen(x.public_path)),
	    z32_key(key, &x.pub));
	if (k->o->secret)
		cli_line(k->c, "  %s",
		    err_quote(path, sizeof(path), x.secret_path,
			strlen(x.secret_path)));
	cli_final(
	    k->c, json_pack("{s:o, s:s, s:o, s:b}", "name",
		      cli_json_text(view_str(x.name)), "publicKey", key, "at",
		      cli_json_text(view_str(x.public_path)), "success", 1));
	keydir_entry_deinit(&x);
	return ERR_OK;
}

static enum err_code
paths(struct keys *k, struct err *e)
{
	const char *name = word(k->o, 1, SIGNER_DEFAULT);
	char dir[1024];
	enum err_code rc = check_name(k, name, e);

	if (rc != ERR_OK)
		return rc;
	err_quote(dir, sizeof(dir), k->dir.dir, strlen(k->dir.dir));
	cli_line(k->c, "public: %s/%s.public", dir, name);
	cli_line(k->c, "private: %s/%s", dir, name);
	cli_final(k->c, json_pack("{s:o, s:o, s:b}", "dir",
			    cli_json_text(view_str(k->dir.dir)), "name",
			    cli_json_text(view_str(name)), "success", 1));
	return ERR_OK;
}

/* -- list, add, remove ---------------------------------------------------------- */

static bool
list_one(void *ctx, const struct keydir_entry *x, bool own)
{
	struct keys *k = ctx;
	char key[Z32_KEY_LEN + 1], name[512];

	k->n++;
	z32_key(key, &x->pub);
	cli_line(k->c, "%s%s",
	    err_quote(name, sizeof(name), x->name, strlen(x->name)),
	    own ? "" : " (known)");
	cli_line(k->c, "  %s", key);
	(void)json_array_append_new(k->list,
	    json_pack("{s:o, s:s, s:b, s:o}", "name",
		cli_json_text(view_str(x->name)), "publicKey", key, "owned",
		own, "at",
		x->public_path != NULL ? cli_json_text(view_str(x->public_path))
				       : json_null()));
	return true;
}

static enum err_code
list(struct keys *k, struct err *e)
{
	enum err_code rc;

	k->list = json_array();
	rc = keydir_list(&k->dir, list_one, k, e);
	if (rc == ERR_OK && k->n == 0)
		cli_line(k->c, "(no keys)");
	if (rc == ERR_OK)
		cli_event(k->c, "list", json_incref(k->list));
	if (rc == ERR_OK)
		cli_final(k->c, json_pack("{s:b}", "success", 1));
	json_decref(k->list);
	return rc;
}

/* The text of an argument: itself, or the file that it names. */
static enum err_code
text_of(struct buf *out, const char *arg, struct err *e)
{
	struct stat st;

	buf_reset(out);
	if (stat(arg, &st) == 0)
		return file_read(AT_FDCWD, arg, KEYFILE_TEXT_MAX, out, e);
	buf_str(out, arg);
	return buf_check(out, e);
}

static enum err_code
read_public(struct b32 *out, const char *arg, struct err *e)
{
	struct buf b;
	enum err_code rc;

	buf_init(&b, KEYFILE_TEXT_MAX);
	if ((rc = text_of(&b, arg, e)) == ERR_OK)
		rc = keydir_public_parse(out, buf_view(&b), e);
	buf_deinit(&b);
	return rc;
}

/* A pair from elsewhere. The secret stays encrypted: that it is the public
 * key's is checked where the file says so, and again when it signs. */
static enum err_code
add_pair(struct keys *k, const char *name, const struct b32 *pub,
    const char *prv, struct err *e)
{
	struct keydir_entry x;
	struct keyfile file;
	struct buf b;
	enum err_code rc;

	buf_init(&b, KEYFILE_TEXT_MAX);
	if ((rc = text_of(&b, prv, e)) == ERR_OK &&
	    (rc = keyfile_decode(&file, buf_view(&b), e)) == ERR_OK &&
	    file.has_pub && !b32_eq(&file.pub, pub))
		rc = err_set(e, ERR_VERIFY,
		    "%s: the key file is of another public key", name);
	if (rc == ERR_OK &&
	    (rc = keydir_store(&k->dir, name, &file, pub, &x, e)) == ERR_OK)
		keydir_entry_deinit(&x);
	buf_deinit(&b);
	return rc;
}

static void
told(struct keys *k, const char *name, const char *what)
{
	cli_line(k->c, "%s %s", name, what);
	cli_final(k->c, json_pack("{s:o, s:b}", "name",
			    cli_json_text(view_str(name)), "success", 1));
}

static enum err_code
add(struct keys *k, struct err *e)
{
	const char *name = word(k->o, 1, NULL), *pub = word(k->o, 2, NULL);
	const char *prv = word(k->o, 3, NULL);
	struct b32 key;
	enum err_code rc;

	if (name == NULL || pub == NULL)
		return err_set(e, ERR_USAGE,
		    "keys add <name> <public key> [secret key file]");
	if ((rc = check_name(k, name, e)) != ERR_OK ||
	    (rc = read_public(&key, pub, e)) != ERR_OK)
		return rc;
	rc = prv != NULL ? add_pair(k, name, &key, prv, e)
			 : keydir_add(&k->dir, name, &key, e);
	if (rc == ERR_EXISTS)
		return err_set(
		    e, ERR_EXISTS, "Key \"%s\" already exists", name);
	if (rc == ERR_OK)
		told(k, name, "added");
	return rc;
}

static enum err_code
drop(struct keys *k, struct err *e)
{
	const char *name = word(k->o, 1, NULL);
	enum err_code rc;

	if (name == NULL)
		return err_set(e, ERR_USAGE, "keys remove <name>");
	if ((rc = check_name(k, name, e)) != ERR_OK)
		return rc;
	rc = keydir_remove(&k->dir, name, e);
	if (rc == ERR_NOT_FOUND)
		return err_set(e, ERR_NOT_FOUND, "Key \"%s\" not found", name);
	if (rc == ERR_OK)
		told(k, name, "removed");
	return rc;
}

enum err_code
ms_keys(struct cli *c, const struct ms_opts *o, struct err *e)
{
	static const struct {
		const char *word;
		enum err_code (*run)(struct keys *k, struct err *e);
		size_t words; /* at most, with the own one */
	} acts[] = {{"get", get, 2}, {"paths", paths, 2}, {"list", list, 1},
	    {"add", add, 4}, {"remove", drop, 2}};
	const char *act = word(o, 0, "");
	struct keys k = {.c = c, .o = o};
	enum err_code rc =
	    err_set(e, ERR_USAGE, "keys takes get, paths, list, add or remove");

	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (strcmp(act, acts[i].word) != 0)
			continue;
		if (o->rest.n > acts[i].words)
			return err_set(e, ERR_USAGE,
			    "keys %s takes no more than %zu words", act,
			    acts[i].words - 1);
		if ((rc = ms_keydir(&k.dir, c, o, e)) == ERR_OK) {
			rc = acts[i].run(&k, e);
			keydir_deinit(&k.dir);
		}
		break;
	}
	return rc;
}

/* The texts of pear multisig; signer_sign() has those of hypercore-sign. */
static enum err_code
check_pear_sign(struct keys *k, const struct signer_sign *s, struct err *e)
{
	struct keydir_entry x = {.name = NULL};
	struct keyfile file;
	struct request req;
	char quoted[120];
	enum err_code rc;

	if (s->request[0] != '@' && strcmp(s->request, "-") != 0 &&
	    request_parse(&req, view_str(s->request), NULL, NULL) != ERR_OK)
		return err_set(e, ERR_INVALID, "Invalid request: %s",
		    err_quote(quoted, sizeof(quoted), s->request,
			strlen(s->request)));
	if ((rc = check_name(k, s->identity, e)) != ERR_OK)
		return rc;
	k->dir.warn = NULL; /* the signing itself warns */
	rc = keydir_find(&k->dir, s->identity, &x, &file, e);
	if (rc == ERR_NOT_FOUND)
		return err_set(e, ERR_NOT_FOUND,
		    "No private key found for \"%s\"", s->identity);
	keydir_entry_deinit(&x);
	return rc;
}

enum err_code
ms_sign(struct cli *c, const struct ms_opts *o, struct err *e)
{
	struct signer_sign s = {.request = word(o, 0, NULL),
	    .identity = word(o, 1, SIGNER_DEFAULT),
	    .yes = o->yes,
	    .expect = o->expect};
	struct keys k = {.c = c, .o = o};
	enum err_code rc;

	if (s.request == NULL || o->rest.n > 2)
		return err_set(e, ERR_USAGE, "request argument required");
	if ((rc = ms_keydir(&k.dir, c, o, e)) != ERR_OK)
		return rc;
	s.dir = k.dir.dir;
	if (o->front == MS_PEAR) {
		s.form = KEYDIR_RAW;
		s.reply = SIGNER_REPLY_PEAR;
		rc = check_pear_sign(&k, &s, e);
	}
	if (rc == ERR_OK)
		rc = signer_sign(c, &s, e);
	keydir_deinit(&k.dir);
	return rc;
}
