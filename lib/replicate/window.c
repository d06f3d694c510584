/*
 * How much one peer is asked for at once. Its answers are timed: what it
 * delivers in a quarter of a second, or in two round trips if those are
 * longer, is under way. Where the line is never full because too little was
 * asked for, that doubles with every round trip. Who answers nothing gets one
 * request, by which it may show that it answers again.
 */
#include "replicate/impl.h"

#define AHEAD_US 250000
#define SAMPLE_US 25000
#define FAIR_LEAST_US 25000	/* we wait for our own disk longer than that */
#define OVERHEAD 128		/* bytes of a message that are no block */
#define SILENT_AFTER WINDOW_MIN /* requests lost to others */

uint32_t
window_size(const struct replicate_peer *p)
{
	double us = 2.0 * (double)p->least_us, blocks;

	if (window_silent(p))
		return 1;
	if (us < AHEAD_US)
		us = AHEAD_US;
	blocks = p->rate * us / (double)(p->block_bytes + OVERHEAD);
	if (blocks < WINDOW_MIN)
		return WINDOW_MIN;
	return blocks > REPLICATE_REQUESTS_MAX ? REPLICATE_REQUESTS_MAX
					       : (uint32_t)blocks;
}

uint64_t
window_fair(const struct replicate_peer *p)
{
	if (p->usual_us == 0)
		return FAIR_FIRST_US;
	return p->usual_us < FAIR_LEAST_US ? FAIR_LEAST_US : p->usual_us;
}

static void
sample(struct replicate_peer *p, uint64_t now)
{
	double rate, span = (double)(now - p->mark_at);

	rate = (double)p->mark_bytes / (span < 1 ? 1 : span);
	if (rate > p->rate)
		p->rate = rate;
	else if (p->limited)
		p->rate += (rate - p->rate) / 8;
	p->mark_at = now;
	p->mark_bytes = 0;
	p->limited = false;
}

void
window_answer(struct replicate_peer *p, uint64_t took, size_t bytes)
{
	uint64_t now = p->r->now;

	if (took == 0)
		took = 1;
	if (p->least_us == 0 || took < p->least_us)
		p->least_us = took;
	p->usual_us = p->usual_us == 0 ? took : (7 * p->usual_us + took) / 8;
	p->block_bytes = (7 * p->block_bytes + bytes) / 8;
	if (p->mark_at == 0)
		p->mark_at = now;
	p->mark_bytes += bytes + OVERHEAD;
	if (p->outstanding + 1 >= window_size(p))
		p->limited = true;
	if (now - p->mark_at >= SAMPLE_US)
		sample(p, now);
}

void
window_lost(struct replicate_peer *p, uint64_t waited)
{
	if (p->unheeded < SILENT_AFTER)
		p->unheeded++;
	if (waited > p->usual_us)
		p->usual_us =
		    p->usual_us == 0 ? waited : (7 * p->usual_us + waited) / 8;
}

void
window_timeout(struct replicate_peer *p)
{
	p->unheeded = SILENT_AFTER;
}

void
window_heard(struct replicate_peer *p)
{
	p->unheeded = 0;
}

bool
window_silent(const struct replicate_peer *p)
{
	return p->unheeded == SILENT_AFTER;
}
