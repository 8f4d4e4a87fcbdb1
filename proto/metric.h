/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of metrics, from metric.def, which says what the columns mean, and
 * counter.def.
 */
#ifndef METRIC_H
#define METRIC_H

#include <stddef.h>

#define METRIC_PREFIX	"sctpd_"

enum metric_id {
#define METRIC(name, type, unit, help) METRIC_##name,
#include "proto/metric.def"
	METRIC_COUNT
};

enum metric_type { METRIC_TYPE_COUNTER, METRIC_TYPE_GAUGE, METRIC_TYPE_INFO };

struct metric {
	const char		*name;
	enum metric_type	 type;
	const char		*unit;
	const char		*help;
};

enum metric_source { METRIC_FROM_STATUS, METRIC_FROM_USERS, METRIC_FROM_ASSOCS, METRIC_FROM_REST, METRIC_FROM_PATHS,
    METRIC_FROM_SUPERVISED, METRIC_FROM_GROUPS };

struct metric_sample {
	enum metric_id		 metric;
	enum metric_source	 source;
	const char		*key;
	double			 scale;
	const char		*label;		/* or "" */
	const char		*value;
};

extern const struct metric metric_table[METRIC_COUNT];
extern const struct metric_sample metric_sample_table[];
extern const size_t metric_samples;

#define METRIC_SAMPLES	128	/* at most */

#endif
