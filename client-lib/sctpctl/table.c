/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables for people.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sctpctl/table.h"

#define COLUMNS	32			/* of a table at most */
#define BLOCK	(16 * 1024)		/* bytes of lines that are written at once */
#define KEEP	(32 * 1024 * 1024)	/* bytes of memory that are not given back */

/* ---- rows ----------------------------------------------------------- */

static void *
check(void *p)
{
	if (p == NULL)
		exit(ctl_fail(CTL_FAILED, "there is no memory left"));
	return p;
}

static void *
add(struct rows *r, void *row)
{
	if (r->n == r->room) {
		r->room = r->room > 0 ? 2 * r->room : 64;
		r->at = check(realloc(r->at, r->room * sizeof *r->at));
	}
	return r->at[r->n++] = check(row);
}

void *
rows_add(struct rows *r)
{
	return add(r, calloc(1, r->size));
}

void
rows_copy(struct rows *r, const void *row, size_t used)
{
	memcpy(add(r, malloc(used)), row, used);
}

void *
rows_at(const struct rows *r, size_t i)
{
	return r->at[i];
}

void
rows_free(struct rows *r)
{
	while (r->n > 0)
		free(r->at[--r->n]);
	free(r->at);
	r->at = NULL;
	r->room = 0;
}

void
rows_keep_memory(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, KEEP);
	(void)mallopt(M_TRIM_THRESHOLD, KEEP);
}

/* ---- numbers -------------------------------------------------------- */

void
table_number(FILE *f, double v)
{
	fprintf(f, "%lld", (long long)v);
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
 * stream for each would cost more than what is printed into it. One for all would
 * be copied to new memory each time that it grows; so it is emptied after each row.
 */
struct texts {
	FILE	*f;
	char	*part;		/* what is in f */
	size_t	 size;
	char	*all, *next;
	size_t	 used, room;
};

static void
texts_begin(struct texts *t)
{
	*t = (struct texts){ .f = NULL };
	t->f = check(open_memstream(&t->part, &t->size));
}

static void
texts_add(struct texts *t, const struct column *c, const void *row)
{
	c->show(t->f, row);
	putc('\0', t->f);
}

static void
texts_end_row(struct texts *t)
{
	if (fflush(t->f) == EOF)
		(void)check(NULL);
	if (t->used + t->size > t->room) {
		t->room = 2 * (t->room + t->size);
		t->all = check(realloc(t->all, t->room));
	}
	memcpy(t->all + t->used, t->part, t->size);
	t->used += t->size;
	rewind(t->f);
}

static void
texts_end(struct texts *t)
{
	fclose(t->f);
	free(t->part);
	t->next = t->all;
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
	void		*row;
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
	struct texts		 texts;

	texts_begin(&texts);
	for (size_t i = 0; c->number == NULL && i < r->n; i++) {
		texts_add(&texts, c, r->at[i]);
		texts_end_row(&texts);
	}
	texts_end(&texts);
	for (size_t i = 0; i < r->n; i++) {
		places[i].row = r->at[i];
		places[i].was = i;
		if (c->number != NULL)
			places[i].number = c->number(r->at[i]);
		else
			places[i].text = texts_take(&texts);
	}
	qsort(places, r->n, sizeof *places, *by == '-' ? compare_down : compare_up);
	for (size_t i = 0; i < r->n; i++)
		r->at[i] = places[i].row;
	free(texts.all);
	free(places);
}

/* ---- lines ---------------------------------------------------------- */

struct layout {
	size_t		 ncolumns;
	int		 width[COLUMNS];
	bool		 shown[COLUMNS];
	struct texts	 texts;		/* of all cells, row by row */
	size_t		 n;
	int		 gap;
};

static void
fill(struct layout *l, const struct column *columns, const struct rows *r, size_t from)
{
	size_t	width;

	for (size_t c = 0; c < l->ncolumns; c++) {
		l->shown[c] = true;
		l->width[c] = (int)strlen(columns[c].name);
	}
	texts_begin(&l->texts);
	for (size_t i = from; i < from + l->n; i++) {
		for (size_t c = 0; c < l->ncolumns; c++)
			texts_add(&l->texts, &columns[c], rows_at(r, i));
		texts_end_row(&l->texts);
	}
	texts_end(&l->texts);
	for (size_t i = 0; i < l->n * l->ncolumns; i++) {
		width = strlen(texts_take(&l->texts));
		if ((int)width > l->width[i % l->ncolumns])
			l->width[i % l->ncolumns] = (int)width;
	}
	l->texts.next = l->texts.all;
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

static void
pad(FILE *f, size_t n)
{
	while (n-- > 0)
		putc(' ', f);
}

/* One line: the headings, or the next row. */
static void
print_line(FILE *f, struct layout *l, const struct column *columns, bool headings)
{
	size_t		last = l->ncolumns - 1, blanks;
	bool		first = true;
	const char	*text;

	while (!l->shown[last])
		last--;
	for (size_t c = 0; c < l->ncolumns; c++) {
		text = headings ? columns[c].name : texts_take(&l->texts);
		if (!l->shown[c])
			continue;
		blanks = (size_t)l->width[c] - strlen(text);
		pad(f, (first ? 0 : (size_t)l->gap) + (columns[c].right ? blanks : 0));
		fputs(text, f);
		pad(f, columns[c].right || c == last ? 0 : blanks);
		first = false;
	}
}

/* A terminal gets many lines by one system call, and not one each. */
static void
give(FILE *f, FILE *lines, char *const *text, const size_t *size)
{
	if (fflush(lines) == EOF)
		(void)check(NULL);
	(void)fwrite(*text, 1, *size, f);
	rewind(lines);
}

void
table_print(FILE *f, const struct column *columns, const struct rows *r, const struct table_form *form)
{
	size_t		 left = form->from < r->n ? r->n - form->from : 0, size = 0;
	struct layout	 l = { .n = form->n < left ? form->n : left, .gap = form->gap };
	char		*text = NULL;
	FILE		*lines = check(open_memstream(&text, &size));

	while (columns[l.ncolumns].name != NULL)
		l.ncolumns++;
	fill(&l, columns, r, form->from);
	choose(&l, columns, form->width);
	fputs(form->color ? "\033[1m" : "", lines);
	print_line(lines, &l, columns, true);
	fprintf(lines, "%s\n", form->color ? "\033[0m" : "");
	for (size_t i = 0; i < l.n; i++) {
		print_line(lines, &l, columns, false);
		putc('\n', lines);
		if (ftell(lines) >= BLOCK)
			give(f, lines, &text, &size);
	}
	give(f, lines, &text, &size);
	(void)fclose(lines);
	free(text);
	free(l.texts.all);
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
