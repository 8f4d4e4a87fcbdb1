/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the daemon counts of itself: see proto/counter.def, which has the rows,
 * and journal/counters.h, by which they outlive the process.
 */
#ifndef COUNTER_H
#define COUNTER_H

#include <stdint.h>

enum counter {
#define COUNTER(name, metric, label, value, doc) COUNTER_##name,
#include "proto/counter.def"
	COUNTERS
};

extern uint64_t counters[COUNTERS];

#define COUNT(name, n)	((void)(counters[COUNTER_##name] += (n)))

#endif
