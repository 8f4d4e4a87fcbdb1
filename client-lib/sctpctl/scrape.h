/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the metrics are made of: the daemon's answers as numbers with labels.
 *
 * How many there are is bounded: associations are listed one by one up to a
 * number, and so are users; there are four times as many paths at most. Of the
 * other associations, what is a gauge that may be added up is added up. Their
 * counters are not: a sum that associations leave is no counter.
 */
#ifndef SCTPCTL_SCRAPE_H
#define SCTPCTL_SCRAPE_H

#include "proto/metric.h"
#include "sctpctl/ctl.h"
#include "sctpctl/table.h"

#define SCRAPE_LABELS	512

/* A row of a list, or the daemon itself. */
struct series {
	enum metric_source	 from;
	char			 labels[SCRAPE_LABELS];	/* as Prometheus writes them, without braces */
	char			 info[SCRAPE_LABELS];	/* more, of the row's INFO metric */
	double			 value[METRIC_SAMPLES];	/* by row of metric_sample_table; NAN: none */
};

#define SCRAPE_STATES	4
extern const char *const scrape_states[SCRAPE_STATES];

struct scrape {
	bool		 up;
	bool		 complete;
	double		 seconds;
	char		 why[256];			/* it is not up, or not complete */
	char		 build[SCRAPE_LABELS];
	double		 visible[SCRAPE_STATES];	/* associations */
	double		 not_listed;
	struct rows	 rows;				/* struct series */
};

/* Ask the daemon; what it does not answer is missing. Ends the program if there is no memory. */
void scrape_make(struct scrape *, const struct ctl *);
void scrape_free(struct scrape *);

#endif
