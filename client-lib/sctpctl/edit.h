/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line at a terminal, with editing, history and completion where libedit is
 * there; without it the terminal's own editing.
 */
#ifndef SCTPCTL_EDIT_H
#define SCTPCTL_EDIT_H

#include "sctpctl/ctl.h"

/* Set what it does with lines from now on; false without libedit. */
bool edit_begin(void);

/*
 * Wait for a byte at standard input, doing meanwhile what else there is; false
 * when the line is to be given up.
 */
typedef bool edit_wait_fn(void *arg);

/* Print the candidates for the last of these words, a line each. */
typedef void edit_complete_fn(FILE *, int argc, char **argv);

/* The next line, which is borrowed until the next call; NULL: the end of input, or it was given up. */
const char *edit_line(const char *prompt, edit_wait_fn *, edit_complete_fn *, void *arg);

/* Something was printed: the line is drawn anew below it. */
void edit_hide(void);
void edit_show(void);

void edit_end(void);

#endif
