/* Responses against signing.json, and those that do not hold. */
#include "support/msgfix.h"

#include "codec/z32.h"

/* The request that each row of the vectors answers. */
static const char *
answered(const json_t *row)
{
	static const char *const of[][2] = {
	    {"core, version 3", "core, version 3"},
	    {"core, version 2", "core, version 2 (legacy)"},
	    {"drive, version 3", "drive, version 3"},
	    {"drive, version 2", "drive, version 2 (legacy)"},
	    {"legacy key file (version 0)",
		"core, single signer manifest of the legacy key"},
	    {"key file with the production KDF parameters",
		"core, single signer manifest of the SENSITIVE key"},
	};

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++)
		if (strcmp(vec_str(row, "label"), of[i][0]) == 0)
			return of[i][1];
	vec_fail(__FILE__, __LINE__, vec_str(row, "label"));
}

static void
same_response(const struct response *r, const json_t *want)
{
	const json_t *list = vec_at(want, "signatures");

	check(r->version == vec_num(want, "version"));
	check_same(view_b32(&r->request_hash), vec_hex_at(want, "requestHash"));
	check_same(view_b32(&r->pub), vec_hex_at(want, "publicKey"));
	check(r->n == json_array_size(list));
	for (size_t i = 0; i < r->n; i++)
		check_view_hex(view_of(r->signature[i], SIGN_LEN),
		    json_string_value(json_array_get(list, i)));
}

/* Decoded, encoded, verified, and made again by the same signer. */
static void
test_vectors(void **state)
{
	const json_t *rows = vec_at(msg_vectors, "responses");
	struct err e = ERR_INIT;

	(void)state;
	check(json_array_size(rows) >= 12);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		struct response r, text, made;
		struct request req;
		struct buf b;

		check_ok(response_decode(&r, vec_hex_at(row, "hex"), &e), &e);
		same_response(&r, vec_at(row, "decoded"));
		check_ok(
		    response_parse(&text, view_str(vec_str(row, "z32")), &e),
		    &e);
		same_response(&text, vec_at(row, "decoded"));
		msg_request(&req, answered(row));
		check_ok(response_verify(&r, &req, NULL, &e), &e);
		check_ok(response_verify(&r, &req, &r.pub, &e), &e);
		made = msg_answer(&req, (unsigned)vec_num(row, "signer"));
		buf_init(&b, RESPONSE_MAX);
		response_encode(&b, &made);
		check_same(buf_view(&b), vec_hex_at(row, "hex"));
		buf_deinit(&b);
	}
}

static void
does_not_hold(const struct response *r, const struct request *req,
    const struct b32 *expected, const char *text)
{
	struct err e = ERR_INIT;

	check_code(response_verify(r, req, expected, &e), ERR_VERIFY);
	check(e.code == ERR_VERIFY);
	if (strcmp(e.msg, text) != 0) {
		fprintf(stderr, "%s\n", e.msg);
		vec_fail(__FILE__, __LINE__, text);
	}
	check_code(response_verify(r, req, expected, NULL), ERR_VERIFY);
}

static const char *
reference(const char *label)
{
	return vec_str(msg_row("errors", label, 0), "error");
}

static void
test_what_does_not_hold(void **state)
{
	struct request core, drive;
	struct response good, r;
	struct sign_pair other = msg_pair(2);

	(void)state;
	msg_request(&core, "core, version 3");
	msg_request(&drive, "drive, version 3");
	msg_response(&good, "core, version 3", 0);
	does_not_hold(&good, &drive, NULL,
	    reference("verify: response to another request"));
	does_not_hold(
	    &good, &core, &other.pub, reference("verify: other public key"));
	r = good;
	r.signature[0][63] ^= 1;
	does_not_hold(
	    &r, &core, NULL, reference("verify: flipped signature bit"));
	r = good;
	r.pub = other.pub; /* of another signer of the same manifest */
	does_not_hold(&r, &core, NULL, "Invalid signature!");
	r = good;
	memset(r.pub.b, 9, 32);
	does_not_hold(
	    &r, &core, NULL, reference("key is not a declared signer"));
	r = good;
	r.n = 2;
	does_not_hold(&r, &core, NULL,
	    "Invalid response: signature count does not match");
	r.n = 0;
	does_not_hold(&r, &core, NULL,
	    "Invalid response: signature count does not match");
	/* the first fault is named: the request before the key */
	does_not_hold(&good, &drive, &other.pub,
	    "Signature was not made over this request");
	sign_pair_free(&other);
}

/* Both signatures of a drive count, each at its own place. */
static void
test_drive_needs_both(void **state)
{
	struct request req;
	struct response good, r;

	(void)state;
	msg_request(&req, "drive, version 3");
	msg_response(&good, "drive, version 3", 2);
	r = good;
	r.n = 1;
	does_not_hold(
	    &r, &req, NULL, "Invalid response: signature count does not match");
	r = good;
	r.signature[1][0] ^= 0x80;
	does_not_hold(&r, &req, NULL, "Invalid signature!");
	r = good;
	memcpy(r.signature[0], good.signature[1], SIGN_LEN);
	memcpy(r.signature[1], good.signature[0], SIGN_LEN);
	does_not_hold(&r, &req, NULL, "Invalid signature!");
}

/* The version of a response binds nothing: the hash does. Equal content
 * under another version is another request. */
static void
test_version_binds_nothing(void **state)
{
	struct err e = ERR_INIT;
	struct request v3, v2;
	struct response r;

	(void)state;
	msg_request(&v3, "core, version 3");
	msg_request(&v2, "core, version 2 (legacy)");
	msg_response(&r, "core, version 3", 0);
	r.version = 2;
	check_ok(response_verify(&r, &v3, NULL, &e), &e);
	does_not_hold(
	    &r, &v2, NULL, "Signature was not made over this request");
}

static void
test_make_refuses(void **state)
{
	struct err e = ERR_INIT;
	struct request req;
	struct response r = {.n = 77};
	struct sign_pair stranger = msg_pair(4), watcher = msg_pair(1);

	(void)state;
	msg_request(&req, "core, version 3");
	check_code(response_make(&r, &req, &stranger, &e), ERR_INVALID);
	check(strcmp(e.msg, reference("key is not a declared signer")) == 0);
	secret_free(&watcher.sec);
	check_code(response_make(&r, &req, &watcher, &e), ERR_READONLY);
	check(r.n == 77);
	sign_pair_free(&stranger);
}

static void
refused(struct view bytes, enum err_code want, const char *text)
{
	struct err e = ERR_INIT;
	struct response r = {.n = 77};

	check_code(response_decode(&r, bytes, &e), want);
	check(strstr(e.msg, text) != NULL);
	check(r.n == 77);
}

static void
test_wrong_bytes(void **state)
{
	struct view good =
	    vec_hex_at(msg_row("responses", "drive, version 3", 0), "hex");
	struct buf b;

	(void)state;
	for (size_t n = 0; n < good.len; n++)
		refused(view_sub(good, 0, n), ERR_FORMAT, "response");
	buf_init(&b, RESPONSE_MAX + 1);
	buf_append(&b, good);
	buf_byte(&b, 0);
	refused(buf_view(&b), ERR_FORMAT,
	    reference("decode response: trailing byte"));
	b.len--;
	b.data[0] = 4;
	refused(buf_view(&b), ERR_VERSION,
	    "Response version is not supported, please upgrade");
	b.data[0] = 3;
	b.data[1] = 0;
	refused(
	    buf_view(&b), ERR_FORMAT, reference("decode response: a request"));
	b.data[1] = 1;
	check(b.data[66] == 2);
	b.data[66] = 3; /* signatures */
	refused(buf_view(&b), ERR_FORMAT, "response");
	while (b.len <= RESPONSE_MAX)
		buf_byte(&b, 0);
	refused(buf_view(&b), ERR_LIMIT, "at most 512 bytes");
	buf_deinit(&b);
}

/* Texts are told apart by what they are, not by their first byte. */
static void
test_guess(void **state)
{
	const json_t *rows = vec_at(msg_vectors, "requests");
	const struct {
		const char *text;
		enum response_guess is;
	} row[] = {
	    {"", GUESS_NEITHER},
	    {"yyyy", GUESS_NEITHER},
	    {"pear://pk9mymdxaity3es571io5wkikrigy7f8oku5q1ib9h9rfjmfjpso",
		GUESS_NEITHER},
	    {"pk9mymdxaity3es571io5wkikrigy7f8oku5q1ib9h9rfjmfjpso",
		GUESS_NEITHER},
	    {"not z-base-32", GUESS_NEITHER},
	};
	struct response r;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		check(response_guess(view_str(row[i].text)) == row[i].is);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		struct view text =
		    view_str(vec_str(json_array_get(rows, i), "z32"));
		enum err_code rc = response_parse(&r, text, &e);

		check(rc == ERR_FORMAT || rc == ERR_LIMIT);
		check(response_guess(text) == GUESS_REQUEST);
	}
	rows = vec_at(msg_vectors, "responses");
	for (size_t i = 0; i < json_array_size(rows); i++)
		check(response_guess(view_str(vec_str(
			  json_array_get(rows, i), "z32"))) == GUESS_RESPONSE);
}

static void
test_text_around(void **state)
{
	const char *z =
	    vec_str(msg_row("responses", "core, version 2", 1), "z32");
	struct err e = ERR_INIT;
	struct response r;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	buf_printf(&b, "\t%s\r\n", z);
	check_ok(response_parse(&r, buf_view(&b), &e), &e);
	check(r.version == 2 && r.n == 1);
	buf_reset(&b);
	buf_printf(&b, "%s %s", z, z);
	check_code(response_parse(&r, buf_view(&b), &e), ERR_FORMAT);
	buf_deinit(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),
	    cmocka_unit_test(test_what_does_not_hold),
	    cmocka_unit_test(test_drive_needs_both),
	    cmocka_unit_test(test_version_binds_nothing),
	    cmocka_unit_test(test_make_refuses),
	    cmocka_unit_test(test_wrong_bytes),
	    cmocka_unit_test(test_guess),
	    cmocka_unit_test(test_text_around),
	};

	return cmocka_run_group_tests(tests, msg_setup, msg_teardown);
}
