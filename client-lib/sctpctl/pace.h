/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * So many messages a second. The n-th is due at a time that is reckoned from the
 * first, so that no error adds up, however late the clock wakes us.
 */
#ifndef SCTPCTL_PACE_H
#define SCTPCTL_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_SECOND	1000000000	/* ns */

struct pace {
	int64_t		start;		/* ns; 0: with the first */
	uint64_t	n;		/* messages since then */
	uint64_t	all;		/* messages ever */
};

/* ns, of a clock that nobody sets. */
int64_t pace_now(void);

/* When the next is due, ns; a rate of 0 is no limit. */
int64_t pace_due(const struct pace *, double rate);

/* One was sent. What is late by more than a second is not made good. */
void pace_count(struct pace *, double rate, int64_t now);

#endif
