/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Long lists, page by page; and which of their rows are wanted.
 */
#ifndef SCTPCTL_PAGES_H
#define SCTPCTL_PAGES_H

#include "sctpctl/table.h"

/* What to do with a row, which is good until this returns. */
typedef void pages_fn(const struct sctpd_value *row, void *arg);

/*
 * Call the method with these words, and more, again and again until all pages
 * of its list are there. The words are the command line's: argv[0] is the
 * method. more is a list that ends with NULL. Gives an exit code.
 */
int pages_get(struct ctl *, int argc, char **argv, const char *const *more, pages_fn *, void *arg);

/* Free rows that have been added so: their first member is text that is allocated, or NULL. */
void pages_free(struct rows *);

/*
 * Select by ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT or :PORT of the peer; by "",
 * by none. False if the text is none of these.
 */
bool pages_select_peer(struct ctl *, const char *text);

/* Does the list {addr, port} or one of the list of such match --peer? */
bool pages_is_peer(const struct ctl *, const struct sctpd_value *endpoints);

#endif
