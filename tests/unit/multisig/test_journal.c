/* Journals: kept, read back, listed, and refused when damaged. */
#include "tests/unit/core/fix.h"

#include "codec/jtext.h"
#include "multisig/journal.h"

/* A journal of the vectors' drive request. */
static void
make(struct journal *j, size_t which, enum journal_phase phase)
{
	json_t *all = vec_load("signing");
	const json_t *r = json_array_get(vec_at(all, "requests"), which);
	struct err e = ERR_INIT;
	struct request req;

	journal_init(j);
	buf_append(&j->request, vec_hex_at(r, "hex"));
	check_ok(request_decode(&req, buf_view(&j->request), &e), &e);
	j->key = req.key;
	j->request_hash = req.hash;
	memset(j->source.b, 7, sizeof(j->source.b));
	check_ok(journal_add_response(j, view_str("yry"), &e), &e);
	check_ok(journal_add_response(j, view_str("ybn"), &e), &e);
	j->first = true;
	j->length_before = 12;
	j->blobs_before = 345;
	j->phase = phase;
	json_decref(all);
}

static void
expect_same(const struct journal *a, const struct journal *b)
{
	check(b32_eq(&a->key, &b->key));
	check(b32_eq(&a->source, &b->source));
	check(b32_eq(&a->request_hash, &b->request_hash));
	check_same(buf_view(&a->request), buf_view(&b->request));
	check(a->nresponses == b->nresponses);
	for (size_t i = 0; i < a->nresponses; i++)
		check(strcmp(a->response[i], b->response[i]) == 0);
	check(a->first == b->first && a->phase == b->phase);
	check(a->length_before == b->length_before);
	check(a->blobs_before == b->blobs_before);
}

static bool
count(void *ctx, const struct journal *j)
{
	check(j->nresponses == 2);
	return ++*(int *)ctx < 2;
}

static void
keep(void **state)
{
	struct err e = ERR_INIT;
	struct journal j, got;
	struct fix f;
	int n = 0;

	(void)state;
	fix_open(&f, 1, true);
	make(&j, 0, JOURNAL_VERIFIED);
	check_code(journal_read(&got, f.s, &j.key, &e), ERR_NOT_FOUND);
	check_ok(journal_list(f.s, count, &n, &e), &e);
	check(n == 0);
	for (int phase = 0; phase < 2; phase++) {
		j.phase = (enum journal_phase)phase;
		check_ok(journal_write(&j, f.s, NULL, &e), &e);
		fix_again(&f);
		check_ok(journal_read(&got, f.s, &j.key, &e), &e);
		expect_same(&j, &got);
		journal_deinit(&got);
	}
	check_ok(journal_list(f.s, count, &n, &e), &e);
	check(n == 1);
	check_ok(journal_erase(f.s, NULL, &j.key, &e), &e);
	check_ok(journal_erase(f.s, NULL, &j.key, &e), &e);
	check_code(journal_read(&got, f.s, &j.key, &e), ERR_NOT_FOUND);
	journal_deinit(&j);
	fix_close(&f);
}

/* Inside a transaction that is dropped, nothing happened. */
static void
within(void **state)
{
	struct err e = ERR_INIT;
	struct store_txn *txn;
	struct journal j, got;
	struct fix f;

	(void)state;
	fix_open(&f, 1, true);
	make(&j, 0, JOURNAL_VERIFIED);
	for (int keep_it = 0; keep_it < 2; keep_it++) {
		check_ok(store_begin(&txn, f.s, &e), &e);
		check_ok(journal_write(&j, f.s, txn, &e), &e);
		if (keep_it == 0)
			store_abort(txn);
		else
			check_ok(store_commit(txn, &e), &e);
		check_ok(store_refresh(f.s, &e), &e);
		if (keep_it == 0)
			check_code(
			    journal_read(&got, f.s, &j.key, &e), ERR_NOT_FOUND);
		else
			check_ok(journal_read(&got, f.s, &j.key, &e), &e);
	}
	journal_deinit(&got);
	journal_deinit(&j);
	fix_close(&f);
}

/* Each field away, or another value in its place. */
static void
damaged(void **state)
{
	static const struct {
		const char *field, *value; /* JSON; NULL: away */
		enum err_code code;
	} row[] = {
	    {"version", NULL, ERR_CORRUPT},
	    {"version", "2", ERR_VERSION},
	    {"version", "\"1\"", ERR_CORRUPT},
	    {"key", NULL, ERR_CORRUPT},
	    {"key", "\"00\"", ERR_CORRUPT},
	    {"source", "7", ERR_CORRUPT},
	    {"requestHash",
		"\"00000000000000000000000000000000"
		"00000000000000000000000000000000\"",
		ERR_CORRUPT},
	    {"request", "\"yry\"", ERR_CORRUPT},
	    {"request", "[]", ERR_CORRUPT},
	    {"responses", "{}", ERR_CORRUPT},
	    {"responses", "[\"yry\",1]", ERR_CORRUPT},
	    {"first", NULL, ERR_CORRUPT},
	    {"first", "1", ERR_CORRUPT},
	    {"lengthBefore", "-1", ERR_CORRUPT},
	    {"blobsBefore", "1.5", ERR_CORRUPT},
	    {"phase", "\"done\"", ERR_CORRUPT},
	    {"phase", NULL, ERR_CORRUPT},
	};
	struct err e = ERR_INIT;
	struct journal j, got;
	struct buf text;
	json_t *doc, *value;

	(void)state;
	make(&j, 0, JOURNAL_COMMITTED);
	buf_init(&text, 1 << 20);
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		buf_reset(&text);
		check_ok(journal_encode(&text, &j, &e), &e);
		check_ok(jtext_parse(buf_view(&text), 1 << 20, &doc, &e), &e);
		check(json_object_del(doc, row[i].field) == 0);
		if (row[i].value != NULL) {
			check_ok(jtext_parse(view_str(row[i].value), 1 << 20,
				     &value, &e),
			    &e);
			check(
			    json_object_set_new(doc, row[i].field, value) == 0);
		}
		buf_reset(&text);
		jtext_print(&text, doc);
		json_decref(doc);
		check_code(
		    journal_decode(&got, buf_view(&text), &e), row[i].code);
		check(e.msg[0] != '\0');
	}
	check_code(journal_decode(&got, view_str("{"), &e), ERR_CORRUPT);
	check_code(journal_decode(&got, view_str("[]"), &e), ERR_CORRUPT);
	buf_deinit(&text);
	journal_deinit(&j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keep),
	    cmocka_unit_test(within),
	    cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
