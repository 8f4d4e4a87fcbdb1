/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables for people: columns that know how to show and to compare what is in a
 * row, whatever that is, as many of them as the terminal is wide.
 */
#ifndef SCTPCTL_TABLE_H
#define SCTPCTL_TABLE_H

#include "sctpctl/ctl.h"

struct column {
	const char	*name;		/* its heading, and the word for --sort */
	unsigned	 rank;		/* 0: always shown; the highest are left out first, together */
	bool		 right;		/* numbers are; the largest is what one looks for */
	const char	*doc;
	void		(*show)(FILE *, const void *row);
	double		(*number)(const void *row);	/* to sort by; NULL: by the text */
};

/* The functions of a column of text, and of one of a number that show() prints; less than 0 is none. */
#define COLUMN_TEXT(type, name, format, ...)				\
static void								\
show_##name(FILE *f, const void *row)					\
{									\
	const struct type	*r = row;				\
									\
	fprintf(f, format, __VA_ARGS__);				\
}
#define COLUMN_NUMBER(type, name, value, show)				\
static double								\
number_##name(const void *row)						\
{									\
	const struct type	*r = row;				\
									\
	return (double)(value);						\
}									\
static void								\
show_##name(FILE *f, const void *row)					\
{									\
	double	v = number_##name(row);					\
									\
	if (v < 0)							\
		putc('-', f);						\
	else								\
		show(f, v);						\
}

/* Rows of equal size, in an order: sorting moves none. */
struct rows {
	void		**at;
	size_t		 size;		/* of one */
	size_t		 n, room;
};

/* Room for one more, all zeros; ends the program if there is no memory. Or a copy of one, of which so much is used. */
void *rows_add(struct rows *);
void rows_copy(struct rows *, const void *row, size_t used);
void *rows_at(const struct rows *, size_t i);
void rows_free(struct rows *);

/* A list needs much memory at once: what is freed is used again, and not given back and taken again page by page. */
void rows_keep_memory(void);

/* The column that "NAME" or "-NAME" means, NULL if there is none. */
const struct column *table_find(const struct column *, const char *by);

/* Say which columns there are; gives the exit code. */
int table_fail(const struct column *, const char *by);

/*
 * Sort by a column of that name: text from A to Z, numbers with the largest
 * first, and "-NAME" the other way round. What is equal stays in its order.
 */
void table_sort(struct rows *, const struct column *, const char *by);

/* How a table is printed: which rows, in how wide lines, with how many blanks between two columns. */
struct table_form {
	size_t	from, n;
	int	width, gap;
	bool	color;
};

/* Print it. The first line has the headings. */
void table_print(FILE *, const struct column *, const struct rows *, const struct table_form *);

/* A width that no line has. */
#define TABLE_ALL	1000000

/* The width of the terminal that standard output is; if it is none, $COLUMNS or 80. */
int table_width(void);

/* ---- numbers -------------------------------------------------------- */

/* A whole number with all its digits. */
void table_number(FILE *, double);

/* At most five characters: 999, 12.3k, 4.56M. */
void table_count(FILE *, double);

/* At most five characters: 59s, 59m, 23h59, 9d23h, 99d. */
void table_age(FILE *, double seconds);

#endif
