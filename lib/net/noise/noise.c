#include "net/noise/noise.h"

#include <string.h>

#include "base/bug.h"
#include "crypto/aead.h"
#include "crypto/dh.h"
#include "crypto/hash512.h"

#define MESSAGES_MAX 3
#define TOKENS_MAX 5

enum token { END, E, S, EE, ES, SE, SS };

/* Who begins sends the even messages. */
struct script {
	const char *name;
	size_t messages;
	enum token token[MESSAGES_MAX][TOKENS_MAX];
};

static const struct script scripts[] = {
    [NOISE_IK] = {"Noise_IK_Ed25519_ChaChaPoly_BLAKE2b", 2,
	{{E, ES, S, SS, END}, {E, EE, SE, END}}},
    [NOISE_XX] = {"Noise_XX_Ed25519_ChaChaPoly_BLAKE2b", 3,
	{{E, END}, {E, EE, S, ES, END}, {S, SE, END}}},
};

/* What a message changes. */
struct state {
	uint8_t ck[HASH512_LEN], h[HASH512_LEN];
	uint8_t key[AEAD_KEY];
	uint64_t nonce;
	bool keyed;
	uint8_t e[DH_SECRET];
	bool has_e, has_rs;
	struct b32 re, rs;
	size_t at; /* messages so far */
};

struct noise {
	struct secret mem; /* where this struct is */
	const struct script *script;
	bool initiator;
	uint8_t s[DH_SECRET];
	struct state now, next; /* next: while a message is worked on */
};

/* -- symmetric state ------------------------------------------------------ */

static void
mix_hash(struct state *t, struct view v)
{
	const struct view parts[2] = {{t->h, sizeof(t->h)}, v};

	hash512_batch(t->h, parts, 2);
}

static bool
mix_key(
    struct state *t, const uint8_t local[DH_SECRET], const struct b32 *remote)
{
	uint8_t shared[DH_LEN], out[2 * HASH512_LEN];
	bool ok = dh_make(shared, local, remote);

	if (ok) {
		hash512_hkdf(out, t->ck, view_of(shared, sizeof(shared)));
		memcpy(t->ck, out, sizeof(t->ck));
		memcpy(t->key, out + HASH512_LEN, sizeof(t->key));
		t->nonce = 0;
		t->keyed = true;
		secret_wipe(out, sizeof(out));
	}
	secret_wipe(shared, sizeof(shared));
	return ok;
}

static size_t
mac_of(const struct state *t)
{
	return t->keyed ? AEAD_MAC : 0;
}

static void
encrypt(struct state *t, struct view plain, struct buf *out)
{
	uint8_t *p = buf_extend(out, plain.len + mac_of(t));

	if (p == NULL)
		return;
	if (t->keyed)
		aead_seal(
		    p, t->key, t->nonce++, view_of(t->h, sizeof(t->h)), plain);
	else if (plain.len > 0)
		memcpy(p, plain.ptr, plain.len);
	mix_hash(t, view_of(p, plain.len + mac_of(t)));
}

/* out: sealed.len - mac_of(t) bytes. */
static bool
decrypt(struct state *t, struct view sealed, uint8_t *out)
{
	if (sealed.len < mac_of(t))
		return false;
	if (!t->keyed) {
		if (sealed.len > 0)
			memcpy(out, sealed.ptr, sealed.len);
	} else if (!aead_open(out, t->key, t->nonce++,
		       view_of(t->h, sizeof(t->h)), sealed)) {
		return false;
	}
	mix_hash(t, sealed);
	return true;
}

/* -- tokens --------------------------------------------------------------- */

static bool
mix_token(const struct noise *n, struct state *t, enum token k)
{
	/* the first letter is the initiator's key, the second the responder's */
	bool first_static = k == SE || k == SS;
	bool second_static = k == ES || k == SS;
	bool ours = n->initiator ? first_static : second_static;
	bool theirs = n->initiator ? second_static : first_static;

	return mix_key(t, ours ? n->s : t->e, theirs ? &t->rs : &t->re);
}

static enum err_code
make_ephemeral(struct state *t, struct err *e)
{
	struct b32 seed;
	struct sign_pair p;
	enum err_code rc;

	if (t->has_e)
		return ERR_OK;
	secret_random(&seed, sizeof(seed));
	if ((rc = sign_pair_seed(&p, &seed, e)) == ERR_OK) {
		memcpy(t->e, p.sec.ptr, sizeof(t->e));
		t->has_e = true;
		sign_pair_free(&p);
	}
	secret_wipe(&seed, sizeof(seed));
	return rc;
}

/* The public half of a key pair as libsodium keeps it. */
static struct view
public_of(const uint8_t sec[DH_SECRET])
{
	return view_of(sec + 32, 32);
}

static enum err_code
refuse(struct err *e)
{
	return err_set(e, ERR_VERIFY, "the handshake does not verify");
}

static enum err_code
send_token(const struct noise *n, struct state *t, enum token k,
    struct buf *out, struct err *e)
{
	enum err_code rc;

	switch (k) {
	case E:
		if ((rc = make_ephemeral(t, e)) != ERR_OK)
			return rc;
		buf_append(out, public_of(t->e));
		mix_hash(t, public_of(t->e));
		return ERR_OK;
	case S:
		encrypt(t, public_of(n->s), out);
		return ERR_OK;
	case EE:
	case ES:
	case SE:
	case SS:
		return mix_token(n, t, k) ? ERR_OK : refuse(e);
	case END:
		break;
	}
	bug("token %d", (int)k);
}

static bool
recv_token(
    const struct noise *n, struct state *t, enum token k, struct view *left)
{
	size_t len = 32 + (k == S ? mac_of(t) : 0);
	struct view v = view_sub(*left, 0, len);

	if (k != E && k != S)
		return mix_token(n, t, k);
	if (v.len != len)
		return false;
	*left = view_sub(*left, len, left->len);
	if (k == S) {
		t->has_rs = true;
		return decrypt(t, v, t->rs.b);
	}
	memcpy(t->re.b, v.ptr, 32);
	mix_hash(t, v);
	return true;
}

/* -- messages ------------------------------------------------------------- */

enum err_code
noise_send(struct noise *n, struct view payload, struct buf *out, struct err *e)
{
	struct state *t = &n->next;
	const enum token *k = n->script->token[n->now.at];
	size_t before = out->len;
	enum err_code rc = ERR_OK;

	bug_if(!noise_sends(n));
	if (payload.len > NOISE_PAYLOAD_MAX)
		return err_set(e, ERR_LIMIT, "a handshake payload of %zu bytes",
		    payload.len);
	*t = n->now;
	while (rc == ERR_OK && *k != END)
		rc = send_token(n, t, *k++, out, e);
	if (rc == ERR_OK) {
		encrypt(t, payload, out);
		rc = buf_check(out, e);
	}
	if (rc == ERR_OK) {
		t->at++;
		n->now = *t;
	} else {
		out->len = before;
	}
	secret_wipe(t, sizeof(*t));
	return rc;
}

static bool
read_message(struct noise *n, struct view message,
    uint8_t plain[static NOISE_PAYLOAD_MAX], size_t *len)
{
	const enum token *k = n->script->token[n->now.at];
	struct state *t = &n->next;

	while (*k != END)
		if (!recv_token(n, t, *k++, &message))
			return false;
	if (message.len > NOISE_PAYLOAD_MAX + mac_of(t))
		return false;
	if (!decrypt(t, message, plain))
		return false;
	*len = message.len - mac_of(t);
	return true;
}

enum err_code
noise_recv(
    struct noise *n, struct view message, struct buf *payload, struct err *e)
{
	uint8_t plain[NOISE_PAYLOAD_MAX];
	enum err_code rc = ERR_OK;
	size_t len = 0;

	if (noise_done(n) || noise_sends(n))
		return refuse(e);
	n->next = n->now;
	if (!read_message(n, message, plain, &len)) {
		rc = refuse(e);
	} else {
		buf_append(payload, view_of(plain, len));
		rc = buf_check(payload, e);
	}
	if (rc == ERR_OK) {
		n->next.at++;
		n->now = n->next;
	}
	secret_wipe(&n->next, sizeof(n->next));
	secret_wipe(plain, len);
	return rc;
}

bool
noise_done(const struct noise *n)
{
	return n->now.at == n->script->messages;
}

bool
noise_sends(const struct noise *n)
{
	return !noise_done(n) && (n->now.at % 2 == 0) == n->initiator;
}

/* With a key of theirs in it, a message that was read proves that key. */
const struct b32 *
noise_remote(const struct noise *n)
{
	bool read = n->now.at > (n->initiator ? 1 : 0);

	return read && n->now.has_rs ? &n->now.rs : NULL;
}

/* -- beginning and end ---------------------------------------------------- */

/* Guarded memory ends at its guard: sizes of whole cache lines keep what is
 * in it aligned. */
#define NOISE_BYTES ((sizeof(struct noise) + 63) / 64 * 64)

static void
initialise(struct noise *n, const struct noise_opts *o)
{
	struct state *t = &n->now;
	size_t len = strlen(n->script->name);

	memcpy(n->s, o->pair->sec.ptr, sizeof(n->s));
	memcpy(t->h, n->script->name, len); /* zeros behind it */
	memcpy(t->ck, t->h, sizeof(t->ck));
	mix_hash(t, o->prologue);
	if (o->ephemeral != NULL) {
		memcpy(t->e, o->ephemeral->sec.ptr, sizeof(t->e));
		t->has_e = true;
	}
	if (o->pattern != NOISE_IK)
		return;
	if (o->initiator) {
		t->rs = *o->remote;
		t->has_rs = true;
		mix_hash(t, view_b32(&t->rs));
	} else {
		mix_hash(t, public_of(n->s));
	}
}

enum err_code
noise_new(struct noise **out, const struct noise_opts *o, struct err *e)
{
	struct secret mem;
	struct noise *n;
	enum err_code rc;

	bug_if(o->pair->sec.len != DH_SECRET);
	bug_if((o->remote != NULL) != (o->initiator && o->pattern == NOISE_IK));
	if ((rc = secret_new(&mem, NOISE_BYTES, e)) != ERR_OK)
		return rc;
	n = (struct noise *)(void *)mem.ptr;
	n->mem = mem;
	n->script = &scripts[o->pattern];
	n->initiator = o->initiator;
	initialise(n, o);
	*out = n;
	return ERR_OK;
}

void
noise_free(struct noise *n)
{
	struct secret mem;

	if (n == NULL)
		return;
	mem = n->mem;
	secret_free(&mem);
}

enum err_code
noise_result(const struct noise *n, struct noise_keys *out, struct err *e)
{
	struct noise_keys k = {.remote = n->now.rs};
	uint8_t two[2 * HASH512_LEN];
	struct view first = {two, AEAD_KEY};
	struct view second = {two + HASH512_LEN, AEAD_KEY};
	enum err_code rc;

	bug_if(!noise_done(n));
	hash512_hkdf(two, n->now.ck, VIEW_EMPTY);
	memcpy(k.hash, n->now.h, sizeof(k.hash));
	if ((rc = secret_copy(&k.tx, n->initiator ? first : second, e)) ==
		ERR_OK &&
	    (rc = secret_copy(&k.rx, n->initiator ? second : first, e)) ==
		ERR_OK)
		*out = k;
	else
		noise_keys_free(&k);
	secret_wipe(two, sizeof(two));
	return rc;
}

void
noise_keys_free(struct noise_keys *k)
{
	secret_free(&k->tx);
	secret_free(&k->rx);
}
