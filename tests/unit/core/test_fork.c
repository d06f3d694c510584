/* fork: replicas follow writers that truncated, through every lie. */
#include "fix_fork.h"

#include <sys/stat.h>

/* A small generator: the same histories on every machine. */
static uint64_t seed;

static uint64_t
below(uint64_t n)
{
	seed = seed * UINT64_C(6364136223846793005) +
	       UINT64_C(1442695040888963407);
	return n == 0 ? 0 : (seed >> 33) % n;
}

static void
ask_head(struct story *s)
{
	struct core_request q = {.has_upgrade = true, .manifest = true};

	q.upgrade_length = core_head(s->c)->length;
	make(s->c, &q);
}

/* -- lies ----------------------------------------------------------------- */

/* What can be wrong with a list of nodes; false: there is no such lie. */
static bool
lie_nodes(struct core_nodes *list, unsigned kind)
{
	unsigned which = kind / 5;

	if (which >= list->n)
		return false;
	switch (kind % 5) {
	case 0:
		list->node[which].hash.b[7] ^= 0x10;
		break;
	case 1:
		list->node[which].size++;
		break;
	case 2:
		list->node[which].index += 2;
		break;
	case 3:
		memmove(&list->node[which], &list->node[which + 1],
		    (list->n - which - 1) * sizeof(struct node));
		list->n--;
		break;
	default:
		list->node[list->n] = list->node[which];
		list->n++;
		break;
	}
	return true;
}

/* Lies about the shape of a message. */
static bool
lie_shape(struct core_proof *p, unsigned kind)
{
	switch (kind) {
	case 0:
		p->fork++;
		break;
	case 1:
		p->fork--;
		break;
	case 2:
		p->has_block = true;
		p->block = view_str("not asked for");
		break;
	case 3:
		p->has_seek = true;
		p->seek_nodes.n = 1;
		break;
	case 4:
		p->has_hash = !p->has_hash;
		p->hash_nodes.n = p->has_hash ? p->hash_nodes.n : 0;
		break;
	case 5:
		p->has_upgrade = !p->has_upgrade;
		break;
	case 6:
		p->hash_index += p->has_hash ? 2 : 0;
		p->upgrade_length += p->has_upgrade ? 1 : 0;
		break;
	default:
		return false;
	}
	return true;
}

static bool
next_lie(unsigned *kind, unsigned *shape)
{
	struct core_nodes *list =
	    proof->has_upgrade ? &lie->upgrade_nodes : &lie->hash_nodes;

	*lie = *proof;
	if (lie_nodes(list, *kind)) {
		(*kind)++;
		return true;
	}
	return lie_shape(lie, (*shape)++);
}

static void
lie_about_head(struct replica *r)
{
	struct err e = ERR_INIT;
	struct core_head before = *core_head(r->c);
	uint8_t signature[MANIFEST_PROOF_MAX];
	struct core_fork *f;
	unsigned kind = 0, shape = 0;

	while (next_lie(&kind, &shape))
		check_code(core_fork_new(&f, r->c, lie, &e), ERR_VERIFY);
	*lie = *proof;
	memcpy(signature, proof->signature.ptr, proof->signature.len);
	signature[20] ^= 1;
	lie->signature = view_of(signature, proof->signature.len);
	check_code(core_fork_new(&f, r->c, lie, &e), ERR_VERIFY);
	check(memcmp(&before, core_head(r->c), sizeof(before)) == 0);
}

static bool
same_question(const struct core_request *a, const struct core_request *b)
{
	return a->has_hash && b->has_hash && a->hash_index == b->hash_index &&
	       a->hash_nodes == b->hash_nodes;
}

static void
lie_about_nodes(struct core_fork *f, const struct core_request *q)
{
	struct err e = ERR_INIT;
	struct core_request again;
	unsigned kind = 0, shape = 0;

	while (next_lie(&kind, &shape)) {
		check_code(core_fork_answer(f, lie, &e), ERR_VERIFY);
		check(core_fork_ask(f, &again) && same_question(q, &again));
	}
}

/* -- following ------------------------------------------------------------ */

/* Blocks that both have in common, of those the replica knows. */
static uint64_t
true_common(const struct story *s, const unsigned *old, uint64_t length)
{
	uint64_t i = 0, end = core_head(s->c)->length;

	if (end > length)
		end = length;
	while (i < end && s->version[i] == old[i])
		i++;
	return i;
}

static uint64_t
follow(struct replica *r, struct story *s, bool lies)
{
	struct err e = ERR_INIT;
	struct core_request q;
	struct core_fork *f = NULL;
	uint64_t common, contiguous = core_head(r->c)->contiguous;
	unsigned asked = 0;

	ask_head(s);
	if (lies)
		lie_about_head(r);
	check_ok(core_fork_new(&f, r->c, proof, &e), &e);
	check(core_fork_number(f) == core_head(s->c)->fork);
	check(core_fork_length(f) == core_head(s->c)->length);
	while (core_fork_ask(f, &q)) {
		check(asked++ < 20);
		make(s->c, &q);
		if (lies)
			lie_about_nodes(f, &q);
		check_ok(core_fork_answer(f, proof, &e), &e);
	}
	common = core_fork_common(f);
	check(core_head(r->c)->fork < core_head(s->c)->fork);
	check_ok(core_fork_commit(f, &e), &e);
	core_fork_free(f);
	check(same_head(r->c, s->c));
	check(core_head(r->c)->contiguous ==
	      (contiguous < common ? contiguous : common));
	return common;
}

static void
forget_from(struct replica *r, uint64_t common)
{
	for (uint64_t i = common; i < BLOCKS_MAX; i++)
		r->has[i] = false;
}

/* One chapter: the writer goes back and on, perhaps more than once; the
 * replica has some blocks of before, follows, and fetches some more. */
static void
chapter(struct story *s, struct replica *r, bool full, bool lies)
{
	unsigned old[BLOCKS_MAX];
	uint64_t length = core_head(r->c)->length, common, same;
	bool had[BLOCKS_MAX];

	memcpy(old, s->version, sizeof(old));
	memcpy(had, r->has, sizeof(had));
	for (uint64_t times = 1 + below(2); times > 0; times--) {
		uint64_t all = core_head(s->c)->length;

		story_truncate(
		    s, below(3) == 0 && all > 5 ? below(5) : below(all + 1));
		story_append(s, 1 + below(60));
	}
	same = true_common(s, old, length);
	common = follow(r, s, lies);
	check(common <= same);
	check(!full || common == same);
	for (uint64_t i = common; i < same; i++)
		check(!had[i]);
	forget_from(r, common);
	replica_expect(r);
	if (below(3) == 0)
		replica_again(r);
	for (uint64_t i = 0; i < core_head(r->c)->length; i++)
		if (!r->has[i] && (full || below(4) == 0))
			replica_get(r, s, i);
	replica_expect(r);
}

static void
histories(bool full, bool lies, unsigned count)
{
	struct story s;
	struct replica r;

	for (unsigned i = 1; i <= count; i++) {
		seed = i + (full ? 1000 : 0) + (lies ? 2000 : 0);
		story_begin(&s);
		replica_begin(&r);
		story_append(&s, 1 + below(70));
		replica_upgrade(&r, &s);
		for (uint64_t b = 0; b < core_head(r.c)->length; b++)
			if (full || below(3) == 0)
				replica_get(&r, &s, b);
		for (unsigned k = 0; k < 4; k++) {
			if (core_head(s.c)->length > 250)
				story_truncate(&s, below(100));
			chapter(&s, &r, full, lies);
			if (below(2) == 0) {
				story_append(&s, 1 + below(9));
				replica_upgrade(&r, &s);
			}
		}
		replica_again(&r);
		replica_expect(&r);
		replica_end(&r);
		story_end(&s);
	}
}

static void
test_full_replicas(void **state)
{
	(void)state;
	histories(true, false, 12);
}

static void
test_sparse_replicas(void **state)
{
	(void)state;
	histories(false, false, 12);
}

static void
test_lies(void **state)
{
	(void)state;
	histories(true, true, 2);
	histories(false, true, 4);
}

/* Every old length, cut and new length of a small core. */
static void
test_every_shape(void **state)
{
	struct story s;
	struct replica r;

	(void)state;
	for (uint64_t old = 0; old <= 7; old++) {
		for (uint64_t k = 0; k < (old + 1) * 8; k++) {
			story_begin(&s);
			replica_begin(&r);
			if (old > 0)
				story_append(&s, old);
			replica_upgrade(&r, &s);
			for (uint64_t i = 0; i < old; i++)
				replica_get(&r, &s, i);
			story_truncate(&s, k / 8);
			if (k % 8 > 0)
				story_append(&s, k % 8);
			if (core_head(s.c)->length > 0) {
				check(follow(&r, &s, false) == k / 8);
				forget_from(&r, k / 8);
				replica_expect(&r);
			}
			replica_end(&r);
			story_end(&s);
		}
	}
}

/* -- particular cases ----------------------------------------------------- */

/* Without answers what is proven so far stays, and the rest comes anew. */
static void
test_settle(void **state)
{
	struct err e = ERR_INIT;
	struct story s;
	struct replica r;
	struct core_request q;
	struct core_fork *f;
	uint64_t common;

	(void)state;
	for (unsigned answers = 0; answers < 4; answers++) {
		story_begin(&s);
		replica_begin(&r);
		story_append(&s, 100);
		replica_upgrade(&r, &s);
		for (uint64_t i = 0; i < 100; i++)
			replica_get(&r, &s, i);
		story_truncate(&s, 85);
		story_append(&s, 20);
		ask_head(&s);
		check_ok(core_fork_new(&f, r.c, proof, &e), &e);
		for (unsigned i = 0; i < answers && core_fork_ask(f, &q); i++) {
			make(s.c, &q);
			check_ok(core_fork_answer(f, proof, &e), &e);
		}
		core_fork_settle(f);
		check(!core_fork_ask(f, &q));
		common = core_fork_common(f);
		check(common >= 64 && common <= 85);
		check_ok(core_fork_commit(f, &e), &e);
		core_fork_free(f);
		forget_from(&r, common);
		replica_expect(&r);
		for (uint64_t i = common; i < 105; i++)
			replica_get(&r, &s, i);
		replica_expect(&r);
		replica_end(&r);
		story_end(&s);
	}
}

/* Who may not follow, what is no fork, and a head that moved meanwhile. */
static void
test_refusals(void **state)
{
	struct err e = ERR_INIT;
	struct story s;
	struct replica r;
	struct core_fork *f;
	struct core *reader;

	(void)state;
	story_begin(&s);
	replica_begin(&r);
	story_append(&s, 10);
	replica_upgrade(&r, &s);
	ask_head(&s);
	check_code(core_fork_new(&f, r.c, proof, &e), ERR_VERIFY);
	check(strstr(e.msg, "not higher") != NULL);
	story_append(&s, 1);
	replica_upgrade(&r, &s);
	story_truncate(&s, 5);
	ask_head(&s);
	check_code(core_fork_new(&f, s.c, proof, &e), ERR_CONFLICT);
	reader = fix_core(&r.f, CORE_READ);
	check_code(core_fork_new(&f, reader, proof, &e), ERR_CONFLICT);
	check_ok(core_fork_new(&f, r.c, proof, &e), &e);
	core_fork_settle(f);
	check_ok(core_fork_commit(f, &e), &e);
	check_code(core_fork_commit(f, &e), ERR_CHANGED);
	core_fork_free(f);
	/* The reader keeps its head until it looks, and never mixes. */
	check(core_head(reader)->fork == 0 && core_head(reader)->length == 11);
	check_code(core_verify(reader, &e), ERR_CHANGED);
	check_ok(core_refresh(reader, &e), &e);
	check(same_head(reader, s.c));
	core_close(reader);
	replica_end(&r);
	story_end(&s);
}

/* Bytes behind the common blocks go; a larger fork follows the first. */
static void
test_bytes_go(void **state)
{
	struct err e = ERR_INIT;
	struct story s;
	struct replica r;
	struct want w;
	struct stat st;
	char path[1024], hex[65];
	uint64_t offset;

	(void)state;
	story_begin(&s);
	replica_begin(&r);
	story_append(&s, 50);
	replica_upgrade(&r, &s);
	for (uint64_t i = 0; i < 50; i++)
		replica_get(&r, &s, i);
	for (uint64_t cut = 40; cut >= 10; cut -= 10) {
		story_truncate(&s, cut);
		story_append(&s, 30);
		check(follow(&r, &s, false) == cut);
		check_ok(core_offset(s.c, cut, &offset, &w, &e), &e);
		for (int i = 0; i < 32; i++)
			snprintf(hex + 2 * i, 3, "%02x",
			    core_discovery_key(r.c)->b[i]);
		snprintf(
		    path, sizeof(path), "%s/blocks/%.2s/%s", r.f.dir, hex, hex);
		check(stat(path, &st) == 0 && (uint64_t)st.st_size == offset);
		forget_from(&r, cut);
		for (uint64_t i = cut; i < cut + 30; i++)
			replica_get(&r, &s, i);
		replica_expect(&r);
	}
	replica_end(&r);
	story_end(&s);
}

/* -- the originals' transcript -------------------------------------------- */

/* hypercore: 11 blocks, cut to 5, two more. */
static void
golden_writer(struct fix *f)
{
	static const char fork_seed[] = "546fd4748331967574f8831f0c201bdb"
					"a9c547aaa8ea620d557c261903a6c9d2";
	struct err e = ERR_INIT;
	struct b32 s;

	memset(f, 0, sizeof(*f));
	fix_dir(f);
	fix_store(f);
	memcpy(s.b, vec_hex(fork_seed).ptr, sizeof(s.b));
	check_ok(sign_pair_seed(&f->pair, &s, &e), &e);
	manifest_single(&f->m, &f->pair.pub);
	manifest_key(&f->key, &f->m);
	check_ok(core_add(f->s, &f->m, &f->key, &f->pair, &e), &e);
	check_ok(store_refresh(f->s, &e), &e);
}

static void
golden_nodes(struct core_nodes *list, const json_t *nodes)
{
	list->n = json_array_size(nodes);
	check(list->n < CORE_PROOF_NODES_MAX);
	for (size_t i = 0; i < list->n; i++) {
		const json_t *n = json_array_get(nodes, i);

		list->node[i].index = vec_num(n, "index");
		list->node[i].size = vec_num(n, "size");
		vec_b32_at(n, "hash", &list->node[i].hash);
	}
}

/* The data message of line i of the transcript. */
static void
golden_data(const json_t *session, size_t i)
{
	const json_t *line = json_array_get(vec_at(session, "log"), i);
	const json_t *fields =
	    vec_at(json_array_get(vec_at(line, "messages"), 0), "fields");
	const json_t *up = vec_at(fields, "upgrade");
	const json_t *hash = vec_at(fields, "hash");
	struct view frame = vec_hex_at(line, "frame");

	memset(proof, 0, sizeof(*proof));
	proof->fork = vec_num(fields, "fork");
	if (json_is_object(hash)) {
		proof->has_hash = true;
		proof->hash_index = vec_num(hash, "index");
		golden_nodes(&proof->hash_nodes, vec_at(hash, "nodes"));
	}
	if (json_is_object(up)) {
		proof->has_upgrade = true;
		proof->upgrade_start = vec_num(up, "start");
		proof->upgrade_length = vec_num(up, "length");
		golden_nodes(&proof->upgrade_nodes, vec_at(up, "nodes"));
		/* the message ends with it */
		proof->signature = view_sub(frame, frame.len - 68, 68);
	}
}

static void
test_golden(void **state)
{
	struct err e = ERR_INIT;
	json_t *all = vec_load("net/sessions");
	const json_t *session = json_array_get(all, 3);
	struct core_request q = {.has_upgrade = true, .manifest = true};
	struct replica r;
	struct core_fork *f;
	struct core_batch *b;
	struct fix w;
	struct core *c;
	char text[16];

	(void)state;
	check(strncmp(vec_str(session, "about"), "reorg", 5) == 0);
	golden_writer(&w);
	c = fix_core(&w, CORE_WRITE);
	b = fix_batch(c);
	for (int i = 0; i < 11; i++) {
		snprintf(text, sizeof(text), "old %d", i);
		check_ok(core_batch_append(b, view_str(text), NULL, &e), &e);
	}
	fix_commit(b);
	core_batch_free(b);
	memset(&r, 0, sizeof(r));
	fix_dir(&r.f);
	fix_store(&r.f);
	r.f.key = w.key;
	check_ok(core_add(r.f.s, NULL, &w.key, NULL, &e), &e);
	check_ok(store_refresh(r.f.s, &e), &e);
	r.c = fix_core(&r.f, CORE_REPLICA);
	q.upgrade_length = 11;
	make(c, &q);
	apply(&r);
	for (uint64_t i = 0; i < 11; i++) {
		q = (struct core_request){.has_block = true, .block_index = i};
		q.block_nodes = i < 8 ? 3 : i < 10;
		make(c, &q);
		apply(&r);
	}
	check(core_head(r.c)->contiguous == 11);

	golden_data(session, 5);
	check_ok(core_fork_new(&f, r.c, proof, &e), &e);
	check(core_fork_ask(f, &q));
	check(q.hash_index / 4 == 2 && q.hash_nodes == 1);
	/* The originals ask for either of the two leaves, at random. */
	golden_data(session, 7);
	if (proof->hash_index != q.hash_index) {
		struct node n = proof->hash_nodes.node[0];

		proof->hash_index = q.hash_index;
		proof->hash_nodes.node[0] = proof->hash_nodes.node[1];
		proof->hash_nodes.node[1] = n;
	}
	check_ok(core_fork_answer(f, proof, &e), &e);
	check(!core_fork_ask(f, &q) && core_fork_common(f) == 5);
	check_ok(core_fork_commit(f, &e), &e);
	core_fork_free(f);
	check(core_head(r.c)->fork == vec_num(session, "fork"));
	check(core_head(r.c)->length == vec_num(session, "length"));
	check(core_head(r.c)->contiguous == 5);
	check_ok(core_verify(r.c, &e), &e);
	replica_end(&r);
	core_close(c);
	fix_close(&w);
	json_decref(all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_full_replicas),
	    cmocka_unit_test(test_sparse_replicas),
	    cmocka_unit_test(test_lies),
	    cmocka_unit_test(test_every_shape),
	    cmocka_unit_test(test_settle),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_bytes_go),
	    cmocka_unit_test(test_golden),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
