/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * So many messages a second.
 */
#include <time.h>

#include "sctpctl/pace.h"

int64_t
pace_now(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * PACE_SECOND + ts.tv_nsec;
}

int64_t
pace_due(const struct pace *p, double rate)
{
	if (rate <= 0 || p->start == 0)
		return 0;
	return p->start + (int64_t)((double)p->n * (PACE_SECOND / rate));
}

void
pace_count(struct pace *p, double rate, int64_t now)
{
	if (p->start == 0 || now - pace_due(p, rate) > PACE_SECOND) {
		p->start = now;
		p->n = 0;
	}
	p->n++;
	p->all++;
}
