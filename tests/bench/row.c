/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See row.h.
 */
#include <err.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "row.h"
#include "stat.h"

#define MAX_ROWS	400
#define PICK_BEST	(-1)

static struct row *rows[MAX_ROWS];
static size_t nrows;

static struct ratio {
	const char	*name;
	double		 round[MAX_RUNS], least, at_most, at_least;
	size_t		 rounds;
} ratios[100];
static size_t nratios;

static char notes[40][200];
static size_t nnotes;

struct row *
row_new(const char *contestant, const char *work, const char *unit, size_t bytes, size_t in_flight)
{
	struct row	*r = calloc(1, sizeof *r);

	if (r == NULL || nrows == MAX_ROWS)
		errx(1, "too many rows");
	*r = (struct row){ .contestant = contestant, .work = work, .unit = unit,
	    .bytes = bytes, .in_flight = in_flight };
	return rows[nrows++] = r;
}

void
row_add(struct row *r, double value, double p99)
{
	if (r->runs == MAX_RUNS)
		return;
	r->run[r->runs] = value;
	r->p99[r->runs++] = p99;
}

double
row_median(const struct row *r)
{
	return stat_median(r->run, r->runs);
}

/* Of single trips, the median of the runs' own; else, nearly, the worst run. */
static double
row_p99(const struct row *r)
{
	double	copy[MAX_RUNS];

	if (r->trips)
		return stat_median(r->p99, r->runs);
	memcpy(copy, r->run, sizeof copy);
	stat_sort(copy, r->runs);
	return stat_at(copy, r->runs, 0.99);
}

static double
row_extreme(const struct row *r, bool least)
{
	double	copy[MAX_RUNS];

	memcpy(copy, r->run, sizeof copy);
	stat_sort(copy, r->runs);
	return stat_at(copy, r->runs, least ? 0 : 1);
}

const struct row *
row_at(size_t i)
{
	return i < nrows ? rows[i] : NULL;
}

const struct row *
row_find(const char *contestant, const char *work, size_t bytes, size_t in_flight, size_t count)
{
	for (size_t i = 0; i < nrows; i++) {
		const struct row	*r = rows[i];

		if (strcmp(r->contestant, contestant) == 0 && strcmp(r->work, work) == 0 &&
		    r->bytes == bytes && r->in_flight == in_flight && r->count == count && r->runs > 0)
			return r;
	}
	return NULL;
}

/*
 * What a ratio is computed of: the run of a round, in which the contestants
 * had the same machine; the best, which says more where others use it much;
 * or, of what was not measured round by round, the median. Not a number if it
 * was not measured at all.
 */
static int pick;

double
row_value_of(const struct row *r)
{
	if (r == NULL)
		return NAN;
	if (pick == PICK_BEST)
		return row_extreme(r, true);
	return (int)r->runs == effort.rounds ? r->run[pick] : row_median(r);
}

double
row_value(const char *contestant, const char *work, size_t bytes, size_t in_flight)
{
	return row_value_of(row_find(contestant, work, bytes, in_flight, 0));
}

static struct ratio *
ratio_named(const char *name)
{
	for (size_t i = 0; i < nratios; i++)
		if (strcmp(ratios[i].name, name) == 0)
			return &ratios[i];
	if (nratios == sizeof ratios / sizeof ratios[0])
		errx(1, "too many ratios");
	ratios[nratios] = (struct ratio){ .name = name };
	return &ratios[nratios++];
}

/* What was not measured has no ratio. */
void
ratio_add(const char *name, double value, double at_most, double at_least)
{
	struct ratio	*r;

	if (isnan(value))
		return;
	r = ratio_named(name);
	r->at_most = at_most;
	r->at_least = at_least;
	if (pick == PICK_BEST)
		r->least = value;
	else
		r->round[r->rounds++] = value;
}

void
ratios_of_all_rounds(void (*compute)(void))
{
	for (pick = 0; pick < effort.rounds; pick++)
		compute();
	pick = PICK_BEST;
	compute();
}

static double
ratio_at(const struct ratio *r, double part)
{
	double	copy[MAX_RUNS];

	memcpy(copy, r->round, sizeof copy);
	stat_sort(copy, r->rounds);
	return stat_at(copy, r->rounds, part);
}

static double
ratio_median(const struct ratio *r)
{
	return stat_median(r->round, r->rounds);
}

void
note_add(const char *format, ...)
{
	va_list	ap;

	if (nnotes == sizeof notes / sizeof notes[0])
		return;
	va_start(ap, format);
	(void)vsnprintf(notes[nnotes++], sizeof notes[0], format, ap);
	va_end(ap);
}

const char *
note_at(size_t i)
{
	return i < nnotes ? notes[i] : NULL;
}

/* ---- for people ----------------------------------------------------- */

static void
print_row(const struct row *r)
{
	char	cpu[NPROCESSES][16];

	for (int i = 0; i < NPROCESSES; i++) {
		if (r->cpu[i] > 0 && r->done > 0)
			(void)snprintf(cpu[i], sizeof cpu[i], "%.1f", r->cpu[i] / r->done);
		else
			(void)snprintf(cpu[i], sizeof cpu[i], "-");
	}
	(void)printf("%-17s %-9s %7zu %4zu", r->contestant, r->work, r->bytes, r->in_flight);
	if (r->count > 0)
		(void)printf(" %6zu", r->count);
	else
		(void)printf(" %6s", "");
	(void)printf(" %10.2f %10.2f %10.2f %10.2f %-6s %7s %7s %7s %7s\n", row_median(r), row_extreme(r, true),
	    row_extreme(r, false), row_p99(r), r->unit, cpu[CALLER], cpu[NEAR], cpu[FAR], cpu[SERVER]);
}

static void
print_ratio(const struct ratio *r)
{
	double	value = ratio_median(r);
	bool	reached = (r->at_most == 0 || value <= r->at_most) && (r->at_least == 0 || value >= r->at_least);

	(void)printf("%-28s %12.3f %12.3f %12.3f %12.3f", r->name, value, ratio_at(r, 0), ratio_at(r, 1), r->least);
	if (r->at_most != 0)
		(void)printf("   at most  %-8g %s", r->at_most, reached ? "" : "MISSED");
	if (r->at_least != 0)
		(void)printf("   at least %-8g %s", r->at_least, reached ? "" : "MISSED");
	(void)putchar('\n');
}

void
report_table(const char *title)
{
	(void)printf("\n%s\n\n", title);
	(void)printf("%-17s %-9s %7s %4s %6s %10s %10s %10s %10s %-6s %31s\n", "", "", "", "in", "",
	    "", "", "", "", "", "processor time, us a message");
	(void)printf("%-17s %-9s %7s %4s %6s %10s %10s %10s %10s %-6s %7s %7s %7s %7s\n", "contestant", "work",
	    "bytes", "fl.", "of", "median", "least", "most", "p99", "unit", "caller", "sctpd", "sctpd'", "server");
	for (size_t i = 0; i < nrows; i++) {
		if (rows[i]->runs == 0)
			continue;
		if (rows[i]->kernel != NULL && (i == 0 || rows[i - 1]->kernel == NULL))
			(void)printf("\nnatively, kernel %s:\n", rows[i]->kernel);
		if (i > 0 && strcmp(rows[i]->work, rows[i - 1]->work) != 0)
			(void)putchar('\n');
		print_row(rows[i]);
	}
	(void)putchar('\n');
	(void)printf("%-28s %12s %12s %12s %12s\n", "ratio, of the rounds'", "median", "least", "most", "of the best");
	for (size_t i = 0; i < nratios; i++)
		print_ratio(&ratios[i]);
	(void)putchar('\n');
	for (size_t i = 0; i < nnotes; i++)
		(void)printf("%s\n", notes[i]);
}

/* ---- for programs --------------------------------------------------- */

static void
json_row(FILE *f, const struct row *r)
{
	static const char *const	names[] = { "caller", "near", "far", "server" };

	(void)fprintf(f, "  {\"contestant\": \"%s\", \"work\": \"%s\", \"bytes\": %zu, \"in_flight\": %zu, ",
	    r->contestant, r->work, r->bytes, r->in_flight);
	if (r->count > 0)
		(void)fprintf(f, "\"count\": %zu, ", r->count);
	if (r->kernel != NULL)
		(void)fprintf(f, "\"kernel\": \"%s\", ", r->kernel);
	(void)fprintf(f, "\"median\": %.3f, \"p99\": %.3f, \"min\": %.3f, \"max\": %.3f, \"unit\": \"%s\", \"runs\": %zu",
	    row_median(r), row_p99(r), row_extreme(r, true), row_extreme(r, false), r->unit, r->runs);
	for (int i = 0; i < NPROCESSES; i++)
		if (r->cpu[i] > 0 && r->done > 0)
			(void)fprintf(f, ", \"cpu_us_%s\": %.3f", names[i], r->cpu[i] / r->done);
	(void)fputs("}", f);
}

void
report_json(const char *path, const char *kernel, const char *network, bool quick)
{
	FILE		*f = fopen(path, "w");
	const char	*comma = "";

	if (f == NULL)
		err(1, "%s", path);
	(void)fprintf(f, "{\"kernel\": \"%s\", \"network\": \"%s\", \"cpus\": %ld, \"quick\": %s,\n \"ratios\": {",
	    kernel, network, sysconf(_SC_NPROCESSORS_ONLN), quick ? "true" : "false");
	for (size_t i = 0; i < nratios; i++)
		(void)fprintf(f, "%s\n  \"%s\": %.4f", i > 0 ? "," : "", ratios[i].name, ratio_median(&ratios[i]));
	(void)fputs("},\n \"ratios_spread\": {", f);
	for (size_t i = 0; i < nratios; i++)
		(void)fprintf(f, "%s\n  \"%s\": [%.4f, %.4f]", i > 0 ? "," : "", ratios[i].name,
		    ratio_at(&ratios[i], 0), ratio_at(&ratios[i], 1));
	(void)fputs("},\n \"ratios_of_best\": {", f);
	for (size_t i = 0; i < nratios; i++)
		(void)fprintf(f, "%s\n  \"%s\": %.4f", i > 0 ? "," : "", ratios[i].name, ratios[i].least);
	(void)fputs("},\n \"notes\": [", f);
	for (size_t i = 0; i < nnotes; i++)
		(void)fprintf(f, "%s\n  \"%s\"", i > 0 ? "," : "", notes[i]);
	(void)fputs("],\n \"rows\": [\n", f);
	for (size_t i = 0; i < nrows; i++) {
		if (rows[i]->runs == 0)
			continue;
		(void)fputs(comma, f);
		json_row(f, rows[i]);
		comma = ",\n";
	}
	(void)fputs("]}\n", f);
	if (fclose(f) == EOF)
		err(1, "%s", path);
}
