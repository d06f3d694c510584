/* Requests against signing.json, and requests of strangers. */
#include "support/msgfix.h"

#include <stdlib.h>

#include "codec/dec.h"
#include "codec/enc.h"
#include "codec/z32.h"

static void
same_manifest(const struct manifest *m, const json_t *want)
{
	const json_t *signers = vec_at(want, "signers");

	check(m->version == vec_num(want, "version"));
	check(m->quorum == vec_num(want, "quorum"));
	check(m->nsigners == json_array_size(signers));
	for (size_t i = 0; i < m->nsigners; i++) {
		const json_t *s = json_array_get(signers, i);

		check_same(
		    view_b32(&m->signer[i].ns), vec_hex_at(s, "namespace"));
		check_same(
		    view_b32(&m->signer[i].pub), vec_hex_at(s, "publicKey"));
	}
}

static void
same_request(const struct request *r, const json_t *row)
{
	const json_t *want = vec_at(row, "decoded");
	const json_t *content = vec_at(want, "content");
	char id[Z32_KEY_LEN + 1];

	check(r->version == vec_num(want, "version"));
	check(r->length == vec_num(want, "length"));
	check(r->fork == vec_num(want, "fork"));
	check_same(view_b32(&r->tree_hash), vec_hex_at(want, "treeHash"));
	check_same(view_b32(&r->hash), vec_hex_at(row, "requestHash"));
	check(strcmp(z32_key(id, &r->key), vec_str(want, "id")) == 0);
	same_manifest(&r->manifest, vec_at(want, "manifest"));
	check((r->kind == REQUEST_DRIVE) == json_is_object(content));
	check(r->has_blobs_key == (r->kind == REQUEST_DRIVE));
	if (r->kind == REQUEST_CORE)
		return;
	check(r->blobs_length == vec_num(content, "length"));
	check_same(
	    view_b32(&r->blobs_tree_hash), vec_hex_at(content, "treeHash"));
}

static void
test_vectors(void **state)
{
	const json_t *rows = vec_at(msg_vectors, "requests");
	struct err e = ERR_INIT;
	struct request r, again;
	struct buf bytes;

	(void)state;
	buf_init(&bytes, REQUEST_MAX);
	check(json_array_size(rows) >= 10);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		struct view text = view_str(vec_str(row, "z32"));

		check_ok(request_decode(&r, vec_hex_at(row, "hex"), &e), &e);
		same_request(&r, row);
		check_ok(request_parse(&again, text, &bytes, &e), &e);
		check_same(buf_view(&bytes), vec_hex_at(row, "hex"));
		same_request(&again, row);
		/* and out again, to the byte */
		buf_reset(&bytes);
		check_ok(request_seal(&again, &bytes, &e), &e);
		check_same(buf_view(&bytes), vec_hex_at(row, "hex"));
		same_request(&again, row);
	}
	buf_deinit(&bytes);
}

/* What each of the three signers of the vectors would sign. */
static void
test_signables(void **state)
{
	const json_t *rows = vec_at(msg_vectors, "requests");
	struct err e = ERR_INIT;
	struct request_signable s;
	struct request r;
	size_t refused = 0;

	(void)state;
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		check_ok(request_decode(&r, vec_hex_at(row, "hex"), &e), &e);
		for (unsigned k = 0; k < 3; k++) {
			const json_t *want =
			    json_array_get(vec_at(row, "signables"), k);
			struct sign_pair pair = msg_pair(k + 1);
			enum err_code rc =
			    request_signable(&r, &pair.pub, &s, &e);

			sign_pair_free(&pair);
			if (json_is_object(want)) {
				check(rc == ERR_INVALID);
				check(
				    strcmp(e.msg, vec_str(want, "error")) == 0);
				refused++;
				continue;
			}
			check_ok(rc, &e);
			check(s.n == json_array_size(want));
			for (size_t p = 0; p < s.n; p++) {
				const json_t *w = json_array_get(want, p);

				check(s.signer == vec_num(w, "signer"));
				check_same(view_of(s.message[p].bytes,
					       s.message[p].len),
				    vec_hex_at(w, "signable"));
			}
		}
	}
	check(refused == 8); /* three requests with one signer */
}

/* Bytes of a request of the vectors, to be spoilt. */
static void
take(struct buf *b, const char *label)
{
	buf_init(b, REQUEST_MAX + 16);
	buf_append(b, vec_hex_at(msg_row("requests", label, 0), "hex"));
}

static void
refused(const struct buf *b, enum err_code want, const char *text)
{
	struct err e = ERR_INIT;
	struct request r = {.length = 77};

	check_code(request_decode(&r, buf_view(b), &e), want);
	if (strstr(e.msg, text) == NULL) {
		fprintf(stderr, "%s\n", e.msg);
		vec_fail(__FILE__, __LINE__, text);
	}
	check(r.length == 77); /* nothing is written on failure */
}

/* The errors that the reference's decoder gives, in its words. */
static void
test_errors_of_the_reference(void **state)
{
	const struct {
		const char *label, *from;
		size_t at;
		uint8_t byte;
		enum err_code code;
	} row[] = {
	    {"decode request: length 0", "core, version 3", 2, 0, ERR_FORMAT},
	    {"decode request: version 4", "core, version 3", 0, 4, ERR_VERSION},
	    {"decode request: a response", "core, version 3", 1, 1, ERR_FORMAT},
	};
	struct buf b;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		take(&b, row[i].from);
		b.data[row[i].at] = row[i].byte;
		refused(&b, row[i].code,
		    vec_str(msg_row("errors", row[i].label, 0), "error"));
		buf_deinit(&b);
	}
	take(&b, "core, version 3");
	buf_byte(&b, 0);
	refused(&b, ERR_FORMAT,
	    vec_str(msg_row("errors", "decode request: trailing byte", 0),
		"error"));
	buf_deinit(&b);
}

/* The flags may be missing at the very end, and nothing else may. */
static void
test_every_length(void **state)
{
	static const char *const label[] = {
	    "core, version 3", "drive, version 2 (legacy)"};
	struct err e = ERR_INIT;
	struct request r;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct view whole =
		    vec_hex_at(msg_row("requests", label[i], 0), "hex");
		size_t decoded = 0;

		for (size_t n = 0; n < whole.len; n++) {
			struct view cut = view_sub(whole, 0, n);

			if (request_decode(&r, cut, &e) != ERR_OK)
				continue;
			decoded++;
			check(r.kind == REQUEST_CORE && r.blobs_length == 0);
			check(n == whole.len - (i == 0 ? 1 : 34));
		}
		check(decoded == 1);
	}
	take(&b, "core, version 2 (legacy)");
	b.len--;
	check_ok(request_decode(&r, buf_view(&b), &e), &e);
	check(r.kind == REQUEST_CORE && r.version == 2);
	buf_deinit(&b);
}

/* Each byte changed is another request or none: never the same hash. */
static void
test_every_byte(void **state)
{
	struct request was, r;
	struct err e = ERR_INIT;
	struct buf b;

	(void)state;
	msg_request(&was, "drive, version 3");
	take(&b, "drive, version 3");
	for (size_t i = 0; i < b.len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			b.data[i] ^= (uint8_t)(1u << bit);
			if (request_decode(&r, buf_view(&b), &e) == ERR_OK)
				check(!b32_eq(&r.hash, &was.hash));
			b.data[i] ^= (uint8_t)(1u << bit);
		}
	buf_deinit(&b);
}

static void
seal_refused(struct request *r, enum err_code want, const char *text)
{
	struct err e = ERR_INIT;
	struct buf b;

	buf_init(&b, REQUEST_MAX);
	check_code(request_seal(r, &b, &e), want);
	check(strstr(e.msg, text) != NULL);
	buf_deinit(&b);
}

static void
test_seal_refuses(void **state)
{
	struct request r;

	(void)state;
	msg_make(&r, REQUEST_CORE, 3, 3, 2);
	r.length = 0;
	seal_refused(&r, ERR_INVALID, "Refusing to sign length = 0");
	msg_make(&r, REQUEST_CORE, 3, 3, 2);
	r.manifest.quorum = 4;
	seal_refused(&r, ERR_INVALID, "quorum 4 of 3 signers");
	msg_make(&r, REQUEST_CORE, 3, 3, 2);
	r.version = 4;
	seal_refused(&r, ERR_VERSION, "Unknown signing request version: 4");
	msg_make(&r, REQUEST_DRIVE, 3, 3, 2);
	r.manifest.version = 0;
	seal_refused(
	    &r, ERR_UNSUPPORTED, "Drive is not compatible, needs v1 manifest");
}

/* A manifest whose quorum cannot be met is refused when it is read. */
static void
test_manifest_is_checked(void **state)
{
	struct buf b;

	(void)state;
	take(&b, "core, version 3");
	/* version, type, length, fork, hash; manifest version, flags, hash */
	check(b.data[39] == 2);
	b.data[39] = 4;
	refused(&b, ERR_INVALID, "request: manifest: quorum 4 of 3 signers");
	b.data[39] = 2;
	b.data[36] = 4;
	refused(&b, ERR_FORMAT, "request");
	buf_deinit(&b);
}

/* Signers of a manifest of version 0 sign their namespace, not the key; a
 * drive of that version has no contents core to be signed. */
static void
test_old_manifest(void **state)
{
	struct err e = ERR_INIT;
	struct request_signable s;
	struct request r, again;
	struct sign_pair pair = msg_pair(2);
	struct buf b;

	(void)state;
	msg_make(&r, REQUEST_CORE, 2, 3, 2);
	r.manifest.version = 0;
	buf_init(&b, REQUEST_MAX);
	check_ok(request_seal(&r, &b, &e), &e);
	check_ok(request_decode(&again, buf_view(&b), &e), &e);
	check(b32_eq(&r.key, &again.key));
	check_ok(request_signable(&again, &pair.pub, &s, &e), &e);
	check(s.n == 1 && s.signer == 1 && s.message[0].len == 112);
	check_same(view_of(s.message[0].bytes + 32, 32),
	    view_b32(&r.manifest.signer[1].ns));
	/* as a drive: the last byte holds the flags */
	b.data[b.len - 1] = 1;
	enc_uint(&b, 3);
	enc_b32(&b, &r.tree_hash);
	check_ok(request_decode(&again, buf_view(&b), &e), &e);
	check(again.kind == REQUEST_DRIVE && !again.has_blobs_key);
	check_code(
	    request_signable(&again, &pair.pub, &s, &e), ERR_UNSUPPORTED);
	check(strcmp(e.msg, "Drive is not compatible, needs v1 manifest") == 0);
	buf_deinit(&b);
	sign_pair_free(&pair);
}

/* The most signers fit; one more does not. */
static void
test_many_signers(void **state)
{
	struct err e = ERR_INIT;
	struct request r, again;
	struct buf b;

	(void)state;
	msg_make(&r, REQUEST_DRIVE, 3, MANIFEST_SIGNERS_MAX, 33);
	buf_init(&b, REQUEST_MAX);
	check_ok(request_seal(&r, &b, &e), &e);
	check_ok(request_decode(&again, buf_view(&b), &e), &e);
	check(again.manifest.nsigners == MANIFEST_SIGNERS_MAX);
	check(b32_eq(&again.hash, &r.hash));
	check(b.data[40] == MANIFEST_SIGNERS_MAX);
	b.data[40]++;
	refused(&b, ERR_FORMAT, "request");
	buf_deinit(&b);
	buf_init(&b, REQUEST_MAX + 16);
	for (size_t i = 0; i <= REQUEST_MAX; i++)
		buf_byte(&b, 0);
	refused(&b, ERR_LIMIT, "at most 20480 bytes");
	buf_deinit(&b);
}

static void
test_text(void **state)
{
	const char *z =
	    vec_str(msg_row("requests", "core, version 3", 0), "z32");
	const struct {
		const char *before, *after;
		enum err_code code;
	} row[] = {
	    {"", "", ERR_OK},
	    {" \t", "\r\n", ERR_OK},
	    {"\n\n", " ", ERR_OK},
	    {"", "y", ERR_FORMAT}, /* one byte more */
	    {"", "l", ERR_FORMAT}, /* not of the alphabet */
	    {"\"", "\"", ERR_FORMAT},
	    {"", "\f", ERR_FORMAT},
	    {"y", "", ERR_FORMAT},
	};
	struct request r;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct err e = ERR_INIT;
		struct buf b;

		buf_init(&b, 4096);
		buf_printf(&b, "%s%s%s", row[i].before, z, row[i].after);
		check_code(
		    request_parse(&r, buf_view(&b), NULL, &e), row[i].code);
		check((e.msg[0] == '\0') == (row[i].code == ERR_OK));
		buf_deinit(&b);
	}
	check(request_trim(view_str(" \t \n")).len == 0);
	check_same(request_trim(view_str(" a b ")), view_str("a b"));
	check_code(request_parse(&r, view_str(""), NULL, NULL), ERR_FORMAT);
}

/* No response of any version is taken for a request. */
static void
test_never_a_response(void **state)
{
	const json_t *rows = vec_at(msg_vectors, "responses");
	struct err e = ERR_INIT;
	struct request r;

	(void)state;
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		struct view text = view_str(vec_str(row, "z32"));
		enum err_code rc = request_parse(&r, text, NULL, &e);

		check(rc == ERR_FORMAT || rc == ERR_INVALID);
		check(response_guess(text) == GUESS_RESPONSE);
		if (vec_num(vec_at(row, "decoded"), "version") == 3)
			check(
			    strcmp(e.msg, "Expected an encoded request") == 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_signables),
	    cmocka_unit_test(test_errors_of_the_reference),
	    cmocka_unit_test(test_every_length),
	    cmocka_unit_test(test_every_byte),
	    cmocka_unit_test(test_seal_refuses),
	    cmocka_unit_test(test_manifest_is_checked),
	    cmocka_unit_test(test_old_manifest),
	    cmocka_unit_test(test_many_signers),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_never_a_response),
	};

	return cmocka_run_group_tests(tests, msg_setup, msg_teardown);
}
