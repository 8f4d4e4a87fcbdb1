/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The time of this turn: a message need not know it better. Where asking the
 * clock is a system call (a clock source that the vDSO cannot read, or a kernel
 * without one), that would be a fifth of the calls that a message takes: there
 * the messages of 10 ms have one time. An alarm says when those are over, also
 * where nothing happens for hours.
 */
#ifndef MOMENT_H
#define MOMENT_H

#include <stdint.h>

#include "limits/user.h"

extern struct moment {
	uint64_t	turn;
	uint64_t	us;
} moment;

void moment_look(void);

/* Microseconds since 1970. */
static inline uint64_t
moment_us(void)
{
	if (moment.turn != user_turn)
		moment_look();
	return moment.us;
}

/* Asked just now; it is the turn's from then on, so that times are in the order of what happened. */
uint64_t moment_exact_us(void);

#endif
