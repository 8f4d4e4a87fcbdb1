/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/metric.h"

const struct metric metric_table[METRIC_COUNT] = {
#define METRIC(NAME, TYPE, UNIT, HELP)					\
	[METRIC_##NAME] = { .name = #NAME, .type = METRIC_TYPE_##TYPE, .unit = UNIT, .help = HELP },
#include "proto/metric.def"
};

const struct metric_sample metric_sample_table[] = {
#define COUNTER(NAME, METRIC, LABEL, VALUE, DOC)			\
	{ METRIC_##METRIC, METRIC_FROM_STATUS, #NAME, 1, LABEL, VALUE },
#include "proto/counter.def"
#define SAMPLE(METRIC, SOURCE, KEY, SCALE, LABEL, VALUE)		\
	{ METRIC_##METRIC, METRIC_FROM_##SOURCE, KEY, SCALE, LABEL, VALUE },
#include "proto/metric.def"
};

const size_t metric_samples = sizeof metric_sample_table / sizeof *metric_sample_table;

_Static_assert(sizeof metric_sample_table / sizeof *metric_sample_table <= METRIC_SAMPLES, "room for all");
