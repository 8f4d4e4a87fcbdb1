/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options of the command line, a row each: the command line itself,
 * --help, the completion and sctpctl(1) read the rows.
 */
#ifndef SCTPCTL_OPTIONS_H
#define SCTPCTL_OPTIONS_H

#include "sctpctl/ctl.h"

/*
 * A name or a letter may have several rows, which go with different commands:
 * its argument is there in all of them, or in none.
 */
struct option_row {
	const char	*name;
	int		 letter;	/* or 0 */
	const char	*argument;	/* or NULL */
	enum goes	 goes;		/* the commands that it is for */
	const char	*doc;		/* --help says its first sentence */
	void		(*take)(struct ctl *, const char *value);	/* NULL: main does it */
	const char	*values;	/* all that it takes, with blanks between them, or NULL */
};

extern const struct option_row option_table[];	/* ends with a row without name */

/*
 * Read the options, which may stand anywhere; argv[optind] is then the
 * command. Gives the letter of one without "take" as soon as it comes, 0 at
 * the end, -1 if one is wrong, which was said.
 */
int options_read(struct ctl *, int argc, char **argv);

/* Take what was read, for this command; gives an exit code. */
int options_take(struct ctl *, const struct command *);

/* The first row of "-x" or "--name", NULL if the word is neither. */
const struct option_row *options_find(const char *word);

/* Is coloured output wanted where nothing else is said? */
bool options_wants_color(const char *when);

#endif
