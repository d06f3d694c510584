/* What both sides of direct share. */
#include "net/dht/direct.h"

#include "crypto/hash.h"
#include "net/dht/impl.h"

void
direct_target(struct b32 *out, const struct b32 *key)
{
	hash_data(out, view_b32(key));
}

enum err_code
direct_noise(struct noise **out, const struct sign_pair *pair,
    const struct b32 *remote, struct err *e)
{
	struct noise_opts o = {.pattern = NOISE_IK,
	    .initiator = remote != NULL,
	    .pair = pair,
	    .remote = remote};
	struct b32 prologue;

	dht_namespace(&prologue, DHT_PEER_HANDSHAKE);
	o.prologue = view_b32(&prologue);
	return noise_new(out, &o, e);
}

void
direct_payload(struct buf *b, const struct addr *self, uint32_t udx_id,
    enum dht_firewall firewall, enum dht_error error)
{
	struct dht_payload p = {
	    .version = DHT_VERSION, .error = error, .firewall = firewall};
	struct buf address;

	buf_init(&address, RPC_ADDR_LEN);
	if (self != NULL && self->family == 4)
		rpc_addr_put(&address, self);
	p.addresses4 = buf_view(&address);
	p.has_udx = true;
	p.udx.id = udx_id;
	p.has_secret_stream = true;
	dht_payload_encode(b, &p);
	if (address.failed != ERR_OK)
		b->failed = address.failed;
	buf_deinit(&address);
}

enum err_code
direct_finish(struct dht_peer *out, const struct noise *n,
    const struct dht_payload *theirs, const struct addr *from,
    const struct addr *self, struct err *e)
{
	struct dht_peer p = {.udx_id = theirs->udx.id,
	    .addr = *from,
	    .self = *self,
	    .reusable = theirs->udx.reusable};
	enum err_code rc = noise_result(n, &p.keys, e);

	if (rc == ERR_OK)
		*out = p;
	return rc;
}

void
dht_peer_free(struct dht_peer *p)
{
	noise_keys_free(&p->keys);
}
