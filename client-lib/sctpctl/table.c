/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables for people.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sctpctl/table.h"

#define COLUMNS	32	/* of a table at most */

/* ---- rows ----------------------------------------------------------- */

static void *
check(void *p)
{
	if (p == NULL)
		exit(ctl_fail(CTL_FAILED, "there is no memory left"));
	return p;
}

void *
rows_add(struct rows *r)
{
	if (r->n == r->room) {
		r->room = r->room > 0 ? 2 * r->room : 64;
		r->all = check(realloc(r->all, r->room * r->size));
	}
	return memset(r->all + r->n++ * r->size, 0, r->size);
}

void *
rows_at(const struct rows *r, size_t i)
{
	return r->all + i * r->size;
}

void
rows_free(struct rows *r)
{
	free(r->all);
	r->all = NULL;
	r->n = r->room = 0;
}

/* ---- numbers -------------------------------------------------------- */

void
table_number(FILE *f, double v)
{
	fprintf(f, "%.0f", v);
}

void
table_count(FILE *f, double v)
{
	static const char	units[] = " kMGTPE";
	const char		*unit = units;

	while (v >= 999.5 && unit[1] != '\0') {
		v /= 1000;
		unit++;
	}
	if (unit == units)
		fprintf(f, v > 0 && v < 9.95 && v != (double)(int)v ? "%.1f" : "%.0f", v);
	else
		fprintf(f, v < 9.995 ? "%.2f%c" : v < 99.95 ? "%.1f%c" : "%.0f%c", v, *unit);
}

void
table_age(FILE *f, double seconds)
{
	long long	s = (long long)seconds;

	if (s < 60)
		fprintf(f, "%llds", s);
	else if (s < 3600)
		fprintf(f, "%lldm", s / 60);
	else if (s < 86400)
		fprintf(f, "%lldh%02lld", s / 3600, s / 60 % 60);
	else if (s < 864000)
		fprintf(f, "%lldd%02lldh", s / 86400, s / 3600 % 24);
	else
		fprintf(f, "%lldd", s / 86400);
}

/* ---- cells ---------------------------------------------------------- */

/*
 * What columns show of rows, one text behind the other in the same memory: a
 * stream for each would cost more than what is printed into it.
 */
struct texts {
	FILE	*f;
	char	*all, *next;
	size_t	 size;
};

static void
texts_begin(struct texts *t)
{
	t->f = check(open_memstream(&t->all, &t->size));
}

static void
texts_add(struct texts *t, const struct column *c, const void *row)
{
	c->show(t->f, row);
	putc('\0', t->f);
}

static void
texts_end(struct texts *t)
{
	fclose(t->f);
	t->next = check(t->all);
}

/* They are taken in the order in which they were added. */
static char *
texts_take(struct texts *t)
{
	char	*text = t->next;

	t->next += strlen(text) + 1;
	return text;
}

/* ---- order ---------------------------------------------------------- */

const struct column *
table_find(const struct column *columns, const char *by)
{
	for (const struct column *c = columns; c->name != NULL; c++) {
		if (strcmp(c->name, by + (*by == '-')) == 0)
			return c;
	}
	return NULL;
}

int
table_fail(const struct column *columns, const char *by)
{
	char	names[512] = "";
	size_t	n = 0;

	for (const struct column *c = columns; c->name != NULL && n < sizeof names; c++)
		n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", n > 0 ? ", " : "", c->name);
	return ctl_fail(CTL_USAGE, "--sort: there is no column \"%s\"; there are: %s", by + (*by == '-'), names);
}

/* A row, and what it is compared by. */
struct place {
	size_t		 was;
	double		 number;
	char		*text;
};

/* qsort(3) has no argument for the direction, so there are two more functions. */
static int
compare(const struct place *x, const struct place *y)
{
	if (x->text != NULL)
		return strverscmp(x->text, y->text);
	return x->number > y->number ? -1 : x->number < y->number;
}

static int
compare_up(const void *a, const void *b)
{
	const struct place	*x = a, *y = b;
	int			 c = compare(x, y);

	return c != 0 ? c : x->was < y->was ? -1 : 1;
}

static int
compare_down(const void *a, const void *b)
{
	const struct place	*x = a, *y = b;
	int			 c = compare(y, x);

	return c != 0 ? c : x->was < y->was ? -1 : 1;
}

void
table_sort(struct rows *r, const struct column *columns, const char *by)
{
	const struct column	*c = table_find(columns, by);
	struct place		*places = check(calloc(r->n + 1, sizeof *places));
	char			*sorted = check(calloc(r->n + 1, r->size));
	struct texts		 texts;

	texts_begin(&texts);
	for (size_t i = 0; c->number == NULL && i < r->n; i++)
		texts_add(&texts, c, rows_at(r, i));
	texts_end(&texts);
	for (size_t i = 0; i < r->n; i++) {
		places[i].was = i;
		if (c->number != NULL)
			places[i].number = c->number(rows_at(r, i));
		else
			places[i].text = texts_take(&texts);
	}
	qsort(places, r->n, sizeof *places, *by == '-' ? compare_down : compare_up);
	for (size_t i = 0; i < r->n; i++)
		memcpy(sorted + i * r->size, rows_at(r, places[i].was), r->size);
	free(texts.all);
	free(places);
	free(r->all);
	r->all = sorted;
	r->room = r->n + 1;
}

/* ---- lines ---------------------------------------------------------- */

struct layout {
	size_t		 ncolumns;
	int		 width[COLUMNS];
	bool		 shown[COLUMNS];
	struct texts	 texts;
	char		**cells;	/* ncolumns for each row */
	size_t		 n;
	int		 gap;
};

static void
fill(struct layout *l, const struct column *columns, const struct rows *r, size_t from)
{
	size_t	 n = l->n * l->ncolumns, width;

	texts_begin(&l->texts);
	for (size_t i = 0; i < n; i++)
		texts_add(&l->texts, &columns[i % l->ncolumns], rows_at(r, from + i / l->ncolumns));
	texts_end(&l->texts);
	for (size_t c = 0; c < l->ncolumns; c++) {
		l->shown[c] = true;
		l->width[c] = (int)strlen(columns[c].name);
	}
	for (size_t i = 0; i < n; i++) {
		l->cells[i] = texts_take(&l->texts);
		width = strlen(l->cells[i]);
		if ((int)width > l->width[i % l->ncolumns])
			l->width[i % l->ncolumns] = (int)width;
	}
}

static int
total(const struct layout *l)
{
	int	n = -l->gap;

	for (size_t c = 0; c < l->ncolumns; c++)
		n += l->shown[c] ? l->width[c] + l->gap : 0;
	return n;
}

/* Leave out columns until the rest fits, those of one rank together. */
static void
choose(struct layout *l, const struct column *columns, int width)
{
	unsigned	worst;

	while (total(l) > width) {
		worst = 0;
		for (size_t c = 0; c < l->ncolumns; c++) {
			if (l->shown[c] && columns[c].rank > worst)
				worst = columns[c].rank;
		}
		if (worst == 0)
			break;
		for (size_t c = 0; c < l->ncolumns; c++)
			l->shown[c] = l->shown[c] && columns[c].rank != worst;
	}
}

/* One line; cells has the headings or a row of them. */
static void
print_line(FILE *f, const struct layout *l, const struct column *columns, char *const *cells)
{
	size_t	last = l->ncolumns - 1;
	bool	first = true;

	while (!l->shown[last])
		last--;
	for (size_t c = 0; c <= last; c++) {
		if (!l->shown[c])
			continue;
		fprintf(f, "%*s", first ? 0 : l->gap, "");
		if (columns[c].right)
			fprintf(f, "%*s", l->width[c], cells != NULL ? cells[c] : columns[c].name);
		else
			fprintf(f, "%-*s", c == last ? 0 : l->width[c], cells != NULL ? cells[c] : columns[c].name);
		first = false;
	}
}

static void
print_lines(FILE *f, const struct layout *l, const struct column *columns, bool color)
{
	fputs(color ? "\033[1m" : "", f);
	print_line(f, l, columns, NULL);
	fprintf(f, "%s\n", color ? "\033[0m" : "");
	for (size_t i = 0; i < l->n; i++) {
		print_line(f, l, columns, &l->cells[i * l->ncolumns]);
		putc('\n', f);
	}
}

void
table_print(FILE *f, const struct column *columns, const struct rows *r, const struct table_form *form)
{
	size_t		 left = form->from < r->n ? r->n - form->from : 0, size;
	struct layout	 l = { .n = form->n < left ? form->n : left, .gap = form->gap };
	FILE		*all;
	char		*text;

	while (columns[l.ncolumns].name != NULL)
		l.ncolumns++;
	l.cells = check(calloc(l.n * l.ncolumns + 1, sizeof *l.cells));
	fill(&l, columns, r, form->from);
	choose(&l, columns, form->width);
	all = check(open_memstream(&text, &size));	/* a terminal gets all lines by one system call, and not one each */
	print_lines(all, &l, columns, form->color);
	fclose(all);
	(void)fwrite(check(text), 1, size, f);
	free(text);
	free(l.texts.all);
	free(l.cells);
}

int
table_width(void)
{
	const char	*columns = getenv("COLUMNS");
	struct winsize	 w;
	char		*end;
	long		 n;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
		return w.ws_col;
	n = columns != NULL ? strtol(columns, &end, 10) : 0;
	return n > 0 && n <= TABLE_ALL && *end == '\0' ? (int)n : 80;
}
