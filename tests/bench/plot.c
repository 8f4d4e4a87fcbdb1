/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sweeps as SVG: a line a contestant, both axes logarithmic.
 */
#include <err.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "row.h"

#define WIDTH	640
#define HEIGHT	400
#define LEFT_	70
#define RIGHT_	150
#define TOP	40
#define BOTTOM	50

/* What is drawn: the rows of this work, over bytes or over their count. */
struct plot {
	const char	*work;
	size_t		 in_flight;
	bool		 over_count;
	const char	*title, *x, *y, *file;
};

static const struct plot plots[] = {
	{ "rtt", 1, false, "Round trip, one in flight", "bytes", "us", "rtt" },
	{ "rtt", 64, false, "Round trips, 64 in flight", "bytes", "us a trip", "rtt64" },
	{ "oneway", 0, false, "One way", "bytes", "us a message", "oneway" },
	{ "assocs", 64, true, "The same traffic over many associations", "associations", "us a round trip", "assocs" },
	{ "clients", 64, true, "The same requests from many clients", "clients", "us a request", "clients" },
};

struct frame {
	const struct plot	*p;
	FILE			*f;
	double			 x[2], y[2];	/* logarithms of the ends */
};

static double
x_of(const struct plot *p, const struct row *r)
{
	return log10((double)(p->over_count ? r->count : r->bytes));
}

static double
px(const struct frame *g, double x)
{
	return LEFT_ + (x - g->x[0]) / (g->x[1] - g->x[0]) * (WIDTH - LEFT_ - RIGHT_);
}

static double
py(const struct frame *g, double y)
{
	return HEIGHT - BOTTOM - (y - g->y[0]) / (g->y[1] - g->y[0]) * (HEIGHT - TOP - BOTTOM);
}

static bool
belongs(const struct plot *p, const struct row *r)
{
	return r->kernel == NULL && r->runs > 0 && strcmp(r->work, p->work) == 0 && r->in_flight == p->in_flight;
}

static bool
measure(struct frame *g)
{
	const struct row	*r;

	g->x[0] = g->y[0] = INFINITY;
	g->x[1] = g->y[1] = -INFINITY;
	for (size_t i = 0; (r = row_at(i)) != NULL; i++) {
		if (!belongs(g->p, r))
			continue;
		g->x[0] = fmin(g->x[0], x_of(g->p, r));
		g->x[1] = fmax(g->x[1], x_of(g->p, r));
		g->y[0] = fmin(g->y[0], floor(log10(row_median(r))));
		g->y[1] = fmax(g->y[1], ceil(log10(row_median(r)) + 1e-9));
	}
	return g->x[0] < g->x[1];
}

static void
draw_axes(const struct frame *g)
{
	(void)fprintf(g->f, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
	    "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
	    "<text x=\"%d\" y=\"22\" font-size=\"15\">%s</text>\n", WIDTH, HEIGHT, LEFT_, g->p->title);
	for (double y = g->y[0]; y <= g->y[1]; y++)
		(void)fprintf(g->f, "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>"
		    "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n", LEFT_, WIDTH - RIGHT_,
		    py(g, y), py(g, y), LEFT_ - 6, py(g, y) + 4, pow(10, y));
	for (double x = ceil(g->x[0]); x <= g->x[1]; x++)
		(void)fprintf(g->f, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n",
		    px(g, x), HEIGHT - BOTTOM + 18, pow(10, x));
	(void)fprintf(g->f, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n"
	    "<text x=\"8\" y=\"%d\">%s</text>\n", (WIDTH - RIGHT_ + LEFT_) / 2, HEIGHT - 10, g->p->x, TOP - 4, g->p->y);
}

static void
draw_line(const struct frame *g, const char *contestant, int n)
{
	static const char *const	colours[] = { "#000000", "#d62728", "#1f77b4", "#2ca02c", "#ff7f0e", "#9467bd", "#8c564b", "#17becf" };
	const char			*colour = colours[n % 8];
	const struct row		*r;

	(void)fprintf(g->f, "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"%s\" points=\"", colour);
	for (size_t i = 0; (r = row_at(i)) != NULL; i++)
		if (belongs(g->p, r) && strcmp(r->contestant, contestant) == 0)
			(void)fprintf(g->f, "%.1f,%.1f ", px(g, x_of(g->p, r)), py(g, log10(row_median(r))));
	(void)fprintf(g->f, "\"/>\n<text x=\"%d\" y=\"%d\" fill=\"%s\">%s</text>\n", WIDTH - RIGHT_ + 10,
	    TOP + 18 * n + 10, colour, contestant);
}

static void
draw(struct frame *g)
{
	const struct row	*r, *before;
	int			 n = 0;

	draw_axes(g);
	for (size_t i = 0; (r = row_at(i)) != NULL; i++) {
		bool	first = belongs(g->p, r);

		for (size_t j = 0; first && j < i && (before = row_at(j)) != NULL; j++)
			first = !belongs(g->p, before) || strcmp(before->contestant, r->contestant) != 0;
		if (first)
			draw_line(g, r->contestant, n++);
	}
	(void)fputs("</svg>\n", g->f);
}

/* PREFIX-rtt.svg and so on, of what was measured. */
void
report_plots(const char *prefix)
{
	for (size_t i = 0; i < sizeof plots / sizeof plots[0]; i++) {
		struct frame	g = { .p = &plots[i] };
		char		path[600];

		if (!measure(&g))
			continue;
		(void)snprintf(path, sizeof path, "%s-%s.svg", prefix, plots[i].file);
		if ((g.f = fopen(path, "w")) == NULL)
			err(1, "%s", path);
		draw(&g);
		(void)fclose(g.f);
	}
}
