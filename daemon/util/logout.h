/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where log lines go, and what they look like there: the lower half of log.h.
 */
#ifndef LOGOUT_H
#define LOGOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <syslog.h>

/* A row of a table of lines. */
struct log_line {
	const char	*name;
	int		 priority;
	const char	*id;		/* the journal's MESSAGE_ID: 32 hexadecimal digits */
	const char	*text;		/* {name} stands for the field of that name */
	const char	*doc;
};

/* A field of a line: a text, or, if that is NULL, a number. */
struct log_field {
	const char	*name;
	const char	*text;
	uint64_t	 number;
};

/* A priority by its name (err, warning, notice, info, debug), -1 for none; and back. */
int log_level_find(const char *);
const char *log_level_name(int);

/* The longest text of a line; what is longer is cut. */
#define LOGOUT_TEXT	1024

/* One line: its text, and what it was made of. */
struct logout_entry {
	int			 priority;
	const char		*text;
	const struct log_line	*line;		/* NULL: it is a text, and nothing else */
	const struct log_field	*fields;
	size_t			 nfields;
};

void logout_init(const char *prefix);

/* The same words as for log_set_form. */
bool logout_form_known(const char *);
void logout_set_form(const char *);

/* False: there is no room for it. Nobody waits for a reader. */
bool logout_put(const struct logout_entry *);

#endif
