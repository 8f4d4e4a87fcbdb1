/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See moment.h.
 */
#include <limits.h>
#include <stdbool.h>
#include <time.h>

#include "trace/moment.h"
#include "util/loop.h"

#define DEAR_NS		1000		/* what no vDSO takes */
#define CLOCK_LOOKS	16
#define SAME_TIME_MS	10

struct moment moment;

static bool looked;		/* whether asking is dear: */
static bool is_dear;
static bool holds;		/* for these 10 ms */
static struct loop_alarm at_end;

/* The cheapest of some looks says it: others are interrupted. */
static bool
clock_is_dear(void)
{
	long	least = LONG_MAX;

	for (int i = 0; i < CLOCK_LOOKS; i++) {
		struct timespec	a, b;
		long		ns;

		(void)clock_gettime(CLOCK_MONOTONIC, &a);
		(void)clock_gettime(CLOCK_MONOTONIC, &b);
		ns = (b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec;
		if (ns < least)
			least = ns;
	}
	return least >= DEAR_NS;
}

static void
clock_on_end(void)
{
	holds = false;
}

uint64_t
moment_exact_us(void)
{
	struct timespec	now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return moment.us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void
moment_look(void)
{
	moment.turn = user_turn;
	if (holds)
		return;
	(void)moment_exact_us();
	if (!looked) {
		looked = true;
		is_dear = clock_is_dear();
	}
	if (is_dear) {
		if (at_end.fn == NULL)
			loop_alarm_init(&at_end, clock_on_end);
		holds = true;
		loop_alarm_set(&at_end, SAME_TIME_MS);
	}
}
