/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Metrics as text.
 *
 * The two formats differ in what a head says: in OpenMetrics the name of a
 * counter's head has no "_total" and that of an INFO no "_info", and there are
 * units. The lines of samples are the same.
 */
#include <math.h>
#include <string.h>

#include "sctpctl/expose.h"
#include "sctpctl/help.h"

struct to {
	FILE			*f;
	const struct metric	*m;
	bool			 openmetrics;
	bool			 begun;		/* its head is written */
};

static const char *
suffix(const struct metric *m)
{
	return m->type == METRIC_TYPE_COUNTER ? "_total" : "";
}

/* The name in the head. */
static void
head(const struct to *to, const char *word, const char *text)
{
	size_t	len = strlen(to->m->name);

	if (to->openmetrics && to->m->type == METRIC_TYPE_INFO)
		len -= strlen("_info");
	fprintf(to->f, "# %s " METRIC_PREFIX "%.*s%s %s\n", word, (int)len, to->m->name,
	    to->openmetrics ? "" : suffix(to->m), text);
}

static void
begin(struct to *to)
{
	static const char *const	types[] = { "counter", "gauge", "gauge" };

	to->begun = true;
	head(to, "HELP", to->m->help);
	head(to, "TYPE", to->openmetrics && to->m->type == METRIC_TYPE_INFO ? "info" : types[to->m->type]);
	if (to->openmetrics && to->m->unit[0] != '\0')
		head(to, "UNIT", to->m->unit);
}

/* A line with two parts of labels, either of which may be empty. */
static void
line(struct to *to, const char *labels, const char *more, double value)
{
	const char	*between = *labels != '\0' && *more != '\0' ? "," : "";
	bool		 braces = *labels != '\0' || *more != '\0';

	if (isnan(value))
		return;
	if (!to->begun)
		begin(to);
	fprintf(to->f, METRIC_PREFIX "%s%s%s%s%s%s%s ", to->m->name, suffix(to->m), braces ? "{" : "",
	    labels, between, more, braces ? "}" : "");
	/* Whole numbers with all their digits. */
	fprintf(to->f, floor(value) == value && fabs(value) < 1e15 ? "%.0f\n" : "%.15g\n", value);
}

static void
samples(struct to *to, const struct scrape *s)
{
	const struct metric_sample	*m;
	const struct series		*r;
	char				 label[64];

	for (size_t i = 0; i < metric_samples; i++) {
		m = &metric_sample_table[i];
		if (&metric_table[m->metric] != to->m)
			continue;
		label[0] = '\0';
		if (m->label[0] != '\0')
			(void)snprintf(label, sizeof label, "%s=\"%s\"", m->label, m->value);
		for (size_t j = 0; j < s->rows.n; j++) {
			r = rows_at(&s->rows, j);
			line(to, r->labels, label, r->value[i]);
		}
	}
}

static void
infos(struct to *to, const struct scrape *s)
{
	const struct series	*r;

	for (size_t i = 0; i < s->rows.n; i++) {
		r = rows_at(&s->rows, i);
		if (r->from == METRIC_FROM_ASSOCS)
			line(to, r->labels, r->info, 1);
	}
}

static void
states(struct to *to, const struct scrape *s)
{
	char	label[32];

	for (size_t i = 0; i < SCRAPE_STATES; i++) {
		(void)snprintf(label, sizeof label, "state=\"%s\"", scrape_states[i]);
		line(to, label, "", s->visible[i]);
	}
}

/* Those that are made here. */
static void
own(struct to *to, const struct scrape *s)
{
	enum metric_id	id = (enum metric_id)(to->m - metric_table);

	if (id == METRIC_up)
		line(to, "", "", s->up);
	else if (id == METRIC_scrape_duration_seconds)
		line(to, "", "", s->seconds);
	else if (id == METRIC_scrape_success)
		line(to, "", "", s->complete);
	else if (!s->up)
		return;
	else if (id == METRIC_build_info)
		line(to, s->build, "", 1);
	else if (id == METRIC_association_info)
		infos(to, s);
	else if (id == METRIC_associations_visible && s->complete)
		states(to, s);
	else if (id == METRIC_associations_not_listed && s->complete)
		line(to, "", "", s->not_listed);
}

void
expose(FILE *f, const struct scrape *s, bool openmetrics)
{
	for (int i = 0; i < METRIC_COUNT; i++) {
		struct to	to = { .f = f, .m = &metric_table[i], .openmetrics = openmetrics };

		own(&to, s);
		samples(&to, s);
	}
	if (openmetrics)
		fputs("# EOF\n", f);
}

void
expose_help(void)
{
	char	name[80];

	puts("\nmetrics:");
	for (const struct metric *m = metric_table; m < metric_table + METRIC_COUNT; m++) {
		(void)snprintf(name, sizeof name, METRIC_PREFIX "%s%s", m->name, suffix(m));
		help_row(name, m->help);
	}
}
