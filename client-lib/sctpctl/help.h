/* SPDX-License-Identifier: BSD-2-Clause */
/* What sctpctl tells about itself. */
#ifndef SCTPCTL_HELP_H
#define SCTPCTL_HELP_H

#include "sctpctl/ctl.h"

/* The summary. */
void help_usage(const struct ctl *, FILE *);

/* help [name ...] */
int help_run(struct ctl *, int argc, char **argv);

/* A name at the left, and from column 25 on a text, on standard output. */
void help_row(const char *name, const char *text);

/* Does anything have this name? */
bool help_knows(const struct ctl *, const char *name);

#endif
