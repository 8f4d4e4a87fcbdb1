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

#include "row.h"
#include "stat.h"

#define MAX_ROWS	400

static struct row *rows[MAX_ROWS];
static size_t nrows;

static struct ratio {
	const char	*name;
	double		 value, least, at_most, at_least;
} ratios[80];
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
 * The median, or with row_least the best run, which says more where others
 * use the machine; not a number if it was not measured.
 */
bool row_least;

double
row_value_of(const struct row *r)
{
	return r == NULL ? NAN : row_least ? row_extreme(r, true) : row_median(r);
}

double
row_value(const char *contestant, const char *work, size_t bytes, size_t in_flight)
{
	return row_value_of(row_find(contestant, work, bytes, in_flight, 0));
}

/* What was not measured has no ratio. With row_least, the same once more. */
void
ratio_add(const char *name, double value, double at_most, double at_least)
{
	if (isnan(value))
		return;
	if (row_least) {
		for (size_t i = 0; i < nratios; i++)
			if (strcmp(ratios[i].name, name) == 0)
				ratios[i].least = value;
		return;
	}
	if (nratios == sizeof ratios / sizeof ratios[0])
		errx(1, "too many ratios");
	ratios[nratios++] = (struct ratio){ name, value, value, at_most, at_least };
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
	bool	reached = (r->at_most == 0 || r->value <= r->at_most) &&
	    (r->at_least == 0 || r->value >= r->at_least);

	(void)printf("%-28s %12.3f %12.3f", r->name, r->value, r->least);
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
	(void)printf("%-28s %12s %12s\n", "ratio", "of medians", "of the best");
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
		(void)fprintf(f, "%s\n  \"%s\": %.4f", i > 0 ? "," : "", ratios[i].name, ratios[i].value);
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
