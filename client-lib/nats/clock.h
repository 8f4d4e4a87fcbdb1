/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NATS_CLOCK_H
#define NATS_CLOCK_H

#include <stdint.h>
#include <time.h>

/* JetStream has nanoseconds, and the settings milliseconds. */
#define NS_PER_MS	INT64_C(1000000)

/* Milliseconds of a clock that nobody sets. */
static inline int64_t
clock_ms(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

#endif
