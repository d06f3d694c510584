/*
 * line: one direction of a seeded line between two machines in virtual time.
 * The fate of a datagram follows from the seed alone. Loss comes before the queue, the
 * queue before the delay.
 */
#ifndef TESTS_SIM_LINE_H
#define TESTS_SIM_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/view.h"

#define LINE_DATAGRAM 1472

struct line_conf {
	uint32_t loss;		 /* per million, each datagram by itself */
	uint32_t burst;		 /* per million: a burst of loss begins */
	uint32_t burst_len;	 /* datagrams, in the mean */
	uint32_t duplicate;	 /* per million */
	uint64_t delay;		 /* microseconds, one way */
	uint64_t jitter;	 /* 0 to this is added: reorders */
	uint64_t rate;		 /* bytes a second; 0: no limit */
	uint64_t queue;		 /* bytes that wait for it */
	uint32_t mtu;		 /* IP packets above vanish */
	uint64_t mtu_from;	 /* since then; before, 1500 pass */
	uint64_t dark, dark_len; /* a blackout */
};

struct line_random {
	uint64_t s;
};

uint64_t line_random(struct line_random *r);
uint64_t line_below(struct line_random *r, uint64_t n); /* 0 for 0 */
bool line_chance(struct line_random *r, uint32_t per_million);

struct line_cell {
	uint64_t at, order;
	size_t len;
	uint8_t bytes[LINE_DATAGRAM];
};

struct line {
	struct line_conf conf;
	struct line_random random;
	struct line_cell **heap; /* earliest first */
	struct line_cell **spare;
	size_t n, nspare, cap;
	uint64_t order;
	uint64_t busy; /* until when it transmits */
	uint32_t burst_left;
	uint64_t burst_until; /* BURST_TIME at most */
	uint64_t sent, lost;  /* datagrams */
	uint64_t lost_data;   /* of them, those with DATA or END */
};

void line_init(struct line *l, const struct line_conf *c, uint64_t seed);
void line_deinit(struct line *l);
/* `fragment`: the datagram passes whatever the MTU. */
void line_send(struct line *l, uint64_t now, struct view d, bool fragment);
/* The next datagram to arrive, or NULL; the caller gives it back. */
const struct line_cell *line_peek(const struct line *l);
struct line_cell *line_take(struct line *l);
void line_give_back(struct line *l, struct line_cell *c);

#endif
