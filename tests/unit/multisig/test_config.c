/* Config files: those of the vectors, and each thing that can be wrong. */
#include "support/msgfix.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "codec/hex.h"
#include "codec/z32.h"
#include "crypto/hash.h"
#include "multisig/config.h"

#define K1 "tkrq8zmwb8a3m9k15csu3q17qmfgqnp9dskbrg9uq1rydpyxp7qy"
#define K2 "orhzqdiexwmi6iidktucgud63ufa5nwtsuzdxe176a8izd6jsqky"
#define GOOD "\"publicKeys\":[\"" K1 "\"],\"namespace\":\"a/b\""

static struct config got;
static struct err why;

static enum err_code
parse(enum config_form form, const char *text)
{
	struct err none = ERR_INIT;

	why = none;
	return config_parse(&got, form, "FILE", view_str(text), &why);
}

static const char *
vector_key(size_t i)
{
	const json_t *list =
	    vec_at(vec_at(msg_vectors, "config"), "publicKeys");

	return json_string_value(json_array_get(list, i));
}

/* The config of the vectors with its keys in this order and form. */
static void
key_of(
    const char *order, const char *form, const char *quorum, const char *want)
{
	const json_t *link = vec_at(msg_vectors, "multisigLink");
	struct err e = ERR_INIT;
	struct b32 pub;
	struct buf b;
	char hex[65];

	buf_init(&b, 8192);
	buf_str(&b, "{\"publicKeys\":[");
	for (const char *o = order; *o != '\0'; o++) {
		const char *z = vector_key((size_t)(*o - '1'));

		check_ok(z32_key_id(view_str(z), &pub, &e), &e);
		buf_printf(&b, "%s\"%s%s\"", o > order ? "," : "",
		    strcmp(form, "link") == 0 ? "pear://" : "",
		    strcmp(form, "hex") == 0 ? hex_b32(hex, &pub) : z);
	}
	buf_printf(&b, "],\"namespace\":\"holepunchto/fixture\"%s}", quorum);
	check_ok(parse(CONFIG_HYPER, buf_cstr(&b)), &why);
	check_same(view_b32(&got.key), vec_hex_at(link, want));
	check(got.nwarnings == 0 && !got.has_source);
	config_deinit(&got);
	buf_deinit(&b);
}

static void
test_vectors(void **state)
{
	const json_t *link = vec_at(msg_vectors, "multisigLink");

	(void)state;
	key_of("123", "z32", ",\"quorum\":2", "key");
	key_of("123", "hex", ",\"quorum\":2", "key");
	key_of("123", "link", ",\"quorum\":2", "viaHyperMultisig");
	key_of("123", "z32", "", "defaultQuorumKey");
	key_of("123", "z32", ",\"quorum\":null", "defaultQuorumKey");
	key_of("123", "z32", ",\"quorum\":3", "quorum3Key");
	key_of("321", "z32", ",\"quorum\":2", "reversedKey");
	check_ok(parse(CONFIG_HYPER, "{" GOOD "}"), &why);
	check(got.manifest.quorum == 1 && got.manifest.nsigners == 1);
	config_deinit(&got);
	check(vec_hex_at(link, "blobsKey").len == 32);
}

static void
test_every_field(void **state)
{
	(void)state;
	check_ok(parse(CONFIG_HYPER,
		     "{\"type\":\"drive\"," GOOD ",\"srcKey\":\"pear://" K2
		     "\",\"quorum\":1,\"bootstrap\":[\"a:1\",\"b:2\"],"
		     "\"other\":{\"x\":[]}}"),
	    &why);
	check(got.type == CONFIG_TYPE_DRIVE && got.form == CONFIG_HYPER);
	check(strcmp(got.ns, "a/b") == 0 && strcmp(got.file, "FILE") == 0);
	check(got.has_source && got.nwarnings == 0);
	check(got.nbootstrap == 2 && strcmp(got.bootstrap[1], "b:2") == 0);
	check(!b32_eq(&got.key, &got.blobs_key));
	config_deinit(&got);
	check_ok(parse(CONFIG_PEAR,
		     "{\"name\":\"x\",\"multisig\":{" GOOD ",\"quorum\":1}}"),
	    &why);
	check(got.type == CONFIG_TYPE_NONE && got.form == CONFIG_PEAR);
	config_deinit(&got);
}

#define KEYS "\"publicKeys\":[\"" K1 "\"]"

static const struct {
	enum config_form form;
	const char *text, *says;
} refusals[] = {
    {CONFIG_HYPER, "", "Could not parse config FILE: JSON line 1"},
    {CONFIG_HYPER, "{\"type\":", "Could not parse config FILE: "},
    {CONFIG_HYPER, "{} {}", "Could not parse config FILE: "},
    {CONFIG_HYPER, "{" GOOD ",\"namespace\":\"c\"}",
	"Could not parse config FILE: "},
    {CONFIG_HYPER, "[]", "FILE is no JSON object"},
    {CONFIG_HYPER, "{\"type\":\"dir\"," GOOD "}",
	"type must be either core or drive. Saw 'dir'"},
    {CONFIG_HYPER, "{\"type\":7," GOOD "}",
	"type must be either core or drive. Saw '7'"},
    {CONFIG_HYPER, "{" KEYS "}", "namespace must be set"},
    {CONFIG_HYPER, "{" KEYS ",\"namespace\":\"\"}", "namespace must be set"},
    {CONFIG_HYPER, "{" KEYS ",\"namespace\":[1]}", "namespace must be set"},
    {CONFIG_HYPER, "{" KEYS ",\"namespace\":\"a\\u0000b\"}",
	"namespace holds a NUL"},
    {CONFIG_HYPER, "{\"namespace\":\"n\"}",
	"publicKeys must be set and include at least 1 key"},
    {CONFIG_HYPER, "{\"namespace\":\"n\",\"publicKeys\":[]}",
	"publicKeys must be set and include at least 1 key"},
    {CONFIG_HYPER, "{\"namespace\":\"n\",\"publicKeys\":\"" K1 "\"}",
	"publicKeys must be set and include at least 1 key"},
    {CONFIG_HYPER, "{\"namespace\":\"n\",\"publicKeys\":[\"" K1 "\",\"zz\"]}",
	"invalid publicKey 1: 'zz'"},
    {CONFIG_HYPER, "{\"namespace\":\"n\",\"publicKeys\":[{}]}",
	"invalid publicKey 0: '{}'"},
    {CONFIG_HYPER, "{\"namespace\":\"n\",\"publicKeys\":[\"\\u001b[2J\"]}",
	"invalid publicKey 0: '\\x1b[2J'"},
    {CONFIG_HYPER,
	"{\"namespace\":\"n\",\"publicKeys\":[\"" K1 "\",\"" K2
	"\",\"pear://" K1 "\"]}",
	"publicKeys 0 and 2 are the same key " K1},
    {CONFIG_HYPER, "{" GOOD ",\"quorum\":2}",
	"quorum 2 is more than the 1 publicKeys"},
    {CONFIG_HYPER, "{" GOOD ",\"quorum\":0}",
	"quorum must be a whole number from 1 on. Saw 0"},
    {CONFIG_HYPER, "{" GOOD ",\"quorum\":-1}",
	"quorum must be a whole number from 1 on. Saw -1"},
    {CONFIG_HYPER, "{" GOOD ",\"quorum\":1.5}",
	"quorum must be a whole number from 1 on. Saw 1.5"},
    {CONFIG_HYPER, "{" GOOD ",\"quorum\":\"1\"}",
	"quorum must be a whole number from 1 on. Saw 1"},
    {CONFIG_HYPER, "{" GOOD ",\"srcKey\":\"x\"}", "invalid srcKey: 'x'"},
    {CONFIG_HYPER, "{" GOOD ",\"multisigKey\":\"" K2 "\"}",
	"multisigKey does not correspond to the key generated from "
	"the config, expected "},
    {CONFIG_HYPER, "{" GOOD ",\"bootstrap\":\"a:1\"}",
	"bootstrap must be a list of \"host:port\""},
    {CONFIG_HYPER, "{" GOOD ",\"bootstrap\":[1]}",
	"bootstrap must be a list of \"host:port\""},
    {CONFIG_PEAR, "{}", "multisig field required in FILE"},
    {CONFIG_PEAR, "{\"multisig\":1}", "multisig field required in FILE"},
    {CONFIG_PEAR, "{\"multisig\":{}}",
	"multisig.publicKeys field required in FILE"},
    {CONFIG_PEAR, "{\"multisig\":{" GOOD "}}",
	"multisig.quorum field required in FILE"},
    {CONFIG_PEAR, "{\"multisig\":{" GOOD ",\"quorum\":null}}",
	"multisig.quorum field required in FILE"},
    {CONFIG_PEAR, "{\"multisig\":{" KEYS ",\"quorum\":1}}",
	"multisig.namespace field required in FILE"},
};

static void
test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		memset(&got, 0x5a, sizeof(got));
		check(parse(refusals[i].form, refusals[i].text) != ERR_OK);
		if (strncmp(why.msg, refusals[i].says,
			strlen(refusals[i].says)) != 0) {
			fprintf(stderr, "%s\n%s\n", refusals[i].text, why.msg);
			vec_fail(__FILE__, __LINE__, refusals[i].says);
		}
		check(why.code == ERR_INVALID || why.code == ERR_FORMAT);
		check(strcmp(why.tag, "ERR_INVALID_CONFIG") == 0);
		check(got.nbootstrap == (size_t)0x5a5a5a5a5a5a5a5a);
		check(config_parse(&got, refusals[i].form, "FILE",
			  view_str(refusals[i].text), NULL) != ERR_OK);
	}
}

/* The key that the file says it has, in any form. */
static void
test_own_key(void **state)
{
	char text[512], key[Z32_KEY_LEN + 1];

	(void)state;
	check_ok(parse(CONFIG_HYPER, "{" GOOD "}"), &why);
	(void)z32_key(key, &got.key);
	config_deinit(&got);
	(void)snprintf(text, sizeof(text),
	    "{" GOOD ",\"multisigKey\":\"pear://%s\"}", key);
	check_ok(parse(CONFIG_HYPER, text), &why);
	config_deinit(&got);
	check(parse(CONFIG_HYPER, "{" GOOD ",\"multisigKey\":\"nonsense\"}") ==
	      ERR_INVALID);
	check(strstr(why.msg, key) != NULL);
}

static void
test_warnings(void **state)
{
	static const struct {
		const char *field, *meant;
	} row[] = {{"publickeys", "publicKeys"}, {"public_keys", "publicKeys"},
	    {"quorums", "quorum"}, {"qourum", NULL}, {"srckey", "srcKey"},
	    {"multisigkey", "multisigKey"}, {"name", NULL}, {"", NULL},
	    {"bootstraps", "bootstrap"}, {"x\\u001bquorum", NULL},
	    {"namespce", "namespace"}, {"description", NULL}};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		(void)snprintf(
		    text, sizeof(text), "{" GOOD ",\"%s\":1}", row[i].field);
		check_ok(parse(CONFIG_HYPER, text), &why);
		check(got.nwarnings == (row[i].meant != NULL));
		if (row[i].meant != NULL) {
			check(strstr(got.warning[0], row[i].field) != NULL);
			check(strstr(got.warning[0], row[i].meant) != NULL);
		}
		config_deinit(&got);
	}
	/* no more than have a place */
	check_ok(parse(CONFIG_HYPER,
		     "{" GOOD ",\"typ\":1,\"typE\":1,\"tYpe\":1,\"Type\":1,"
		     "\"TYPE\":1,\"TyPe\":1,\"tyPe\":1,\"TYPe\":1,"
		     "\"tYPE\":1}"),
	    &why);
	check(got.nwarnings == 8);
	config_deinit(&got);
	/* 32 bytes that are no point: a slip in a key */
	check_ok(
	    parse(CONFIG_HYPER,
		"{\"namespace\":\"n\",\"quorum\":1,\"publicKeys\":[\"" K1 "\","
		"\"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyo\""
		"]}"),
	    &why);
	check(got.nwarnings == 1);
	check(strstr(got.warning[0], "publicKeys 1: nobody can sign") != NULL);
	config_deinit(&got);
}

static void
test_manifest(void **state)
{
	static struct b32 pub[MANIFEST_SIGNERS_MAX + 1];
	char ns[CONFIG_NAMESPACE_MAX + 2];
	struct err e = ERR_INIT;
	struct manifest m;
	struct b32 hash;

	(void)state;
	for (size_t i = 0; i <= MANIFEST_SIGNERS_MAX; i++)
		pub[i].b[0] = (uint8_t)i;
	for (size_t n = 1; n <= MANIFEST_SIGNERS_MAX; n++) {
		check_ok(config_manifest(&m, pub, n, view_str("x"), 0, &e), &e);
		check(m.quorum == n / 2 + 1 && m.nsigners == n);
		check_ok(manifest_check(&m, &e), &e);
	}
	hash_data(&hash, view_str("x"));
	check(b32_eq(&m.signer[63].ns, &hash) && m.version == 1);
	check_code(config_manifest(
		       &m, pub, MANIFEST_SIGNERS_MAX + 1, view_str("x"), 1, &e),
	    ERR_INVALID);
	check(strcmp(e.msg, "publicKeys: 65 keys, at most 64") == 0);
	check_code(
	    config_manifest(&m, pub, 0, view_str("x"), 1, &e), ERR_INVALID);
	check_code(
	    config_manifest(&m, pub, 1, view_str(""), 1, &e), ERR_INVALID);
	memset(ns, 'n', sizeof(ns));
	ns[CONFIG_NAMESPACE_MAX] = '\0';
	check_ok(config_manifest(&m, pub, 1, view_str(ns), 1, &e), &e);
	ns[CONFIG_NAMESPACE_MAX] = 'n';
	ns[CONFIG_NAMESPACE_MAX + 1] = '\0';
	check_code(
	    config_manifest(&m, pub, 1, view_str(ns), 1, &e), ERR_INVALID);
}

/* -- files -------------------------------------------------------------- */

static void
put(const char *path, const char *text)
{
	struct err e = ERR_INIT;

	check_ok(
	    file_write_atomic(AT_FDCWD, path, view_str(text), 0640, &e), &e);
}

/* The search goes from the most telling name to the least. */
static void
test_find(void **state)
{
	char was[4096];
	struct err e = ERR_INIT;

	(void)state;
	check(getcwd(was, sizeof(was)) != NULL);
	check(chdir(vec_tmpdir()) == 0);
	put("config.json", "{\"publicKey\":1}");
	put("pear.json", "{\"multi\":1}");
	check_code(config_find(&got, &e), ERR_NOT_FOUND);
	check(strstr(e.msg, "multisig.json") != NULL &&
	      strstr(e.msg, "pear.json") != NULL &&
	      strstr(e.msg, "config.json") != NULL);
	check(strcmp(e.tag, "ERR_INVALID_INPUT") == 0);
	put("config.json", "{" GOOD "}");
	check_ok(config_find(&got, &e), &e);
	check(strcmp(got.file, "config.json") == 0);
	config_deinit(&got);
	put("pear.json", "{\"multisig\":{" GOOD ",\"quorum\":1}}");
	check_ok(config_find(&got, &e), &e);
	check(got.form == CONFIG_PEAR && strcmp(got.file, "pear.json") == 0);
	config_deinit(&got);
	put("multisig.json", "{");
	check_code(config_find(&got, &e), ERR_FORMAT);
	put("multisig.json", "{" GOOD "}");
	check_ok(config_find(&got, &e), &e);
	check(strcmp(got.file, "multisig.json") == 0);
	config_deinit(&got);
	check_code(config_read(&got, "nowhere.json", &e), ERR_NOT_FOUND);
	check(strcmp(e.tag, "ERR_INVALID_INPUT") == 0);
	check(unlink("multisig.json") == 0 && unlink("pear.json") == 0);
	check(chdir(was) == 0);
}

static void
test_set_namespace(void **state)
{
	static const struct {
		const char *before, *after;
	} row[] = {
	    {"{\"z\":1,\"namespace\":\"old\",\"a\":[true,null,\"\u00fc/\"]}",
		"{\n  \"z\": 1,\n  \"namespace\": \"n$\u2603\\\"\",\n  \"a\": "
		"[\n    true,\n    null,\n    \"\u00fc/\"\n  ]\n}\n"},
	    {"{\"multisig\":{\"namespace\":\"old\",\"q\":2},\"namespace\":3}",
		"{\n  \"multisig\": {\n    \"namespace\": \"n$\u2603\\\"\",\n"
		"    \"q\": 2\n  },\n  \"namespace\": 3\n}\n"},
	};
	struct err e = ERR_INIT;
	char path[4096];
	struct stat st;
	struct buf b;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/ns.json", vec_tmpdir());
	buf_init(&b, 4096);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		put(path, row[i].before);
		check_ok(config_set_namespace(path, "n$\u2603\"", &e), &e);
		buf_reset(&b);
		check_ok(file_read(AT_FDCWD, path, 4096, &b, &e), &e);
		check_same(buf_view(&b), view_str(row[i].after));
		check(stat(path, &st) == 0 && (st.st_mode & 0777) == 0640);
	}
	put(path, "{\"namespace\":");
	check_code(config_set_namespace(path, "n", &e), ERR_FORMAT);
	buf_reset(&b);
	check_ok(file_read(AT_FDCWD, path, 4096, &b, &e), &e);
	check_same(buf_view(&b), view_str("{\"namespace\":"));
	put(path, "[]");
	check_code(config_set_namespace(path, "n", &e), ERR_INVALID);
	check_code(config_set_namespace("nowhere", "n", &e), ERR_NOT_FOUND);
	buf_deinit(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_every_field),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_own_key),
	    cmocka_unit_test(test_warnings),
	    cmocka_unit_test(test_manifest),
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_set_namespace),
	};

	return cmocka_run_group_tests(tests, msg_setup, msg_teardown);
}
