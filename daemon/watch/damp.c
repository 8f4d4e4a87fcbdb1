/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The penalty of a path that fails. Between two halvings it falls in a straight
 * line, which needs no exponential and is never off by more than a seventeenth.
 */
#include "watch/damp.h"

uint32_t
damp_decay(uint32_t penalty, uint64_t ms, uint64_t half_life)
{
	uint64_t	halvings = half_life > 0 ? ms / half_life : 32;

	if (halvings >= 32)
		return 0;
	penalty >>= halvings;
	return penalty - (uint32_t)(penalty * (ms % half_life) / (2 * half_life));
}

uint32_t
damp_fail(uint32_t penalty)
{
	return penalty + DAMP_FAILURE < DAMP_MOST ? penalty + DAMP_FAILURE : DAMP_MOST;
}

uint64_t
damp_wait(uint32_t penalty, uint64_t half_life)
{
	uint64_t	ms = 0;

	for (; penalty / 2 >= DAMP_REUSE; penalty /= 2)
		ms += half_life;
	if (penalty >= DAMP_REUSE)
		ms += (2 * half_life * (penalty - DAMP_REUSE)) / penalty + 1;
	return ms;
}
