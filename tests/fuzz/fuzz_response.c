/*
 * Responses of strangers to one request for two of three. What decodes
 * encodes to the same; nobody holds a secret key here, so none of it ever
 * holds, counts or makes a signature beside the one good response.
 */
#include <string.h>

#include "codec/z32.h"
#include "multisig/quorum.h"
#include "support/vec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct request req;
static struct response good;

/* Signers 1 to 3 of the vectors, and the answer of the first. */
static void
make_request(void)
{
	struct err e = ERR_INIT;
	struct sign_pair pair;
	struct b32 seed;
	struct buf b;

	req.version = 3;
	req.kind = REQUEST_DRIVE;
	req.length = req.blobs_length = 4;
	req.manifest.version = 1;
	req.manifest.quorum = 2;
	req.manifest.nsigners = 3;
	buf_init(&b, REQUEST_MAX);
	for (size_t i = 3; i-- > 0;) {
		memset(seed.b, (int)i + 1, sizeof(seed.b));
		check_ok(sign_pair_seed(&pair, &seed, &e), &e);
		req.manifest.signer[i].pub = pair.pub;
		if (i > 0)
			sign_pair_free(&pair);
	}
	check_ok(request_seal(&req, &b, &e), &e);
	check_ok(response_make(&good, &req, &pair, &e), &e);
	sign_pair_free(&pair);
	buf_deinit(&b);
}

static void
round_trip(const struct response *r)
{
	struct err e = ERR_INIT;
	struct response again;
	struct buf bytes, text;

	buf_init(&bytes, RESPONSE_MAX);
	buf_init(&text, 2 * RESPONSE_MAX);
	response_encode(&bytes, r);
	z32_encode(&text, buf_view(&bytes));
	check_ok(response_parse(&again, buf_view(&text), &e), &e);
	check(memcmp(&again, r, sizeof(again)) == 0);
	check(response_guess(buf_view(&text)) == GUESS_RESPONSE);
	buf_deinit(&text);
	buf_deinit(&bytes);
}

/* As it is, and as if it answered this request. */
static void
judge(const struct response *r)
{
	struct response pile[3] = {*r, good, *r};
	struct quorum_verdict verdict[3];
	struct err e = ERR_INIT;
	struct quorum q;
	struct buf sig;

	pile[2].request_hash = req.hash;
	pile[2].pub = req.manifest.signer[2].pub;
	quorum_judge(&q, verdict, &req, pile, 3);
	check(verdict[0].state == QUORUM_BAD && verdict[0].e.msg[0] != '\0');
	check(verdict[1].state == QUORUM_GOOD && verdict[1].signer == 0);
	check(verdict[2].state == QUORUM_BAD && q.have == 1);
	buf_init(&sig, MANIFEST_PROOF_MAX);
	check_code(quorum_assemble(&sig, &q, &req, pile, 0, &e), ERR_VERIFY);
	check(sig.len == 0);
	buf_deinit(&sig);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	struct response r;
	enum err_code rc;

	if (req.version == 0)
		make_request();
	rc = response_parse(&r, view_of(data, size), &e);
	if (rc != ERR_OK)
		rc = response_decode(&r, view_of(data, size), &e);
	if (rc != ERR_OK) {
		check(rc == ERR_FORMAT || rc == ERR_VERSION || rc == ERR_LIMIT);
		check(e.msg[0] != '\0');
		return 0;
	}
	check(r.version <= REQUEST_VERSION_MAX && r.n <= REQUEST_CORES_MAX);
	round_trip(&r);
	judge(&r);
	return 0;
}
