/* SPDX-License-Identifier: BSD-2-Clause */
/* sctpctl run. */
#ifndef RUN_START_H
#define RUN_START_H

#include <stdbool.h>

#include "lib/sctpd.h"

/*
 * Run a program, with its arguments, until it and its descendants have ended.
 * c is a connection that is not dialed yet; path is of the daemon's socket, or
 * NULL. Gives the exit status: the program's, or what sctpctl(1) says.
 */
int run_start(struct sctpd *c, const char *path, bool verbose, bool all_fds, char **argv);

#endif
