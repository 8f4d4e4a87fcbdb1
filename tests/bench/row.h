/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was measured, and how it is told.
 */
#ifndef ROW_H
#define ROW_H

#include <stdbool.h>
#include <stddef.h>

#define MAX_RUNS	101

/* Whose processor time it was. */
enum { CALLER, NEAR, FAR, SERVER, NPROCESSES };

struct row {
	const char	*contestant, *work, *unit;
	const char	*kernel;		/* NULL: the one that all of it runs on */
	size_t		 bytes, in_flight;
	size_t		 count;			/* associations or clients, where they vary */
	double		 run[MAX_RUNS], p99[MAX_RUNS];
	size_t		 runs;
	double		 cpu[NPROCESSES];	/* us in all runs */
	double		 done;			/* messages in all runs */
	double		 packets;		/* and packets, both ways */
	bool		 trips;			/* p99 is that of single trips */
};

struct row *row_new(const char *contestant, const char *work, const char *unit, size_t bytes, size_t in_flight);
void row_add(struct row *, double value, double p99);
double row_median(const struct row *);
const struct row *row_at(size_t i);
const struct row *row_find(const char *contestant, const char *work, size_t bytes, size_t in_flight, size_t count);
double row_value_of(const struct row *);
double row_value(const char *contestant, const char *work, size_t bytes, size_t in_flight);

/* A ratio that is wanted at most (or at least) so; 0: no such wish. */
void ratio_add(const char *name, double value, double at_most, double at_least);

/* Have them computed of each round: a ratio is the median of the rounds'. */
void ratios_of_all_rounds(void (*compute)(void));

/* A line of text below the table. */
void note_add(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *note_at(size_t i);

void report_table(const char *title);
void report_json(const char *path, const char *kernel, const char *network, bool quick);
void report_plots(const char *prefix);

#endif
